"""When words are heard: aligned, estimated, and made once."""
# ruff: noqa: RUF001 - the marks of many scripts look alike

from __future__ import annotations

import io
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from visionpulse import AudioService, Ledger
from visionpulse.alignment import identity, word_times
from visionpulse.models import SpeechRequest
from visionpulse.pronunciation import Pronunciations, readings
from visionpulse.providers.offline.narrator import Narrator
from visionpulse.text import words_of

RATE = 24_000
SENTENCES = (
    "Below two hundred meters, sunlight fades, and life glows in the dark.",
    "Dr. Elena Vasquez measured the glacier for twenty-seven years.",
    "It costs $4.50 a cup, or about 12% more than last year.",
    '"Wait," she whispered, "did you hear that?"',
    "The train to Ljubljana leaves at 7:45, from platform 3.",
    "Why do cats purr?",
    "Mount Kilimanjaro rises 5,895 meters above the plains of Tanzania.",
    "In the middle of the desert there is a railway station where no train stops.",
    "Mr. Okonkwo laughed, shook his head, and went back to his garden.",
    "Rome wasn't built in a day; neither was its plumbing.",
)


def wav(samples, rate=RATE):
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())
    return stream.getvalue()


@pytest.fixture(scope="module")
def spoken():
    """Each sentence in two voices: text, samples, exact words."""
    narrator = Narrator()
    said = []
    for voice in ("hazel", "alder"):
        for text in SENTENCES:
            speech = narrator.speak(SpeechRequest(text=text, voice=voice))
            said.append((text, np.frombuffer(speech.pcm, "<i2").astype(float), speech.words))
    return said


def off(spoken, **how):
    """How far word starts are off, in seconds, and the methods."""
    told = [(word_times(text, wav(samples), "en", **how), words) for text, samples, words in spoken]
    starts = [
        abs(word.start - exact.start)
        for timed, words in told
        for word, exact in zip(timed.words, words, strict=True)
    ]
    return np.array(starts), {timed.method for timed, _ in told}


def tidy(timed, text, seconds):
    """Slices of the text, all of it, in order and inside the sound, none running backwards."""
    edges = [edge for word in timed.words for edge in (word.start, word.end)]
    at = 0
    for word in timed.words:
        place = text.index(word.text, at)
        assert not text[at:place].strip()
        at = place + len(word.text)
    assert not text[at:].strip()
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= seconds


def hum(seconds, rate=RATE):
    """A voice-like buzz that swells three times a second."""
    at = np.arange(round(seconds * rate)) / rate
    return 8000 * (0.5 - 0.5 * np.cos(2 * np.pi * 3 * at)) * np.sin(2 * np.pi * 150 * at)


def test_aligned_words_begin_where_they_are_heard(spoken):
    """Half of them within 60 ms of the engine's own times, in two voices; none far off."""
    starts, methods = off(spoken)

    assert methods == {"aligned"}
    assert np.median(starts) <= 0.06
    assert np.percentile(starts, 90) <= 0.12


def test_estimated_words_begin_about_where_they_are_heard(spoken):
    """Half of them within 130 ms, and much nearer than by counting characters."""
    starts, methods = off(spoken, listen=False)
    counted = [
        abs(len(samples) / RATE * start / len(text) - word.start)
        for text, samples, words in spoken
        for word, (_, start, _) in zip(words, words_of(text), strict=True)
    ]

    assert methods == {"estimated"}
    assert np.median(starts) <= 0.13
    assert np.median(starts) < 0.7 * np.median(counted)


@pytest.mark.parametrize("listen", [pytest.param(True, marks=pytest.mark.slow), False])
def test_silence_around_and_noise_below_change_little(spoken, listen):
    """0.4 s of silence before, 0.8 s after, hiss 30 dB under the voice: the bars stay."""
    random = np.random.default_rng(0)
    changed = []
    for text, samples, words in spoken[:10]:
        hiss = np.sqrt(np.mean(samples**2)) * 10 ** (-30 / 20)
        padded = np.pad(samples, (round(0.4 * RATE), round(0.8 * RATE)))
        later = tuple(word.model_copy(update={"start": word.start + 0.4}) for word in words)
        changed.append((text, padded + random.normal(0, hiss, len(padded)), later))

    starts, methods = off(changed, listen=listen)

    assert methods == {"aligned" if listen else "estimated"}
    assert np.median(starts) <= (0.06 if listen else 0.13)


