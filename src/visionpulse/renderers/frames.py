"""Stills become frames: planar YUV 4:2:0, BT.709, limited range.

A still is converted and enlarged once, and RGB is never touched again. A pan is then a slice of its
planes: they are kept shifted by the fractions of a pixel that the move needs. A zoom is three
resizes of regions of whole pixels: where the camera stands between two of them, the region begins
so much further out that one of the resized pixels falls on the wanted place. That gives the quality
of a sub-pixel warp for a third of its work.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import cycle
from math import ceil, floor
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from visionpulse.errors import RenderError
from visionpulse.models import Framing, Motion
from visionpulse.protocols import Move, Piece
from visionpulse.renderers.camera import ANCHOR, ZOOM, Camera, plan

VERSION = 2
"""Raised when the same piece gives other frames."""
MAX_PIXELS = 33_177_600
"""Largest still that is decoded: 7680x4320."""

Plane = npt.NDArray[np.integer | np.floating]
"""Bytes; OpenCV types what it returns more loosely."""
_Shifted = dict[tuple[int, int], Plane]
"""By plane and sixteenth of a pixel."""

TO_YUV: npt.NDArray[np.float64] = np.array(
    [
        [0.2126 * 219 / 255, 0.7152 * 219 / 255, 0.0722 * 219 / 255, 16],
        [-0.2126 / 1.8556 * 224 / 255, -0.7152 / 1.8556 * 224 / 255, 0.5 * 224 / 255, 128],
        [0.5 * 224 / 255, -0.7152 / 1.5748 * 224 / 255, -0.0722 / 1.5748 * 224 / 255, 128],
    ]
)
"""From R'G'B' to Y'CbCr of 8 bits and limited range: Rec. ITU-R BT.709-6, section 3."""

# A zoom's step between two pixels of a frame, in pixels of the still's planes, where the camera
# sees most. Well below 1, so that the phases are many; a zoom of 1.12 leads to 0.865.
_STEP = 31 / 32
_NEAREST = 1 / 128
"""Pixels; a phase that near is taken at once."""
_FARTHEST = 1 / 32
"""Pixels; a phase farther off would be seen as a tremble."""
_FIRST, _LAST = 2, 40
"""How many resized pixels may be skipped; two at least, which the edge of the region spoils."""
_MARGIN = _LAST + 8
_SHIFTS = 16
"""Into how many parts a pan divides a pixel."""
_TAPS = 3
"""Of the Lanczos kernel that shifts, to either side."""
_SHIFTS_KEPT = 20
"""Shifted planes that are kept while a pan is drawn: a quarter of a pixel a frame needs 17."""
# H.264 puts chroma samples above the left of two luma columns, not between them: a quarter of a
# chroma step to the left.
_SITING = 1 / 4
_SHOTS = 12
"""Prepared stills that are kept, about 6 MB each at 1920x1080."""


class Overlay(NamedTuple):
    """A bitmap over some frames of a piece; its sides and its place are even."""

    first: int
    end: int
    left: int
    top: int
    planes: tuple[Plane, Plane, Plane]
    """Multiplied by its opacity."""
    keeps: tuple[Plane, Plane, Plane]
    """What is left of the picture under it, 0 to 255."""


def frames(piece: Piece, overlays: Sequence[Overlay] = ()) -> Iterator[memoryview]:
    """Yield the piece's frames, each as its three planes one after another.

    A buffer is used again for the next frame but one: by then a pipe has done with it.

    Raises:
        RenderError: A picture cannot be used.
    """
    with one_thread:
        yield from _frames(piece, overlays)


def _frames(piece: Piece, overlays: Sequence[Overlay]) -> Iterator[memoryview]:
    size = piece.width, piece.height
    first = _shot(piece.still, size, piece.fps, piece.framing)
    second = _shot(piece.into, size, piece.fps, piece.framing) if piece.into else None
    both = _Frame(piece.width, piece.height), _Frame(piece.width, piece.height)
    other = _Frame(piece.width, piece.height)
    shifted: tuple[_Shifted, _Shifted] = {}, {}
    for number, frame in zip(range(piece.frames), cycle(both), strict=False):
        first.draw(piece.offset + number, frame, shifted[0])
        if second:
            second.draw(number, other, shifted[1])
            # Neither the first nor the last frame of a crossfade shows one picture alone.
            frame.blend(other, (number + 1) / (piece.frames + 1))
        for overlay in overlays:
            if overlay.first <= number < overlay.end:
                frame.lay(overlay)
        yield frame.data


class OneThread:
    """Keeps OpenCV to one thread a call while pieces are drawn side by side, not longer.

    The number is the process's, and others may use OpenCV in it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = cv2.getNumThreads()
                cv2.setNumThreads(1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                cv2.setNumThreads(self._before)


one_thread: OneThread = OneThread()


class _Frame:
    """A frame's planes in one buffer."""

    def __init__(self, width: int, height: int) -> None:
        luma, chroma = width * height, width * height // 4
        buffer = np.empty(luma + 2 * chroma, np.uint8)
        y, u, v = np.split(buffer, [luma, luma + chroma])
        half = (height // 2, width // 2)
        self.planes: tuple[Plane, Plane, Plane]
        self.planes = y.reshape(height, width), u.reshape(half), v.reshape(half)
        self.data: memoryview = buffer.data

    def blend(self, other: _Frame, weight: float) -> None:
        """Let another frame through."""
        for plane, through in zip(self.planes, other.planes, strict=True):
            cv2.addWeighted(plane, 1 - weight, through, weight, 0, dst=plane)

    def lay(self, overlay: Overlay) -> None:
        """Draw a bitmap over the picture."""
        for number, plane in enumerate(self.planes):
            drawn, keep = overlay.planes[number], overlay.keeps[number]
            half = min(number, 1)
            top, left = overlay.top >> half, overlay.left >> half
            place = plane[top : top + drawn.shape[0], left : left + drawn.shape[1]]
            place[...] = cv2.add(cv2.multiply(place, keep, scale=1 / 255), drawn)


class _Shot(Protocol):
    """A still as the camera sees it; several pieces may be drawn from it at once."""

    def draw(self, frame: int, into: _Frame, shifted: _Shifted) -> None:
        """Fill a frame with what is seen at a frame of the move.

        `shifted` is kept for the next frame of the same piece.
        """
        ...


@lru_cache(maxsize=_SHOTS)
def _shot(move: Move, size: tuple[int, int], fps: int, framing: Framing) -> _Shot:
    picture, motion = _decode(move.picture), move.motion
    if framing == "fit":
        picture, motion = _framed(picture, motion, size)
    camera = plan(motion, picture.size, size, move.frames, fps)
    zooms = camera.start.width != camera.end.width
    return _Zoom(picture, camera, size) if zooms else _Pan(picture, camera, size)


class _Zoom:
    """Every frame is a resize of another region."""

    def __init__(self, picture: Image.Image, camera: Camera, size: tuple[int, int]) -> None:
        self._camera, self._width = camera, size[0]
        self._scale = _STEP * size[0] / max(camera.start.width, camera.end.width)
        self._left, self._top, (luma, *chroma) = _cut(picture, camera, size[0])
        self._luma = self._enlarged(luma, self._scale)
        self._chroma = [self._enlarged(plane, self._scale / 2) for plane in chroma]

    def draw(self, frame: int, into: _Frame, shifted: _Shifted) -> None:
        window = self._camera.at(frame)
        step = window.width * self._scale / self._width
        left = (window.left - self._left) * self._scale
        top = (window.top - self._top) * self._scale
        _resize(self._luma, (left, top), step, into.planes[0], cv2.INTER_CUBIC)
        # Linear is as near to the original as cubic for chroma, at half the work.
        place = left / 2 - _SITING * step, top / 2
        for plane, out in zip(self._chroma, into.planes[1:], strict=True):
            _resize(plane, place, step, out, cv2.INTER_LINEAR)

    @staticmethod
    def _enlarged(plane: Plane, scale: float) -> Plane:
        height, width = plane.shape
        size = floor(width * scale), floor(height * scale)
        resized = _lanczos(plane, (0, 0, size[0] / scale, size[1] / scale), size)
        return _padded(resized, (_MARGIN, _MARGIN, _MARGIN, _MARGIN))


class _Pan:
    """Every frame is a slice of the still, which is kept at several fractions of a pixel."""

    def __init__(self, picture: Image.Image, camera: Camera, size: tuple[int, int]) -> None:
        self._camera, self._size = camera, size
        start, end = camera.start, camera.end
        self._pixel = start.width / size[0]
        self._left, self._top = min(start.left, end.left), min(start.top, end.top)
        self._down = start.top != end.top
        travel = abs(end.left - start.left) + abs(end.top - start.top)
        extra = ceil(travel / self._pixel) + 2
        left, top, (luma, *chroma) = _cut(picture, camera, size[0])
        width, height = size[0] + extra * (not self._down), size[1] + extra * self._down
        place = self._left - left, self._top - top
        self._planes = [_sampled(luma, place, self._pixel, (width, height))]
        place = place[0] - _SITING * 2 * self._pixel, place[1]
        for plane in chroma:
            half = width // 2 + 1, height // 2 + 1
            self._planes.append(_sampled(plane, place, 2 * self._pixel, half))

    def draw(self, frame: int, into: _Frame, shifted: _Shifted) -> None:
        window = self._camera.at(frame)
        travelled = (window.left - self._left + window.top - self._top) / self._pixel
        for number, out in enumerate(into.planes):
            whole, part = divmod(round(travelled * _SHIFTS / min(number + 1, 2)), _SHIFTS)
            plane, (height, width) = self._plane(number, part, shifted), out.shape
            out[...] = (
                plane[whole : whole + height, :width]
                if self._down
                else (plane[:height, whole : whole + width])
            )

    def _plane(self, number: int, part: int, shifted: _Shifted) -> Plane:
        if not part:
            return self._planes[number]
        found = shifted.get((number, part))
        if found is None:
            kernel = _shift(part / _SHIFTS)
            kernel = kernel.T if self._down else kernel
            found = cv2.filter2D(
                self._planes[number],
                -1,
                kernel,
                anchor=(0, _TAPS - 1) if self._down else (_TAPS - 1, 0),
                borderType=cv2.BORDER_REPLICATE,
            )
            if len(shifted) >= _SHIFTS_KEPT:
                del shifted[next(iter(shifted))]
            shifted[number, part] = found
        return found


def _cut(picture: Image.Image, camera: Camera, across: int) -> tuple[int, int, Sequence[Plane]]:
    """Return the part of a picture that the camera sees, and a little around it, as planes.

    Its corner comes first. What lies outside of the picture repeats its edge.

    Args:
        picture: All of it.
        camera: Where it looks.
        across: How many pixels a frame has from left to right.
    """
    ends = camera.start, camera.end
    # For the kernels, and for the pixel or two of a frame by which planes are rounded up.
    around = 8 + ceil(4 * camera.start.width / across)
    left, top = (floor(min(end[axis] for end in ends)) - around for axis in (0, 1))
    right, bottom = (
        ceil(max(end[axis] + end[axis + 2] for end in ends)) + around for axis in (0, 1)
    )
    width, height = picture.size
    inside = picture.crop((max(left, 0), max(top, 0), min(right, width), min(bottom, height)))
    beyond = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    yuv = cv2.transform(np.asarray(inside), TO_YUV)
    return left, top, [_padded(plane, beyond) for plane in cv2.split(yuv)]


def _padded(plane: Plane, sides: tuple[int, int, int, int]) -> Plane:
    top, bottom, left, right = sides
    return cv2.copyMakeBorder(plane, top, bottom, left, right, cv2.BORDER_REPLICATE)


def _sampled(
    plane: Plane, place: tuple[float, float], pixel: float, size: tuple[int, int]
) -> Plane:
    """Return so many pixels from a place on, each `pixel` wide."""
    left, top = place
    return _lanczos(plane, (left, top, left + size[0] * pixel, top + size[1] * pixel), size)


def _lanczos(plane: Plane, box: tuple[float, float, float, float], size: tuple[int, int]) -> Plane:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.LANCZOS, box))


