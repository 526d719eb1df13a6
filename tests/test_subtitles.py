# ruff: noqa: RUF001 - the letters of many scripts are meant as they stand
"""Captions on the picture: fonts that have the letters, shaping, karaoke, places, overlays."""

import re
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from visionpulse.captions import LINE, Cue, Utterance, cues
from visionpulse.errors import ConfigurationError, RenderError
from visionpulse.fonts import Typeface, fonts_for, runs, shipped, typefaces
from visionpulse.models import SpokenSentence
from visionpulse.protocols import Move, Piece, Subtitle
from visionpulse.renderers.lettering import overlays
from visionpulse.renderers.process import Job
from visionpulse.subtitles import (
    LINE_HEIGHT,
    cut,
    document,
    fonts_in,
    line_length,
    look,
    subtitles,
)

FPS = 30
SIZE = (1280, 720)

ARABIC = "أعلنت NASA عن اكتشاف (محيط عميق) في عام 2026"
LETTERS = {
    "Latin": "AgñŁß&",
    "Cyrillic": "ЖяїѢ",
    "Greek": "Ωσάξ",
    "Arabic": "بسعهڭ",
    "Hebrew": "אשםץ",
    "Devanagari": "कशऋ९",
    "Bengali": "কশ৯",
    "Tamil": "கஶழ",
    "Thai": "กฮฬ๙",
    "Khmer": "កឡ៩",
    "Burmese": "ကအဠ",
    "Georgian": "აჰქ",
    "Armenian": "ԱֆՔ",
    "Ethiopic": "ሀፐቿ",
    "Chinese": "深直骨龘",
    "Japanese": "あンヴ々「",
    "Korean": "깊뷁한",
    "emoji": "😀👍🦊★",
}


def piece_of(written, faces, *, size=SIZE):
    frames = max((one.end for one in written), default=1)
    still = Move(Path("no.png"), "", "none", frames)
    fonts = fonts_in(written, faces)
    return Piece(*size, FPS, frames, still, 0, subtitles=tuple(written), fonts=fonts)


def drawn(*texts, language="en", size=SIZE):
    """Return an overlay for each text."""
    shown = [Cue(float(second), second + 1.0, text) for second, text in enumerate(texts)]
    faces = typefaces(language, "".join(texts))
    width, height = size
    written = subtitles(shown, faces, width=width, height=height, fps=FPS)
    return overlays(Job(), piece_of(written, faces, size=size))


def ink(overlay):
    """Return where the letters themselves are: what is white or lit, not their outline."""
    return overlay.planes[0] > 120


def ink_width(overlay):
    columns = np.flatnonzero(ink(overlay).any(axis=0))
    return int(columns[-1] - columns[0] + 1)


def widths(*texts, language="en"):
    return [ink_width(overlay) for overlay in drawn(*texts, language=language)]


def same(one, other):
    return one.planes[0].shape == other.planes[0].shape and np.array_equal(
        one.planes[0], other.planes[0]
    )


def karaoke(text, language="en", *, size=SIZE):
    """Return the overlay for each state of a caption of whole words, a second each."""
    words, place = [], 0
    for number, word in enumerate(text.replace("\n", " ").split(" ")):
        words.append(Utterance(place, place + len(word), number, number + 1))
        place += len(word) + 1
    cue = Cue(0, len(words), text, tuple(words))
    faces = typefaces(language, text)
    written = subtitles([cue], faces, width=size[0], height=size[1], fps=FPS, karaoke=True)
    return overlays(Job(), piece_of(written, faces, size=size))


# ---------------------------------------------------------------- real letters, rightly shaped


@pytest.mark.parametrize("script", LETTERS)
def test_every_letter_is_drawn_as_itself(script):
    """No two letters of a script look alike, as boxes for missing ones would."""
    shapes = drawn(*LETTERS[script], language="zh" if script == "Chinese" else "en")

    assert len(shapes) == len(LETTERS[script])
    assert all(ink(shape).any() for shape in shapes)
    for number, shape in enumerate(shapes):
        assert not any(same(shape, other) for other in shapes[:number])


def test_a_letter_without_a_font_is_never_drawn_as_a_box():
    """A piece whose fonts lack a letter is an error, whatever fonts the machine has."""
    written = [Subtitle(0, 30, "ab سلام")]

    with pytest.raises(RenderError, match="lack a character"):
        overlays(Job(), piece_of(written, [shipped()]))


