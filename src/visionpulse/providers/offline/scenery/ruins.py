"""Old stone: temples on their hill, pyramids in the sand, a castle against the sky."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import (
    Canvas,
    Plane,
    Stencil,
    blurred,
    colour,
    mix,
)
from visionpulse.providers.offline.scenery.sky import Sky, paint_sky, pick_hour
from visionpulse.providers.offline.scenery.trees import TREES, add_pine

_KINDS = {
    "temple": Vocabulary(
        "temple* greek* greece rome roman* column* athens philosoph* democracy god gods "
        "law justice senate marble olymp*"
    ),
    "pyramids": Vocabulary(
        "pyramid* egypt* pharaoh* cairo nile tomb* mummy aztec maya* desert sphinx cleopatra"
    ),
    "castle": Vocabulary(
        "castle* medieval knight* king* queen* tower* fortress* dragon* prince* "
        "princess* wall* throne* england scotland battle* samurai"
    ),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw one of three ages."""
    hour = pick_hour(brief, canvas)
    horizon = canvas.tall * canvas.between(0.5, 0.8)
    sky = paint_sky(canvas, hour, horizon + 0.03)
    kind = brief.choose(_KINDS)
    if kind == "pyramids":
        _pyramids(canvas, sky)
    elif kind == "castle":
        _castle(canvas, sky, trees=brief.allows(TREES))
    else:
        _temple(canvas, sky)


def _stone(sky: Sky, code: str, depth: float) -> Plane:
    bright = np.float32(0.2 + 0.8 * float(sky.hour.sky[-2].mean()))
    return mix(sky.hour.haze, colour(code) * (0.35 + 0.65 * sky.hour.sun) * bright, depth)


def _temple(canvas: Canvas, sky: Sky) -> None:
    """Build a temple in perspective of ranks: columns, entablature, pediment, some of it fallen."""
    hour = sky.hour
    for part in (0.3, 0.55):
        canvas.paint(
            hour.at(part), canvas.below(canvas.ridge(sky.horizon + 0.08 * part, 0.07, 2, 0.5))
        )
    middle, half = canvas.wide * canvas.between(0.22, 0.78), canvas.between(0.22, 0.46)
    tall = half * canvas.between(0.75, 1.1)
    foot = sky.horizon + canvas.between(-0.02, 0.1)
    hill = (
        foot
        + 0.02
        + 0.5 * np.clip(np.abs(canvas.x[0] - middle) - half * 1.1, 0, 9) ** 1.3
        + 0.02 * canvas.ridge(0, 1, 5, 0.55)
    )
    columns = int(canvas.rng.integers(5, 9))
    whole = canvas.rng.random(columns) < canvas.between(0.55, 1.0)
    whole[[0, -1]] = True
    shafts, dark, top = canvas.stencil(), canvas.stencil(), canvas.stencil()
    step = 2 * half / columns
    for number in range(columns):
        x = middle - half + (number + 0.5) * step
        height = tall if whole[number] else tall * canvas.between(0.2, 0.8)
        wide = step * 0.28
        shafts.polygon(
            [
                (x - wide * 1.15, foot),
                (x - wide * 0.9, foot - height),
                (x + wide * 0.9, foot - height),
                (x + wide * 1.15, foot),
            ]
        )
        shafts.box(x - wide * 1.4, foot - 0.012, x + wide * 1.4, foot)
        for flute in (-0.6, -0.2, 0.2, 0.6):
            dark.line(
                [(x + wide * flute, foot - 0.012), (x + wide * flute * 0.85, foot - height)],
                wide * 0.13,
                0.55,
            )
        if whole[number]:
            top.box(x - wide * 1.5, foot - tall - 0.012, x + wide * 1.5, foot - tall + 0.012)
            if number + 1 < columns and whole[number + 1]:
                top.box(x - step * 0.5, foot - tall * 1.13, x + step * 1.5, foot - tall)
    if whole.mean() > 0.6:
        top.box(middle - half * 1.05, foot - tall * 1.15, middle + half * 1.05, foot - tall)
        top.polygon(
            [
                (middle - half * 1.1, foot - tall * 1.15),
                (middle, foot - tall * 1.48),
                (middle + half * 1.1, foot - tall * 1.15),
            ]
        )
    for stair in range(3):
        shafts.box(
            middle - half * (1.04 + 0.06 * stair),
            foot + 0.014 * stair,
            middle + half * (1.04 + 0.06 * stair),
            foot + 0.014 * (stair + 1) + 0.01,
        )
    weather = canvas.noise(14, 5, 0.6)
    lit, shade = _stone(sky, "#f0dcb8", 0.9), mix(_stone(sky, "#8a7258", 0.9), hour.shadow, 0.55)
    mask = shafts.mask()
    local = ((canvas.x - (middle - half)) / step % 1 - 0.5) * sky.lit_from
    round_light = np.clip(0.5 + local * 2.2, 0.05, 1)
    body = shade + (lit - shade) * (round_light * (0.75 + 0.35 * weather))[..., None]
    back = canvas.stencil()
    back.box(middle - half * 0.86, foot - tall * 0.92, middle + half * 0.86, foot)
    if whole.mean() > 0.7:
        canvas.paint(mix(shade, hour.shadow, 0.5), back.mask() * 0.85)
    canvas.paint(body, mask)
    canvas.shade(dark.mask() * 0.3)
    canvas.paint(mix(shade, lit, 0.7) * (0.75 + 0.35 * weather)[..., None], top.mask())
    canvas.shade(
        np.exp(-np.clip(canvas.y - (foot - tall), 0, 9) / 0.03)
        * (canvas.y > foot - tall)
        * mask
        * 0.55
    )
    grass = canvas.noise(24, 5, 0.65, stretch=2)
    canvas.paint(
        mix(_stone(sky, "#7d7a4a", 0.85), hour.shadow, 0.3) * (0.6 + 0.6 * grass)[..., None],
        canvas.below((hill + 0.03).astype(np.float32)),
    )


