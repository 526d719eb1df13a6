"""Flowers near the eye: a meadow in the sun, blossom on a branch, soft spots of light behind."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import (
    Canvas,
    Plane,
    blurred,
    colour,
    colours,
    mix,
    ramp,
)
from visionpulse.providers.offline.scenery.trees import add_branch

_LIGHTS = (
    "#f8f3c4 #cfe08a #7fae5c #3f7a4a #17402f",
    "#fff0d8 #ffcf9a #d9926a #8a5648 #352024",
    "#eaf6ff #a9d6e8 #5a9fb4 #2f6a6e #12353a",
    "#ffe9f1 #f3b8cf #b97aa6 #6a4a7c #251a3c",
    "#f2ead0 #b7b06a #6f7d3a #3c5028 #141f12",
    "#1c2850 #283a70 #3a4f7a #20304a #080e1c",
)
_PETALS = colours("#ff5d73 #ffd23f #ffffff #b388ff #ff8fb8 #ff914d #6fb1ff #e23e57 #fff1a8")
_KINDS = {
    "meadow": Vocabulary(
        "meadow* daisy daisies tulip* butterfl* pollinat* grass* field spring summer"
    ),
    "blossom": Vocabulary(
        "blossom* cherr* branch* tree* apple* sakura japan* bloom* bud buds fruit*"
    ),
    "sprout": Vocabulary(
        "seed* sprout* grow* plant* soil leaf leaves start* begin* small root* compost*"
    ),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw soft light, then stems or a branch towards the eye."""
    light = colours(_LIGHTS[int(canvas.rng.integers(len(_LIGHTS)))])
    x, y = canvas.wide * canvas.between(-0.05, 1.05), canvas.tall * canvas.between(-0.1, 0.7)
    far = canvas.distance(x, y) / np.float32(canvas.between(0.7, 1.4))
    canvas.paint(ramp(np.clip(far + (canvas.noise(1.6, 3) - 0.5) * 0.75, 0, 1), light))
    _spots(canvas, light, (x, y))
    canvas.glow(x, y, 0.3, light[0], 0.5)
    tints = _PETALS[canvas.rng.permutation(len(_PETALS))[:3]]
    kind = brief.choose(_KINDS)
    if kind == "blossom":
        _blossom(canvas, light, tints[0], (x, y))
    elif kind == "sprout":
        _sprout(canvas, light)
    else:
        _meadow(canvas, light, tints)


def _spots(canvas: Canvas, light: Plane, source: tuple[float, float]) -> None:
    for _ in range(int(canvas.rng.integers(10, 40))):
        x, y = canvas.between(0, canvas.wide), canvas.between(0, canvas.tall * 0.8)
        size = canvas.between(0.015, 0.08)
        near = np.exp(-np.hypot(x - source[0], y - source[1]) / 0.6)
        part = canvas.window(x, y, size * 1.1)
        away = part.distance(x, y)
        spot = np.clip((size - away) * canvas.short / 6, 0, 1) * (
            0.65 + 0.35 * np.clip(away / size, 0, 1) ** 3
        )
        part.light(
            mix(light[0], light[1], canvas.between(0, 1)),
            spot * np.float32((0.08 + 0.35 * near) * canvas.between(0.5, 1)),
        )


def _meadow(canvas: Canvas, light: Plane, tints: Plane) -> None:
    """Stand flowers in three depths; the farthest and the nearest are out of focus."""
    heavy = canvas.between(0.0, 1.0)
    kinds = canvas.rng.integers(0, 3, 3)
    for depth, soft in ((0.25, 0.006), (0.6, 0.0), (1.0, 0.009)):
        count = int(canvas.rng.integers(5, 14) * (1.5 - depth) ** 1.3) + 1
        greens = canvas.stencil()
        blades = int(130 * (1.2 - 0.6 * depth))
        top = canvas.tall * (1.02 - canvas.between(0.1, 0.3) * (0.7 + 0.6 * depth))
        for _ in range(blades):
            x, sway = canvas.between(-0.05, canvas.wide + 0.05), canvas.between(-0.09, 0.09)
            tip = canvas.tall - (canvas.tall - top) * canvas.between(0.4, 1.1)
            wide = 0.003 + 0.005 * depth
            greens.polygon(
                [
                    (x - wide, canvas.tall * 1.01),
                    (x + sway * 0.4, (tip + canvas.tall) / 2),
                    (x + sway, tip),
                    (x + sway * 0.4 + wide, (tip + canvas.tall) / 2),
                    (x + wide, canvas.tall * 1.01),
                ]
            )
        heads: list[tuple[float, float, float, int]] = []
        for _ in range(count):
            x = canvas.wide * float(np.clip(canvas.rng.normal(heavy, 0.33), -0.02, 1.02))
            size = canvas.between(0.028, 0.05) * (0.5 + 1.7 * depth**1.3)
            y = canvas.tall * (0.98 - canvas.between(0.15, 0.62) * (0.65 + 0.35 * depth))
            bend = canvas.between(-0.08, 0.08)
            part = np.linspace(0, 1, 14)
            greens.line(
                list(
                    zip(
                        x + bend * (part**2),
                        canvas.tall * 1.01 + (y - canvas.tall * 1.01) * part,
                        strict=True,
                    )
                ),
                0.004 + 0.007 * depth,
            )
            heads.append((x + bend, y, size, int(canvas.rng.integers(3))))
        _soft_paint(
            canvas,
            mix(light[2], light[4], 0.25 + 0.75 * depth)
            * (0.8 + 0.3 * canvas.noise(8, 3)[..., None]),
            greens.mask(),
            soft,
        )
        for x, y, size, which in heads:
            _flower(
                canvas,
                (x, y),
                size,
                mix(tints[which], light[1], 0.35 * (1 - depth)),
                int(kinds[which]),
                soft,
            )