def test_a_font_that_is_not_there_is_an_error():
    """Else libass would drop the whole caption without a word."""
    written = [Subtitle(0, 30, r"one {\fnNo Such Font}two")]

    with pytest.raises(RenderError, match="lack a character"):
        overlays(Job(), piece_of(written, [shipped()]))


def test_arabic_letters_join():
    """Joined letters are drawn unlike the same letters kept apart by a zero width non-joiner."""
    joined, apart = widths("ببب", "ب\u200cب\u200cب", language="ar")

    assert joined < 0.8 * apart


def test_arabic_and_hebrew_run_from_right_to_left():
    """A long letter that is written first stands at the right."""
    for narrow, broad in [("ا", "ص"), ("ו", "ש")]:
        first, last = (ink(overlay) for overlay in drawn(broad + narrow * 6, narrow * 6 + broad))

        def heavier_side(shape):
            middle = shape.shape[1] // 2
            return np.sign(int(shape[:, middle:].sum()) - int(shape[:, :middle].sum()))

        assert heavier_side(first) != heavier_side(last)


def test_devanagari_letters_combine():
    """The conjunct of two consonants is narrower than both; a non-joiner keeps them apart."""
    combined, apart = widths("क्ष", "क्\u200cष", language="hi")

    assert combined < 0.8 * apart


@pytest.mark.parametrize(
    ("bare", "marked", "language"),
    [("กา", "ก้า", "th"), ("е", "е\u0301", "ru"), ("a", "ạ́", "vi"), ("שלום", "שָׁלוֹם", "he")],
    ids=["Thai", "Russian", "Vietnamese", "Hebrew"],
)
def test_marks_stand_above_or_below_their_letters(bare, marked, language):
    """A mark makes a word taller, not wider."""
    (plain, full) = drawn(bare, marked, language=language)

    assert abs(ink_width(full) - ink_width(plain)) <= 3
    assert ink(full).sum() > ink(plain).sum()


def test_korean_syllables_are_composed():
    """Written as single letters (as file names of a Mac are) a syllable looks the same."""
    whole, parts = drawn("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af", language="ko")

    assert abs(ink_width(whole) - ink_width(parts)) <= 4


def test_emoji_sequences_are_one_picture():
    """Families, flags, skin tones and key caps are drawn as one."""
    family, people, flag, letters, toned, plain, cap, digit = widths(
        *("👩\u200d👩\u200d👧", "👩👩👧", "🇩🇪", "🇩 🇪", "👍🏽", "👍", "1\ufe0f\u20e3", "1")
    )
    alone, in_words = drawn("👩\u200d👩\u200d👧", "they 👩\u200d👩\u200d👧 swim")

    assert family < 0.5 * people
    assert flag < 0.8 * letters
    assert abs(toned - plain) < 0.2 * plain
    assert 2 * digit < cap < 1.5 * plain
    assert alone.planes[0].shape[0] < in_words.planes[0].shape[0] + 10


def test_the_language_chooses_the_shape_of_han_characters():
    """直 and 骨 are written in four ways."""
    shapes = [
        drawn(text, language=language)[0]
        for language, text in [("ja", "直骨"), ("zh-Hans", "直骨"), ("zh-Hant", "直骨")]
    ]

    assert not any(same(one, other) for one, other in pairwise(shapes))


@pytest.mark.parametrize(
    "text",
    [r"a\Nb\nc\hd", r"{\b0}x", "{braces} and }{", "back\\slash \\", r"\{ \\ \}", "1 < 2 & 3"],
)
def test_the_text_is_drawn_to_the_character(text):
    """Nothing an author types is taken for a command: as wide as its characters one by one."""
    whole, *single = drawn(text, *(character for character in text if character != " "))

    spaces = 12 * text.count(" ")
    assert ink_width(whole) > 0.8 * sum(map(ink_width, single)) + spaces
    assert whole.planes[0].shape[0] < 72


def test_spaces_at_the_beginning_move_the_text():
    """Four spaces before a word push it to the right by half of their width."""
    plain, indented = drawn("word", "    word")

    assert indented.left > plain.left + 12


# ------------------------------------------------------------------------------- both ways


def lit_centres(states):
    """Return where the lit word's middle is in each state."""
    centres = []
    for state in states:
        u = state.planes[1].astype(int) + (128 * state.keeps[1].astype(int)) // 255
        centres.append(float(np.flatnonzero((u < 110).any(axis=0)).mean()) + state.left / 2)
    return centres