def _pyramids(canvas: Canvas, sky: Sky) -> None:
    weather = canvas.noise(40, 4, 0.65, stretch=3)
    for number in range(int(canvas.rng.integers(1, 4))):
        depth = 0.45 + 0.2 * number
        foot = sky.horizon + 0.04 + 0.05 * number
        x, half = (
            canvas.wide * canvas.between(0.1, 0.9),
            canvas.between(0.14, 0.42) * (0.7 + 0.3 * number),
        )
        tall = half * canvas.between(0.95, 1.2)
        edge = x + half * canvas.between(-0.45, 0.45)
        left, right = canvas.stencil(), canvas.stencil()
        left.polygon([(x - half, foot), (x, foot - tall), (edge, foot + half * 0.1)])
        right.polygon([(x + half, foot), (x, foot - tall), (edge, foot + half * 0.1)])
        courses = 0.9 + 0.1 * np.sign(np.sin((canvas.y - foot) / tall * 130))
        lit, shade = (
            _stone(sky, "#e6c080", depth),
            mix(_stone(sky, "#8a5f3c", depth), sky.hour.shadow, 0.4),
        )
        for stencil, bright in ((left, sky.lit_from < 0), (right, sky.lit_from > 0)):
            tone = (lit if bright else shade) * (courses * (0.82 + 0.3 * weather))[..., None]
            canvas.paint(tone, stencil.mask())
    dune = canvas.ridge(sky.horizon + 0.03, 0.012, 1.3, 0.35)
    grains = canvas.receding(sky.horizon, 3, 2.5)
    near = np.clip((canvas.y - sky.horizon) / (canvas.tall - sky.horizon), 0, 1)
    sand = _stone(sky, "#d9a868", 0.7) * (0.85 + 0.3 * grains - 0.3 * near)[..., None]
    canvas.paint(sand, canvas.below(dune, 0.01))
    near_dune = canvas.ridge(
        canvas.tall * canvas.between(0.86, 0.98), canvas.between(0.03, 0.09), 1.1, 0.3
    )
    canvas.paint(
        mix(_stone(sky, "#8f6238", 0.9), sky.hour.shadow, 0.35),
        canvas.below(near_dune),
    )


