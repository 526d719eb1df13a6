"""Reads English aloud with hibari-tts, knowing when each word is heard."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate
from typing import Any, NamedTuple
from unicodedata import category, normalize

import numpy as np

from visionpulse.catalog import VOICES
from visionpulse.errors import ConfigurationError, LanguageError, ScriptError, UnknownNameError
from visionpulse.language import detect_language, language_name, plain_words, scripts_of
from visionpulse.models import Speech, SpeechRequest, Voice, Word
from visionpulse.protocols import FREE, Quote
from visionpulse.providers.offline import hibari
from visionpulse.providers.offline.hibari import SAMPLE_RATE, Heard, Samples
from visionpulse.spoken import Spoken, spoken
from visionpulse.text import split_sentences, words_of

MARGIN_SECONDS = 0.03
"""Silence before the first and after the last sound."""

# Raised whenever the same request would give other samples.
_RECIPE = 2


class _Timbre(NamedTuple):
    description: str
    pitch: float
    """Factor of the fundamental frequency."""
    tract: float
    """Factor of the formants: below 1 a longer vocal tract, a bigger speaker."""
    gain: float
    """Brings speech to -20 dBFS; one per voice, so that loud and soft sentences stay so."""


_TIMBRES = {
    "hazel": _Timbre("a warm American woman; the one voice that is a recording's", 1.0, 1.0, 1.8),
    "rowan": _Timbre("hazel lowered to a calm, dark alto", 0.80, 0.93, 1.8),
    "alder": _Timbre("hazel lowered to a deep, man-like voice", 0.62, 0.86, 1.7),
    "willow": _Timbre("hazel raised to a light, young voice", 1.18, 1.06, 2.2),
}
_STAND_INS = {
    "hazel": ("alloy", "marin", "nova", "sage"),
    "rowan": ("ballad", "echo", "fable", "verse"),
    "alder": ("ash", "cedar", "onyx"),
    "willow": ("coral", "shimmer"),
}
_HEARD = {name: name for name in _TIMBRES} | {
    alias: heard for heard, aliases in _STAND_INS.items() for alias in aliases
}


class Narrator:
    """Speaks English without a key or a network. Threads may share one.

    It refuses text that is not English, because it would mumble or fall silent without an error. A
    foreign name or two inside an English sentence is fine: words in Latin or Greek letters are read
    as an English speaker would, words in other letters are passed over. What
    `visionpulse.spoken` leaves out, such as Markdown, is never read.

    Raises:
        ConfigurationError: The package that speaks is not installed.
    """

    provider: str = "offline"
    model: str = "hibari-0.2"

    def __init__(self) -> None:
        try:
            self.identity: str = f"hibari-tts {version('hibari-tts')}, recipe {_RECIPE}"
        except PackageNotFoundError as error:
            raise _not_installed() from error
        # More threads than cores only wait for each other.
        self.concurrency: int = min(4, os.cpu_count() or 1)

    def voices(self) -> Sequence[Voice]:
        """Return the narrator's own voices, then the documented names that stand for them."""
        own = [
            Voice(
                name=name,
                description=f"{timbre.description[0].upper()}{timbre.description[1:]}.",
                provider=self.provider,
                languages=("en",),
            )
            for name, timbre in _TIMBRES.items()
        ]
        aliases = [
            Voice(
                name=name,
                description=f"Not OpenAI's {name}; you hear {(heard := _HEARD[name])}:"
                f" {_TIMBRES[heard].description}.",
                provider=self.provider,
                languages=("en",),
                stands_for=heard,
            )
            for name in VOICES
        ]
        return [*own, *aliases]

    def quote(self, request: SpeechRequest) -> Quote:
        """Return that it is free."""
        return FREE

    def parameters(self, request: SpeechRequest) -> Mapping[str, Any]:
        """Return the text and the voice that is really heard, so that aliases share their audio."""
        return {"text": request.text, "voice": _heard(request.voice)}

    def check(self, request: SpeechRequest) -> None:
        """Raise UnknownNameError, ScriptError or LanguageError for what cannot be spoken."""
        _heard(request.voice)
        text = request.text
        language = request.language.partition("-")[0].lower() or "en"
        if language == "en":
            letters = scripts_of(text)
            readable = letters.get("Latin", 0) + letters.get("Greek", 0)
            foreign = readable * 2 < sum(letters.values())
            # In three words a foreign name is easily taken for a foreign language.
            if foreign or len(plain_words(text)) > 3:
                language = detect_language(text)
        if language != "en":
            raise LanguageError(
                f"The offline voices speak English only, and this is {language_name(language)}:"
                f" {_excerpt(text)!r}.",
                hint="Translate the script, or let a provider speak it that knows the language,"
                " such as 'openai' with OPENAI_API_KEY set.",
            )
        if not any(map(_key, _forms(spoken(text, "en"), words_of(text)))):
            raise _unspeakable(text)

    def speak(self, request: SpeechRequest) -> Speech:
        """Return the spoken text; the same request gives the same samples."""
        self.check(request)
        timbre = _TIMBRES[_heard(request.voice)]
        try:
            model = hibari.load()
        except ImportError as error:
            raise _not_installed() from error
        words = words_of(request.text)
        forms = _forms(spoken(request.text, "en"), words)
        lines = _lines(request.text, words, forms)
        sound, heard = model.say(lines, timbre.pitch, timbre.tract)
        if not sound.size:
            raise _unspeakable(request.text)
        sound, cut_seconds = _trimmed(_levelled(sound, timbre.gain))
        times = None
        if heard is not None:
            moved = [
                Heard(word.text, word.start - cut_seconds, word.end - cut_seconds) for word in heard
            ]
            seconds = len(sound) / SAMPLE_RATE
            times = _times([text for text, _, _ in words], forms, moved, seconds)
        pcm = (sound * 32767).astype("<i2").tobytes()
        return Speech(pcm=pcm, sample_rate=SAMPLE_RATE, words=times)


