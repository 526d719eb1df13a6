"""AudioService: the script, spoken."""

from __future__ import annotations

import array
import io
import sys
import wave
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

from visionpulse import loop, registry
from visionpulse.asking import Chain, Question, Taken, chain, pin
from visionpulse.calls import Made
from visionpulse.errors import BadAnswerError, VisionPulseError
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
from visionpulse.recording import authors_words, cut_up, verify_file, word_times
from visionpulse.spoken import spoken, spoken_form
from visionpulse.text import check_script, split_sentences
from visionpulse.timeline import lay_out, soundtrack

# Shorter than any spoken syllable; a vendor that answers with less has not spoken.
_SHORTEST_SECONDS = 0.05
# 1/1000 of full scale, -60 dB: nobody hears that.
_SILENCE = 33


class AudioService:
    """Reads a script aloud, sentence by sentence, each made once.

    Args:
        provider: Whose voice to use, unless `speech` says otherwise. Of several the next takes over
            where one gives up.
        speech: A speech model of your own, or several.
        renderer: Mixes `narration.mp3`.
        ledger: Where everything made is recorded; by default files and a database below `home`.
        home: The folder of the default ledger; the working folder if not given.

    Example:
        narration = AudioService("offline").generate_narration(script, "nova", "my-video")
        narration.audio_path    # output/audio/my-video/narration.mp3
    """

    def __init__(
        self,
        provider: str | Sequence[str] = "openai",
        *,
        speech: SpeechModel | Sequence[SpeechModel] | Chain[SpeechModel] | None = None,
        renderer: Renderer | None = None,
        ledger: Ledger | None = None,
        home: str | Path | None = None,
    ) -> None:
        self.speech: Chain[SpeechModel] = chain("speech", SpeechModel, provider, speech)
        self.renderer: Renderer = renderer or registry.renderer()
        self.ledger: Ledger = ledger or Ledger.at(home)

    def generate_narration(
        self,
        text: str,
        voice: str,
        video_id: str,
        *,
        scenes: Sequence[Scene] = (),
        mixed_voices: bool = False,
    ) -> Narration:
        """Blocking form of `agenerate_narration`."""
        return loop.run(
            lambda: self.agenerate_narration(
                text, voice, video_id, scenes=scenes, mixed_voices=mixed_voices
            )
        )

    async def agenerate_narration(
        self,
        text: str,
        voice: str,
        video_id: str,
        *,
        scenes: Sequence[Scene] = (),
        mixed_voices: bool = False,
    ) -> Narration:
        """Speak a text and write `audio/{video_id}/narration.mp3`.

        Args:
            text: What is spoken, and shown to the character; `visionpulse.spoken` tells what of
                it is not said.
            voice: Name of a voice the model has.
            video_id: For whom; what a video uses is kept as long as the video.
            scenes: Sentences are also cut where these end.
            mixed_voices: Whether another model may take over single sentences, not only all.

        Raises:
            InputError: The text or the voice cannot be used; nothing was asked.
            ProviderError: The model did not deliver; the other sentences are kept.
        """
        check_script(text)
        narration = await self.speak(
            text, voice, video_id, scenes=scenes, mixed_voices=mixed_voices
        )
        artefact = await self.mix(narration, video_id)
        name = f"audio/{video_id}/narration.mp3"
        await loop.in_thread(self.ledger.storage.link, artefact.key, name)
        location = self.ledger.storage.locate(name)
        return narration.model_copy(update={"audio_path": location})

    def questions(
        self,
        model: SpeechModel,
        text: str,
        voice: str,
        video_id: str,
        *,
        scenes: Sequence[Scene] = (),
    ) -> list[tuple[Sentence, Question[SpeechRequest]]]:
        """Return what is asked of a speech model, sentence by sentence."""
        language = detect_language(text)
        ends = [scene.end_char for scene in scenes]
        sentences = split_sentences(text, cuts=ends)
        return [
            (
                sentence,
                Question(
                    "speech",
                    1,
                    model,
                    model.speak,
                    SpeechRequest(
                        text=spoken_form(sentence.text, language), voice=voice, language=language
                    ),
                    Speech,
                    Use(video_id, scene=bisect_right(ends, sentence.start) if ends else None),
                    concurrency=6,
                ),
            )
            for sentence in sentences
        ]

    def check(self, text: str, voice: str, video_id: str, *, scenes: Sequence[Scene] = ()) -> None:
        """Make sure that some model can read the text. Raises as `Chain.check`."""

        def check(model: SpeechModel) -> None:
            for _, question in self.questions(model, text, voice, video_id, scenes=scenes):
                question.check()

        self.speech.check(check)

    async def speak(
        self,
        text: str,
        voice: str,
        video_id: str,
        *,
        scenes: Sequence[Scene] = (),
        mixed_voices: bool = False,
    ) -> Narration:
        """Have all sentences spoken, several at once; one failure does not cancel the others.

        Raises:
            VisionPulseError: The first failure, after all others had ended.
        """
        self.check(text, voice, video_id, scenes=scenes)
        if run := current_run.get():
            count = len(split_sentences(text, cuts=[scene.end_char for scene in scenes]))
            run.plan("generate_audio", count)

        async def read(model: SpeechModel) -> list[SpokenSentence]:
            asked = self.questions(model, text, voice, video_id, scenes=scenes)
            for _, question in asked:
                question.check()
            return await loop.all_of(*(self._speak(*each) for each in asked))

        if mixed_voices:
            return await self._by_several(text, voice, video_id, scenes)
        taken = await self.speech.ask(read, self.ledger, Use(video_id))
        by = taken.by.model_copy(update={"because": taken.because})
        return Narration(sentences=tuple(taken.answer), voice=voice, by=by)

    async def _by_several(
        self, text: str, voice: str, video_id: str, scenes: Sequence[Scene]
    ) -> Narration:
        """Have each sentence read by the first model that delivers it."""
        used = await loop.in_thread(self.ledger.store.used, video_id) if video_id else ()
        made = frozenset(artefact.fingerprint for _, artefact in used)
        asked = {
            id(model): self.questions(model, text, voice, video_id, scenes=scenes)
            for model in self.speech.models
        }

        async def one(number: int) -> Taken[SpokenSentence]:
            async def read(model: SpeechModel) -> SpokenSentence:
                sentence, question = asked[id(model)][number]
                question.check()
                return await self._speak(sentence, question)

            mine = [
                model
                for model in self.speech.models
                if asked[id(model)][number][1].recipe.fingerprint in made
            ]
            return await self.speech.ask(read, self.ledger, Use(video_id), before=mine)

        count = len(asked[id(self.speech.first)])
        found = await loop.all_of(*(one(number) for number in range(count)))
        first = pin(self.speech.first)
        others = [each for each in found if each.by != first]
        because = None
        if others:
            because = f"{len(others)} of {count} sentences were read by {others[0].by.provider}"
            because += f": {others[0].because}" if others[0].because else "."
        by = first.model_copy(update={"because": because})
        return Narration(sentences=tuple(each.answer for each in found), voice=voice, by=by)

    async def _speak(self, sentence: Sentence, question: Question[SpeechRequest]) -> SpokenSentence:
        try:
            artefact = await question.answer(self.ledger, _unpack, _verify)
        except VisionPulseError as error:
            error.add_note(f"It happened at the sentence {sentence.text[:60]!r}.")
            error.scene = question.use.scene if error.scene is None else error.scene
            raise
        language = question.request.language
        if told := artefact.meta["words"]:
            words, method = tuple(Word.model_validate(word) for word in told), "engine"
        else:
            words, method = await word_times(
                self.ledger, artefact, question.request.text, language, question.use
            )
        words = authors_words(sentence.text, spoken(sentence.text, language), words)
        return SpokenSentence(
            **sentence.model_dump(),
            key=artefact.key,
            samples=artefact.meta["samples"],
            sample_rate=artefact.meta["sample_rate"],
            words=words,
            method=method,
        )

    async def take_in(
        self,
        recording: str | Path,
        text: str,
        video_id: str,
        *,
        scenes: Sequence[Scene] = (),
    ) -> Narration:
        """Return a recording of the user's as the narration of a script.

        Args:
            recording: A sound file, or its storage key.
            text: What is spoken in it, in order.
            video_id: For whom; what a video uses is kept as long as the video.
            scenes: Sentences are also cut where these end.

        Raises:
            InputError: The file cannot be read, or is too short for the text.
        """
        sentences = split_sentences(text, cuts=[scene.end_char for scene in scenes])
        if run := current_run.get():
            run.plan("generate_audio", len(sentences) + 1)
        return await cut_up(
            self.ledger, self.renderer, recording, sentences, detect_language(text), Use(video_id)
        )

    async def mix(self, narration: Narration, video_id: str) -> Artefact:
        """Return the narration as one MP3, with pauses, for people to listen to."""
        identity = self.renderer.identity
        heard = [[each.key, each.ends_paragraph] for each in narration.sentences]
        inputs = {"by": identity, "sentences": heard, "recorded": narration.recorded}
        recipe = Recipe("narration", 2, "local", identity, inputs)

        async def make(scratch: Path) -> Made:
            files = [
                await loop.in_thread(self.ledger.storage.fetch, each.key, scratch)
                for each in narration.sentences
            ]
            rate = narration.sentences[0].sample_rate
            timeline = lay_out([narration.sentences], fps=30, pauses=not narration.recorded)
            track = soundtrack(timeline, files, sample_rate=rate)
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
