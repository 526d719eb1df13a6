"""When each word of a spoken sentence is heard: told from its sound, where the engine is silent.

Two rungs of a ladder, tried in this order:

- `aligned`: pocketsphinx (extra `align`) listens for the words, which it knows. English only.
- `estimated`: from pauses, dips of loudness and the length of words. Any language, numpy alone.

Without pocketsphinx, and wherever the sound does not say the text, times are estimated; nothing
fails. Installed later, it improves the next run of the same script. Nothing is ever recognised:
words are slices of the text as its author wrote it.
"""
# ruff: noqa: RUF001 - the marks of many scripts look alike

from __future__ import annotations

import re
import wave
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from io import BytesIO
from itertools import accumulate, pairwise
from math import log, sqrt
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple
from unicodedata import category, normalize

import numpy as np
import numpy.typing as npt

from visionpulse.language import plain_words, stop_words
from visionpulse.models import Word
from visionpulse.pronunciation import Pronunciations, readings
from visionpulse.text import words_of

Samples = npt.NDArray[np.float64]
Span = tuple[float, float]


class Timed(NamedTuple):
    """Words that are slices of the text, in order, and how their times are known."""

    words: tuple[Word, ...]
    method: Literal["aligned", "estimated"]


# Raised whenever the same sound and text would give other times.
_RECIPE = 1


def identity(language: str, *, listen: bool = True) -> str:
    """Return who would tell the times of a language's words: part of their name in the ledger."""
    if listen and language == "en" and _pocketsphinx():
        return f"pocketsphinx {version('pocketsphinx')}, recipe {_RECIPE}"
    return f"estimate, recipe {_RECIPE}"


def word_times(text: str, sound: bytes, language: str, *, listen: bool = True) -> Timed:
    """Return when the words of a text are heard.

    Burns CPU: some 60 ms for each second of sound when it listens, 1 ms when it estimates.

    Args:
        text: What is said.
        sound: A WAV file (16-bit mono) that says it.
        language: BCP 47 primary tag.
        listen: False: estimate even where pocketsphinx is installed.
    """
    samples, rate = _samples(sound)
    units = _units(text)
    spans = _aligned(units, samples, rate) if listen and language == "en" else None
    method: Literal["aligned", "estimated"] = "aligned" if spans else "estimated"
    spans = spans or _estimated(units, samples, rate, language)
    return Timed(_words(units, spans, len(samples) / rate), method)


def silences(sound: bytes, *, shortest: float) -> list[Span]:
    """Return where nobody speaks in a WAV file (16-bit mono), for how many seconds at least."""
    samples, rate = _samples(sound)
    quiet = ~_audible(_levels(samples, rate))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet, [0]]))) * _HOP_SECONDS
    spans = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, end) for start, end in spans if end - start >= shortest]


def _samples(sound: bytes) -> tuple[Samples, int]:
    with wave.open(BytesIO(sound)) as file:
        data = file.readframes(file.getnframes())
        return np.frombuffer(data, "<i2").astype(np.float64), file.getframerate()


_THAI = re.compile(r"[\u0e01-\u0e46]")


def _units(text: str) -> list[str]:
    """Return the words as they are written; of Thai, which has no spaces, the phrases."""
    units: list[str] = []
    for unit, _, _ in words_of(text):
        if not _THAI.search(unit):
            units.append(unit)
            continue
        first = len(units)
        for phrase in _thai().parse(unit):
            if len(units) > first and (len(phrase) == 1 or not plain_words(phrase)):
                units[-1] += phrase
            else:
                units.append(phrase)
    return units


@cache
def _thai() -> Any:
    import budoux

    return budoux.load_default_thai_parser()


def _words(units: Sequence[str], spans: Sequence[Span], seconds: float) -> tuple[Word, ...]:
    """Keep the times inside the sound, in whole milliseconds, never running backwards."""
    edges = (min(max(edge, 0.0), seconds) for span in spans for edge in span)
    times = [int(edge * 1000) / 1000 for edge in accumulate(edges, max)]
    return tuple(
        Word(text=unit, start=start, end=end)
        for unit, start, end in zip(units, times[::2], times[1::2], strict=True)
    )


