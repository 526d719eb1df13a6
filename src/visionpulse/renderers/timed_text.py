"""Captions as a track of an MP4: 3GPP timed text (TS 26.245), every character as it was written.

ffmpeg would take the texts through another format first, which changes braces and backslashes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import groupby

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_TIMESCALE = 1000


def timed_text(captions: Sequence[tuple[float, float, str]]) -> bytes:
    """Return an MP4 file whose only track has these texts.

    Args:
        captions: Start and end in seconds, and the text; in order, not overlapping.
    """
    samples = list(_samples(captions))
    data = b"".join(sample for _, sample in samples)
    length = sum(duration for duration, _ in samples)
    kind = _box("ftyp", b"isom", struct.pack(">I", 512), b"isom")
    # The table of chunks needs to know where the data begins: the file is laid out twice.
    head = kind + _movie(samples, length, 0)
    return kind + _movie(samples, length, len(head) + 8) + _box("mdat", data)


def _samples(captions: Sequence[tuple[float, float, str]]) -> Iterator[tuple[int, bytes]]:
    """Yield durations in milliseconds and samples; an empty text is a gap."""
    at = 0
    for start, end, text in captions:
        first, last = round(start * _TIMESCALE), round(end * _TIMESCALE)
        if first > at:
            yield first - at, struct.pack(">H", 0)
        written = text.encode()
        yield last - first, struct.pack(">H", len(written)) + written
        at = last


def _movie(samples: Sequence[tuple[int, bytes]], length: int, offset: int) -> bytes:
    runs = [(len(list(run)), duration) for duration, run in groupby(each for each, _ in samples)]
    table = _box(
        "stbl",
        _box("stsd", _u32(0, 1), _text_entry()),
        _box("stts", _u32(0, len(runs)), *(_u32(*run) for run in runs)),
        _box("stsc", _u32(0, 1, 1, len(samples), 1)),
        _box("stsz", _u32(0, 0, len(samples)), *(_u32(len(sample)) for _, sample in samples)),
        _box("stco", _u32(0, 1, offset)),
    )
    media = _box(
        "mdia",
        # 0x55c4: no language; whoever joins the track says it.
        _box("mdhd", _u32(0, 0, 0, _TIMESCALE, length), struct.pack(">HH", 0x55C4, 0)),
        _box("hdlr", _u32(0, 0), b"sbtl", bytes(13)),
        _box(
            "minf",
            _box("nmhd", _u32(0)),
            _box("dinf", _box("dref", _u32(0, 1), _box("url ", _u32(1)))),
            table,
        ),
    )
    track = _box("tkhd", _u32(3, 0, 0, 1, 0, length), bytes(16), _MATRIX, bytes(8))
    movie = _u32(0, 0, 0, _TIMESCALE, length, 0x10000), struct.pack(">H", 0x100), bytes(10)
    return _box(
        "moov",
        _box("mvhd", *movie, _MATRIX, bytes(24), _u32(2)),
        _box("trak", track, media),
    )


def _text_entry() -> bytes:
    """Return how the text looks where the viewer has no wish: white, centred, at the bottom."""
    style = struct.pack(">HHHBB4s", 0, 0, 1, 0, 18, b"\xff\xff\xff\xff")
    fonts = _box("ftab", struct.pack(">HHB", 1, 1, 5), b"Arial")
    layout = struct.pack(">IbB4s", 0, 1, 0xFF, bytes(4)) + bytes(8)
    return _box("tx3g", bytes(6), struct.pack(">H", 1), layout, style, fonts)


def _u32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def _box(kind: str, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I", 8 + len(content)) + kind.encode() + content