def test_words_of_a_mixed_arabic_line_stand_from_right_to_left():
    """Every word, in whichever script, stands to the left of the word before it."""
    states = karaoke(ARABIC, "ar")

    centres = lit_centres(states)
    assert centres == sorted(centres, reverse=True)


def test_a_latin_phrase_keeps_its_order_in_a_hebrew_line():
    """`deep blue sea` reads from left to right, the Hebrew around it from right to left."""
    centres = lit_centres(karaoke("הוא אמר deep blue sea אתמול", "he"))

    before, spoken, deep, blue, sea, after = centres
    assert before > spoken > sea > blue > deep > after


def test_an_arabic_name_keeps_its_place_in_an_english_line():
    """English around an Arabic name reads from left to right."""
    the, network, arabic, second, said = lit_centres(karaoke("The network الجزيرة العربية said"))

    assert the < network < second < arabic < said


def test_a_second_line_that_begins_with_a_latin_word_stays_arabic():
    """Its first word stands at the right, though the line would be Latin by itself."""
    text = "أعلنت وكالة الفضاء\nNASA عن اكتشاف جديد"

    centres = lit_centres(karaoke(text, "ar"))

    second = centres[3:]
    assert second == sorted(second, reverse=True)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The reef is “quiet” now", "en"),
        (ARABIC, "ar"),
        ("深海は 最も 広い", "ja"),
        ("दो सौ क्षेत्र", "hi"),
    ],
    ids=["English", "Arabic", "Japanese", "Hindi"],
)
def test_lighting_a_word_moves_nothing(text, language):
    """All states have the same outlines in the same place; only the colour walks on."""
    states = karaoke(text, language)

    assert len(states) == len(text.split(" "))
    first, *others = states
    for other in others:
        assert (other.left, other.top) == (first.left, first.top)
        assert np.array_equal(other.keeps[0], first.keeps[0])
        assert not np.array_equal(other.planes[1], first.planes[1])


# ------------------------------------------------------------------------------ when and where


def said(text, seconds):
    return SpokenSentence(
        text=text, start=0, end=len(text), key="", samples=round(seconds * 1000), sample_rate=1000
    )


@st.composite
def karaokes(draw):
    """Subtitles of a narration in all their states, and the captions they show."""
    words = st.sampled_from(["the", "sea,", "{is}", "deep", "\\N", "and", "“blue”", "—"])
    spoken, at = [], 0.0
    for sentence in draw(
        st.lists(st.lists(words, min_size=1, max_size=30), min_size=1, max_size=3)
    ):
        text = " ".join(sentence)
        seconds = 0.5 + len(text) * draw(st.floats(0.02, 0.3))
        spoken.append((at, said(text, seconds)))
        at += seconds + draw(st.floats(0, 2))
    captions = cues(spoken, line=draw(st.integers(16, 42)))
    fps = draw(st.sampled_from([24, 25, 30, 60]))
    faces = [shipped()]
    width, height = SIZE
    lit = subtitles(captions, faces, width=width, height=height, fps=fps, karaoke=True)
    whole = subtitles(captions, faces, width=width, height=height, fps=fps)
    return captions, fps, lit, whole


def by_frame(written):
    return {frame: one.text for one in written for frame in range(one.first, one.end)}


@given(karaokes())
def test_karaoke_stands_exactly_as_long_as_the_caption(narration):
    """States follow one another without a gap or an overlap from a caption's start to its end."""
    captions, fps, lit, whole = narration

    assert sum(one.end - one.first for one in lit) == len(by_frame(lit))
    assert by_frame(lit).keys() == by_frame(whole).keys()
    assert [(one.first, one.end) for one in whole] == [
        (round(cue.start * fps), round(cue.end * fps)) for cue in captions
    ]
    assert all(before.end <= after.first for before, after in pairwise(lit))


@given(karaokes(), st.integers(1, 90))
def test_pieces_together_show_what_the_film_shows(narration, length):
    """Cut anywhere, each frame of each piece shows what that frame of the film shows."""
    *_, lit, _ = narration
    frames = lit[-1].end

    together = {}
    for first in range(0, frames, length):
        piece = cut(lit, first, length)
        assert all(0 <= one.first < one.end <= length for one in piece)
        together |= {first + frame: text for frame, text in by_frame(piece).items()}

    assert together == by_frame(lit)


