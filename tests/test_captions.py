# ruff: noqa: RUF001 - the marks of many scripts look alike
"""Captions: the author's text, timed, in lines that can be read."""

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionpulse.captions import Cue, cues, srt, vtt
from visionpulse.models import SpokenSentence, Word

RATE = 24_000


def said(text, seconds, words=()):
    return SpokenSentence(
        text=text,
        start=0,
        end=len(text),
        key="objects/x.wav",
        samples=round(seconds * RATE),
        sample_rate=RATE,
        words=words,
    )


def squeezed(text):
    return "".join(text.split())


def is_wide(character):
    return unicodedata.east_asian_width(character) in "WF"


def covered(cue, place):
    return any(word.begin <= place < word.end for word in cue.words)


def lines_of(text, *, seconds=10, line=42):
    captions = cues([(0.0, said(text, seconds))], line=line)
    return [shown for cue in captions for shown in cue.text.split("\n")]


LONG = (
    "In the year 1969, after a decade of preparation and at a cost of some twenty-five billion "
    "dollars, two men walked on the dusty surface of the Moon while a third waited above them."
)
JAPANESE = (
    "深海は地球上で最も広い生息空間であり、水深二百メートルを超えると、太陽の光は終わりのない青へと"
    "消えていきます。「静けさ」とは何でしょうか？「音」と「光」、「熱」と「冷」、「生」と「死」？"
)

words = st.text(
    st.characters(categories=["L", "M", "N", "P", "S"], exclude_characters="\x00"),
    min_size=1,
    max_size=60,
)
blanks = st.sampled_from([" ", "  ", "\n", "\n\n", "\t", "\u2028", "\u3000", "\r\n"])
texts = st.lists(st.tuples(words, blanks), min_size=1, max_size=40).map(
    lambda parts: "".join(word + blank for word, blank in parts).strip()
)


@st.composite
def narrations(draw):
    """Sentences one after another, spoken at speeds people speak at."""
    spoken, at = [], 0.0
    for text in draw(st.lists(texts.filter(bool), min_size=1, max_size=4)):
        seconds = 0.5 + len(text) * draw(st.floats(0.05, 0.2))
        spoken.append((at, said(text, seconds)))
        at += seconds + 0.5
    return spoken, at


@given(narrations())
def test_the_text_is_the_authors_to_the_character(narration):
    """Whatever the script holds, captions hold it too: only white space differs."""
    spoken, end = narration

    captions = cues(spoken, end=end)

    shown = "".join(cue.text for cue in captions)
    assert squeezed(shown) == squeezed("".join(sentence.text for _, sentence in spoken))


@given(narrations())
def test_captions_never_overlap_and_never_blink(narration):
    """Captions follow one another inside the film, each at least 0.8 s long."""
    spoken, end = narration

    captions = cues(spoken, end=end)

    assert all(cue.end - cue.start >= 0.8 - 1e-9 for cue in captions)
    assert all(before.end <= after.start for before, after in pairwise(captions))
    assert captions[0].start >= 0
    assert captions[-1].end <= end


@given(narrations(), st.integers(16, 42))
def test_lines_are_short_enough(narration, letters):
    """Two lines at most; of 42 letters or 18 wide characters, or as many as there is room for."""
    spoken, end = narration

    for cue in cues(spoken, end=end, line=letters):
        lines = cue.text.split("\n")
        assert len(lines) <= 2
        for line in lines:
            seen = [c for c in line if unicodedata.category(c) not in ("Mn", "Me", "Cf")]
            wide = sum(map(is_wide, seen))
            assert (len(seen) - wide) / 42 + wide / 18 <= letters / 42 + 1e-9


@given(narrations())
def test_every_spoken_character_belongs_to_one_word_of_its_caption(narration):
    """Words are slices of the text, in order, and cover all that is said; times never run back."""
    spoken, end = narration

    for cue in cues(spoken, end=end):
        places = [place for word in cue.words for place in (word.begin, word.end)]
        times = [time for word in cue.words for time in (word.start, word.stop)]
        outside = [c for place, c in enumerate(cue.text) if not covered(cue, place)]
        assert places == sorted(places)
        assert times == sorted(times)
        assert not [c for c in outside if unicodedata.category(c)[0] in "LN"]


