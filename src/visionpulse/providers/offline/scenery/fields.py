"""Countryside: rolling hills in strips of crops, a lone tree, a farm, a windmill."""

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
    moved,
)
from visionpulse.providers.offline.scenery.sky import Sky, paint_sky, pick_hour
from visionpulse.providers.offline.scenery.trees import TREES, add_tree

_SIGHTS = {
    "tree": Vocabulary(
        "tree* alone lonely old wisdom family* root* shade life grow* apple* orchard*"
    ),
    "farm": Vocabulary(
        "farm* barn* village* cottage* home house* milk cow cows sheep bread rural "
        "harvest* neighbor* neighbour*"
    ),
    "mill": Vocabulary(
        "mill windmill* wind energy power* turbine* electric* renewable flour bread grain*"
    ),
    "river": Vocabulary("river* stream* brook* water* valley* flow* fish*"),
}
_CROPS = colours("#7fa650 #c9b458 #5f8a3e #a8b86a #d8c27a #6f7f45 #9a7550 #b7a04a #4f7a48")


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw hills from far to near, each with its crop, then one sight."""
    hour = pick_hour(brief, canvas)
    horizon = canvas.tall * canvas.between(0.3, 0.74)
    sky = paint_sky(canvas, hour, horizon + 0.03)
    hills = int(canvas.rng.integers(3, 6))
    crest = np.zeros(canvas.width, np.float32)
    for number in range(hills):
        depth = (number + 0.3) / hills
        base = horizon + (canvas.tall * 0.98 - horizon) * depth**1.25
        crest = _hill(canvas, sky, base, depth)
        if brief.allows(TREES):
            _hedge(canvas, sky, crest, depth)
        if number == hills - 2:
            middle = crest
    sight = brief.choose(_SIGHTS)
    if sight == "river":
        _river(canvas, sky, horizon)
    elif sight == "farm":
        _farm(canvas, sky, middle, trees=brief.allows(TREES))
    elif sight == "mill":
        _turbines(canvas, sky, middle)
    elif sight == "tree":
        _lone_tree(canvas, sky, crest if canvas.chance(0.5) else middle)


def _tinted(sky: Sky, crop: Plane, depth: float) -> Plane:
    bright = 0.25 + 0.75 * float(sky.hour.sky[-2].mean())
    return mix(
        sky.hour.haze, crop * (0.35 + 0.65 * sky.hour.sun) * np.float32(bright), 0.2 + 0.75 * depth
    )


def _hill(canvas: Canvas, sky: Sky, base: float, depth: float) -> Plane:
    across = canvas.x[0] / canvas.wide
    peak, spread = canvas.between(-0.1, 1.1), canvas.between(0.2, 0.5)
    swell = canvas.between(0.05, 0.2) * np.exp(-(((across - peak) / spread) ** 2))
    curve = canvas.ridge(base + 0.05, 0.025, 1.4, 0.35) - swell.astype(np.float32)
    # Rows of a crop run up the hill towards a point behind its crest.
    point_x, point_y = (
        canvas.wide * canvas.between(-0.3, 1.3),
        float(curve.min()) - canvas.between(0.08, 0.4),
    )
    angle = np.arctan2(canvas.x - point_x, canvas.y - point_y)
    rows = 0.5 + 0.5 * np.sin(angle * canvas.between(60, 190) + (canvas.noise(5, 3) - 0.5) * 2)
    first, second = (_CROPS[int(i)] for i in canvas.rng.integers(0, len(_CROPS), 2))
    strip = np.sin(angle * canvas.between(6, 16) + canvas.between(0, 6)) > 0.1
    tuft = canvas.noise(50, 4, 0.7, stretch=1.5)
    slope = np.gradient(blurred(np.tile(curve, (2, 1)), canvas.short * 0.03)[0]) * sky.lit_from
    below = np.clip((canvas.y - curve[None, :]) / 0.35, 0, 1)
    light = (
        0.82
        + 0.16 * (rows - 0.5) * depth
        + 0.22 * (tuft - 0.5) * depth
        + np.clip(slope, -0.25, 0.3)[None, :]
        - 0.3 * below
    )
    mask = canvas.below(curve)
    canvas.paint(_tinted(sky, first, depth) * light[..., None], mask)
    canvas.paint(_tinted(sky, second, depth) * light[..., None], mask * strip)
    canvas.light(
        sky.hour.sun,
        np.exp(-np.clip(canvas.y - curve[None, :], 0, 9) / 0.012) * canvas.below(curve) * 0.22,
    )
    return curve


def _hedge(canvas: Canvas, sky: Sky, curve: Plane, depth: float) -> None:
    """Line a crest with bushes for a part of its length."""
    stencil = canvas.stencil()
    start, length, size = canvas.between(-0.2, 0.9), canvas.between(0.1, 0.5), 0.006 + 0.016 * depth
    for _ in range(int(canvas.rng.integers(10, 40))):
        x = canvas.wide * (start + canvas.between(0, length))
        bush = size * canvas.between(0.6, 1.8)
        stencil.ellipse(
            x, float(curve[canvas.column(x)]) - bush * 0.5, bush, bush * canvas.between(0.8, 1.4)
        )
    leaf = canvas.noise(45, 3, 0.7)
    tone = mix(_tinted(sky, colour("#3f5a35"), depth), sky.hour.shadow, 0.35 * depth)
    canvas.paint(tone * (0.75 + 0.5 * leaf)[..., None], stencil.mask())


def _lone_tree(canvas: Canvas, sky: Sky, curve: Plane) -> None:
    x = canvas.wide * canvas.between(0.12, 0.88)
    tall, foot = canvas.between(0.25, 0.6), float(curve[canvas.column(x)]) + 0.012
    stencil = canvas.stencil()
    add_tree(canvas, stencil, x, foot, tall, canvas.between(0.0, 1.0) if canvas.chance(0.35) else 1)
    mask = stencil.mask()
    soft = blurred(mask, canvas.short * tall * 0.04)
    step = max(1, int(canvas.short * tall * 0.05))
    lit = np.clip((soft - moved(soft, step, -step * sky.lit_from)) * 1.2, 0, 1)
    leaf = _tinted(sky, colour("#4d6b38"), 0.85) * 0.55
    body = mix(leaf, sky.hour.shadow, 0.45) * (0.7 + 0.5 * canvas.noise(50, 3, 0.7))[..., None]
    canvas.paint(body + (sky.hour.sun * 0.45) * lit[..., None], mask)


def _farm(canvas: Canvas, sky: Sky, curve: Plane, *, trees: bool) -> None:
    """Put a farmhouse and barn beside trees."""
    x, size = canvas.wide * canvas.between(0.15, 0.85), canvas.between(0.05, 0.12)
    walls, roofs, windows, woods = (canvas.stencil() for _ in range(4))
    for number in range(int(canvas.rng.integers(2, 5))):
        foot = float(curve[canvas.column(x)]) + 0.012
        half, tall = size * canvas.between(0.6, 1.1), size * canvas.between(0.55, 0.8)
        walls.box(x - half, foot - tall, x + half, foot + 0.02)
        roofs.polygon(
            [
                (x - half * 1.12, foot - tall),
                (x - half * 0.8, foot - tall * 1.75),
                (x + half * 0.8, foot - tall * 1.75),
                (x + half * 1.12, foot - tall),
            ]
        )
        if number == 0:
            roofs.box(x + half * 0.3, foot - tall * 2.05, x + half * 0.5, foot - tall * 1.6)
        for pane in (-0.55, -0.05, 0.45):
            windows.box(
                x + half * pane, foot - tall * 0.7, x + half * (pane + 0.2), foot - tall * 0.35
            )
        add_tree(
            canvas,
            woods,
            x + half * canvas.between(1.2, 1.8) * canvas.side(),
            foot,
            size * canvas.between(1.6, 2.6),
            1,
        )
        x += half * canvas.between(1.9, 3.5) * canvas.side()
    hour = sky.hour
    dim = 0.3 + 0.7 * float(hour.sky[-2].mean())
    canvas.paint(_tinted(sky, colour("#40583a"), 0.7) * 0.6, woods.mask() * np.float32(trees))
    canvas.paint(
        mix(hour.shadow, colour("#e8dcc4") * hour.sun * np.float32(dim), 0.75), walls.mask()
    )
    canvas.paint(
        mix(hour.shadow, colour("#9c4a36") * hour.sun * np.float32(dim), 0.7), roofs.mask()
    )
    canvas.paint(
        mix(hour.shadow, colour("#ffd88a"), 0.35 + 0.65 * min(1, hour.stars * 2)), windows.mask()
    )
    if hour.stars:
        canvas.light(colour("#ffc060"), blurred(windows.mask(), canvas.short * 0.02) * 0.9)


def _turbines(canvas: Canvas, sky: Sky, curve: Plane) -> None:
    stencil = canvas.stencil()
    for _ in range(int(canvas.rng.integers(2, 7))):
        x = canvas.wide * canvas.between(0.05, 0.95)
        foot, tall = float(curve[canvas.column(x)]) + 0.02, canvas.between(0.14, 0.42)
        stencil.polygon(
            [
                (x - tall * 0.02, foot),
                (x - tall * 0.009, foot - tall),
                (x + tall * 0.009, foot - tall),
                (x + tall * 0.02, foot),
            ]
        )
        turn = canvas.between(0, 2.1)
        for blade in range(3):
            angle = turn + blade * 2 * np.pi / 3
            tip = (x + np.cos(angle) * tall * 0.55, foot - tall + np.sin(angle) * tall * 0.55)
            wide = (
                x + np.cos(angle + 0.22) * tall * 0.12,
                foot - tall + np.sin(angle + 0.22) * tall * 0.12,
            )
            stencil.polygon([(x, foot - tall), wide, tip])
        stencil.ellipse(x, foot - tall, tall * 0.022)
    canvas.paint(
        mix(
            sky.hour.shadow,
            mix(sky.hour.sun, colour("#ffffff"), 0.5),
            0.25 + 0.7 * (sky.hour.stars == 0),
        ),
        stencil.mask(),
    )


def _river(canvas: Canvas, sky: Sky, horizon: float) -> None:
    """Wind a river from the hills to the foot of the picture."""
    top = horizon + 0.1 * (canvas.tall - horizon)
    down = np.clip((canvas.y - top) / (canvas.tall - top), 0, 1)
    start, end = canvas.wide * canvas.between(0.2, 0.8), canvas.wide * canvas.between(0.0, 1.0)
    bend = (
        canvas.between(0.1, 0.3)
        * np.sin(down**0.6 * canvas.between(5, 10) + canvas.between(0, 6))
        * (0.25 + 0.75 * down)
    )
    middle = start + (end - start) * down**1.5 + bend * canvas.wide
    half = 0.006 + canvas.between(0.06, 0.2) * down**1.8 + 0.01 * (canvas.noise(8, 4) - 0.5)
    mask = np.clip((half - np.abs(canvas.x - middle)) * canvas.short / 2 + 0.5, 0, 1) * (
        canvas.y > top
    )
    ripple = canvas.receding(horizon, 6, 4, 4)
    water = mix(sky.hour.sky[-1], sky.hour.sky[-2], 0.5) * (0.72 + 0.4 * ripple)[..., None]
    bank = np.clip(
        (half + 0.012 * (0.3 + down) - np.abs(canvas.x - middle)) * canvas.short / 3, 0, 1
    ) * (canvas.y > top)
    canvas.shade(bank * 0.35)
    canvas.paint(water, mask.astype(np.float32))


FAMILY = Family(
    "fields",
    Vocabulary(
        "field* farm* countryside meadow* village* rural harvest* wheat crop* barn* hill "
        "hills pasture* cow cows sheep vineyard* orchard* "
        "windmill* turbine* agricultur* river* valley* soil grain* shepherd* tractor* "
        "cottage* horse* bee bees honey",
        "grow* food bread wine spring summer autumn green land country peace* wind "
        "energy seed* season* weather home* milk renewable plant* rain simple",
    ),
    draw,
    roams=True,
)
