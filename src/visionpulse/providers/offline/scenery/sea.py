"""The surface of the sea: light on water, and a sail, a lighthouse or rocks against the sky."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import Canvas, Stencil, mix
from visionpulse.providers.offline.scenery.sky import Sky, paint_sky, pick_hour

BIRDS = Vocabulary("bird* gull* seagull*")
"""What forbids birds in a sky."""

_SIGHTS = {
    "sail": Vocabulary(
        "sail* ship* boat* yacht* voyage* captain* sailor* navigat* vessel* pirate* "
        "merchant* trade journey fleet"
    ),
    "lighthouse": Vocabulary(
        "lighthouse* beacon* guide* hope* tower* keeper* harbor harbour port storm*"
    ),
    "stacks": Vocabulary("rock* cliff* stack* coast* shore* erosion stone* arch island* volcanic"),
    "beach": Vocabulary(
        "beach* sand* holiday* vacation* palm* tropical island* surf* tide* relax*"
    ),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw sky, water, and one sight."""
    hour = pick_hour(brief, canvas)
    horizon = canvas.tall * canvas.between(0.3, 0.75)
    sky = paint_sky(canvas, hour, horizon)
    sight = brief.choose(_SIGHTS)
    _far_coast(canvas, sky)
    paint_water(canvas, sky)
    side = canvas.side()
    if sight == "sail":
        _sails(canvas, sky)
    elif sight == "lighthouse":
        _lighthouse(canvas, sky, side)
    elif sight == "stacks":
        _stacks(canvas, sky, side)
    elif sight == "beach":
        _beach(canvas, sky, side)
    if brief.allows(BIRDS) and canvas.chance(0.6):
        _gulls(canvas, sky)


def paint_water(canvas: Canvas, sky: Sky) -> None:
    """Paint water from the horizon down: it mirrors the sky, and glitters under the sun."""
    hour, horizon = sky.hour, sky.horizon
    near = np.clip((canvas.y - horizon) / (canvas.tall - horizon), 0, 1)
    deep = mix(hour.sky[0], hour.shadow, 0.35)
    rough_sea = canvas.between(0.5, 1.2)
    waves = canvas.receding(horizon, canvas.between(1.2, 2.6), canvas.between(2.5, 5))
    ripples = canvas.receding(horizon, 7, 3.5, 3)
    crest = np.clip((waves - 0.5) * 1.5 * rough_sea + (ripples - 0.5) * 0.5 + 0.5, 0, 1)
    mirror = mix(hour.sky[-1], hour.sky[-2], 0.5)
    share = np.clip((1 - near) ** 1.6 * 0.75 + (crest - 0.5) * 0.55, 0, 1)[..., None]
    canvas.paint(deep + (mirror - deep) * share, (canvas.y > horizon) * np.ones_like(canvas.x))
    path = np.exp(-(((canvas.x - sky.sun_x * canvas.wide) / (0.035 + 0.28 * near)) ** 2))
    glitter = path * np.clip((crest - 0.42 - 0.12 * near) * 4, 0, 1) * (canvas.y > horizon)
    canvas.light(hour.sun, glitter * np.float32(0.9 if hour.disc else 0.3))


def _far_coast(canvas: Canvas, sky: Sky) -> None:
    """Let land rise from the horizon on one side."""
    if canvas.chance(0.35):
        return
    across = canvas.x[0] / canvas.wide
    side = across if canvas.chance(0.5) else 1 - across
    hill = np.clip(side - canvas.between(0.35, 0.75), 0, 1) ** 0.8 * canvas.between(0.1, 0.45)
    curve = (
        canvas.ridge(sky.horizon, 0.02, 3)
        + 0.022
        - hill * (0.8 + 0.4 * (canvas.ridge(0, 0.5, 4) + 0.5))
    )
    canvas.paint(sky.hour.at(canvas.between(0.3, 0.6)), canvas.below(curve.astype(np.float32)))