def test_a_word_is_lit_from_the_frame_nearest_to_its_start():
    """A pause puts the light out; a short gap does not."""
    words = (Utterance(0, 3, 0.5, 0.8), Utterance(4, 7, 0.9, 1.2), Utterance(8, 13, 2.0, 2.6))
    cue = Cue(0.4, 3.0, "one two three", words)

    states = subtitles([cue], [shipped()], width=1280, height=720, fps=10, karaoke=True)

    def lit(one):
        return "".join(re.findall(r"1c&H40D4FF&[^}]*}([^{]*)", one.text)).strip() or None

    assert [(one.first, one.end, lit(one)) for one in states] == [
        (4, 5, None),
        (5, 9, "one"),
        (9, 12, "two"),
        (12, 20, None),
        (20, 26, "three"),
        (26, 30, None),
    ]


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_a_documents_times_hit_their_frames(fps):
    """In hundredths of a second, each frame falls to the subtitle that it belongs to."""
    written = [Subtitle(frame, frame + 1, str(frame)) for frame in range(2000)]

    text = document(written, width=1280, height=720, fps=fps)

    events = [line.split(",", 9) for line in text.splitlines() if line.startswith("Dialogue")]
    assert len(events) == 2000
    for frame, event in enumerate(events):
        start, end = (
            int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            for hours, minutes, seconds in (stamp.split(":") for stamp in event[1:3])
        )
        assert start <= frame / fps + 1e-9 < end - 1e-9


@pytest.mark.parametrize(
    "size", [(1920, 1080), (1080, 1920), (1080, 1080), (256, 144), (144, 256), (2560, 1080)]
)
@pytest.mark.parametrize("widest", ["W", "m", "漢"], ids=["W", "m", "Han"])
def test_captions_never_leave_the_picture(size, widest):
    """Two full lines of the widest letters stay inside the margins of every shape."""
    width, height = size
    letters = line_length(*size) * (18 / LINE if widest == "漢" else 1)
    line = widest * int(letters)

    (overlay,) = drawn(f"{line}\n{line}", size=size)

    box_height, box_width = overlay.planes[0].shape
    assert overlay.left >= 0.02 * width
    assert overlay.left + box_width <= 0.98 * width
    assert overlay.top + box_height <= 0.98 * height
    assert abs(overlay.left + box_width / 2 - width / 2) <= 0.01 * width + 2


@pytest.mark.parametrize(
    ("size", "place"), [((1920, 1080), 0.875), ((1080, 1920), 0.7), ((1080, 1080), 0.86)]
)
def test_captions_stand_where_viewers_of_that_shape_look(size, place):
    """Near the bottom in a wide film, at 70 % of the height in a tall one."""
    (overlay,) = drawn("Below two hundred\nmetres of water", size=size)

    middle = overlay.top + overlay.planes[0].shape[0] / 2
    assert middle / size[1] == pytest.approx(place, abs=0.015)


@pytest.mark.parametrize("letter", "HЖбกकক깊漢ሀהلაក")
def test_all_scripts_are_written_at_one_size(letter):
    """A letter is as tall as its outline says at the size of the film, whatever its font."""
    width, height = 1920, 1080
    (overlay,) = drawn(letter, size=(width, height), language="ko" if letter == "깊" else "ja")
    (run,) = runs(letter, typefaces("ja", ""))
    with run.face.path.open("rb") as file:
        font = TTFont(file, fontNumber=0, lazy=True)
        glyphs = font.getGlyphSet()
        pen = BoundsPen(glyphs)
        glyphs[font.getBestCmap()[ord(letter)]].draw(pen)
        em = font["head"].unitsPerEm

    rows = np.flatnonzero(ink(overlay).any(axis=1))
    expected = (pen.bounds[3] - pen.bounds[1]) / em * look(width, height).em
    assert rows[-1] - rows[0] + 1 == pytest.approx(expected, abs=2.5)


