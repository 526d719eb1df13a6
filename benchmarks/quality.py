"""How near an encoded film is to lossless frames: SSIM, VMAF, and bytes."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from films import Job

from visionpulse.renderers.probe import probe
from visionpulse.renderers.process import find_ffmpeg

# Every seventh frame: a number that shares no factor with the pyramids of B-frames, whose frames
# are not equally good.
SUBSAMPLE = 7
_RUN = 8
"""Consecutive frames of a sample: a whole pyramid."""


@dataclass(frozen=True)
class Quality:
    """How near two pictures are, over all frames compared."""

    ssim: float
    """Of luma."""
    vmaf: float


def sample(frames: int) -> list[int]:
    """Return some frames' numbers: runs of eight, spread so that they fall anywhere in a GOP."""
    period = _period(frames)
    return [number for number in range(frames) if number % period < _RUN]


def compare(
    film: Path, lossless: Path, job: Job, *, sampled: bool = False, raw: bool = False
) -> Quality:
    """Compare a film with lossless frames (raw yuv420p).

    Args:
        film: What is judged.
        lossless: As many frames as the film has; with `sampled`, those that `sample` names.
        job: The shape of both.
        sampled: Whether to look at those frames only, and then at all of them.
        raw: Whether the film too is raw frames.
    """
    shape = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-framerate", str(job.fps)]
    shape += ["-video_size", f"{job.width}x{job.height}"]
    frame_bytes = job.width * job.height * 3 // 2
    frames = film.stat().st_size // frame_bytes if raw else probe(film).frames
    expected = len(sample(frames)) if sampled else frames
    if lossless.stat().st_size != expected * frame_bytes:
        raise SystemExit(f"{film.name} has {frames} frames; {lossless.name} does not fit.")
    select = f"select=lt(mod(n\\,{_period(frames)})\\,{_RUN})," if sampled else ""
    # An untagged input would be converted silently, and unequal time bases paired wrongly.
    same = (
        "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709,"
        f"format=yuv420p,setpts=N/{job.fps}/TB"
    )
    with tempfile.TemporaryDirectory(prefix="visionpulse-vmaf-") as folder:
        log = Path(folder, "vmaf.json")
        graph = (
            f"[0:v]{select}{same},split[a][b];[1:v]{same},split[c][d];[a][c]ssim[s];"
            f"[b][d]libvmaf=n_threads=2:n_subsample={1 if sampled else SUBSAMPLE}"
            f":log_fmt=json:log_path={log}[v]"
        )
        done = subprocess.run(
            [
                *(find_ffmpeg().path, "-hide_banner", "-nostdin", "-nostats", "-xerror"),
                *(shape if raw else []),
                *("-i", str(film), *shape, "-i", str(lossless), "-filter_complex", graph),
                *("-map", "[s]", "-f", "null", "-", "-map", "[v]", "-f", "null", "-"),
            ],
            capture_output=True,
            check=False,
            text=True,
        )
        found = re.search(r"SSIM Y:(\S+)", done.stderr)
        if done.returncode or found is None:
            raise SystemExit(f"Comparing {film.name} failed:\n{done.stderr[-2000:]}")
        told = json.loads(log.read_text())
    compared = -(-expected // (1 if sampled else SUBSAMPLE))
    if len(told["frames"]) != compared:
        raise SystemExit(f"VMAF looked at {len(told['frames'])} frames instead of {compared}.")
    return Quality(float(found[1]), told["pooled_metrics"]["vmaf"]["mean"])


def video_bytes(film: Path) -> int:
    """Return the bytes of a film's encoded picture, container and sound left out."""
    listing = subprocess.run(
        [
            *(find_ffmpeg().path, "-hide_banner", "-nostdin", "-loglevel", "error"),
            *("-i", str(film), "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-"),
        ],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return sum(int(size) for size in _column(listing, 4))


def _column(listing: str, number: int) -> Sequence[str]:
    return [line.split(",")[number] for line in listing.splitlines() if line[:1] != "#"]


def _period(frames: int) -> int:
    return 41 if frames <= 900 else 101
