r"""Captions as they stand on the picture: film frames, fonts, colours, places. Advanced SubStation.

A subtitle's text is an event's text in that format: `\N` for a new line, `{\fnNoto Sans Thai}` for
a font. `document` adds the style, for a film of any shape.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise, zip_longest
from typing import NamedTuple

from visionpulse.captions import LINE, Cue, Utterance
from visionpulse.fonts import Typeface, runs, shipped
from visionpulse.protocols import Font, Subtitle

LINE_HEIGHT = 1.3
"""In ems; whoever draws gives every font this height, so that all lines are as far apart."""
ASCENT = 0.97
"""In ems, the part of the height above the base line."""

_SMALLEST = 12
"""Pixels; smaller letters cannot be read."""
_LETTER = 0.56
"""Width of a Latin letter among others, in ems."""
_FEWEST = 16
"""Latin letters on a line; in a narrower film they become smaller instead."""
_PAUSE = 0.4
"""Seconds; in a shorter gap between two words the first stays lit."""

# &HBBGGRR, with the transparency before it in a style.
_WHITE = "&HFFFFFF&"
_LIT = "&H40D4FF&"
_OUTLINE = "&H10000000"
_SHADOW = "&H70000000"

_LEFT_TO_RIGHT, _RIGHT_TO_LEFT = "\u200e", "\u200f"
_NOTHING = "\u2060"
_SOME_SCRIPT = "\u180e"
"""Not seen, but of a script: among signs of none at all libass parts emoji at their joiners."""


class Look(NamedTuple):
    """Sizes and margins in pixels for a film of some shape."""

    em: float
    side: int
    """Margin left and right."""
    bottom: int


def look(width: int, height: int) -> Look:
    """Return how captions look in a film of this size.

    Below, inside the safe area, in a wide film; in a tall one larger, and at 70 % of its height,
    above the buttons of the places where such films are watched.
    """
    tall, wide = height > 1.2 * width, width > 1.2 * height
    em = max(_SMALLEST, min(width, height) * (0.048 if wide else 0.06 if tall else 0.054))
    bottom = 0.3 * height - LINE_HEIGHT * em if tall else 0.065 * height
    return Look(em, round(0.05 * width), round(bottom))


def line_length(width: int, height: int) -> int:
    """Return how many Latin characters a line of captions may have in a film of this size."""
    style = look(width, height)
    room = (width - 2 * style.side) / (style.em * _LETTER)
    return max(_FEWEST, min(LINE, int(room)))


def subtitles(
    captions: Sequence[Cue],
    faces: Sequence[Typeface],
    *,
    width: int,
    height: int,
    fps: int,
    karaoke: bool = False,
) -> tuple[Subtitle, ...]:
    """Return what stands on the picture, in frames of the film, in order and not overlapping.

    Args:
        captions: From `cues`, with `line_length` of the film.
        faces: To choose from; see `fonts.typefaces`.
        width: Of the film, in pixels.
        height: Likewise.
        fps: Frames a second.
        karaoke: Whether the word that is spoken is lit; then each of its states is a subtitle.

    Raises:
        ConfigurationError: No face has some of the characters.
    """
    leftwards = _mostly_leftwards("".join(cue.text for cue in captions))
    style = look(width, height)
    room = (width - 2 * style.side) / style.em
    written: list[Subtitle] = []
    for cue in captions:
        lettered = _Lettered(cue, faces, room, leftwards=leftwards)
        if karaoke:
            written += [
                Subtitle(first, end, lettered.text(word, apart=True))
                for first, end, word in _states(cue, fps)
            ]
        elif (first := round(cue.start * fps)) < (end := round(cue.end * fps)):
            written.append(Subtitle(first, end, lettered.text()))
    return tuple(written)


def cut(written: Iterable[Subtitle], first: int, frames: int) -> tuple[Subtitle, ...]:
    """Return what stands on a piece of the film, in frames of the piece."""
    return tuple(
        replace(one, first=max(one.first - first, 0), end=min(one.end - first, frames))
        for one in written
        if one.first < first + frames and one.end > first
    )


def fonts_in(written: Iterable[Subtitle], faces: Sequence[Typeface]) -> tuple[Font, ...]:
    """Return the fonts that subtitles ask for, the shipped one first; none without subtitles."""
    texts = [one.text for one in written]
    # An author's backslash never has a letter behind it.
    asked = {name for text in texts for name in re.findall(r"\\fn([^\\}]+)", text)}
    named = [face.font for face in faces if face != shipped() and face.family in asked]
    return (shipped().font, *named) if texts else ()


def strip(written: Iterable[Subtitle], *, width: int, height: int) -> tuple[int, int]:
    """Return between which rows of the film subtitles stand; both are even."""
    style = look(width, height)
    lines = max((one.text.count(r"\N") for one in written), default=0) + 1
    foot = height - style.bottom
    # Signs above signs above letters, and the shadow, reach beyond the lines.
    top, bottom = foot - (lines * LINE_HEIGHT + 1.2) * style.em, foot + 0.8 * style.em
    return max(0, int(top) // 2 * 2), min(height, int(bottom) // 2 * 2 + 2)


def document(
    written: Iterable[Subtitle],
    *,
    width: int,
    height: int,
    fps: int,
    rows: tuple[int, int] | None = None,
) -> str:
    """Return subtitles as a document of Advanced SubStation Alpha for a film of this size.

    It counts on `LINE_HEIGHT` and `ASCENT` in every font, and on nothing of the system's.

    Args:
        written: The subtitles.
        width: Of the film, in pixels.
        height: Likewise.
        fps: Frames a second.
        rows: The part of the film that the canvas has, as `strip` returns it; by default all.
    """
    style = look(width, height)
    em = style.em
    top, bottom = rows or (0, height)
    format_of_style = (
        "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, "
        "Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, "
        "Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding"
    )
    values = (
        f"{em * LINE_HEIGHT:.2f},&H00FFFFFF,&H00FFFFFF,{_OUTLINE},{_SHADOW},0,0,0,0,100,100,0,0,1,"
        # Encoding -1: each line finds its own direction, over all changes of font and colour.
        f"{max(1.0, em * 0.055):.2f},{max(0.7, em * 0.035):.2f},2,0,0,"
        f"{style.bottom - (height - bottom)},-1"
    )
    # Regular fonts are emboldened to 600, Inter is that already; the outline alone is blurred.
    look_of_all = rf"{{\b600\blur{max(0.5, em * 0.022):.2f}}}"
    events = (
        f"Dialogue: 0,{_stamp(one.first, fps)},{_stamp(one.end, fps)},"
        f"Caption,,0,0,0,,{look_of_all}{one.text}\n"
        for one in written
    )
    return (
        "[Script Info]\nScriptType: v4.00+\n"
        f"PlayResX: {width}\nPlayResY: {bottom - top}\n"
        "WrapStyle: 2\nScaledBorderAndShadow: yes\nYCbCr Matrix: None\n\n"
        f"[V4+ Styles]\nFormat: {format_of_style}\n"
        f"Style: Caption,{shipped().family},{values}\n\n"
        "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, "
        f"Text\n{''.join(events)}"
    )


def _states(cue: Cue, fps: int) -> Iterator[tuple[int, int, Utterance | None]]:
    """Yield from which frame to which a word is lit, or none, while a cue stands there."""
    first, end = round(cue.start * fps), round(cue.end * fps)
    changes: list[tuple[int, Utterance | None]] = [(first, None)]
    for word, following in zip_longest(cue.words, cue.words[1:]):
        changes.append((round(word.start * fps), word))
        if following is None or following.start - word.stop > _PAUSE:
            changes.append((round(word.stop * fps), None))
    for (at, lit), (change, _) in pairwise([*changes, (end, None)]):
        begin, until = max(at, first), min(change, end)
        if begin < until:
            yield begin, until, lit


class _Lettered:
    """A cue's text with the fonts that write it; ready to be lit anywhere."""

    def __init__(
        self, cue: Cue, faces: Sequence[Typeface], room: float, *, leftwards: bool
    ) -> None:
        text = cue.text
        self._lines = [runs(_indented(line), faces) for line in text.split("\n")]
        self._words = cue.words
        self._begins = [word.begin for word in cue.words]
        longest = max(sum(run.face.width(run.text) for run in line) for line in self._lines)
        self._scale = 100 if longest <= room else max(1, int(100 * room / longest))
        # Numbers and signs alone follow the film; a Latin name in an Arabic film is Latin.
        rightwards = any(map(_goes_right, text))
        self._mark = ""
        if any(map(_goes_left, text)) or (leftwards and not rightwards):
            self._mark = _RIGHT_TO_LEFT if leftwards or not rightwards else _LEFT_TO_RIGHT
        self._first = "" if any(map(str.isalpha, text)) else _SOME_SCRIPT

    def text(self, lit: Utterance | None = None, *, apart: bool = False) -> str:
        """Return the event's text, with one word lit.

        With `apart` every word is drawn by itself, lit or not: where the outlines of two meet, the
        same is seen whichever is lit.
        """
        place, last = 0, 0
        family, colour = shipped().family, _WHITE
        written = rf"{{\fscx{self._scale}\fscy{self._scale}}}" if self._scale < 100 else ""
        written += self._first
        for number, line in enumerate(self._lines):
            written += r"\N" * (number > 0) + self._mark
            for run in line:
                for word, group in groupby(enumerate(run.text, place), self._word):
                    wanted = _LIT if lit and word and self._words[word - 1] is lit else _WHITE
                    tags = rf"\fn{run.face.family}" if run.face.family != family else ""
                    tags += rf"\1c{wanted}" if wanted != colour else ""
                    # The second colour is never seen; it parts what is drawn at once.
                    tags += rf"\2c&H{word % 2}&" if apart and word != last else ""
                    family, colour, last = run.face.family, wanted, word
                    written += f"{{{tags}}}" if tags else ""
                    written += _escaped("".join(character for _, character in group))
                place += len(run.text)
            place += 1
        return written

    def _word(self, placed: tuple[int, str]) -> int:
        """Return how many words have begun at a place; the space behind one belongs to it."""
        return bisect_right(self._begins, placed[0])


def _indented(line: str) -> str:
    """Return the line with spaces at its beginning that are not dropped."""
    return "\xa0" * (len(line) - len(line.lstrip(" "))) + line.lstrip(" ")


def _escaped(text: str) -> str:
    """Return text that reads as it stands, with its braces and backslashes."""
    shown = "".join(c for c in text if unicodedata.category(c) != "Cc")
    return shown.replace("\\", "\\" + _NOTHING).replace("{", r"\{").replace("}", r"\}")


def _mostly_leftwards(text: str) -> bool:
    sample = text[:20_000]
    first = next((c for c in sample if _goes_left(c) or _goes_right(c)), "")
    return sum(map(_goes_left, sample)) + _goes_left(first) > sum(map(_goes_right, sample))


def _goes_left(character: str) -> bool:
    return bool(character) and unicodedata.bidirectional(character) in ("R", "AL")


def _goes_right(character: str) -> bool:
    return unicodedata.bidirectional(character) == "L"


def _stamp(frame: int, fps: int) -> str:
    hundredths = frame * 100 // fps
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 100:02}.{rest % 100:02}"