# ------------------------------------------------------------------ aligned

_HERTZ = 16_000
_FRAMES_PER_SECOND = 100
# Silence is heard by its length: around each sentence there has to be some.
_PADDING_SECONDS = 0.25
# By so much words begin too early, measured on sounds after pauses: a frame of 25 ms is named for
# its beginning, and the first state of a sound takes in the last of the silence.
_EARLY_SECONDS = 0.03
# Logarithm of a frame's likelihood, against the best that was looked at: -0.8 to -2.1 where the
# sound says the text (-2.7 in noise); elsewhere, if the search gets through at all, below -4.
_LEAST_LIKELY = -3.4
_SCORE_SHIFT = 1024
"""By which the library divides its logarithms."""
_LONGEST_WORD_SECONDS = 3.0

_loading = Lock()


@cache
def _pocketsphinx() -> Any:
    """Return the package, None where it is not installed."""
    try:
        import pocketsphinx  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        return None
    return pocketsphinx


@cache
def _pronunciations() -> Pronunciations:
    dictionary = Path(_pocketsphinx().get_model_path("en-us/cmudict-en-us.dict"))
    return Pronunciations(dictionary.read_text("utf-8"))


def _aligned(units: Sequence[str], samples: Samples, rate: int) -> list[Span] | None:
    """Return when words are heard; None where that cannot be told."""
    if not (units and len(samples) and _pocketsphinx()):
        return None
    with _loading:
        pronunciations = _pronunciations()
    ways = [pronunciations.of(unit) for unit in units]
    # Whether and how a word in letters that are not English was said, nobody knows.
    found = _found(ways, _at_16_khz(samples, rate)) if all(ways) else []
    if len(found) != len(units):
        return None
    frames = [each.end_frame - each.start_frame + 1 for each in found]
    likelihood = _SCORE_SHIFT * sum(log(max(each.ascore, 1e-300)) for each in found) / sum(frames)
    # A number may be long.
    longest = [max(_LONGEST_WORD_SECONDS, 0.15 * way[0].count(" ")) for way in ways]
    absurd = any(
        not 2 <= length <= most * _FRAMES_PER_SECOND
        for length, most in zip(frames, longest, strict=True)
    )
    if absurd or likelihood < _LEAST_LIKELY:
        return None
    shift = _EARLY_SECONDS - _PADDING_SECONDS
    return [
        (
            each.start_frame / _FRAMES_PER_SECOND + shift,
            (each.end_frame + 1) / _FRAMES_PER_SECOND + shift,
        )
        for each in found
    ]


def _found(ways: Sequence[Sequence[str]], sound: bytes) -> list[Any]:
    # A decoder of its own for every sentence: it takes 30 ms, holds only the words that are
    # listened for, and two threads never share one. Beams much wider than for recognition, for
    # there is one text only to follow.
    decoder = _pocketsphinx().Decoder(
        samprate=float(_HERTZ),
        lm=None,
        dict=None,
        beam=1e-80,
        pbeam=1e-80,
        wbeam=1e-60,
        bestpath=False,
        loglevel="FATAL",
    )
    # One entry for each word of the text, whatever is said for it: `1969` is a word like others.
    for number, phones in enumerate(ways):
        for way, each in enumerate(phones, 1):
            name = f"word{number}" if way == 1 else f"word{number}({way})"
            decoder.add_word(name, each, False)
    decoder.set_align_text(" ".join(f"word{number}" for number in range(len(ways))))
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()
    # None when no way through was found; between the words there are silences.
    return [each for each in decoder.seg() or () if each.word.startswith("word")]


