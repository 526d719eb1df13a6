"""The offline narrator, by ear of numpy."""
# ruff: noqa: RUF001 - typographic marks are meant as they stand

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from visionpulse.catalog import VOICES
from visionpulse.errors import LanguageError, ScriptError, UnknownNameError
from visionpulse.models import SpeechRequest
from visionpulse.protocols import FREE, SpeechModel
from visionpulse.providers.offline.hibari import Hibari
from visionpulse.providers.offline.narrator import (
    MARGIN_SECONDS,
    SAMPLE_RATE,
    Narrator,
    _trimmed,
)
from visionpulse.text import words_of

OWN_VOICES = ("hazel", "rowan", "alder", "willow")
OCEAN = "Below two hundred meters, sunlight fades, and life glows in the dark."


def speak(text, voice="hazel"):
    return Narrator().speak(SpeechRequest(text=text, voice=voice))


def samples_of(speech):
    return np.frombuffer(speech.pcm, "<i2") / 32768


def levels(samples):
    """Loudness of each 5 ms, in dBFS."""
    frames = samples[: len(samples) // 120 * 120].reshape(-1, 120)
    return 20 * np.log10(np.sqrt(np.mean(frames**2, axis=1)) + 1e-9)


def pitch(samples):
    """Median fundamental frequency of the voiced stretches, by autocorrelation."""
    found = []
    for start in range(0, len(samples) - 1200, 240):
        frame = samples[start : start + 1200]
        echo = np.correlate(frame, frame, "full")[1199:]
        lag = 60 + int(np.argmax(echo[60:400]))
        if echo[0] > 3 and echo[lag] > 0.5 * echo[0]:
            found.append(SAMPLE_RATE / lag)
    return float(np.median(found))


def test_it_is_a_speech_model_that_costs_nothing():
    """And says what it is."""
    narrator = Narrator()

    assert isinstance(narrator, SpeechModel)
    assert narrator.quote(SpeechRequest(text="Hi.", voice="hazel")) is FREE
    assert narrator.identity.startswith("hibari-tts 0.2")
    assert narrator.concurrency >= 1


def test_it_speaks_24_khz_at_the_pace_of_speech():
    """Twelve words take between two and seven seconds."""
    speech = speak(OCEAN)

    assert speech.sample_rate == 24_000
    assert 2 < len(speech.pcm) / 2 / 24_000 < 7


def test_the_same_request_gives_the_same_samples_from_any_thread():
    """Eight threads at once, one answer; aliases share it."""
    with ThreadPoolExecutor(8) as pool:
        answers = set(
            pool.map(lambda voice: speak(OCEAN, voice).pcm, ["hazel", "nova", "Alloy"] * 8)
        )

    assert len(answers) == 1


@pytest.mark.parametrize(
    "text",
    [
        OCEAN,
        "On Oct. 5th, 2019, 1,250 people paid $9.99 each to hear it read at 7:30 pm.",
        "At 5 – 7 km the U.S. Army found 3 Oct. reports, i.e. 100% of them.",
        "The café in München — run by Jürgen Müller — serves *excellent* coffee 🎉 and #cake.",
        "We flew to 東京 and saw [the tower](https://example.com/x).",
        "Dr. Smith left.\nHe is—well—gone!\n\nSo ends the tale.",
        "7",
    ],
)
def test_words_are_the_authors_and_in_order(text):
    """Numbers, prices and times are one word each, however many are heard; none is missing."""
    speech = speak(text)

    seconds = len(speech.pcm) / 2 / speech.sample_rate
    assert [word.text for word in speech.words] == [word for word, _, _ in words_of(text)]
    edges = [edge for word in speech.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= seconds


def test_what_is_read_as_several_words_lasts_as_long():
    """`1,250` and `$9.99` take longer than `paid`; the words around them keep their places."""
    lasts = {
        word.text: word.end - word.start
        for word in speak("1,250 people paid $9.99 each at 7:30 today.").words
    }

    assert min(lasts["1,250"], lasts["$9.99"]) > 1
    assert lasts["7:30"] > 0.4
    assert all(0.05 < lasts[word] < 0.7 for word in ("people", "paid", "each", "at", "today."))


@pytest.mark.parametrize("voice", OWN_VOICES)
def test_words_begin_when_they_are_heard(voice):
    """After a pause, the sound rises within 80 ms of the word's start."""
    late = []
    for text in (
        "After the storm, ships returned to port.",
        "One day, kings will fall: castles, towns, and towers.",
        "First, salt. Then, pepper. Finally, time.",
        "Tigers hunt at night, but people sleep.",
    ):
        speech = speak(text, voice)
        loud = levels(samples_of(speech))
        heard = loud > loud.max() - 35
        rises = [
            at * 0.005
            for at in range(len(heard))
            if heard[at] and not heard[max(0, at - 12) : at].any()
        ]
        for word in speech.words:
            near = [rise - word.start for rise in rises if abs(rise - word.start) < 0.2]
            late += near[:1]

    assert len(late) >= 8
    assert abs(np.median(late)) < 0.04
    assert np.percentile(np.abs(late), 80) < 0.08


def test_a_year_takes_no_time_from_the_words_beside_it():
    """Each word is heard, the year longest."""
    lasts = [word.end - word.start for word in speak("We came in spring of 2023 and left.").words]

    assert min(lasts) > 0.05
    assert max(lasts) == lasts[5]


def test_sentences_are_spoken_one_by_one():
    """A text of several has the pauses hibari makes between them."""
    sentences = ["One thing", "Another thing."]
    _, heard = Hibari().say(sentences)

    words = speak("\n".join(sentences)).words

    apart = next(word.start for word in heard if word.text == "Another") - heard[0].start
    assert words[2].start - words[0].start == pytest.approx(apart, abs=0.001)


def test_sentences_are_not_cut_at_abbreviations():
    """`U.S. Army` is said in one breath; hibari alone would pause for half a second."""
    words = {word.text: word for word in speak("The U.S. Army came on Oct. 5th.").words}

    assert words["Army"].start - words["U.S."].end < 0.05
    assert words["5th."].start - words["Oct."].end < 0.05


@pytest.mark.parametrize("voice", OWN_VOICES)
def test_every_voice_is_as_loud_and_none_clips(voice):
    """Speech at -20 dBFS within 1.5 dB, peaks below full scale."""
    samples = np.concatenate(
        [samples_of(speak(text, voice)) for text in (OCEAN, "Who is it, then?")]
    )

    loud = levels(samples)
    active = loud[loud > loud.max() - 30]
    assert 10 * np.log10(np.mean(10 ** (active / 10))) == pytest.approx(-20, abs=1.5)
    assert 0.3 < np.abs(samples).max() < 0.97


@pytest.mark.parametrize("text", [OCEAN, "A", "Stop!", "Shh.", "Fifth."])
def test_silence_around_the_words_is_short_and_has_no_clicks(text):
    """About 30 ms before and after, fading from and to nothing."""
    samples = samples_of(speak(text))

    loud = levels(samples)
    heard = np.flatnonzero(loud > loud.max() - 45) * 0.005
    assert heard[0] == pytest.approx(MARGIN_SECONDS, abs=0.006)
    assert len(samples) / SAMPLE_RATE - heard[-1] == pytest.approx(MARGIN_SECONDS, abs=0.012)
    assert np.abs(samples[[0, 1, -2, -1]]).max() < 0.001


def test_a_sound_without_silence_is_faded_and_padded():
    """So that no engine's abrupt end is heard as a click."""
    sound, cut_seconds = _trimmed(np.full(4_800, 0.5, np.float32))

    assert cut_seconds == pytest.approx(-MARGIN_SECONDS)
    assert len(sound) == 4_800 + 2 * round(MARGIN_SECONDS * SAMPLE_RATE)
    assert np.abs(np.diff(sound)).max() < 0.01


def test_voices_differ_in_pitch():
    """Willow, hazel, rowan, alder: from high to low, alder within the range of men."""
    pitches = {voice: pitch(samples_of(speak(OCEAN, voice))) for voice in OWN_VOICES}

    assert sorted(pitches, key=pitches.__getitem__) == ["alder", "rowan", "hazel", "willow"]
    assert 85 < pitches["alder"] < 155
    assert pitches["alder"] == pytest.approx(0.62 * pitches["hazel"], rel=0.08)


def test_the_documented_voices_stand_for_our_own():
    """All thirteen, saying so; our own come first and stand for nobody."""
    voices = {voice.name: voice for voice in Narrator().voices()}

    assert tuple(voices)[:4] == OWN_VOICES
    assert set(VOICES) == set(voices) - set(OWN_VOICES)
    for name in VOICES:
        assert voices[name].stands_for in OWN_VOICES
        assert (
            f"Not OpenAI's {name}; you hear {voices[name].stands_for}" in voices[name].description
        )
    assert {voice.stands_for for voice in voices.values()} == {None, *OWN_VOICES}
    assert all(voice.languages == ("en",) for voice in voices.values())


def test_aliases_name_the_same_recipe():
    """So a film in `nova` and one in `hazel` share their audio."""
    narrator = Narrator()

    def recipe(voice):
        return narrator.parameters(SpeechRequest(text="Hi.", voice=voice))

    assert recipe("nova") == recipe("hazel") != recipe("onyx")


def test_an_unknown_voice_is_named():
    """With the nearest that would do."""
    with pytest.raises(UnknownNameError, match="Did you mean 'willow'"):
        Narrator().check(SpeechRequest(text="Hi.", voice="wilow"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("深海是地球上最大的栖息地。", "Chinese"),
        ("هذا مثال.", "Arabic"),
        ("Это пример.", "Russian"),
        ("Der Ozean ist der größte Lebensraum der Erde.", "German"),
        ("El océano es el hábitat más grande de la Tierra.", "Spanish"),
    ],
)
def test_another_language_is_refused_in_words(text, language):
    """Before anything is spoken, naming the language and the way out."""
    for refuse in (Narrator().check, Narrator().speak):
        with pytest.raises(LanguageError, match=f"this is {language}") as raised:
            refuse(SpeechRequest(text=text, voice="hazel"))

        assert "OPENAI_API_KEY" in raised.value.hint


def test_the_scripts_language_counts_where_a_sentence_is_too_short_to_tell():
    """`Nein!` inside a German script is German, in an English one an exclamation."""
    check = Narrator().check

    check(SpeechRequest(text="Nein!", voice="hazel", language="en-GB"))
    with pytest.raises(LanguageError):
        check(SpeechRequest(text="Nein!", voice="hazel", language="de"))


@pytest.mark.parametrize("text", ["...", "🎉 —", "***"])
def test_nothing_to_speak_is_refused(text):
    """Instead of an empty sound."""
    with pytest.raises(ScriptError, match="nothing to speak"):
        Narrator().check(SpeechRequest(text=text, voice="hazel"))


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("It is **very** _deep_ `here`.", "It is very deep here."),
        ("# The #sea 🎉 is ~deep~", "The sea is deep"),
        ("> See [the sea](https://x.example/a).", "See the sea."),
        ("Caf\u0065\u0301 time", "Café time"),
        ("Go to 東京 now.", "Go to now."),
    ],
)
def test_marks_and_emoji_are_not_read(written, plain):
    """The sound is that of the plain text."""
    assert speak(written).pcm == speak(plain).pcm


