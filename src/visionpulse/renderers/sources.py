"""What a soundtrack is made of, second by second: sentences, and music as long as it takes."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from visionpulse.errors import RenderError
from visionpulse.music import LAP
from visionpulse.protocols import Soundtrack
from visionpulse.renderers.loudness import HOPS, Samples, Survey, survey
from visionpulse.renderers.process import Job

RATE = 48_000
"""Samples a second of music and of the finished sound."""
HOP = RATE // HOPS
_EDGE = 0.003
"""Seconds over which a sentence fades in and out, so that no cut inside a wave clicks."""


def deadline(soundtrack: Soundtrack) -> float:
    """Return how many seconds a child may take; fifty times less is usual."""
    return 60 + soundtrack.samples / soundtrack.sample_rate


def voice(soundtrack: Soundtrack) -> Iterator[Samples]:
    """Yield the voice in blocks of a second; the last one is filled up with silence."""
    rate = soundtrack.sample_rate
    block, filled = np.zeros(rate, np.float32), 0
    for part in _parts(soundtrack):
        done = 0
        while done < len(part):
            taken = part[done : done + rate - filled]
            block[filled : filled + len(taken)] = taken
            done += len(taken)
            filled += len(taken)
            if filled == rate:
                yield block
                block, filled = np.zeros(rate, np.float32), 0
    if filled:
        yield block


def _parts(soundtrack: Soundtrack) -> Iterator[Samples]:
    """Yield silence and sentences, a second or less at a time."""
    rate, at = soundtrack.sample_rate, 0
    for first, file in sorted(soundtrack.cues):
        if first < at:
            raise RenderError(f"{file.name} begins before the sentence before it has ended.")
        yield from _silence(first - at, rate)
        at = first
        for part in _sentence(file, rate):
            at += len(part)
            if at > soundtrack.samples:
                raise RenderError(f"{file.name} ends after the film.")
            yield part
    yield from _silence(soundtrack.samples - at, rate)


def _silence(samples: int, rate: int) -> Iterator[Samples]:
    for start in range(0, samples, rate):
        yield np.zeros(min(rate, samples - start), np.float32)


def _sentence(file: Path, rate: int) -> Iterator[Samples]:
    try:
        with wave.open(str(file), "rb") as sound:
            shape = sound.getnchannels(), sound.getsampwidth(), sound.getframerate()
            if shape != (1, 2, rate):
                raise RenderError(
                    f"{file.name} is not 16-bit mono at {rate} Hz, as the soundtrack is."
                )
            length = sound.getnframes()
            edge = min(int(_EDGE * rate), length // 2)
            for start in range(0, length, rate):
                part = np.frombuffer(sound.readframes(rate), "<i2").astype(np.float32) / np.float32(
                    32_768
                )
                if len(part) < min(rate, length - start):
                    raise RenderError(f"The sound {file} is cut short.")
                at = np.arange(start, start + len(part))
                # Nought before the first sample and after the last.
                fade = np.minimum(1, np.minimum(at + 1, length - at) / (edge + 1))
                yield part * fade.astype(np.float32)
    except (OSError, EOFError, wave.Error) as error:
        raise RenderError(f"The sound {file} cannot be read: {error}.") from error


@dataclass(frozen=True)
class Music:
    """Music as it is played: stereo, 48 kHz, as long as it takes.

    When it is shorter than the film, its end is faded into its beginning; after the first time it
    therefore begins with `seam` instead of its first samples, and `period` samples later again.
    """

    file: Path
    period: int
    seam: Samples

    @classmethod
    def decoded(cls, job: Job, soundtrack: Soundtrack, raw: Path) -> Music:
        """Decode a music file, no more of it than the film needs.

        Raises:
            RenderError: It is silent, too short or no sound (code `bad_music`).
        """
        source = soundtrack.music
        assert source
        needed = -(-soundtrack.samples * RATE // soundtrack.sample_rate)
        try:
            job.run(
                [
                    *("-loglevel", "error", "-protocol_whitelist", "file", "-i", f"file:{source}"),
                    *("-map", "0:a:0", "-ac", "2", "-ar", str(RATE)),
                    *("-af", "silenceremove=start_periods=1:start_threshold=-60dB"),
                    *("-t", f"{needed / RATE + 1:.3f}", "-f", "s16le", f"file:{raw}"),
                ],
                what=f"Reading {source.name}",
                seconds=deadline(soundtrack),
            )
        except RenderError as error:
            if error.code != RenderError.default_code:
                raise
            raise _bad(f"{source.name} cannot be used as music: {error.message}") from error
        length = raw.stat().st_size // 4
        if length < needed:
            length = _sounding(raw, length)
        if length < RATE // 2:
            raise _bad(f"{source.name} cannot be used as music: it is silent, or hardly any sound.")
        if length >= needed:
            return cls(raw, length, np.zeros((0, 2), np.float32))
        # In whole hops, so that what was surveyed once need not be again.
        length -= length % HOP
        lap = min(round(LAP * RATE), length // 4 // HOP * HOP)
        whole = cls(raw, length, np.zeros((0, 2), np.float32))
        seam = _crossfaded(whole._read(length - lap, lap), whole._read(0, lap))
        return cls(raw, length - lap, seam)

    def second(self, number: int) -> Samples:
        """Return a second of the film's music, by its number."""
        parts: list[Samples] = []
        at, end = number * RATE, (number + 1) * RATE
        while at < end:
            place, again = at % self.period, at >= self.period
            if again and place < len(self.seam):
                part = self.seam[place : place + end - at]
            else:
                part = self._read(place, min(end - at, self.period - place))
            if not len(part):
                parts.append(np.zeros((end - at, 2), np.float32))
                break
            parts.append(part)
            at += len(part)
        return np.concatenate(parts)

    def survey(self, hops: int) -> Survey:
        """Survey so many hops of what is played."""
        period, seam = self.period // HOP, len(self.seam) // HOP
        known = min(hops, period + seam)
        seconds = (self.second(number) for number in range(-(-known // HOPS)))
        found = survey(seconds, RATE)
        # After the first time, the seam stands where the beginning was.
        place = np.arange(hops) % period
        place[period:][place[period:] < seam] += period
        return Survey(found.power[place], found.peak[place])

    def _read(self, start: int, samples: int) -> Samples:
        pairs = np.fromfile(self.file, "<i2", 2 * samples, offset=4 * start)
        return pairs.reshape(-1, 2).astype(np.float32) / np.float32(32_768)


def _crossfaded(end: Samples, beginning: Samples) -> Samples:
    """Fade one stretch of sound into another, at the same loudness all through.

    Two sounds that have nothing in common need gains of equal power. The beds of `music.py` end
    with what they begin with, and need gains of equal sum. How much is common decides.
    """
    common = float(np.vdot(end, beginning))
    alone = float(np.sqrt(np.vdot(end, end) * np.vdot(beginning, beginning)))
    alike = min(1.0, max(-0.5, common / alone)) if alone else 0.0
    up = ((np.arange(len(end), dtype=np.float32) + 0.5) / len(end))[:, None]
    down = 1 - up
    power = up**2 + down**2 + 2 * alike * up * down
    return ((end * down + beginning * up) / np.sqrt(power)).astype(np.float32)


def _sounding(raw: Path, length: int) -> int:
    """Return the length without the silence at the end."""
    while length:
        start = max(0, length - RATE)
        block = np.fromfile(raw, "<i2", 2 * (length - start), offset=4 * start).reshape(-1, 2)
        loud = np.flatnonzero(np.abs(block.astype(np.int32)).max(axis=1) > 32)
        if len(loud):
            return start + int(loud[-1]) + 1
        length = start
    return 0


def _bad(message: str) -> RenderError:
    return RenderError(
        message, hint="Give another file, or one of the built-in moods.", code="bad_music"
    )
