"""When each sentence is heard and each picture seen: the only arithmetic on time.

Seconds are exact fractions. A scene begins on a frame, together with its first sentence, and lasts
a whole number of frames: its closing pause is extended by less than one. The crossfade to the next
scene lies wholly inside that pause and ends where the next scene begins, so that every sentence is
heard over its own picture, fully visible.

    scene 0: | sentence . sentence . . closing pause |
    scene 1:                         | fade | sentence . . closing pause |
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Literal, NamedTuple

from visionpulse.errors import InputError
from visionpulse.models import Motion, SpokenSentence
from visionpulse.protocols import Move, Piece, Soundtrack

BETWEEN_SENTENCES = Fraction(35, 100)
AFTER_PARAGRAPH = Fraction(60, 100)
CLOSING = Fraction(50, 100)
ENDING = Fraction(2)
"""After the last word of a film with music, which fades out meanwhile."""
FADE = Fraction(50, 100)
LONGEST_PIECE = 10

MOTIONS: tuple[Motion, ...] = ("in", "out", "left", "right", "up", "down")


class Still(NamedTuple):
    """A scene's picture and how the camera moves over it."""

    picture: Path
    sha256: str
    motion: Motion


@dataclass(frozen=True)
class Heard:
    """A sentence on the timeline, in seconds."""

    start: Fraction
    seconds: Fraction

    def sample(self, sample_rate: int) -> int:
        """Return its first sample."""
        return round(self.start * sample_rate)


@dataclass(frozen=True)
class Shot:
    """A scene on the timeline, in frames."""

    first_frame: int
    frames: int
    fade: int
    """Length of the crossfade to the next scene: the last frames of this one. 0: a cut."""
    sentences: tuple[Heard, ...]


@dataclass(frozen=True)
class Stretch:
    """A stretch of the film that is encoded by itself: part of one scene, or a crossfade of two."""

    scene: int
    into: int | None
    """The scene that is faded in, from the first frame of its camera move."""
    first_frame: int
    frames: int
    offset: int
    """Its first frame is this frame of the camera's move over `scene`."""


@dataclass(frozen=True)
class Timeline:
    """The film in time."""

    fps: int
    shots: tuple[Shot, ...]

    @property
    def frames(self) -> int:
        """Length of the film."""
        return sum(shot.frames for shot in self.shots)

    @property
    def seconds(self) -> Fraction:
        """Length of the film."""
        return Fraction(self.frames, self.fps)

    @property
    def sentences(self) -> tuple[Heard, ...]:
        """All sentences of the film, in order."""
        return tuple(heard for shot in self.shots for heard in shot.sentences)

    def start(self, scene: int) -> Fraction:
        """Return the second at which a scene begins: its first sentence, fully visible."""
        return Fraction(self.shots[scene].first_frame, self.fps)

    def move_frames(self, scene: int) -> int:
        """Return how long the camera moves: from the scene's fade-in to the end of its fade-out."""
        return self._fade_in(scene) + self.shots[scene].frames

    def _fade_in(self, scene: int) -> int:
        return self.shots[scene - 1].fade if scene else 0


def lay_out(
    scenes: Sequence[Sequence[SpokenSentence]],
    *,
    fps: int,
    transition: Literal["crossfade", "cut"] = "crossfade",
    ending: Fraction = CLOSING,
    pauses: bool = True,
) -> Timeline:
    """Place sentences and scenes in time; `ending` seconds follow the last word at least.

    Without `pauses` the sentences have their own, and follow each other directly; but a scene still
    lasts whole frames.

    What is said in one scene never changes another scene's number of frames.

    Raises:
        InputError: There is no scene, a scene without a sentence, or a sentence without sound.
    """
    if not scenes:
        raise InputError("There is no scene to put on the timeline.")
    fade = fade_frames(fps, transition)
    shots: list[Shot] = []
    first_frame = 0
    for number, sentences in enumerate(scenes):
        if not sentences or any(each.samples <= 0 for each in sentences):
            raise InputError(
                f"Scene {number} has nothing to be heard.",
                hint="Every scene needs a sentence, and every sentence its sound.",
                scene=number,
            )
        at = Fraction(first_frame, fps)
        heard: list[Heard] = []
        for sentence in sentences:
            heard.append(Heard(at, Fraction(sentence.samples, sentence.sample_rate)))
            at += heard[-1].seconds + (_pause(sentence) if pauses else 0)
        last = number == len(scenes) - 1
        closing = Fraction(0)
        if last or pauses:
            closing = max(_pause(sentences[-1]), ending if last else CLOSING)
        end = heard[-1].start + heard[-1].seconds + closing
        frames = ceil(end * fps) - first_frame
        shots.append(Shot(first_frame, frames, 0 if last else fade, tuple(heard)))
        first_frame += frames
    return Timeline(fps, tuple(shots))


