"""Skies: the hour of the day that colours a scene, the sun or moon in it, clouds and stars."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Vocabulary
from visionpulse.providers.offline.scenery.canvas import (
    Canvas,
    Plane,
    blurred,
    colour,
    colours,
    mix,
    moved,
    ramp,
)


@dataclass(frozen=True)
class Hour:
    """How the light is: colours of the sky from top to horizon, of sun or moon, of shadow."""

    sky: Plane
    sun: Plane
    shadow: Plane
    stars: float = 0
    disc: bool = True

    @property
    def haze(self) -> Plane:
        """What far things fade into."""
        return mix(self.sky[-1], self.sky[-2], 0.45)

    def at(self, depth: float, ground: Plane | None = None) -> Plane:
        """Return the colour of land: 0 is far away in the haze, 1 is near."""
        near = (
            self.shadow
            if ground is None
            else mix(ground * (0.35 + 0.65 * self.sun), self.shadow, 0.35)
        )
        return mix(self.haze, near, depth)


_HOURS = {
    "dawn": Hour(
        colours("#33457a #7d78a8 #d79aa8 #f7c7a0 #fdeccb"), colour("#fff0cf"), colour("#2a2440")
    ),
    "morning": Hour(
        colours("#4f8fc0 #8fbcd6 #c5dde2 #efe9d3 #fff6df"), colour("#fff7dd"), colour("#22343c")
    ),
    "noon": Hour(
        colours("#1f6fb8 #4f9bd4 #8cc3e6 #c3e0ee #e6f1f2"), colour("#fffdf2"), colour("#173042")
    ),
    "golden": Hour(
        colours("#3f5f86 #8c8a92 #d9a86e #f6c473 #ffe7a8"), colour("#ffe6a0"), colour("#2b1c16")
    ),
    "sunset": Hour(
        colours("#2a2350 #6d3a70 #c65463 #f2874f #ffcf7f"), colour("#ffdc94"), colour("#1b1024")
    ),
    "dusk": Hour(
        colours("#141a3c #34336a #6d5590 #b97a9c #f0b3a0"),
        colour("#ffd3b0"),
        colour("#0e0c20"),
        0.35,
    ),
    "blue": Hour(
        colours("#081a33 #123a5c #2a6383 #5d93a4 #a8c8c4"),
        colour("#e6f2e4"),
        colour("#050f1c"),
        0.5,
    ),
    "night": Hour(
        colours("#04071a #0a1433 #12254d #1e3a66 #345a80"), colour("#e4ecff"), colour("#02040c"), 1
    ),
    "emerald": Hour(
        colours("#06222b #0d4a4d #2f7f72 #86b38a #e3dca0"),
        colour("#fff3bd"),
        colour("#04161a"),
        0.2,
    ),
    "overcast": Hour(
        colours("#5b6873 #7f8b94 #a2acb1 #c3cacb #dde0dd"),
        colour("#eef0ee"),
        colour("#1c2428"),
        0,
        disc=False,
    ),
}

_WORDS = {
    "dawn": Vocabulary("dawn* sunrise* daybreak awaken* morning"),
    "morning": Vocabulary("morning* fresh spring breakfast early"),
    "noon": Vocabulary("noon midday summer* bright* sunny daylight sunlit"),
    "golden": Vocabulary("golden autumn* harvest* warm* afternoon* amber"),
    "sunset": Vocabulary("sunset* evening* burning crimson fiery"),
    "dusk": Vocabulary("dusk twilight violet purple lavender"),
    "blue": Vocabulary("calm quiet* cold cool silent* lonely"),
    "night": Vocabulary("night* midnight* moon* star stars starry dark* sleep* dream*"),
    "emerald": Vocabulary("emerald mystic* ancient myth* legend* magic*"),
    "overcast": Vocabulary("overcast grey gray cloudy rain rainy fog* mist* gloom*"),
}


def pick_hour(brief: Brief, canvas: Canvas, among: Collection[str] = tuple(_HOURS)) -> Hour:
    """Choose the hour the words call for, or any one, and shift it a little."""
    name = brief.choose({each: _WORDS[each] for each in _HOURS if each in among})
    hour = _HOURS[name] if name else _HOURS["golden"]
    shift = canvas.rng.uniform(-0.035, 0.035, 3).astype(np.float32)
    bright = np.float32(canvas.between(0.86, 1.08))
    sky = np.clip((hour.sky + shift) * bright, 0, 1)
    return Hour(sky, hour.sun, hour.shadow, hour.stars, hour.disc)


@dataclass(frozen=True)
class Sky:
    """What a painted sky tells the land below it."""

    hour: Hour
    horizon: float
    sun_x: float
    sun_y: float

    @property
    def lit_from(self) -> int:
        """1 when the light comes from the right half's side of a typical thing, else -1."""
        return 1 if self.sun_x > 0.5 else -1


