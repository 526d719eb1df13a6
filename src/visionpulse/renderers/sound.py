"""The film's sound: sentences at their samples, at one loudness.

-16 LUFS and a true peak below -1.5 dB, by a single gain and a limiter on an oversampled signal:
the voice keeps its dynamics, and nothing pumps. Measured by ITU-R BS.1770 (ffmpeg's ebur128).
"""

from __future__ import annotations

import re
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from visionpulse.errors import RenderError
from visionpulse.protocols import Soundtrack
from visionpulse.renderers.process import Job

LOUDNESS = -16.0
# The encoders overshoot what the limiter leaves by up to a decibel.
CEILING = -2.5
_FLOOR = -70.0
"""What the meter says of silence, and of hiss, which are left as they are."""
MOST_GAIN = 40.0
"""More would turn a recording's noise into the programme."""
_SHORTEST = 3.0
"""Seconds; loudness is measured over windows of 0.4, and a shorter sound has none."""
_EDGE = 0.003
"""Seconds over which a sentence fades in and out, so that no cut inside a wave clicks."""

_STEREO = "pan=stereo|c0=c0|c1=c0"
_METER = "ebur128=peak=true:framelog=quiet"


class Loudness(NamedTuple):
    """Integrated loudness in LUFS, -70 for silence, and true peak in dB."""

    integrated: float
    peak: float


def mix(job: Job, soundtrack: Soundtrack, out: Path) -> None:
    """Write the soundtrack as AAC (`.m4a`) or MP3, stereo, 48 kHz, exactly as long as it says.

    Raises:
        RenderError: A sentence's file cannot be used, sentences overlap, or encoding failed.
    """
    codecs = {
        ".m4a": ["-c:a", "aac", "-b:a", "160k", "-f", "ipod"],
        ".mp3": ["-c:a", "libmp3lame", "-b:a", "128k", "-f", "mp3"],
    }
    if out.suffix not in codecs:
        raise RenderError(f"Sound is written as .m4a or .mp3, not as {out.name}.")
    _run(
        job,
        soundtrack,
        what=f"Encoding {out.name}",
        filters=_levelled(job, soundtrack),
        output=[
            *codecs[out.suffix],
            *("-ar", "48000", "-fflags", "+bitexact", "-flags:a", "+bitexact"),
            *("-map_metadata", "-1", f"file:{out}"),
        ],
    )


def loudness_of(job: Job, film: Path, *, seconds: float = 3600) -> Loudness:
    """Measure a finished file."""
    output = job.run(
        ["-i", f"file:{film}", "-map", "0:a:0", "-af", _METER, "-f", "null", "-"],
        what=f"Measuring {film.name}",
        seconds=seconds,
    )
    return _read(output.stderr)


def _levelled(job: Job, soundtrack: Soundtrack) -> str:
    """Return the filters that bring the soundtrack to its loudness."""
    found = _measure(job, soundtrack, _STEREO)
    if found.integrated <= _FLOOR:
        return _STEREO
    gain = min(LOUDNESS - found.integrated, MOST_GAIN)
    if found.peak + gain <= CEILING:
        return _gained(gain)
    # The limiter takes some loudness away with the peaks; give it back once.
    limited = _measure(job, soundtrack, _limited(gain))
    return _limited(min(gain + LOUDNESS - limited.integrated, MOST_GAIN))


def _gained(gain: float) -> str:
    return f"{_STEREO},volume={gain:.2f}dB"


def _limited(gain: float) -> str:
    limiter = f"alimiter=limit={10 ** (CEILING / 20):.4f}:level=false:latency=true"
    return f"{_gained(gain)},aresample=192000,{limiter},aresample=48000"


def _measure(job: Job, soundtrack: Soundtrack, filters: str) -> Loudness:
    seconds = soundtrack.samples / soundtrack.sample_rate
    if seconds < _SHORTEST:
        filters = f"aloop=-1:size={soundtrack.samples},atrim=duration={_SHORTEST},{filters}"
    output = _run(
        job,
        soundtrack,
        what="Measuring the sound",
        filters=f"{filters},{_METER}",
        output=["-f", "null", "-"],
    )
    return _read(output)


def _read(report: str) -> Loudness:
    # Each frame's log is off, so that these occur in the summary alone.
    integrated = re.findall(r"^\s+I:\s+(\S+) LUFS", report, re.MULTILINE)
    peak = re.findall(r"^\s+Peak:\s+(\S+) dBFS", report, re.MULTILINE)
    if not integrated or not peak:
        raise RenderError("ffmpeg measured no loudness.")
    return Loudness(float(integrated[-1]), float(peak[-1]))


def _run(job: Job, soundtrack: Soundtrack, *, what: str, filters: str, output: list[str]) -> str:
    rate = str(soundtrack.sample_rate)
    return job.run(
        [
            *("-f", "s16le", "-ar", rate, "-ac", "1", "-i", "pipe:0"),
            *("-filter_complex_threads", "1", "-af", filters, *output),
        ],
        what=what,
        # A hundred times faster is usual.
        seconds=60 + soundtrack.samples / soundtrack.sample_rate,
        feed=_samples(soundtrack),
    ).stderr


def _samples(soundtrack: Soundtrack) -> Iterator[bytes]:
    at = 0
    for first, file in sorted(soundtrack.cues):
        if first < at:
            raise RenderError(f"{file.name} begins before the sentence before it has ended.")
        yield from _silence(first - at)
        sound = _faded(_read_cue(file, soundtrack.sample_rate), soundtrack.sample_rate)
        at = first + len(sound)
        if at > soundtrack.samples:
            raise RenderError(f"{file.name} ends after the film.")
        yield sound.tobytes()
    yield from _silence(soundtrack.samples - at)


def _silence(samples: int) -> Iterator[bytes]:
    block = bytes(2 * 65_536)
    for _ in range(samples // 65_536):
        yield block
    yield block[: 2 * (samples % 65_536)]


def _read_cue(file: Path, sample_rate: int) -> npt.NDArray[np.int16]:
    try:
        with wave.open(str(file), "rb") as sound:
            shape = sound.getnchannels(), sound.getsampwidth(), sound.getframerate()
            if shape != (1, 2, sample_rate):
                raise RenderError(
                    f"{file.name} is not 16-bit mono at {sample_rate} Hz, as the soundtrack is."
                )
            return np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    except (OSError, EOFError, wave.Error) as error:
        raise RenderError(f"The sound {file} cannot be read: {error}.") from error


def _faded(sound: npt.NDArray[np.int16], sample_rate: int) -> npt.NDArray[np.int16]:
    edge = min(int(_EDGE * sample_rate), len(sound) // 2)
    if not edge:
        return sound
    ramp = np.arange(1, edge + 1, dtype=np.float32) / (edge + 1)
    faded = sound.copy()
    faded[:edge] = np.rint(sound[:edge] * ramp)
    faded[-edge:] = np.rint(sound[-edge:] * ramp[::-1])
    return faded