def _sails(canvas: Canvas, sky: Sky) -> None:
    x, heading = canvas.wide * canvas.between(0.15, 0.85), canvas.side()
    size = canvas.between(0.09, 0.3)
    for number in range(int(canvas.rng.integers(1, 4))):
        foot = sky.horizon + 0.012 + size * 0.22
        stencil, dim = canvas.stencil(), canvas.stencil()
        _sail(stencil, dim, x, foot, size, heading)
        reflection = np.exp(-(((canvas.x - x) / (size * 0.22)) ** 2)) * np.clip(
            1 - (canvas.y - foot) / (size * 0.9), 0, 1
        )
        canvas.shade(reflection * (canvas.y > foot) * canvas.receding(sky.horizon, 5, 4, 3) * 0.55)
        canvas.paint(mix(sky.hour.shadow, sky.hour.haze, 0.1 + 0.2 * number), stencil.mask())
        canvas.paint(mix(sky.hour.sun, sky.hour.shadow, 0.25 + 0.15 * number), dim.mask() * 0.92)
        x = (x + canvas.wide * canvas.between(0.25, 0.6)) % canvas.wide
        size *= canvas.between(0.25, 0.5)


def _sail(hull: Stencil, cloth: Stencil, x: float, foot: float, size: float, heading: int) -> None:
    def at(u: float, v: float) -> tuple[float, float]:
        return x + heading * u * size, foot + v * size

    hull.polygon([at(-0.42, -0.06), at(0.46, -0.08), at(0.34, 0.03), at(-0.34, 0.04)])
    hull.line([at(0.02, -0.05), at(0.0, -1.05)], size * 0.018)
    bulge = np.linspace(0, 1, 12)
    main = [at(-0.02 - 0.4 * b - 0.06 * np.sin(b * 3.1), -1.02 + 0.9 * b) for b in bulge]
    cloth.polygon([*main, at(-0.02, -0.13)])
    jib = [at(0.04 + 0.38 * b + 0.05 * np.sin(b * 3.1), -0.95 + 0.82 * b) for b in bulge]
    cloth.polygon([*jib, at(0.05, -0.16)])


def _lighthouse(canvas: Canvas, sky: Sky, side: int) -> None:
    """Stand a lighthouse on a headland; at dim hours its lamp burns."""
    across = canvas.x[0] / canvas.wide if side > 0 else 1 - canvas.x[0] / canvas.wide
    reach = canvas.between(0.3, 0.7)
    top = sky.horizon + canvas.between(-0.14, 0.1)
    rise = np.clip((across - (1 - reach)) / canvas.between(0.12, 0.35), 0, 1)
    rise = rise ** canvas.between(0.45, 1.1)
    curve = canvas.ridge(0, 0.05, 5, 0.6) + canvas.tall * 1.02 - (canvas.tall * 1.02 - top) * rise
    curve = (curve - 0.06 * across).astype(np.float32)
    place = 1 - reach + canvas.between(0.16, max(0.18, reach - 0.08))
    x = canvas.wide * (place if side > 0 else 1 - place)
    foot = float(curve[canvas.column(x)]) + 0.01
    tall = canvas.between(0.22, 0.42)
    tower, bands, lamp = canvas.stencil(), canvas.stencil(), canvas.stencil()
    wide = tall * 0.11
    tower.polygon(
        [
            (x - wide, foot),
            (x - wide * 0.6, foot - tall * 0.8),
            (x + wide * 0.6, foot - tall * 0.8),
            (x + wide, foot),
        ]
    )
    for low in (0.15, 0.45):
        half, upper = wide * (1 - 0.5 * low), wide * (1 - 0.5 * (low + 0.15))
        bands.polygon(
            [
                (x - half, foot - tall * low),
                (x - upper, foot - tall * (low + 0.15)),
                (x + upper, foot - tall * (low + 0.15)),
                (x + half, foot - tall * low),
            ]
        )
    bands.box(x - wide * 0.9, foot - tall * 0.82, x + wide * 0.9, foot - tall * 0.79)
    bands.polygon(
        [
            (x - wide * 0.6, foot - tall * 0.92),
            (x, foot - tall * 1.02),
            (x + wide * 0.6, foot - tall * 0.92),
        ]
    )
    lamp.box(x - wide * 0.42, foot - tall * 0.92, x + wide * 0.42, foot - tall * 0.82)
    sun_side = np.clip(
        0.5 + (canvas.x - x) / (2 * wide) * (1 if sky.sun_x * canvas.wide > x else -1), 0, 1
    )
    hour = sky.hour
    canvas.paint(
        mix(hour.shadow, hour.haze, 0.35) + (hour.sun * 0.75 * sun_side[..., None]) * 0.7,
        tower.mask(),
    )
    canvas.paint(mix(hour.shadow, hour.sky[2], 0.3), bands.mask())
    grass = mix(hour.shadow, hour.at(0.6), 0.35)
    canvas.paint(grass * (0.6 + 0.7 * canvas.noise(9, 5, 0.6)[..., None]), canvas.below(curve))
    canvas.paint(hour.sun, lamp.mask())
    lamp_y = foot - tall * 0.87
    if hour.stars:
        along = (canvas.x - x) * -side
        beam = np.exp(
            -(
                (
                    (canvas.y - lamp_y + along * canvas.between(-0.15, 0.15))
                    / (0.008 + np.abs(along) * 0.09)
                )
                ** 2
            )
        )
        canvas.light(
            hour.sun,
            beam
            * np.exp(-np.abs(along) / 0.7)
            * np.where(along > 0, 0.55, 0.25).astype(np.float32),
        )
    canvas.glow(x, lamp_y, 0.05, hour.sun, 0.7)


