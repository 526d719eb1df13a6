"""Money and measure as geometry: columns, lines that climb, stacks of coins, turning wheels."""

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

_PALETTES = (
    "#0b1a2e #1c4a6e #3fa0b0 #f2c14e #fff6df",
    "#1a1030 #4a2a6a #c0487a #ffb35c #fff0dc",
    "#0c201c #1f5c4a #5fb07a #f0d878 #fbfbe6",
    "#20120e #6a3420 #d0743c #f6cf86 #fff8ea",
    "#e9eef2 #b8cad6 #5f8fb0 #e08a4c #20303e",
    "#f6ecdc #e0c8a4 #c0704a #3f6a6a #1f2c34",
)
_KINDS = {
    "columns": Vocabulary(
        "chart* statistic* percent* market* econom* inflation rate* number* result* compar* rise*"
    ),
    "line": Vocabulary(
        "stock* trad* invest* trend* price* graph* crash* recession* bubble* curve* progress*"
    ),
    "coins": Vocabulary(
        "coin* money gold bank* cash dollar* wealth* rich* saving* save* debt* interest* "
        "tax* salary budget* pension* credit loan*"
    ),
    "wheels": Vocabulary(
        "gear* machine* process* system* industr* factory factories manufact* clock* "
        "time strategy plan* productivity mechani* engineer*"
    ),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw one of four arrangements on a soft ground."""
    tones = colours(_PALETTES[int(canvas.rng.integers(len(_PALETTES)))])
    turn = canvas.between(0, 2 * np.pi)
    slope = (canvas.x / canvas.wide - 0.5) * np.float32(np.cos(turn)) + (
        canvas.y / canvas.tall - 0.5
    ) * np.float32(np.sin(turn))
    canvas.paint(
        ramp(np.clip(0.22 + slope * 0.42 + (canvas.noise(2, 3) - 0.5) * 0.1, 0, 1) * 0.8, tones[:3])
    )
    canvas.glow(
        canvas.wide * canvas.between(0, 1),
        canvas.tall * canvas.between(0, 0.7),
        canvas.between(0.2, 0.5),
        tones[3],
        canvas.between(0.2, 0.5),
    )
    kind = brief.choose(_KINDS)
    if kind == "columns":
        _columns(canvas, tones)
    elif kind == "line":
        _climb(canvas, tones)
    elif kind == "wheels":
        _wheels(canvas, tones)
    else:
        _coins(canvas, tones)


def _cast(canvas: Canvas, mask: Plane, down: float, soft: float, dark: float) -> None:
    """Throw the shadow of a shape down and to the right."""
    step = int(canvas.short * down)
    padded = np.zeros_like(mask)
    padded[step:, step // 2 :] = mask[
        : max(0, canvas.height - step), : max(0, canvas.width - step // 2)
    ]
    canvas.shade(blurred(padded, canvas.short * soft) * np.float32(dark))


def _columns(canvas: Canvas, tones: Plane) -> None:
    """Stand prisms side by side, along a course that rises, falls or waves."""
    count = int(canvas.rng.integers(5, 13))
    left, right = sorted((canvas.between(0.02, 0.3), canvas.between(0.7, 0.98)))
    foot = canvas.tall * canvas.between(0.72, 0.95)
    step = canvas.wide * (right - left) / count
    part = np.linspace(0, 1, count)
    course = (part if canvas.chance(0.5) else 1 - part) ** canvas.between(0.5, 2) * canvas.between(
        0.2, 1
    )
    course = (
        course
        + canvas.between(0, 0.5) * np.sin(part * canvas.between(2, 8) + canvas.between(0, 6))
        + canvas.rng.uniform(0, 0.25, count)
    )
    course = 0.1 + 0.9 * (course - course.min()) / (np.ptp(course) + 1e-6)
    tallest, deep = foot * canvas.between(0.5, 0.9), step * canvas.between(0.2, 0.4)
    accent = int(np.argmax(course)) if canvas.chance(0.6) else int(canvas.rng.integers(count))
    floor = canvas.below(np.full(canvas.width, foot - deep * 0.3, np.float32), 0.01)
    canvas.paint(
        mix(tones[0], tones[1], 0.4) * np.clip(1.1 - (canvas.y - foot) * 0.8, 0.5, 1.1)[..., None],
        floor * 0.75,
    )
    for number in range(count):
        x, wide, top = (
            canvas.wide * left + step * number,
            step * 0.68,
            foot - tallest * float(course[number]),
        )
        tint = (
            tones[3]
            if number == accent
            else mix(tones[2], tones[1], 0.15 + 0.5 * float(1 - course[number]))
        )
        front, side, lid = canvas.stencil(), canvas.stencil(), canvas.stencil()
        front.box(x, top, x + wide, foot)
        side.polygon(
            [
                (x + wide, top),
                (x + wide + deep, top - deep * 0.6),
                (x + wide + deep, foot - deep * 0.6),
                (x + wide, foot),
            ]
        )
        lid.polygon(
            [
                (x, top),
                (x + deep, top - deep * 0.6),
                (x + wide + deep, top - deep * 0.6),
                (x + wide, top),
            ]
        )
        faces = front.mask()
        _cast(canvas, np.maximum(faces, side.mask()), 0.03, 0.02, 0.35)
        height = np.clip((foot - canvas.y) / max(0.05, foot - top), 0, 1)
        canvas.paint(tint * (0.7 + 0.35 * height)[..., None], faces)
        canvas.paint(tint * 0.5 * (0.7 + 0.4 * height)[..., None], side.mask())
        canvas.paint(np.clip(mix(tint, tones[4], 0.45), 0, 1), lid.mask())
        mirror = faces[::-1]
        rows = np.clip(
            2 * int(foot * canvas.short) - np.arange(canvas.height), 0, canvas.height - 1
        )
        mirror = faces[rows] * (canvas.y > foot)
        canvas.light(tint, mirror * np.exp(-np.clip(canvas.y - foot, 0, 9) / 0.08) * 0.3)


def _climb(canvas: Canvas, tones: Plane) -> None:
    """Draw layered courses that fill the ground below them, the nearest with a bright edge."""
    direction = canvas.side()
    layers = int(canvas.rng.integers(2, 5))
    for number in range(layers):
        depth = (number + 1) / layers
        walk = canvas.ridge(0, 0.5, canvas.between(1.5, 5), canvas.between(0.45, 0.62))
        trend = direction * canvas.between(0.1, 0.6) * (canvas.x[0] / canvas.wide - 0.5)
        curve = (
            canvas.tall * (0.3 + 0.5 * depth * canvas.between(0.7, 1.1))
            + walk * canvas.between(0.15, 0.4)
            - trend
        ).astype(np.float32)
        if canvas.chance(0.4):
            steps = (
                np.arange(canvas.width) // max(2, canvas.width // 26) * max(2, canvas.width // 26)
            )
            curve = curve[np.clip(steps, 0, canvas.width - 1)]
        below = canvas.below(curve)
        _cast(canvas, below, 0.012, 0.03, 0.2)
        tint = (
            mix(tones[1], tones[2], 1 - depth)
            if number < layers - 1
            else mix(tones[0], tones[1], 0.6)
        )
        fade = np.exp(-np.clip(canvas.y - curve[None, :], 0, 9) / canvas.between(0.2, 0.5))
        canvas.paint(
            tint + (mix(tones[2], tones[3], depth) - tint) * (0.55 * fade)[..., None], below * 0.92
        )
        line = canvas.stencil()
        every = max(1, canvas.width // 160)
        at = [(float(canvas.x[0, i]), float(curve[i])) for i in range(0, canvas.width, every)]
        line.line(at, 0.004 + 0.004 * depth)
        edge = line.mask()
        canvas.light(tones[3], blurred(edge, canvas.short * 0.015) * 0.9)
        canvas.paint(mix(tones[3], tones[4], 0.4), edge)
        dots = canvas.stencil()
        for share in np.sort(canvas.rng.uniform(0.03, 0.97, int(3 + 4 * depth))):
            place = at[int(share * (len(at) - 1))]
            dots.ellipse(*place, 0.009 + 0.005 * depth)
        canvas.paint(tones[4], dots.mask())


def _coins(canvas: Canvas, tones: Plane) -> None:
    """Pile coins in stacks that stand in depth."""
    gold = (
        colours("#5a3a10 #b8801e #f4c64a #fff2b8")
        if canvas.chance(0.6)
        else colours("#3a4048 #7d8894 #c8d2d8 #ffffff")
    )
    table = canvas.tall * canvas.between(0.6, 0.82)
    canvas.paint(
        mix(tones[0], tones[1], 0.5) * np.clip(1.15 - (canvas.y - table), 0.5, 1.2)[..., None],
        canvas.below(np.full(canvas.width, table - 0.08, np.float32), 0.1) * 0.8,
    )
    rise = canvas.side()
    for number in sorted(range(int(canvas.rng.integers(4, 10))), key=lambda _: canvas.rng.random()):
        share = canvas.between(0.04, 0.96)
        depth = canvas.between(0, 1)
        half = 0.045 + 0.05 * depth
        x, foot = canvas.wide * share, table - 0.04 + 0.2 * depth * (canvas.tall - table) / 0.3
        height = (
            int(2 + canvas.between(0.3, 1) * 22 * (share if rise > 0 else 1 - share) ** 1.3)
            + number % 3
        )
        _stack(canvas, gold, (x, foot), half, height)


def _stack(canvas: Canvas, gold: Plane, at: tuple[float, float], half: float, height: int) -> None:
    x, foot = at
    thick, flat = half * 0.2, half * 0.3
    canvas = canvas.window(x, foot - thick * height / 2, half * 2.5 + thick * height / 2)
    shadow = np.exp(
        -(
            (np.hypot((canvas.x - x - half * 0.6) / (half * 1.6), (canvas.y - foot) / (flat * 1.5)))
            ** 4
        )
    )
    canvas.shade(shadow.astype(np.float32) * 0.5)
    sides, rims, top = canvas.stencil(), canvas.stencil(), canvas.stencil()
    at_x = x
    for level in range(height):
        at_x = x + canvas.between(-0.05, 0.05) * half
        y = foot - thick * level
        sides.ellipse(at_x, y, half, flat)
        sides.box(at_x - half, y - thick, at_x + half, y)
        rims.ellipse(at_x, y - thick * 0.15, half, flat, 0.9)
        rims.ellipse(at_x, y - thick * 0.4, half, flat, 0.0)
    y = foot - thick * height
    top.ellipse(at_x, y, half, flat)
    across = np.clip((canvas.x - x + half) / (2 * half), 0, 1)
    sheen = np.clip(
        0.2
        + 0.75 * np.exp(-(((across - 0.3) / 0.16) ** 2))
        + 0.3 * np.exp(-(((across - 0.85) / 0.08) ** 2))
        + 0.1 * canvas.noise(40, 2),
        0,
        1,
    )
    canvas.paint(ramp(sheen, gold[:3]), sides.mask())
    canvas.shade(rims.mask() * sides.mask() * 0.45)
    canvas.paint(ramp(np.clip(0.55 + 0.4 * (across - 0.5), 0, 1), gold[1:]), top.mask())
    ring = canvas.stencil()
    ring.ellipse(at_x, y, half * 0.82, flat * 0.82)
    ring.ellipse(at_x, y, half * 0.74, flat * 0.74, 0)
    canvas.shade(ring.mask() * 0.35)


def _wheels(canvas: Canvas, tones: Plane) -> None:
    """Let toothed wheels of several sizes mesh across the picture."""
    metal = [
        mix(tones[2], colour("#c8b89a"), 0.4),
        mix(tones[3], colour("#b88a4a"), 0.3),
        mix(tones[1], colour("#8a9098"), 0.4),
    ]
    x, y = canvas.wide * canvas.between(0.1, 0.9), canvas.tall * canvas.between(0.1, 0.9)
    size, angle = canvas.between(0.14, 0.34), canvas.between(0, 6.3)
    for number in range(int(canvas.rng.integers(4, 9))):
        _wheel(canvas, (x, y), size, metal[number % 3], canvas.between(0, 6.3))
        following = canvas.between(0.07, 0.3)
        if not (0.05 < x < canvas.wide - 0.05 and 0.05 < y < canvas.tall - 0.05):
            angle = float(np.arctan2(canvas.tall / 2 - y, canvas.wide / 2 - x))
        angle += canvas.between(-0.9, 0.9)
        x, y = (
            x + np.cos(angle) * (size + following) * 0.98,
            y + np.sin(angle) * (size + following) * 0.98,
        )
        size = following


def _wheel(canvas: Canvas, at: tuple[float, float], size: float, tint: Plane, turn: float) -> None:
    canvas = canvas.window(*at, size * 1.25 + 0.05)
    teeth = max(10, round(size * 90))
    spokes = int(canvas.rng.integers(3, 7))
    outline: list[tuple[float, float]] = []
    for tooth in range(teeth):
        for share, out in ((0.0, 0.93), (0.22, 1.03), (0.5, 1.03), (0.72, 0.93)):
            angle = turn + 2 * np.pi * (tooth + share) / teeth
            outline.append((at[0] + np.cos(angle) * size * out, at[1] + np.sin(angle) * size * out))
    stencil = canvas.stencil()
    stencil.polygon(outline)
    stencil.ellipse(*at, size * 0.74, fill=0)
    for spoke in range(spokes):
        angle = turn + 2 * np.pi * spoke / spokes
        stencil.line(
            [at, (at[0] + np.cos(angle) * size * 0.8, at[1] + np.sin(angle) * size * 0.8)],
            size * 0.14,
        )
    stencil.ellipse(*at, size * 0.24)
    stencil.ellipse(*at, size * 0.1, fill=0)
    mask = stencil.mask()
    _cast(canvas, mask, 0.022, 0.014, 0.5)
    away = canvas.distance(*at) / np.float32(size)
    angle_to = np.arctan2(canvas.y - at[1], canvas.x - at[0])
    brushed = 0.8 + 0.2 * np.cos(angle_to * 2 - 1.5) + 0.07 * np.sin(away * 120)
    soft = blurred(mask, canvas.short * 0.006)
    bevel = np.zeros_like(mask)
    bevel[2:, 2:] = soft[2:, 2:] - soft[:-2, :-2]
    canvas.paint(
        np.clip(tint * (brushed * 0.85 + np.clip(bevel * 1.8, -0.4, 0.5))[..., None], 0, 1), mask
    )


FAMILY = Family(
    "growth",
    Vocabulary(
        "money financ* econom* market* invest* stock* bank* inflation chart* growth "
        "profit* coin* gold dollar* wealth* rich tax* debt* budget* "
        "business* company companies startup* entrepreneur* trade trading percent* "
        "salary price* statistic* saving* compound productivity gear* factory factories "
        "industr* clock*",
        "number* rate* cost* interest* sell* buy* customer* product* brand* work* "
        "career* success* strategy plan* goal* increase* rise* grow* value* credit* "
        "measure* time* efficien* system* process* system result* math* average",
    ),
    draw,
)
