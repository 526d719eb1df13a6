"""Deserts: dunes with sharp crests, or red rock; caravans, cacti, or nothing at all."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import Canvas, Plane, Stencil, colour, mix
from visionpulse.providers.offline.scenery.sky import Sky, paint_sky, pick_hour

_KINDS = {
    "dunes": Vocabulary("dune* sahara sand* arab* nomad* caravan* camel* bedouin silk gobi oasis"),
    "mesa": Vocabulary("canyon* mesa* arizona cowboy* western cactus* rock* outback wild frontier"),
}
_RIDERS = {
    "caravan": Vocabulary("caravan* camel* trade* nomad* travel* journey* silk merchant*"),
    "none": Vocabulary("empty alone silence"),
}
_SANDS = ("#e2a76a", "#d9b98c", "#c97f52", "#e8c79a", "#b96f4e")


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw sky, then sand or rock."""
    hour = pick_hour(
        brief, canvas, ("dawn", "morning", "noon", "golden", "sunset", "dusk", "night")
    )
    horizon = canvas.tall * canvas.between(0.28, 0.72)
    sky = paint_sky(canvas, hour, horizon + 0.04, clouds=canvas.between(-0.6, 0.6))
    sand = colour(_SANDS[int(canvas.rng.integers(len(_SANDS)))])
    if brief.choose(_KINDS) == "mesa":
        _rocks(canvas, sky, mix(sand, colour("#a8492c"), 0.6), horizon)
        return
    layers = int(canvas.rng.integers(3, 6))
    ridden = brief.choose(_RIDERS) == "caravan"
    for number in range(layers):
        depth = (number + 0.4) / layers
        base = horizon + (canvas.tall - horizon) * depth**1.2 * 0.95
        curve = _dune(canvas, sky, sand, base, depth)
        if ridden and number == layers // 2:
            _caravan(canvas, sky, curve, 0.025 + 0.05 * depth)


def _dune(canvas: Canvas, sky: Sky, sand: Plane, base: float, depth: float) -> Plane:
    """Paint one dune: its crest winds down towards the eye, lit on one side of it only."""
    hour = sky.hour
    across = canvas.x[0] / canvas.wide
    peak, height = canvas.between(-0.1, 1.1), canvas.between(0.08, 0.26) * (0.6 + 0.6 * depth)
    away = across - peak
    lee = canvas.between(0.12, 0.3)
    hump = np.where(
        away * sky.lit_from > 0, np.exp(-np.abs(away) / (lee * 2.2)), np.exp(-((away / lee) ** 2))
    )
    curve = (
        base
        - height * hump
        + 0.02 * np.sin(across * canvas.between(4, 9) + canvas.between(0, 6))
        + 0.03 * (across - 0.5) * canvas.side()
    )
    curve = curve.astype(np.float32)
    below = np.clip(canvas.y - curve[None, :], 0, 9)
    top = float(curve.min())
    fall = np.clip(canvas.y - top, 0, 9)
    spine = (
        canvas.wide * peak
        + canvas.between(0.05, 0.16)
        * np.sin(fall * canvas.between(5, 11) + canvas.between(-0.5, 0.5))
        - sky.lit_from * fall * canvas.between(0.1, 0.9)
    )
    dark_side = (spine - canvas.x) * sky.lit_from
    shadow = (
        np.clip(dark_side * canvas.short / 6, 0, 1)
        * np.exp(-np.clip(dark_side, 0, 9) / canvas.between(0.2, 0.5))
        * np.exp(-fall / 0.5)
    )
    phase = (
        canvas.noise(3, 4) * 5
        + (canvas.y * 60 / (0.25 + depth))
        + canvas.x * canvas.between(-14, 14)
    )
    ripples = np.sin(phase * 3) * np.clip(below * 6, 0, 1) * depth
    tint = sand * (0.3 + 0.72 * hour.sun) * (0.35 + 0.65 * float(hour.sky[-1].mean()))
    lit = mix(hour.haze, mix(tint, hour.sun, 0.2), 0.3 + 0.65 * depth)
    dim = mix(hour.haze, mix(tint * 0.35, hour.sky[0], 0.3), 0.25 + 0.7 * depth)
    light = (
        1
        - 0.92 * shadow
        - 0.25 * np.clip(below / 0.4, 0, 1)
        + 0.05 * ripples
        + 0.06 * (canvas.noise(40, 3) - 0.5)
    )
    canvas.paint(dim + (lit - dim) * np.clip(light, 0, 1.1)[..., None], canvas.below(curve))
    canvas.light(
        hour.sun,
        np.exp(-(((canvas.y - curve[None, :]) / 0.004) ** 2))
        * (1 - shadow)
        * 0.25
        * canvas.below(curve),
    )
    return curve


def _caravan(canvas: Canvas, sky: Sky, curve: Plane, size: float) -> None:
    stencil, heading = canvas.stencil(), canvas.side()
    x = canvas.wide * canvas.between(0.15, 0.6)
    for _ in range(int(canvas.rng.integers(3, 8))):
        _camel(stencil, x, float(curve[canvas.column(x)]) + size * 0.06, size, heading)
        x += size * canvas.between(1.5, 2.1)
    canvas.paint(sky.hour.shadow, stencil.mask() * 0.95)


