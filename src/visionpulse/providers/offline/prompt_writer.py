"""Plans a film from the script's own words, without a language model."""
# ruff: noqa: RUF001 - the dashes and quotes of many languages are meant as they stand

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from visionpulse.keyphrases import key_phrases
from visionpulse.language import detect_language, plain_words, stop_words
from visionpulse.models import (
    Rewrite,
    RewriteRequest,
    SceneDraft,
    Storyboard,
    StoryboardRequest,
    Style,
    StyleBible,
)
from visionpulse.prompting import Unwanted, shared_out
from visionpulse.protocols import FREE, Quote
from visionpulse.text import partition, spoken_seconds

# Raised whenever the same request would give another storyboard.
_RECIPE = 3

# Neighbours differ in distance and height, as in an edited film. None of the words names a thing.
_SHOTS = (
    "Wide establishing view",
    "Close-up",
    "Medium view at eye level",
    "Elevated view",
    "Detail",
    "View from a low angle",
    "Distant view",
    "Intimate view",
)
_LONGEST_DESCRIPTION = 220


class PromptWriter:
    """Shares the sentences out evenly and describes each scene by its own words and key phrases.

    The words are those of the script, in its language; only the frame around them is English.
    """

    provider: str = "offline"
    model: str = "prompt-writer"
    identity: str = f"visionpulse prompt writer, recipe {_RECIPE}"

    def quote(self, request: StoryboardRequest | RewriteRequest) -> Quote:
        """Return that it is free."""
        return FREE

    def parameters(self, request: StoryboardRequest | RewriteRequest) -> Mapping[str, Any]:
        """Return the whole request: all of it shapes the answer."""
        return request.model_dump(mode="json", exclude_none=True)

    def storyboard(self, request: StoryboardRequest) -> Storyboard:
        """Return the ranges asked for, else even ones, with a prompt for each; all prompts differ.

        A negative keyword is never named, not even to forbid it: what an image model reads, it
        draws. Clauses and phrases it occurs in are left out. A keyword goes to the scenes that
        speak of it; one that no scene speaks of goes to one of them in turn, and to the bible.
        """
        banned = Unwanted(request.negative_keywords)
        sentences = [_plain(sentence) for sentence in request.sentences]
        document = " ".join(sentences)
        ranges = request.ranges or partition(
            [spoken_seconds(sentence) for sentence in sentences], request.scene_count
        )
        texts = [" ".join(sentences[first : last + 1]) for first, last in ranges]
        keywords = shared_out(list(banned.allowed(request.keywords)), texts)
        shots = list(banned.allowed(_SHOTS)) or ["Scene"]
        frame = _frame(request.style, banned)
        # A sentence about lava chimneys, out of a film on the deep sea, is to look like the sea.
        whole = f"From a film of {', '.join(banned.allowed(_subjects(document)))}."
        prompts: list[str] = []
        for number, text in enumerate(texts):
            told = banned.without(text)
            phrases = banned.allowed(key_phrases(told, document))
            subject = ", ".join(dict.fromkeys([*keywords[number], *phrases]))
            shot = shots[number % len(shots)]
            said = f"{shot}: {subject}." if subject else f"{shot}."
            parts = [said, _clipped(told), whole if len(ranges) > 1 else "", frame]
            prompt = " ".join(filter(None, parts))
            if prompt in prompts:
                prompt += f" Variation {number + 1}."
            prompts.append(prompt)
        return Storyboard(
            scenes=tuple(
                SceneDraft(first=first, last=last, prompt=prompt)
                for (first, last), prompt in zip(ranges, prompts, strict=True)
            ),
            bible=_bible(request, document, banned),
        )

    def rewrite(self, request: RewriteRequest) -> Rewrite:
        """Leave out what is unwanted; for what was refused, show what the film is about instead."""
        banned = Unwanted(request.avoid)
        if request.reason == "unwanted":
            return Rewrite(prompt=banned.without(request.prompt))
        motifs = ", ".join(banned.allowed(request.bible.motifs if request.bible else ()))
        return Rewrite(prompt=f"A quiet wide view: {motifs or 'an open landscape'}.")


def _plain(text: str) -> str:
    """Drop addresses and the marks of Markdown; a picture of them is a picture of letters."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)\s]*\)", r"\1", text)
    text = re.sub(r"https?://\S+|www\.\S+|[*_`#~|<>]", " ", text)
    return " ".join(text.split())


def _clipped(text: str) -> str:
    if len(text) <= _LONGEST_DESCRIPTION:
        return text
    head = text[:_LONGEST_DESCRIPTION]
    sentences = re.match(r"(?s).*[.!?…。！？।؟]", head)
    whole = sentences[0] if sentences and len(sentences[0]) > _LONGEST_DESCRIPTION / 3 else ""
    return whole or (head.rpartition(" ")[0] or head).rstrip(" ,;:—–、，") + "."


def _frame(style: Style, banned: Unwanted) -> str:
    look = banned.without(style.look)
    colours = ", ".join(banned.allowed(style.palette))
    return " ".join(filter(None, [look, f"Colours: {colours}." if colours else ""]))


def _recurring(document: str) -> list[str]:
    """Return what the film comes back to: words said more than once, else its key phrases."""
    stops = stop_words(detect_language(document))
    counts = Counter(
        word
        for word in map(str.lower, plain_words(document))
        if word not in stops and len(word) > 3
    )
    often = [word for word, count in counts.most_common(5) if count > 1]
    return often or key_phrases(document, most=3)


def _subjects(document: str) -> list[str]:
    return list(dict.fromkeys([*_recurring(document), *key_phrases(document, most=6)]))


def _bible(request: StoryboardRequest, document: str, banned: Unwanted) -> StyleBible:
    # Palette and light are the style's, and stand in every prompt.
    motifs = dict.fromkeys([*_recurring(document), *request.keywords])
    avoid = dict.fromkeys([*request.negative_keywords, *request.style.avoid])
    return StyleBible(motifs=tuple(banned.allowed(motifs)), avoid=tuple(avoid))