def _at_16_khz(samples: Samples, rate: int) -> bytes:
    """Return the sound as the model wants it, with quiet around it."""
    # Whole seconds, which are quick to transform.
    seconds = -(-len(samples) // rate)
    spectrum = np.fft.rfft(samples, seconds * rate)
    kept = min(seconds * _HERTZ // 2, len(spectrum) - 1)
    sound = np.fft.irfft(spectrum[:kept], seconds * _HERTZ)
    sound = sound[: len(samples) * _HERTZ // rate]
    louder = min(30.0, 16_000 / max(1.0, np.abs(sound).max(initial=0.0)))
    padded = np.pad(sound * louder, round(_PADDING_SECONDS * _HERTZ))
    # Of perfect silence there is no logarithm.
    hiss = np.random.default_rng(0).normal(0, 2, len(padded))
    return (padded + hiss).clip(-32_768, 32_767).astype("<i2").tobytes()


# ------------------------------------------------------------------ estimated

_HOP_SECONDS = 0.01
# A shorter silence is the inside of a `t` or `k`; a shorter sound is a click.
_SHORTEST_SILENCE = 3
_SHORTEST_SOUND = 2
_SHORTEST_WORD = 3
"""These in hops."""
_PAUSE = re.compile(r"[,.;:!?…—–،؛؟。、，；：！？।)\]]")

# What is given up for a boundary at a place, in the currency of `_unlikely`: half the square of how
# many standard deviations a word's length is off.
_PER_DECIBEL_OF_DIP = 0.04
_DEEPEST_DIP = 25.0
_NEAR = 6
"""Hops on either side with which loudness is compared."""
_PER_SECOND_OF_SILENCE = 10.0
_LONGEST_SILENCE = 0.3
_NO_PAUSE_AT_COMMA = 1.5
_PAUSE_SECONDS = 0.15
_SILENCE_IN_WORD = 60.0
"""For each second beyond `_STOP_SECONDS`, which any `t` may last."""
_STOP_SECONDS = 0.06
_DEVIATION = 0.33
"""Standard deviation of the logarithm of a word's length over its expected length."""


def _estimated(units: Sequence[str], samples: Samples, rate: int, language: str) -> list[Span]:
    """Return the boundaries that fit pauses, dips and expected lengths best.

    Silence is cut out first; on what is left a word ends where the next one begins, and the least
    sum of costs is found word by word (dynamic programming).
    """
    levels = _levels(samples, rate)
    heard = np.flatnonzero(_audible(levels))
    ends_clause = [bool(_PAUSE.search(unit)) for unit in units]
    ends_clause[-1:] = [True]
    lengths = np.array(
        [
            _seconds(unit, language) + 0.09 * ends
            for unit, ends in zip(units, ends_clause, strict=True)
        ]
    )
    places: list[int] = []
    if len(heard) >= _SHORTEST_WORD * len(units) > 0:
        expected = lengths * (len(heard) / lengths.sum())
        places = _boundaries(expected, ends_clause, levels[heard], np.diff(heard) - 1.0)
    if not places:
        # Far too little is heard for so many words: by the expected lengths alone.
        edges = np.insert(np.cumsum(lengths), 0, 0.0) * (len(samples) / rate / lengths.sum())
        return list(pairwise(edges.tolist()))
    return [
        (float(heard[first] * _HOP_SECONDS), float((heard[end - 1] + 1) * _HOP_SECONDS))
        for first, end in pairwise(places)
    ]


def _levels(samples: Samples, rate: int) -> Samples:
    """Return the loudness of each hop, in decibels."""
    hop = max(1, round(rate * _HOP_SECONDS))
    count = len(samples) // hop
    power = np.mean(samples[: count * hop].reshape(count, hop) ** 2, axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 0.1)))


def _audible(levels: Samples) -> npt.NDArray[np.bool_]:
    """Return in which hops there is speech."""
    if not levels.size:
        return np.zeros(0, np.bool_)
    loud, quiet = np.percentile(levels, [95, 3])
    # 36 dB are between a vowel and the softest consonant; in noise it is less.
    audible: npt.NDArray[np.bool_] = levels > max(loud - 36, min(quiet + 6, loud - 15))
    for wanted, shortest in ((True, _SHORTEST_SOUND), (False, _SHORTEST_SILENCE)):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], audible == wanted, [0]])))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if end - start < shortest and (wanted or (start and end < len(audible))):
                audible[start:end] = not wanted
    return audible


