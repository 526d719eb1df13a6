"""Which fonts there are, and which of them writes what, so that no caption ever shows a box.

Inter (Latin, Cyrillic, Greek) is shipped; the extra `fonts` adds Noto Sans for other scripts, Noto
Emoji, and Noto Sans CJK, of which a film uses the one face that its language is written with.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from visionpulse.errors import ConfigurationError
from visionpulse.language import scripts_of
from visionpulse.protocols import Font
from visionpulse.writing import characters, is_seen, is_traditional

_SHIPPED = Path(__file__).parent / "data" / "fonts" / "Inter-SemiBold.otf"
_SUFFIXES = (".otf", ".ttc", ".otc", ".ttf")
_PACKAGES = _NOTO, _NOTO_CJK = "manimgx_fonts", "noto_cjk_sans_otc"
_CJK = ("JP", "KR", "SC", "TC", "HK")
_EMOJI_STYLE = "\ufe0f"
_KEYCAP = "\u20e3"

# First words of Unicode's names of the characters that the extra has.
_EXTRA = """
Arabic Armenian Bengali Bopomofo CJK Devanagari emoji Ethiopic Georgian Gujarati Gurmukhi Hangul
Hebrew Hiragana Ideographic Kannada Katakana Khmer Lao Malayalam Myanmar Oriya Sinhala Tamil Telugu
Thai
"""
_IN_EXTRA = frozenset(_EXTRA.split())


class Typeface:
    """One face in a font file; the file is read when the face is first asked something.

    Args:
        path: An OpenType or TrueType font, or a collection.
        number: Which face of a collection.
    """

    def __init__(self, path: Path, number: int = 0) -> None:
        self.path = path
        self._number = number

    @cached_property
    def family(self) -> str:
        """The name by which captions ask for it."""
        with self._open() as opened:
            # Name 1, not 16: libass looks at no other, and Noto Sans Hebrew's is unlike its file's.
            return opened["name"].getDebugName(1) or self.path.stem

    @cached_property
    def font(self) -> Font:
        """The face as a renderer is told of it."""
        return Font(self.family, self.path, _sha256(self.path))

    @property
    def is_emoji(self) -> bool:
        """Whether it draws emoji, and has digits only for key caps."""
        return "Emoji" in self.path.name

    def has(self, character: str) -> bool:
        """Return whether it has all that is seen of a character (one code point or more)."""
        return all(ord(point) in self._glyphs for point in character if is_seen(point))

    def width(self, text: str) -> float:
        """Return about how long a text is, in ems: combining characters count in full."""
        return sum(map(self._advance, filter(is_seen, text))) + 0.27 * text.count(" ")

    def _advance(self, point: str) -> float:
        if unicodedata.east_asian_width(point) in "WF":
            return 1.0
        return self._advances.get(self._glyphs.get(ord(point), ""), 1.0)

    @cached_property
    def _glyphs(self) -> dict[int, str]:
        with self._open() as opened:
            return opened.getBestCmap() or {}

    @cached_property
    def _advances(self) -> dict[str, float]:
        with self._open() as opened:
            em = opened["head"].unitsPerEm
            metrics: dict[str, tuple[int, int]] = opened["hmtx"].metrics
            return {glyph: advance / em for glyph, (advance, _) in metrics.items()}

    @contextmanager
    def _open(self) -> Generator[Any]:
        # Here, not above: it takes longer to import than all else in this layer.
        from fontTools.ttLib import (  # type: ignore[import-untyped]
            TTFont,  # pyright: ignore[reportMissingTypeStubs]
            TTLibError,
        )

        try:
            with self.path.open("rb") as file:
                yield TTFont(file, fontNumber=self._number, lazy=True)
        except (OSError, TTLibError) as error:
            raise ConfigurationError(
                f"The font {self.path} cannot be used: {error}.", code="bad_font"
            ) from error


class Run(NamedTuple):
    """A stretch of text in one face."""

    face: Typeface
    text: str


def shipped() -> Typeface:
    """Return the face that comes with the package; captions are in it wherever it can write."""
    return _typeface(_SHIPPED, 0)


def typefaces(language: str, text: str, *, folder: Path | None = None) -> tuple[Typeface, ...]:
    """Return the faces there are for a film, the ones to be preferred first.

    Args:
        language: BCP 47 tag of the film's language; it tells a Japanese face from a Chinese one.
        text: All of the text, which tells simplified from traditional Chinese.
        folder: Fonts of the user's, asked after the shipped one and before those of the extra.

    Raises:
        ConfigurationError: The folder is not there.
    """
    files = [_SHIPPED]
    if folder is not None:
        if not folder.is_dir():
            raise ConfigurationError(f"There is no folder of fonts at {folder}.", code="no_fonts")
        files += _in(folder)
    # Emoji come before symbols, whose font draws some of them as plain signs.
    files += sorted(_in(_package(_NOTO)), key=lambda file: "Symbols" in file.name)
    faces = [_typeface(file, 0) for file in files]
    number = _CJK.index(_cjk(language, text))
    faces += [_typeface(file, number) for file in _in(_package(_NOTO_CJK))]
    return tuple(faces)


def fonts_for(
    text: str, language: str, *, among: Sequence[Typeface] | None = None
) -> tuple[Font, ...]:
    """Return the fonts that a film's captions need, the shipped one first.

    Args:
        text: All of the text.
        language: BCP 47 tag of its language.
        among: The faces to choose from; by default all there are.

    Raises:
        ConfigurationError: No face has some of the characters; they are named.
    """
    among = typefaces(language, text) if among is None else among
    seen = {c: _own(c, among) or _first(c, among) for c in dict.fromkeys(_parts(text, among))}
    _check(seen, among)
    return tuple(face.font for face in dict.fromkeys([shipped(), *seen.values()]) if face)


def runs(line: str, among: Sequence[Typeface]) -> list[Run]:
    """Divide a line by the faces that write it. Joined, the runs are the line.

    Raises:
        ConfigurationError: No face has some of the characters; they are named.
    """
    seen = list(_parts(line, among))
    faces = _neighbourly(seen, among, [_own(character, among) for character in seen])
    _check(dict(zip(seen, faces, strict=True)), among)
    divided: list[Run] = []
    first = next((face for face in faces if face), among[0])
    for character, face in zip(seen, faces, strict=True):
        current = divided[-1].face if divided else first
        if divided and face in (None, current):
            divided[-1] = Run(current, divided[-1].text + character)
        else:
            divided.append(Run(face or current, character))
    return divided


def _parts(text: str, among: Sequence[Typeface]) -> Iterator[str]:
    """Yield the characters; those that no face has as a whole, point by point."""
    for character in characters(text):
        whole = len(character) == 1 or any(face.has(character) for face in among)
        yield from [character] if whole else character


def _own(character: str, among: Sequence[Typeface]) -> Typeface | None:
    """Return the face that a character asks for by itself; None when its neighbours decide."""
    if _EMOJI_STYLE in character or _KEYCAP in character:
        among = sorted(among, key=lambda face: not face.is_emoji)
    elif not any(map(_is_lettered, character)):
        return None
    return _first(character, among)


def _neighbourly(
    seen: Sequence[str], among: Sequence[Typeface], own: Sequence[Typeface | None]
) -> list[Typeface | None]:
    """Give marks, digits and spaces the face of the words around them, where it has them."""
    faces = list(own)
    after: list[Typeface | None] = []
    following: Typeface | None = None
    for face in reversed(own):
        after.append(following)
        following = face if face and not face.is_emoji else following
    before: Typeface | None = None
    for place, (character, following) in enumerate(zip(seen, reversed(after), strict=True)):
        face = own[place]
        if face is not None:
            before = before if face.is_emoji else face
            continue
        opens = unicodedata.category(character[0]) in ("Ps", "Pi")
        near = [following, before] if opens else [before, following]
        faces[place] = _first(character, [face for face in near if face] + list(among))
    return faces


def _first(character: str, among: Iterable[Typeface]) -> Typeface | None:
    plain = character.isascii()
    return next((f for f in among if f.has(character) and not (plain and f.is_emoji)), None)


def _is_lettered(point: str) -> bool:
    """Return whether a code point belongs to a script rather than to all of them."""
    return unicodedata.category(point)[0] == "L" or unicodedata.category(point) == "So"


def _check(faces: Mapping[str, Typeface | None], among: Sequence[Typeface]) -> None:
    missing = [c for c, face in faces.items() if face is None and any(map(is_seen, c))]
    if not missing:
        return
    names = dict.fromkeys(map(_script, missing))
    shown = " ".join(missing[:8]) + (" ..." if len(missing) > 8 else "")
    points = ", ".join(f"U+{ord(point):04X}" for point in "".join(missing[:3]) if is_seen(point))
    installed = set(_PACKAGES) <= {face.path.parent.name for face in among}
    in_extra = all(name in _IN_EXTRA for name in names)
    raise ConfigurationError(
        f"No font here can write {shown} ({', '.join(names)}: {points}), "
        "which captions in the picture need.",
        hint="Install the fonts: pip install 'visionpulse[fonts]'."
        if in_extra and not installed
        else "No font that VisionPulse knows has them: give a folder with one that does, change "
        "the text, or choose captions='soft'.",
        code="missing_glyphs",
    )


def _script(character: str) -> str:
    point = next(point for point in character if is_seen(point))
    if "\U0001f000" <= point <= "\U0001faff" or _EMOJI_STYLE in character:
        return "emoji"
    name = unicodedata.name(point, "unassigned").split()[0]
    return name if name == "CJK" else name.capitalize()


def _cjk(language: str, text: str) -> str:
    primary, *rest = language.replace("_", "-").lower().split("-")
    if primary in ("ja", "ko"):
        return "JP" if primary == "ja" else "KR"
    if {"hk", "mo"} & set(rest):
        return "HK"
    if {"tw", "hant"} & set(rest):
        return "TC"
    scripts = scripts_of(text)
    if primary != "zh" and ("Kana" in scripts or "Hangul" in scripts):
        return "JP" if "Kana" in scripts else "KR"
    return "TC" if "hans" not in rest and is_traditional(text) else "SC"


def _in(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in _SUFFIXES and "Italic" not in file.name
    )


@cache
def _package(name: str) -> Path | None:
    """Return where an installed package lies, without importing it."""
    spec = find_spec(name)
    places: Iterator[str] = iter(spec.submodule_search_locations or ()) if spec else iter(())
    return next(map(Path, places), None)


@cache
def _typeface(path: Path, number: int) -> Typeface:
    return Typeface(path, number)


@cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
