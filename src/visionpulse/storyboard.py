"""Scenes as stretches of the script: they partition it, to the character."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import ceil
from typing import Literal

from visionpulse.errors import BadAnswerError, InputError, ScriptError
from visionpulse.models import (
    Motion,
    Plan,
    Scene,
    SceneDraft,
    Sentence,
    Storyboard,
    StoryboardRequest,
    StyleBible,
    VideoOptions,
)
from visionpulse.prompting import names, shared_out
from visionpulse.text import partition, split_sentences, spoken_seconds
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


def divided(script: str, images: Sequence[str], options: VideoOptions) -> Plan:
    """Share a script out among pictures of the user's.

    Raises:
        InputError: There are more pictures than sentences.
    """
    sentences = split_sentences(script)
    if len(images) > len(sentences):
        raise InputError(
            f"{len(images)} pictures are too many for {len(sentences)} sentences.",
            hint="Every picture needs a sentence to be heard over it.",
        )
    drafts = [
        SceneDraft(first=first, last=last, prompt="")
        for first, last in partition([spoken_seconds(each.text) for each in sentences], len(images))
    ]
    made = plan(script, Storyboard(scenes=tuple(drafts)), (), options)
    scenes = [
        scene.model_copy(update={"own_image": image})
        for scene, image in zip(made.scenes, images, strict=True)
    ]
    return Plan(scenes=tuple(scenes))


def respanned(scenes: Sequence[Scene]) -> list[Scene]:
    """Return scenes with the spans they have in their joined texts."""
    ends = [0, *accumulate(len(scene.text) for scene in scenes)]
    return [
        scene.model_copy(update={"start_char": start, "end_char": end})
        for scene, (start, end) in zip(scenes, pairwise(ends), strict=True)
    ]


def parts_of(whole: StoryboardRequest, most: int) -> list[StoryboardRequest]:
    """Divide a request into requests for at most so many scenes each."""
    if whole.scene_count <= most:
        return [whole]
    count = ceil(whole.scene_count / most)
    if whole.ranges:
        edges = [len(whole.ranges) * number // count for number in range(count + 1)]
        cuts = [whole.ranges[edge][0] for edge in edges[:-1]] + [len(whole.sentences)]
        scenes = [end - begin for begin, end in pairwise(edges)]
    else:
        shares = partition([spoken_seconds(each) for each in whole.sentences], count)
        cuts = [first for first, _ in shares] + [len(whole.sentences)]
        # As many scenes in all as were wanted, each part's by its length.
        place = [0, *accumulate(map(spoken_seconds, whole.sentences))]
        edges = [round(whole.scene_count * place[cut] / place[-1]) for cut in cuts]
        scenes = [
            min(max(end - begin, 1), most, last - first)
            for (begin, end), (first, last) in zip(pairwise(edges), pairwise(cuts), strict=True)
        ]
    parts: list[StoryboardRequest] = []
    for (first, end), wanted in zip(pairwise(cuts), scenes, strict=True):
        ranges = whole.ranges and tuple(
            (begin - first, last - first) for begin, last in whole.ranges if first <= begin < end
        )
        changes = {
            "sentences": whole.sentences[first:end],
            "scene_count": wanted,
            "ranges": ranges,
        }
        parts.append(whole.model_copy(update=changes))
    return parts


def joined(
    parts: Sequence[StoryboardRequest], boards: Sequence[Storyboard], bible: StyleBible
) -> Storyboard:
    """Put the parts of a long film's storyboard together."""
    scenes: list[SceneDraft] = []
    before = 0
    for part, board in zip(parts, boards, strict=True):
        scenes += [
            SceneDraft(first=draft.first + before, last=draft.last + before, prompt=draft.prompt)
            for draft in board.scenes
        ]
        before += len(part.sentences)
    return Storyboard(scenes=tuple(scenes), bible=bible)


def with_keywords(board: Storyboard, request: StoryboardRequest) -> Storyboard:
    """Add the keywords that no prompt names: where they are spoken of, else to one scene."""
    missing = [
        keyword
        for keyword in request.keywords
        if keyword.strip() and not any(names(draft.prompt, [keyword]) for draft in board.scenes)
    ]
    if not missing:
        return board
    texts = [" ".join(request.sentences[each.first : each.last + 1]) for each in board.scenes]
    scenes = [
        draft.model_copy(
            update={"prompt": f"{draft.prompt} Also in the picture: {', '.join(more)}."}
        )
        if more
        else draft
        for draft, more in zip(board.scenes, shared_out(missing, texts), strict=True)
    ]
    return board.model_copy(update={"scenes": tuple(scenes)})


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