@given(narrations())
def test_files_have_a_caption_for_each_cue(narration):
    """No text of the author breaks the syntax of SRT or VTT: as many blocks as captions."""
    spoken, end = narration
    captions = cues(spoken, end=end)

    blocks = srt(captions).strip("\n").split("\n\n")
    web = vtt(captions).strip("\n").split("\n\n")

    assert [block.split("\n")[0] for block in blocks] == [
        str(number) for number in range(1, len(captions) + 1)
    ]
    assert web[0] == "WEBVTT"
    assert len(web) == len(captions) + 1
    for block in web[1:]:
        assert block.count("-->") == 1


def test_a_sentence_is_one_caption_when_it_fits():
    """Two balanced lines, broken after a comma or before a small word."""
    text = "Below two hundred metres, sunlight fades into a blue that never ends."

    (cue,) = cues([(1.0, said(text, 4.5))])

    assert cue.text == "Below two hundred metres, sunlight\nfades into a blue that never ends."


def test_long_sentences_are_divided_where_they_breathe():
    """A sentence of 178 characters becomes three captions, none ending in an article."""
    captions = cues([(0.0, said(LONG, 13))])

    assert len(captions) == 3
    for cue in captions:
        for line in cue.text.split("\n"):
            assert line.split()[-1] not in {"a", "the", "of", "and"}


@pytest.mark.parametrize("dense", [JAPANESE, "キャッチャー" * 10, "（静）" * 20])
@pytest.mark.parametrize("shift", range(6))
def test_japanese_lines_keep_their_punctuation(shift, dense):
    """No line begins with a closing mark or a small kana, none ends with an opening bracket."""
    text = "静" * shift + dense

    captions = cues([(0.0, said(text, 11))])

    lines = [line for cue in captions for line in cue.text.split("\n")]
    assert squeezed("".join(lines)) == text
    assert max(map(len, lines)) <= 18
    for line in lines:
        assert line[0] not in "、。」？ょャッー）"
        assert line[-1] not in "「（"


def test_korean_words_stay_whole():
    """Korean has spaces; lines break there only."""
    text = "깊은 바다는 지구에서 가장 넓은 생활 공간이며 햇빛은 이백 미터 아래에서 사라집니다."

    captions = cues([(0.0, said(text, 8))])

    lines = " ".join(cue.text for cue in captions).split()
    assert lines == text.split()


def test_thai_lines_break_between_words():
    """Thai writes no spaces between words, and no line parts one."""
    spaced = "แสงแดด ค่อย|ๆ หาย ไป ใน สี น้ำเงิน ที่ ไม่ มี ที่ สิ้น สุด ของ มหาสมุทร และ ทะเล"
    words = [word.replace("|", " ") for word in spaced.split()]
    text = "".join(words)

    for letters in range(16, 43):
        lines = lines_of(text, line=letters)

        joints = {len("".join(words[:count])) for count in range(len(words) + 1)}
        ends = {len("".join(lines[:count])) for count in range(len(lines) + 1)}
        assert len(lines) > 1
        assert ends <= joints


@pytest.mark.parametrize("letters", range(16, 43))
def test_no_thai_line_begins_with_the_sign_of_repetition(letters):
    """The sign has a space before it, where no line may break."""
    lines = lines_of("เด็กต่าง ๆ ค่อย ๆ เดินช้า ๆ ไปเรื่อย ๆ จริง ๆ นะ", line=letters)

    assert not [line for line in lines if line.strip()[0] == "ๆ"]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (JAPANESE, ["地球上", "メートル", "太陽", "青", "消えて"]),
        (
            "深海是地球上最大的生存空间，在水深两百米以下，阳光消失在无尽的蓝色之中。",
            ["两百", "阳光"],
        ),
        (
            "深海是地球上最大的生存空間，在水深兩百公尺以下，陽光消失在無盡的藍色之中。",
            ["公尺", "陽光"],
        ),
    ],
    ids=["Japanese", "simplified Chinese", "traditional Chinese"],
)
def test_lines_of_chinese_and_japanese_break_between_phrases(text, whole):
    """Any character may end a line there, but words are kept together."""
    lines = [line for letters in (24, 30, 42) for line in lines_of(text, line=letters)]

    for word in whole:
        assert sum(word in line for line in lines) == 3 * text.count(word)


