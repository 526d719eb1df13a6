"""Facts read from an MP4's boxes (ISO/IEC 14496-12), without starting a process."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate
from operator import add
from pathlib import Path
from typing import BinaryIO

from visionpulse.errors import RenderError

_CONTAINERS = ("trak", "mdia", "minf", "stbl")


@dataclass(frozen=True)
class VideoTrack:
    """The picture track, frame by frame; times are ticks."""

    timescale: int
    """Ticks in a second."""
    step: int
    """How long a frame lasts."""
    times: tuple[int, ...]
    """When each frame is shown, in the order they are shown, from 0."""
    parameter_sets: bytes
    """The decoder's configuration."""
    held_back: int
    """Frames between decoding and showing."""

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.times)

    @property
    def evenly_spaced(self) -> bool:
        """Whether every frame lasts as long as every other."""
        return self.times == tuple(range(0, self.frames * self.step, self.step))

    @property
    def settings(self) -> tuple[int, int, bytes]:
        """What has to be equal in pieces that are joined."""
        return self.timescale, self.step, self.parameter_sets


def video_track(path: Path) -> VideoTrack:
    """Read the picture track of an MP4.

    Raises:
        RenderError: It is no MP4, is cut short, or has no H.264 track.
    """
    try:
        with path.open("rb") as file:
            for kind, size in _boxes(file):
                if kind == "moov":
                    found = _picture_in(file.read(size))
                    if found:
                        return found
    except (OSError, struct.error, LookupError) as error:
        raise RenderError(f"{path.name} is not a whole MP4 file: {error}.") from error
    raise RenderError(f"{path.name} has no H.264 picture track.")


def append_xmp(path: Path, packet: str) -> None:
    """Add an XMP packet as the file's last box (XMP specification part 3, section 1.1.4)."""
    content = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + packet.encode()
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", 8 + len(content), b"uuid") + content)


def order_of_boxes(path: Path) -> list[str]:
    """Return the kinds of a file's outermost boxes, such as `ftyp`, `moov`, `mdat`."""
    with path.open("rb") as file:
        return [kind for kind, _ in _boxes(file)]


def _boxes(file: BinaryIO) -> Iterator[tuple[str, int]]:
    """Yield kind and length of each box, the file standing at its content."""
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        size -= 8
        if size == 1 - 8:
            size = struct.unpack(">Q", file.read(8))[0] - 16
        if size < 0:
            return
        end = file.tell() + size
        yield kind.decode("latin-1"), size
        file.seek(end)


def _picture_in(moov: bytes) -> VideoTrack | None:
    for kind, content in _inside(moov):
        if kind == "trak":
            leaves = dict(_leaves(content))
            if leaves["hdlr"][8:12] == b"vide":
                return _video(leaves)
    return None


def _video(leaves: dict[str, bytes]) -> VideoTrack:
    header = leaves["mdhd"]
    # Version 1 has 64-bit dates before the timescale.
    (timescale,) = struct.unpack_from(">I", header, 20 if header[0] else 12)
    lengths = _runs(leaves["stts"])
    decoded = [0, *accumulate(lengths)][:-1]
    # How much later than decoded a frame is shown; absent when no frame is reordered.
    delays = _runs(leaves["ctts"]) if "ctts" in leaves else [0] * len(lengths)
    shown = sorted(map(add, decoded, delays))
    description = leaves["stsd"]
    at = description.find(b"avcC")
    if at < 4:
        raise IndexError("no avcC")
    (size,) = struct.unpack_from(">I", description, at - 4)
    return VideoTrack(
        timescale,
        lengths[0],
        tuple(time - shown[0] for time in shown),
        description[at + 4 : at - 4 + size],
        shown[0] // lengths[0],
    )


def _runs(box: bytes) -> list[int]:
    """Return a table of runs (how many, value), written out."""
    (entries,) = struct.unpack_from(">I", box, 4)
    runs = struct.iter_unpack(">Ii", box[8 : 8 + 8 * entries])
    return [value for count, value in runs for _ in range(count)]


def _leaves(content: bytes) -> Iterator[tuple[str, bytes]]:
    for kind, inner in _inside(content):
        if kind in _CONTAINERS:
            yield from _leaves(inner)
        else:
            yield kind, inner


def _inside(content: bytes) -> Iterator[tuple[str, bytes]]:
    stream = BytesIO(content)
    for kind, size in _boxes(stream):
        yield kind, stream.read(size)
