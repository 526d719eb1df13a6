"""Space: clouds of gas, spiral galaxies, and planets near and far."""

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
    rough,
)
from visionpulse.providers.offline.scenery.sky import scatter_stars

_GASES = (
    "#050714 #1a1446 #5b2a86 #e0559a #ffc28a",
    "#03070f #06283d #0e6e83 #5fd3bc #fff2c7",
    "#080510 #2b1055 #4f6fc0 #f6a6c1 #fff0e0",
    "#0a0505 #3a0f1e #8e2f2f #ee8a4a #ffe9b8",
    "#02060c #0a2036 #2b5f8f #9cc4e8 #ffffff",
    "#060809 #12302a #2f7a5a #b6cf6a #fff6d0",
)


def _gas(canvas: Canvas) -> Plane:
    return colours(_GASES[int(canvas.rng.integers(len(_GASES)))])


def draw_nebula(canvas: Canvas, brief: Brief) -> None:
    """Draw a cloud of gas or a galaxy before far stars."""
    gas = _gas(canvas)
    what = brief.choose(
        {
            "nebula": Vocabulary("nebula* gas dust birth* cloud* hydrogen supernova*"),
            "galaxy": Vocabulary("galaxy galaxies galactic spiral milky andromeda billion*"),
            "hole": Vocabulary("hole holes gravity singularity relativity einstein horizon"),
        }
    )
    canvas.paint(gas[0] * 0.7)
    if what == "galaxy":
        _galaxy(canvas, gas)
    elif what == "hole":
        _hole(canvas, gas)
    else:
        _cloud(canvas, gas, canvas.between(0.85, 1.15))
    scatter_stars(canvas, 2.2, 40)
    _bright_stars(canvas, gas)


def _cloud(canvas: Canvas, gas: Plane, strength: float) -> None:
    warp, second = canvas.noise(1.6, 7, 0.55), canvas.noise(2.4, 6, 0.55)
    curled = _curled(canvas, (second, warp), 0.55, 3.6, 7, 0.6)
    angle, across = canvas.between(0, np.pi), canvas.between(0.16, 0.42)
    x, y = canvas.wide * canvas.between(0.15, 0.85), canvas.tall * canvas.between(0.15, 0.85)
    off = (
        (canvas.x - x) * np.float32(np.sin(angle))
        + (canvas.y - y) * np.float32(np.cos(angle))
        + (warp - 0.5) * 0.45
    )
    band = np.exp(-((off / across) ** 2))
    heart = np.exp(-((canvas.distance(x, y) / canvas.between(0.35, 0.8)) ** 2))
    density = np.clip(
        (curled * 1.1 * band * (0.35 + 0.75 * heart) + 0.16 * second * band) * strength, 0, 1
    )
    canvas.paint(ramp(density, gas))
    dust = np.clip((canvas.noise(4, 7, 0.6) - 0.52) * 3, 0, 1) * band
    canvas.shade(dust * 0.72)
    canvas.glow(x, y, canvas.between(0.05, 0.14), gas[4], 0.55)


def _curled(
    canvas: Canvas,
    bend: tuple[Plane, Plane],
    reach: float,
    cells: float,
    octaves: int,
    gain: float,
    turn: float = 0,
) -> Plane:
    """Return noise that is bent across and down by up to half of `reach`, and lies aslant.

    It is made larger than the canvas, so that what is bent never runs into its edge: clipped
    there, it would be drawn out into straight bars.
    """
    half = np.float32(canvas.wide / 2), np.float32(canvas.tall / 2)
    x = canvas.x - half[0] + (bend[0] - 0.5) * np.float32(reach)
    y = canvas.y - half[1] + (bend[1] - 0.5) * np.float32(reach)
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    wide = canvas.wide * abs(cos) + canvas.tall * abs(sin) + 1.5 * reach
    tall = canvas.wide * abs(sin) + canvas.tall * abs(cos) + 1.5 * reach
    size = (round(wide * canvas.short), round(tall * canvas.short))
    texture = rough(canvas.rng, size, (cells * wide, cells * tall), octaves, gain)
    columns = ((x * cos - y * sin + wide / 2) * canvas.short).astype(np.int32)
    rows = ((x * sin + y * cos + tall / 2) * canvas.short).astype(np.int32)
    return texture[rows.clip(0, size[1] - 1), columns.clip(0, size[0] - 1)]