def _boundaries(
    lengths: Samples, ends_clause: Sequence[bool], levels: Samples, silences: Samples
) -> list[int]:
    """Return where words begin, and the end, on an axis from which silence is cut out.

    Empty where the words do not fit.

    Args:
        lengths: Expected, in hops; together as long as the axis.
        ends_clause: After which words a pause is expected.
        levels: Loudness of each hop, in decibels.
        silences: Cut out between each hop and the next, in hops.
    """
    total, count = len(levels), len(lengths)
    silence = np.concatenate([[0.0], silences, [0.0]]) * _HOP_SECONDS
    padded = np.pad(levels, _NEAR, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1).max(axis=1)
    lowest = np.minimum(np.append(levels, levels[-1]), np.insert(levels, 0, levels[0]))
    dip = np.clip(np.append(around, around[-1]) - lowest, 0, _DEEPEST_DIP)
    anywhere = -_PER_DECIBEL_OF_DIP * dip
    anywhere -= _PER_SECOND_OF_SILENCE * np.minimum(silence, _LONGEST_SILENCE)
    at_comma = anywhere + _NO_PAUSE_AT_COMMA * np.clip(1 - silence / _PAUSE_SECONDS, 0, 1)
    inside = np.cumsum(_SILENCE_IN_WORD * np.maximum(silence - _STOP_SECONDS, 0))
    # A silence at a word's own edge is not inside it.
    until = np.insert(inside[:-1], 0, 0.0)

    # How far boundaries may be from where the lengths alone would put them.
    reach = round((0.8 + 0.15 * sqrt(count)) / _HOP_SECONDS)
    best = np.where(np.arange(total + 1) == 0, 0.0, np.inf)
    came: list[tuple[int, npt.NDArray[np.intp]]] = []
    for number, centre in enumerate(np.cumsum(lengths)):
        last = number == count - 1
        low = total if last else max(number + 1, min(round(centre) - reach, total))
        high = total if last else min(total, round(centre) + reach)
        longest = max(50, round(4 * lengths[number]))
        tried = np.arange(longest, _SHORTEST_WORD - 1, -1)
        unlikely = (np.log(tried / lengths[number]) / _DEVIATION) ** 2 / 2
        sources = np.concatenate([np.full(longest, np.inf), best - inside])
        windows = np.lib.stride_tricks.sliding_window_view(sources, len(tried))[low : high + 1]
        costs = windows + unlikely
        chosen = costs.argmin(axis=1)
        edge = at_comma if ends_clause[number] else anywhere
        best = np.full(total + 1, np.inf)
        best[low : high + 1] = costs.min(axis=1) + until[low : high + 1] + edge[low : high + 1]
        came.append((low, tried[chosen]))
    if best[total] == np.inf:
        return []
    places = [total]
    for low, length in reversed(came):
        places.append(places[-1] - int(length[places[-1] - low]))
    return places[::-1]


_VOWELS = re.compile("[aeiouyаеиоуыэюяієαεηιουω]+")
_ENGLISH_MUTE = re.compile("(?<=[^aeiouylr])e$|(?<=[^aeiouytd])ed$")
_SPOKEN_CHARACTERS = (
    (re.compile(r"[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"), 0.20),
    (re.compile(r"[\uac00-\ud7a3]"), 0.17),
    (re.compile(r"[\u3041-\u30ff\uff66-\uff9f]"), 0.13),
)


def _seconds(written: str, language: str) -> float:
    """Guess how long a word is spoken; only the ratio of two such lengths means anything."""
    if any(map(str.isdecimal, written)):
        # Numbers are about as long in any language as in English.
        digits = "".join(str(int(c)) if c.isdecimal() else c for c in written)
        return sum(_seconds(word, "en") for word in next(iter(readings(digits)), ("number",)))
    for characters, each in _SPOKEN_CHARACTERS:
        if count := len(characters.findall(written)):
            return each * count
    plain = normalize("NFD", written.lower().replace("’", "'"))
    letters = "".join(c for c in plain if category(c)[0] == "L")
    vowels = len(_VOWELS.findall(_ENGLISH_MUTE.sub("", letters) if language == "en" else letters))
    # Writing systems without vowel letters have about two letters to a syllable.
    syllables = vowels or max(1.0, len(letters) / 2)
    light = "".join(plain_words(plain)) in stop_words(language)
    return 0.11 + 0.05 * syllables + 0.033 * len(letters) - (0.09 if light else 0.0)
