"""Stills become frames: planar YUV 4:2:0, BT.709, limited range.

A still is converted once; each frame is a sub-pixel resize of its planes, never of RGB, and
crossfades are blended on the planes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from visionpulse.errors import RenderError
from visionpulse.protocols import Move, Piece
from visionpulse.renderers.camera import ZOOM, Camera, Window, plan

VERSION = 1
"""Raised when the same piece gives other frames."""
MAX_PIXELS = 33_177_600
"""Largest still that is decoded: 7680x4320."""

# Rec. ITU-R BT.709-6, section 3: luma and colour differences from R'G'B', 8 bit, limited range.
_TO_YUV = (
    np.array(
        [
            [0.2126 * 219, 0.7152 * 219, 0.0722 * 219],
            [-0.2126 / 1.8556 * 224, -0.7152 / 1.8556 * 224, 0.5 * 224],
            [0.5 * 224, -0.7152 / 1.5748 * 224, -0.0722 / 1.5748 * 224],
        ],
        np.float32,
    ).T
    / 255
)
_OFFSET = np.array([16, 128, 128], np.float32)

Planes = tuple[Image.Image, Image.Image, Image.Image]


class Still(NamedTuple):
    """A picture as planes, at no more than the resolution the film can show."""

    size: tuple[int, int]
    """Of the picture, in whose coordinates the camera moves."""
    planes: Planes
    """Luma, and two of colour that have one column more at their left."""


def frames(piece: Piece) -> Iterator[bytes]:
    """Yield the piece's frames, plane by plane.

    Raises:
        RenderError: A picture cannot be used.
    """
    first = _Shot(piece.still, piece)
    second = _Shot(piece.into, piece) if piece.into else None
    for number in range(piece.frames):
        planes = first.draw(piece.offset + number)
        if second is None:
            yield from (plane.tobytes() for plane in planes)
        else:
            # Neither the first nor the last frame of a crossfade shows one picture alone.
            weight = (number + 1) / (piece.frames + 1)
            pairs = zip(planes, second.draw(number), strict=True)
            yield from (_blend(a, b, weight) for a, b in pairs)


class _Shot:
    """A still as the camera sees it."""

    def __init__(self, move: Move, piece: Piece) -> None:
        self._film = (piece.width, piece.height)
        self._still = load(move.picture, move.sha256, *self._film)
        self._camera: Camera = plan(
            move.motion, self._still.size, self._film, move.frames, piece.fps
        )
        self._last: tuple[Window, Planes] | None = None

    def draw(self, frame: int) -> Planes:
        window = self._camera.at(frame)
        if self._last is None or self._last[0] != window:
            self._last = window, self._draw(window)
        return self._last[1]

    def _draw(self, window: Window) -> Planes:
        width, height = self._film
        luma, *chroma = self._still.planes
        small = width // 2, height // 2
        u, v = (_resize(plane, self._still.size, window, small, pad=1) for plane in chroma)
        return _resize(luma, self._still.size, window, self._film, pad=0), u, v


def _resize(
    plane: Image.Image,
    picture: tuple[int, int],
    window: Window,
    size: tuple[int, int],
    *,
    pad: int,
) -> Image.Image:
    across = (plane.width - pad) / picture[0]
    down = plane.height / picture[1]
    width, height = window.width * across, window.height * down
    left, top = window.left * across, window.top * down
    if pad:
        # H.264 puts chroma samples above the left of two luma columns, not between them: a quarter
        # of a chroma step to the left. The column of padding is what lies there at the edge.
        left += pad - width / size[0] / 4
    # A rounding error may put an edge a hair outside, which Pillow refuses.
    right, bottom = min(left + width, plane.width), min(top + height, plane.height)
    left, top = max(left, 0.0), max(top, 0.0)
    # Linear is as near to the original as cubic for chroma, at 60 % of the work.
    kind = Image.Resampling.BILINEAR if pad else Image.Resampling.BICUBIC
    return plane.resize(size, kind, box=(left, top, right, bottom))


def _blend(one: Image.Image, other: Image.Image, weight: float) -> bytes:
    part = round(weight * 256)
    mixed = np.asarray(one, np.uint16) * np.uint16(256 - part)
    mixed += np.asarray(other, np.uint16) * np.uint16(part)
    return ((mixed + 128) // 256).astype(np.uint8).tobytes()


@lru_cache(maxsize=4)
def load(picture: Path, sha256: str, width: int, height: int) -> Still:
    """Return a still for a film of this size; `sha256` tells one content of the file from another.

    Raises:
        RenderError: The file is not a PNG, JPEG or WebP picture, is damaged, or is too large.
    """
    rgb = _decode(picture)
    size = rgb.size
    scale = ZOOM * max(width / size[0], height / size[1])
    rgb = _shrink(rgb, scale)
    luma, *chroma = _planes(np.asarray(rgb))
    half = scale * size[0] / rgb.width / 2
    u, v = (_pad(_shrink(Image.fromarray(plane), half)) for plane in chroma)
    return Still(size, (Image.fromarray(luma), u, v))


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


def _shrink(image: Image.Image, scale: float) -> Image.Image:
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)


def _planes(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width, _ = rgb.shape
    planes = np.empty((3, height, width), np.uint8)
    # In strips, so that a large picture does not need its size in floats twelve times over.
    for top in range(0, height, 128):
        strip = rgb[top : top + 128].astype(np.float32) @ _TO_YUV + _OFFSET
        planes[:, top : top + 128] = np.moveaxis(np.rint(strip).astype(np.uint8), 2, 0)
    return planes


def _pad(plane: Image.Image) -> Image.Image:
    return Image.fromarray(np.pad(np.asarray(plane), ((0, 0), (1, 0)), mode="edge"))
