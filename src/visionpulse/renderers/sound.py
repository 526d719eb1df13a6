"""The film's sound: sentences at their samples, music below them, at one loudness.

-16 LUFS and a true peak below -1.5 dB, by a single gain and a limiter that knows what comes: the
voice keeps its dynamics, and nothing pumps. Music makes way for the voice before the first syllable
is heard, and comes back when there is time for it.

Python reads, measures and adds up; ffmpeg decodes the music and encodes the sum. A second of sound
is held at a time, and a few numbers for every hop of 5 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from visionpulse.errors import RenderError
from visionpulse.protocols import Soundtrack
from visionpulse.renderers import loudness as meter
from visionpulse.renderers import sources
from visionpulse.renderers.loudness import HOPS, Samples
from visionpulse.renderers.process import Job
from visionpulse.renderers.sources import HOP, RATE, Music, deadline

VERSION = 2
"""Raised when the same soundtrack gives other sound."""
LOUDNESS = -16.0
# Below -1.5 by what the encoders may add to what the limiter leaves.
CEILING = -2.5
MOST_GAIN = 40.0
"""More would turn a recording's noise into the programme."""
_CODECS = {
    # At this rate, half the work of the other coder, and nearer to the original (44 dB, not 36).
    ".m4a": ["-c:a", "aac", "-aac_coder", "fast", "-b:a", "160k", "-f", "ipod"],
    ".mp3": ["-c:a", "libmp3lame", "-b:a", "128k", "-f", "mp3"],
}

BELOW_VOICE = 19.0
"""Decibels between the voice and the music under it."""
BELOW_VOICE_AT_LEAST = 17.5
"""The same for the loudest three seconds of the music."""
LIFT = 8.0
"""Decibels by which the music is louder where nobody speaks."""
_PAUSE = 1.0
"""Seconds; in a shorter pause the music stays where it is."""
_RAMP = 0.4
"""Seconds in which the music goes down, before the first syllable; and up, after the last."""
_FADE_IN, _FADE_OUT = 1.5, 3.0


class Loudness(NamedTuple):
    """Integrated loudness in LUFS, -70 for silence, and true peak in dB."""

    integrated: float
    peak: float


def mix(job: Job, soundtrack: Soundtrack, out: Path) -> None:
    """Write the soundtrack as AAC (`.m4a`) or MP3, stereo, 48 kHz, exactly as long as it says.

    Raises:
        RenderError: A sentence's file cannot be used, sentences overlap, the music is silent or
            none (code `bad_music`), or encoding failed.
    """
    if out.suffix not in _CODECS:
        raise RenderError(f"Sound is written as .m4a or .mp3, not as {out.name}.")
    # Beside the result, where there is room for films; a system's temporary folder may be memory.
    scratch = TemporaryDirectory(prefix="music-", dir=out.parent) if soundtrack.music else None
    with scratch or nullcontext() as folder:
        music = folder and Music.decoded(job, soundtrack, Path(folder, "music.raw"))
        sum_ = _levelled(soundtrack, music or None)
        job.run(
            [
                *("-f", "f32le", "-ar", str(RATE), "-ac", "2" if music else "1", "-i", "pipe:0"),
                *("-af", "anull" if music else "pan=stereo|c0=c0|c1=c0", *_CODECS[out.suffix]),
                *("-fflags", "+bitexact", "-flags:a", "+bitexact"),
                *("-map_metadata", "-1", f"file:{out}"),
            ],
            what=f"Encoding {out.name}",
            seconds=deadline(soundtrack),
            feed=sum_,
        )


def loudness_of(job: Job, film: Path, *, seconds: float = 3600) -> Loudness:
    """Measure a finished file, by ffmpeg's ebur128."""
    report = job.run(
        [
            *("-i", f"file:{film}", "-map", "0:a:0"),
            *("-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"),
        ],
        what=f"Measuring {film.name}",
        seconds=seconds,
    ).stderr
    # Each frame's log is off, so that these occur in the summary alone.
    integrated = re.findall(r"^\s+I:\s+(\S+) LUFS", report, re.MULTILINE)
    peak = re.findall(r"^\s+Peak:\s+(\S+) dBFS", report, re.MULTILINE)
    if not integrated or not peak:
        raise RenderError("ffmpeg measured no loudness.")
    return Loudness(float(integrated[-1]), float(peak[-1]))


