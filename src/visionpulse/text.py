"""The script as sentences and words: checked, cut, counted and shared out among scenes.

Spans are character offsets, so that whatever is cut can be found again in the script.
"""
# ruff: noqa: RUF001 - the dashes, commas and quotes of many languages are meant as they stand

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, cast
from unicodedata import category

import sentencex  # type: ignore[import-untyped]

from visionpulse.errors import ScriptError
from visionpulse.language import detect_language
from visionpulse.models import Sentence
from visionpulse.spoken import is_spoken

LONGEST_SCRIPT = 200_000
"""Characters; about three and a half hours of narration."""

Span = tuple[int, int]
_Found = tuple[int, int, bool]
"""Where a sentence is, and whether it ends a paragraph."""

# The package has no types of its own.
_boundaries = cast(
    "Callable[[str, str], list[Mapping[str, Any]]]",
    sentencex.get_sentence_boundaries,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def check_script(script: str) -> None:
    """Raise ScriptError unless the script can become a video.

    It must hold something to speak, be no longer than `LONGEST_SCRIPT`, and be free of control
    characters and lone surrogates, which speech models and subtitle files choke on.
    """
    if not script.strip():
        raise ScriptError("The script is empty.", hint="Give some sentences to narrate.")
    if len(script) > LONGEST_SCRIPT:
        raise ScriptError(
            f"The script has {len(script):,} characters; {LONGEST_SCRIPT:,} is the most.",
            hint="Make several videos of it.",
            code="script_too_long",
        )
    if control := _CONTROL.search(script):
        at = control.start()
        line = script.count("\n", 0, at) + 1
        column = at - script.rfind("\n", 0, at)
        what = "lone surrogate" if control[0] >= "\ud800" else "control character"
        raise ScriptError(
            f"The script has a {what} (U+{ord(control[0]):04X}) in line {line}, column {column}.",
            hint="Remove it; it is often a sign of a file read in the wrong encoding.",
            code="control_character",
        )
    if not any(is_spoken(script[slice(*paragraph)]) for paragraph in _paragraphs(script)):
        raise ScriptError(
            "The script has nothing to speak: no letter and no digit.",
            hint="Emoji, punctuation, pictures and stage directions alone cannot be narrated.",
            code="nothing_to_speak",
        )


def _speakable(text: str) -> bool:
    return any(character.isalnum() for character in text)


# Characters a sentence may have before it is cut at a clause: about 25 seconds of speech, so that
# no call is huge and captions can follow. Scripts without spaces or letters say more with fewer.
_LONGEST_SENTENCE = {"zh": 120, "ja": 120, "th": 300, "lo": 300, "km": 300, "my": 300}
_LONGEST_SENTENCE_ELSE = 400


def split_sentences(script: str, *, cuts: Iterable[int] = ()) -> tuple[Sentence, ...]:
    """Cut a script that `check_script` has passed into the sentences that are spoken one by one.

    Everything between the sentences is white space. A blank line ends a paragraph, and so does a
    line break the author meant: before a list marker or after a heading, and wherever the next
    line begins anew although its first word would have fitted on this one. A line break that only
    wraps the text ends nothing. A very long sentence is cut at a clause, else at a space.

    What is not spoken by itself ("...", a lone emoji, "[pause]") is part of the sentence before it,
    or of the first one, even across a cut.

    Args:
        script: The text.
        cuts: Offsets at which a sentence ends whatever the grammar says: edges of scenes.
    """
    language = detect_language(script)
    limit = _LONGEST_SENTENCE.get(language, _LONGEST_SENTENCE_ELSE)
    edges = sorted({cut for cut in cuts if 0 < cut < len(script)})
    found: list[_Found] = []
    for paragraph in _paragraphs(script):
        spans = [
            short
            for sentence in _grammatical(script, paragraph, language)
            for piece in _cut(script, sentence, edges)
            for short in _shorten(script, piece, limit)
        ]
        found += [(*span, number == len(spans)) for number, span in enumerate(spans, 1)]
    joined = _joined(script, found)
    # Joined, the halves of a direction are one; what has both now has nothing to say.
    while len(joined) < len(found):
        found, joined = joined, _joined(script, joined)
    return tuple(
        Sentence(text=script[start:end], start=start, end=end, ends_paragraph=ends)
        for start, end, ends in joined
    )


def _joined(script: str, found: Sequence[_Found]) -> list[_Found]:
    joined: list[_Found] = []
    alone = True
    for start, end, ends in found:
        says = is_spoken(script[start:end])
        if joined and not (says and alone):
            joined[-1] = (joined[-1][0], end, ends)
            alone = alone or says
        else:
            joined.append((start, end, ends))
            alone = says
    return joined


_LINE = re.compile(r"[^\r\n\u2028\u2029]+|\r\n|[\r\n\u2028\u2029]")
_MARKER = re.compile(r"\s*(?:[-*+•‣◦–—]\s|#{1,6}\s|\(?(?:\d{1,3}|[A-Za-z])[.)]\s)")
_BLOCK_QUOTE = re.compile(r"(?:\s*>)+\s*")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_HEADING = re.compile(r"\s*#{1,6}\s")
_GOES_ON = re.compile(r"[,;、，；،؛-]\s*$")
_HAN_OR_KANA = (
    r"\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\uff66-\uff9f\U00020000-\U0003ffff"
)
_WIDE_PUNCTUATION = (
    r"\u3000-\u3004\u3008-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_FIRST_WORD = re.compile(rf"[{_HAN_OR_KANA}]|[^\s{_HAN_OR_KANA}]+")

# Nobody wraps text as narrow as the one or as wide as the other, in characters.
_NARROWEST_WRAP = 45
_WIDEST_WRAP = 120


def _paragraphs(script: str) -> Iterator[Span]:
    block: list[Span] = []
    blank = False
    for match in _LINE.finditer(script):
        if match[0].strip():
            if blank:
                yield from _deliberate(script, block)
                block = []
            block.append(match.span())
            blank = False
        elif match[0] == "\u2029":
            blank = True
        elif match[0] in {"\n", "\r\n", "\r", "\u2028"}:
            between = script[block[-1][1] : match.start()] if block else ""
            blank = blank or any(end in between for end in "\n\r\u2028")
    yield from _deliberate(script, block)


def _deliberate(script: str, lines: list[Span]) -> Iterator[Span]:
    """Cut the lines of a block where the author broke them on purpose."""
    if not lines:
        return
    texts = [script[start:end].rstrip() for start, end in lines]
    width = max(map(len, texts))
    first = 0
    for number, (line, following) in enumerate(pairwise(texts)):
        if _meant(line, following, width):
            yield lines[first][0], lines[number][1]
            first = number + 1
    yield lines[first][0], lines[-1][1]


def _meant(line: str, following: str, width: int) -> bool:
    if _BLOCK_QUOTE.match(line) and (quoted := _BLOCK_QUOTE.match(following)):
        following = following[quoted.end() :]
    if _MARKER.match(following) or _HEADING.match(line):
        return True
    if _FENCE.match(following) or _FENCE.match(line):
        return True
    word = _FIRST_WORD.search(following)
    if word is None or word[0][0].islower() or _GOES_ON.search(line):
        return False
    fits = len(line) + 1 + len(word[0]) <= width
    return fits or width > _WIDEST_WRAP or (width <= _NARROWEST_WRAP and word[0][0].isupper())


# sentencex takes time with the square of the length where nothing is spaced.
_WINDOW = 8_000


def _grammatical(script: str, paragraph: Span, language: str) -> Iterator[Span]:
    start, end = paragraph
    held: Span | None = None
    while start < end:
        window = _plain(script[start : min(end, start + _WINDOW)], language)
        found = [
            (start + each["start_index"], start + each["end_index"])
            for each in _boundaries(language, window)
        ]
        # The last sentence of a window may go on after it.
        if start + len(window) < end and len(found) > 1:
            found.pop()
        start = found[-1][1]
        for span in found:
            if held and _goes_on(script[held[0] : held[1]], script[span[0] : span[1]]):
                held = (held[0], span[1])
            else:
                if held:
                    yield held
                held = span
    if held:
        yield held


_QUOTE_ENDS = re.compile(r"[\"”’»』」›]\s*$")
_ABBREVIATED = re.compile(r"(?:^|\s)[^\W\d_]{1,3}\.[^\W\d_]{1,3}\.\s*$")
_DIALOGUE = re.compile(r"[-–—―]\s*(?=[^\W\d_])")
# Here a space was forgotten; ASP.NET and a.C. are written so.
_UNSPACED = re.compile(r"[a-zà-öø-ÿа-яё]\.$")

# What sentencex does not know to be short for something. Their full stop never ends a sentence.
_TITLES = {
    "ar": r"(?<!\d )(?:د|أ|أ\.د|م)",
    "en": r"(?:Mt|Ft|Capt|Cpt)",
    "es": r"(?:Avda?|Av|Sta|Sto|Ed|Gral|Lic|Ing|Arq)",
    "fr": r"(?:MM?|Mmes?|Mlles?|Mgr|Me|Dr|Pr|Ste?|bd|av|env|J)",
    "hi": r"(?:डॉ|श्री|श्रीमती|सुश्री|प्रो|पं|स्व|मो|रु|कि\.\s?मी|कि\.\s?ग्रा|से\.\s?मी|मी|ई\.\s?पू)",
    "pt": r"(?:Av|Sta|Sto|Eng|Exm[oa]|Prof[ªa]?|R)",
    "ru": r"(?:ул|пр|пл|г-н|г-жа|проф|акад|им|тов|гр)",
    "th": r"[\u0e01-\u0e4e]{1,4}(?:\.[\u0e01-\u0e4e]{1,4}){0,3}",
}
# The full stop of these ends no sentence before a number.
_BEFORE_NUMBER = {
    "de": r"(?:Abb|Abs|Art|Bd|Kap|Nr|S|Tab|ca|Anm|Ziff)",
    "en": r"(?:approx|ca|ch|chap|eq|fig|pp?|sec|tab|vols?|est|temp"
    r"|Approx|Ch|Chap|Eq|Figs?|Sec|Vols?|Est|Temp)",
    "es": r"(?:aprox|art|cap|fig|núm|págs?|tel|vol|Aprox|Art|Cap|Fig|Núm|Págs?|Tel|Vol)",
    "fr": r"(?:art|chap|fig|pp?|vol|tél|Art|Chap|Fig|Vol|Tél)",
    "pt": r"(?:aprox|art|cap|fig|págs?|séc|tel|vol|Aprox|Art|Cap|Fig|Págs?|Séc|Tel|Vol)",
    "ru": r"(?:гл|илл?|кв|рис|стр|табл|тел|ст|пп?|т|Рис|Табл|Стр|Гл)",
}
_NUMBER = r"\s+(?=[\d(]|[IVXLC]+\b)"
_GERMAN_ORDINAL = (
    r"(?:\b(?:[Dd](?:er|ie|as|em|en|es)|[AaIi]m|[Vv]om|[Zz]um|[Zz]ur|[Bb]eim|[Ss]ein|[Ii]hr|[Mm]ein)"
    r"\s+\d{1,2}\.(?=\s+[A-ZÄÖÜ])"
    r"|\b\d{1,2}\.(?=\s+(?:Jh|Jahrhundert|Jahrtausend|Weltkrieg|Januar|Februar|März|April|Mai|Juni"
    r"|Juli|August|September|Oktober|November|Dezember|Klasse|Kapitel|Mal|Platz|Stock)))"
)


# Words and units that sentencex takes for abbreviations; before a capital they end a sentence.
_WORDS = {
    "de": "Art|usw|etc",
    "es": "mar|bien|no|post|etc",
    "fr": "art|sec|etc",
    "pt": "art|etc",
    "ru": r"т\.\s?[дп]",
}
_UNITS = "[kcmn]?m|[km]?g|km/h|min|[hsltм]|мин|сек|[кс]?м|мм|к?г|л|ч"
_ADDRESS_ENDS = r"(?:https?://|www\.)[!-~]*[0-9A-Za-z/]"


@cache
def _ending(language: str) -> re.Pattern[str]:
    words = rf"|(?<!\w)(?:{_WORDS[language]})" if language in _WORDS else ""
    ends = rf"(?:(?<=\d\s)(?:{_UNITS})|{_ADDRESS_ENDS}{words})\.(?=\s+[A-ZÀ-ÞА-ЯЁ¿¡«„“])"
    return re.compile(ends)


@cache
def _hidden(language: str) -> re.Pattern[str]:
    """Find, at their ends, the full stops that end no sentence."""
    start = r"(?:^|(?<=[\s(«„“\"*_-]))"
    kinds: list[str] = []
    if titles := _TITLES.get(language):
        kinds.append(rf"{start}{titles}\.(?=\s)")
    if words := _BEFORE_NUMBER.get(language):
        kinds.append(rf"{start}{words}\.(?={_NUMBER})")
    if language == "de":
        kinds.append(_GERMAN_ORDINAL)
    return re.compile("|".join(kinds) or r"(?!)", re.MULTILINE)


_WIDE_STOP = re.compile(r"(?<=[。！？])[0-9A-Za-z]")
_CLOSES = re.compile(r"([.!?…।。！？]+)([*_~`]+)")


def _plain(text: str, language: str) -> str:
    """Return a text that sentencex cuts as a reader would, each character in its place."""
    text = _hidden(language).sub(lambda each: f"{each[0][:-1]},", text)
    text = _ending(language).sub(lambda each: f"{each[0][:-1]}!", text)
    # Nor that a Japanese sentence may begin with a number.
    text = _WIDE_STOP.sub("あ", text)
    # It would have the end of emphasis begin the next sentence.
    return _CLOSES.sub(_turned, text)


def _turned(match: re.Match[str]) -> str:
    """Put the stop after the marks, unless they begin something."""
    stop, marks = match.groups()
    line = match.string.rfind("\n", 0, match.start()) + 1
    begins = match.string.count(marks, line, match.start()) % 2 == 0
    return match[0] if begins else "x" * len(marks) + stop


def _goes_on(sentence: str, following: str) -> bool:
    """Whether sentencex cut too early: « Non ! » dit-il, ASP.NET, 1. First."""
    if _MARKER.fullmatch(sentence):
        return True
    unspaced = not (sentence[-1:].isspace() or following[:1].isspace())
    following = following.lstrip()
    if unspaced and sentence.endswith(".") and not sentence.endswith(".."):
        forgotten = _UNSPACED.search(sentence) and re.match(r"[^\W\d_a-z][^\W\d_A-Z]", following)
        return not forgotten
    dialogue = _DIALOGUE.match(following)
    first = following[dialogue.end() : dialogue.end() + 1] if dialogue else following[:1]
    # Of the scripts without capitals every letter may go on.
    lower = first.isalpha() and not first.isupper() and not first.istitle()
    if not lower:
        return False
    if _QUOTE_ENDS.search(sentence) or _ABBREVIATED.search(sentence):
        return True
    return first.islower() and _begins_with_capitals(sentence, following)


def _begins_with_capitals(sentence: str, following: str) -> bool:
    """Whether an author who writes capitals has not begun a sentence here: neither iPhone."""
    begins = next(filter(str.isalpha, sentence), "")
    word = following.split(maxsplit=1)[0].rstrip(".,;:!?…")
    name = "." in word or "/" in word or any(map(str.isupper, word))
    return begins.isupper() and not name


def _trim(script: str, start: int, end: int) -> Iterator[Span]:
    text = script[start:end]
    if text.strip():
        yield start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())


def _cut(script: str, span: Span, edges: list[int]) -> Iterator[Span]:
    start, end = span
    inside = [edge for edge in edges[bisect_left(edges, start + 1) :] if edge < end]
    for piece in pairwise([start, *inside, end]):
        yield from _trim(script, *piece)


_CLAUSE = re.compile(r"[,;:—–،؛]\s+|[、，；：。！？]|\s+[—–]\s+")
_SPACE = re.compile(r"\s+")


def _shorten(script: str, span: Span, limit: int) -> Iterator[Span]:
    start, end = span
    if end - start <= limit:
        yield span
        return
    middle = (start + end) // 2
    reach = (end - start) // 4
    for pattern in (_CLAUSE, _SPACE):
        ends = [each.end() for each in pattern.finditer(script, middle - reach, middle + reach)]
        if ends:
            at = min(ends, key=lambda place: abs(place - middle))
            break
    else:
        at = middle
        # An accent stays with its letter, and the parts of an emoji together.
        while at < end - 1 and (
            category(script[at])[0] == "M" or "\u200d" in script[at - 1 : at + 1]
        ):
            at += 1
    for piece in ((start, at), (at, end)):
        for trimmed in _trim(script, *piece):
            yield from _shorten(script, trimmed, limit)


_UNIT = re.compile(
    # In Chinese and Japanese each character is a word.
    rf"[{_HAN_OR_KANA}]|[{_WIDE_PUNCTUATION}]|—+|[^\s—{_HAN_OR_KANA}{_WIDE_PUNCTUATION}]+"
)
# Small kana and the long-vowel and repetition marks belong to the character before them.
_CLINGS = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮー々ゝゞヽヾ")


def words_of(text: str) -> list[tuple[str, int, int]]:
    """Return the words as they are written, each with its span; `text[start:end]` is the word.

    Punctuation and emoji stay with the word before them; opening brackets and quotes, and whatever
    comes before the first word, with the one after. Chinese and Japanese go by the character.
    Every character but white space is in some word, and every word has a letter or digit.
    """
    spans: list[Span] = []
    pending: int | None = None
    for match in _UNIT.finditer(text):
        start, end = match.span()
        if match[0] in _CLINGS and spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        elif _speakable(match[0]):
            spans.append((start if pending is None else pending, end))
            pending = None
        elif pending is None and spans and category(match[0][-1]) not in {"Ps", "Pi"}:
            spans[-1] = (spans[-1][0], end)
        elif pending is None:
            pending = start
    if pending is not None and spans:
        spans[-1] = (spans[-1][0], len(text.rstrip()))
    return [(text[start:end], start, end) for start, end in spans]


_SPACELESS = re.compile(r"[\u0e01-\u0e46\u0e81-\u0ec6\u1000-\u103f\u1780-\u17b3]")
_EAST_ASIAN = re.compile(rf"[{_HAN_OR_KANA}]")


def spoken_seconds(text: str) -> float:
    """Guess how long a text is spoken, from its words alone."""
    characters = len(_EAST_ASIAN.findall(text))
    letters = len(_SPACELESS.findall(text))
    rest = _SPACELESS.sub(" ", _EAST_ASIAN.sub(" ", text))
    words = sum(_speakable(word) for word in rest.split())
    return words / 2.6 + characters / 5 + letters / 12


def title_of(script: str) -> str:
    """Return the script's first words, up to 60 characters, with … where it goes on."""
    start = " ".join(script[:1000].split()).lstrip("#*-_>• ")
    if len(start) <= 60:
        return start
    head = start[:60]
    words = head[:59].rpartition(" ")[0] if not start[59].isspace() else head[:59]
    return (words or head[:59]).rstrip(" ,;:.—–-") + "…"


def scene_count_for(sentences: Sequence[str]) -> int:
    """Return how many scenes suit the sentences: what `VideoOptions.scene_count=None` means."""
    seconds = sum(map(spoken_seconds, sentences))
    wanted = max(7, round(seconds / 9)) if len(sentences) >= 7 else 6
    return min(wanted, len(sentences), 400)


# How far from the even place an edge between two ranges is looked for, in sentences.
_REACH = 12


def partition(weights: Sequence[float], count: int, *, breaks: Collection[int] = ()) -> list[Span]:
    """Share sentences out among scenes, in order and as evenly as they allow.

    The sum of the squares of the scenes' weights is the least there is (for more than 24 sentences
    the least that was looked for), which evens out both the longest and the shortest.

    Args:
        weights: Spoken length of each sentence, in any unit.
        count: How many ranges; fewer if there are fewer sentences.
        breaks: Sentences that end a paragraph; a scene rather ends there.

    Returns:
        First and last sentence of each range, both included.
    """
    total = len(weights)
    count = min(count, total)
    if count < 1:
        return []
    before = [0.0, *accumulate(weights)]
    ideal = before[-1] / count
    elsewhere = 0.1 * ideal**2 if breaks else 0.0
    # By the end of the ranges so far: what they cost, and where the last of them begins.
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    place = 0
    for number in range(1, count + 1):
        latest = total - count + number
        place = min(max(bisect_left(before, number * ideal), place + 1), latest)
        near = range(max(number, place - _REACH), min(latest, place + _REACH) + 1)
        layer: dict[int, tuple[float, int]] = {}
        for end in near if number < count else [total]:
            penalty = 0.0 if end == total or end - 1 in breaks else elsewhere
            options = [
                (cost + (before[end] - before[start]) ** 2 + penalty, start)
                for start, (cost, _) in best[-1].items()
                if start < end
            ]
            if options:
                layer[end] = min(options)
        best.append(layer)
    ranges: list[Span] = []
    end = total
    for layer in reversed(best[1:]):
        start = layer[end][1]
        ranges.append((start, end - 1))
        end = start
    return ranges[::-1]