def _soft_paint(canvas: Canvas, what: Plane, mask: Plane, soft: float) -> None:
    canvas.paint(what, blurred(mask, canvas.short * soft) if soft else mask)


def _flower(
    canvas: Canvas, at: tuple[float, float], size: float, tint: Plane, kind: int, soft: float
) -> None:
    """Draw a flower head, seen at a slant: a daisy, a poppy or a tulip."""
    x, y = at
    canvas = canvas.window(x, y, size * 1.6 + soft * 3)
    slant, turn = canvas.between(0.5, 1.0), canvas.between(0, 6.3)
    if kind == 2:
        cup = canvas.stencil()
        for lean in (-0.55, 0.55, 0.0):
            part = np.linspace(0, np.pi, 18)
            cup.polygon(
                [
                    (
                        x + size * (0.42 * np.cos(p) + lean * np.sin(p) * 0.9),
                        y - size * 1.5 * np.sin(p) ** 0.8 + size * 0.3,
                    )
                    for p in part
                ]
            )
        mask = cup.mask()
        shade = np.clip(
            0.55 + (y + size * 0.2 - canvas.y) / (size * 2.4) + (canvas.x - x) / (size * 5), 0, 1
        )
        _soft_paint(canvas, tint * (0.45 + 0.6 * shade)[..., None], mask, soft)
        return
    petals = int(canvas.rng.integers(9, 18)) if kind == 0 else int(canvas.rng.integers(4, 6))
    girth = 0.16 if kind == 0 else 0.52
    for layer in (0, 1):
        stencil = canvas.stencil()
        for number in range(petals):
            angle = turn + 2 * np.pi * (number + 0.5 * layer) / petals
            out = size * canvas.between(0.88, 1.08) * (1 - 0.2 * layer)
            part = np.linspace(0, np.pi, 12)
            along, aside = out * (1 - np.cos(part)) / 2, out * girth * np.sin(part) ** 0.7
            left = [(a, s) for a, s in zip(along, aside, strict=True)] + [
                (a, -s) for a, s in zip(along[::-1], aside[::-1], strict=True)
            ]
            cos, sin = np.cos(angle), np.sin(angle)
            stencil.polygon(
                [(x + a * cos - s * sin, y + (a * sin + s * cos) * slant) for a, s in left]
            )
        away = np.hypot(canvas.x - x, (canvas.y - y) / slant) / size
        tone = tint * (0.62 + 0.38 * np.clip(away, 0, 1) + 0.1 * layer)[..., None]
        _soft_paint(canvas, np.clip(tone, 0, 1), stencil.mask(), soft)
    heart = np.clip(
        (size * 0.27 - np.hypot(canvas.x - x, (canvas.y - y) / slant)) * canvas.short / 2, 0, 1
    )
    pollen = colour("#f4b41a") if kind == 0 else colour("#2a1c1c")
    lit = np.clip(0.75 - (canvas.y - y) / (size * 0.7), 0.4, 1.2)
    _soft_paint(canvas, np.clip(pollen * lit[..., None], 0, 1), heart, soft)


def _blossom(canvas: Canvas, light: Plane, tint: Plane, source: tuple[float, float]) -> None:
    """Reach a branch in from a side, in bloom."""
    side = canvas.side()
    pale = mix(tint, colour("#fff2f5"), 0.55)
    for soft, shift in ((0.008, 0.7), (0.0, 1.0)):
        stencil = canvas.stencil()
        root = (canvas.wide * (0.5 + side * 0.55), canvas.tall * canvas.between(0.05, 0.95))
        angle = (np.pi if side > 0 else 0.0) + canvas.between(-0.5, 0.5)
        tips = add_branch(canvas, stencil, root, angle, 0.34 * shift, 0.035 * shift, 3)
        _soft_paint(canvas, mix(light[4], colour("#2b1a16"), 0.5), stencil.mask(), soft)
        for x, y in tips:
            for _ in range(int(canvas.rng.integers(1, 3))):
                at = (
                    x + float(canvas.rng.normal(0, 0.025)),
                    y + float(canvas.rng.normal(0, 0.025)),
                )
                _blossom_head(
                    canvas,
                    at,
                    canvas.between(0.022, 0.045) * shift,
                    mix(pale, light[1], 0.5 * (soft > 0)),
                    soft,
                )
    drift = canvas.stencil()
    for _ in range(int(canvas.rng.integers(6, 30))):
        drift.ellipse(
            canvas.between(0, canvas.wide),
            canvas.between(0, canvas.tall),
            canvas.between(0.004, 0.01),
            canvas.between(0.003, 0.007),
        )
    canvas.paint(pale, blurred(drift.mask(), canvas.short * 0.002) * 0.8)


