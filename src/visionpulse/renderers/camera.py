"""Where the camera looks. A slow move over a still, from one window to another.

A window has the film's aspect and lies inside the picture, so a move never shows an edge. What a
fixed crop would lose (above and below a square picture on 16:9) is where a pan travels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin
from typing import NamedTuple

from visionpulse.models import Motion

ZOOM = 1.12
PAN_PER_SECOND = 0.05
"""Fastest pan, as a part of the window."""
RAMP_SECONDS = 1.5
# Faces and horizons sit a little above the middle more often than below it.
ANCHOR = (0.5, 0.45)


class Window(NamedTuple):
    """A rectangle in picture coordinates."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Camera:
    """A move of `frames` frames; it starts from rest and comes to rest."""

    start: Window
    end: Window
    frames: int
    ramp: float
    """The part of the move in which it gathers speed, and again in which it loses it."""

    def at(self, frame: int) -> Window:
        """Return what is seen at a frame of the move, from 0."""
        way = _ease(frame / max(1, self.frames - 1), self.ramp)
        return Window(*(a + (b - a) * way for a, b in zip(self.start, self.end, strict=True)))


def plan(
    motion: Motion, picture: tuple[int, int], film: tuple[int, int], frames: int, fps: int
) -> Camera:
    """Plan a move over a picture for a film of some size; sizes are width and height."""
    seconds = frames / fps
    ramp = min(0.3, RAMP_SECONDS / seconds)
    wide = _centred(picture, film, 1)
    close = _centred(picture, film, ZOOM)
    match motion:
        case "in":
            return Camera(wide, close, frames, ramp)
        case "out":
            return Camera(close, wide, frames, ramp)
        case "none":
            return Camera(wide, wide, frames, ramp)
        case "left" | "right" | "up" | "down":
            first, last = _pan(motion, picture, wide, close, seconds)
            return Camera(first, last, frames, ramp)


def _pan(
    motion: Motion, picture: tuple[int, int], wide: Window, close: Window, seconds: float
) -> tuple[Window, Window]:
    axis = 0 if motion in ("left", "right") else 1
    room = picture[axis] - wide[axis + 2]
    window = wide if room >= wide[axis + 2] * (1 - 1 / ZOOM) else close
    room = picture[axis] - window[axis + 2]
    travel = min(room, window[axis + 2] * PAN_PER_SECOND * seconds)
    near = min(max(ANCHOR[axis] * room - travel / 2, 0), room - travel)
    first, last = (window._replace(**{("left", "top")[axis]: at}) for at in (near, near + travel))
    return (last, first) if motion in ("left", "up") else (first, last)


def _centred(picture: tuple[int, int], film: tuple[int, int], zoom: float) -> Window:
    scale = min(picture[0] / film[0], picture[1] / film[1]) / zoom
    width, height = film[0] * scale, film[1] * scale
    return Window(
        (picture[0] - width) * ANCHOR[0], (picture[1] - height) * ANCHOR[1], width, height
    )


def _ease(progress: float, ramp: float) -> float:
    """Return how much of the way is done: speed rises and falls as a raised cosine.

    The speed has no corner, so that neither the start nor the stop is seen.
    """
    if progress > 0.5:
        return 1 - _ease(1 - progress, ramp)
    if progress >= ramp:
        return (progress - ramp / 2) / (1 - ramp)
    return (progress - ramp / pi * sin(pi * progress / ramp)) / 2 / (1 - ramp)