def _castle(canvas: Canvas, sky: Sky, *, trees: bool) -> None:
    """Crown a crag with walls and towers, some windows lit."""
    hour = sky.hour
    for part in (0.3, 0.55):
        canvas.paint(
            hour.at(part), canvas.below(canvas.ridge(sky.horizon + 0.06 * part, 0.1, 2, 0.5))
        )
    middle, width = canvas.wide * canvas.between(0.2, 0.8), canvas.between(0.2, 0.36)
    top = sky.horizon + canvas.between(-0.1, 0.1)
    away = np.clip(np.abs(canvas.x[0] - middle) - width, 0, 9)
    crag = (
        top
        + canvas.between(0.45, 1.1) * away ** canvas.between(0.6, 0.9)
        + canvas.ridge(0, 0.03, 6, 0.6)
    ).astype(np.float32)
    walls, windows, roofs = canvas.stencil(), canvas.stencil(), canvas.stencil()
    walls.box(middle - width, top - width * 0.32, middle + width, top + 0.05)
    for tooth in np.arange(-width, width, 0.024):
        walls.box(
            middle + tooth, top - width * 0.32 - 0.012, middle + tooth + 0.013, top - width * 0.32
        )
    count = int(canvas.rng.integers(3, 7))
    for number in range(count):
        x = middle - width + 2 * width * (number + canvas.between(0.1, 0.6)) / (count - 0.4)
        _tower(
            canvas,
            (walls, windows, roofs),
            x,
            top + 0.04,
            width * canvas.between(0.1, 0.18),
            width * canvas.between(0.55, 1.45),
        )
    stone = canvas.noise(30, 4, 0.65)
    tone = mix(hour.at(0.75), _stone(sky, "#9a8f86", 0.8), 0.45)
    mask = walls.mask()
    soft = blurred(mask, canvas.short * 0.014)
    edge = np.clip(1.2 - soft, 0, 1) * 0.35
    canvas.paint(tone * (0.7 + 0.4 * stone)[..., None] + hour.sun * (edge * 0.4)[..., None], mask)
    canvas.paint(mix(hour.shadow, hour.sky[1], 0.3), roofs.mask())
    canvas.paint(
        mix(hour.shadow, colour("#ffcf7a"), 0.4 + 0.6 * min(1.0, hour.stars * 2)), windows.mask()
    )
    if hour.stars:
        canvas.light(colour("#ffb050"), blurred(windows.mask(), canvas.short * 0.015) * 1.4)
    rock = canvas.noise(9, 6, 0.62, stretch=0.6)
    canvas.paint(
        mix(hour.at(0.8), hour.shadow, 0.4) * (0.6 + 0.7 * rock)[..., None], canvas.below(crag)
    )
    stencil = canvas.stencil()
    ground = canvas.ridge(canvas.tall * canvas.between(0.9, 0.98), 0.03, 2)
    for _ in range(int(canvas.rng.integers(8, 40)) if trees else 0):
        x = canvas.between(0, canvas.wide)
        add_pine(
            canvas, stencil, x, float(ground[canvas.column(x)]) + 0.02, canvas.between(0.06, 0.16)
        )
    canvas.paint(hour.shadow, np.maximum(stencil.mask(), canvas.below(ground)))


def _tower(
    canvas: Canvas,
    stencils: tuple[Stencil, Stencil, Stencil],
    x: float,
    foot: float,
    half: float,
    tall: float,
) -> None:
    walls, windows, roofs = stencils
    top = foot - tall
    walls.box(x - half, top, x + half, foot)
    walls.box(x - half * 1.25, top - half * 0.5, x + half * 1.25, top + half * 0.2)
    if canvas.chance(0.6):
        roofs.polygon(
            [
                (x - half * 1.4, top - half * 0.4),
                (x, top - half * canvas.between(2.6, 4.2)),
                (x + half * 1.4, top - half * 0.4),
            ]
        )
        roofs.line([(x, top - half * 2.6), (x, top - half * 4.6)], half * 0.1)
    else:
        for tooth in (-1.25, -0.6, 0.05, 0.7):
            walls.box(
                x + half * tooth, top - half * 0.95, x + half * (tooth + 0.42), top - half * 0.4
            )
    for level in np.arange(top + half * 1.4, foot - half * 2, half * 2.4):
        if canvas.chance(0.6):
            windows.box(x - half * 0.2, float(level), x + half * 0.2, float(level) + half * 0.7)


FAMILY = Family(
    "ruins",
    Vocabulary(
        "ancient history histor* temple* ruin* pyramid* egypt* rome roman* greek* greece "
        "castle* medieval king kings queen* knight* empire* emperor* pharaoh* "
        "civilization* civilisation* philosoph* archaeolog* myth* legend* samurai "
        "dynasty century centuries museum* monument* stoic* viking* cleopatra caesar",
        "old stone* law justice wisdom war wars tradition* past time god gods religion* "
        "power* rise fall story tale culture* heritage democracy battle* wall*",
    ),
    draw,
)
