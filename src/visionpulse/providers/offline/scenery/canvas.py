"""The canvas every scene is drawn on: noise, washes, light and cut-out shapes, in floats.

Lengths are in units of the shorter side, so that a circle is round on any canvas: `x` runs from 0
to `wide`, `y` from 0 (top) to `tall`, one of which is 1. Colours are RGB from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Plane = npt.NDArray[np.floating[Any]]
"""A picture of one value per pixel, a curve of one per column, or a colour of three."""
Points = Sequence[tuple[float, float]]


def colour(code: str) -> Plane:
    """Return `#rrggbb` as RGB from 0 to 1."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def colours(codes: str) -> Plane:
    """Return several codes, separated by spaces, as rows of RGB."""
    return np.stack([colour(code) for code in codes.split()])


def mix(first: Plane, second: Plane, share: float) -> Plane:
    """Return a colour between two; `share` is the second's."""
    return first + (second - first) * np.float32(share)


def ramp(value: Plane, stops: Plane) -> Plane:
    """Colour a plane: 0 becomes the first of the colours, 1 the last."""
    # A table of colours is an order of magnitude faster than interpolating each pixel.
    steps = 2048
    at, place = np.linspace(0, 1, steps), np.linspace(0, 1, len(stops))
    table = np.stack([np.interp(at, place, stops[:, c]) for c in range(3)], -1).astype(np.float32)
    return table.take((np.clip(value, 0, 1) * (steps - 1)).astype(np.int32), 0)


def resized(plane: Plane, width: int, height: int) -> Plane:
    """Scale a plane: smoothly when it grows, by averages when it shrinks."""
    smaller = width < plane.shape[1]
    how = Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(plane).resize((width, height), how), np.float32)


