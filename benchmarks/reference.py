"""What frames ought to be: every plane by Pillow's Lanczos with a float box, blended in floats.

Written from the camera's path alone, sharing no drawing code with the renderer: no smaller copies
of a still, no whole-pixel regions, no rounding before the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from visionpulse.protocols import Move, Piece
from visionpulse.renderers.camera import Window, plan

Plane = npt.NDArray[np.float32]

# BT.709, limited range; Rec. ITU-R BT.709-6, section 3.
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_MATRIX = np.stack(
    [
        _LUMA * 219,
        (np.array([0, 0, 1]) - _LUMA) / 1.8556 * 224,
        (np.array([1, 0, 0]) - _LUMA) / 1.5748 * 224,
    ]
).astype(np.float32)
_PAD = 8


def write_frames(pieces: Sequence[Piece], numbers: Iterable[int], out: Path) -> None:
    """Write the film's frames of these numbers as yuv420p."""
    ends = list(accumulate(piece.frames for piece in pieces))
    with out.open("wb") as file:
        for number in numbers:
            at = next(n for n, end in enumerate(ends) if number < end)
            begin = ends[at] - pieces[at].frames
            for plane in _frame(pieces[at], number - begin):
                file.write(np.clip(np.rint(plane), 0, 255).astype(np.uint8).tobytes())


def luma(
    piece: Piece, frame: int, left: int, top: int, width: int, height: int, *, shift: float = 0
) -> Plane:
    """Return a part of the luma of a piece with one still; `shift` moves it to the right, in px."""
    planes = _planes(piece.still.picture)
    window = window_of(piece.still, piece, piece.offset + frame)
    across, down = window.width / piece.width, window.height / piece.height
    part = Window(
        window.left + (left - shift) * across,
        window.top + top * down,
        width * across,
        height * down,
    )
    return _resized(planes[0], part, (width, height))


def window_of(move: Move, piece: Piece, frame: int) -> Window:
    """Return what the camera sees, in the picture's pixels."""
    size = _planes(move.picture)[0].shape[::-1]
    film = (piece.width, piece.height)
    return plan(move.motion, (size[0], size[1]), film, move.frames, piece.fps).at(frame)


def _frame(piece: Piece, number: int) -> Iterator[Plane]:
    below = _seen(piece.still, piece, piece.offset + number)
    if piece.into is None:
        yield from below
        return
    weight = (number + 1) / (piece.frames + 1)
    for one, other in zip(below, _seen(piece.into, piece, number), strict=True):
        yield one * (1 - weight) + other * weight


def _seen(move: Move, piece: Piece, frame: int) -> list[Plane]:
    luma_plane, *chroma = _planes(move.picture)
    window = window_of(move, piece, frame)
    size = (piece.width, piece.height)
    half = (piece.width // 2, piece.height // 2)
    # H.264's chroma samples lie on every other column of luma samples, not between two.
    left = window.left - window.width / half[0] / 4
    sited = window._replace(left=left)
    return [_resized(luma_plane, window, size), *(_resized(each, sited, half) for each in chroma)]


def _resized(plane: Plane, window: Window, size: tuple[int, int]) -> Plane:
    # Cut out first, with what the filter reaches: the box of a small part is found exactly.
    reach = _PAD + int(4 * max(1, window.width / size[0]))
    left, top = int(window.left) - reach, int(window.top) - reach
    right = int(window.left + window.width) + 1 + reach
    bottom = int(window.top + window.height) + 1 + reach
    cut = plane[
        np.clip(np.arange(top, bottom), 0, plane.shape[0] - 1)[:, None],
        np.clip(np.arange(left, right), 0, plane.shape[1] - 1)[None, :],
    ]
    box = (
        window.left - left,
        window.top - top,
        window.left - left + window.width,
        window.top - top + window.height,
    )
    return np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.LANCZOS, box=box))


@lru_cache(maxsize=2)
def _planes(picture: Path) -> tuple[Plane, Plane, Plane]:
    with Image.open(picture) as image:
        rgb = np.asarray(image.convert("RGB"), np.float32) / 255
    yuv = rgb @ _MATRIX.T + np.array([16, 128, 128], np.float32)
    luma_plane, u, v = (np.ascontiguousarray(yuv[..., n], np.float32) for n in range(3))
    return luma_plane, u, v