def _blossom_head(
    canvas: Canvas, at: tuple[float, float], size: float, tint: Plane, soft: float
) -> None:
    canvas = canvas.window(*at, size * 1.2 + soft)
    dx, dy = (canvas.x - at[0]) / size, (canvas.y - at[1]) / size
    away, angle = np.hypot(dx, dy), np.arctan2(dy, dx) + canvas.between(0, 6.3)
    edge = 0.72 + 0.3 * np.abs(np.cos(angle * 2.5)) ** 0.7
    sharp = size * canvas.short / (1.2 + soft * canvas.short)
    canvas.paint(
        tint * (0.72 + 0.3 * np.clip(away, 0, 1))[..., None], np.clip((edge - away) * sharp, 0, 1)
    )
    canvas.paint(colour("#d9a03a"), np.clip((0.16 - away) * sharp, 0, 1))


def _sprout(canvas: Canvas, light: Plane) -> None:
    """Let seedlings break the soil, one of them near."""
    ground = canvas.tall * canvas.between(0.66, 0.86)
    crumbs = canvas.noise(26, 5, 0.75, stretch=1.5)
    curve = canvas.ridge(ground, 0.03, 3, 0.6)
    near = np.clip((canvas.y - ground) / (canvas.tall - ground), 0, 1)
    soil = mix(light[4], colour("#3a2418"), 0.7) * (0.45 + 0.9 * crumbs - 0.2 * near)[..., None]
    canvas.paint(np.clip(soil, 0, 1), canvas.below(curve, 0.006))
    for number in range(int(canvas.rng.integers(2, 6))):
        first = number == 0
        x, tall = (
            canvas.wide * canvas.between(0.15, 0.85),
            canvas.between(0.3, 0.5) if first else canvas.between(0.06, 0.2),
        )
        foot, bend = float(curve[canvas.column(x)]) + 0.03, canvas.between(-0.08, 0.08)
        stem, leaves = canvas.stencil(), canvas.stencil()
        part = np.linspace(0, 1, 16)
        at_x, at_y = x + bend * part**2, foot - tall * part
        stem.line(list(zip(at_x, at_y, strict=True)), 0.012 + tall * 0.03)
        for pair, height in enumerate((1.0, 0.72, 0.5)[: int(canvas.rng.integers(1, 4))]):
            root_x, root_y = float(np.interp(height, part, at_x)), foot - tall * height
            for side in (-1, 1):
                length, lift = (
                    tall * canvas.between(0.4, 0.6) * (1 - 0.15 * pair),
                    canvas.between(0.15, 0.7),
                )
                out = np.linspace(0, 1, 16)
                rib_x, rib_y = (
                    root_x + side * length * out,
                    root_y - length * lift * np.sin(out * 2.2) * 0.8,
                )
                half = length * 0.24 * np.sin(np.pi * out**0.85)
                leaves.polygon(
                    [
                        *zip(rib_x, rib_y - half, strict=True),
                        *zip(rib_x[::-1], (rib_y + half * 0.7)[::-1], strict=True),
                    ]
                )
        green = mix(colour("#7cc04a"), light[2], 0.35)
        soft = 0.0 if first else 0.004
        _soft_paint(canvas, green * 0.75, stem.mask(), soft)
        mask = leaves.mask()
        veins = canvas.noise(14, 4, 0.6, stretch=0.5)
        lit = np.clip(1.05 - np.clip(canvas.y - (foot - tall), -0.2, 1) / (tall * 0.9), 0.35, 1.2)
        _soft_paint(
            canvas, np.clip(green * (lit * (0.8 + 0.3 * veins))[..., None], 0, 1), mask, soft
        )


FAMILY = Family(
    "garden",
    Vocabulary(
        "flower* garden* blossom* bloom* rose roses tulip* daisy daisies petal* "
        "butterfl* bee bees pollinat* seed* sprout* plant plants botan* herb* vegetable* "
        "tea coffee orchid*",
        "spring summer beauty beautiful grow* nature green leaf leaves fruit* fresh "
        "color* colour* soft love* mother* health* healing small insect* soil sun water* "
        "cook*",
    ),
    draw,
    roams=True,
)
