"""Is this file a film a person can watch? Everything a player could trip over, in one assertion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf
from pathlib import Path

from visionpulse.errors import RenderError
from visionpulse.renderers.probe import faults, probe, watch
from visionpulse.renderers.process import Job
from visionpulse.renderers.sound import LOUDNESS, loudness_of

_TIMES = re.compile(
    r"^(?:(\d+):)?(\d\d):(\d\d)[.,](\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})$"
)


def assert_video(
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    fps: int | None = None,
    seconds: float | None = None,
    captions: str | Path | None = None,
    tags: Mapping[str, str] | None = None,
    loudness: float | None = LOUDNESS,
) -> None:
    """Assert that a film is whole: H.264 yuv420p tagged BT.709, AAC 48 kHz, faststart, seen, heard.

    It may be black for a second and silent for three, not longer.

    Args:
        path: The MP4.
        size: Width and height in pixels.
        fps: Frames a second.
        seconds: Length, to one frame.
        captions: An SRT or VTT file that has to fit the film.
        tags: What the container has to say, such as `{"title": "The deep ocean"}`.
        loudness: LUFS, to 1.5; None: anything that is not silence.

    Raises:
        AssertionError: All that is wrong, in words.
    """
    film = Path(path)
    assert film.is_file(), f"{film} is not there"
    width, height = size or (None, None)
    try:
        info = probe(film)
        wrong = faults(info, width=width, height=height, fps=fps, seconds=seconds)
        wrong += watch(film, info)
        wrong += _tag_faults(film, tags or {})
        if loudness is not None and info.audio_codec:
            wrong += _loudness_faults(film, loudness)
    except RenderError as error:
        raise AssertionError(f"{film} cannot be read as a film: {error}") from error
    if captions is not None:
        wrong += caption_faults(Path(captions), seconds=info.seconds)
    assert not wrong, f"{film}: " + "; ".join(wrong)


def caption_faults(path: Path, *, seconds: float = inf) -> list[str]:
    """Return what is wrong with an SRT or VTT file for a film of this length, in words."""
    text = path.read_text("utf-8")
    is_vtt = path.suffix == ".vtt"
    if is_vtt and not text.startswith("WEBVTT\n"):
        return [f"{path.name} does not begin with WEBVTT"]
    blocks = [block for block in text.split("\n\n") if block.strip()][is_vtt:]
    wrong: list[str] = []
    before = 0.0
    for number, block in enumerate(blocks, 1):
        lines = block.strip("\n").split("\n")
        if not is_vtt and lines.pop(0) != str(number):
            wrong.append(f"caption {number} is not numbered so")
        times = _TIMES.match(lines[0]) if lines else None
        if times is None or len(lines) < 2:
            wrong.append(f"caption {number} has no times or no text: {block!r}")
            continue
        start, end = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
        if not before <= start < end:
            wrong.append(f"caption {number} overlaps another, or ends before it begins")
        before = end
    if not blocks:
        wrong.append(f"{path.name} has no captions")
    if before > seconds + 0.05:
        wrong.append(f"the captions end at {before:.3f} s, after the film ({seconds:.3f} s)")
    return wrong


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, whole, thousandths = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + whole + thousandths / 1000


def _tag_faults(film: Path, wanted: Mapping[str, str]) -> list[str]:
    arguments = ["-i", f"file:{film}", "-f", "ffmetadata", "-"]
    told = Job().run(arguments, what=f"Reading {film.name}", seconds=600).stdout.decode()
    written = told.partition("\n[")[0]
    pairs = re.findall(r"^(\w+)=((?:[^\\\n]|\\.)*)$", written, re.MULTILINE | re.DOTALL)
    found = {name: re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL) for name, value in pairs}
    return [
        f"its {name} is {found.get(name)!r}, not {value!r}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]


def _loudness_faults(film: Path, wanted: float) -> list[str]:
    found = loudness_of(Job(), film)
    wrong: list[str] = []
    if abs(found.integrated - wanted) > 1.5:
        wrong.append(f"it has {found.integrated:.1f} LUFS, not {wanted:.1f}")
    if found.peak > -1.5:
        wrong.append(f"its true peak is {found.peak:.1f} dB, above -1.5")
    return wrong