def _galaxy(canvas: Canvas, gas: Plane) -> None:
    _cloud(canvas, gas * np.float32(canvas.between(0.2, 0.5)), canvas.between(0.5, 0.9))
    x, y = canvas.wide * canvas.between(0.2, 0.8), canvas.tall * canvas.between(0.2, 0.8)
    turn, flat = canvas.between(0, np.pi), canvas.between(1.1, 3.2)
    dx, dy = canvas.x - x, canvas.y - y
    u = dx * np.float32(np.cos(turn)) + dy * np.float32(np.sin(turn))
    v = (dy * np.float32(np.cos(turn)) - dx * np.float32(np.sin(turn))) * np.float32(flat)
    away, angle = np.hypot(u, v), np.arctan2(v, u)
    size = canvas.between(0.3, 0.75)
    arms = int(canvas.rng.integers(2, 4))
    wound = canvas.side() * canvas.between(2.2, 4.2)
    texture = canvas.noise(6, 6, 0.6)
    swirl = 0.5 + 0.5 * np.cos(arms * (angle + wound * np.log(away + 0.03)) + (texture - 0.5) * 3)
    disc = np.exp(-away / size * 1.6)
    density = disc * (0.3 + 0.9 * swirl**1.6) * (0.45 + 0.75 * texture)
    canvas.paint(ramp(np.clip(density * 1.25, 0, 1), gas), np.clip(density * 4, 0, 1))
    dust = (
        np.clip(np.cos(arms * (angle + wound * np.log(away + 0.03)) + 2.2) - 0.3, 0, 1)
        * disc
        * texture
    )
    canvas.shade(dust * 1.1)
    core = np.exp(-((away / (size * 0.2)) ** 1.3))
    canvas.light(mix(gas[4], colour("#fff4d8"), 0.6), core.astype(np.float32))
    canvas.light(gas[3], blurred(core.astype(np.float32), canvas.short * 0.06) * 0.7)


def _hole(canvas: Canvas, gas: Plane) -> None:
    """Draw a black hole: its shadow, the ring of light around it and the disc seen edge on."""
    _cloud(canvas, gas * np.float32(0.6), canvas.between(0.6, 1))
    x, y = canvas.wide * canvas.between(0.25, 0.75), canvas.tall * canvas.between(0.3, 0.7)
    size, turn = canvas.between(0.09, 0.17), canvas.between(-0.5, 0.5)
    dx, dy = canvas.x - x, canvas.y - y
    u = (dx * np.float32(np.cos(turn)) + dy * np.float32(np.sin(turn))) / np.float32(size)
    v = (dy * np.float32(np.cos(turn)) - dx * np.float32(np.sin(turn))) / np.float32(size)
    away = np.hypot(u, v)
    canvas.shade((away < 1.1) * 1.0)
    ring = (
        np.exp(-np.abs(away - 1.28) / 0.09) * (away > 1.08)
        + np.exp(-np.clip(away - 1.28, 0, 9) / 0.5) * (away > 1.25) * 0.35
    )
    flat = np.hypot(u, v * 6.5)
    streaks = np.interp(flat, np.linspace(0.9, 4.2, 50), canvas.rng.random(50))
    disc = (
        np.exp(-(((flat - 1.9) / 0.9) ** 2))
        * (flat > 1.1)
        * (0.45 + 0.8 * streaks)
        * ((v > 0) | (away > 1.1))
    )
    beam = 1 + 0.55 * np.tanh(u * canvas.side())
    fire = np.clip((ring + disc) * beam, 0, 1.6).astype(np.float32)
    hot = ramp(np.clip(fire * 0.8, 0, 1), colours("#000000 #7a2408 #f08a2a #ffd98a #ffffff"))
    canvas.pixels += (1 - canvas.pixels) * np.clip(hot * np.clip(fire, 0, 1)[..., None], 0, 1)
    canvas.light(colour("#ff9a3c"), blurred(np.clip(fire, 0, 1), canvas.short * 0.05) * 0.5)


def _bright_stars(canvas: Canvas, gas: Plane) -> None:
    light = np.zeros((canvas.height, canvas.width), np.float32)
    for _ in range(int(canvas.rng.integers(4, 14))):
        dx = np.abs(canvas.x - canvas.between(0, canvas.wide)) * 1024
        dy = np.abs(canvas.y - canvas.between(0, canvas.tall)) * 1024
        size = canvas.between(0.4, 1.3)
        light += np.exp(-np.hypot(dx, dy) / (6 * size)) * 0.9
        light += (np.exp(-dx / (22 * size) - dy**2) + np.exp(-dy / (22 * size) - dx**2)) * 0.6
    canvas.light(mix(gas[4], colour("#ffffff"), 0.7), np.clip(light, 0, 1))