def paint_sky(
    canvas: Canvas,
    hour: Hour,
    horizon: float,
    *,
    sun: tuple[float, float] | None = None,
    clouds: float | None = None,
) -> Sky:
    """Paint a sky down to the horizon and the haze below it.

    Args:
        canvas: What is painted on.
        hour: Its colours.
        horizon: Where it ends, as a `y`.
        sun: Where sun or moon stands; None: anywhere above the horizon.
        clouds: Cover from 0 to 1; None: any.
    """
    sun_x, sun_y = sun or (
        canvas.wide * canvas.between(0.08, 0.92),
        horizon * (1 - canvas.between(0.02, 0.75) ** 1.3),
    )
    tilt = canvas.between(-0.35, 0.35) * (canvas.x / canvas.wide - 0.5)
    height = np.clip(canvas.y / horizon + tilt * (canvas.y < horizon), 0, 1) ** np.float32(
        canvas.between(0.7, 1.5)
    )
    canvas.paint(ramp(height, hour.sky))
    far = canvas.distance(sun_x, sun_y)
    canvas.light(
        hour.sun, np.exp(-((far / canvas.between(0.25, 0.5)) ** 1.2)) * canvas.between(0.35, 0.65)
    )
    if hour.stars:
        scatter_stars(canvas, hour.stars, horizon)
    kind = canvas.rng.integers(3)
    size = canvas.between(0.028, 0.085)
    if hour.disc:
        canvas.paint(
            np.clip(hour.sun * 1.1, 0, 1),
            np.clip((size - far) * canvas.short / 2 + 0.5, 0, 1) * 0.96,
        )
        if hour.stars >= 1:
            craters = canvas.noise(9, 3)
            canvas.shade(
                np.clip((size - far) / size, 0, 1) ** 0.3 * (far < size) * (craters > 0.55) * 0.12
            )
    cover = canvas.between(0.25, 0.95) if clouds is None else clouds
    if cover > 0:
        if kind == 0:
            _streaks(canvas, hour, horizon, far, cover)
        else:
            _heaps(canvas, hour, horizon, (sun_x, sun_y), cover)
    return Sky(hour, horizon, sun_x / canvas.wide, sun_y)


def scatter_stars(canvas: Canvas, amount: float, horizon: float) -> None:
    """Sprinkle stars, fading towards the horizon."""
    count = int(700 * amount * canvas.wide * canvas.tall)
    rng = np.random.default_rng(canvas.rng.integers(2**63))
    at_x, at_y = rng.random(count), rng.random(count)
    bright = rng.random(count).astype(np.float32) ** 5
    points = np.zeros((canvas.height, canvas.width), np.float32)
    points[(at_y * canvas.height).astype(int), (at_x * canvas.width).astype(int)] = bright
    grain = max(1.0, canvas.short / 1100)
    # A star is as small as a pixel: in a small picture it would be large, so it is dim.
    points = blurred(points, 0.75 * grain) * np.float32(
        5 * grain * grain * min(1.0, canvas.short / 900)
    )
    fade = np.clip(1 - canvas.y / np.float32(horizon), 0, 1) ** 0.6
    canvas.light(colour("#eef2ff"), points * fade * np.float32(amount))


def _streaks(canvas: Canvas, hour: Hour, horizon: float, far: Plane, cover: float) -> None:
    veil = canvas.noise(canvas.between(1.5, 3), 6, 0.55, stretch=canvas.between(3, 6))
    mass = canvas.noise(1.1, 2)
    band = np.clip((horizon - canvas.y) / 0.12, 0, 1)
    density = np.clip((veil * 0.65 + mass * 0.55 - 0.95 + 0.55 * cover) * 2.6, 0, 1) * band
    lit = np.exp(-((far / 0.4) ** 2))
    canvas.paint(mix(hour.sky[-2], hour.sun, 0.4), density * (0.2 + 0.6 * lit))
    canvas.paint(
        mix(hour.sky[1], hour.shadow, 0.15), np.clip(density - 0.45, 0, 1) * (1 - lit) * 0.9
    )


def _heaps(
    canvas: Canvas, hour: Hour, horizon: float, sun: tuple[float, float], cover: float
) -> None:
    heap = canvas.noise(canvas.between(1.6, 3.2), 7, 0.56, stretch=canvas.between(1.3, 2.4))
    mass = canvas.noise(0.9, 2)
    band = np.clip((horizon - canvas.y) / 0.16, 0, 1)
    thick = np.clip((heap * 0.75 + mass * 0.55 - 1.0 + 0.5 * cover) * 5, 0, 1) * band
    # Lit where the cloud thins towards the sun: one sample of the density in that direction.
    soft = blurred(thick, canvas.short * 0.012)
    reach = int(canvas.short * 0.035)
    step_x = int(np.sign(sun[0] - canvas.wide / 2) * reach)
    nearer = moved(soft, reach if sun[1] < 0.6 * horizon else -reach, -step_x)
    facing = np.clip(0.55 + (soft - nearer) * 1.6 + (heap - 0.6) * 0.5, 0, 1)
    bright = mix(hour.sky[-1], hour.sun, 0.65)
    dark = mix(hour.sky[0], hour.sky[-2], 0.4) * 0.85
    canvas.paint(ramp(facing, np.stack([dark, mix(dark, bright, 0.55), bright])), thick * 0.9)
