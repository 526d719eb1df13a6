"""Fire: a volcano at night, flames against the dark, a single candle."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import (
    Canvas,
    blurred,
    colour,
    colours,
    mix,
    moved,
    ramp,
)
from visionpulse.providers.offline.scenery.sky import Hour, scatter_stars

_HEAT = colours("#120305 #5a0d06 #c3310a #ff8a1e #ffd76a #fffbe6")
_KINDS = {
    "volcano": Vocabulary(
        "volcan* lava magma erupt* crater* ash geolog* tectonic* pompeii mountain* earth*"
    ),
    "flames": Vocabulary(
        "fire* flame* burn* blaze* wildfire* forge* furnace* camp* dragon* heat hot phoenix"
    ),
    "candle": Vocabulary(
        "candle* hope* pray* faith* memory memories remember* peace* light prayer* "
        "birthday* soul* spirit*"
    ),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw one of three fires."""
    kind = brief.choose(_KINDS)
    if kind == "volcano":
        _volcano(canvas)
    elif kind == "candle":
        _candles(canvas)
    else:
        _flames(canvas)


def _volcano(canvas: Canvas) -> None:
    night = Hour(
        colours(
            (
                "#0a0716 #1d1030 #4a1a38 #a33a26 #f08a3c",
                "#070d18 #12223a #34384e #7d4a3a #e0843c",
                "#160a0a #351414 #6d2318 #bf4a1c #ffb04c",
            )[int(canvas.rng.integers(3))]
        ),
        colour("#ffb347"),
        colour("#080406"),
        0.6,
    )
    ground = canvas.tall * canvas.between(0.72, 0.95)
    canvas.paint(ramp(np.clip(canvas.y / ground, 0, 1) ** 1.3, night.sky))
    scatter_stars(canvas, 0.8, ground * 0.7)
    x, top = canvas.wide * canvas.between(0.15, 0.85), ground - canvas.between(0.28, 0.6)
    smoke = canvas.noise(canvas.between(1.2, 2.2), 6, 0.55, stretch=canvas.between(1, 3))
    cover = np.clip((smoke - canvas.between(0.25, 0.6)) * 3, 0, 1)
    near_mouth = np.exp(-canvas.distance(x, top) / 0.35)[..., None]
    canvas.paint(
        mix(night.shadow, night.sky[1], 0.7) + night.sky[4] * near_mouth * smoke[..., None],
        cover * 0.9,
    )
    _plume(canvas, (x, top), night)
    mouth = canvas.between(0.03, 0.07)
    away = np.abs(canvas.x[0] - x)
    spread = np.where(canvas.x[0] < x, canvas.between(0.12, 0.6), canvas.between(0.12, 0.6))
    cone = top + (ground - top) * (1 - np.exp(-np.clip(away - mouth, 0, 9) / spread)) * 1.25
    curve = (cone + canvas.ridge(0, 0.012, 7, 0.6)).astype(np.float32)
    stone = canvas.noise(9, 6, 0.62, stretch=0.6)
    fall = np.clip((canvas.y - top) / (ground - top), 0, 1)
    glow = np.exp(-fall / 0.35) * np.exp(-(((canvas.x - x) / 0.25) ** 2))
    rock = (
        mix(night.shadow, night.sky[1], 0.35) * (0.5 + 0.8 * stone)[..., None]
        + _HEAT[2] * (glow * stone * 0.6)[..., None]
    )
    canvas.paint(rock, canvas.below(curve))
    _lava(canvas, x, top, ground, mouth)
    canvas.glow(x, top, 0.16, _HEAT[3], 0.9)
    for part in (0.5, 1.0):
        hill = canvas.ridge(ground + 0.05 * part, 0.05, 2.5, 0.5)
        canvas.paint(
            mix(night.sky[2] * 0.4, night.shadow, part) * (0.7 + 0.5 * stone)[..., None],
            canvas.below(hill),
        )
    _embers(canvas, (x, top), 0.35)