_WORLDS = {
    "ringed": Vocabulary("ring* saturn jupiter uranus giant*"),
    "orbit": Vocabulary(
        "orbit* satellite* earth globe world* astronaut* atmosphere* station* climate continent*"
    ),
    "desert": Vocabulary("moon* mars lunar crater* rover* land* surface* colony"),
}


def draw_planet(canvas: Canvas, brief: Brief) -> None:
    """Draw a world: whole with rings, its limb from orbit, or the sky from its ground."""
    gas = _gas(canvas)
    canvas.paint(gas[0] * 0.6)
    kind = brief.choose(_WORLDS)
    _cloud(canvas, gas * np.float32(canvas.between(0.3, 0.7)), canvas.between(0.3, 0.8))
    scatter_stars(canvas, 1.6, 40)
    if kind == "orbit":
        _limb(canvas, gas)
    elif kind == "desert":
        _ground(canvas, gas)
    else:
        x, y = canvas.wide * canvas.between(0.22, 0.78), canvas.tall * canvas.between(0.25, 0.75)
        _world(canvas, gas, (x, y), canvas.between(0.16, 0.36), rings=canvas.chance(0.75))
        if canvas.chance(0.7):
            x, y = (
                canvas.wide - x + canvas.between(-0.1, 0.1),
                canvas.tall - y + canvas.between(-0.1, 0.1),
            )
            _world(canvas, _gas(canvas), (x, y), canvas.between(0.03, 0.08), rings=False)


def _world(
    canvas: Canvas, gas: Plane, at: tuple[float, float], radius: float, *, rings: bool
) -> None:
    u, v = (canvas.x - at[0]) / np.float32(radius), (canvas.y - at[1]) / np.float32(radius)
    away = np.hypot(u, v)
    bulge = np.sqrt(np.clip(1 - away**2, 0, 1))
    light_angle = canvas.between(0, 2 * np.pi)
    light = (np.cos(light_angle) * 0.8, np.sin(light_angle) * 0.8, 0.6)
    lit = np.clip(u * light[0] + v * light[1] + bulge * light[2], 0, 1).astype(np.float32)
    tilt = canvas.between(-0.7, 0.7)
    storms = canvas.noise(4 / max(radius, 0.1) * 0.3, 5)
    latitude = v * np.float32(np.cos(tilt)) + u * np.float32(np.sin(tilt)) + (storms - 0.5) * 0.22
    belts = np.interp(latitude, np.linspace(-1.3, 1.3, 22), canvas.rng.random(22)).astype(
        np.float32
    )
    skin = ramp(
        np.clip(belts * 0.8 + storms * 0.25, 0, 1), np.stack([gas[2] * 0.8, gas[3], gas[4]])
    )
    cos, sin = np.float32(np.cos(tilt * 0.8)), np.float32(np.sin(tilt * 0.8))
    ring_u, ring_v = u * cos + v * sin, (v * cos - u * sin) / np.float32(canvas.between(0.18, 0.4))
    out = np.hypot(ring_u, ring_v)
    grooves = np.interp(out, np.linspace(1.3, 2.4, 60), canvas.rng.random(60)).astype(np.float32)
    ring = (
        np.clip((out - 1.35) / 0.03, 0, 1)
        * np.clip((2.35 - out) / 0.05, 0, 1)
        * np.clip(grooves * 1.2, 0.1, 1)
    )
    shadowed = (u * light[0] + v * light[1] < 0) & (np.abs(u * light[1] - v * light[0]) < 0.8)
    ring = (ring * np.where(shadowed, 0.2, 0.85) * rings).astype(np.float32)
    canvas.paint(gas[4] * 0.85, ring * (ring_v < 0))
    canvas.paint(
        skin * (lit[..., None] * 1.15 + 0.012),
        np.clip((1 - away) * radius * canvas.short + 0.5, 0, 1),
    )
    rim = (
        np.exp(-np.clip(away - 1, 0, 9) / 0.07)
        * (away > 1)
        * np.clip(u * light[0] + v * light[1] + 0.3, 0, 1)
    )
    canvas.light(gas[3], rim.astype(np.float32) * 0.55)
    canvas.paint(gas[4] * 0.85, ring * (ring_v >= 0))


