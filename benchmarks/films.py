"""The film that is measured: real pieces and a real soundtrack, of made-up sentences.

`prepare` writes everything to a folder before the clock starts; `Job` is what a child process is
told, and `film_of` is the film as it would be laid out for a user.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import wave
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from visionpulse.models import SpokenSentence
from visionpulse.protocols import Piece, Soundtrack
from visionpulse.timeline import (
    BETWEEN_SENTENCES,
    CLOSING,
    Still,
    Timeline,
    film,
    lay_out,
    motions,
    soundtrack,
)

SAMPLE_RATE = 24_000
_LONGEST_SENTENCE = 5


@dataclass(frozen=True)
class Job:
    """A film to be made by a child process, and how; a file of JSON."""

    folder: str
    """Where its sentences lie, and where the film goes."""
    pictures: tuple[tuple[str, str], ...]
    """File and digest of every scene's picture."""
    sentences: tuple[tuple[int, ...], ...]
    """Samples of every sentence, by scene."""
    fps: int = 30
    width: int = 1920
    height: int = 1080

    def write(self, file: Path) -> Path:
        """Save it."""
        file.write_text(json.dumps(asdict(self)))
        return file

    @classmethod
    def read(cls, file: Path) -> Job:
        """Return what was saved."""
        return cls(**json.loads(file.read_text()))


class Film(NamedTuple):
    """The same, laid out."""

    timeline: Timeline
    pieces: list[Piece]
    sound: Soundtrack


def prepare(folder: Path, pictures: Sequence[Path], *, seconds: float, scenes: int) -> Job:
    """Write a film's sentences and pictures; it lasts `seconds` exactly.

    Every scene gets a picture file of its own, so that nothing decoded for one serves another.
    """
    folder.mkdir(parents=True)
    job = Job(
        str(folder),
        tuple(_picture_of(number, pictures, folder) for number in range(scenes)),
        tuple(
            _sentences(Fraction(frames, 30))
            for frames in _frames_of_scenes(round(seconds * 30), scenes)
        ),
    )
    dice = np.random.default_rng(5)
    for number, samples in enumerate(samples for scene in job.sentences for samples in scene):
        _speak(_sentence_file(job, number), samples, dice)
    found = film_of(job).timeline.frames
    if found != round(seconds * 30):
        print(f"  note: {seconds:g} s in {scenes} scenes became {found / 30:.2f} s")
    return job


def film_of(job: Job) -> Film:
    """Lay the film out."""
    timeline = lay_out([_spoken(scene) for scene in job.sentences], fps=job.fps)
    moves = motions(len(job.pictures), seed="benchmark")
    stills = [
        Still(Path(file), sha256, motion)
        for (file, sha256), motion in zip(job.pictures, moves, strict=True)
    ]
    count = len(timeline.sentences)
    return Film(
        timeline,
        film(timeline, stills, width=job.width, height=job.height),
        soundtrack(
            timeline, [_sentence_file(job, n) for n in range(count)], sample_rate=SAMPLE_RATE
        ),
    )


def _frames_of_scenes(frames: int, scenes: int) -> list[int]:
    """Divide the film unevenly, as scripts do."""
    dice = random.Random(scenes)
    weights = [dice.uniform(0.7, 1.3) for _ in range(scenes)]
    edges = [round(frames * sum(weights[:n]) / sum(weights)) for n in range(scenes + 1)]
    # Below this there is no room for a sentence before the closing pause.
    least = int(CLOSING * 30) + 2
    lengths = [end - begin for begin, end in pairwise(edges)]
    if frames < least * scenes:
        raise SystemExit(f"{scenes} scenes need {least * scenes / 30:.0f} s.")
    while min(lengths) < least:
        lengths[lengths.index(max(lengths))] -= 1
        lengths[lengths.index(min(lengths))] += 1
    return lengths


def _sentences(scene: Fraction) -> tuple[int, ...]:
    count = max(1, round((scene - CLOSING) / _LONGEST_SENTENCE))
    speech = scene - CLOSING - BETWEEN_SENTENCES * (count - 1)
    return tuple(int(speech / count * SAMPLE_RATE) for _ in range(count))


def _spoken(scene: Sequence[int]) -> list[SpokenSentence]:
    return [
        SpokenSentence(text="x", start=0, end=1, key="x", samples=samples, sample_rate=SAMPLE_RATE)
        for samples in scene
    ]


def _sentence_file(job: Job, number: int) -> Path:
    return Path(job.folder, f"sentence_{number:04}.wav")


def _picture_of(number: int, pictures: Sequence[Path], folder: Path) -> tuple[str, str]:
    source = pictures[number % len(pictures)]
    file = folder / f"picture_{number:03}{source.suffix}"
    os.link(source, file)
    # Not the content's alone: two scenes with equal pictures must not share what was decoded.
    return str(file), hashlib.sha256(source.read_bytes() + str(number).encode()).hexdigest()


def _speak(file: Path, samples: int, dice: np.random.Generator) -> None:
    """Write something with the spectrum and the syllables of a voice."""
    seconds = np.arange(samples) / SAMPLE_RATE
    pitch = 2 * np.pi * np.cumsum(110 + 20 * np.sin(2 * np.pi * 0.7 * seconds)) / SAMPLE_RATE
    voice = sum(np.sin(pitch * n) / n for n in range(1, 24))
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * seconds), 0.05, 1) ** 0.5
    sound = (voice + 0.1 * dice.standard_normal(samples)) * syllables * 5000
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE, samples, "NONE", ""))
        out.writeframes(np.clip(sound, -32768, 32767).astype("<i2").tobytes())
