"""Sentences, words, languages and shares of a script."""
# ruff: noqa: RUF001 - the letters of many languages are meant as they stand

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionpulse.errors import InputError, ScriptError
from visionpulse.keyphrases import key_phrases
from visionpulse.language import detect_language, scripts_of
from visionpulse.text import (
    LONGEST_SCRIPT,
    check_script,
    partition,
    scene_count_for,
    split_sentences,
    spoken_seconds,
    title_of,
    words_of,
)

GOLDEN = {
    "titles": "Dr. Smith met Mrs. Jones.| They talked.",
    "countries": "He lives in the U.S. and works.| She left.",
    "army": "The U.S. Army came.| It left at 5 p.m. sharp.",
    "initials": "J. K. Rowling writes.| We read.",
    "decimals": "Pi is 3.14 or so.| It cost $9.99.| Cheap!",
    "for example": "Use tools, e.g. a hammer, i.e. anything.| Good.",
    "dialogue": '"Stop!" he cried.| "Why?" she asked.| Nobody knew.',
    "ellipses": "Wait... what?| Yes.",
    "addresses": "Visit https://a.example/b?c=d.| Then see www.example.com today.",
    "shouting": "No!!| Really?!| Yes.",
    "number": "No. 5 is alive.| No.| He is dead.",
    "Spanish": "El Sr. García llegó.| ¿Qué tal?| ¡Hola!| Vive en EE.UU. desde 1990.",
    "German": "Dr. Müller wohnt z. B. in Ulm.| Er kam am 3. Oktober an.| Das kostet ca. 3,50 Euro.",
    "French": "M. Dupont est arrivé.| Il a dit « bonjour ! » à tous.| J'ai vu Mme. Curie ici.",
    "Russian": "Он живёт на ул. Ленина.| В 2020 г. он уехал.| Всё хорошо!",
    "Hindi": "यह एक वाक्य है।| दूसरा वाक्य यहाँ है।| क्या?| हाँ!",
    "Chinese": "今天天气很好。|我们去公园吧！|你去吗？|“好的。”他说。",
    "Japanese": "今日は天気がいいです。|公園に行きましょう！|「はい。」と言った。",
    "Arabic": "هذا مثال.| هل تفهم؟| نعم!",
    "Thai": "สวัสดีครับ วันนี้อากาศดี เราไปสวนกันเถอะ",
    "wrapped": "The deep ocean is the largest habitat that\nthere is on Earth.| It is dark.",
    "wrapped at a name": (
        "The long road that starts right here takes all the travellers to\n"
        "London and then it goes on to the sea, which is near.| It ends."
    ),
    "heading": "# The Sea|\nIt is deep.",
    "title line": "The Sea|\nIt is deep and wide and nobody has seen the end of it.",
    "list": "- one thing|\n- another thing|\n1. First of all|\n2. Second of all",
    "poem": "Roses are red|\nViolets are blue",
    "clause over a line": "Roses are red,\nViolets are blue.",
    "blank line": "A line without an end|\n\nAnother one",
    "nothing to speak": "Hello. ...| World! 🎉\n\n* * *|\n\nThe end —",
    "at the start": "... Hello.| World.",
}


@pytest.mark.parametrize("marked", GOLDEN.values(), ids=GOLDEN.keys())
def test_sentences_end_where_a_reader_would_stop(marked):
    """Abbreviations, numbers, quotes and wrapped lines do not end sentences; readers do."""
    parts = [part.strip() for part in marked.split("|")]

    found = split_sentences(marked.replace("|", ""))

    assert [sentence.text for sentence in found] == parts


def test_paragraphs_end_at_blank_lines_and_deliberate_breaks():
    """The last sentence before a blank line or a line break that was meant ends a paragraph."""
    found = split_sentences("Title Here\nOne. Two wraps\nover a line.\n \nThree. Four.")

    assert [(each.text, each.ends_paragraph) for each in found] == [
        ("Title Here", True),
        ("One.", False),
        ("Two wraps\nover a line.", True),
        ("Three.", False),
        ("Four.", True),
    ]