def _limb(canvas: Canvas, gas: Plane) -> None:
    """Draw the edge of a world from orbit, with seas, land, clouds, and the sun behind it."""
    radius = canvas.between(0.9, 2.4)
    angle = canvas.between(-0.9, 0.9) + (np.pi if canvas.chance(0.25) else 0)
    depth = canvas.between(0.25, 0.65)
    middle_x, middle_y = canvas.wide / 2, canvas.tall / 2
    x = middle_x + np.sin(angle) * (radius + 0.5 - depth)
    y = middle_y + np.cos(angle) * (radius + 0.5 - depth)
    away = canvas.distance(x, y) / np.float32(radius)
    # Bent and aslant: the lumps of plain noise stand in rows and columns, and where a continent or
    # a bank of cloud ends between two of them its edge is a plumb line.
    drift, whirl = ((canvas.noise(2, 2), canvas.noise(2, 2)) for _ in range(2))
    land = _curled(canvas, drift, 0.2, 2.5, 7, 0.58, canvas.between(0.4, 1.2))
    cloud = _curled(canvas, whirl, 0.35, 3.5, 7, 0.6, canvas.between(-1.2, -0.4))
    sea, soil = colours("#041a3a #0b3a6e"), colours("#24401f #6b6a3c #8d7a55")
    surface = mix(sea[0], sea[1], 0.5) * (0.7 + 0.6 * canvas.noise(2, 3))[..., None]
    surface = surface + (ramp(land, soil) - surface) * np.clip((land - 0.52) * 25, 0, 1)[..., None]
    surface = surface + (1 - surface) * (np.clip((cloud - 0.5) * 3, 0, 1) * 0.85)[..., None]
    sun_angle = canvas.between(-1.0, 1.0)
    edge_x, edge_y = (
        x - np.sin(angle + sun_angle * 0.5) * radius,
        y - np.cos(angle + sun_angle * 0.5) * radius,
    )
    day = np.exp(-((canvas.distance(edge_x, edge_y) / canvas.between(0.45, 1.0)) ** 2))
    lights = (canvas.noise(45, 3) > 0.82) * (land > 0.54) * np.clip(0.5 - day, 0, 1)
    inside = np.clip((1 - away) * radius * canvas.short + 0.5, 0, 1)
    canvas.paint(surface * (0.05 + 1.1 * day)[..., None], inside)
    canvas.light(colour("#ffc46b"), (lights * inside * 1.3).astype(np.float32))
    air = np.exp(-np.abs(away - 1) * radius / np.where(away > 1, 0.03, 0.07)) * (0.25 + 0.75 * day)
    canvas.light(mix(colour("#58a8ff"), gas[3], 0.25), air.astype(np.float32))
    canvas.glow(edge_x, edge_y, 0.06, colour("#fff6e0"), 1)
    canvas.glow(edge_x, edge_y, 0.25, colour("#8cc4ff"), 0.5)


def _ground(canvas: Canvas, gas: Plane) -> None:
    """Draw a bare world's ground, ridges far off, another world in its sky."""
    horizon = canvas.tall * canvas.between(0.5, 0.8)
    across = canvas.between(0.15, 0.85)
    _world(
        canvas,
        _gas(canvas),
        (canvas.wide * across, horizon * canvas.between(0.3, 0.9)),
        canvas.between(0.1, 0.34),
        rings=canvas.chance(0.4),
    )
    soil = mix(gas[2], colour("#b08a6a"), 0.5)
    for part in (0.25, 0.6):
        curve = canvas.ridge(horizon + part * 0.06, 0.08 * (1.3 - part), 2 + 2 * part, 0.55)
        canvas.paint(
            mix(gas[1], soil * 0.5, part) * (0.7 + 0.5 * canvas.noise(8, 5)[..., None]),
            canvas.below(curve),
        )
    floor = canvas.receding(horizon, 1.5, 1.2)
    shift = floor - blurred(floor, canvas.short * 0.01)
    near = np.clip((canvas.y - horizon) / (canvas.tall - horizon), 0, 1)
    body = soil * np.clip(0.35 + 0.35 * (1 - near) + shift * 2.2, 0.03, 1)[..., None]
    canvas.paint(body, canvas.below(canvas.ridge(horizon + 0.06, 0.01, 3)))


NEBULA = Family(
    "nebula",
    Vocabulary(
        "space universe cosmos cosmic galaxy galaxies nebula* star stars stellar "
        "astronom* telescope* big bang supernova* "
        "constellation* blackhole interstellar",
        "black hole holes light dark infinite* billion* energy time beyond wonder* "
        "dream* imagin* mystery mysteries quantum physics gravity",
    ),
    draw_nebula,
    roams=True,
)
PLANET = Family(
    "planet",
    Vocabulary(
        "planet* earth mars moon lunar jupiter saturn venus orbit* satellite* astronaut* "
        "rocket* spacecraft nasa comet* asteroid* solar globe",
        "world* space future* explor* mission* launch* humanity global atmosphere "
        "climate alien* crater*",
    ),
    draw_planet,
)
