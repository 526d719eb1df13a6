"""AudioService: the script, spoken."""

from __future__ import annotations

import array
import io
import json
import os
import sys
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from visionpulse import loop, registry
from visionpulse.asking import Question, fits, pin
from visionpulse.calls import Made
from visionpulse.errors import BadAnswerError, RenderError, VisionPulseError
from visionpulse.language import detect_language
from visionpulse.ledger import Ledger, Recipe, current_run
from visionpulse.models import (
    Artefact,
    Narration,
    Scene,
    Sentence,
    Speech,
    SpeechRequest,
    SpokenSentence,
    Word,
)
from visionpulse.protocols import Renderer, SpeechModel, Use
from visionpulse.text import check_script, split_sentences
from visionpulse.timeline import lay_out, soundtrack

_Method = Literal["engine", "aligned", "estimated"]

# Shorter than any spoken syllable; a vendor that answers with less has not spoken.
_SHORTEST_SECONDS = 0.05
# 1/1000 of full scale, -60 dB: nobody hears that.
_SILENCE = 33


class AudioService:
    """Reads a script aloud, sentence by sentence, each made once.

    Args:
        provider: Whose voice to use, unless `speech` says otherwise.
        speech: A speech model of your own.
        renderer: Mixes `narration.mp3`.
        ledger: Where everything made is recorded; by default files and a database below `home`.
        home: The folder of the default ledger; the working folder if not given.

    Example:
        narration = AudioService("offline").generate_narration(script, "nova", "my-video")
        narration.audio_path    # output/audio/my-video/narration.mp3
    """

    def __init__(
        self,
        provider: str = "openai",
        *,
        speech: SpeechModel | None = None,
        renderer: Renderer | None = None,
        ledger: Ledger | None = None,
        home: str | Path | None = None,
    ) -> None:
        self.speech: SpeechModel = speech or registry.model("speech", provider)
        fits(self.speech, SpeechModel)
        self.renderer: Renderer = renderer or registry.renderer()
        self.ledger: Ledger = ledger or Ledger.at(home)

    def generate_narration(
        self, text: str, voice: str, video_id: str, *, scenes: Sequence[Scene] = ()
    ) -> Narration:
        """Blocking form of `agenerate_narration`."""
        return loop.run(lambda: self.agenerate_narration(text, voice, video_id, scenes=scenes))

    async def agenerate_narration(
        self, text: str, voice: str, video_id: str, *, scenes: Sequence[Scene] = ()
    ) -> Narration:
        """Speak a text and write `audio/{video_id}/narration.mp3`.

        Args:
            text: What is spoken, to the character.
            voice: Name of a voice the model has.
            video_id: For whom; what a video uses is kept as long as the video.
            scenes: Sentences are also cut where these end.

        Raises:
            InputError: The text or the voice cannot be used; nothing was asked.
            ProviderError: The model did not deliver; the other sentences are kept.
        """
        check_script(text)
        narration = await self.speak(text, voice, video_id, scenes=scenes)
        artefact = await self.mix(narration, video_id)
        name = f"audio/{video_id}/narration.mp3"
        await loop.in_thread(self.ledger.storage.link, artefact.key, name)
        location = self.ledger.storage.locate(name)
        return narration.model_copy(update={"audio_path": location})

    def questions(
        self, text: str, voice: str, video_id: str, *, scenes: Sequence[Scene] = ()
    ) -> list[tuple[Sentence, Question[SpeechRequest]]]:
        """Return what is asked of the speech model, sentence by sentence."""
        language = detect_language(text)
        sentences = split_sentences(text, cuts=[scene.end_char for scene in scenes])
        return [
            (
                sentence,
                Question(
                    "speech",
                    1,
                    self.speech,
                    self.speech.speak,
                    SpeechRequest(text=sentence.text, voice=voice, language=language),
                    Speech,
                    Use(video_id),
                    concurrency=6,
                ),
            )
            for sentence in sentences
        ]

    async def speak(
        self, text: str, voice: str, video_id: str, *, scenes: Sequence[Scene] = ()
    ) -> Narration:
        """Have all sentences spoken, several at once; one failure does not cancel the others.

        Raises:
            VisionPulseError: The first failure, after all others had ended.
        """
        asked = self.questions(text, voice, video_id, scenes=scenes)
        for _, question in asked:
            question.check()
        if run := current_run.get():
            run.plan("generate_audio", len(asked))
        spoken = await loop.all_of(*(self._speak(*each) for each in asked))
        return Narration(sentences=tuple(spoken), voice=voice, provider=pin(self.speech).provider)

    async def _speak(self, sentence: Sentence, question: Question[SpeechRequest]) -> SpokenSentence:
        try:
            artefact = await question.answer(self.ledger, _unpack, _verify)
        except VisionPulseError as error:
            error.add_note(f"It happened at the sentence {sentence.text[:60]!r}.")
            raise
        words, method = await self._words(sentence, artefact, question)
        return SpokenSentence(
            **sentence.model_dump(),
            key=artefact.key,
            samples=artefact.meta["samples"],
            sample_rate=artefact.meta["sample_rate"],
            words=words,
            method=method,
        )

    async def _words(
        self, sentence: Sentence, speech: Artefact, question: Question[SpeechRequest]
    ) -> tuple[tuple[Word, ...], _Method]:
        """Return the engine's word times; where it has none, those told from the sound."""
        if told := speech.meta["words"]:
            return tuple(Word.model_validate(word) for word in told), "engine"
        # Here, not above: whoever has an engine that tells needs no numpy.
        from visionpulse.alignment import identity, word_times

        language = question.request.language.partition("-")[0].lower()
        by = await loop.in_thread(identity, language)
        inputs = {"by": by, "speech": speech.sha256, "text": sentence.text, "language": language}

        async def make(_scratch: Path) -> Made:
            sound = await loop.in_thread(self.ledger.read, speech.key)
            timed = await loop.in_thread(word_times, sentence.text, sound, language)
            times = [[word.text, word.start, word.end] for word in timed.words]
            found = {"method": timed.method, "words": times}
            return Made(json.dumps(found, ensure_ascii=False).encode(), ".json")

        # Tenths of a second that cost nothing are no step that a progress bar should count.
        listener = current_run.set(None)
        try:
            artefact = await self.ledger.once(
                Recipe("words", 1, "local", by, inputs),
                make,
                lambda _made: None,
                use=Use(question.use.video_id),
                concurrency=os.cpu_count() or 1,
            )
        finally:
            current_run.reset(listener)
        found = json.loads(await loop.in_thread(self.ledger.read, artefact.key))
        words = (Word(text=text, start=start, end=end) for text, start, end in found["words"])
        return tuple(words), found["method"]

    async def mix(self, narration: Narration, video_id: str) -> Artefact:
        """Return the narration as one MP3, with pauses, for people to listen to."""
        identity = self.renderer.identity
        heard = [[each.key, each.ends_paragraph] for each in narration.sentences]
        recipe = Recipe("narration", 1, "local", identity, {"by": identity, "sentences": heard})

        async def make(scratch: Path) -> Made:
            files = [
                await loop.in_thread(self.ledger.storage.fetch, each.key, scratch)
                for each in narration.sentences
            ]
            rate = narration.sentences[0].sample_rate
            track = soundtrack(lay_out([narration.sentences], fps=30), files, sample_rate=rate)
            out = scratch / "narration.mp3"
            await loop.call(self.renderer.mix, track, out)
            return Made(out, ".mp3")

        return await self.ledger.once(recipe, make, verify_file, use=Use(video_id))


