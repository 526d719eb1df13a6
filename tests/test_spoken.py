"""What is said of a script, and when: marks, directions and addresses; numbers in English."""
# ruff: noqa: RUF001 - typographic marks and the letters of many languages are meant as they stand

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionpulse import AudioService
from visionpulse.errors import ScriptError
from visionpulse.models import Word
from visionpulse.providers.offline.wording import written_out
from visionpulse.recording import authors_words
from visionpulse.spoken import is_spoken, spoken, spoken_form
from visionpulse.testing.fakes import FakeSpeech
from visionpulse.text import check_script, split_sentences, words_of

OCEAN = Path(__file__).parents[1] / "examples" / "deep_ocean.txt"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("**Bold**, *soft*, ***both***, _this_ and `code`.", "Bold, soft, both, this and code."),
        ("## The Sea ##", "The Sea"),
        ("- one thing", "one thing"),
        ("- [x] done", "done"),
        ("> A quote\n> goes on", "A quote\ngoes on"),
        ("See [the docs](https://a.example/x_(y) 'A title') now.", "See the docs now."),
        ("See [the docs][1] now.", "See the docs now."),
        ("![A cat](cat.png) It sleeps.", "It sleeps."),
        ("[![A badge](a.png)](b) It sleeps.", "It sleeps."),
        ("A <b>bold</b> word.<br/>", "A bold word."),
        ("It is<!-- check this --> deep.", "It is deep."),
        ("| one | two |", "one two"),
        (r"A \*star\* here", "A star here"),
        ("这是**重点**内容。", "这是重点内容。"),
        # Halves, whose others are in another sentence.
        ("**The sea.", "The sea."),
        ("It ends.**", "It ends."),
        ("He is ~very~ ~~not~~ old", "He is very not old"),
        ("A #cake on the table 🎉!", "A cake on the table!"),
        ("I ❤️ you 👨‍👩‍👧 and 🇫🇷.", "I you and."),
        ("1️⃣ first", "1 first"),
    ],
)
def test_marks_are_not_said(written, said):
    """Markdown, HTML and emoji leave the words, and no gaps."""
    assert spoken_form(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("The sea. [pause] It is dark.", "The sea. It is dark."),
        ("Hello [laughs], world.", "Hello, world."),
        ("[NARRATOR]: The sea.", "The sea."),
        ("[00:15] The sea.", "The sea."),
        ("It is so.[1] And more[2, 3].", "It is so. And more."),
        ("(laughs) Hello there.", "Hello there."),
        ("Hello. (nodding) I know.", "Hello. I know."),
        ("**(Pause.)** Hello.", "Hello."),
        ("Hello.\n*sighs*\nGoodbye.", "Hello.\nGoodbye."),
        ("*sighs* I go.", "I go."),
        ("[musique] La mer.", "La mer."),
        ("[Die Kamera fährt zurück] Das Meer.", "Das Meer."),
        ("(смеётся) Ты идёшь?", "Ты идёшь?"),
        ("[موسيقى] البحر عميق.", "البحر عميق."),
        ("[संगीत] समुद्र गहरा है।", "समुद्र गहरा है।"),
        ("（音乐响起）海很深。", "海很深。"),
        ("［音楽］海は深い。", "海は深い。"),
        ("(หัวเราะ) สวัสดี", "สวัสดี"),
    ],
)
def test_stage_directions_are_not_said(written, said):
    """Whatever is in square brackets; of what stands alone in others, the short."""
    assert spoken_form(written, "en") == said


@pytest.mark.parametrize(
    "text",
    [
        "He left (at last) today.",
        "(Almost) all of them left.",
        "(almost) all of them left.",
        "(Not at all.)",
        "(There were several of us on board)",
        "(1984)",
        "Well (laughs), I know.",
        "そうですね（笑）。",
        "他（王先生）走了。",
        "【注意】海很深。",
        "3*4*5 and 2 * 3 * 4.",
        "snake_case, C#, f**k, #1, x < 5 and y > 3, ~50.",
        "It's 5–10 km, 20 °C; 1,234.5 or 1.234,5 — “so” he said: «oui»…",
        "1. First of all.",
        "— Tu viens ?",
        "A → B, © 2020, F♯, 50 %, ½, m², №5.",
        "क्\u200dष 3.5",
        "یک می\u200cخواهم",
    ],
)
def test_what_is_no_mark_is_said_to_the_character(text):
    """Ordinary parentheses, arithmetic, typographic quotes and signs stay."""
    assert spoken_form(text, "en") == text