def _stacks(canvas: Canvas, sky: Sky, side: int) -> None:
    """Stand rocks in the water, with foam at their feet."""
    hour = sky.hour
    for number in range(int(canvas.rng.integers(2, 6))):
        near = (number + 1) / 5
        foot = sky.horizon + 0.01 + (canvas.tall - sky.horizon) * 0.75 * near**1.5
        x = canvas.wide * (
            0.5
            + side * (canvas.between(0.1, 0.5) if number % 2 == 0 else canvas.between(-0.5, 0.1))
        )
        half, tall = (
            canvas.between(0.03, 0.12) * (0.5 + 1.3 * near),
            canvas.between(0.08, 0.3) * (0.6 + near),
        )
        profile = np.clip(1 - np.abs((canvas.x[0] - x) / half) ** canvas.between(1.8, 4), 0, 1)
        curve = foot - tall * profile * (0.75 + 0.35 * (canvas.ridge(0, 0.5, 9, 0.6) + 0.5))
        inside = canvas.below(curve.astype(np.float32)) * (canvas.y < foot) * (profile[None, :] > 0)
        stone = canvas.noise(12, 5, 0.6, stretch=0.6)
        facing = np.clip(0.5 + (canvas.x - x) / (2 * half) * sky.lit_from, 0, 1)
        body = mix(hour.haze, hour.shadow, 0.45 + 0.55 * near) * (0.65 + 0.6 * stone[..., None])
        canvas.paint(body + hour.sun * (0.3 * facing * stone)[..., None], inside.astype(np.float32))
        foam = np.exp(-(((canvas.y - foot) / (0.006 + 0.01 * near)) ** 2)) * np.exp(
            -(((canvas.x - x) / (half * 1.25)) ** 6)
        )
        canvas.light(mix(hour.haze, hour.sun, 0.5), foam * canvas.noise(20, 3) * 0.7)