def test_khmer_letters_keep_what_is_stacked_under_them():
    """Khmer is broken anywhere if it must be, but never inside what a reader sees as a letter."""
    text = "ពិភពលោកនៅក្រោមបាតសមុទ្រគឺជាកន្លែងរស់នៅដ៏ធំបំផុតនៅលើផែនដីរបស់យើងទាំងអស់គ្នា"

    for letters in range(16, 42):
        for line in lines_of(text, line=letters):
            assert unicodedata.category(line[0]) == "Lo"
            assert unicodedata.combining(line[-1]) != 9


def test_a_flag_stays_whole():
    """Two regional letters are one flag."""
    lines = lines_of("\U0001f1e9\U0001f1ea" * 40, line=17)

    assert all(line.replace("\U0001f1e9\U0001f1ea", "") == "" for line in lines)


@pytest.mark.parametrize("letters", range(16, 42))
def test_no_break_spaces_and_french_marks_hold_lines_together(letters):
    """A number keeps its thousands, a question its mark, a quotation its quotation marks."""
    text = "Plus de 10\u202f000\u202f000 habitants ont dit « oui » hier : est-ce vrai ? Oui !"

    lines = lines_of(text, line=letters)

    assert " ".join(lines) == text
    assert sum("10\u202f000\u202f000" in line for line in lines) == 1
    assert not [line for line in lines if line[0] in "»:?!" or line[-1] == "«"]


def test_accents_and_families_stay_whole():
    """A word longer than a line is parted between what readers see as characters."""
    letter, family = "e\u0301", "\U0001f469\u200d\U0001f469\u200d\U0001f467"

    captions = cues([(0.0, said(letter * 100, 6)), (7.0, said(letter + family * 30, 6))])

    for line in (line for cue in captions for line in cue.text.split("\n")):
        assert line.replace(letter, "").replace(family, "") == ""


def test_even_endless_characters_are_shown():
    """A chain of joined emoji longer than two lines is parted rather than lost or too long."""
    chain = "\u200d".join("\U0001f469" * 60)

    captions = cues([(0.0, said(chain, 9))])

    assert squeezed("".join(cue.text for cue in captions)) == chain
    assert max(line.count("\U0001f469") for cue in captions for line in cue.text.split("\n")) <= 18


def test_captions_begin_with_their_words():
    """With word times a caption begins with its first word and the next with its own."""
    text = LONG
    told, at = [], 0.3
    for word in text.split():
        told.append(Word(text=word.strip(",."), start=at, end=at + 0.3))
        at += 0.4
    spoken = said(text, at, tuple(told))

    captions = cues([(10.0, spoken)])

    assert len(captions) > 1
    so_far = 0
    for cue in captions:
        assert cue.start == pytest.approx(10.0 + told[so_far].start)
        so_far += len(cue.text.split())


def test_words_are_lit_when_they_are_spoken():
    """Each word knows its own time from the engine, with the marks around it and without a dash."""
    told = [("Quiet", 0.2, 0.5), ("she", 0.7, 0.8), ("said", 0.8, 1.0), ("twice", 1.5, 1.9)]
    words = tuple(Word(text=text, start=start, end=end) for text, start, end in told)

    (cue,) = cues([(10.0, said("“Quiet,” she said — twice.", 2.2, words))])

    assert [cue.text[word.begin : word.end] for word in cue.words] == [
        "“Quiet,”",
        "she",
        "said —",
        "twice.",
    ]
    assert [(word.start, word.stop) for word in cue.words] == [
        pytest.approx((10 + start, 10 + end)) for _, start, end in told
    ]


def test_captions_end_with_their_words():
    """A caption goes when its last word has been said, if it could be read by then."""
    told = (Word(text="Sunlight", start=0.2, end=1.0), Word(text="fades", start=1.1, end=1.9))

    (cue,) = cues([(5.0, said("Sunlight fades.", 2.6, told))], end=20)

    assert (cue.start, cue.end) == (5.2, 6.9)


def test_word_times_that_run_backwards_are_not_believed():
    """Nonsense from an engine is replaced by an estimate."""
    told = (Word(text="Sunlight", start=2.0, end=9.0), Word(text="fades", start=1.1, end=1.2))

    (cue,) = cues([(5.0, said("Sunlight fades.", 2.0, told))])

    assert (cue.start, cue.end) == (5.0, 7.0)