def _heard(voice: str) -> str:
    name = voice.strip().lower()
    if name not in _HEARD:
        raise UnknownNameError("voice", voice, _HEARD)
    return _HEARD[name]


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def _unspeakable(text: str) -> ScriptError:
    return ScriptError(
        f"There is nothing to speak in {_excerpt(text)!r}.",
        hint="Give it a word or a number.",
        code="nothing_to_speak",
    )


def _not_installed() -> ConfigurationError:
    return ConfigurationError(
        "The offline narrator needs the packages hibari-tts and onnxruntime.",
        hint='Install them: pip install "visionpulse[offline]"',
        code="missing_package",
    )


# Symbols hibari has words for.
_READ_SYMBOLS = frozenset("°©№℃℉")


def _forms(said: Spoken, words: list[tuple[str, int, int]]) -> list[str]:
    """Return what hibari is given for each of the author's words; empty where nothing is said."""
    forms = [""] * len(words)
    begins = [start for _, start, _ in words]
    for character, origin in zip(said.text, said.origins, strict=True):
        owner = bisect_right(begins, origin) - 1
        if owner >= 0:
            forms[owner] += _readable(character)
    return [normalize("NFC", " ".join(form.split())) for form in forms]


def _lines(text: str, words: list[tuple[str, int, int]], forms: list[str]) -> list[str]:
    """Gather the spoken forms sentence by sentence."""
    starts = [sentence.start for sentence in split_sentences(text)]
    lines = [""] * (len(starts) + 1)
    for (_, start, _), form in zip(words, forms, strict=True):
        lines[bisect_right(starts, start)] += f" {form}"
    return lines


def _readable(character: str) -> str:
    if character.isascii():
        return character
    if character.isdecimal():
        return str(int(character))
    if character.isalpha():
        letters = scripts_of(character)
        return character if not letters or letters.keys() & {"Latin", "Greek"} else ""
    silent = category(character) in {"So", "Sk", "Cf", "Co", "Cn", "Me"}
    return " " if silent and character not in _READ_SYMBOLS else character


def _key(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _times(
    words: list[str], forms: list[str], heard: list[Heard], seconds: float
) -> tuple[Word, ...]:
    """Give the author's words the times of what was spoken for them.

    One word may be heard as several (`7:30` as `seven`, `thirty`), or several as one; a word that
    was passed over lasts no time, after the one before it.
    """
    pieces = [
        (owner, key) for owner, form in enumerate(forms) for key in map(_key, form.split()) if key
    ]
    spoken = [word for word in heard if _key(word.text)]
    owners = _owners(pieces, [_key(word.text) for word in spoken])
    starts: dict[int, float] = {}
    ends: dict[int, float] = {}
    for owner, word in zip(owners, spoken, strict=True):
        starts.setdefault(owner, word.start)
        ends[owner] = word.end
    times: list[Word] = []
    end = 0.0
    for owner, text in enumerate(words):
        start = min(max(starts.get(owner, end), end), seconds)
        end = min(max(ends.get(owner, start), start), seconds)
        times.append(Word(text=text, start=round(start, 4), end=round(end, 4)))
    return tuple(times)


def _owners(pieces: list[tuple[int, str]], spoken: list[str]) -> list[int]:
    """Return for each spoken word the number of the author's word it is heard for."""
    matcher = SequenceMatcher(None, [key for _, key in pieces], spoken, autojunk=False)
    owners: list[int] = []
    for _, first, last, start, end in matcher.get_opcodes():
        same = last - first == end - start
        # Where hibari has put other words, numbers have grown most.
        shares = list(
            accumulate(2 if any(map(str.isdigit, key)) else 1 for _, key in pieces[first:last])
        ) or [1]
        for number in range(end - start):
            at = (number + 0.5) / (end - start) * shares[-1]
            inside = number if same else next(n for n, share in enumerate(shares) if at < share)
            owners.append(pieces[max(0, min(first + inside, last - 1))][0])
    return owners


def _levelled(sound: Samples, gain: float) -> Samples:
    """Apply the gain; what would come near full scale is bent below it instead of clipped."""
    knee, room = 0.7, 0.25
    loud = np.abs(sound * gain)
    bent = np.where(loud > knee, knee + room * np.tanh((loud - knee) / room), loud)
    levelled: Samples = np.copysign(bent, sound).astype(np.float32)
    return levelled


def _trimmed(sound: Samples) -> tuple[Samples, float]:
    """Leave `MARGIN_SECONDS` around what can be heard; return also the seconds cut at the start."""
    frame = SAMPLE_RATE // 200
    whole = len(sound) // frame
    levels = np.sqrt(np.mean(sound[: whole * frame].reshape(whole, frame) ** 2, axis=1))
    # 45 dB below the loudest 5 ms is quieter than the softest consonant.
    audible = np.flatnonzero(levels > levels.max(initial=0) * 10 ** (-45 / 20))
    if not audible.size:
        return sound, 0.0
    margin = round(MARGIN_SECONDS * SAMPLE_RATE)
    start = int(audible[0]) * frame - margin
    end = int(audible[-1] + 1) * frame + margin
    kept = sound[max(0, start) : end].copy()
    # Against clicks, where the sound does not begin or end in silence.
    fade = np.linspace(0, 1, frame, dtype=np.float32)
    kept[:frame] *= fade
    kept[-frame:] *= fade[::-1]
    padded = np.pad(kept, (max(0, -start), max(0, end - len(sound))))
    return padded, start / SAMPLE_RATE
