"""Which H.264 encoder draws the film: x264, or one in hardware if it proves itself."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from visionpulse.errors import ConfigurationError, RenderError
from visionpulse.models import Quality
from visionpulse.renderers.mp4 import video_track
from visionpulse.renderers.process import Job

_log = logging.getLogger(__name__)

# Chosen by measurement for slow moves over stills (docs/decisions/0004-rendering.md): a long fixed
# pyramid of B-frames and the macroblock tree find what every frame has in common with the last.
X264_PRESET = "superfast"
X264_PARAMETERS = "mbtree=1:b-adapt=0:rc-lookahead=24:bframes=7:keyint=250:open-gop=0"


@dataclass(frozen=True)
class Encoder:
    """An encoder of ffmpeg's with its settings."""

    name: str
    codec: str
    quality: Mapping[Quality, Sequence[str]]
    """Arguments for each quality."""
    before: Sequence[str] = ()
    """Arguments that open a device, before the input."""
    filters: Sequence[str] = ()
    """What brings frames to the device."""

    def arguments(self, quality: Quality) -> list[str]:
        """Return what follows the input."""
        return ["-c:v", self.codec, *self.quality[quality]]


def _settings(
    arguments: str, draft: float, standard: float, high: float
) -> dict[Quality, list[str]]:
    """Return arguments with the level each quality has on an encoder's own scale."""
    levels: dict[Quality, float] = {"draft": draft, "standard": standard, "high": high}
    return {quality: arguments.format(level).split() for quality, level in levels.items()}


# One thread: the same bytes on every run, and a sixth less work. Pieces run side by side.
X264 = Encoder(
    "x264",
    "libx264",
    _settings(
        f"-preset {X264_PRESET} -crf {{}} -x264-params {X264_PARAMETERS} -threads 1",
        *(27.5, 21.5, 17.5),
    ),
)

# No B-frames, and the quality of x264's levels as nearly as each scale allows.
_HARDWARE = {
    encoder.name: encoder
    for encoder in (
        Encoder(
            "nvenc",
            "h264_nvenc",
            _settings("-preset p5 -rc vbr -cq {} -b:v 0 -bf 0", 30, 23, 19),
        ),
        Encoder(
            "videotoolbox",
            "h264_videotoolbox",
            _settings("-q:v {} -bf 0 -allow_sw 0", 45, 62, 75),
        ),
        Encoder(
            "qsv",
            "h264_qsv",
            _settings("-preset medium -global_quality {} -bf 0", 29, 22, 18),
        ),
        Encoder(
            "vaapi",
            "h264_vaapi",
            _settings("-rc_mode CQP -qp {} -bf 0", 29, 22, 18),
            before=["-vaapi_device", "/dev/dri/renderD128"],
            filters=["format=nv12", "hwupload"],
        ),
    )
}
KNOWN = ("x264", "auto", *_HARDWARE)


def find_encoder(name: str) -> Encoder:
    """Return the encoder of a name, or x264 if this machine cannot use it; the log says why.

    Args:
        name: `x264`, `nvenc`, `videotoolbox`, `qsv`, `vaapi`, or `auto` for the first of those in
            hardware that works.

    Raises:
        ConfigurationError: There is no such name.
    """
    if name not in KNOWN:
        raise ConfigurationError(f"Unknown encoder {name!r}; known: {', '.join(sorted(KNOWN))}.")
    if name == "x264":
        return X264
    for each in _HARDWARE.values() if name == "auto" else [_HARDWARE[name]]:
        reason = _refuses(each.name)
        if not reason:
            return each
        level = logging.INFO if name == "auto" else logging.WARNING
        _log.log(level, "%s cannot be used, x264 takes over: %s", each.name, reason)
    return X264


@lru_cache
def _refuses(name: str) -> str | None:
    """Encode a second of film; return why that fails."""
    encoder = _HARDWARE[name]
    if name == "vaapi" and sys.platform != "linux":
        return "it is for Linux."
    width, height, frames = 1280, 720, 30
    with TemporaryDirectory(prefix="visionpulse-") as folder:
        out = Path(folder, "probe.mp4")
        try:
            Job().run(
                [
                    *("-loglevel", "error", *encoder.before, "-f", "rawvideo"),
                    *("-pixel_format", "yuv420p", "-video_size", f"{width}x{height}"),
                    *("-framerate", str(frames), "-i", "pipe:0"),
                    *(("-vf", ",".join(encoder.filters)) if encoder.filters else ()),
                    *(*encoder.arguments("standard"), "-f", "mp4", f"file:{out}"),
                ],
                what=f"Trying {name}",
                seconds=20,
                feed=(bytes([level * 8]) * (width * height * 3 // 2) for level in range(frames)),
            )
            written = video_track(out).frames
        except RenderError as error:
            return error.message
    return None if written == frames else f"it wrote {written} of {frames} frames."