def _beach(canvas: Canvas, sky: Sky, side: int) -> None:
    """Lay a shore in front, with the last wave on it and perhaps a palm."""
    across = canvas.x[0] / canvas.wide if side > 0 else 1 - canvas.x[0] / canvas.wide
    line = (
        canvas.tall * canvas.between(0.74, 0.95)
        - (canvas.tall - sky.horizon) * canvas.between(0.35, 0.75) * across**1.6
    )
    curve = (line + 0.05 * (canvas.ridge(0, 0.5, 1.2, 0.35))).astype(np.float32)
    curve = np.maximum(curve, np.float32(sky.horizon + 0.015))
    hour = sky.hour
    foam = canvas.below(curve - 0.02, 0.01) * (0.6 + 0.5 * canvas.noise(16, 4, stretch=2))
    canvas.light(mix(hour.sun, hour.haze, 0.3), np.clip(foam, 0, 1) * 0.75)
    wet = canvas.below(curve, 0.012)
    sand = mix(hour.at(0.35), np.array([0.86, 0.7, 0.5], np.float32) * (0.3 + 0.7 * hour.sun), 0.65)
    dry = np.clip((canvas.y - curve[None, :]) / 0.12, 0, 1)
    grain = 0.88 + 0.16 * canvas.noise(60, 4, 0.7, stretch=2)
    canvas.paint(sand * ((0.5 + 0.42 * dry) * grain)[..., None], wet)
    if canvas.chance(0.75):
        _palm(canvas, sky, side)


def _palm(canvas: Canvas, sky: Sky, side: int) -> None:
    stencil = canvas.stencil()
    for number in range(int(canvas.rng.integers(1, 4))):
        x = canvas.wide * (0.5 + side * (0.46 - 0.09 * number)) + canvas.between(-0.03, 0.03)
        tall, lean = (
            canvas.between(0.45, 0.8) * canvas.tall * (1 - 0.15 * number),
            -side * canvas.between(0.06, 0.3),
        )
        part = np.linspace(0, 1, 24)
        at_x, at_y = x + lean * part**1.7, canvas.tall * 1.01 - tall * part
        stencil.line(list(zip(at_x, at_y, strict=True)), 0.014)
        crown_x, crown_y = float(at_x[-1]), float(at_y[-1])
        for leaf in range(11):
            angle = leaf / 11 * 2 * np.pi + canvas.between(-0.2, 0.2)
            length, rib = canvas.between(0.13, 0.22), np.linspace(0, 1, 14)
            rib_x = crown_x + np.cos(angle) * length * rib
            rib_y = crown_y + np.sin(angle) * length * 0.55 * rib - 0.05 * rib + 0.16 * rib**2.2
            half = 0.022 * np.sin(np.pi * np.clip(rib * 0.9 + 0.08, 0, 1))
            stencil.polygon(
                [
                    *zip(rib_x, rib_y - half * 0.3, strict=True),
                    *zip(rib_x[::-1], (rib_y + half)[::-1], strict=True),
                ]
            )
    canvas.paint(sky.hour.shadow, stencil.mask())


def _gulls(canvas: Canvas, sky: Sky) -> None:
    stencil = canvas.stencil()
    x, y = canvas.wide * canvas.between(0.15, 0.85), sky.horizon * canvas.between(0.2, 0.75)
    for _ in range(int(canvas.rng.integers(3, 10))):
        add_bird(
            stencil,
            x + float(canvas.rng.normal(0, 0.12)),
            y + float(canvas.rng.normal(0, 0.05)),
            canvas.between(0.008, 0.022),
            canvas.between(0.2, 0.7),
        )
    canvas.paint(mix(sky.hour.shadow, sky.hour.haze, 0.2), stencil.mask() * 0.9)


def add_bird(stencil: Stencil, x: float, y: float, size: float, lift: float) -> None:
    """Add a bird on the wing, seen from afar."""
    for side in (-1, 1):
        stencil.polygon(
            [
                (x, y),
                (x + side * size * 0.9, y - size * lift),
                (x + side * size * 2, y - size * 0.1),
                (x + side * size * 0.95, y - size * lift * 0.5),
            ]
        )


FAMILY = Family(
    "sea",
    Vocabulary(
        "sea sail* ship* boat* coast* beach* shore* island* wave* harbor* harbour* "
        "lighthouse* voyage* tide* sailor* captain* surf* port "
        "bay maritime fisher* pirate* viking* sunset*",
        "ocean* water* horizon wind* vacation* holiday* storm* travel* summer calm "
        "adventure* discover* navigat* trade* breath* peace* freedom relax*",
    ),
    draw,
    roams=True,
)