def _plume(canvas: Canvas, mouth: tuple[float, float], night: Hour) -> None:
    x, top = mouth
    drift = canvas.between(-0.9, 0.9)
    up = np.clip((top - canvas.y) / max(top, 0.2), 0, 1)
    middle = x + drift * up**1.6 * 0.6
    half = 0.05 + canvas.between(0.18, 0.45) * up**0.8
    billow = canvas.noise(3.5, 7, 0.58)
    body = np.clip((1.0 - np.abs(canvas.x - middle) / half + (billow - 0.5) * 1.5) * 3, 0, 1) * (
        canvas.y < top + 0.02
    )
    soft = blurred(body * billow, canvas.short * 0.012)
    step = int(canvas.short * 0.03)
    lit = np.clip((soft - moved(soft, -step, 0)) * 1.8 + 0.25 * (billow - 0.4), 0, 1) * np.exp(
        -up / 0.55
    )
    ash = mix(night.shadow, night.sky[1], 0.8) * (0.6 + 0.7 * billow)[..., None]
    canvas.paint(np.clip(ash + _HEAT[3] * lit[..., None], 0, 1), body * 0.95)
    fountain = (
        np.exp(-(((canvas.x - x - drift * 0.05 * up) / (0.02 + 0.12 * up)) ** 2))
        * np.exp(-up / 0.16)
        * (0.5 + canvas.noise(18, 4, 0.7, stretch=0.4))
        * (canvas.y < top + 0.01)
    )
    hot = np.clip(fountain, 0, 1).astype(np.float32)
    canvas.paint(ramp(hot, _HEAT), np.clip(hot * 1.6, 0, 1))


def _lava(canvas: Canvas, x: float, top: float, ground: float, mouth: float) -> None:
    glow = np.zeros((canvas.height, canvas.width), np.float32)
    down = np.clip((canvas.y - top) / (canvas.tall - top), 0, 1)
    for _ in range(int(canvas.rng.integers(2, 5))):
        aim, swing = canvas.between(-0.45, 0.45), canvas.between(0.01, 0.05)
        middle = (
            x
            + canvas.between(-0.6, 0.6) * mouth
            + aim * down**0.9
            + swing * np.sin(down * canvas.between(9, 22) + canvas.between(0, 6)) * (0.2 + down)
        )
        half = 0.005 + canvas.between(0.004, 0.024) * down
        stops = canvas.between(0.4, 1.1)
        stream = (
            np.exp(-(((canvas.x - middle) / half) ** 2))
            * (canvas.y > top - 0.005)
            * np.clip((stops - down) * 8, 0, 1)
        )
        glow = np.maximum(glow, stream.astype(np.float32))
    glow *= 0.75 + 0.4 * canvas.noise(25, 3)
    canvas.light(_HEAT[2], blurred(glow, canvas.short * 0.02) * 1.1)
    canvas.paint(ramp(np.clip(glow, 0, 1), _HEAT), np.clip(glow * 1.8, 0, 1))


def _embers(canvas: Canvas, source: tuple[float, float], reach: float) -> None:
    stencil = canvas.stencil()
    for _ in range(int(canvas.rng.integers(70, 200))):
        up = float(canvas.rng.exponential(reach * 0.7))
        size = canvas.between(0.0008, 0.0028)
        stencil.ellipse(
            source[0] + float(canvas.rng.normal(0, 0.06 + 0.4 * up)), source[1] - up, size
        )
    sparks = stencil.mask()
    canvas.light(_HEAT[3], blurred(sparks, canvas.short * 0.005) * 2.5)
    canvas.light(_HEAT[4], sparks)


def _flames(canvas: Canvas) -> None:
    """Let flames lick up from below, dense on one side, with sparks above."""
    canvas.paint(mix(colour("#0b0508"), colour("#12101c"), canvas.between(0, 1)))
    across = canvas.x / canvas.wide
    middle, spread = canvas.between(0.0, 1.0), canvas.between(0.2, 0.6)
    height = (
        canvas.tall
        * canvas.between(0.45, 0.95)
        * (0.25 + np.exp(-(((across - middle) / spread) ** 2)))
    )
    canvas.glow(middle * canvas.wide, canvas.tall, 0.6, _HEAT[2], 0.7)
    total = np.zeros((canvas.height, canvas.width), np.float32)
    for part in range(3):
        tongue = canvas.noise(3 + 2 * part, 5, 0.55, stretch=0.3)
        sway = canvas.noise(2 + part, 4, 0.5)
        columns = np.clip(
            np.arange(canvas.width)[None, :] + (sway - 0.5) * canvas.short * 0.28,
            0,
            canvas.width - 1,
        )
        tongue = np.take_along_axis(tongue, columns.astype(int), 1)
        up = (canvas.tall - canvas.y) / (height * (1 - 0.2 * part))
        total = np.maximum(
            total, np.clip((tongue * 1.5 - up * 1.15 + 0.12), 0, 1.3) * (0.72 + 0.16 * part)
        )
    canvas.light(_HEAT[2], blurred(np.clip(total, 0, 1), canvas.short * 0.05) * 0.7)
    canvas.paint(ramp(np.clip(total, 0, 1) ** 0.8, _HEAT), np.clip(total * 3, 0, 1))
    logs = canvas.stencil()
    for _ in range(int(canvas.rng.integers(3, 7))):
        x, y = (
            canvas.wide * (middle + canvas.between(-0.35, 0.35)),
            canvas.tall * canvas.between(0.93, 1.0),
        )
        lean, length = canvas.between(-0.5, 0.5), canvas.between(0.12, 0.3)
        logs.line(
            [(x - length, y + lean * length), (x + length, y - lean * length)],
            canvas.between(0.03, 0.06),
        )
    canvas.paint(colour("#140906") * (0.6 + 0.8 * canvas.noise(20, 4)[..., None]), logs.mask())
    _embers(canvas, (middle * canvas.wide, canvas.tall * 0.75), 0.5)


