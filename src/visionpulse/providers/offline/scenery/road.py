"""Roads and rails that run to the horizon."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import Canvas, Plane, blurred, colour, mix
from visionpulse.providers.offline.scenery.sky import Sky, paint_sky, pick_hour
from visionpulse.providers.offline.scenery.trees import TREES, add_pine, add_tree

_WAYS = {
    "road": Vocabulary(
        "road* highway* drive* driver* driving car cars route* freedom truck* "
        "motorcycle* vehicle* race*"
    ),
    "rails": Vocabulary(
        "rail* train* locomotive* steam station* track* transport* industrial engine*"
    ),
    "path": Vocabulary(
        "path* trail* walk* pilgrim* step* habit* decision* choice* crossroad* life hike*"
    ),
}
_LANDS = ("#6f7d4a", "#a8905a", "#8a6f52", "#57704a", "#b3a07a", "#6b5a66")


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw land to the horizon and the way through it."""
    hour = pick_hour(brief, canvas)
    horizon = canvas.tall * canvas.between(0.32, 0.7)
    sky = paint_sky(canvas, hour, horizon)
    way = brief.choose(_WAYS)
    for part in (0.25, 0.5)[: int(canvas.rng.integers(0, 3))]:
        canvas.paint(
            hour.at(part),
            canvas.below(canvas.ridge(horizon + 0.01, canvas.between(0.03, 0.14), 2, 0.52) - 0.02),
        )
    land = colour(_LANDS[int(canvas.rng.integers(len(_LANDS)))])
    bright = np.float32(0.22 + 0.78 * float(hour.sky[-2].mean()))
    near = np.clip((canvas.y - horizon) / (canvas.tall - horizon), 0, 1)
    soil = canvas.receding(horizon, 3, 2.2)
    tuft = canvas.receding(horizon, 16, 1.5, 4)
    tone = land * (0.35 + 0.65 * hour.sun) * bright
    ground = (
        hour.haze
        + (tone * (0.55 + 0.5 * soil + 0.3 * (tuft - 0.5))[..., None] - hour.haze)
        * (0.35 + 0.65 * near**0.6)[..., None]
    )
    canvas.paint(ground, np.clip((canvas.y - horizon) * canvas.short, 0, 1))
    middle, half = _course(canvas, near, way)
    _surface(canvas, sky, near, (middle, half), way or "road", bright)
    _beside(canvas, sky, (middle, half), way, trees=brief.allows(TREES))
    if hour.stars > 0.3 and way == "road":
        _trails(canvas, near, middle, half)


def _course(canvas: Canvas, near: Plane, way: str | None) -> tuple[Plane, Plane]:
    """Return the middle and half width of the way, by row."""
    start, end = canvas.wide * canvas.between(0.12, 0.88), canvas.wide * canvas.between(0.2, 0.8)
    curve = canvas.between(-0.5, 0.5) if way != "path" else canvas.between(-0.8, 0.8)
    swing = 0.0 if way == "rails" else canvas.between(0.02, 0.16)
    bend = (
        curve * near**0.5 * (1 - near) * canvas.wide
        + swing * np.sin(near**0.4 * canvas.between(5, 11)) * near * canvas.wide
    )
    widest = canvas.between(0.18, 0.5) if way != "path" else canvas.between(0.1, 0.24)
    return (start + (end - start) * near + bend).astype(np.float32), (0.004 + widest * near).astype(
        np.float32
    )


def _surface(
    canvas: Canvas, sky: Sky, near: Plane, course: tuple[Plane, Plane], way: str, bright: np.float32
) -> None:
    middle, half = course
    hour = sky.hour
    off = (canvas.x - middle) / half
    mask = np.clip((1 - np.abs(off)) * half * canvas.short / 1.5 + 0.5, 0, 1) * (near > 0)
    grain = canvas.receding(sky.horizon, 24, 1, 3)
    distance = 1 / np.maximum(near, 0.004)
    base = {"road": "#4b4a50", "rails": "#6a5c50", "path": "#c9a878"}[way]
    tone = colour(base) * (0.35 + 0.65 * hour.sun) * bright
    surface = (
        hour.haze
        + (tone * (0.75 + 0.4 * grain)[..., None] - hour.haze) * (0.3 + 0.7 * near**0.5)[..., None]
    )
    canvas.paint(surface, mask.astype(np.float32))
    wet = np.exp(-(((canvas.x - sky.sun_x * canvas.wide) / 0.3) ** 2)) * mask * (1 - near) ** 0.7
    canvas.light(hour.sun, wet * 0.45)
    paint = mix(hour.haze, colour("#f5ecd0") * (0.3 + 0.7 * bright), 0.85)
    if way == "road":
        dashes = np.clip((0.022 - np.abs(off)) * half * canvas.short + 0.5, 0, 1) * (
            (distance * 2.2) % 1 > 0.45
        )
        edges = np.clip((0.018 - np.abs(np.abs(off) - 0.9)) * half * canvas.short + 0.5, 0, 1)
        canvas.paint(paint, (np.maximum(dashes, edges) * mask * 0.9).astype(np.float32))
    elif way == "rails":
        sleepers = (np.abs(off) < 0.78) * ((distance * 7) % 1 > 0.55) * np.clip(near * 6, 0, 1)
        canvas.paint(tone * 0.45, (sleepers * mask * 0.85).astype(np.float32))
        rails = np.clip((0.035 - np.abs(np.abs(off) - 0.5)) * half * canvas.short + 0.5, 0, 1)
        canvas.paint(mix(hour.sky[-1], hour.sun, 0.5), (rails * mask).astype(np.float32))
    else:
        canvas.shade((np.clip(np.abs(off) - 0.7, 0, 1) * 0.6 * mask).astype(np.float32))


