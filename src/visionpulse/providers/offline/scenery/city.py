"""Cities: skylines in the haze by day, in lit windows by night, over water or over roofs."""

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
    moved,
)
from visionpulse.providers.offline.scenery.sky import Sky, paint_sky, pick_hour

_VIEWS = {
    "water": Vocabulary("river* harbor* harbour* bay water* bridge* port coast*"),
    "roofs": Vocabulary(
        "roof* apartment* house* neighborhood* neighbourhood* home* housing rent* old town*"
    ),
    "street": Vocabulary(
        "street* traffic car cars taxi* commut* avenue bus transport* walk* shop* pedestrian*"
    ),
}
_LAMPS = colours("#ffd98a #ffb85c #fff0c9 #bfe0ff #ff9a5a")


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw rows of buildings from the farthest to the nearest."""
    hour = pick_hour(brief, canvas)
    view = brief.choose(_VIEWS)
    if view == "street":
        _street(canvas, brief)
        return
    foot = canvas.tall * canvas.between(0.6, 0.8) if view == "water" else canvas.tall * 1.02
    sky = paint_sky(canvas, hour, canvas.tall * canvas.between(0.55, 0.85))
    rows = int(canvas.rng.integers(2, 5))
    centre = canvas.between(0.05, 0.95)
    for number in range(rows):
        depth = (number + 1) / rows
        centre = (centre + canvas.between(0.25, 0.75)) % 1
        base = foot if view == "water" else canvas.tall * (0.72 + 0.32 * depth)
        _row(canvas, sky, base, depth, centre)
    if view == "water":
        _reflection(canvas, sky, foot)


def _row(canvas: Canvas, sky: Sky, foot: float, depth: float, centre: float) -> None:
    hour = sky.hour
    walls, windows, sides = canvas.stencil(), canvas.stencil(), canvas.stencil()
    tallest, spread = (
        canvas.between(0.28, 0.62) * canvas.tall * (1.15 - 0.55 * depth),
        canvas.between(0.15, 0.45),
    )
    share_lit = 0.1 + 0.45 * min(1.0, hour.stars + (0.2 if not hour.disc else 0))
    x = -0.05
    while x < canvas.wide + 0.05:
        wide = canvas.between(0.035, 0.1) * (0.7 + 0.6 * depth)
        away = abs((x + wide / 2) / canvas.wide - centre) / spread
        tall = tallest * (0.25 + 0.75 * np.exp(-(away**2))) * canvas.between(0.55, 1.1)
        _building(canvas, (walls, windows, sides), (x, foot - tall, x + wide, foot), share_lit)
        x += wide * canvas.between(0.85, 1.25)
    tone = hour.at(0.18 + 0.77 * depth)
    if depth < 1:
        walls.box(0, foot - 0.02, canvas.wide, canvas.tall if foot > sky.horizon else foot)
    mask = walls.mask()
    fade = np.clip((foot - canvas.y) / max(tallest, 0.1), 0, 1)
    # Haze lies in the streets: the feet of far buildings are paler than their tops.
    body = tone + (hour.haze - tone) * np.clip((1 - fade) * (1 - depth) * 0.8, 0, 1)[..., None]
    canvas.paint(body, mask)
    canvas.light(
        hour.sun, sides.mask() * (0.22 if hour.disc else 0.08) * (0.35 + 0.65 * depth) * mask
    )
    lit = windows.mask() * mask
    tint = _LAMPS[int(canvas.rng.integers(len(_LAMPS)))]
    glowing = min(1.0, 0.25 + hour.stars * 1.2)
    canvas.light(tint, lit * np.float32(glowing * (0.45 + 0.55 * depth)))
    if hour.stars:
        canvas.light(tint, blurred(lit, canvas.short * 0.012) * np.float32(0.8 * hour.stars))
        canvas.light(
            mix(tint, colour("#ff9060"), 0.4),
            np.clip(1 - (foot - canvas.y) / 0.3, 0, 1) ** 2 * mask * np.float32(0.25 * hour.stars),
        )


def _building(
    canvas: Canvas,
    stencils: tuple[Stencil, Stencil, Stencil],
    box: tuple[float, float, float, float],
    share_lit: float,
) -> None:
    walls, windows, sides = stencils
    left, top, right, foot = box
    wide = right - left
    crown = int(canvas.rng.integers(7))
    walls.box(left, top, right, foot)
    sides.box(right - wide * 0.22, top, right, foot)
    if crown == 0:
        walls.line(
            [
                ((left + right) / 2, top),
                ((left + right) / 2, top - wide * canvas.between(0.4, 1.2)),
            ],
            wide * 0.045,
        )
    elif crown == 1:
        walls.polygon(
            [(left, top), (left + wide * canvas.between(0.2, 0.8), top - wide * 0.7), (right, top)]
        )
    elif crown == 2:
        walls.box(left + wide * 0.18, top - wide * 0.35, right - wide * 0.18, top)
        walls.box(left + wide * 0.34, top - wide * 0.65, right - wide * 0.34, top)
    elif crown == 3:
        walls.polygon([(left, top), (left, top - wide * 0.5), (right, top)])
    elif crown == 4:
        walls.ellipse((left + right) / 2, top, wide / 2, wide * 0.35)
    floor = canvas.between(0.011, 0.017)
    pane = floor * canvas.between(0.5, 0.95)
    own = np.random.default_rng(canvas.rng.integers(2**63))
    rows, columns = int((foot - top) / floor), max(2, int(wide / (pane * 1.7)))
    step = wide / (columns + 0.4)
    kept = own.random((rows, columns)) < share_lit * canvas.between(0.3, 1.3)
    for row, column in zip(*np.nonzero(kept), strict=True):
        x, y = left + step * (0.4 + column), top + floor * (0.5 + row)
        windows.box(x, y, x + step * 0.6, y + floor * 0.5, fill=float(own.uniform(0.4, 1)))


def _reflection(canvas: Canvas, sky: Sky, foot: float) -> None:
    """Draw the water before the city, with its lights smeared into columns."""
    first = round(foot * canvas.short)
    count = canvas.height - first
    rows = np.clip(first - 1 - (np.arange(count) * 1.5).astype(int), 0, first)
    smeared = canvas.pixels[rows]
    kernel = max(1, canvas.short // 60)
    smeared = (
        smeared
        + moved(smeared, kernel, 0)
        + moved(smeared, -kernel, 0)
        + moved(smeared, kernel * 2, 0)
    ) / 4
    ripple = canvas.receding(foot - 0.03, 5, 4, 4)[first:]
    sway = ((ripple - 0.5) * canvas.short * 0.05).astype(int)
    columns = np.clip(np.arange(canvas.width)[None, :] + sway, 0, canvas.width - 1)
    water = np.take_along_axis(smeared, columns[..., None], 1) * (0.55 + 0.5 * ripple[..., None])
    canvas.pixels[first:] = np.clip(water * 0.8 + sky.hour.sky[0] * 0.12, 0, 1)
    canvas.shade(np.exp(-(((canvas.y - foot) / 0.006) ** 2)) * 0.6)


def _street(canvas: Canvas, brief: Brief) -> None:
    """Look along a street: walls run to the vanishing point, lamps glow along the kerb."""
    hour = pick_hour(brief, canvas, ("golden", "sunset", "dusk", "blue", "night", "overcast"))
    x, y = canvas.wide * canvas.between(0.25, 0.75), canvas.tall * canvas.between(0.45, 0.68)
    sky = paint_sky(
        canvas, hour, y + 0.02, sun=(x + canvas.between(-0.12, 0.12), y - canvas.between(0.02, 0.2))
    )
    road = canvas.below(np.full(canvas.width, y, np.float32))
    wet = canvas.receding(y, 14, 1.5, 4)
    near = np.clip((canvas.y - y) / (canvas.tall - y), 0, 1)
    canvas.paint(hour.at(0.75) * (0.5 + 0.35 * wet)[..., None], road)
    shine = np.exp(-(((canvas.x - x) / (0.02 + 0.5 * near)) ** 2)) * wet * (canvas.y > y)
    canvas.light(mix(hour.sun, hour.haze, 0.3), shine * 0.55)
    for side in (-1, 1):
        _terrace(canvas, sky, (x, y), side)
    _lamps(canvas, hour.sun, (x, y))
    canvas.glow(x, y, 0.16, hour.sun, 0.55)


def _terrace(canvas: Canvas, sky: Sky, vanishing: tuple[float, float], side: int) -> None:
    """Stand houses along one side of a street, each in its own height."""
    x, y = vanishing
    hour = sky.hour
    edge = canvas.between(0.5, 0.95)
    far = 0.03
    while far < 1.6:
        following = far * canvas.between(1.35, 1.8)
        high = canvas.between(0.7, 1.7)
        near_x, far_x = x + side * edge * following, x + side * edge * far
        walls, windows = canvas.stencil(), canvas.stencil()
        walls.polygon(
            [
                (far_x, y + 0.42 * far),
                (far_x, y - high * far),
                (near_x, y - high * following),
                (near_x, y + 0.42 * following),
            ]
        )
        own = np.random.default_rng(canvas.rng.integers(2**63))
        for floor in range(14):
            for pane in range(5):
                if own.random() > 0.15 + 0.5 * max(hour.stars, 0.35):
                    continue
                at = [far + (following - far) * (0.08 + 0.18 * pane + part) for part in (0, 0.095)]
                low = 0.3 - floor * 0.13
                up = low - 0.075
                if up < -high + 0.08:
                    continue
                windows.polygon(
                    [
                        (x + side * edge * at[0], y + low * at[0]),
                        (x + side * edge * at[0], y + up * at[0]),
                        (x + side * edge * at[1], y + up * at[1]),
                        (x + side * edge * at[1], y + low * at[1]),
                    ],
                    fill=float(own.uniform(0.35, 1)),
                )
        depth = min(1.0, 0.25 + far * 1.1)
        mask = walls.mask()
        grain = 0.85 + 0.3 * canvas.noise(6, 4)
        canvas.paint(hour.at(depth) * grain[..., None], mask)
        canvas.light(hour.sun, mask * np.float32(0.16 * (1 - depth)))
        lit = windows.mask() * mask
        canvas.light(
            _LAMPS[int(own.integers(len(_LAMPS)))],
            lit * np.float32(0.35 + 0.55 * hour.stars)
            + blurred(lit, canvas.short * 0.015) * np.float32(hour.stars * 0.6),
        )
        far = following


def _lamps(canvas: Canvas, sun: Plane, vanishing: tuple[float, float]) -> None:
    x, y = vanishing
    side = canvas.side()
    posts, bulbs = canvas.stencil(), canvas.stencil()
    for near in (0.12, 0.2, 0.34, 0.6, 1.05):
        at_x = x + side * 0.36 * near
        posts.line(
            [
                (at_x, y + 0.42 * near),
                (at_x, y - 0.38 * near),
                (at_x - side * 0.1 * near, y - 0.42 * near),
            ],
            0.014 * near,
        )
        bulbs.ellipse(at_x - side * 0.11 * near, y - 0.415 * near, 0.02 * near)
        canvas.glow(at_x - side * 0.11 * near, y - 0.41 * near, 0.09 * near, colour("#ffd28a"), 0.8)
    canvas.paint(colour("#0a0a10"), posts.mask() * 0.9)
    canvas.paint(mix(sun, colour("#fff3d0"), 0.7), bulbs.mask())


FAMILY = Family(
    "city",
    Vocabulary(
        "city cities skyline* urban street* building* skyscraper* downtown metropolis "
        "traffic tokyo york london paris apartment* "
        "architect* office* taxi* suburb* avenue mayor",
        "night work* business* company corporate people modern crowd* job* house* "
        "housing rent* town* commut* construct* real estate neon shop* restaurant* bus",
    ),
    draw,
    roams=True,
)