def _unpack(speech: Speech) -> Made:
    """Write the samples as a WAV file, which people can play too."""
    if len(speech.pcm) % 2 or not 8_000 <= speech.sample_rate <= 192_000:
        raise BadAnswerError(
            f"The speech is no 16-bit sound: {len(speech.pcm)} bytes at {speech.sample_rate} Hz."
        )
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.sample_rate)
        file.writeframes(speech.pcm)
    words = None if speech.words is None else [word.model_dump() for word in speech.words]
    meta = {"samples": len(speech.pcm) // 2, "sample_rate": speech.sample_rate, "words": words}
    return Made(stream.getvalue(), ".wav", meta, speech.usage)


def _verify(made: Made) -> None:
    """Make sure that something is heard."""
    assert isinstance(made.data, bytes)
    with wave.open(io.BytesIO(made.data)) as file:
        frames, rate = file.getnframes(), file.getframerate()
        samples = array.array("h", file.readframes(frames))
    if sys.byteorder == "big":
        samples.byteswap()
    if frames < _SHORTEST_SECONDS * rate:
        raise BadAnswerError(f"The speech lasts {frames / rate:.3f} seconds: that is no sentence.")
    if max(samples) < _SILENCE and min(samples) > -_SILENCE:
        raise BadAnswerError(f"The {frames / rate:.1f} seconds of speech are silent.")


def verify_file(made: Made) -> None:
    """Make sure that a renderer has written something. Raises RenderError."""
    assert isinstance(made.data, Path)
    if not made.data.stat().st_size:
        raise RenderError(f"{made.data.name} came out empty.")