def _beside(
    canvas: Canvas, sky: Sky, course: tuple[Plane, Plane], way: str | None, *, trees: bool
) -> None:
    """Line the way with trees or poles on one side or both."""
    middle, half = course
    horizon = sky.horizon
    stencil = canvas.stencil()
    kind = int(canvas.rng.integers(0 if trees else 2, 2 if trees and way == "path" else 4))
    sides = (-1, 1) if canvas.chance(0.5) else (canvas.side(),)
    offset, size = canvas.between(1.25, 2.2), canvas.between(0.35, 0.85)
    last: dict[int, tuple[float, float]] = {}
    near = 0.03
    while near < 1.5:
        row = min(canvas.height - 1, int((horizon + near * (canvas.tall - horizon)) * canvas.short))
        grown = near * (canvas.tall - horizon)
        for side in sides:
            x = float(middle[row, 0] + side * offset * half[row, 0] * max(1.0, near))
            foot, tall = horizon + grown, size * near * canvas.between(0.85, 1.15)
            if kind == 0:
                add_pine(canvas, stencil, x, foot, tall)
            elif kind == 1 and tall > 0.03:
                add_tree(canvas, stencil, x, foot, tall, 1)
            elif kind == 2:
                stencil.line([(x, foot), (x, foot - tall)], 0.016 * near)
                stencil.line(
                    [(x - 0.07 * near, foot - tall * 0.9), (x + 0.07 * near, foot - tall * 0.9)],
                    0.01 * near,
                )
                if side in last:
                    sag = (
                        (x + last[side][0]) / 2,
                        (foot - tall * 0.9 + last[side][1]) / 2 + 0.03 * near,
                    )
                    stencil.line([last[side], sag, (x, foot - tall * 0.9)], 0.0022)
                last[side] = (x, foot - tall * 0.9)
        near *= canvas.between(1.25, 1.6)
    depth = np.clip((canvas.y - horizon) / (canvas.tall - horizon), 0, 1)
    tone = sky.hour.haze + (sky.hour.shadow - sky.hour.haze) * (0.75 + 0.25 * depth)[..., None]
    canvas.paint(tone, stencil.mask())


def _trails(canvas: Canvas, near: Plane, middle: Plane, half: Plane) -> None:
    """Draw the lamps of passing cars as long exposures do."""
    for side, tint in ((-1, "#ff4a2a"), (1, "#fff2c8")):
        light = np.zeros((canvas.height, canvas.width), np.float32)
        for lane in canvas.rng.uniform(0.2, 0.75, 5):
            off = canvas.x - middle - np.float32(side * lane) * half
            light += (
                np.exp(-((off / (0.0012 + 0.006 * near)) ** 2))
                * (near > 0)
                * np.clip(1.3 - near, 0.2, 1)
            )
        light = np.clip(light, 0, 1)
        canvas.light(colour(tint), light * 0.9)
        canvas.light(colour(tint), blurred(light, canvas.short * 0.012) * 0.7)


FAMILY = Family(
    "road",
    Vocabulary(
        "road* highway* drive driving car cars train* railway* rail route* travel* trip "
        "trips path* truck* motorcycle* bicycle* cycling bike* tourist* tourism engine* "
        "vehicle*",
        "journey* future* way step* go going far distance direction* freedom decision* "
        "choice* goal* progress* career* explor* walk* start* begin* adventure* habit* "
        "speed transport* electric",
    ),
    draw,
    roams=True,
)