def test_lines_of_all_scripts_are_as_far_apart():
    """Two lines of tall Thai, Arabic or Khmer stand like two lines of Latin."""

    def distance(overlay):
        starts = np.flatnonzero(np.diff(ink(overlay).any(axis=1).astype(int)) == 1)
        return int(starts[-1] - starts[len(starts) // 2 - 1])

    latin, *others = map(distance, drawn("o\no", "อ\nอ", "ه\nه", "ក\nក", "漢\n漢"))

    assert latin == round(LINE_HEIGHT * look(*SIZE).em)
    assert others == [pytest.approx(latin, abs=1)] * 4


# ------------------------------------------------------------------------------------ overlays


def blended(overlay, colour):
    """Return an even frame of a colour (Y, U, V) under an overlay, inside its box."""
    return [
        np.rint(value * (keep.astype(float) / 255) + plane)
        for value, plane, keep in zip(colour, overlay.planes, overlay.keeps, strict=True)
    ]


def test_letters_are_white_with_a_dark_outline_on_any_picture():
    """White is 235 and black is about 16 in limited range, and neither has a colour."""
    (overlay,) = drawn("Hello, world")

    for picture in [(235, 128, 128), (16, 128, 128), (120, 128, 128)]:
        y, u, v = blended(overlay, picture)
        assert y.max() == 235
        assert y.min() <= 45
        assert np.abs(u - 128).max() <= 1
        assert np.abs(v - 128).max() <= 1


def test_letters_have_no_colour_of_the_picture():
    """On green, the inside of a letter is as white as on grey."""
    (overlay,) = drawn("█" if shipped().has("█") else "W", size=(1920, 1080))

    _, u, v = blended(overlay, (150, 60, 30))

    solid = overlay.keeps[1] == 0
    assert solid.any()
    assert np.abs(u[solid] - 128).max() <= 1
    assert np.abs(v[solid] - 128).max() <= 1


def test_the_lit_word_has_the_colour_it_should():
    """Amber (255, 212, 64) by the BT.709 matrix."""
    (state,) = karaoke("WWWWWWWW", size=(1920, 1080))
    r, g, b = 255, 212, 64
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    y = 16 + 219 / 255 * luma
    u = 128 + 224 / 255 * (b - luma) / 1.8556

    shown = blended(state, (100, 128, 128))

    bright = shown[0] > 0.97 * y
    assert bright.sum() > 1000
    assert shown[0].max() == pytest.approx(y, abs=1.5)
    assert shown[1].min() == pytest.approx(u, abs=3)


def test_overlays_lie_on_even_places_inside_the_frame():
    """Their planes fit those of 4:2:0, and hold nothing but what is drawn."""
    for overlay in drawn("a", "il\nWW", "漢字", "👍 ok", size=(854, 480)):
        y, u, v = overlay.planes
        height, width = y.shape
        assert not any(value % 2 for value in (overlay.left, overlay.top, width, height))
        assert u.shape == v.shape == (height // 2, width // 2)
        assert [keep.shape for keep in overlay.keeps] == [y.shape, u.shape, v.shape]
        assert overlay.left + width <= 854
        assert overlay.top + height <= 480
        assert (overlay.keeps[0] < 255).any(axis=1)[[0, 1, -2, -1]].sum() >= 2
        assert {plane.dtype for plane in (*overlay.planes, *overlay.keeps)} == {np.dtype("uint8")}


def test_the_same_subtitle_is_drawn_once_and_shown_often():
    """A text that comes back shares its bitmap; frames are the piece's own."""
    written = [Subtitle(0, 10, "one"), Subtitle(12, 20, "two"), Subtitle(25, 30, "one")]

    first, second, third = overlays(Job(), piece_of(written, [shipped()]))

    assert [(o.first, o.end) for o in (first, second, third)] == [(0, 10), (12, 20), (25, 30)]
    assert third.planes is first.planes
    assert not same(first, second)


def test_a_piece_without_subtitles_needs_no_overlay():
    """Nothing is drawn, and no font is asked for."""
    piece = piece_of([], [shipped()])

    assert overlays(Job(), piece) == []
    assert piece.fonts == ()


def test_nothing_visible_needs_no_overlay():
    """A caption of joiners alone has no bitmap."""
    assert drawn("\u200d") == []


@pytest.mark.parametrize("name", ["it's, a [deep]; sea: blue", "back\\slash = %d", "море 深海"])
def test_the_scratch_folder_may_have_any_name(name, tmp_path, monkeypatch):
    """Quotes, commas, brackets and colons in a path do not get lost on the way to libass."""
    (expected,) = drawn("Hello")
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    (overlay,) = drawn("Hello")

    assert same(overlay, expected)
    assert list(folder.iterdir()) == []


def test_a_damaged_font_is_named(tmp_path):
    """The error says which file cannot be used."""
    file = tmp_path / "broken.ttf"
    file.write_bytes(b"not a font at all")

    with pytest.raises(ConfigurationError, match=r"broken\.ttf"):
        Typeface(file).has("a")


# ----------------------------------------------------------------------------------- preflight


def test_latin_cyrillic_and_greek_need_the_shipped_font_alone():
    """Whatever else is there is not even opened."""
    nothing = Typeface(Path("there is no such file.ttf"))
    text = "“Ça va?” — Łódź, Ελλάδα, Київ: 10\u202f000 €… naïve\u200b e\u0301 \u2060½ №5 →"

    fonts = fonts_for(text, "en", among=[shipped(), nothing])

    assert [font.family for font in fonts] == ["Inter Semi Bold"]
    assert fonts[0].path.is_file()


@pytest.mark.parametrize(
    ("text", "script", "character"),
    [
        ("سلام", "Arabic", "س"),
        ("नमस्ते", "Devanagari", "न"),
        ("深海", "CJK", "深"),
        ("ひろい", "Hiragana", "ひ"),
        ("깊은", "Hangul", "깊"),
        ("👩\u200d👩\u200d👧", "emoji", "👩"),
    ],
)
def test_without_the_extra_the_missing_characters_are_named(text, script, character):
    """The error says which characters, of what script, and what to install."""
    with pytest.raises(ConfigurationError) as caught:
        fonts_for(f"Hello {text}!", "en", among=[shipped()])

    assert character in str(caught.value)
    assert script in str(caught.value)
    assert f"U+{ord(character):04X}" in str(caught.value)
    assert "pip install 'visionpulse[fonts]'" in str(caught.value)
    assert "H" not in caught.value.message.partition("write")[2].partition("(")[0]


def test_what_no_known_font_has_is_said_plainly():
    """Tibetan is in no font that the extra brings, so the extra is not offered."""
    with pytest.raises(ConfigurationError, match="Tibetan") as caught:
        fonts_for("Hello བོད།", "bo")

    assert "pip install" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "language", "family"),
    [
        ("深海は広い", "ja", "JP"),
        ("깊은 바다 深海", "ko", "KR"),
        ("这个世界", "zh", "SC"),
        ("這個世界", "zh", "TC"),
        ("深海", "zh-HK", "HK"),
        ("They call it 深海 (しんかい)", "en", "JP"),
    ],
)
def test_the_language_chooses_the_cjk_face(text, language, family):
    """Japanese, Korean, simplified and traditional Chinese have faces of their own."""
    fonts = fonts_for(text, language)

    assert f"Noto Sans CJK {family}" in [font.family for font in fonts]


def test_marks_and_digits_take_the_font_of_the_words_around_them():
    """`。` and 2026 stand in the Japanese font, `11` after `Windows` in the Latin one."""
    line = "2026年のWindows 11（最新）は「良い」。"

    divided = runs(line, typefaces("ja", line))

    assert [(run.face.family[:5], run.text) for run in divided] == [
        ("Noto ", "2026年の"),
        ("Inter", "Windows 11"),
        ("Noto ", "（最新）は「良い」。"),
    ]


@given(
    st.text(st.sampled_from("aя深あ깊سשकก😀👩\u200d🏽🇩🇪1️⃣  .,()«»“”—।。、\u0301\u200f"), max_size=30)
)
def test_runs_are_the_line(line):
    """Nothing is lost or doubled when a line is divided by fonts."""
    assert "".join(run.text for run in runs(line, typefaces("ja", line))) == line


def test_a_users_own_font_is_used_for_what_the_shipped_one_lacks(tmp_path):
    """A folder of fonts is asked before the extra's."""
    (arabic,) = (face for face in typefaces("ar", "") if face.family == "Noto Sans Arabic")
    shutil.copyfile(arabic.path, tmp_path / "mine.ttf")

    faces = typefaces("ar", "سلام", folder=tmp_path)
    fonts = fonts_for("Hello سلام", "ar", among=faces)

    assert [font.path.name for font in fonts] == ["Inter-SemiBold.otf", "mine.ttf"]


def test_a_folder_of_fonts_that_is_not_there_is_an_error(tmp_path):
    """A typo in the folder is told before anything is made."""
    with pytest.raises(ConfigurationError, match="no folder of fonts"):
        typefaces("en", "", folder=tmp_path / "nowhere")
