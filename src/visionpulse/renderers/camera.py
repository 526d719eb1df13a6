"""Where the camera looks. A slow move over a still, from one window to another.

A window has the film's aspect and lies inside the picture, so a move never shows an edge. What a
fixed crop would lose (above and below a square picture on 16:9) is where a pan travels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, pi, sin
from typing import NamedTuple

from visionpulse.models import Motion

ZOOM = 1.12
PAN_PER_SECOND = 0.056
"""Fastest pan, as a part of the window: two pixels a frame down a film of 1080 at 30 a second."""
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
    ramp: int
    """Frames in which it gathers speed, and again in which it loses it; even."""

    def at(self, frame: int) -> Window:
        """Return what is seen at a frame of the move, from 0."""
        way = self._way(frame)
        return Window(*(a + (b - a) * way for a, b in zip(self.start, self.end, strict=True)))

    def _way(self, frame: int) -> float:
        """Return how much of the way is done: speed rises and falls as a raised cosine.

        The speed has no corner, so that neither the start nor the stop is seen.
        """
        last = self.frames - 1
        if 2 * frame > last:
            return 1 - self._way(last - frame)
        if frame >= self.ramp:
            return (frame - self.ramp / 2) / max(1, last - self.ramp)
        turn = pi * frame / self.ramp
        return self.ramp * (turn - sin(turn)) / pi / 2 / (last - self.ramp)


def plan(
    motion: Motion, picture: tuple[int, int], film: tuple[int, int], frames: int, fps: int
) -> Camera:
    """Plan a move over a picture for a film of some size; sizes are width and height."""
    ramp = 2 * floor(min(0.3 * (frames - 1), RAMP_SECONDS * fps) / 2)
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
            axis = 0 if motion in ("left", "right") else 1
            room = picture[axis] - wide[axis + 2]
            window = wide if room >= wide[axis + 2] * (1 - 1 / ZOOM) else close
            speed = PAN_PER_SECOND * film[axis] / fps
            near, far = _pan(axis, picture, window, film, max(1, frames - 1 - ramp), speed)
            return (
                Camera(far, near, frames, ramp)
                if motion in ("left", "up")
                else Camera(near, far, frames, ramp)
            )


def _pan(
    axis: int,
    picture: tuple[int, int],
    window: Window,
    film: tuple[int, int],
    steps: int,
    speed: float,
) -> tuple[Window, Window]:
    """Return the ends of a pan of so many steps at full speed, in pixels of the film a frame."""
    pixel = window[axis + 2] / film[axis]
    room = picture[axis] - window[axis + 2]
    travel = _whole(min(speed, room / pixel / steps)) * steps * pixel
    near = min(max(ANCHOR[axis] * room - travel / 2, 0), room - travel)
    first, last = (window._replace(**{("left", "top")[axis]: at}) for at in (near, near + travel))
    return first, last


def _whole(speed: float) -> float:
    """Return a speed at which the picture falls on whole pixels, always or every few frames.

    Such frames need no interpolation, and x264 finds them again with a sixth less work.
    """
    if speed >= 1:
        return floor(speed)
    return next((part for part in (1 / 2, 1 / 4) if speed >= part), speed)


def _centred(picture: tuple[int, int], film: tuple[int, int], zoom: float) -> Window:
    scale = min(picture[0] / film[0], picture[1] / film[1]) / zoom
    width, height = film[0] * scale, film[1] * scale
    return Window(
        (picture[0] - width) * ANCHOR[0], (picture[1] - height) * ANCHOR[1], width, height
    )