def test_without_word_times_they_are_estimated_from_the_letters():
    """The second caption of a sentence begins about where its words lie in the sentence."""
    captions = cues([(0.0, said(LONG, 12.0))])

    before = LONG.index(captions[1].text.split("\n")[0]) / len(LONG) * 12
    assert captions[1].start == pytest.approx(before, abs=0.6)


def test_a_short_word_stays_long_enough_to_be_read():
    """`No.` takes 0.4 s to say and is shown for 0.8."""
    captions = cues([(0.0, said("No.", 0.4)), (1.0, said("He stayed at home.", 1.5))], end=3)

    assert (captions[0].start, captions[0].end) == (0.0, 1.0)


def test_the_last_word_of_a_film_comes_a_little_early_if_it_must():
    """When the film ends 0.6 s after the last word began, its caption began 0.2 s before."""
    told = (Word(text="End", start=0.5, end=0.6),)

    (cue,) = cues([(1.0, said("End.", 0.6, told))], end=2.1)

    assert (cue.start, cue.end) == (pytest.approx(1.3), 2.1)


def test_words_too_quick_to_be_read_share_a_caption():
    """Two sentences that together last a second are one caption."""
    captions = cues([(0.0, said("No.", 0.2)), (0.55, said("Yes.", 0.2))], end=1.3)

    assert [cue.text for cue in captions] == ["No. Yes."]


def test_slow_reading_is_given_time_when_there_is_any():
    """A dense caption stays until 20 characters a second are reached, up to the next sentence."""
    text = "Incomprehensibly, electroencephalographers telecommunicate."

    (quick,) = cues([(0.0, said(text, 2.0))], end=10)
    pressed, _ = cues([(0.0, said(text, 2.0)), (2.35, said("Next.", 1.0))], end=10)

    assert quick.end == pytest.approx(len(text) / 20, abs=0.1)
    assert pressed.end == 2.35


@pytest.mark.parametrize(
    ("text", "per_second"), [(LONG, 20), (JAPANESE[:49], 15)], ids=["English", "Japanese"]
)
def test_captions_can_be_read_in_their_time(text, per_second):
    """Spoken at an ordinary speed, no caption asks for more than 20 characters a second (15)."""
    captions = cues([(0.0, said(text, len(text) / (0.9 * per_second)))])

    assert len(captions) > 1
    for cue in captions:
        assert len(cue.text) / (cue.end - cue.start) <= per_second * 1.02


def test_nothing_spoken_gives_no_captions():
    """Without sentences there are empty, valid files."""
    assert cues([]) == []
    assert srt([]) == ""
    assert vtt([]) == "WEBVTT\n"


@pytest.mark.parametrize(
    ("seconds", "stamp"),
    [
        (0, "00:00:00,000"),
        (59.9994, "00:00:59,999"),
        (59.9996, "00:01:00,000"),
        (3599.9996, "01:00:00,000"),
        (3600, "01:00:00,000"),
        (359_999.999, "99:59:59,999"),
    ],
)
def test_times_are_exact_to_the_millisecond(seconds, stamp):
    """Rounding carries into seconds, minutes and hours."""
    text = srt([Cue(seconds, seconds + 1, "x")])

    assert text.split("\n")[1].split(" --> ")[0] == stamp
    assert vtt([Cue(seconds, seconds + 1, "x")]).split("\n")[2][:12] == stamp.replace(",", ".")


def test_vtt_escapes_what_it_would_read_as_markup():
    """`<b>`, `&` and an arrow in the text stay text."""
    (cue,) = cues([(0.0, said("Use <b> & x --> y.", 2.0))])

    assert "Use &lt;b&gt; &amp; x --&gt; y." in vtt([cue])
    assert "Use <b> & x --> y." in srt([cue])


def test_blank_lines_in_the_script_do_not_end_a_caption():
    """White space of any kind becomes one space or a line break."""
    (cue,) = cues([(0.0, said("One\n\n\u2028 two\r\n\r\nthree.", 2.0))])

    assert cue.text == "One two three."
    assert not re.search(r"\n\n.", srt([cue]))
