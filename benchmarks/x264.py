"""x264 alone, on finished frames: what any renderer costs at least."""

from __future__ import annotations

from pathlib import Path

from films import Job

from visionpulse.renderers.encoders import X264
from visionpulse.renderers.process import find_ffmpeg

VERYFAST = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "21"]
ONE_THREAD = X264.arguments("standard")
# ffmpeg's own default: as many as there are CPUs, and half as many again.
AUTOMATIC = [*ONE_THREAD, "-threads", "0"]

_COLOUR = [
    *("-color_range", "tv", "-colorspace", "bt709"),
    *("-color_primaries", "bt709", "-color_trc", "bt709"),
]


def encode(raw: Path, job: Job, out: Path, settings: list[str]) -> list[str]:
    """Return the command that encodes finished frames from a file."""
    return [
        *(find_ffmpeg().path, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y"),
        *("-f", "rawvideo", "-pixel_format", "yuv420p", "-framerate", str(job.fps)),
        *("-video_size", f"{job.width}x{job.height}", *_COLOUR, "-i", str(raw)),
        *(*settings, *_COLOUR, "-chroma_sample_location", "left", str(out)),
    ]


def warm(raw: Path) -> None:
    """Bring a file into the page cache, so that no encoder waits for a disk."""
    with raw.open("rb", buffering=0) as file:
        block = bytearray(1 << 24)
        while file.readinto(block):
            pass
