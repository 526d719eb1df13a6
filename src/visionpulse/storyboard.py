"""Scenes as stretches of the script: they partition it, to the character."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from visionpulse.errors import BadAnswerError, ScriptError
from visionpulse.models import (
    Motion,
    Plan,
    Scene,
    Sentence,
    Storyboard,
    StoryboardRequest,
    VideoOptions,
)
from visionpulse.text import split_sentences
from visionpulse.timeline import motions


def plan(script: str, storyboard: Storyboard, kept: Sequence[Scene], options: VideoOptions) -> Plan:
    """Turn a prompt model's ranges over the sentences into scenes, or give kept scenes new prompts.

    White space between sentences belongs to the scene before it, that at the script's beginning to
    the first.
    """
    if kept:
        scenes = [
            scene.model_copy(update={"prompt": draft.prompt, "take": 0})
            for scene, draft in zip(kept, storyboard.scenes, strict=True)
        ]
        return Plan(scenes=tuple(scenes), bible=storyboard.bible)
    sentences = split_sentences(script)
    edges = [0, *(sentences[draft.first].start for draft in storyboard.scenes[1:]), len(script)]
    moves = _moves(script, len(storyboard.scenes), options.motion)
    return Plan(
        scenes=tuple(
            Scene(
                # The same script gives the same ids, so that a run begun again finds its scenes.
                id=hashlib.sha256(f"{start}:{script[start:end]}".encode()).hexdigest()[:8],
                text=script[start:end],
                start_char=start,
                end_char=end,
                prompt=draft.prompt,
                motion=motion,
            )
            for draft, start, end, motion in zip(
                storyboard.scenes, edges[:-1], edges[1:], moves, strict=True
            )
        ),
        bible=storyboard.bible,
    )


def _moves(script: str, count: int, wanted: Motion | Literal["auto"]) -> Sequence[Motion]:
    if wanted == "auto":
        return motions(count, seed=script)
    moves: list[Motion] = [wanted] * count
    return moves


def check_storyboard(storyboard: Storyboard, request: StoryboardRequest) -> None:
    """Make sure that the scenes cover every sentence once, in order, each with a prompt.

    Raises:
        BadAnswerError: They do not.
    """
    ranges = tuple((scene.first, scene.last) for scene in storyboard.scenes)
    follows = [0, *(last + 1 for _, last in ranges)]
    covers = [first for first, _ in ranges] == follows[:-1] and follows[-1] == len(
        request.sentences
    )
    if not covers or any(last < first for first, last in ranges):
        raise BadAnswerError(
            f"The prompt model's scenes do not cover the {len(request.sentences)} sentences once "
            f"and in order: {list(ranges)[:12]}."
        )
    if request.ranges not in (None, ranges):
        raise BadAnswerError("The prompt model changed the scenes it was to keep.")
    for number, scene in enumerate(storyboard.scenes):
        if not scene.prompt.strip():
            raise BadAnswerError(f"The prompt model wrote no prompt for scene {number}.")


def sentence_ranges(
    sentences: Sequence[Sentence], scenes: Sequence[Scene]
) -> tuple[tuple[int, int], ...]:
    """Return the first and last sentence of each scene.

    Raises:
        ScriptError: A scene has nothing to be spoken.
    """
    ranges: list[tuple[int, int]] = []
    first = 0
    for number, scene in enumerate(scenes):
        end = first
        while end < len(sentences) and sentences[end].start < scene.end_char:
            end += 1
        if end == first:
            raise ScriptError(
                f"Scene {number} has nothing to be spoken: {scene.text[:40]!r}.",
                hint="Give it words, or join it with its neighbour.",
                scene=number,
            )
        ranges.append((first, end - 1))
        first = end
    return tuple(ranges)
