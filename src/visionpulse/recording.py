"""Sound that is there already: when its words are heard, and a user's recording cut into sentences.

A recording of a script is cut where its sentences meet, in the pauses, so that it is heard as it
was spoken while scenes and captions follow its words.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import wave
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Literal

from visionpulse import loop
from visionpulse.calls import Made
from visionpulse.errors import InputError, RenderError
from visionpulse.ledger import Ledger, Recipe, current_run
from visionpulse.models import Artefact, Narration, Sentence, SpokenSentence, Word
from visionpulse.pictures import is_object, read_file
from visionpulse.protocols import Renderer, Use
from visionpulse.text import words_of

_BREATH = 0.06
"""Seconds; what is told of where a word begins may be that late."""
_SHORTEST_PAUSE = 0.12
_DRIFT = 0.4
"""Seconds."""

Method = Literal["engine", "aligned", "estimated"]


async def word_times(
    ledger: Ledger, speech: Artefact, text: str, language: str, use: Use
) -> tuple[tuple[Word, ...], Method]:
    """Return when the words of a text are heard in a WAV file, told from its sound."""
    # Here, not above: whoever has an engine that tells needs no numpy.
    from visionpulse import alignment

    language = language.partition("-")[0].lower()
    by = await loop.in_thread(alignment.identity, language)
    inputs = {"by": by, "speech": speech.sha256, "text": text, "language": language}

    async def make(_scratch: Path) -> Made:
        sound = await loop.in_thread(ledger.read, speech.key)
        timed = await loop.in_thread(alignment.word_times, text, sound, language)
        words = [[word.text, word.start, word.end] for word in timed.words]
        found = {"method": timed.method, "words": words}
        return Made(json.dumps(found, ensure_ascii=False).encode(), ".json")

    # Tenths of a second that cost nothing are no step that a progress bar should count.
    listener = current_run.set(None)
    try:
        artefact = await ledger.once(
            Recipe("words", 1, "local", by, inputs),
            make,
            lambda _made: None,
            use=Use(use.video_id),
            concurrency=os.cpu_count() or 1,
        )
    finally:
        current_run.reset(listener)
    found = json.loads(await loop.in_thread(ledger.read, artefact.key))
    words = (Word(text=word, start=start, end=end) for word, start, end in found["words"])
    return tuple(words), found["method"]


async def sound_of(ledger: Ledger, renderer: Renderer, file: str | Path, use: Use) -> Artefact:
    """Take a sound file of the user's in, as a WAV file (16-bit mono); its storage key will do too.

    `meta` has its `samples` and `sample_rate`.

    Raises:
        InputError: The file cannot be read, or has no sound.
    """
    stored = is_object(str(file))
    data = await loop.in_thread(ledger.read if stored else read_file, str(file))

    async def make(scratch: Path) -> Made:
        out = scratch / "sound.wav"
        source = Path(file)
        if stored:
            source = await loop.in_thread(ledger.storage.fetch, str(file), scratch)
        await loop.call(renderer.decode, source, out)
        with wave.open(str(out)) as sound:
            meta = {"samples": sound.getnframes(), "sample_rate": sound.getframerate()}
        if not meta["samples"]:
            raise InputError(f"{file} has no sound in it.", hint="Give another file.")
        return Made(out, ".wav", meta)

    inputs = {"by": renderer.identity, "sha256": hashlib.sha256(data).hexdigest()}
    return await ledger.once(
        Recipe("sound", 1, "local", "local", inputs), make, verify_file, use=use
    )


async def cut_up(
    ledger: Ledger,
    renderer: Renderer,
    recording: str | Path,
    sentences: Sequence[Sentence],
    language: str,
    use: Use,
) -> Narration:
    """Return a recording of a script as its narration, cut where its sentences meet.

    Raises:
        InputError: The file cannot be read, or is too short for so many sentences.
    """
    whole = await sound_of(ledger, renderer, recording, use)
    rate, samples = whole.meta["sample_rate"], whole.meta["samples"]
    counts = [len(words_of(sentence.text)) for sentence in sentences]
    text = " ".join(sentence.text for sentence in sentences)
    words, _ = await word_times(ledger, whole, text, language, use)
    if len(words) != sum(counts) or samples < rate * len(sentences) / 5:
        raise InputError(
            f"{recording} lasts {samples / rate:.1f} seconds: too short for the script's "
            f"{len(sentences)} sentences.",
            hint="The recording has to hold the whole script, word for word.",
        )
    cuts = _cuts(words, counts, await loop.in_thread(_pauses, ledger, whole), samples / rate)
    spoken = await loop.all_of(
        *(
            _spoken(ledger, whole, sentence, span, language, use)
            for sentence, span in zip(sentences, pairwise(cuts), strict=True)
        )
    )
    return Narration(sentences=tuple(spoken), voice="", recorded=True)


def _pauses(ledger: Ledger, whole: Artefact) -> list[tuple[float, float]]:
    from visionpulse.alignment import silences

    return silences(ledger.read(whole.key), shortest=_SHORTEST_PAUSE)


def _cuts(
    words: Sequence[Word],
    counts: Sequence[int],
    pauses: Sequence[tuple[float, float]],
    seconds: float,
) -> list[float]:
    """Return where the sentences meet, in seconds, with the recording's begin and end.

    Words at the edges of sentences are told badly, because they may drift into the pause: so the
    longest pause near the place counts.
    """
    cuts = [0.0]
    for first in list(accumulate(counts))[:-1]:
        before, after = words[first - 1], words[first]
        near = [
            (end - start, start, end)
            for start, end in pauses
            if start < after.end + _DRIFT and end > before.start and start > cuts[-1]
        ]
        _, start, end = max(near, default=(0.0, before.end, after.start))
        # As late as leaves the next sentence its first breath.
        cuts.append(max((start + end) / 2, end - _BREATH, cuts[-1] + 0.01))
    return [*cuts, seconds]


async def _spoken(
    ledger: Ledger,
    whole: Artefact,
    sentence: Sentence,
    span: tuple[float, float],
    language: str,
    use: Use,
) -> SpokenSentence:
    rate = whole.meta["sample_rate"]
    first, last = (round(edge * rate) for edge in span)
    speech = await _slice(ledger, whole, first, last, use)
    words, method = await word_times(ledger, speech, sentence.text, language, use)
    return SpokenSentence(
        **sentence.model_dump(),
        key=speech.key,
        samples=last - first,
        sample_rate=rate,
        words=words,
        method=method,
    )


async def _slice(ledger: Ledger, whole: Artefact, first: int, last: int, use: Use) -> Artefact:
    async def make(_scratch: Path) -> Made:
        data = await loop.in_thread(ledger.read, whole.key)
        out = io.BytesIO()
        with wave.open(io.BytesIO(data)) as source, wave.open(out, "wb") as target:
            target.setparams(source.getparams())
            source.setpos(first)
            target.writeframes(source.readframes(last - first))
        return Made(out.getvalue(), ".wav")

    inputs = {"sound": whole.sha256, "first": first, "last": last}
    return await ledger.once(
        Recipe("cut", 1, "local", "local", inputs), make, lambda _made: None, use=use
    )


def verify_file(made: Made) -> None:
    """Make sure that a renderer has written something. Raises RenderError."""
    assert isinstance(made.data, Path)
    if not made.data.stat().st_size:
        raise RenderError(f"{made.data.name} came out empty.")