def test_numbers_and_unknown_names_are_aligned(spoken):
    """What stands in no dictionary is found too, and so is what follows it."""
    wanted = {"$4.50", "12%", "Ljubljana", "7:45,", "5,895", "Kilimanjaro", "Okonkwo", "Vasquez"}
    found = {
        word.text: abs(word.start - exact.start)
        for text, samples, words in spoken
        for word, exact in zip(word_times(text, wav(samples), "en").words, words, strict=True)
    }

    assert wanted <= found.keys()
    assert max(found[word] for word in wanted) < 0.15


@pytest.mark.slow
def test_a_wrong_text_is_not_aligned(spoken):
    """The sound says something else: an estimate, which says so, and no error."""
    texts = [text for text, _, _ in spoken]
    shifted = zip(texts[3:] + texts[:3], spoken, strict=True)

    told = [(text, len(s) / RATE, word_times(text, wav(s), "en")) for text, (_, s, _) in shifted]

    assert {timed.method for _, _, timed in told} == {"estimated"}
    for text, seconds, timed in told:
        tidy(timed, text, seconds)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "深海很暗，两个人在潜水。"),
        ("ja", "東京タワーは333メートルです。"),
        ("ko", "바다는 깊고 어둡다."),
        ("th", "ทะเลลึกมืดมาก มีปลาเรืองแสง 25 ตัว"),
        ("ru", "Где нет света, живут 300 видов рыб."),
        ("ar", "في أعماق البحر، حيث لا ضوء."),
        ("hi", "समुद्र की गहराई में अँधेरा है।"),
        ("km", "ភាសាខ្មែរ"),
        ("en", "“Quote” — it’s 50% of O’Brien’s well-known, “half-forgotten” co-op…"),
        ("en", "A fish, 深海魚, glows."),
        ("en", "Ω"),
    ],
)
def test_any_text_is_timed(language, text):
    """Every word of every script, inside the sound, to the character."""
    for seconds in (0.06, 1.0, 4.0):
        tidy(word_times(text, wav(hum(seconds)), language), text, seconds)


def test_units_of_unspaced_scripts_are_small():
    """A Chinese character, a Thai phrase: something to highlight, not a whole line."""
    chinese = word_times("深海很暗。", wav(hum(2)), "zh").words
    thai = word_times("ทะเลลึกมืดมากมีปลาเรืองแสง", wav(hum(3)), "th").words

    assert [word.text for word in chinese] == ["深", "海", "很", "暗。"]
    assert len(thai) >= 4


def test_pauses_belong_to_commas():
    """A pause in the sound lies between the words that the comma parts."""
    clauses = ("Well then", "we leave at once")
    samples = np.concatenate([hum(0.6), np.zeros(RATE // 2), hum(1.2)])

    words = word_times(", ".join(clauses), wav(samples), "en", listen=False).words

    assert words[1].text == "then,"
    assert words[1].end == pytest.approx(0.6, abs=0.1)
    assert words[2].start == pytest.approx(1.1, abs=0.1)


def test_words_stay_inside_a_sound_without_margins(spoken):
    """Cut to the first and the last audible sample, and a little further."""
    for text, samples, _ in spoken[:4]:
        cut = samples[round(0.05 * RATE) : -round(0.05 * RATE)]

        for listen in (True, False):
            tidy(word_times(text, wav(cut), "en", listen=listen), text, len(cut) / RATE)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
def test_any_sample_rate_will_do(spoken, rate):
    """The same sound at another rate gives the same times."""
    text, samples, words = spoken[0]
    count = round(len(samples) * rate / RATE)
    resampled = np.interp(np.arange(count) * RATE / rate, np.arange(len(samples)), samples)

    timed = word_times(text, wav(resampled, rate), "en")

    assert timed.method == "aligned"
    errors = [abs(a.start - b.start) for a, b in zip(timed.words, words, strict=True)]
    assert np.median(errors) < 0.06


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(100), np.zeros(RATE), np.ones(3 * RATE)])
def test_silence_is_timed_too(samples):
    """Nothing is heard, so nothing can be told; still every word has its time."""
    text = "Nobody says a word."

    timed = word_times(text, wav(samples), "en")

    assert timed.method == "estimated"
    tidy(timed, text, len(samples) / RATE)


def test_one_huge_word_among_small_ones_is_timed():
    """Lengths that no path through the sound can meet fall back to the lengths alone."""
    text = "x" * 3000 + " a" * 500

    tidy(word_times(text, wav(hum(20)), "en", listen=False), text, 20)


@pytest.mark.slow
def test_the_longest_text_keeps_its_place():
    """4096 characters in one breath: the last words are as right as the first."""
    text = " ".join(SENTENCES * 8)[:4096].rpartition(" ")[0]
    speech = Narrator().speak(SpeechRequest(text=text, voice="hazel"))
    sound = wav(np.frombuffer(speech.pcm, "<i2"))

    for listen, bar in ((True, 0.06), (False, 0.13)):
        timed = word_times(text, sound, "en", listen=listen)
        errors = [abs(a.start - b.start) for a, b in zip(timed.words, speech.words, strict=True)]

        assert timed.method == ("aligned" if listen else "estimated")
        assert np.median(errors[-100:]) <= bar


def test_without_pocketsphinx_times_are_estimated(spoken, tmp_path):
    """In a process that cannot import it; the identity differs, so that installing it counts."""
    text, samples, _ = spoken[0]
    (tmp_path / "sound.wav").write_bytes(wav(samples))
    code = (
        "import sys; sys.modules['pocketsphinx'] = None\n"
        "from pathlib import Path\n"
        "from visionpulse.alignment import identity, word_times\n"
        f"timed = word_times({text!r}, Path('sound.wav').read_bytes(), 'en')\n"
        "print(identity('en'), timed.method, len(timed.words), sep='|')"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    who, method, count = done.stdout.strip().split("|")
    assert (method, int(count)) == ("estimated", len(words_of(text)))
    assert who == identity("en", listen=False) == identity("fr")
    assert who != identity("en")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("1969,", "nineteen sixty nine"),
        ("1905", "nineteen oh five"),
        ("2009", "two thousand nine"),
        ("2050", "twenty fifty"),
        ("2050", "two thousand fifty"),
        ("1,250,000?", "one million two hundred fifty thousand"),
        ("110", "one hundred and ten"),
        ("$4.50", "four dollars fifty"),
        ("$20", "twenty"),
        ("3.14", "three point one four"),
        ("12%", "twelve percent"),
        ("7:45", "seven forty five"),
        ("9:05", "nine oh five"),
        ("3rd", "third"),
        ("20th", "twentieth"),
        ("1980s", "nineteen eighties"),
        ("U.S.", "u. s."),
        ("NASA", "n. a. s. a."),
        ("half-forgotten", "half forgotten"),
        ("Kraków", "krakow"),
        ("don’t", "don't"),
    ],
)
def test_numbers_and_signs_are_read_in_words(written, spoken):
    """As a narrator reads them; where there are several ways, this is one."""
    assert tuple(spoken.split()) in readings(written)


