"""Subtitles become overlays: drawn by libass once per state, planar, ready to lie on a frame.

libass sees the fonts it is given and nothing of the system's, so the same piece gives the same
pixels on every machine.
"""

from __future__ import annotations

import errno
import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from visionpulse.errors import RenderError, StorageError
from visionpulse.protocols import Font, Piece, Subtitle
from visionpulse.renderers.frames import TO_YUV, Overlay, Plane
from visionpulse.renderers.process import Job
from visionpulse.subtitles import ASCENT, LINE_HEIGHT, document, strip

VERSION = 1
"""Raised when the same subtitles give other overlays."""

# What is multiplied by alpha already adds only its part of 16 and 128.
_TO_YUV = TO_YUV * np.array([1, 1, 1, 1 / 255])

_NO_SYSTEM_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig></fontconfig>
"""
_SCRIPT, _FONTS, _SYSTEM = "captions.ass", "fonts", "fonts.conf"


class _Bitmap(NamedTuple):
    """An overlay without its frames."""

    left: int
    top: int
    planes: tuple[Plane, Plane, Plane]
    keeps: tuple[Plane, Plane, Plane]


def overlays(job: Job, piece: Piece) -> list[Overlay]:
    """Draw a piece's subtitles.

    Raises:
        RenderError: A font is damaged or lacks a character.
        StorageError: The disk is full.
    """
    texts = list(dict.fromkeys(one.text for one in piece.subtitles))
    if not texts:
        return []
    drawn = dict(zip(texts, _draw(job, piece, texts), strict=True))
    return [
        Overlay(one.first, one.end, *bitmap)
        for one in piece.subtitles
        if (bitmap := drawn[one.text]) is not None
    ]


def _draw(job: Job, piece: Piece, texts: Sequence[str]) -> Iterator[_Bitmap | None]:
    width, height = piece.width, piece.height
    # One state a second, one frame a second.
    states = [Subtitle(number, number + 1, text) for number, text in enumerate(texts)]
    top, bottom = rows = strip(states, width=width, height=height)
    script = document(states, width=width, height=height, fps=1, rows=rows)
    with tempfile.TemporaryDirectory(prefix="visionpulse-") as folder:
        _lay_out(Path(folder), script, piece.fonts)
        captions, fonts = (_escaped(Path(folder, name)) for name in (_SCRIPT, _FONTS))
        graph = (
            f"color=black@0:size={width}x{bottom - top}:rate=1:duration={len(texts)},format=rgba,"
            f"ass={captions}:fontsdir={fonts}:alpha=1"
        )
        output = job.run(
            ["-loglevel", "warning", "-f", "lavfi", "-i", graph, "-f", "rawvideo", "pipe:1"],
            what=f"Drawing {len(texts)} captions",
            seconds=60 + len(texts),
            env={"FONTCONFIG_FILE": str(Path(folder, _SYSTEM))},
        )
    if "failed to find any fallback" in output.stderr:
        raise RenderError("The fonts given for the captions lack a character.", code="no_glyph")
    size = width * (bottom - top) * 4
    if len(output.stdout) != size * len(texts):
        raise RenderError(f"libass drew {len(output.stdout) // size} of {len(texts)} captions.")
    canvases = np.frombuffer(output.stdout, np.uint8).reshape(len(texts), bottom - top, width, 4)
    return (_cropped(canvas, top) for canvas in canvases)


def _lay_out(folder: Path, script: str, fonts: Sequence[Font]) -> None:
    """Write what libass reads; files have names of ours, so that no user's gets near a filter."""
    files = [_levelled(font) for font in {font.sha256: font for font in fonts}.values()]
    try:
        (folder / _SCRIPT).write_text(script, "utf-8")
        (folder / _SYSTEM).write_text(_NO_SYSTEM_FONTS, "utf-8")
        (folder / _FONTS).mkdir()
        for number, data in enumerate(files):
            (folder / _FONTS / str(number)).write_bytes(data)
    except OSError as error:
        raise StorageError(
            f"Captions could not be drawn: {folder} cannot be written to: {error.strerror}.",
            code="disk_full" if error.errno == errno.ENOSPC else None,
        ) from error


def _levelled(font: Font) -> bytes:
    """Return a font's file with the line height that all captions have.

    libass takes the letters' size and the lines' distance from OS/2's usWinAscent and
    usWinDescent, which for some scripts are twice what they are for others.
    """
    try:
        data = bytearray(font.path.read_bytes())
        faces = [0]
        if data[:4] == b"ttcf":
            faces = list(struct.unpack_from(f">{struct.unpack_from('>I', data, 8)[0]}I", data, 12))
        for face in faces:
            count = struct.unpack_from(">H", data, face + 4)[0]
            records = (struct.unpack_from(">4sIII", data, face + 12 + 16 * n) for n in range(count))
            tables = {tag: offset for tag, _, offset, _ in records}
            em = struct.unpack_from(">H", data, tables[b"head"] + 18)[0]
            ascent, height = round(ASCENT * em), round(LINE_HEIGHT * em)
            struct.pack_into(">HH", data, tables[b"OS/2"] + 74, ascent, height - ascent)
    except (OSError, KeyError, struct.error) as error:
        raise RenderError(f"The font {font.path} cannot be used: {error}.") from error
    return bytes(data)


def _cropped(canvas: Plane, above: int) -> _Bitmap | None:
    """Return what is drawn on a canvas, RGBA multiplied by A; None when it is empty."""
    # Four bytes at once: what has no opacity has no colour either.
    drawn = canvas.view(np.uint32)[..., 0] != 0
    rows = np.flatnonzero(drawn.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(drawn[rows[0] : rows[-1] + 1].any(axis=0))
    top, bottom = int(rows[0]) // 2 * 2, int(rows[-1]) // 2 * 2 + 2
    # A pixel's colour reaches one column to either side.
    left = max(0, int(columns[0] - 1) // 2 * 2)
    right = min(canvas.shape[1], int(columns[-1] + 1) // 2 * 2 + 2)
    box = canvas[top:bottom, left:right]
    y, u, v = cv2.split(cv2.transform(box.astype(np.float32), _TO_YUV))
    keep = 255 - box[..., 3].astype(np.float32)
    small_keep = _rounded(_halved(keep))
    planes = _rounded(y), _rounded(_halved(u)), _rounded(_halved(v))
    return _Bitmap(left, above + top, planes, (_rounded(keep), small_keep, small_keep))


def _halved(plane: Plane) -> Plane:
    """Return a plane at half the size: sited on the left column, between the rows."""
    rows = plane[::2] + plane[1::2]
    even, odd = rows[:, ::2], rows[:, 1::2]
    before = np.pad(odd, ((0, 0), (1, 0)), mode="edge")[:, :-1]
    halved: Plane = (before + 2 * even + odd) / 8
    return halved


def _rounded(plane: Plane) -> Plane:
    return np.rint(plane).clip(0, 255).astype(np.uint8)


def _escaped(path: Path) -> str:
    """Return a path as a filter's option inside a graph of filters."""
    option = "".join("\\" + c if c in "\\':" else c for c in str(path))
    return "".join("\\" + c if c in "\\'[],;" else c for c in option)
