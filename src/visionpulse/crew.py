"""Crew: the services that make one video together, and what they make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from visionpulse import loop
from visionpulse.asking import Question, pin
from visionpulse.audio import AudioService
from visionpulse.catalog import style
from visionpulse.images import ImageService
from visionpulse.ledger import Ledger, Run, current_run
from visionpulse.models import (
    Estimate,
    Failure,
    Film,
    PictureRequest,
    Pin,
    Scene,
    SpeechRequest,
    Stage,
    Storyboard,
    StoryboardRequest,
    Video,
)
from visionpulse.storyboard import plan, sentence_ranges
from visionpulse.text import check_script, split_sentences, spoken_seconds
from visionpulse.video import VideoService
from visionpulse.workflow import VideoGenerationState, build_workflow


@dataclass(frozen=True)
class Crew:
    """The services of one video; they share a ledger."""

    images: ImageService
    audio: AudioService
    video: VideoService

    @property
    def ledger(self) -> Ledger:
        """Where everything made is recorded."""
        return self.images.ledger

    @property
    def pins(self) -> Mapping[str, Pin]:
        """Who makes what."""
        return {
            "prompts": pin(self.images.prompts),
            "images": pin(self.images.images),
            "speech": pin(self.audio.speech),
        }

    @property
    def warnings(self) -> Sequence[str]:
        """What the models want their users to know, such as their last day."""
        models = (self.images.prompts, self.images.images, self.audio.speech)
        return [warning for model in models if (warning := getattr(model, "warning", None))]

    def check(self, video: Video) -> None:
        """Find whatever can be found before money is spent.

        Raises:
            InputError: The script, the style, the voice or an option cannot be used.
            ConfigurationError: A model is not set up.
            StorageError: The folder cannot be written, or the disk is full.
        """
        check_script(video.script)
        style(video.style)
        self.video.check(video.script, video.options)
        kept = _kept(video)
        if kept:
            sentence_ranges(split_sentences(video.script, cuts=_ends(kept)), kept)
        self._storyboard(video).check()
        for picture in self._pictures(video, kept or [_unknown_scene(video)]):
            picture.check()
        for sentence in self._speech(video):
            sentence.check()
        if check := getattr(self.ledger.storage, "check", None):
            check()

    async def make(self, video: Video, run: Run, *, until: Stage) -> Video:
        """Run the workflow and return the video with everything it made, completed or failed."""
        token = current_run.set(run)
        try:
            run.plan("generate_prompts", 1)
            options = await self.video.with_music_kept(video.options, video.id)
            video = video.model_copy(update={"options": options})
            workflow = build_workflow(self.images, self.audio, self.video, until=until)
            state = await workflow.ainvoke(_state_of(video))
            made = _taken_over(video, state, until)
            if made.status != "completed":
                made = made.model_copy(update={"progress": run.fraction})
            if made.error:
                made = await self._with_finished_pictures(made)
        finally:
            current_run.reset(token)
        cost = await loop.in_thread(self.ledger.store.spent, video.id)
        return with_names(made.model_copy(update={"cost": cost}))

    async def _with_finished_pictures(self, video: Video) -> Video:
        """Show the pictures that were drawn although another failed."""
        files = dict(video.files)
        for number, question in enumerate(self._pictures(video, video.scenes)):
            if artefact := await self.ledger.recorded(question.recipe):
                files[f"images/{video.id}/image_{number:03d}{artefact.suffix}"] = artefact.key
        return video.model_copy(update={"files": files})

    async def estimate(self, video: Video) -> Estimate:
        """Count the calls still to be made, and what they may cost, without making one."""
        kept: Sequence[Scene] = _kept(video)
        questions: list[Question[Any]] = [*self._speech(video)]
        if not kept or video.plan == "reprompt":
            storyboard = self._storyboard(video)
            questions.append(storyboard)
            if artefact := await self.ledger.recorded(storyboard.recipe):
                data = await loop.in_thread(self.ledger.read, artefact.key)
                planned = Storyboard.model_validate_json(data)
                kept = plan(video.script, planned, kept, video.options).scenes
            else:
                count = storyboard.request.scene_count
                kept = [_unknown_scene(video, number) for number in range(count)]
        questions += self._pictures(video, kept)
        calls: Counter[str] = Counter()
        cached: Counter[str] = Counter()
        low: Decimal | None = Decimal(0)
        high: Decimal | None = Decimal(0)
        asked: set[str] = set()
        for question in questions:
            recipe = question.recipe
            known = recipe.fingerprint in asked or await self.ledger.recorded(recipe)
            asked.add(recipe.fingerprint)
            if known:
                cached[question.kind] += 1
                continue
            calls[question.kind] += 1
            quote = question.quote
            low, high = _plus(low, quote.cost(None)), _plus(high, quote.bound)
        return Estimate(
            calls=dict(calls),
            cached=dict(cached),
            low=low,
            high=high,
            seconds=round(spoken_seconds(video.script), 1),
            scenes=len(kept),
        )

    def _storyboard(self, video: Video) -> Question[StoryboardRequest]:
        return self.images.storyboard_question(
            video.script,
            video.style,
            keywords=video.keywords,
            negative_keywords=video.negative_keywords,
            options=video.options,
            scenes=_kept(video),
            video_id=video.id,
        )

    def _pictures(self, video: Video, scenes: Sequence[Scene]) -> list[Question[PictureRequest]]:
        return self.images.picture_questions(
            scenes,
            video.id,
            style=video.style,
            negative_keywords=video.negative_keywords,
            options=video.options,
        )

    def _speech(self, video: Video) -> list[Question[SpeechRequest]]:
        asked = self.audio.questions(video.script, video.voice, video.id, scenes=_kept(video))
        return [question for _, question in asked]


def with_names(video: Video) -> Video:
    """Set the documented paths by the video's record of its files."""
    by_stem = {str(PurePosixPath(name).with_suffix("")): name for name in video.files}
    captions = {
        kind: name
        for kind in ("srt", "vtt")
        if (name := f"videos/{video.id}.{kind}") in video.files
    }
    film, narration = f"videos/{video.id}.mp4", f"audio/{video.id}/narration.mp3"
    poster = f"videos/{video.id}.jpg"
    scenes = [
        scene.model_copy(
            update={"image_path": by_stem.get(f"images/{video.id}/image_{number:03d}")}
        )
        for number, scene in enumerate(video.scenes)
    ]
    return video.model_copy(
        update={
            "scenes": tuple(scenes),
            "video_path": film if film in video.files else None,
            "poster_path": poster if poster in video.files else None,
            "audio_path": narration if narration in video.files else None,
            "caption_paths": captions,
        }
    )


