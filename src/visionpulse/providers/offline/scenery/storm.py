"""Bad weather: towering clouds, lightning, rain over land or sea, a tornado."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import (
    Canvas,
    Plane,
    Stencil,
    blurred,
    colour,
    colours,
    mix,
    moved,
    ramp,
)
from visionpulse.providers.offline.scenery.sea import paint_water
from visionpulse.providers.offline.scenery.sky import Hour, Sky

_SKIES = (
    # Shadow of the clouds, their body, their lit edges, the gap of light at the horizon.
    "#10151f #303b4c #7d8b9a #d6d9c8",
    "#120d22 #35294d #7e6a94 #f0b48a",
    "#0a1a1e #24444a #6d9490 #dfe6b4",
    "#1a1012 #4a2f30 #96705c #f6c26e",
    "#0b1026 #22315e #5f79ad #c4d4ea",
)
_KINDS = {
    "lightning": Vocabulary("lightning thunder* electric* zeus thor power* energy shock* strike*"),
    "rain": Vocabulary("rain* flood* monsoon drop* wet umbrella* weather sad* grief* tear*"),
    "tornado": Vocabulary("tornado* twister* cyclone* whirl* spiral vortex"),
    "swell": Vocabulary("hurricane* sea wave* ocean* typhoon* tsunami* ship* sailor*"),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Heap the clouds, then let them break."""
    tones = colours(_SKIES[int(canvas.rng.integers(len(_SKIES)))])
    horizon = canvas.tall * canvas.between(0.55, 0.9)
    kind = brief.choose(_KINDS)
    gap_x = canvas.wide * canvas.between(0.0, 1.0)
    _clouds(canvas, tones, horizon, gap_x)
    hour = Hour(
        np.stack([tones[0], tones[1], tones[2], tones[2], tones[3]]),
        tones[3],
        tones[0] * 0.5,
        disc=False,
    )
    sky = Sky(hour, horizon, gap_x / canvas.wide, horizon)
    if kind == "swell":
        paint_water(canvas, sky)
        _swell(canvas, sky)
    else:
        _plain(canvas, sky)
    if kind == "tornado":
        _tornado(canvas, tones, horizon)
    if kind == "lightning" or (
        kind != "rain" and brief.allows(_KINDS["lightning"]) and canvas.chance(0.4)
    ):
        for _ in range(int(canvas.rng.integers(1, 4))):
            _bolt(canvas, horizon)
    if kind == "rain" or (brief.allows(_KINDS["rain"]) and canvas.chance(0.35)):
        _rain(canvas, tones)


def _clouds(canvas: Canvas, tones: Plane, horizon: float, gap_x: float) -> None:
    depth = np.clip(canvas.y / horizon, 0, 1)
    canvas.paint(ramp(depth ** canvas.between(1.2, 2.6), tones))
    canvas.light(
        tones[3],
        np.exp(-((canvas.x - gap_x) ** 2) / 0.25)
        * np.exp(-(((horizon - canvas.y) / 0.22) ** 2))
        * 0.6,
    )
    for part in range(3):
        heap = canvas.noise(1.4 + part * 0.8, 7, 0.56, stretch=1.3 + 0.5 * part)
        mass = canvas.noise(0.8, 2)
        reach = horizon * canvas.between(0.5, 0.95) * (1 - 0.18 * part)
        thick = np.clip(
            (heap * 0.8 + mass * 0.7 - 0.55 - 0.5 * (canvas.y / reach) ** 2) * 4.5, 0, 1
        )
        soft = blurred(thick * heap, canvas.short * 0.012)
        step = int(canvas.short * 0.035)
        facing = np.clip(
            0.42
            + (soft - moved(soft, -step, int(np.sign(canvas.wide / 2 - gap_x)) * step)) * 2.2
            + (heap - 0.6) * 0.5,
            0,
            1,
        )
        near_gap = np.exp(-((canvas.distance(gap_x, horizon) / 0.7) ** 2)) * 0.3
        body = ramp(
            np.clip(facing * 0.75 + near_gap * facing, 0, 1),
            np.stack([tones[0], tones[1], tones[2], mix(tones[2], tones[3], 0.7)]),
        )
        canvas.paint(body, thick * 0.92)


def _plain(canvas: Canvas, sky: Sky) -> None:
    hour = sky.hour
    for part in (0.2, 0.55, 1.0):
        curve = canvas.ridge(
            sky.horizon + part**2 * 0.6 * (canvas.tall - sky.horizon),
            0.05 * (1.2 - part) + 0.01,
            2,
            0.45,
        )
        grass = canvas.noise(30, 4, 0.7, stretch=3)
        tone = mix(mix(hour.sky[1], hour.sky[2], 0.3), hour.shadow, 0.25 + 0.7 * part)
        near_gap = np.exp(-(((canvas.x - sky.sun_x * canvas.wide) / 0.35) ** 2)) * (1 - part) * 0.5
        canvas.paint(
            tone * (0.75 + 0.5 * grass)[..., None] + hour.sun * (near_gap * 0.5)[..., None],
            canvas.below(curve),
        )