def _levelled(soundtrack: Soundtrack, music: Music | None) -> Iterator[bytes]:
    """Decide on all levels, then return the finished sound."""
    voice = meter.survey(sources.voice(soundtrack), soundtrack.sample_rate)
    hops = -(-soundtrack.samples * HOPS // soundtrack.sample_rate)
    power, peak = voice.power[:hops], voice.peak[:hops]
    if music is None:
        return _sum(soundtrack, _gains(power, peak))
    stem = music.survey(hops)
    under = _music_gains(soundtrack, power, stem.power)
    inside = np.maximum(under[1:], under[:-1])
    gains = _gains(power + stem.power * inside**2, peak + stem.peak * inside)
    return _sum(soundtrack, gains, music, gains * under)


def _gains(power: Samples, peak: Samples) -> Samples:
    """Return the gain at every edge of a hop: a single one, less what the limiter takes."""
    found = meter.loudness(power)
    if found <= meter.SILENCE:
        return np.ones(len(power) + 1, np.float32)
    gain = 0.0
    gains = np.ones(0, np.float32)
    # The limiter takes some loudness away with the peaks; it is given back.
    for _ in range(5):
        gain = min(gain + LOUDNESS - found, MOST_GAIN)
        factor = np.float32(meter.factor(gain))
        gains = meter.limited(peak * factor, meter.factor(CEILING)) * factor
        found = meter.loudness(power * np.square((gains[1:] + gains[:-1]) / 2))
    return gains


def _music_gains(soundtrack: Soundtrack, voice: Samples, music: Samples) -> Samples:
    """Return the music's gain at every edge of a hop, for a voice that is left as it is.

    Not by a compressor that listens to the voice: where the voice is, is known before the film
    begins. So the music is down before the first syllable and does not breathe with the words.
    """
    spoken = meter.loudness(voice)
    if spoken <= meter.SILENCE:
        spoken = LOUDNESS
    level = min(
        spoken - BELOW_VOICE - meter.loudness(music),
        spoken - BELOW_VOICE_AT_LEAST - meter.loudest_stretch(music),
    )
    gains = np.full(len(music) + 1, level + LIFT)
    ramp = round(_RAMP * HOPS)
    for start, end, own in _speeches(soundtrack, voice):
        # An aside that is softer than the rest needs softer music, too.
        soft = min(0.0, own - spoken + BELOW_VOICE - BELOW_VOICE_AT_LEAST)
        reach = slice(max(0, start - ramp // 2), end + 1 + ramp // 2)
        gains[reach] = np.minimum(gains[reach], level + soft)
    bell = np.hanning(ramp + 1)
    smooth = np.convolve(np.pad(gains, ramp // 2, mode="edge"), bell / bell.sum(), "valid")
    seconds = len(music) / HOPS
    at = np.arange(len(smooth)) / HOPS
    fade_in, fade_out = (min(fade, seconds / 3) for fade in (_FADE_IN, _FADE_OUT))
    fade = np.clip(np.minimum(at / fade_in, (seconds - at) / fade_out), 0, 1)
    eased: Samples = (10 ** (smooth / 20) * np.sin(np.pi / 2 * fade) ** 2).astype(np.float32)
    return eased


def _speeches(soundtrack: Soundtrack, voice: Samples) -> Iterator[tuple[int, int, float]]:
    """Yield where there is speech, in hops, and how loud its sentence is.

    A pause too short for the music to come back belongs to the speech before it.
    """
    rate, pause = soundtrack.sample_rate, round(_PAUSE * HOPS)
    firsts = [first * HOPS // rate for first, _ in sorted(soundtrack.cues)]
    before: tuple[int, float] | None = None
    for first, last in pairwise([*firsts, len(voice)]):
        sentence = voice[first:last]
        level = meter.loudness(sentence)
        if level <= meter.SILENCE:
            continue
        # Breath and room are thirty decibels down; so are the softest consonants, next to vowels.
        heard = first + np.flatnonzero(sentence > meter.power_of(level - 30))
        ends = np.flatnonzero(np.diff(heard) > pause)
        runs = zip(heard[np.r_[0, ends + 1]], heard[np.r_[ends, -1]] + 1, strict=True)
        for start, end in runs:
            if before and start - before[0] <= pause:
                yield before[0], int(start), max(level, before[1])
            yield int(start), int(end), level
            before = int(end), level


def _sum(
    soundtrack: Soundtrack,
    gains: Samples,
    music: Music | None = None,
    music_gains: Samples | None = None,
) -> Iterator[bytes]:
    """Yield the finished sound: 48 kHz, 32-bit floats, mono, or stereo when there is music."""
    left = -(-soundtrack.samples * RATE // soundtrack.sample_rate)
    voice = meter.resampled(sources.voice(soundtrack), soundtrack.sample_rate, RATE)
    for second, spoken in enumerate(voice):
        sound = spoken * _lines(gains, second)
        if music is not None and music_gains is not None:
            played = music.second(second) * _lines(music_gains, second)[:, None]
            sound = played + sound[:, None]
        yield sound[:left].astype("<f4").tobytes()
        left -= len(sound)


def _lines(gains: Samples, second: int) -> Samples:
    """Return a second of gains, sample by sample, from the gains at the edges of its hops."""
    edges = gains[second * HOPS : (second + 1) * HOPS + 1]
    edges = np.pad(edges, (0, HOPS + 1 - len(edges)), mode="edge")
    ramp = np.arange(HOP, dtype=np.float32) / HOP
    lines = edges[:-1, None] + np.diff(edges)[:, None] * ramp
    return lines.astype(np.float32, copy=False).ravel()