@pytest.mark.parametrize("text", ["*Never*", "**The End**", "***Chapter One***"])
def test_a_line_of_emphasis_is_said(text):
    """Unlike *sighs*, it begins with a capital or has two stars."""
    assert spoken_form(text, "en") == text.strip("*")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("They [the whales] sing.", "They sing."),
        ("“They [the whales] sing,” he said.", "“They the whales sing,” he said."),
        ('"They [the whales] sing," he said.', '"They the whales sing," he said.'),
        ('"I [sobs] am," he said.', '"I am," he said.'),
        ("[s]he walk[ed]", "she walked"),
    ],
)
def test_what_an_author_writes_into_a_quotation_is_said(written, said):
    """Or into a word: only the brackets go."""
    assert spoken_form(written, "en") == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "Go to https://www.example.com/a-b/c?d=1#e. Now.", "Go to example dot com. Now."),
        ("en", "Go to https://example.com/deals!", "Go to example dot com slash deals!"),
        ("en-GB", "(See <http://me:pw@a.example.org:80/x>)", "(See a dot example dot org)"),
        ("en", "Is it example.com? Yes.", "Is it example dot com? Yes."),
        ("en", "Write to jane.doe@a.org, please.", "Write to jane dot doe at a dot org, please."),
        ("en", "Node.js 3.14 e.g. a.b", "Node.js 3.14 e.g. a.b"),
        ("es", "Visita https://www.ejemplo.es/x?y. Hoy.", "Visita ejemplo.es. Hoy."),
        ("de", "Mehr auf www.beispiel.de!", "Mehr auf beispiel.de!"),
        ("fr", "Voyez example.com ou a@b.fr.", "Voyez example.com ou a@b.fr."),
        ("ru", "Сайт https://пример.рф/путь здесь.", "Сайт пример.рф здесь."),
        ("zh", "请看www.example.com/abc。谢谢。", "请看example.com。谢谢。"),
        ("ja", "www.example.comを見て。", "example.comを見て。"),
    ],
)
def test_addresses_are_said_as_people_say_them(language, written, said):
    """The domain, in English with its dots; a path only if it is one word."""
    assert spoken_form(written, language) == said


def test_the_example_script_is_given_as_it_is():
    """A text without marks asks a model for what it always did."""
    script = OCEAN.read_text("utf-8")

    asked = AudioService(speech=FakeSpeech()).questions(FakeSpeech(), script, "nova", "v")

    assert [question.request.text for _, question in asked] == [
        sentence.text for sentence in split_sentences(script)
    ]
    assert spoken_form(script, "en") == script


marked_text = st.text() | st.text(
    alphabet='aB1.!?。 \n*_`~#>-|[](){}（）【】!<>/\\:"“”😀\u200d\ufe0f音خ@w', max_size=60
)


@given(marked_text)
def test_saying_twice_changes_nothing(text):
    """The narrator may be given what was made ready before."""
    once = spoken(text, "en")

    assert spoken_form(once.text, "en") == once.text
    assert len(once.origins) == len(once.text)
    assert list(once.origins) == sorted(once.origins)
    assert all(0 <= place < len(text) for place in once.origins)


@given(marked_text, st.lists(st.integers(0, 60), max_size=3))
def test_no_model_is_asked_to_say_nothing(script, cuts):
    """Every sentence of a script that passes has something to say."""
    try:
        check_script(script)
    except ScriptError:
        return

    assert all(is_spoken(each.text) for each in split_sentences(script, cuts=cuts))


@pytest.mark.parametrize("mark", ["[a](", "[", "(a) ", "*a", "_", "<!--", "![", "|", "www.", "a@"])
def test_thousands_of_marks_take_no_time(mark):
    """Nothing takes time with the square of the length."""
    before = time.process_time()

    spoken_form(mark * 5_000, "en")

    assert time.process_time() - before < 1.5


@pytest.mark.parametrize("script", ["[music]", "![A cat](cat.png)\n\n(laughs)", "*sighs*\n---"])
def test_a_script_of_directions_alone_is_refused(script):
    """Before a model is asked."""
    speech = FakeSpeech()

    with pytest.raises(ScriptError, match="nothing to speak"):
        AudioService(speech=speech).generate_narration(script, "nova", "v")

    assert speech.spoken == []


def test_directions_join_their_neighbours():
    """They are no sentence of their own, wherever they stand."""
    script = "[intro music]\n\nThe sea is deep.\n\n(pause)\n\nIt is dark. *sighs*"

    found = [each.text for each in split_sentences(script)]

    assert found == ["[intro music]\n\nThe sea is deep.\n\n(pause)", "It is dark. *sighs*"]


def said(text, length=0.5):
    """Words of a text, each half a second, as an engine would tell them."""
    return [
        Word(text=word, start=number * length, end=(number + 1) * length)
        for number, (word, _, _) in enumerate(words_of(text))
    ]


