"""The few phrases that say what a stretch of text shows.

RAKE (Rose, Engel, Cramer and Cowley, 2010): phrases are the words between stop words and
punctuation; a word counts by the company it keeps. Added to it: names weigh more, and words the
whole document is full of weigh less, so that scenes of one film differ.
"""
# ruff: noqa: RUF001 - the dashes and quotes of many languages are meant as they stand

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from visionpulse.language import detect_language, plain_words, stop_words

_LONGEST_PHRASE = 3
_CLAUSE_END = re.compile(r"[.!?…,;:()\[\]\"“”„«»\n—–|/।،؛؟]+")

#: Languages that write no spaces between words: the runs of characters that are mostly nouns.
_RUNS = {
    # Han, cut at the commonest grammatical characters.
    "zh": re.compile(
        r"(?:(?![的是在了和与與有也就都而及或被把对對从從到这這那其之为為不很我你他她它们們个個一上中下最])"
        r"[\u3400-\u4dbf\u4e00-\u9fff]){2,6}"
    ),
    # Kanji and katakana; what stands between them in hiragana is grammar.
    "ja": re.compile(r"[\u3005\u3400-\u4dbf\u4e00-\u9fff]{2,6}|[\u30a1-\u30fa\u30fc]{2,12}"),
    "th": re.compile(r"[\u0e01-\u0e4e]{2,16}"),
    "lo": re.compile(r"[\u0e81-\u0ece]{2,16}"),
    "km": re.compile(r"[\u1780-\u17d3]{2,16}"),
    "my": re.compile(r"[\u1000-\u104f]{2,16}"),
}


def key_phrases(text: str, document: str | None = None, most: int = 4) -> list[str]:
    """Return phrases of up to three words as they are written in the text, the weightiest first.

    Args:
        text: What the phrases are for, such as one scene.
        document: The whole it is part of, such as the script.
        most: How many phrases at most.
    """
    language = detect_language(document or text)
    if language in _RUNS:
        runs = Counter(_RUNS[language].findall(text))
        return _distinct(sorted(runs, key=lambda run: -min(len(run), 6) * runs[run]), most)
    often = Counter(word.lower() for word in plain_words(document or ""))
    phrases = list(_phrases(text, stop_words(language)))
    count: Counter[str] = Counter()
    company: Counter[str] = Counter()
    for phrase in phrases:
        for word in phrase:
            count[word.lower()] += 1
            company[word.lower()] += min(len(phrase), _LONGEST_PHRASE)

    def weight(phrase: list[str]) -> float:
        total = 0.0
        for word in phrase[:_LONGEST_PHRASE]:
            low = word.lower()
            name = 1.25 if word[0].isupper() else 1.0
            common = 1 + 0.15 * max(0, often[low] - 1)
            total += company[low] / count[low] * min(len(word), 9) / 6 * name / common
        # A long run of content words is a sentence without stop words rather than a phrase.
        return total / (1 + 0.35 * max(0, len(phrase) - _LONGEST_PHRASE))

    ranked = sorted(phrases, key=weight, reverse=True)
    return _distinct((" ".join(phrase[:_LONGEST_PHRASE]) for phrase in ranked), most)


def _phrases(text: str, stops: frozenset[str]) -> Iterator[list[str]]:
    for clause in _CLAUSE_END.split(text):
        phrase: list[str] = []
        for word in plain_words(clause):
            # A number says nothing to a painter, unless it is a year.
            if word.lower().replace("’", "'") in stops or (word.isdigit() and len(word) != 4):
                if phrase:
                    yield phrase
                phrase = []
            else:
                phrase.append(word)
        if phrase:
            yield phrase


def _distinct(phrases: Iterable[str], most: int) -> list[str]:
    chosen: list[str] = []
    for phrase in phrases:
        low = phrase.lower()
        if len(chosen) < most and not any(
            low in other.lower() or other.lower() in low for other in chosen
        ):
            chosen.append(phrase)
    return chosen