any_text = st.text() | st.text(
    alphabet="aB1.!?。，、「」 \n\r\t—…\"'🎉é\u0301\u200d深あЖ\u2028", max_size=200
)


@given(any_text, st.lists(st.integers(-5, 250), max_size=5))
def test_sentences_leave_out_only_white_space(script, cuts):
    """Whatever the script: spans in order, trimmed, and nothing but white space between them."""
    found = split_sentences(script, cuts=cuts)

    at = 0
    for sentence in found:
        assert script[at : sentence.start].strip() == ""
        assert sentence.text == script[sentence.start : sentence.end]
        assert sentence.text == sentence.text.strip() != ""
        at = sentence.end
    assert script[at:].strip() == ""


@given(any_text)
def test_every_sentence_can_be_spoken(script):
    """Where there is a letter or digit at all, each sentence has one."""
    found = split_sentences(script)

    if any(map(str.isalnum, script)):
        assert all(any(map(str.isalnum, sentence.text)) for sentence in found)
    else:
        assert len(found) <= 1


def test_edges_of_scenes_cut_sentences():
    """A sentence ends at a cut, whatever the grammar says."""
    script = "One and two and three. Four."

    found = split_sentences(script, cuts=[0, script.index("and three"), 23, 999])

    assert [each.text for each in found] == ["One and two", "and three.", "Four."]


@pytest.mark.parametrize(
    ("script", "most"),
    [
        ("the sea, which is wide and deep " * 100, 400),
        ("word " * 1000, 400),
        ("a" * 3000, 400),
        ("深海是地球上最大的栖息地，" * 60, 120),
        ("สวัสดีครับวันนี้อากาศดี " * 60, 300),
        ("deep\u0301" * 500, 400),
    ],
    ids=["clauses", "words", "one word", "Chinese", "Thai", "accents"],
)
def test_a_long_sentence_is_cut_where_it_hurts_least(script, most):
    """No piece is longer than the limit, and none is a scrap or begins with a combining mark."""
    found = [each.text for each in split_sentences(script)]

    assert all(most / 5 < len(text) <= most for text in found)
    assert not any(text.startswith("\u0301") for text in found)


def test_a_long_sentence_is_cut_at_its_clauses():
    """Clauses are preferred to words."""
    found = split_sentences("the sea goes on and on and on and never ends, " * 30)

    assert len(found) > 3
    assert all(each.text.endswith(",") for each in found)


def test_eight_times_the_script_takes_about_eight_times_as_long():
    """No quadratic time, also where nothing is spaced (sentencex alone takes it)."""
    sentence = "深海是地球上最大的栖息地。"
    seconds = []
    for count in (1_800, 14_400):
        before = time.process_time()
        found = split_sentences(sentence * count)
        seconds.append(time.process_time() - before)
        assert {each.text for each in found} == {sentence}
        assert len(found) == count

    assert seconds[1] < 20 * seconds[0]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("x" * (LONGEST_SCRIPT + 1), "200,001 characters; 200,000 is the most"),
        ("x " * 1_000_000, "2,000,000 characters"),
        ("fine\nso far\x00", r"U\+0000\) in line 2, column 7"),
        ("a\x85b", r"U\+0085\) in line 1, column 2"),
        ("\ud83d", "lone surrogate"),
        ("🎉 ... !", "nothing to speak"),
    ],
)
def test_an_unusable_script_is_refused_in_words(script, said):
    """Each gets its own message, and what to do next."""
    with pytest.raises(ScriptError, match=said) as raised:
        check_script(script)

    assert raised.value.hint
    assert isinstance(raised.value, InputError)


def test_ordinary_scripts_pass():
    """Tabs, line breaks of all systems, emoji among words and 30,000 characters are fine."""
    check_script("One.\tTwo.\r\n\r\nThree 🎉\n" + "word " * 6_000)
    check_script("7")