def test_times_of_what_was_said_go_to_the_authors_words():
    """A word of many said ones lasts as long as they; one that is not said, no time."""
    text = "[pause] Go to **https://example.com/x** now [laughs] please!"
    form = spoken(text, "en")

    words = authors_words(text, form, said(form.text))

    assert form.text == "Go to example dot com now please!"
    assert [(word.text, word.start, word.end) for word in words] == [
        ("[pause]", 0.0, 0.0),
        ("Go", 0.0, 0.5),
        ("to", 0.5, 1.0),
        ("**https://example.com/x**", 1.0, 2.5),
        ("now", 2.5, 3.0),
        ("[laughs]", 3.0, 3.0),
        ("please!", 3.0, 3.5),
    ]


def test_words_of_a_plain_text_come_back_as_they_are():
    """Whatever an engine calls them."""
    words = [Word(text="something", start=0.0, end=1.0)]

    assert authors_words("Hello.", spoken("Hello.", "en"), words) == tuple(words)


@given(marked_text)
def test_times_never_run_backwards(text):
    """And every word of the author's has one, if any was said."""
    form = spoken(text, "en")

    words = authors_words(text, form, said(form.text))

    edges = [edge for word in words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert [word.text for word in words] == [word for word, _, _ in words_of(text) if form.text]


class SilentSpeech(FakeSpeech):
    """Tells no words, as OpenAI's voices."""

    async def speak(self, request):
        speech = await super().speak(request)
        return speech.model_copy(update={"words": None})


@pytest.mark.parametrize("speech", [FakeSpeech, SilentSpeech])
def test_narrations_words_are_the_authors(tmp_path, speech):
    """Told by the engine or by the sound, directions and marks break nothing."""
    script = "# The Sea\n\n[music] The **deep** sea: www.example.com. (sighs)\n\nIt is dark."
    model = speech()

    narration = AudioService(speech=model, home=tmp_path).generate_narration(script, "nova", "v")

    assert sorted(model.spoken) == sorted(
        ["The Sea", "The deep sea: example dot com.", "It is dark."]
    )
    for sentence in narration.sentences:
        assert script[sentence.start : sentence.end] == sentence.text
        assert [word.text for word in sentence.words] == [
            word for word, _, _ in words_of(sentence.text)
        ]
        assert sentence.words[-1].end <= sentence.seconds + 1e-6


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("7 kg/m² here", "7 kilograms per square meter here"),
        ("at 9.8 m/s² it", "at 9.8 meters per second squared it"),
        ("at 60 km/h", "at 60 kilometers per hour"),
        ("100 m² or 1 km³", "100 square meters or 1 cubic kilometer"),
        ("5 million km²", "5 million square kilometers"),
        ("1.5 m tall, 5 g light", "1.5 meters tall, 5 grams light"),
        ("$5 m and 5 in a row", "$5 m and 5 in a row"),
        ("5 € or 20 £", "€5 or £20"),
        ("$5–$10, $5-10", "$5 to $10, $5 to $10"),
        ("€1.2bn", "€1.2 billion"),
        ("10-20%, pages 5-10.", "10 to 20%, pages 5 to 10."),
        ("1.5–2.5, 3 °C–5 °C", "1.5 to 2.5, 3 °C to 5 °C"),
        ("9:00–17:00", "9:00 to 17:00"),
        ("call 555-1234 in COVID-19", "call 555-1234 in COVID-19"),
        ("on 2020-12-25 at a 747-400", "on 2020-12-25 at a 747-400"),
        ("1 1/2 cups, 2½ cups", "1 and a half cups, 2 and a half cups"),
        ("24/7, 50/50, 3/4", "24 7, 50 50, 3/4"),
        ("10⁶ and 10⁻³ and 2³", "10 to the 6th and 10 to the -3 and 2³"),
        ("a 3×4 grid, 3 × 4 = 12", "a 3 by 4 grid, 3 × 4 = 12"),
        ("a 16:9 ratio at 16:09", "a 16 to 9 ratio at 16:09"),
        ("6'2\" or 5″ or 7′", "6 foot 2 or 5 inches or 7 feet"),
        ("40° 26′ 46″", "40° 26 minutes 46 seconds"),
        ("it fell −5 and 5 − 3", "it fell -5 and 5 minus 3"),
        ("~50, C# and CO₂", "about 50, C sharp and C.O. 2"),
        ("x ≤ 5 and ≥ 6", "x is at most 5 and at least 6"),
        ("1 000 000 people in 1999 300 times", "1,000,000 people in 1999 300 times"),
    ],
)
def test_the_offline_narrator_reads_numbers_and_units(written, read):
    """In words where its engine would say something else, or nothing."""
    assert " ".join(written_out(written).split()) == read


def test_nothing_is_written_out_of_plain_sentences():
    """What needs no words stays as it is."""
    text = "In 1999, 1,234.5 men paid $3.50 at 12:30 on the 2nd; No. 5 left World War II, Dr. Hay."

    assert written_out(text) == text
