"""What a finished film file is, and whether it is one a person can watch.

There is no ffprobe in imageio-ffmpeg; ffmpeg itself lists every packet's time, which is exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, groupby, pairwise
from math import ceil
from pathlib import Path

from visionpulse.errors import RenderError
from visionpulse.renderers.mp4 import order_of_boxes
from visionpulse.renderers.process import Job

# Luma of video black is 16; a night sky has stars, and noise.
_BLACK = 24
_SAMPLE = (64, 36)
_SILENCE = -60.0
_LONGEST = 3
"""Seconds of silence that are no pause any more."""
_LONGEST_BLACK = 1


@dataclass(frozen=True)
class FilmInfo:
    """Facts of a film file; times are seconds."""

    width: int
    height: int
    fps: Fraction
    frames: int
    evenly_spaced: bool
    """Whether every frame lasts as long as every other."""
    start: float
    seconds: float
    """Length of the picture."""
    video_codec: str
    pixel_format: str
    colour: str
    """Range and matrix, such as `tv, bt709`; empty when the file does not say."""
    audio_codec: str | None
    sample_rate: int
    channels: str
    """Such as `stereo`."""
    sound_seconds: float
    """When the sound ends; 0 without one."""
    faststart: bool
    """Whether it plays before it is wholly downloaded."""


def probe(path: Path) -> FilmInfo:
    """Read the facts of a film; decodes nothing.

    Raises:
        RenderError: It is no film.
    """
    output = Job().run(
        [
            "-i",
            f"file:{path}",
            "-map",
            "0:v:0?",
            "-map",
            "0:a:0?",
            "-c",
            "copy",
            "-f",
            "framecrc",
            "-",
        ],
        what=f"Reading {path.name}",
        seconds=600,
    )
    facts, packets = _parse(output.stdout.decode())
    picture = sorted(packets[0])
    if facts.get("media_type 0") != "video" or not picture:
        raise RenderError(f"{path.name} has no picture.")
    unit = Fraction(facts["tb 0"])
    steps = {later - earlier for (earlier, _), (later, _) in pairwise(picture)}
    steps.add(picture[-1][1])
    ends = [pts + duration for pts, duration in packets[1]]
    width, height = facts["dimensions 0"].split("x")
    stream = re.search(r"Video: .*?, (\w+)(?:\(([^)]*)\))?, \d+x\d+", output.stderr)
    # As in "tv, bt709, progressive".
    colour = (stream[2] or "").split(", ") if stream else []
    return FilmInfo(
        width=int(width),
        height=int(height),
        fps=1 / (unit * picture[0][1]),
        frames=len(picture),
        evenly_spaced=len(steps) == 1,
        start=float(picture[0][0] * unit),
        seconds=float((picture[-1][0] + picture[-1][1] - picture[0][0]) * unit),
        video_codec=facts["codec_id 0"],
        pixel_format=stream[1] if stream else "",
        colour=", ".join(colour[:2]) if len(colour) >= 2 else "",
        audio_codec=facts.get("codec_id 1"),
        sample_rate=int(facts.get("sample_rate 1", 0)),
        channels=facts.get("channel_layout_name 1", ""),
        sound_seconds=float(max(ends, default=0) * Fraction(facts.get("tb 1", 1))),
        faststart=_plays_early(path),
    )


def _parse(listing: str) -> tuple[dict[str, str], tuple[list[tuple[int, int]], ...]]:
    """Return the header's facts, and each packet's time and duration, by stream."""
    facts: dict[str, str] = {}
    packets: tuple[list[tuple[int, int]], ...] = ([], [])
    for line in listing.splitlines():
        if line.startswith("#"):
            name, _, value = line[1:].partition(": ")
            facts[name] = value
        elif line:
            # Stream, decoding time, presentation time, duration, size, checksum.
            stream, _, pts, duration = line.split(",", 4)[:4]
            packets[int(stream)].append((int(pts), int(duration)))
    return facts, packets


def _plays_early(path: Path) -> bool:
    order = order_of_boxes(path)
    return "moov" in order and "mdat" in order and order.index("moov") < order.index("mdat")


def check_film(path: Path, *, width: int, height: int, fps: int, seconds: float) -> FilmInfo:
    """Make sure that a film is what was ordered, and can be seen and heard.

    Of the picture only key frames are decoded: every piece begins with one, and its frames were
    counted when it was encoded.

    Raises:
        RenderError: It is not; all that is wrong is in the message.
    """
    info = probe(path)
    wrong = faults(info, width=width, height=height, fps=fps, seconds=seconds)
    wrong += watch(path, info, every_frame=False)
    if wrong:
        raise RenderError(f"{path.name} is not the film that was ordered: {'; '.join(wrong)}.")
    return info


def faults(
    info: FilmInfo,
    *,
    width: int | None = None,
    height: int | None = None,
    fps: int | None = None,
    seconds: float | None = None,
) -> list[str]:
    """Return what is wrong with a film by its facts, in words; None is anything."""
    frame = float(1 / info.fps)
    wanted_size = (width or info.width, height or info.height)
    found = {
        f"it is {info.width}x{info.height}, not {wanted_size[0]}x{wanted_size[1]}": (
            (info.width, info.height) != wanted_size
        ),
        f"it has {float(info.fps):.3f} frames a second, not {fps}": fps not in (None, info.fps),
        "its frames are not evenly spaced": not info.evenly_spaced,
        f"it begins at {info.start:.3f} s": abs(info.start) > 1e-6,
        f"its picture is {info.video_codec}, not h264": info.video_codec != "h264",
        f"its pixels are {info.pixel_format}, not yuv420p": info.pixel_format != "yuv420p",
        f"its colours are tagged {info.colour or 'not at all'}, not tv, bt709": (
            info.colour != "tv, bt709"
        ),
        f"its sound is {info.audio_codec}, not aac": info.audio_codec != "aac",
        f"its sound has {info.sample_rate} Hz, not 48000": info.sample_rate != 48_000,
        f"picture ({info.seconds:.3f} s) and sound ({info.sound_seconds:.3f} s) end apart": (
            abs(info.seconds - info.sound_seconds) > frame
        ),
        "it cannot play before it is wholly downloaded": not info.faststart,
    }
    if seconds is not None:
        found[f"it lasts {info.seconds:.3f} s, not {seconds:.3f}"] = (
            abs(info.seconds - seconds) > frame
        )
    return [words for words, wrong in found.items() if wrong]


def watch(path: Path, info: FilmInfo, *, every_frame: bool = True) -> list[str]:
    """Decode a film to its end; return what is wrong with what is seen and heard, in words.

    Args:
        path: The film.
        info: Its facts.
        every_frame: Or only the key frames, which takes a fiftieth of the time.

    Raises:
        RenderError: It does not decode.
    """
    # Two frames of a second are looked at, small.
    step = max(1, round(info.fps / 2)) if every_frame else 1
    width, height = _SAMPLE
    output = Job().run(
        [
            *("-xerror", "-err_detect", "explode", "-skip_loop_filter", "all"),
            *(() if every_frame else ("-skip_frame", "nokey")),
            *("-i", f"file:{path}", "-map", "0:v:0", "-fps_mode", "passthrough"),
            *("-vf", f"select=not(mod(n\\,{step})),extractplanes=y,scale={width}:{height}"),
            *("-f", "rawvideo", "pipe:1"),
            *("-map", "0:a:0?", "-af", f"silencedetect={_SILENCE}dB:d={_LONGEST},volumedetect"),
            *("-f", "null", "-"),
        ],
        what=f"Decoding {path.name}",
        seconds=60 + info.frames * info.width * info.height / 1e6,
    )
    size = width * height
    pictures = [output.stdout[at : at + size] for at in range(0, len(output.stdout), size)]
    if every_frame and len(pictures) != ceil(info.frames / step):
        return [f"only {len(pictures)} of the frames looked at could be decoded"]
    black = [max(picture) < _BLACK for picture in pictures]
    loudest = re.search(r"max_volume: (\S+) dB", output.stderr)
    if not loudest or float(loudest[1]) <= _SILENCE:
        heard = ["it is silent"]
    else:
        pauses = re.findall(r"silence_start: (\S+)", output.stderr) if every_frame else []
        heard = [f"from {float(start):.1f} s on it is silent" for start in pauses]
    if sum(black) > len(black) / 2:
        return ["it is black", *heard]
    stretches = [len(list(same)) for _, same in groupby(black)] if every_frame else []
    edges = [0, *accumulate(stretches)]
    return [
        f"from {start / 2:.1f} s to {end / 2:.1f} s it is black"
        for start, end in pairwise(edges)
        if black[start] and end - start > 2 * _LONGEST_BLACK
    ] + heard
