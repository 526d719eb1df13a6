"""Captions: what is spoken, as timed lines to read. SubRip (SRT) and WebVTT.

The text is the author's, to the character; only white space where lines may break changes. At most
two lines of 42 characters (18 of Chinese, Japanese or Korean), shown at least 0.8 seconds and, as
far as the speech leaves time, no faster than 20 characters a second (15). Lines break between
words; in scripts that write no spaces, between phrases.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise
from math import inf
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from visionpulse.models import SpokenSentence
from visionpulse.writing import begins_character, is_traditional

if TYPE_CHECKING:
    from budoux import Parser

LINES = 2
LINE = 42
"""Latin characters; 18 wide ones are as long."""
SHORTEST = 0.8
_NO_BLINK = 0.25
"""Seconds; a shorter gap between two captions looks like a flicker and is closed."""

# Widths in thirds of a Latin letter, so that 42 Latin or 18 wide characters fill a line exactly.
_NARROW, _WIDE = 3, 7
# Likewise reading time: 20 Latin or 15 wide characters a second.
_READ_PER_SECOND = 20 * 3
_READ_NARROW, _READ_WIDE = 3, 4

_LEADING = """
and or but nor so yet for of in on at to from with by as than that which who whose when where while
because if though although since unless until into onto over under after before through between
among against without within about across
und oder aber denn von mit bei nach aus zu auf dass weil wenn
et ou mais de du dans avec pour sur que qui y o pero con para por en
"""
_LEADS = frozenset(_LEADING.split())
"""A line should begin with these rather than end with them."""
_CLINGING = """
a an the my your his her its our their this these those no not very
der die das den dem des ein eine einen einem einer le la les un une el los las una
"""
_CLINGS = frozenset(_CLINGING.split())
"""The word after these belongs to the same line."""

# A number or a symbol takes longer to say than it is long.
_SPOKEN = {"L": 1.0, "M": 0.5, "N": 2.5, "S": 2.0}
_LONGEST = 7.0
_STRONG = ".!?;:…。！？；：—"
_WEAK = ",、，"

# ruff: noqa: RUF001 - the marks of many scripts look alike

# JIS X 4051 (kinsoku): what may not begin and what may not end a line.
_NO_START = frozenset(
    "ๆໆៗฯ។៕၊။।॥"
    "、。，．・：；？！゛゜ヽヾゝゞ々ー）］｝〕〉》」』】〙〗»’”,.:;?!)]}%‰…‥～〜"
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
)
_NO_END = frozenset("（［｛〔〈《「『【〘〖«‘“([{")

# White space that is glue: no-break spaces, as in "10 000"; one before a mark that may not begin a
# line, as in French or after a repeated Thai word; one after an opening quotation mark.
_RUN = re.compile(r"\S(?:[\xa0\u202f\u2007]+(?=\S)| (?=[!?;:»%‰…ๆໆ])|(?<=«) (?=\S)|\S)*")
_SPACELESS = re.compile(r"[\u0e01-\u0e4e\u3041-\u30ff\u3400-\u9fff]")
_THAI = re.compile(r"[\u0e01-\u0e4e]")
_KANA = re.compile(r"[\u3041-\u30ff]")


class Utterance(NamedTuple):
    """Characters `begin` to `end` of a cue's text, and when they are spoken.

    A word with the marks around it, or a phrase in scripts without spaces; karaoke lights it.
    """

    begin: int
    end: int
    start: float
    stop: float


@dataclass(frozen=True)
class Cue:
    """One caption; times are seconds, `text` has at most two lines."""

    start: float
    end: float
    text: str
    words: tuple[Utterance, ...] = ()
    """In order; white space and line breaks lie between them."""


class _Atom(NamedTuple):
    """A stretch of text that is never broken."""

    text: str
    spaced: bool
    """Whether white space parts it from the atom before."""
    leads: bool
    """Whether it begins a word or a phrase; the rest of one follows without a space."""
    width: int
    reading: int
    start: float
    end: float
    after: float
    """Silence after it, in seconds; more than 0 at a sentence's end only."""