@given(any_text)
def test_words_hold_everything_but_white_space(text):
    """Spans in order, true to the text, each with a letter or digit, and nothing left out."""
    words = words_of(text)

    at = 0
    for word, start, end in words:
        assert text[at:start].strip() == ""
        assert word == text[start:end]
        assert any(map(str.isalnum, word))
        at = end
    assert not words or text[at:].strip() == ""
    assert words or not any(map(str.isalnum, text))


@pytest.mark.parametrize(
    "marked",
    [
        "It |cost |$9.99, |he |said — |and |(perhaps) |left… 🎉",
        "— Well, |then!",
        "is—|well—|here",
        "state-of-the-art |don’t",
        "深|海。|「は|い」|と",
        "ちょっ|と|ラー|メ|ン|Python|を",
        "यह |एक |वाक्य |है।",
    ],
)
def test_words_keep_their_punctuation(marked):
    """Punctuation stays with the word before; openings with the one after; Han by the character."""
    words = words_of(marked.replace("|", ""))

    assert [word for word, _, _ in words] == [word.strip() for word in marked.split("|")]


LANGUAGES = {
    "en": ["Hello there.", "Die Hard", "Müller's café in Zürich", "1984", "", "Le Corbusier"],
    "es": ["Hola, ¿cómo estás?", "El océano es el hábitat más grande de la Tierra."],
    "de": ["Guten Tag, wie geht es Ihnen?", "Der Ozean ist der größte Lebensraum der Erde."],
    "fr": ["L'océan est le plus grand habitat de la Terre.", "Bonjour tout le monde."],
    "pt": ["O oceano é o maior habitat da Terra.", "Olá, você está bem?"],
    "it": ["L'oceano è il più grande habitat della Terra.", "Ciao a tutti, come va?"],
    "nl": ["De oceaan is het grootste leefgebied op aarde."],
    "zh": ["深海是地球上最大的栖息地。", "用JavaScript写网页"],
    "ja": ["今日は天気がいいです。", "東京タワー"],
    "ko": ["안녕하세요, iPhone 사용자 여러분"],
    "ru": ["Глубокий океан является домом."],
    "uk": ["Це приклад, який є гарним."],
    "ar": ["هذا مثال"],
    "fa": ["این یک چیز است"],
    "hi": ["यह एक वाक्य है।"],
    "th": ["สวัสดีครับ"],
    "el": ["Γειά σου"],
    "he": ["שלום"],
}


@pytest.mark.parametrize(
    ("language", "text"), [(tag, text) for tag, texts in LANGUAGES.items() for text in texts]
)
def test_the_language_is_told_by_letters_and_small_words(language, text):
    """A foreign name does not make a text foreign."""
    assert detect_language(text) == language


def test_letters_are_counted_by_writing_system():
    """The commonest comes first."""
    assert list(scripts_of("Tokyo 東京 п").items()) == [("Latin", 5), ("Han", 2), ("Cyrillic", 1)]


def test_key_phrases_are_what_one_could_paint():
    """Content words side by side, as they are written; no stop words, no numbers but years."""
    phrases = key_phrases("In 1969, the brave Neil Armstrong walked over 12 of the grey craters.")

    assert "brave Neil Armstrong" in phrases
    assert "grey craters" in phrases
    assert "1969" in phrases
    assert not any({"the", "of", "12"} & set(phrase.lower().split()) for phrase in phrases)


def test_what_the_whole_script_is_about_sets_no_scene_apart():
    """A word the document is full of weighs less than one that only this scene has."""
    document = "The ocean hums. The ocean sings. The ocean glows. The ocean waits for a whale."

    assert key_phrases("The ocean waits for a whale.", document, most=1) != ["ocean"]
    assert key_phrases("The ocean has a ship", "The ocean has a ship" + " ocean" * 30, 1) == [
        "ship"
    ]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("深海是地球上最大的栖息地。", "栖息地"),
        ("東京タワーに行きましょう。", "東京"),
        ("यह समुद्र का पानी है।", "समुद्र"),
        ("Der tiefe Ozean ist der größte Lebensraum.", "tiefe Ozean"),
        ("Глубокий океан и древний город", "древний город"),
    ],
)
def test_key_phrases_in_other_languages(text, phrase):
    """Small words separate the phrases; without spaces, grammatical characters do."""
    assert phrase in key_phrases(text)