def _candles(canvas: Canvas) -> None:
    """Stand candles in the dark, with their light on the table and round spots behind."""
    warm = colours("#0c0709 #2a1512 #5c2e1a")
    canvas.paint(ramp(np.clip(canvas.noise(1.5, 3) * 0.7, 0, 1), warm))
    for _ in range(int(canvas.rng.integers(6, 22))):
        x, y, size = (
            canvas.between(0, canvas.wide),
            canvas.tall * canvas.between(0.05, 0.7),
            canvas.between(0.02, 0.06),
        )
        spot = np.clip((size - canvas.distance(x, y)) * canvas.short / 5, 0, 1)
        canvas.light(
            mix(colour("#ffb45c"), colour("#ff6f4a"), canvas.between(0, 1)),
            spot * canvas.between(0.1, 0.4),
        )
    table = canvas.tall * canvas.between(0.74, 0.9)
    grain = canvas.noise(3, 6, 0.6, stretch=12)
    canvas.paint(
        warm[1] * (0.5 + 0.9 * grain)[..., None],
        canvas.below(np.full(canvas.width, table, np.float32)),
    )
    x = canvas.wide * canvas.between(0.12, 0.5)
    for _ in range(int(canvas.rng.integers(1, 5))):
        _candle(
            canvas,
            x,
            table + canvas.between(0.02, 0.09),
            canvas.between(0.14, 0.42),
            canvas.between(0.03, 0.06),
        )
        x += canvas.between(0.15, 0.34)


def _candle(canvas: Canvas, x: float, foot: float, tall: float, half: float) -> None:
    top = foot - tall
    stencil = canvas.stencil()
    stencil.box(x - half, top, x + half, foot)
    stencil.ellipse(x, foot, half, half * 0.28)
    body = stencil.mask()
    round_light = np.clip(1 - np.abs((canvas.x - x) / half) ** 2 * 0.75, 0, 1)
    glow = np.exp(-np.clip(canvas.y - top, 0, 9) / (tall * 0.45))
    wax = (
        mix(colour("#3a1c10"), colour("#e8b27c"), 0.4) * (0.35 + 0.65 * round_light)[..., None]
        + _HEAT[4] * (glow * round_light * 0.75)[..., None]
    )
    canvas.paint(np.clip(wax, 0, 1), body)
    u, v = (
        (canvas.x - x) / np.float32(half * 0.42),
        (top - half * 0.2 - canvas.y) / np.float32(half * 2.3),
    )
    flame = (
        np.clip(
            1
            - np.hypot(
                u / np.clip(1.15 - v, 0.05, 2) ** 0.8 / np.clip(0.35 + v * 2.5, 0.05, 1),
                np.clip(v - 0.5, -0.5, 9) * 1.9,
            ),
            0,
            1,
        )
        * (v > -0.1)
        * (v < 1.05)
    )
    flame = blurred(flame.astype(np.float32), max(0.7, canvas.short * 0.002))
    canvas.glow(x, top - half, 0.26, colour("#ff9a3c"), 0.5)
    canvas.glow(x, top - half * 1.2, 0.07, _HEAT[4], 0.7)
    canvas.paint(ramp(np.clip(0.45 + flame * 0.9, 0, 1), _HEAT), np.clip(flame * 3, 0, 1))
    mirror = (
        np.exp(-(((canvas.x - x) / (half * 1.2)) ** 2))
        * np.exp(-np.clip(canvas.y - foot, 0, 9) / 0.12)
        * (canvas.y > foot)
    )
    canvas.light(_HEAT[3], mirror * 0.35)


FAMILY = Family(
    "fire",
    Vocabulary(
        "fire* flame* volcan* lava magma erupt* candle* blaze* burn* campfire* ember* "
        "dragon* forge* wildfire* hearth* torch* phoenix pompeii blacksmith*",
        "heat hot warm* ash smoke passion* energy danger* light hope* pray* faith* "
        "courage memory destroy* cook* steel iron metal spicy chili pepper* sun",
    ),
    draw,
)