def _camel(stencil: Stencil, x: float, foot: float, size: float, heading: int) -> None:
    def at(u: float, v: float) -> tuple[float, float]:
        return x + heading * u * size, foot - v * size

    stencil.polygon(
        [
            at(-0.5, 0.62),
            at(-0.4, 0.8),
            at(-0.18, 0.86),
            at(-0.02, 1.12),
            at(0.16, 0.88),
            at(0.36, 0.78),
            at(0.5, 0.74),
            at(0.62, 0.9),
            at(0.66, 1.16),
            at(0.74, 1.26),
            at(0.94, 1.2),
            at(0.95, 1.12),
            at(0.8, 1.08),
            at(0.76, 0.84),
            at(0.62, 0.6),
            at(0.4, 0.5),
            at(-0.36, 0.52),
        ]
    )
    for leg in (-0.42, -0.3, 0.28, 0.42):
        stencil.line([at(leg, 0.6), at(leg + 0.03, 0.3), at(leg - 0.02, 0.0)], size * 0.075)
    stencil.ellipse(*at(0.0, 1.3), size * 0.1, size * 0.24)
    stencil.ellipse(*at(0.03, 1.6), size * 0.085)


def _rocks(canvas: Canvas, sky: Sky, stone: Plane, horizon: float) -> None:
    """Stand table mountains on a plain, in bands of stone."""
    hour = sky.hour
    for number in range(int(canvas.rng.integers(2, 5))):
        depth = 0.25 + 0.2 * number
        foot = horizon + 0.03 + 0.05 * number
        middle, half = canvas.between(-0.05, 1.05) * canvas.wide, canvas.between(0.06, 0.34)
        tall = canvas.between(0.1, 0.4) * (0.7 + 0.4 * number)
        away = np.abs(canvas.x[0] - middle + 0.02 * (canvas.ridge(0, 1, 14, 0.6))) / half
        cap = np.where(
            away < 0.62, 1.0, np.where(away < 0.7, 0.62, np.clip(1.35 - away, 0, 1) * 0.8)
        ) * np.clip((1.5 - away) * 3, 0, 1)
        curve = (foot - tall * cap + canvas.ridge(0, 0.008, 16, 0.6)).astype(np.float32)
        strata = np.interp(
            (canvas.y - curve.min()) + 0.012 * canvas.noise(4, 3),
            np.linspace(0, 0.5, 40),
            canvas.rng.random(40),
        )
        gullies = canvas.noise(16, 4, 0.6, stretch=0.15)
        facing = np.clip(0.5 + (canvas.x - middle) / (2.2 * half) * sky.lit_from, 0, 1)
        body = (
            stone
            * (0.3 + 0.7 * hour.sun)
            * (0.3 + 0.3 * strata + 0.25 * gullies + 0.45 * facing)[..., None]
        )
        canvas.paint(
            hour.haze + (body - hour.haze) * np.float32(0.35 + 0.6 * depth), canvas.below(curve)
        )
    ground = canvas.receding(horizon, 4, 2.5)
    near = np.clip((canvas.y - horizon) / (canvas.tall - horizon), 0, 1)
    soil = stone * (0.3 + 0.7 * hour.sun) * (0.35 + 0.5 * ground)[..., None]
    soil = hour.haze + (soil - hour.haze) * (0.55 + 0.45 * near)[..., None]
    plain = canvas.ridge(
        horizon + canvas.between(0.1, 0.2) * (canvas.tall - horizon) + 0.04, 0.015, 3
    )
    canvas.paint(soil, canvas.below(plain))
    stencil = canvas.stencil()
    for _ in range(int(canvas.rng.integers(1, 6))):
        near_share = canvas.between(0.2, 1)
        x, foot = (
            canvas.wide * canvas.between(0.03, 0.97),
            horizon + 0.08 + (canvas.tall - horizon - 0.08) * near_share,
        )
        _cactus(canvas, stencil, x, foot, 0.06 + 0.26 * near_share**1.5)
    canvas.paint(mix(hour.shadow, stone * 0.3, 0.3), stencil.mask())


def _cactus(canvas: Canvas, stencil: Stencil, x: float, foot: float, tall: float) -> None:
    thick = tall * 0.13
    stencil.line([(x, foot), (x, foot - tall)], thick)
    stencil.ellipse(x, foot - tall, thick / 2)
    for side in (-1, 1):
        low, reach, up = (
            canvas.between(0.3, 0.6),
            canvas.between(0.18, 0.28),
            canvas.between(0.15, 0.35),
        )
        elbow = (x + side * reach * tall, foot - low * tall)
        stencil.line([(x, foot - low * tall), elbow], thick * 0.75)
        stencil.line([elbow, (elbow[0], elbow[1] - up * tall)], thick * 0.7)
        for point in (elbow, (elbow[0], elbow[1] - up * tall)):
            stencil.ellipse(*point, thick * 0.36)


FAMILY = Family(
    "desert",
    Vocabulary(
        "desert* dune* sahara camel* caravan* oasis sand sands sandstorm* nomad* bedouin "
        "arab* arabia* cactus* canyon* mesa* drought* cowboy* gobi outback",
        "heat hot dry thirst* sun silk trade* empty survival ancient water merchant* "
        "gold* rock* endless wind*",
    ),
    draw,
)