def blurred(plane: Plane, sigma: float) -> Plane:
    """Blur a plane or a picture; `sigma` in pixels."""
    if plane.ndim == 3:
        return np.stack([blurred(plane[..., c], sigma) for c in range(plane.shape[2])], -1)
    # At half the blur's own scale nothing is lost, and a wide blur costs no more than a narrow one.
    shrink = max(1, int(sigma / 2))
    height, width = plane.shape
    small = resized(np.ascontiguousarray(plane), max(1, width // shrink), max(1, height // shrink))
    soft = _convolved(small, sigma / shrink)
    return soft if shrink == 1 else resized(soft, width, height)


def moved(plane: Plane, down: int, across: int) -> Plane:
    """Move a plane by whole pixels; the edge it comes from is repeated."""
    height, width = plane.shape[:2]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - across, 0, width - 1)
    return plane[rows][:, columns]


def _convolved(plane: Plane, sigma: float) -> Plane:
    reach = max(1, int(2.6 * sigma))
    at = np.arange(-reach, reach + 1)
    kernel = np.exp(-(at**2) / (2 * sigma**2)).astype(np.float32)
    kernel /= kernel.sum()
    for axis in (0, 1):
        size = plane.shape[axis]
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        padded = np.pad(plane, padding, mode="edge")
        total = np.zeros_like(plane)
        for step, weight in enumerate(kernel):
            total += weight * padded.take(range(step, step + size), axis=axis)
        plane = total
    return plane


def rough(
    rng: np.random.Generator,
    size: tuple[int, int],
    cells: tuple[float, float],
    octaves: int,
    gain: float,
) -> Plane:
    """Return fractal noise from 0 to 1.

    Octaves finer than two pixels are left out, and the generator is used once whatever the size,
    so that a scene has the same composition at every size.

    Args:
        rng: Where the randomness comes from.
        size: Width and height in pixels.
        cells: Lumps along the width and along the height.
        octaves: Levels of detail, each twice as fine as the one before.
        gain: How loud each finer level is.
    """
    own = np.random.default_rng(rng.integers(2**63))
    width, height = size
    across, down = (max(1.0, count) for count in cells)
    columns, rows = int(np.ceil(across)) + 3, int(np.ceil(down)) + 3
    total = own.random((rows, columns), np.float32)
    amplitude, scale = 1.0, 1
    for _ in range(octaves - 1):
        if across * scale * 4 > width or down * scale * 4 > height:
            break
        scale *= 2
        amplitude *= gain
        total = resized(total, columns * scale, rows * scale)
        total += np.float32(amplitude) * own.random(total.shape, np.float32)
    # One lump of margin on each side: the edge of a resized grid is flat.
    box = (scale, scale, scale * (1 + across), scale * (1 + down))
    grown = Image.fromarray(total).resize(size, Image.Resampling.BICUBIC, box=box)
    plane = np.array(grown, np.float32)
    low, high = np.percentile(plane[::4, ::4], (1, 99))
    return np.clip((plane - low) / (high - low + 1e-6), 0, 1)


class Canvas:
    """A picture being painted.

    Args:
        width: Pixels.
        height: Pixels.
        rng: Every choice of the painter comes from here.
    """

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.width = width
        self.height = height
        self.short: int = min(width, height)
        self.wide: float = width / self.short
        self.tall: float = height / self.short
        self.rng = rng
        self.x: Plane = ((np.arange(width, dtype=np.float32) + 0.5) / self.short)[None, :]
        self.y: Plane = ((np.arange(height, dtype=np.float32) + 0.5) / self.short)[:, None]
        self.pixels: Plane = np.zeros((height, width, 3), np.float32)
        self.origin: tuple[int, int] = (0, 0)

    def window(self, x: float, y: float, reach: float) -> Canvas:
        """Return the part within `reach` of a point, to paint a small thing at little cost.

        It shares pixels, coordinates and chance with the whole.
        """
        left, right = _span(x - reach, x + reach, self.short, self.origin[0], self.width)
        top, bottom = _span(y - reach, y + reach, self.short, self.origin[1], self.height)
        part = Canvas.__new__(Canvas)
        part.width, part.height, part.short = right - left, bottom - top, self.short
        part.wide, part.tall = part.width / self.short, part.height / self.short
        part.rng = self.rng
        part.x, part.y = self.x[:, left:right], self.y[top:bottom]
        part.pixels = self.pixels[top:bottom, left:right]
        part.origin = (self.origin[0] + left, self.origin[1] + top)
        return part

    def between(self, low: float, high: float) -> float:
        """Return a random number."""
        return float(self.rng.uniform(low, high))

    def side(self) -> int:
        """Return -1 or 1 at random."""
        return 1 if self.rng.random() < 0.5 else -1

    def chance(self, share: float) -> bool:
        """Return True in this share of cases."""
        return bool(self.rng.random() < share)

    def noise(self, cells: float, octaves: int = 5, gain: float = 0.5, stretch: float = 1) -> Plane:
        """Return fractal noise from 0 to 1.

        Args:
            cells: Lumps along the shorter side.
            octaves: Levels of detail.
            gain: How loud each finer level is.
            stretch: How many times wider than high a lump is.
        """
        lumps = (cells * self.wide, cells * self.tall * stretch)
        return rough(self.rng, (self.width, self.height), lumps, octaves, gain)

    def receding(self, horizon: float, lumps: float, stretch: float = 1, octaves: int = 5) -> Plane:
        """Return noise that lies on a plane running away to the horizon, below it and above it.

        Args:
            horizon: Where it is infinitely far, as a `y`.
            lumps: How many lumps there are across a stretch as wide as it is far away.
            stretch: How many times wider than deep a lump is.
            octaves: Levels of detail.
        """
        size = 512
        texture = rough(self.rng, (size, size), (16, 16), octaves, 0.55)
        depth = 1 / np.maximum(np.abs(self.y - np.float32(horizon)), 0.004)
        pixels = np.float32(lumps * size / 16)
        # Seen from anywhere but the texture's own edge, where its reflection would show.
        across = (self.x - np.float32(self.wide / 2)) * depth * pixels + np.float32(
            size * self.between(0.3, 0.7)
        )
        away = depth * pixels * np.float32(0.35 * stretch) + 0 * across
        # Reflected at the edges of the texture: it repeats without a seam.
        column, row = (
            np.abs((at % (2 * size)) - size).astype(np.int32).clip(0, size - 1)
            for at in (across, away)
        )
        # Towards the horizon the lumps become finer than a pixel: fade to their mean.
        fine = np.clip(np.abs(self.y - horizon) * self.short / (lumps * 3), 0, 1) ** 0.7
        return texture[row, column] * fine + np.float32(0.5) * (1 - fine)

    def distance(self, x: float, y: float, flat: float = 1) -> Plane:
        """Return how far each pixel is from a point; `flat` above 1 makes the circles lie."""
        return np.hypot(self.x - np.float32(x), (self.y - np.float32(y)) * np.float32(flat))

    def ridge(self, base: float, height: float, lumps: float, roughness: float = 0.5) -> Plane:
        """Return a random skyline, one `y` per column, within `height` around `base`."""
        own = np.random.default_rng(self.rng.integers(2**63))
        curve = np.zeros(self.width, np.float32)
        amplitude, total = 1.0, 0.0
        for octave in range(8):
            cells = lumps * self.wide * 2**octave
            at = self.x[0] / np.float32(self.wide) * cells
            knots = own.random(int(cells) + 3)
            left = at.astype(int)
            part = at - left
            if octave < 3:
                part = part * part * (3 - 2 * part)
            curve += amplitude * (knots[left] * (1 - part) + knots[left + 1] * part).astype(
                np.float32
            )
            total += amplitude
            amplitude *= roughness
        return (base - height * (curve / total - 0.5) * 2).astype(np.float32)

    def below(self, curve: Plane, soft: float = 0) -> Plane:
        """Return the mask of what lies under a skyline; `soft` is the width of its edge."""
        return np.clip((self.y - curve[None, :]) / max(soft, 1.2 / self.short) + 0.5, 0, 1)

    def column(self, x: float) -> int:
        """Return the pixel column of an `x`, moved into the picture."""
        return int(np.clip(x * self.short, 0, self.width - 1))

    def paint(self, what: Plane, mask: Plane | None = None) -> None:
        """Lay a colour or a picture over the canvas where the mask is 1."""
        if mask is None:
            self.pixels[:] = what
            return
        for part, source, share in self._channels(what, mask):
            part[...] += (source - part) * share

    def light(self, what: Plane, mask: Plane) -> None:
        """Add light: a colour, as bright as the mask, without burning out."""
        for part, source, share in self._channels(what, mask):
            part[...] += (1 - np.minimum(part, 1)) * np.clip(share * source, 0, 1)

    def _channels(self, what: Plane, mask: Plane) -> Iterator[tuple[Plane, Plane, Plane]]:
        """Yield, for red, green and blue, what is painted on, what with, and how strongly.

        One channel at a time is much faster than all three, and most masks are empty in most rows.
        """
        mask = np.broadcast_to(mask, (self.height, self.width))
        what = np.broadcast_to(what, self.pixels.shape)
        used = np.flatnonzero(mask.max(axis=1) > 0.002)
        if used.size:
            rows = slice(int(used[0]), int(used[-1]) + 1)
            for channel in range(3):
                yield self.pixels[rows, :, channel], what[rows, :, channel], mask[rows]

    def shade(self, mask: Plane) -> None:
        """Darken the canvas by the mask: 0 leaves it, 1 is black."""
        self.pixels *= 1 - np.clip(mask, 0, 1)[..., None]

    def glow(self, x: float, y: float, radius: float, what: Plane, strength: float = 1) -> None:
        """Light a soft spot that is half gone at `radius`."""
        spread = np.exp(-((self.distance(x, y) / (radius * 1.2)) ** 1.4))
        self.light(what, spread * np.float32(strength))

    def stencil(self) -> Stencil:
        """Return an empty stencil of this canvas' size."""
        return Stencil(self)


def _span(low: float, high: float, scale: int, origin: int, size: int) -> tuple[int, int]:
    """Return the pixels between two coordinates, at least two and inside the picture."""
    first = int(np.clip(np.floor(low * scale) - origin, 0, size - 2))
    return first, int(np.clip(np.ceil(high * scale) - origin, first + 2, size))


class Stencil:
    """Cut-out shapes, drawn at twice the size so that their edges are smooth."""

    def __init__(self, canvas: Canvas) -> None:
        self._size = (canvas.width, canvas.height)
        self._scale = canvas.short * 2
        self._origin = (canvas.origin[0] * 2, canvas.origin[1] * 2)
        self._image = Image.new("L", (canvas.width * 2, canvas.height * 2), 0)
        self._draw = ImageDraw.Draw(self._image)

    def polygon(self, points: Points, fill: float = 1) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._pixels(points), fill=round(255 * fill))

    def ellipse(
        self, x: float, y: float, across: float, down: float | None = None, fill: float = 1
    ) -> None:
        """Fill an ellipse by its centre and radii."""
        down = across if down is None else down
        box = self._pixels([(x - across, y - down), (x + across, y + down)])
        self._draw.ellipse(box, fill=round(255 * fill))

    def box(self, left: float, top: float, right: float, bottom: float, fill: float = 1) -> None:
        """Fill a rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill)

    def line(self, points: Points, width: float, fill: float = 1) -> None:
        """Draw a line with round joints."""
        pixels = max(1, round(width * self._scale))
        self._draw.line(self._pixels(points), fill=round(255 * fill), width=pixels, joint="curve")

    def mask(self) -> Plane:
        """Return what has been drawn."""
        small = self._image.resize(self._size, Image.Resampling.BOX)
        return np.asarray(small, np.float32) / np.float32(255)

    def _pixels(self, points: Points) -> list[tuple[float, float]]:
        left, top = self._origin
        return [(x * self._scale - left, y * self._scale - top) for x, y in points]
