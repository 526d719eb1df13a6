"""Mountain ranges behind each other in the haze, with pines or a lake in front."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import Canvas, Plane, blurred, mix, moved
from visionpulse.providers.offline.scenery.sky import Sky, paint_sky, pick_hour
from visionpulse.providers.offline.scenery.trees import add_pine

_FRONTS = {
    "pines": Vocabulary("pine* tree* forest* wood* hik* camp*"),
    "lake": Vocabulary("lake* water* reflect* still river* mirror*"),
    "peak": Vocabulary("peak* summit* climb* snow* glacier* everest alpine rock*"),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw ranges from the farthest to the nearest."""
    hour = pick_hour(brief, canvas)
    horizon = canvas.tall * canvas.between(0.34, 0.78)
    sky = paint_sky(canvas, hour, horizon + 0.05)
    front = brief.choose(_FRONTS) or "peak"
    shore = canvas.tall * canvas.between(0.66, 0.84)
    ranges = int(canvas.rng.integers(3, 7))
    peak_x = canvas.between(0.1, 0.9)
    for number in range(ranges):
        depth = number / (ranges - 1)
        base = horizon + (canvas.tall * 1.02 - horizon) * depth**1.3 * 0.8
        _range(canvas, sky, base, depth, peak_x if number == (ranges > 4) else None)
    if front == "lake":
        _lake(canvas, sky, max(shore, horizon + 0.08))
    elif front == "pines":
        _pines(canvas, sky)


def _range(canvas: Canvas, sky: Sky, base: float, depth: float, peak: float | None) -> None:
    hour = sky.hour
    height = canvas.between(0.06, 0.17) * (1.1 - 0.5 * depth)
    curve = canvas.ridge(base, height, canvas.between(1.2, 2.6), canvas.between(0.48, 0.56))
    if peak is not None:
        across = np.abs(canvas.x[0] / canvas.wide - peak)
        curve = curve - canvas.between(0.12, 0.34) * np.exp(
            -((across / canvas.between(0.1, 0.25)) ** 1.2)
        )
    # A valley or a shoulder: the ranges of one picture rise to different sides.
    curve = curve + canvas.between(-0.16, 0.16) * (canvas.x[0] / canvas.wide - 0.5)
    curve = curve.astype(np.float32)
    mask = canvas.below(curve)
    depth_below = np.clip((canvas.y - curve[None, :]) / 0.3, 0, 1)
    body = np.broadcast_to(hour.at(0.12 + 0.88 * depth**0.8), canvas.pixels.shape)
    body = body + (hour.haze - body) * (depth_below[..., None] ** 1.3 * (0.65 * (1 - depth) ** 0.8))
    relief = _relief(canvas, curve, sky)
    body = body * (1 + (relief * (0.25 + 0.45 * depth))[..., None])
    snow = np.clip(relief * 2.2, 0, 1) * np.clip(1 - depth_below * 2.4, 0, 1) * (peak is not None)
    body = body + (mix(hour.sun, hour.haze, 0.3) - body) * (snow * 0.8)[..., None]
    canvas.paint(np.clip(body, 0, 1), mask)
    mist = np.exp(-(((canvas.y - base - 0.1) / 0.07) ** 2)) * canvas.noise(2, 3, stretch=2.5)
    canvas.light(mix(hour.haze, hour.sun, 0.3), mist * np.float32(0.4 * (1 - depth)))


def _relief(canvas: Canvas, curve: Plane, sky: Sky) -> Plane:
    """Return light and shade on a range: faces that fall towards the sun are brighter."""
    stone = canvas.noise(5, 6, 0.6, stretch=0.7)
    slope = np.gradient(blurred(np.tile(curve, (2, 1)), canvas.short * 0.012)[0]) * 1.0
    tilt = np.clip(-slope * sky.lit_from * -1, -1, 1)[None, :] * np.exp(
        -np.clip(canvas.y - curve[None, :], 0, 9) / 0.09
    )
    step = max(1, canvas.short // 160)
    grain = stone - moved(stone, step, step * sky.lit_from)
    return np.clip(grain * 3.0 + tilt * 0.6, -0.8, 1).astype(np.float32)


def _lake(canvas: Canvas, sky: Sky, shore: float) -> None:
    """Mirror what stands above the shore line, darker and broken by ripples."""
    first = min(canvas.height - 2, round(shore * canvas.short))
    count = canvas.height - first
    rows = np.clip(first - 1 - np.arange(count) * first / max(count, first), 0, first).astype(int)
    mirror = canvas.pixels[rows]
    ripple = canvas.noise(6, 4, stretch=14)[first:]
    sway = ((ripple - 0.5) * canvas.short * 0.03 * np.linspace(0.1, 1, count)[:, None]).astype(int)
    columns = np.clip(np.arange(canvas.width)[None, :] + sway, 0, canvas.width - 1)
    mirror = np.take_along_axis(mirror, columns[..., None], 1)
    water = mirror * 0.72 + sky.hour.at(0.7) * 0.16
    water += (sky.hour.sun * 0.22) * np.clip(ripple - 0.72, 0, 1)[..., None]
    canvas.pixels[first:] = np.clip(water, 0, 1)
    edge = np.exp(-(((canvas.y - shore) / 0.004) ** 2))
    canvas.paint(sky.hour.shadow, edge * 0.5)


def _pines(canvas: Canvas, sky: Sky) -> None:
    """Stand dark pines in front, denser and taller on one side."""
    ground = canvas.ridge(canvas.tall * canvas.between(0.9, 0.98), 0.03, 2)
    stencil = canvas.stencil()
    dense = canvas.side()
    for _ in range(int(canvas.rng.integers(22, 70))):
        across = canvas.rng.beta(1, 2.2)
        x = canvas.wide * (across if dense < 0 else 1 - across)
        tall = canvas.between(0.06, 0.17) * (1.7 - 1.1 * across)
        add_pine(canvas, stencil, x, float(ground[canvas.column(x)]) + 0.015, tall)
    mask = np.maximum(stencil.mask(), canvas.below(ground))
    canvas.paint(mix(sky.hour.shadow, sky.hour.sky[0], 0.08), mask)


FAMILY = Family(
    "mountains",
    Vocabulary(
        "mountain* peak* summit* alps alpine everest himalaya* andes highland* ridge* "
        "cliff* glacier* climb* mountaineer*",
        "hike* hiking trail* valley* altitude challenge* goal* achieve* courage reach* "
        "high height* overcome effort journey rock* wild*",
    ),
    draw,
    roams=True,
)
