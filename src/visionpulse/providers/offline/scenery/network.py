"""Technology without a machine in sight: webs of light, circuit boards, streams of data."""

from __future__ import annotations

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
    ramp,
)

_GLOWS = (
    "#040814 #0a2342 #1380b8 #5ff0ff #f2ffff",
    "#0a0418 #2a1058 #8a3cf0 #ff7ae0 #fff0fb",
    "#03100c #06382e #12a070 #8affb8 #f6fff0",
    "#120806 #40180a #d0641a #ffc05a #fff6dc",
    "#060a18 #1a2a6a #4a6cff #b4a8ff #ffffff",
    "#100a14 #3a1030 #d03a6a #ff9a7a #fff2e2",
)
_KINDS = {
    "web": Vocabulary(
        "social connect* neural brain* neuron* intelligence ai mind* media web communit* "
        "learn* model*"
    ),
    "circuit": Vocabulary(
        "circuit* chip* processor* computer* hardware electr* semiconductor* quantum "
        "robot* machine* engineer* transistor*"
    ),
    "tunnel": Vocabulary(
        "data speed virtual digital cyber* cloud stream* code future* algorithm* "
        "information fiber time warp"
    ),
    "grid": Vocabulary(
        "grid* blockchain crypto* bitcoin security* hack* city software server* game* "
        "database* internet"
    ),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw one of four kinds of light in the dark."""
    glow = colours(_GLOWS[int(canvas.rng.integers(len(_GLOWS)))])
    x, y = canvas.wide * canvas.between(0.0, 1.0), canvas.tall * canvas.between(0.0, 1.0)
    far = canvas.distance(x, y) / np.float32(canvas.between(0.6, 1.2))
    canvas.paint(ramp(np.clip(0.36 - far * 0.32 + (canvas.noise(2, 4) - 0.5) * 0.16, 0, 1), glow))
    kind = brief.choose(_KINDS)
    if kind == "circuit":
        _circuit(canvas, glow)
    elif kind == "tunnel":
        _tunnel(canvas, glow)
    elif kind == "grid":
        _blocks(canvas, glow)
    else:
        _web(canvas, glow)


def _shine(canvas: Canvas, mask: Plane, tint: Plane, core: Plane, spread: float = 0.012) -> None:
    canvas.light(tint, blurred(mask, canvas.short * spread * 3) * 0.9)
    canvas.light(tint, blurred(mask, canvas.short * spread) * 0.9)
    canvas.light(core, mask)


def _web(canvas: Canvas, glow: Plane) -> None:
    """Hang nodes in space and join the near ones; what is near is bright and sharp."""
    rng = np.random.default_rng(canvas.rng.integers(2**63))
    count = int(rng.integers(90, 210))
    centres = rng.uniform(0.05, 0.95, (int(rng.integers(1, 4)), 2))
    spots = centres[rng.integers(0, len(centres), count)] + rng.normal(
        0, rng.uniform(0.16, 0.36), (count, 2)
    )
    points = spots * [canvas.wide, canvas.tall]
    depth = rng.random(count)
    gaps = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1)) + 0.35 * np.abs(
        depth[:, None] - depth[None, :]
    )
    for low, high, soft in ((0.0, 0.4, 0.004), (0.4, 0.75, 0.0015), (0.75, 1.01, 0.0)):
        lines, dots = canvas.stencil(), canvas.stencil()
        for node in np.flatnonzero((depth >= low) & (depth < high)):
            size = 0.002 + 0.009 * depth[node] ** 2 * rng.uniform(0.5, 1.6)
            dots.ellipse(points[node, 0], points[node, 1], size)
            for other in np.argsort(gaps[node])[1 : int(rng.integers(3, 6))]:
                lines.line(
                    [tuple(points[node]), tuple(points[other])],
                    0.0009 + 0.0016 * depth[node],
                    0.35 + 0.5 * depth[node],
                )
        web, nodes = lines.mask(), dots.mask()
        if soft:
            web, nodes = blurred(web, canvas.short * soft), blurred(nodes, canvas.short * soft)
        strength = np.float32(0.35 + 0.65 * (low + high) / 2)
        _shine(canvas, web * strength, glow[2], glow[3], 0.008)
        _shine(canvas, nodes * strength, glow[3], glow[4], 0.012)


def _circuit(canvas: Canvas, glow: Plane) -> None:
    """Lay tracks on a board around a chip, with current in some of them."""
    rng = np.random.default_rng(canvas.rng.integers(2**63))
    pitch = float(rng.uniform(0.018, 0.03))
    chip_x, chip_y = canvas.wide * rng.uniform(0.15, 0.85), canvas.tall * rng.uniform(0.15, 0.85)
    half = round(float(rng.uniform(0.09, 0.2)) / pitch) * pitch
    copper, current, pads = canvas.stencil(), canvas.stencil(), canvas.stencil()
    for side in range(4):
        out = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)][side], float)
        along = out[::-1].copy()
        for lane in np.arange(-half + pitch, half, pitch):
            point = np.array([chip_x, chip_y]) + out * half + along * lane
            path = [tuple(point)]
            for _ in range(int(rng.integers(2, 6))):
                reach = rng.integers(2, 12) * pitch
                turn = float(rng.choice([-1, 0, 0, 1])) if abs(lane) > pitch else 0.0
                bend = min(reach, rng.integers(1, 6) * pitch)
                point = point + out * reach
                path.append(tuple(point))
                point = point + (out + along * (turn if lane * turn >= 0 else -turn)) * bend
                path.append(tuple(point))
            copper.line(path, pitch * 0.22)
            pads.ellipse(float(point[0]), float(point[1]), pitch * 0.42)
            if rng.random() < 0.35:
                current.line(path, pitch * 0.16, float(rng.uniform(0.5, 1)))
    board = copper.mask()
    canvas.paint(mix(glow[1], glow[2], 0.55), board * 0.75)
    canvas.paint(mix(glow[2], glow[3], 0.4), pads.mask() * 0.85)
    for _ in range(int(rng.integers(6, 16))):
        x, y = (
            round(v / pitch) * pitch
            for v in (rng.uniform(0, canvas.wide), rng.uniform(0, canvas.tall))
        )
        if abs(x - chip_x) > half * 1.5 or abs(y - chip_y) > half * 1.5:
            _package(
                canvas,
                glow,
                (x, y),
                pitch * float(rng.integers(2, 5)),
                pitch * float(rng.integers(1, 4)),
                0.0,
            )
    _shine(canvas, current.mask(), glow[3], glow[4], 0.01)
    _package(canvas, glow, (chip_x, chip_y), half, half, 1.0)


def _package(
    canvas: Canvas, glow: Plane, at: tuple[float, float], half: float, tall: float, lit: float
) -> None:
    x, y = at
    canvas = canvas.window(x, y, max(half, tall) * 1.5 + 0.05)
    stencil, mark = canvas.stencil(), canvas.stencil()
    stencil.box(x - half, y - tall, x + half, y + tall)
    mask = stencil.mask()
    drop = blurred(mask, canvas.short * 0.02) * (1 - mask)
    canvas.shade(drop * 0.6)
    sheen = np.clip(0.5 + ((canvas.x - x) - (canvas.y - y)) / (4 * half), 0, 1)
    canvas.paint(mix(glow[0], colour("#1a1e26"), 0.6) + glow[2] * (0.22 * sheen)[..., None], mask)
    if lit:
        mark.box(x - half * 0.55, y - half * 0.55, x + half * 0.55, y + half * 0.55)
        canvas.paint(mix(glow[0], glow[1], 0.6), mark.mask())
        core = canvas.stencil()
        core.line(
            [
                (x - half * 0.55, y - half * 0.55),
                (x + half * 0.55, y - half * 0.55),
                (x + half * 0.55, y + half * 0.55),
                (x - half * 0.55, y + half * 0.55),
                (x - half * 0.55, y - half * 0.56),
            ],
            half * 0.03,
        )
        core.ellipse(x, y, half * 0.12)
        _shine(canvas, core.mask(), glow[3], glow[4], half * 0.12)


def _tunnel(canvas: Canvas, glow: Plane) -> None:
    """Fly towards a point: streaks, and rings of light that narrow to it."""
    x, y = canvas.wide * canvas.between(0.1, 0.9), canvas.tall * canvas.between(0.15, 0.85)
    flat, twist = canvas.between(0.7, 1.5), canvas.between(-2.5, 2.5)
    away = canvas.distance(x, y, flat) + np.float32(0.004)
    angle = np.arctan2((canvas.y - y) * flat, canvas.x - x) + np.float32(twist) * away
    lanes = int(canvas.rng.integers(60, 180))
    knots = canvas.rng.random(lanes)
    turn = (angle / (2 * np.pi)) % 1 * lanes
    lane = turn.astype(np.int32) % lanes
    lane_bright = (knots[lane] ** 3).astype(np.float32) * np.exp(-(((turn % 1 - 0.5) / 0.22) ** 2))
    dash = np.interp(
        (np.log(away) * 2.2 + knots[lane] * 37) % 8,
        np.linspace(0, 8, 40),
        canvas.rng.random(40) ** 2,
    )
    streak = np.clip(lane_bright * dash * np.clip(away * 3.5, 0, 1) * 1.9, 0, 1).astype(np.float32)
    _shine(canvas, streak, glow[2], mix(glow[3], glow[4], 0.3), 0.006)
    rings = np.exp(
        -(((((np.log(away) * canvas.between(1.2, 2.4)) % 1) - 0.5) / 0.03) ** 2)
    ) * np.clip(away * 2.5, 0, 1)
    sector = np.interp(angle, np.linspace(-3.2 - 4, 3.2 + 4, 24), canvas.rng.random(24))
    _shine(canvas, (rings * (sector > 0.45) * 0.8).astype(np.float32), glow[2], glow[3], 0.006)
    canvas.glow(x, y, 0.06, glow[4], 1)
    canvas.glow(x, y, 0.22, glow[2], 0.6)


def _blocks(canvas: Canvas, glow: Plane) -> None:
    """Stand lit blocks on a plane in isometric view, high around one place."""
    rng = np.random.default_rng(canvas.rng.integers(2**63))
    size = float(rng.uniform(0.045, 0.085))
    high_u, high_v, spread = rng.uniform(-6, 6), rng.uniform(-6, 6), rng.uniform(2, 6)
    reach = int(1.3 * (canvas.wide + canvas.tall) / size)
    base_x, base_y = canvas.wide / 2, canvas.tall * rng.uniform(0.35, 0.65)
    cells = [(u, v) for u in range(-reach // 2, reach // 2) for v in range(-reach // 2, reach // 2)]
    tops: dict[str, Stencil] = {name: canvas.stencil() for name in ("left", "right", "top", "lamp")}
    for u, v in sorted(cells, key=lambda cell: cell[0] + cell[1]):
        x, y = base_x + (u - v) * size * 0.87, base_y + (u + v) * size * 0.5
        if not (-size < x < canvas.wide + size and -size < y < canvas.tall + size * 7):
            continue
        tall = size * (
            0.15
            + rng.exponential(0.5)
            + 4.5
            * rng.random()
            * np.exp(-((u - high_u) ** 2 + (v - high_v) ** 2) / (2 * spread**2))
        )
        half, quarter = size * 0.8, size * 0.46
        faces = {
            "left": [
                (x - half, y),
                (x, y + quarter),
                (x, y + quarter - tall),
                (x - half, y - tall),
            ],
            "right": [
                (x + half, y),
                (x, y + quarter),
                (x, y + quarter - tall),
                (x + half, y - tall),
            ],
            "top": [
                (x - half, y - tall),
                (x, y + quarter - tall),
                (x + half, y - tall),
                (x, y - quarter - tall),
            ],
        }
        for face, points in faces.items():
            for name, stencil in tops.items():
                stencil.polygon(points, fill=1 if name == face else 0)
        if rng.random() < 0.22:
            tops["lamp"].line([*faces["top"], faces["top"][0]], size * 0.05)
            if rng.random() < 0.4:
                tops["lamp"].polygon(
                    [
                        (x + (px - x) * 0.55, y - tall + (py - y + tall) * 0.55)
                        for px, py in faces["top"]
                    ],
                    fill=0.55,
                )
    fade = np.clip(1.25 - canvas.distance(canvas.wide / 2, canvas.tall / 2), 0.2, 1)
    canvas.paint(glow[0] * 1.1, tops["left"].mask())
    canvas.paint(mix(glow[0], glow[1], 0.8), tops["right"].mask())
    canvas.paint(mix(glow[1], glow[2], 0.42) * fade[..., None], tops["top"].mask())
    _shine(canvas, tops["lamp"].mask(), glow[2], glow[3], 0.008)


FAMILY = Family(
    "network",
    Vocabulary(
        "technology tech computer* internet network* data digital software algorithm* ai "
        "artificial robot* chip* circuit* cyber* code coding program* neural "
        "blockchain crypto* bitcoin server* smartphone* phone* app apps machine* hacker* "
        "password* virtual quantum semiconductor* online website* email*",
        "intelligence connect* information future* social media science invent* "
        "innovation brain* mind* memory think* learn* communication signal* electric* "
        "security privacy system* model* screen* game* engineer* smart",
    ),
    draw,
)
