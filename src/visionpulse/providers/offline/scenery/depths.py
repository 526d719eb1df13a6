"""Under the sea: light from above, murk below, and what lives between."""

from __future__ import annotations

from collections.abc import Sequence

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

_WATERS = (
    "#7fd8d2 #2f8fa8 #125e83 #0a3a63 #061f42 #030b1f",
    "#a8ecd0 #3fa890 #17746f #0c4a55 #06293a #03131f",
    "#9cc9ff #4676c8 #274a9a #1a2f70 #0f1a48 #060a22",
    "#c9f0ef #58b7d6 #2286b9 #125a92 #0a3566 #051a3c",
    "#8fb4d0 #3f7299 #1f4c74 #123352 #0a1f38 #040d1c",
)
_DARK = Vocabulary("dark* black* night* midnight lightless unlit abyss*")
_GLOWS = colours("#63f5ff #ff8ad8 #9c8bff #7dffc8 #ffb36b")

_DWELLERS = {
    "jellyfish": Vocabulary(
        "jelly* medusa* bioluminesc* glow* creature* deep* strange alien twilight pressure"
    ),
    "shoal": Vocabulary("fish* shoal* school* sardine* tuna coral* reef* swim* food catch*"),
    "whale": Vocabulary(
        "whale* dolphin* shark* giant* humpback mammal* huge larg* migrat* blue orca*"
    ),
    "wreck": Vocabulary(
        "wreck* ship* sunk* sunken titanic treasure* diver* submarine* submersible* "
        "explor* vessel* sonar dive dives map maps"
    ),
    "kelp": Vocabulary("kelp plant* seaweed* alga* forest* grass* garden*"),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Fill the water with light, stand the floor in it, and let something swim."""
    water = colours(_WATERS[int(canvas.rng.integers(len(_WATERS)))])
    # In the dark only the water and the rock are darker: what swims is to be seen.
    sunk, daylight = water, 1.0
    if brief.asks(_DARK):
        sunk, daylight = ramp(np.linspace(0.45, 1, len(water)), water) * np.float32(0.6), 0.15
    light_x, light_y = canvas.wide * canvas.between(-0.1, 1.1), canvas.between(-0.3, 0.1)
    _water(canvas, sunk, light_x, light_y, daylight)
    _floor(canvas, sunk)
    dweller = brief.choose(_DWELLERS)
    if dweller == "jellyfish":
        _jellyfish(canvas)
    elif dweller == "shoal":
        _shoal(canvas, water)
    elif dweller == "whale":
        _whale(canvas, water)
    elif dweller == "wreck":
        _submersible(canvas, water)
    else:
        _kelp(canvas, water)
    _snow(canvas, water)


def _water(canvas: Canvas, water: Plane, light_x: float, light_y: float, daylight: float) -> None:
    reach = canvas.between(0.75, 1.35) * canvas.tall
    far = canvas.distance(light_x, light_y, canvas.between(0.7, 1.2)) / np.float32(reach)
    far = far * 0.75 + (canvas.noise(2, 5) - 0.5) * 0.3 + canvas.between(-0.05, 0.2)
    canvas.paint(ramp(np.clip(far, 0, 1), water))
    angle = np.arctan2(canvas.x - light_x, canvas.y - light_y + 0.35)
    fine = np.interp(np.linspace(0, 60, 1024), np.arange(61), canvas.rng.random(61))
    broad = np.interp(np.linspace(0, 17, 1024), np.arange(18), canvas.rng.random(18))
    rays = np.interp(
        angle, np.linspace(-1.7, 1.7, 1024), np.clip(fine * 0.4 + broad * 0.75, 0, 1) ** 2.4
    )
    fade = np.clip(1.05 - canvas.y / canvas.tall * canvas.between(0.9, 1.5), 0, 1) ** 1.4
    rays = (
        blurred(rays.astype(np.float32), canvas.short * 0.003)
        * fade
        * np.exp(-((canvas.x - light_x) ** 2) / 0.5)
    )
    canvas.light(
        mix(water[0], colour("#ffffff"), 0.2),
        rays.astype(np.float32) * canvas.between(0.3, 0.75) * daylight,
    )
    canvas.glow(light_x, light_y, 0.22, colour("#e9fff5"), 0.75 * daylight)


def _floor(canvas: Canvas, water: Plane) -> None:
    """Stand ridges on the floor, with a wall of rock on one side or both."""
    layers = int(canvas.rng.integers(1, 4))
    top = canvas.tall * canvas.between(0.68, 0.95)
    for number in range(layers):
        part = (number + 1) / layers
        curve = canvas.ridge(
            top + (canvas.tall - top) * 0.75 * part, 0.1, canvas.between(1, 2.5), 0.55
        )
        wall = canvas.between(-0.15, 0.75) * canvas.tall * part
        edge = canvas.x[0] / canvas.wide if canvas.chance(0.5) else 1 - canvas.x[0] / canvas.wide
        curve = (curve - wall * np.clip(1 - edge / canvas.between(0.12, 0.4), 0, 1) ** 1.4).astype(
            np.float32
        )
        stone = canvas.noise(7, 6, 0.6)
        rock = _crags(canvas, curve)
        relief = stone - moved(stone, max(1, canvas.short // 200), 0)
        tone = np.clip(0.75 + 0.5 * stone + 2.5 * relief, 0.2, 2)
        body = mix(water[3], water[-1] * 0.75, part) * tone[..., None]
        # Light that comes round the edge, and murk before the rock's foot.
        rim = np.clip(1 - blurred(rock, canvas.short * 0.02), 0, 1)
        body = body + water[2] * (rim * (0.35 + stone) * 0.55)[..., None]
        murk = canvas.noise(1.5, 4) * (0.5 - 0.25 * part)
        canvas.paint(body + (water[3] - body) * murk[..., None], rock)
        fog = np.exp(-(((canvas.y - top) / 0.16) ** 2)) * canvas.noise(2.5, 3)
        canvas.light(water[2], fog * 0.25 * (1 - part))


def _crags(canvas: Canvas, curve: Plane) -> Plane:
    """Return the mask of what lies under a skyline bent into ledges and overhangs.

    A skyline alone is smooth wherever it is steep: all its detail is up and down.
    """
    across = (canvas.noise(3.5, 6, 0.6) - 0.5) * np.float32(0.22)
    down = (canvas.noise(5, 6, 0.6) - 0.5) * np.float32(0.07)
    columns = np.arange(canvas.width)[None, :] + (across * canvas.short).astype(int)
    edge = curve[np.clip(columns, 0, canvas.width - 1)]
    return np.clip((canvas.y + down - edge) / max(0.004, 1.2 / canvas.short) + 0.5, 0, 1)


def _jellyfish(canvas: Canvas) -> None:
    """Let a few drift, one near and the others far, with a bloom of light around them."""
    glow = np.zeros_like(canvas.pixels)
    turn = int(canvas.rng.integers(len(_GLOWS)))
    side = canvas.side()
    size = canvas.between(0.09, 0.19)
    for number in range(int(canvas.rng.integers(2, 6))):
        across = 0.5 + side * canvas.between(0.02, 0.38) * (1 if number % 2 == 0 else -1)
        x, y = across * canvas.wide, canvas.tall * canvas.between(0.2, 0.66)
        _jelly(canvas, glow, (x, y), size, _GLOWS[(turn + number) % len(_GLOWS)])
        size *= canvas.between(0.4, 0.75)
    for sigma, strength in ((0.01, 1.0), (0.04, 1.4)):
        bloom = blurred(np.clip(glow, 0, 1.5), canvas.short * sigma) * np.float32(strength)
        canvas.pixels += (1 - canvas.pixels) * np.clip(bloom, 0, 1)
    canvas.pixels += (1 - canvas.pixels) * np.clip(glow, 0, 1)


def _jelly(
    canvas: Canvas, glow: Plane, at: tuple[float, float], radius: float, tint: Plane
) -> None:
    rng = np.random.default_rng(canvas.rng.integers(2**63))
    tilt = rng.uniform(-0.45, 0.45)
    canvas = canvas.window(at[0], at[1] + radius * 1.5, radius * 3.3)
    dx, dy = (canvas.x - at[0]) / radius, (canvas.y - at[1]) / radius
    u = dx * np.float32(np.cos(tilt)) - dy * np.float32(np.sin(tilt))
    v = (dx * np.float32(np.sin(tilt)) + dy * np.float32(np.cos(tilt))) / np.float32(0.82)
    away = np.hypot(u, v)
    # The scallops of the hem flatten out towards its ends, where it meets the outline.
    hem = v - 0.22 - 0.05 * np.cos(u * 14) * np.clip(1 - u**2, 0, 1)
    above = np.clip(0.5 - hem / 0.03, 0, 1)
    bell = (away < 1) * above
    ribs = (0.5 + 0.5 * np.cos(np.arctan2(u, 0.9 - v) * 22)) ** 6 * np.clip(away, 0, 1) ** 2
    heart = np.exp(-((u / 0.45) ** 2 + ((v + 0.15) / 0.4) ** 2) * 2)
    body = bell * (0.16 + 0.34 * away**5 + 0.22 * ribs + 0.5 * heart)
    body += np.maximum(
        np.clip(1 - np.abs(away - 1) / 0.05, 0, 1) * above * 0.8,
        np.exp(-((hem / 0.035) ** 2)) * np.clip((1.05 - away) / 0.05, 0, 1) * 0.9,
    )
    for arm in range(14):
        thick = arm >= 11
        root, length = (
            rng.uniform(-0.85, 0.85) * (0.35 if thick else 1),
            rng.uniform(1.4, 4.0) * (0.5 if thick else 1),
        )
        down = np.clip((v - 0.15) / length, 0, 1)
        sway = root * (1 - 0.25 * down) + rng.uniform(0.03, 0.13) * np.sin(
            down * rng.uniform(7, 15) + rng.uniform(0, 6.3)
        ) * (0.3 + down)
        width = (0.07 if thick else 0.015) + (0.02 if thick else 0.018) * (1 - down)
        body += (
            np.exp(-(((u - sway) / width) ** 2))
            * ((down > 0) & (down < 1))
            * (1 - down) ** 1.2
            * (0.35 if thick else 0.55)
        )
    left, top = canvas.origin
    glow[top : top + canvas.height, left : left + canvas.width] += (
        np.clip(body, 0, 1.4)[..., None] * tint
    )


def _shoal(canvas: Canvas, water: Plane) -> None:
    """Turn a shoal around a point, as fish do."""
    x, y = canvas.wide * canvas.between(0.2, 0.8), canvas.tall * canvas.between(0.25, 0.65)
    across, down = canvas.between(0.15, 0.45), canvas.between(0.1, 0.3)
    heading = canvas.side()
    for layer, share in enumerate((0.35, 0.7, 1.0)):
        stencil = canvas.stencil()
        for _ in range(int(canvas.rng.integers(60, 130))):
            turn = canvas.between(0, 6.28)
            out = canvas.rng.normal(0.75, 0.28)
            fish_x, fish_y = x + across * out * np.cos(turn), y + down * out * np.sin(turn)
            _fish(
                stencil,
                fish_x,
                fish_y,
                canvas.between(0.010, 0.018) * (1 + layer * 0.6),
                heading,
                canvas.between(-0.35, 0.35),
            )
        canvas.paint(
            mix(water[1], water[-1], 0.25 + 0.6 * share),
            stencil.mask() * np.float32(0.45 + 0.5 * share),
        )


def _fish(stencil: Stencil, x: float, y: float, length: float, heading: int, tilt: float) -> None:
    along = np.linspace(-1, 1, 9)
    back = 0.34 * np.sqrt(np.clip(1 - along**2, 0, 1)) * (1 + 0.25 * along)
    tail = [(-1.55, -0.34), (-1.35, 0.0), (-1.55, 0.34), (-0.85, 0.06)]
    outline = [
        *zip(along, -back, strict=True),
        *zip(along[::-1], back[::-1], strict=True),
        *tail,
        (-0.85, -0.06),
    ]
    stencil.polygon(_placed(outline, x, y, length, heading, tilt))


def _placed(
    outline: Sequence[tuple[float, float]],
    x: float,
    y: float,
    size: float,
    heading: int,
    tilt: float,
) -> list[tuple[float, float]]:
    """Turn and move an outline that looks to the right."""
    cos, sin = np.cos(tilt), np.sin(tilt)
    return [
        (x + heading * size * (u * cos - v * sin), y + size * (u * sin + v * cos))
        for u, v in outline
    ]


_WHALE = (
    (1.0, -0.02),
    (0.94, -0.12),
    (0.75, -0.2),
    (0.45, -0.25),
    (0.1, -0.24),
    (-0.15, -0.2),
    (-0.27, -0.25),
    (-0.33, -0.17),
    (-0.6, -0.09),
    (-0.85, -0.04),
    (-1.0, -0.16),
    (-1.18, -0.2),
    (-1.06, -0.02),
    (-1.2, 0.14),
    (-1.0, 0.1),
    (-0.84, 0.03),
    (-0.55, 0.07),
    (-0.2, 0.15),
    (0.12, 0.2),
    (0.18, 0.34),
    (0.06, 0.52),
    (0.0, 0.56),
    (0.3, 0.4),
    (0.42, 0.19),
    (0.7, 0.14),
    (0.92, 0.07),
)


def _whale(canvas: Canvas, water: Plane) -> None:
    """Let one great animal pass, sometimes with a calf."""
    heading, tilt = canvas.side(), canvas.between(-0.4, 0.4)
    x, y = canvas.wide * canvas.between(0.28, 0.72), canvas.tall * canvas.between(0.25, 0.62)
    size = canvas.between(0.2, 0.42) * min(1.3, canvas.wide)
    outline = [_smooth_closed(np.array(_WHALE, np.float32))]
    pods = [(x, y, size)]
    if canvas.chance(0.6):
        pods.append(
            (
                x - heading * size * canvas.between(0.4, 1.0),
                y + size * canvas.between(0.4, 0.8),
                size * 0.42,
            )
        )
    for at_x, at_y, length in pods:
        stencil = canvas.stencil()
        stencil.polygon(_placed(outline[0], at_x, at_y, length, heading, tilt))
        mask = stencil.mask()
        soft = blurred(mask, canvas.short * length * 0.07)
        # Lit from above: the back is where the softened shape has less of it overhead.
        step = max(1, int(canvas.short * length * 0.06))
        back = np.clip((soft - moved(soft, step, 0)) * 1.6, 0, 1)
        skin = mix(water[3], water[-1], 0.55) + (water[1] * 0.8) * back[..., None]
        canvas.paint(np.clip(skin, 0, 1), mask * 0.94)


def _smooth_closed(points: Plane) -> list[tuple[float, float]]:
    """Round the corners of a closed outline by Chaikin's corner cutting."""
    for _ in range(3):
        following = np.roll(points, -1, 0)
        points = np.stack(
            [points * 0.75 + following * 0.25, points * 0.25 + following * 0.75], 1
        ).reshape(-1, 2)
    return [(float(u), float(v)) for u, v in points]


def _submersible(canvas: Canvas, water: Plane) -> None:
    """Send a small submarine down, with the cone of its lamp ahead of it."""
    heading = canvas.side()
    x, y = (
        canvas.wide * (0.5 - heading * canvas.between(0.08, 0.35)),
        canvas.tall * canvas.between(0.3, 0.62),
    )
    size = canvas.between(0.05, 0.11)
    drop = canvas.between(0.1, 0.45)
    nose_x, nose_y = x + heading * size * 1.05, y + size * 0.1
    along = (canvas.x - nose_x) * heading
    off = np.abs(canvas.y - nose_y - along * drop)
    spread = np.clip(along, 0, 9) * 0.3 + 0.01
    cone = np.exp(-((off / spread) ** 2)) * (along > 0) * np.exp(-np.clip(along, 0, 9) / 0.55)
    canvas.light(colour("#fff2c4"), cone.astype(np.float32) * (0.55 + 0.45 * canvas.noise(4, 4)))
    hull = canvas.stencil()
    hull.ellipse(x, y, size, size * 0.46)
    hull.box(x - size * 0.3, y - size * 0.75, x + size * 0.25, y - size * 0.3)
    hull.line(
        [(x, y - size * 0.7), (x, y - size * 1.05), (x + heading * size * 0.16, y - size * 1.05)],
        size * 0.06,
    )
    back = x - heading * size
    hull.polygon(
        [
            (back + heading * size * 0.3, y),
            (back - heading * size * 0.25, y - size * 0.4),
            (back - heading * size * 0.25, y + size * 0.4),
        ]
    )
    mask = hull.mask()
    soft = blurred(mask, canvas.short * size * 0.2)
    shade = np.clip(
        0.25 + (soft - moved(soft, max(1, int(canvas.short * size * 0.25)), 0)) * 1.2, 0, 1
    )
    canvas.paint(
        ramp(
            shade, np.stack([water[-1], mix(water[2], colour("#e0a84a"), 0.6), colour("#ffe3a0")])
        ),
        mask,
    )
    windows = canvas.stencil()
    for place in (-0.35, 0.05, 0.45):
        windows.ellipse(x + heading * size * place, y - size * 0.05, size * 0.1)
    canvas.paint(colour("#fff6cf"), windows.mask())
    canvas.glow(nose_x, nose_y, size * 0.5, colour("#fff2c4"), 0.9)


def _kelp(canvas: Canvas, water: Plane) -> None:
    """Let kelp rise from the floor in three depths."""
    heavy = canvas.side()
    for share in (0.3, 0.65, 1.0):
        stencil = canvas.stencil()
        for _ in range(int(canvas.rng.integers(5, 13))):
            across = canvas.rng.beta(1, 2)
            x = canvas.wide * (across if heavy < 0 else 1 - across)
            _frond(
                stencil,
                canvas,
                x,
                canvas.tall * canvas.between(0.25, 0.95) * (1.05 - 0.6 * across),
                0.6 + share,
            )
        tint = mix(water[1], mix(water[-1], colour("#06251c"), 0.5), 0.2 + 0.75 * share)
        canvas.paint(tint, stencil.mask() * np.float32(0.5 + 0.45 * share))


def _frond(stencil: Stencil, canvas: Canvas, x: float, tall: float, thick: float) -> None:
    swing, phase, bend = (
        canvas.between(0.01, 0.05),
        canvas.between(0, 6.3),
        canvas.between(-0.12, 0.12),
    )
    part = np.linspace(0, 1, 40)
    at_x = x + swing * np.sin(part * 7 + phase) + bend * part**2
    at_y = canvas.tall * 1.02 - tall * part
    stencil.line(list(zip(at_x, at_y, strict=True)), 0.005 * thick)
    for place in range(3, 40, 2):
        side = 1 if place % 4 == 1 else -1
        leaf = 0.05 * thick * (1.1 - 0.6 * part[place])
        root_x, root_y = at_x[place], at_y[place]
        stencil.polygon(
            [
                (root_x, root_y),
                (root_x + side * leaf * 0.5, root_y - leaf * 0.5),
                (root_x + side * leaf * 1.1, root_y - leaf * 0.45),
                (root_x + side * leaf * 0.5, root_y - leaf * 0.12),
            ]
        )


def _snow(canvas: Canvas, water: Plane) -> None:
    """Let specks sink at three distances."""
    rng = np.random.default_rng(canvas.rng.integers(2**63))
    for count, radius, bright in ((240, 0.0011, 0.5), (70, 0.0024, 0.35), (16, 0.006, 0.2)):
        stencil = canvas.stencil()
        for _ in range(count):
            stencil.ellipse(
                rng.uniform(0, canvas.wide),
                rng.uniform(0, canvas.tall),
                radius * rng.uniform(0.5, 1.2),
            )
        canvas.light(
            mix(water[0], colour("#ffffff"), 0.4),
            blurred(stencil.mask(), max(0.6, canvas.short * radius * 0.7)) * np.float32(bright),
        )


FAMILY = Family(
    "depths",
    Vocabulary(
        "ocean* underwater sea seas undersea reef* coral* whale* fish fishes jellyfish "
        "octopus* squid* shark* submarine* anglerfish* abyss* hydrothermal tubeworm* "
        "dolphin* marine seabed seafloor kelp plankton aquari* dive dives diver divers diving "
        "trench*",
        "deep* depth* water* crab* worm* chimney* vent vents lobster* shrimp* pressure "
        "creature* bioluminesc* salt* current* blue swim* pearl* sink* drown*",
    ),
    draw,
)
