"""What a picture is to show: the words of a prompt, matched against vocabularies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from visionpulse.models import Style
from visionpulse.providers.offline.scenery.canvas import Canvas

Choice = TypeVar("Choice")

_NEGATED = re.compile(r"\b(?:no|not|without|avoid|avoiding|never|except)\s+(?:any\s+|a\s+)?\w+")
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, in lower case."""
    return tuple(_WORD.findall(text.lower()))


class Vocabulary:
    """Words that call for something; `volcan*` stands for every word that begins so.

    Args:
        subjects: Words that name the thing itself.
        hints: Words that go well with it.
    """

    def __init__(self, subjects: str, hints: str = "") -> None:
        self._subjects = _pattern(subjects)
        self._hints = _pattern(hints)

    def score(self, told: tuple[str, ...]) -> float:
        """Return how strongly a text calls for it; the first words of a prompt say most."""
        total = 0.0
        for place, word in enumerate(told):
            weight = (
                3.0
                if self._subjects.fullmatch(word)
                else 1.0
                if self._hints.fullmatch(word)
                else 0.0
            )
            total += weight * (1 - 0.5 * place / len(told))
        return total

    def names(self, told: tuple[str, ...]) -> bool:
        """Return whether one of the words names the thing itself."""
        return any(self._subjects.fullmatch(word) for word in told)


def _pattern(listed: str) -> re.Pattern[str]:
    return re.compile("|".join(word.replace("*", r"\w*") for word in listed.split()) or r"(?!)")


class Brief:
    """A request, read: what is asked for, what is to be left out, and chance for the rest."""

    def __init__(
        self, prompt: str, avoid: tuple[str, ...], style: Style | None, rng: np.random.Generator
    ) -> None:
        text = prompt.lower()
        # The style's own words say how to draw, not what.
        for phrase in (style.look, style.title, *style.palette) if style else ():
            text = text.replace(phrase.lower(), " ")
        unwanted = " ".join(_NEGATED.findall(text))
        self.told: tuple[str, ...] = words(_NEGATED.sub(" ", text))
        self.avoided: tuple[str, ...] = words(" ".join(avoid)) + words(unwanted)
        self._rng = rng

    def choose(self, options: Mapping[Choice, Vocabulary]) -> Choice | None:
        """Return the option the words call for, or any one; None when all are to be avoided.

        Where several fit nearly as well, chance decides among them, so that a long script on one
        subject is not illustrated with one motif.
        """
        allowed = {each: known for each, known in options.items() if not known.names(self.avoided)}
        if not allowed:
            return None
        scores = {each: known.score(self.told) for each, known in allowed.items()}
        best = max(scores.values())
        fitting = [each for each, score in scores.items() if score >= 0.7 * best]
        return fitting[int(self._rng.integers(len(fitting)))]

    def allows(self, known: Vocabulary) -> bool:
        """Return whether a thing may be in the picture."""
        return not known.names(self.avoided)

    def asks(self, known: Vocabulary) -> bool:
        """Return whether the words name a thing, and do not exclude it."""
        return known.names(self.told) and self.allows(known)


@dataclass(frozen=True)
class Family:
    """A kind of scene: the words that call for it and the hand that draws it."""

    name: str
    vocabulary: Vocabulary
    draw: Callable[[Canvas, Brief], None]
    roams: bool = False
    """Whether it suits a text that calls for nothing in particular."""