@given(any_text, st.integers(0, 5))
def test_key_phrases_are_few_and_distinct(text, most):
    """Never more than asked for, none inside another."""
    phrases = key_phrases(text, most=most)

    assert len(phrases) <= most
    for one, other in itertools.permutations(phrases, 2):
        assert one.lower() not in other.lower()


@pytest.mark.parametrize(
    ("script", "title"),
    [
        ("  The deep\n ocean.", "The deep ocean."),
        ("# The *Sea*", "The *Sea*"),
        ("The deep ocean is the largest habitat on Earth, and below it, there is rock.",
         "The deep ocean is the largest habitat on Earth, and below…"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
    ],
)  # fmt: skip
def test_a_title_is_the_first_words(script, title):
    """Up to 60 characters, cut at a word."""
    assert title_of(script) == title


@given(st.text(min_size=1))
def test_a_title_is_never_long(script):
    """60 characters at most, on one line."""
    title = title_of(script)

    assert len(title) <= 60
    assert "\n" not in title


@pytest.mark.parametrize(
    ("sentences", "scenes"),
    [
        (["One two three."], 1),
        (["One two three."] * 3, 3),
        (["One two three four five."] * 6, 6),
        (["One two three four five."] * 30, 7),  # 150 words are a minute
        (["one two three four five six seven eight nine ten eleven twelve thirteen"] * 90, 50),
        (["深海是地球上最大的栖息地对"] * 90, 26),  # 234 s at five characters a second
        ([], 0),
    ],
)
def test_scenes_follow_the_spoken_length(sentences, scenes):
    """Seven for a minute, then one per nine seconds, never more than sentences."""
    assert scene_count_for(sentences) == scenes


def test_speech_is_timed_by_words_or_characters():
    """2.6 words a second; Chinese goes by five characters a second."""
    assert spoken_seconds("one two — three 4 five six " * 2 + "seven") == pytest.approx(13 / 2.6)
    assert spoken_seconds("深海。深海") == pytest.approx(4 / 5)


shares = st.lists(st.floats(0, 100), min_size=1, max_size=9)


@given(shares, st.integers(1, 12))
def test_shares_are_as_even_as_can_be(weights, count):
    """No other division has a smaller sum of squares (compared with all of them)."""
    ranges = partition(weights, count)

    def cost(edges):
        return sum(sum(weights[a:b]) ** 2 for a, b in itertools.pairwise([0, *edges, len(weights)]))

    least = min(map(cost, itertools.combinations(range(1, len(weights)), len(ranges) - 1)))
    assert len(ranges) == min(count, len(weights))
    assert sum(sum(weights[a : b + 1]) ** 2 for a, b in ranges) == pytest.approx(least)


@given(st.lists(st.floats(0, 1e6), max_size=200), st.integers(0, 220), st.sets(st.integers(0, 200)))
def test_shares_cover_every_sentence_once(weights, count, breaks):
    """In order, without gaps, none empty, however odd the weights."""
    ranges = partition(weights, count, breaks=breaks)

    covered = [each for first, last in ranges for each in range(first, last + 1)]
    assert len(ranges) == min(count, len(weights))
    assert all(first <= last for first, last in ranges)
    assert covered == (list(range(len(weights))) if ranges else [])


def test_one_endless_sentence_does_not_take_the_others_scenes():
    """All the others share the rest, wherever it stands."""
    weights = [1.0] * 200
    weights[100] = 1_000_000.0

    assert len(partition(weights, 60)) == 60


def test_scenes_rather_end_with_a_paragraph():
    """Half a second off even is a fair price for ending where the author paused."""
    weights = [5.0, 5.0, 5.0, 5.5, 5.0, 5.0]

    assert partition(weights, 2) == [(0, 2), (3, 5)]
    assert partition([5, 5, 4, 1, 5, 5], 2, breaks={3}) == [(0, 3), (4, 5)]
    assert partition(weights, 2, breaks={0}) == [(0, 2), (3, 5)]