def _resize(
    plane: Plane, place: tuple[float, float], step: float, out: Plane, interpolation: int
) -> None:
    """Fill `out` with what lies from `place` in a padded plane on, every `step` pixels."""
    height, width = out.shape
    x, y = place[0] + _MARGIN, place[1] + _MARGIN
    (left, skip_left, apart), (top, skip_top, below) = _phase(x, step), _phase(y, step)
    if max(apart, below) > _FARTHEST:
        # Where the step is nearly a simple fraction there are few phases: then a real warp.
        matrix = np.array([[step, 0, x + step / 2 - 0.5], [0, step, y + step / 2 - 0.5]])
        flags = interpolation | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(plane, matrix, (width, height), dst=out, flags=flags)
        return
    right = left + ceil((skip_left + width) * step) + 2
    bottom = top + ceil((skip_top + height) * step) + 2
    resized = cv2.resize(
        plane[top:bottom, left:right], None, fx=1 / step, fy=1 / step, interpolation=interpolation
    )
    out[...] = resized[skip_top : skip_top + height, skip_left : skip_left + width]


def _phase(place: float, step: float) -> tuple[int, int, float]:
    """Return a whole pixel, how many steps from there lead nearest to `place`, and how near."""
    best = (1.0, 0, 0)
    for skip in range(_FIRST, _LAST):
        start = place - skip * step
        pixel = round(start)
        best = min(best, (abs(start - pixel), pixel, skip))
        if best[0] < _NEAREST:
            break
    return best[1], best[2], best[0]


