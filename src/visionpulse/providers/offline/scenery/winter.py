"""Ice and snow: aurora over snowfields, icebergs, woods under falling flakes."""

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
from visionpulse.providers.offline.scenery.sea import paint_water
from visionpulse.providers.offline.scenery.sky import Sky, paint_sky, pick_hour
from visionpulse.providers.offline.scenery.trees import TREES, add_pine

_KINDS = {
    "aurora": Vocabulary(
        "aurora* northern light* iceland norway finland night* sky* magnetic solar"
    ),
    "iceberg": Vocabulary(
        "iceberg* ice glacier* antarctic* sea ocean arctic polar penguin* bear* melt* "
        "climate warming sea titanic hidden"
    ),
    "snowfall": Vocabulary(
        "snow* snowfall christmas* santa holiday* december ski* cabin* wolf* forest* home*"
    ),
}
_CURTAINS = colours("#38f2a0 #5affc8 #7a8cff #d26bff #a8ff78 #ff7ab8")


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw one of three winters."""
    kind = brief.choose(_KINDS)
    if kind == "aurora":
        _aurora_night(canvas, brief)
    elif kind == "iceberg":
        _icebergs(canvas, brief)
    else:
        _snowfall(canvas, brief)


def _aurora_night(canvas: Canvas, brief: Brief) -> None:
    hour = pick_hour(brief, canvas, ("night", "blue", "emerald"))
    horizon = canvas.tall * canvas.between(0.6, 0.88)
    sky = paint_sky(
        canvas, hour, horizon, sun=(canvas.wide * canvas.between(-0.2, 1.2), -0.3), clouds=0
    )
    tint = int(canvas.rng.integers(len(_CURTAINS)))
    glow = np.zeros((canvas.height, canvas.width), np.float32)
    for number in range(int(canvas.rng.integers(2, 5))):
        curtain = _curtain(canvas, horizon)
        low, high = _CURTAINS[tint], _CURTAINS[(tint + 2 + number) % len(_CURTAINS)]
        canvas.light(low, curtain * 0.85)
        canvas.light(high, moved(curtain, -int(canvas.short * 0.1), 0) * 0.4)
        glow += curtain
    canvas.light(_CURTAINS[tint], blurred(np.clip(glow, 0, 1), canvas.short * 0.07) * 0.45)
    light = mix(_CURTAINS[tint], hour.haze, 0.5)
    for part in (0.0, 0.4, 0.8):
        curve = canvas.ridge(
            horizon + part * (canvas.tall - horizon) * 0.7,
            0.12 * (1 - part) + 0.02,
            2 - part,
            0.52 - 0.15 * part,
        )
        _snowfield(
            canvas, curve, mix(hour.sky[1], light, 0.3 + 0.2 * part), light, part, sky.lit_from
        )
    if brief.allows(TREES):
        _snowy_pines(canvas, sky, canvas.tall * 0.93, mix(hour.shadow, hour.sky[1], 0.2), light)


def _curtain(canvas: Canvas, horizon: float) -> Plane:
    """Return one curtain of light: a winding lower edge with rays rising from it."""
    part = canvas.x[0] / canvas.wide
    middle, sway = horizon * canvas.between(0.35, 0.85), horizon * canvas.between(0.1, 0.3)
    foot = (
        middle
        + sway * np.sin(part * canvas.between(2, 7) + canvas.between(0, 6.3))
        + 0.1 * canvas.ridge(0, 0.5, 3, 0.5)
    )
    foot += canvas.between(-0.5, 0.5) * (part - 0.5)
    knots = canvas.rng.random(90)
    rays = np.interp(part * 89 + 2 * np.sin(part * 9), np.arange(90), knots) * 0.7 + 0.5
    strength = np.clip(canvas.ridge(0.5, 0.5, 1.6, 0.4) * 1.3, 0, 1)
    up = foot[None, :] - canvas.y
    height = (0.1 + 0.22 * rays)[None, :] * np.float32(canvas.between(0.8, 1.6))
    body = np.exp(-np.clip(up, 0, 9) / height) * np.clip(1 + up / 0.02, 0, 1)
    return (body * (rays * strength)[None, :] * np.clip((horizon - canvas.y) / 0.1, 0, 1)).astype(
        np.float32
    )


def _snowfield(
    canvas: Canvas, curve: Plane, shade: Plane, light: Plane, depth: float, lit_from: int
) -> None:
    drift = canvas.noise(2.5 + 3 * depth, 5, 0.5, stretch=2.5)
    step = max(2, canvas.short // 60)
    relief = np.clip(0.5 + (drift - moved(drift, step, step * lit_from)) * 3.5, 0, 1)
    body = shade + (light - shade) * relief[..., None]
    canvas.paint(
        body * (1 - 0.25 * np.clip((canvas.y - curve[None, :]) / 0.4, 0, 1))[..., None],
        canvas.below(curve),
    )


def _snowy_pines(canvas: Canvas, sky: Sky, ground: float, dark: Plane, snow: Plane) -> None:
    stencil, dense = canvas.stencil(), canvas.side()
    for _ in range(int(canvas.rng.integers(8, 40))):
        across = canvas.rng.beta(1, 2.5)
        x = canvas.wide * (across if dense < 0 else 1 - across)
        add_pine(
            canvas,
            stencil,
            x,
            ground + canvas.between(-0.04, 0.08),
            canvas.between(0.1, 0.3) * (1.4 - across),
        )
    mask = stencil.mask()
    step = max(2, canvas.short // 110)
    # Snow lies where there is nothing just above.
    cover = np.clip(mask - moved(mask, step, step // 2 * sky.lit_from), 0, 1)
    canvas.paint(dark, mask)
    canvas.paint(snow, np.clip(blurred(cover, 0.7), 0, 1) * 0.9)


def _icebergs(canvas: Canvas, brief: Brief) -> None:
    hour = pick_hour(
        brief, canvas, ("dawn", "morning", "noon", "sunset", "dusk", "blue", "overcast")
    )
    horizon = canvas.tall * canvas.between(0.36, 0.66)
    sky = paint_sky(canvas, hour, horizon)
    paint_water(canvas, sky)
    bergs = sorted(canvas.between(0.02, 0.5) for _ in range(int(canvas.rng.integers(2, 6))))
    for near in bergs:
        _iceberg(canvas, sky, horizon + near * (canvas.tall - horizon), 0.35 + 1.6 * near)
    floes = canvas.receding(horizon, 2.2, 2.5, 4)
    near = np.clip((canvas.y - horizon) / (canvas.tall - horizon), 0, 1)
    cover = canvas.between(0.6, 0.95)
    flake = np.clip((floes - cover) * 30, 0, 1) * (canvas.y > horizon + 0.02)
    canvas.paint(
        mix(hour.sun, hour.sky[2], 0.25) * (0.95 - 0.15 * near)[..., None],
        flake * 0.95,
    )


def _iceberg(canvas: Canvas, sky: Sky, foot: float, scale: float) -> None:
    hour = sky.hour
    x, half, tall = (
        canvas.wide * canvas.between(0.05, 0.95),
        canvas.between(0.1, 0.24) * scale,
        canvas.between(0.1, 0.3) * scale,
    )
    canvas = canvas.window(x, foot, max(half, tall) * 1.05)
    count = int(canvas.rng.integers(6, 10))
    across = np.sort(np.concatenate([[-1, 1], canvas.rng.uniform(-0.95, 0.95, count)]))
    lean = canvas.between(-0.5, 0.5)
    heights = np.clip(1 - np.abs(across - lean) ** 1.4 * 0.8, 0.05, 1) * canvas.rng.uniform(
        0.6, 1.0, count + 2
    )
    heights[[0, -1]] = 0
    lit, dark = mix(hour.sun, colour("#ffffff"), 0.4), mix(hour.sky[1], colour("#3f9fc0"), 0.45)
    tops = [(x + u * half, foot - v * tall) for u, v in zip(across, heights, strict=True)]
    for place in range(len(tops) - 1):
        (left_x, left_y), (right_x, right_y) = tops[place], tops[place + 1]
        stencil = canvas.stencil()
        stencil.polygon([(left_x, foot), (left_x, left_y), (right_x, right_y), (right_x, foot)])
        rising = (left_y - right_y) / max(0.01, right_x - left_x)
        facing = np.clip(0.55 - 0.35 * rising * sky.lit_from + canvas.between(-0.15, 0.15), 0.05, 1)
        height = np.clip((foot - canvas.y) / tall, 0, 1)
        tone = (
            mix(dark, lit, float(facing))
            * (0.7 + 0.35 * height)[..., None]
            * (0.93 + 0.12 * canvas.noise(12, 3))[..., None]
        )
        canvas.paint(np.clip(tone, 0, 1), stencil.mask())
    reflection = (
        np.clip(1 - (canvas.y - foot) / (tall * 0.9), 0, 1)
        * (canvas.y >= foot)
        * np.exp(-(((canvas.x - x) / half) ** 4))
    )
    canvas.paint(
        mix(dark, lit, 0.35),
        reflection * canvas.receding(sky.horizon, 6, 4, 3) * 0.75,
    )


def _snowfall(canvas: Canvas, brief: Brief) -> None:
    hour = pick_hour(brief, canvas, ("dawn", "dusk", "blue", "night", "overcast"))
    horizon = canvas.tall * canvas.between(0.4, 0.72)
    sky = paint_sky(canvas, hour, horizon + 0.05)
    snow = mix(hour.sky[-1], hour.sun, 0.5)
    layers = int(canvas.rng.integers(3, 5))
    for number in range(layers):
        depth = number / (layers - 1)
        base = horizon + (canvas.tall - horizon) * 0.8 * depth
        swell = canvas.between(-0.2, 0.2) * (canvas.x[0] / canvas.wide - 0.5)
        curve = (canvas.ridge(base, 0.06, 1.5, 0.35) + swell).astype(np.float32)
        _snowfield(
            canvas,
            curve,
            mix(hour.haze, mix(hour.sky[1], hour.shadow, 0.2), 0.25 + 0.4 * depth),
            mix(hour.haze, snow, 0.3 + 0.6 * depth),
            depth,
            sky.lit_from,
        )
        if brief.allows(TREES):
            _snowy_pines(
                canvas, sky, base + 0.03, hour.at(0.3 + 0.6 * depth), mix(hour.haze, snow, 0.8)
            )
    if brief.allows(_CABIN) and canvas.chance(0.6):
        _cabin(canvas, sky, horizon + (canvas.tall - horizon) * canvas.between(0.4, 0.8), snow)
    for count, size, soft in ((500, 0.0018, 0.6), (140, 0.004, 1.6), (36, 0.009, 5.0)):
        flakes = canvas.stencil()
        for _ in range(count):
            flakes.ellipse(
                canvas.between(0, canvas.wide),
                canvas.between(0, canvas.tall),
                size * canvas.between(0.5, 1.3),
            )
        canvas.light(
            colour("#ffffff"), blurred(flakes.mask(), max(0.6, soft * canvas.short / 1024)) * 0.75
        )


_CABIN = Vocabulary("cabin* house* home* hut*")


def _cabin(canvas: Canvas, sky: Sky, foot: float, snow: Plane) -> None:
    x, size = canvas.wide * canvas.between(0.2, 0.8), canvas.between(0.07, 0.13)
    walls, roof, windows = canvas.stencil(), canvas.stencil(), canvas.stencil()
    walls.polygon(
        [
            (x - size, foot),
            (x - size, foot - size * 0.7),
            (x, foot - size * 1.5),
            (x + size, foot - size * 0.7),
            (x + size, foot),
        ]
    )
    roof.line(
        [
            (x - size * 1.25, foot - size * 0.55),
            (x, foot - size * 1.6),
            (x + size * 1.25, foot - size * 0.55),
        ],
        size * 0.22,
    )
    roof.box(x + size * 0.45, foot - size * 1.75, x + size * 0.7, foot - size * 1.1)
    for pane in (-0.6, 0.15):
        windows.box(x + size * pane, foot - size * 0.6, x + size * (pane + 0.42), foot - size * 0.2)
    canvas.paint(mix(sky.hour.shadow, colour("#4a2f22"), 0.5), walls.mask())
    canvas.paint(snow, roof.mask())
    canvas.paint(colour("#ffd27a"), windows.mask())
    canvas.light(colour("#ff9a3c"), blurred(windows.mask(), canvas.short * 0.025) * 1.2)
    canvas.glow(x, foot, size * 0.9, colour("#ffb45c"), 0.35)


FAMILY = Family(
    "winter",
    Vocabulary(
        "snow* winter* ice icy iceberg* glacier* arctic antarctic* polar aurora* frost* "
        "frozen blizzard* penguin* christmas* ski skiing skis cold coldest "
        "norway iceland alaska siberia* sled* tundra",
        "north* south pole light* white december january holiday* climate melt* warming "
        "bear* wolf* survive* hibernat* night* silence hot",
    ),
    draw,
)