def _swell(canvas: Canvas, sky: Sky) -> None:
    """Raise the sea in ridges towards the eye."""
    hour = sky.hour
    for number in range(4):
        part = (number + 1) / 4
        base = sky.horizon + (canvas.tall * 1.05 - sky.horizon) * part**1.3
        height, phase = 0.05 + 0.1 * part, canvas.between(0, 6.3)
        wave = (
            np.abs(np.sin(canvas.x[0] * canvas.between(1.5, 3.5) / (0.4 + 0.6 * part) + phase))
            ** 0.8
        )
        curve = (base - height * (1 - wave) - 0.02 * canvas.ridge(0, 1, 6, 0.6)).astype(np.float32)
        below = canvas.y - curve[None, :]
        foam = canvas.noise(14, 5, 0.7, stretch=2)
        streak = (
            np.clip((foam - 0.58) * 3, 0, 1) * np.exp(-np.clip(below, 0, 9) / 0.12)
            + np.exp(-np.clip(below, 0, 9) / 0.012) * foam * 1.3
        )
        water = (
            mix(mix(hour.sky[2], hour.sky[1], 0.5), hour.shadow, 0.25 + 0.5 * part)
            * (0.65 + 0.6 * np.exp(-np.clip(below, 0, 9) / 0.07))[..., None]
        )
        canvas.paint(
            water + (mix(hour.sky[3], hour.sun, 0.5) - water) * np.clip(streak, 0, 1)[..., None],
            canvas.below(curve, 0.004),
        )


def _bolt(canvas: Canvas, horizon: float) -> None:
    stencil = canvas.stencil()
    x, top = canvas.wide * canvas.between(0.06, 0.94), horizon * canvas.between(-0.05, 0.35)
    foot = (x + canvas.between(-0.3, 0.3), horizon + canvas.between(-0.02, 0.06))
    points = _jagged(canvas, (x, top), foot, 0.11)
    _strike(canvas, stencil, points, canvas.between(0.004, 0.008), 3)
    bolt = stencil.mask()
    violet = colour(("#c9d4ff", "#e6ccff", "#fff0c8")[int(canvas.rng.integers(3))])
    canvas.light(violet, blurred(bolt, canvas.short * 0.05) * 3.2)
    canvas.light(violet, blurred(bolt, canvas.short * 0.009) * 1.6)
    canvas.light(colour("#ffffff"), bolt)
    canvas.glow(x, top, canvas.between(0.15, 0.32), violet, 0.7)


def _jagged(
    canvas: Canvas, start: tuple[float, float], end: tuple[float, float], sway: float
) -> list[tuple[float, float]]:
    points = [start, end]
    for _ in range(6):
        finer = [points[0]]
        for (left_x, left_y), right in pairwise(points):
            finer += [
                (
                    (left_x + right[0]) / 2 + canvas.between(-sway, sway),
                    (left_y + right[1]) / 2 + canvas.between(-sway, sway) * 0.4,
                ),
                right,
            ]
        points, sway = finer, sway * 0.52
    return points


def _strike(
    canvas: Canvas, stencil: Stencil, points: list[tuple[float, float]], width: float, forks: int
) -> None:
    stencil.line(points, width)
    for _ in range(forks):
        at = int(canvas.rng.integers(8, 50))
        root = points[min(at, len(points) - 1)]
        end = (root[0] + canvas.between(-0.25, 0.25), root[1] + canvas.between(0.06, 0.24))
        _strike(canvas, stencil, _jagged(canvas, root, end, 0.05), width * 0.45, max(0, forks - 2))


def _rain(canvas: Canvas, tones: Plane) -> None:
    slant = canvas.between(-0.35, 0.35)
    for count, length, width, bright in ((700, 0.035, 0.0008, 0.35), (220, 0.08, 0.0014, 0.3)):
        stencil = canvas.stencil()
        for _ in range(count):
            x, y = canvas.between(-0.2, canvas.wide + 0.2), canvas.between(-0.1, canvas.tall)
            reach = length * canvas.between(0.6, 1.3)
            stencil.line([(x, y), (x + slant * reach, y + reach)], width)
        canvas.light(mix(tones[2], colour("#ffffff"), 0.5), stencil.mask() * np.float32(bright))


def _tornado(canvas: Canvas, tones: Plane, horizon: float) -> None:
    x, lean = canvas.wide * canvas.between(0.15, 0.85), canvas.between(-0.25, 0.25)
    up = np.clip((horizon + 0.03 - canvas.y) / (horizon * 0.85), 0, 1)
    middle = x + lean * up + 0.03 * np.sin(up * 9 + canvas.between(0, 6))
    half = 0.012 + canvas.between(0.12, 0.28) * up**2.2
    across = (canvas.x - middle) / half
    twist = canvas.noise(5, 5, 0.6, stretch=3)
    body = (
        np.clip((1.05 - np.abs(across) + (twist - 0.5) * 0.5) * 5, 0, 1)
        * (up > 0)
        * np.clip(1.2 - up, 0, 1)
    )
    tone = ramp(np.clip(0.5 + 0.35 * across * canvas.side() + 0.4 * (twist - 0.5), 0, 1), tones[:3])
    canvas.paint(tone, body.astype(np.float32) * 0.95)
    dust = np.exp(-((canvas.distance(x, horizon + 0.02, 2.2) / 0.14) ** 2)) * canvas.noise(7, 5)
    canvas.paint(mix(tones[1], tones[2], 0.5), dust)


FAMILY = Family(
    "storm",
    Vocabulary(
        "storm* thunder* lightning rain* hurricane* tornado* cyclone* flood* monsoon "
        "weather cloud* typhoon* tempest* disaster* tsunami*",
        "wind* danger* fear* power* rage* anger angry war wars battle* crisis crash* "
        "dark* chaos risk* fight* struggl* electric* wave* conflict* umbrella*",
    ),
    draw,
    roams=True,
)