def test_numbered_things_keep_their_number():
    """`#1` is read as a number."""
    assert len(speak("We are #1 here.").pcm) > len(speak("We are here.").pcm) + 12_000


@pytest.mark.slow
def test_the_sound_is_hibaris_own():
    """Exposing the durations changes nothing, also where a sentence is cut at 400 phonemes."""
    import hibari

    model, reference = Hibari(), hibari.Hibari()

    for text in (OCEAN, "well, " * 120 + "that is it."):
        sound, heard = model.say([text])
        assert heard
        assert np.array_equal(sound, reference(text, seed=0))


def test_without_durations_there_are_no_word_times():
    """Another export of the model speaks all the same."""
    sound, heard = Hibari(durations="/absent").say([OCEAN])

    assert len(sound) > SAMPLE_RATE
    assert heard is None


def test_a_missing_package_is_named_with_the_way_to_install_it():
    """In a process that cannot import hibari."""
    program = (
        "import sys; sys.modules['hibari'] = None\n"
        "from visionpulse.models import SpeechRequest\n"
        "from visionpulse.errors import ConfigurationError\n"
        "from visionpulse.providers.offline.narrator import Narrator\n"
        "try: Narrator().speak(SpeechRequest(text='Hi.', voice='hazel'))\n"
        "except ConfigurationError as error: print(error.hint)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert 'pip install "visionpulse[offline]"' in ran.stdout