@lru_cache
def _shift(part: float) -> npt.NDArray[Any]:
    """Return Lanczos' kernel for a shift by a part of a pixel, as a row."""
    at = np.arange(1 - _TAPS, _TAPS + 1) - part
    kernel: npt.NDArray[Any] = np.asarray(np.sinc(at) * np.sinc(at / _TAPS), np.float32)
    return np.atleast_2d(kernel / kernel.sum())


def _framed(
    picture: Image.Image, motion: Motion, film: tuple[int, int]
) -> tuple[Image.Image, Motion]:
    """Set a whole picture before its own blurred enlargement, and keep the camera from cutting it.

    It fills what the camera sees when it is closest.
    """
    across, down = picture.width / film[0], picture.height / film[1]
    if abs(across / down - 1) < 0.01:
        return picture, motion
    scale = max(across, down) * ZOOM
    size = round(film[0] * scale), round(film[1] * scale)
    # Blurred at a sixteenth of the size: what is left of it has no detail anyway.
    small = ImageOps.fit(picture, (max(8, film[0] // 16), max(8, film[1] // 16)))
    small = small.filter(ImageFilter.GaussianBlur(small.height / 16))
    small = ImageEnhance.Brightness(small).enhance(0.7)
    framed = small.resize(size, Image.Resampling.BICUBIC)
    corner = (size[0] - picture.width) * ANCHOR[0], (size[1] - picture.height) * ANCHOR[1]
    framed.paste(picture, (round(corner[0]), round(corner[1])))
    tight: dict[Motion, Motion] = (
        {"left": "in", "right": "out"} if across > down else {"up": "in", "down": "out"}
    )
    return framed, tight.get(motion, motion)


def _decode(picture: Path) -> Image.Image:
    try:
        with Image.open(picture, formats=("PNG", "JPEG", "WEBP")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(picture)
            image.load()
            return _flat(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise RenderError(f"The picture {picture} is not there.", code="bad_picture") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(picture) from None
    except (OSError, SyntaxError, ValueError) as error:
        # Pillow has no error of its own; these are what damaged files raise.
        raise RenderError(
            f"The picture {picture} is damaged, or is no PNG, JPEG or WebP: {error}.",
            hint="Have it drawn again, or replace the file.",
            code="bad_picture",
        ) from error


def _too_large(picture: Path) -> RenderError:
    return RenderError(
        f"The picture {picture} has more than {MAX_PIXELS:,} pixels.",
        hint="Make it smaller; 7680x4320 is the most that is read.",
        code="bad_picture",
    )


def _flat(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey at 255.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, "black")
        return Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