def cues(
    spoken: Sequence[tuple[float | Fraction, SpokenSentence]],
    *,
    end: float | Fraction | None = None,
    line: int = LINE,
) -> list[Cue]:
    """Return captions for sentences.

    Args:
        spoken: When each sentence begins, and the sentence, in order.
        end: Length of the film; the last caption may stay until then.
        line: Most Latin characters on a line; a picture may have room for less than a file.
    """
    breaks = _Breaks("".join(sentence.text for _, sentence in spoken), line * _NARROW)
    atoms = _atoms(spoken, float(end) if end is not None else None, breaks)
    page = _Page(atoms, line * _NARROW)
    limits = [*(atom.start for atom in atoms), inf if end is None else float(end)]
    captions: list[Cue] = []
    free = 0.0
    for first, last in pairwise(_divide(page, len(atoms))):
        start, limit = atoms[first].start, limits[last]
        if limit - start < SHORTEST:
            # Too early by a little is better than gone before it was seen.
            start = min(start, max(free, limit - SHORTEST))
        free = _end(atoms[first:last], start, limit)
        captions.append(Cue(start, free, *page.text(first, last)))
    return captions


def srt(captions: Iterable[Cue]) -> str:
    """Return the captions as SubRip."""
    return "".join(
        f"{number}\n{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}\n{cue.text}\n\n"
        for number, cue in enumerate(captions, 1)
    )