def _state_of(video: Video) -> VideoGenerationState:
    return {
        "video_id": video.id,
        "title": video.title,
        "script": video.script,
        "style": video.style,
        "voice": video.voice,
        "keywords": list(video.keywords),
        "negative_keywords": list(video.negative_keywords),
        "options": video.options.model_dump(mode="json"),
        "plan": video.plan,
        "scenes": [scene.model_dump(mode="json") for scene in video.scenes],
        "bible": video.bible,
        "files": {},
        "error": [],
    }


def _taken_over(video: Video, state: Mapping[str, Any], until: Stage) -> Video:
    """Return the video with what the workflow's last state says."""
    scenes = [Scene.model_validate(scene) for scene in state["scenes"]]
    changes: dict[str, Any] = {
        "bible": state["bible"],
        "plan": state["plan"],
        "files": {**video.files, **state["files"]},
        "error": None,
        "status": "completed" if until == "video" else "pending",
        "progress": 1.0,
    }
    if "film" in state:
        film = Film.model_validate(state["film"])
        scenes = [
            scene.model_copy(update={"start": start, "duration": duration})
            for scene, start, duration in zip(scenes, film.starts, film.durations, strict=True)
        ]
        changes["duration"] = film.duration
        # What an earlier version had and this one has not is no longer shown.
        changes["files"] = state["files"]
    if failures := [Failure.model_validate(each) for each in state["error"]]:
        changes |= {"status": "failed", "error": failures[0]}
    return video.model_copy(update={**changes, "scenes": tuple(scenes)})


def _kept(video: Video) -> Sequence[Scene]:
    return video.scenes if video.plan != "new" else ()


def _ends(scenes: Sequence[Scene]) -> list[int]:
    return [scene.end_char for scene in scenes]


def _unknown_scene(video: Video, number: int = 0) -> Scene:
    """Return a scene of the usual length, for what is asked before there is a storyboard."""
    words = " ".join(video.script.split()[:40])
    return Scene(text="", start_char=0, end_char=0, prompt=f"{number}: {words}")


def _plus(total: Decimal | None, price: Decimal | None) -> Decimal | None:
    return None if total is None or price is None else total + price