def test_unknown_words_get_the_sounds_of_their_letters():
    """Known ones come from the dictionary, every way they are said."""
    known = Pronunciations("read R EH D\nread(2) R IY D\nreader R IY D ER\n")

    assert known.of("read,") == ["R EH D", "R IY D"]
    assert known.of("reader's") == ["R IY D ER Z"]
    assert known.of("Phosh") == ["F OW SH"]
    assert known.of("深海") == []


class Wordless(Narrator):
    """An engine that speaks and tells no times, and counts."""

    def __init__(self):
        super().__init__()
        self.identity = "wordless"
        self.asked = 0

    def speak(self, request):
        self.asked += 1
        return super().speak(request).model_copy(update={"words": None})


def calls_of(home: Path, kind: str) -> int:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(home / "visionpulse.db")) as database:
        return database.execute("SELECT count(*) FROM calls WHERE kind = ?", (kind,)).fetchone()[0]


def test_a_service_gives_every_sentence_word_times_and_tells_them_once(tmp_path):
    """The engine knows none: they come from the sound, and a second run listens to nothing."""
    script = "The sea is 200 meters deep here. Nobody knows why."
    engine = Wordless()

    def narrate():
        service = AudioService(speech=engine, ledger=Ledger.at(tmp_path))
        return service.generate_narration(script, "hazel", "f" * 32)

    first, second = narrate(), narrate()

    assert [each.method for each in first.sentences] == ["aligned", "aligned"]
    assert [word.text for word in first.sentences[0].words] == first.sentences[0].text.split()
    assert second.sentences == first.sentences
    assert engine.asked == calls_of(tmp_path, "words") == 2


class Stubborn(Wordless):
    """Says the same whatever is asked."""

    def speak(self, request):
        return super().speak(request.model_copy(update={"text": "Stop here, now."}))


def test_word_times_of_other_texts_of_the_same_sound_are_their_own(tmp_path):
    """Punctuation changes the words but may leave the sound as it was."""
    ledger = Ledger.at(tmp_path)
    told = [
        AudioService(speech=Stubborn(), ledger=ledger)
        .generate_narration(script, "hazel", "f" * 32)
        .sentences[0]
        for script in ("Stop here, now.", "Stop here; now!")
    ]

    assert told[0].key == told[1].key
    assert [word.text for word in told[1].words] == ["Stop", "here;", "now!"]