def fade_frames(fps: int, transition: Literal["crossfade", "cut"]) -> int:
    """Return how long a crossfade is."""
    return int(FADE * fps) if transition == "crossfade" else 0


def _pause(sentence: SpokenSentence) -> Fraction:
    return AFTER_PARAGRAPH if sentence.ends_paragraph else BETWEEN_SENTENCES


def even(
    count: int,
    seconds: float | Fraction,
    *,
    fps: int,
    transition: Literal["crossfade", "cut"] = "crossfade",
) -> Timeline:
    """Divide a narration that is one file evenly among scenes, edges rounded to frames.

    Raises:
        InputError: There is no scene, or less than a frame for each.
    """
    total = ceil(Fraction(seconds) * fps)
    if not 1 <= count <= total:
        raise InputError(
            f"{float(seconds):.2f} seconds of narration cannot be divided among {count} scenes."
        )
    fade = fade_frames(fps, transition)
    edges = _edges(count, total)
    return Timeline(
        fps,
        tuple(
            # Half of a scene at most, or short scenes would never be fully visible.
            Shot(first, end - first, 0 if end == total else min(fade, (end - first) // 2), ())
            for first, end in edges
        ),
    )


def pieces_of(timeline: Timeline) -> list[Stretch]:
    """Cut the film into stretches that cover every frame once, in order, none over 10 seconds."""
    return list(_stretches(timeline))


def _stretches(timeline: Timeline) -> Iterator[Stretch]:
    longest = LONGEST_PIECE * timeline.fps
    fade_in = 0
    for scene, shot in enumerate(timeline.shots):
        body = shot.frames - shot.fade
        for first, end in _edges(ceil(body / longest), body):
            yield Stretch(scene, None, shot.first_frame + first, end - first, fade_in + first)
        if shot.fade:
            yield Stretch(scene, scene + 1, shot.first_frame + body, shot.fade, fade_in + body)
        fade_in = shot.fade


def _edges(count: int, total: int) -> list[tuple[int, int]]:
    return [(total * i // count, total * (i + 1) // count) for i in range(count)]


def film(timeline: Timeline, stills: Sequence[Still], *, width: int, height: int) -> list[Piece]:
    """Return the pieces a renderer encodes, in order; one still for each scene.

    Raises:
        InputError: There are not as many stills as scenes.
    """
    if len(stills) != len(timeline.shots):
        raise InputError(f"{len(stills)} pictures do not fit {len(timeline.shots)} scenes.")
    moves = [
        Move(still.picture, still.sha256, still.motion, timeline.move_frames(scene))
        for scene, still in enumerate(stills)
    ]
    return [
        Piece(
            width,
            height,
            timeline.fps,
            stretch.frames,
            moves[stretch.scene],
            stretch.offset,
            None if stretch.into is None else moves[stretch.into],
        )
        for stretch in pieces_of(timeline)
    ]


def soundtrack(timeline: Timeline, files: Sequence[Path], *, sample_rate: int) -> Soundtrack:
    """Return the film's sound; one WAV file for each sentence, or one for an evenly divided film.

    Raises:
        InputError: There are not as many files as sentences.
    """
    starts = [heard.sample(sample_rate) for heard in timeline.sentences] or [0]
    if len(files) != len(starts):
        raise InputError(f"{len(files)} sound files do not fit {len(starts)} sentences.")
    return Soundtrack(
        sample_rate,
        round(timeline.seconds * sample_rate),
        tuple(zip(starts, files, strict=True)),
    )


def motions(count: int, *, seed: str) -> list[Motion]:
    """Choose camera moves for scenes: the same for the same seed, never the same twice running.

    Every six scenes use all six moves.
    """
    # Not for secrets: the same storyboard has to move the same way on every machine.
    dice = random.Random(seed)  # noqa: S311
    chosen: list[Motion] = []
    while len(chosen) < count:
        bag = list(MOTIONS)
        dice.shuffle(bag)
        if chosen and bag[0] == chosen[-1]:
            bag.reverse()
        chosen += bag
    return chosen[:count]
