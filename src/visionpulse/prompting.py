"""The text of a picture prompt: who is in it, what it looks like, and what it must not name."""
# ruff: noqa: RUF001 - the dashes and quotes of many languages are meant as they stand

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from visionpulse.language import scripts_of
from visionpulse.models import Character, PictureRequest, Style, StyleBible

# Languages that write no spaces have no edges of words to look for.
_SPACELESS = frozenset({"Han", "Kana", "Thai", "Lao", "Burmese", "Khmer"})
_CLAUSE = re.compile(r"[^.!?…,;:—。、，；！？।؟،]+[.!?…,;:—。、，；！？।؟،]*")
_SENTENCE_END = re.compile(r"[.!?…。！？।؟]+$")


def picture_prompt(request: PictureRequest, *, limit: int) -> str:
    """Return one text for an image model that reads nothing but a prompt.

    Where it does not fit, the style gives way first, then the film's setting, then the end of the
    prompt; the characters never do.

    Args:
        request: The picture.
        limit: The most characters the model takes.
    """
    looks = "\n".join(each.look for each in missing_looks(request))
    without = _cut(_without(request), (limit - len(looks)) // 4)
    room = limit - len(looks) - len(without) - 4
    prompt = _cut(request.prompt, room)
    room -= len(prompt)
    setting = _cut(request.setting, room) if request.setting not in prompt else ""
    look = _cut(_look(request.style, prompt), room - len(setting))
    return "\n".join(filter(None, (prompt, looks, setting, look, without)))


def missing_looks(request: PictureRequest) -> list[Character]:
    """Return the characters whose look does not stand in the prompt already."""
    return [each for each in request.characters if each.look not in request.prompt]


def named_in(prompt: str, bible: StyleBible) -> tuple[Character, ...]:
    """Return the characters of a bible that a prompt names, in any case."""
    return tuple(each for each in bible.characters if each.name and names(prompt, [each.name]))


def setting_of(bible: StyleBible) -> str:
    """Return what all pictures share, as a sentence for a prompt."""
    parts = (("Palette", bible.palette), ("Light and lens", bible.lens), ("Era", bible.era))
    return " ".join(f"{name}: {what.rstrip('.')}." for name, what in parts if what.rstrip(". "))


def names(text: str, words: Iterable[str]) -> bool:
    """Return whether a text names one of these things, in any case, singular or plural."""
    return any(re.search(pattern(word), text, re.IGNORECASE) for word in words if word.strip())


def pattern(phrase: str) -> str:
    """Return a regular expression that finds a phrase as words of their own."""
    words = phrase.split()
    if scripts_of(phrase).keys() & _SPACELESS:
        return re.escape("".join(words))
    stem = re.sub(r"(?<=\w\w)(?:es|s|y|ies)$", "", " ".join(words), flags=re.IGNORECASE)
    return r"(?<!\w)" + r"\s+".join(map(re.escape, stem.split())) + r"(?:e?s|y|ies|['’]s)?(?!\w)"


class Unwanted:
    """What must not be named: what an image model reads, it draws, even after a "no"."""

    def __init__(self, words: Iterable[str]) -> None:
        patterns = [pattern(word) for word in words if word.strip()]
        self._any = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def named_in(self, text: str) -> bool:
        """Return whether a text names any of it."""
        return bool(self._any and self._any.search(text))

    def allowed(self, phrases: Iterable[str]) -> Iterable[str]:
        """Return the phrases that name none of it."""
        return (phrase for phrase in phrases if not self.named_in(phrase))

    def without(self, text: str) -> str:
        """Leave out the clauses that name it."""
        if self._any is None:
            return text
        kept = ""
        for clause in _CLAUSE.findall(text):
            end = _SENTENCE_END.search(clause)
            if not self._any.search(clause):
                kept += clause
            elif end and kept:
                # The sentence now ends with the clause before.
                kept = kept.rstrip(" ,;:—、，；،.!?…。！？।؟") + end[0]
        # A name with a full stop inside, such as "U.S.", is in no clause as a whole.
        return self._any.sub("", kept).strip(" ,;:—、，；،")


def shared_out(keywords: Sequence[str], texts: Sequence[str]) -> list[list[str]]:
    """Return for each text the keywords it says; one that none says goes to one text, in turn."""
    chosen: list[list[str]] = [[] for _ in texts]
    unsaid = 0
    for keyword in keywords:
        scenes = [number for number, text in enumerate(texts) if names(text, [keyword])]
        if not scenes and texts:
            scenes = [unsaid % len(texts)]
            unsaid += 1
        for number in scenes:
            chosen[number].append(keyword)
    return chosen


def _without(request: PictureRequest) -> str:
    style = request.style
    unwanted = [*request.avoid, *(style.avoid if style else ())]
    return f"Without: {', '.join(dict.fromkeys(unwanted))}." if unwanted else ""


def _look(style: Style | None, prompt: str) -> str:
    if style is None or style.look in prompt:
        return ""
    palette = f" Palette: {', '.join(style.palette)}." if style.palette else ""
    return f"Style: {style.look}{palette}"


def _cut(text: str, limit: int) -> str:
    """Shorten at a white space, if there is one."""
    if len(text) <= limit:
        return text
    kept = text[: max(limit, 0)]
    if kept and not text[len(kept)].isspace():
        kept = kept.rpartition(" ")[0] or kept
    return kept.rstrip()