def vtt(captions: Iterable[Cue]) -> str:
    """Return the captions as WebVTT."""
    blocks = [
        f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}\n{_escaped(cue.text)}\n"
        for cue in captions
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _stamp(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _atoms(
    spoken: Sequence[tuple[float | Fraction, SpokenSentence]],
    film_end: float | None,
    breaks: _Breaks,
) -> list[_Atom]:
    atoms: list[_Atom] = []
    ends = [*(float(start) for start, _ in spoken[1:]), film_end]
    for (start, sentence), upto in zip(spoken, ends, strict=False):
        clock = _Clock(sentence)
        heard_until = float(start) + sentence.seconds
        for begin, end, spaced, leads in breaks.unbroken(sentence.text):
            text = sentence.text[begin:end]
            after = max(0.0, (upto or heard_until) - heard_until)
            atoms.append(
                _Atom(
                    text,
                    spaced,
                    leads,
                    sum(map(_width, text)),
                    sum(map(_reading, text)),
                    float(start) + clock.start(begin, end),
                    float(start) + clock.end(begin, end),
                    max(after, 1e-3) if end == len(sentence.text.rstrip()) else 0.0,
                )
            )
    return atoms


class _Clock:
    """When the characters of a sentence are spoken, from its words or estimated."""

    def __init__(self, sentence: SpokenSentence) -> None:
        self._text = sentence.text
        points = _known(sentence) or _estimated(sentence.text, sentence.seconds)
        points = [(0, 0.0), *points, (len(sentence.text), sentence.seconds)]
        # Engines round; a time that runs backwards would make captions overlap.
        self._times = list(accumulate((time for _, time in points), max))
        self._places = [place for place, _ in points]

    def start(self, begin: int, end: int) -> float:
        """Return when the stretch begins; a quotation mark before it takes no time."""
        place = next((i for i in range(begin, end) if _is_spoken(self._text[i])), begin)
        at = bisect_right(self._places, place) - 1
        return self._between(at, place)

    def end(self, begin: int, end: int) -> float:
        """Return when the stretch has been spoken; punctuation after it takes no time."""
        place = next((i for i in range(end, begin, -1) if _is_spoken(self._text[i - 1])), end)
        at = bisect_left(self._places, place)
        return self._times[at] if self._places[at] == place else self._between(at - 1, place)

    def _between(self, at: int, place: int) -> float:
        left, time = self._places[at], self._times[at]
        if left == place or at + 1 == len(self._places):
            return time
        part = (place - left) / (self._places[at + 1] - left)
        return time + (self._times[at + 1] - time) * part


def _is_spoken(character: str) -> bool:
    return unicodedata.category(character)[0] in _SPOKEN


def _known(sentence: SpokenSentence) -> list[tuple[int, float]]:
    points: list[tuple[int, float]] = []
    text, at = sentence.text.casefold(), 0
    if not _sane(sentence):
        return []
    # Where folding changes the length, positions would not be the text's own.
    text = text if len(text) == len(sentence.text) else sentence.text
    for word in sentence.words:
        found = text.find(word.text.strip().casefold(), at)
        if word.text.strip() and found >= 0:
            at = found + len(word.text.strip())
            points += [(found, word.start), (at, word.end)]
    return points


def _sane(sentence: SpokenSentence) -> bool:
    times = [time for word in sentence.words for time in (word.start, word.end)]
    return bool(times) and times == sorted(times) and times[-1] <= sentence.seconds + 0.1


def _estimated(text: str, seconds: float) -> list[tuple[int, float]]:
    weights = [_SPOKEN.get(unicodedata.category(c)[0], 0.0) * _width(c) for c in text.rstrip()]
    # A mark is a pause of about four letters.
    weights = [12.0 if c in _WEAK + _STRONG else w for c, w in zip(text, weights, strict=False)]
    while weights and not _is_spoken(text[len(weights) - 1]):
        weights.pop()
    total = sum(weights) or 1.0
    return [(i, seconds * so_far / total) for i, so_far in enumerate(accumulate(weights), 1)]


class _Breaks:
    """Where the lines of a script may break."""

    def __init__(self, script: str, line: int) -> None:
        self._line = line
        chinese = "zh-hant" if is_traditional(script) else "zh-hans"
        self._han = "ja" if _KANA.search(script) else chinese

    def unbroken(self, text: str) -> Iterator[tuple[int, int, bool, bool]]:
        """Yield the stretches that no line break may part.

        Each with its first character, its end, whether it is spaced and whether it leads.
        """
        for run in _RUN.finditer(text):
            begin, width = run.start(), 0
            # Longer than a line, it has to be broken somewhere: between any two characters.
            endless = sum(map(_width, run[0])) > self._line
            phrases = self._phrases(run[0], begin)
            for place, end in pairwise(self._clusters(text, *run.span())):
                wide = sum(map(_width, text[place:end]))
                if place > begin and (
                    width + wide > self._line
                    or _may_break(text, place, endless or place in phrases)
                ):
                    yield begin, place, begin == run.start(), begin in phrases
                    begin, width = place, 0
                width += wide
            yield begin, run.end(), begin == run.start(), begin in phrases

    def _clusters(self, text: str, begin: int, end: int) -> Iterator[int]:
        """Yield where what a reader sees as characters begins, and the end."""
        width = 0
        for place in range(begin, end):
            width += _width(text[place])
            # Nobody's character is as wide as a line; what claims to be is parted.
            if place == begin or begins_character(text, place) or width > self._line:
                yield place
                width = _width(text[place])
        yield end

    def _phrases(self, run: str, begin: int) -> set[int]:
        """Return where words or phrases begin in a run without white space that begins there."""
        places = {0, *(found.end() for found in re.finditer("—|\u200b", run))}
        if _SPACELESS.search(run):
            parser = _parser("th" if _THAI.search(run) else self._han)
            chunks = accumulate(map(len, parser.parse(run)))
            places |= {place for place in chunks if _parts_phrases(run, place)}
        return {begin + place for place in places}


@lru_cache
def _parser(model: str) -> Parser:
    # Here, not above: few scripts need it.
    import budoux

    return {
        "th": budoux.load_default_thai_parser,
        "ja": budoux.load_default_japanese_parser,
        "zh-hans": budoux.load_default_simplified_chinese_parser,
        "zh-hant": budoux.load_default_traditional_chinese_parser,
    }[model]()


def _parts_phrases(run: str, place: int) -> bool:
    """Return whether to believe that a phrase ends here; the models know no numbers."""
    if not 0 < place < len(run) or not _SPACELESS.search(run[place - 1 : place + 1]):
        return False
    before, after = run[place - 1], run[place]
    # Nor is one Thai letter at the very beginning a word.
    number = (before.isnumeric() or before == "两") and after.isnumeric()
    return not number and (place > 1 or not _THAI.match(run))


def _may_break(text: str, place: int, wanted: bool) -> bool:
    before, after = text[place - 1], text[place]
    if before in _NO_END or after in _NO_START or after.isspace():
        return False
    if _is_cjk(before) or _is_cjk(after):
        return True
    return wanted and (before != "—" or after.isalnum())


def _is_cjk(character: str) -> bool:
    """Return whether lines may break beside the character: Chinese and Japanese, not Korean."""
    return (
        unicodedata.east_asian_width(character) in "WF"
        and not "가" <= character <= "힣"
        and unicodedata.category(character) in ("Lo", "Lm", "Nl", "Ps", "Pe", "Po", "Pi", "Pf")
    )


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _NARROW


def _reading(character: str) -> int:
    return {0: 0, _NARROW: _READ_NARROW, _WIDE: _READ_WIDE}[_width(character)]


def _divide(page: _Page, count: int) -> list[int]:
    """Return where captions begin, and the end: the division with the least to be sorry for."""
    best = [0.0] + [inf] * count
    come_from = [0] * (count + 1)
    for end in range(1, count + 1):
        for begin in range(end - 1, -1, -1):
            if not page.fits(begin, end):
                break
            cost = best[begin] + page.cost(begin, end)
            if cost < best[end]:
                best[end], come_from[end] = cost, begin
    places = [count]
    while places[-1]:
        places.append(come_from[places[-1]])
    return places[::-1]


class _Page:
    """The atoms with their sums, so that any stretch of them is quickly judged as a caption."""

    def __init__(self, atoms: Sequence[_Atom], line: int) -> None:
        self._atoms = atoms
        self._line = line
        self._spaces = [_NARROW if atom.spaced else 0 for atom in atoms]
        self._widths: list[int] = [0, *accumulate(map(add, (a.width for a in atoms), self._spaces))]
        self._reading: list[int] = [
            0,
            *accumulate(map(add, (a.reading for a in atoms), self._spaces)),
        ]
        crossed = (25 + 60 * atom.after if atom.after else 0.0 for atom in atoms)
        self._crossed = [0.0, *accumulate(crossed)]
        self._seams = [0.0, *(_seam(before, after) for before, after in pairwise(atoms)), 0.0]

    def text(self, begin: int, end: int) -> tuple[str, tuple[Utterance, ...]]:
        """Return the stretch in one line or two, and when its words are spoken."""
        _, fold = self._fold(begin, end)
        text = ""
        words: list[Utterance] = []
        for place, atom in enumerate(self._atoms[begin:end], begin):
            if place > begin:
                text += "\n" if place == fold else " " if atom.spaced else ""
            first = len(text)
            text += atom.text
            if not any(map(_is_spoken, atom.text)):
                # A dash by itself goes with the word before it.
                words[-1:] = [word._replace(end=len(text)) for word in words[-1:]]
            elif words and place != fold and not (atom.spaced or atom.leads):
                words[-1] = words[-1]._replace(end=len(text), stop=atom.end)
            else:
                words.append(Utterance(first, len(text), atom.start, atom.end))
        return text, tuple(words)

    def fits(self, begin: int, end: int) -> bool:
        """Return whether two lines hold the stretch."""
        middle = self._line_from(begin)
        return end <= middle or self._width(middle, end) <= self._line

    def cost(self, begin: int, end: int) -> float:
        """Return how sorry one would be to see this stretch as a caption."""
        first, last = self._atoms[begin], self._atoms[end - 1]
        seconds = (self._atoms[end].start if end < len(self._atoms) else inf) - first.start
        reading = (self._reading[end] - self._reading[begin]) / _READ_PER_SECOND
        fill = self._width(begin, end) / self._line / LINES
        cost = 12 + 6 * fill**2 + self._fold(begin, end)[0] / 2 + self._seams[end]
        cost += self._crossed[end - 1] - self._crossed[begin]
        cost += 30 * max(0.0, reading - seconds)
        cost += 10 * max(0.0, last.end - first.start - _LONGEST)
        if seconds < SHORTEST:
            cost += 300 + 1000 * (SHORTEST - seconds)
        whole = last.after and (not begin or self._atoms[begin - 1].after)
        return cost + (8 if fill < 1 / 4 and not whole else 0)

    def _width(self, begin: int, end: int) -> int:
        return self._widths[end] - self._widths[begin] - self._spaces[begin]

    def _line_from(self, begin: int) -> int:
        """Return where a line has to end that begins here."""
        return (
            bisect_right(self._widths, self._widths[begin] + self._spaces[begin] + self._line) - 1
        )

    def _fold(self, begin: int, end: int) -> tuple[float, int]:
        """Return what the break between two lines costs, and where it is; `end` for one line."""
        if self._width(begin, end) <= self._line:
            return 0, end
        # Half of the whole width lies before the ideal place; a letter off costs half a point.
        middle = (self._widths[begin] + self._widths[end]) / 2
        return min(
            (self._seams[place] + abs(self._widths[place] - middle) / _NARROW, place)
            for place in range(begin + 1, self._line_from(begin) + 1)
            if self._width(place, end) <= self._line
        )


def _seam(before: _Atom, after: _Atom) -> float:
    """Return what is lost by a break between two atoms."""
    if before.after:
        return 0
    if before.text[-1] in _STRONG:
        return 1
    if before.text[-1] in _WEAK:
        return 3
    left, right = _bare(before.text), _bare(after.text)
    inside = not (after.spaced or after.leads)
    if inside or left in _CLINGS:
        return 60 if inside else 30
    if left in _LEADS:
        return 25
    return 6 if right in _LEADS else 10


def _bare(text: str) -> str:
    return "".join(c for c in text if c.isalnum()).casefold()


def _end(group: Sequence[_Atom], start: float, limit: float) -> float:
    """Return when a caption goes: after its words, and once it can have been read, if it may."""
    reading = sum(a.reading + (_READ_NARROW if a.spaced else 0) for a in group)
    wanted = max(group[-1].end, start + SHORTEST, start + reading / _READ_PER_SECOND)
    end = min(wanted, limit)
    return limit if limit - end < _NO_BLINK else end
