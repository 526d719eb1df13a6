"""Crew: the services that make one video together, and what they make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from visionpulse import loop
from visionpulse.asking import Question, pin, same
from visionpulse.audio import AudioService
from visionpulse.catalog import style
from visionpulse.drawing import Drawing
from visionpulse.images import ImageService
from visionpulse.ledger import Ledger, Run, current_run
from visionpulse.models import (
    Estimate,
    Failure,
    Film,
    Pin,
    Scene,
    Stage,
    Storyboard,
    StoryboardRequest,
    StyleBible,
    Video,
)
from visionpulse.pictures import taken_in
from visionpulse.pricing import unknown_price
from visionpulse.protocols import Caps, Use
from visionpulse.recording import sound_of
from visionpulse.storyboard import plan, sentence_ranges, with_keywords
from visionpulse.text import check_script, split_sentences, spoken_seconds
from visionpulse.video import VideoService
from visionpulse.workflow import VideoGenerationState, build_workflow

# What a run asks for that stops early.
_ASKED: Mapping[Stage, Sequence[str]] = {
    "storyboard": ("prompts",),
    "pictures": ("prompts", "picture"),
}
_STAGES = {"prompts": "the storyboard", "speech": "the narration"}


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

    def pins(self, video: Video) -> Mapping[str, Pin]:
        """Return who is asked first for what; a maker of before keeps what is said of it."""
        first = {
            "prompts": pin(self.images.prompts.first),
            "images": pin(self.images.images.first),
            "speech": pin(self.audio.speech.first),
        }
        before = video.pins
        return {
            stage: before[stage] if stage in before and same(before[stage], now) else now
            for stage, now in first.items()
        }

    @property
    def warnings(self) -> Sequence[str]:
        """What the models want their users to know, such as their last day."""
        models: list[Any] = [
            *self.images.prompts.models,
            *self.images.images.models,
            *self.audio.speech.models,
        ]
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
        if video.plan != "kept":
            self.images.planning(video.id).check(self._request(video))
        drawing = self._drawing(video)
        for number, scene in enumerate(kept or [_unknown_scene(video)]):
            drawing.check(number, scene)
        if video.own_narration is None:
            self.audio.check(video.script, video.voice, video.id, scenes=kept)
        if check := getattr(self.ledger.storage, "check", None):
            check()

    async def make(self, video: Video, run: Run, *, until: Stage) -> Video:
        """Run the workflow and return the video with everything it made, completed or failed."""
        token = current_run.set(run)
        try:
            run.plan("generate_prompts", 1)
            video = await self.with_files_kept(video)
            await self._check_prices(video, run.caps, until)
            workflow = build_workflow(self.images, self.audio, self.video, until=until)
            state = await workflow.ainvoke(_state_of(video))
            made = _taken_over(video, state, until)
            if made.status != "completed":
                made = made.model_copy(update={"progress": run.fraction})
            if made.error:
                # Both branches may have failed: what is written down is what is raised.
                made = made.model_copy(update={"error": Failure.of(run.errors[0])})
                made = await self._with_finished_pictures(made)
        finally:
            current_run.reset(token)
        cost = await loop.in_thread(self.ledger.store.spent, video.id)
        return with_names(made.model_copy(update={"cost": cost}))

    async def with_files_kept(self, video: Video) -> Video:
        """Take the user's files in, so that the film can be made anywhere, and again without them.

        Raises:
            InputError: A file cannot be read, or is not what it should be.
        """
        ledger, use = self.ledger, Use(video.id)
        changes: dict[str, Any] = {
            "options": await self.video.with_music_kept(video.options, video.id)
        }
        if video.own_narration is not None:
            sound = await sound_of(ledger, self.video.renderer, video.own_narration, use)
            changes["own_narration"] = sound.key
        own = [scene.own_image for scene in video.scenes]
        keys = [image and await taken_in(ledger, image, use) for image in own]
        changes["scenes"] = tuple(
            scene.model_copy(update={"own_image": key})
            for scene, key in zip(video.scenes, keys, strict=True)
        )
        return video.model_copy(update=changes)

    async def _with_finished_pictures(self, video: Video) -> Video:
        """Show the pictures that were drawn although another failed."""
        files = dict(video.files)
        drawing = self._drawing(video)
        for number, scene in enumerate(video.scenes):
            if key := await drawing.finished(number, scene):
                suffix = PurePosixPath(key).suffix
                files[f"images/{video.id}/image_{number:03d}{suffix}"] = key
        return video.model_copy(update={"files": files})

    async def _check_prices(self, video: Video, caps: Caps, until: Stage) -> None:
        """Find a call of unknown price under a cap now, not when half of the film is bought.

        Raises:
            BudgetExceededError: There is one.
        """
        cap = caps.video if caps.video is not None else caps.day
        if cap is None:
            return
        questions, _ = await self._questions(video)
        wanted = _ASKED.get(until)
        for question in questions:
            if wanted and question.kind not in wanted:
                continue
            if question.quote.bound is None and not await self.ledger.recorded(question.recipe):
                who = pin(question.model)
                raise unknown_price(
                    who.provider, who.model, f"${cap}", cap=str(cap), video_id=video.id
                )

    async def estimate(self, video: Video) -> Estimate:
        """Count the calls still to be made, and what they may cost, without making one."""
        questions, scenes = await self._questions(video)
        calls: Counter[str] = Counter()
        cached: Counter[str] = Counter()
        low: Decimal | None = Decimal(0)
        high: Decimal | None = Decimal(0)
        asked_already: set[str] = set()
        for question in questions:
            recipe = question.recipe
            known = recipe.fingerprint in asked_already or await self.ledger.recorded(recipe)
            asked_already.add(recipe.fingerprint)
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
            scenes=scenes,
        )

    async def _questions(self, video: Video) -> tuple[list[Question[Any]], int]:
        """Return all that a video takes of the models asked first, and its number of scenes.

        Of pictures that are not planned yet, questions of the usual length.
        """
        kept: Sequence[Scene] = _kept(video)
        questions: list[Question[Any]] = []
        if video.own_narration is None:
            asked = self.audio.questions(
                self.audio.speech.first, video.script, video.voice, video.id, scenes=kept
            )
            questions += [question for _, question in asked]
        if video.plan != "kept":
            planning = self.images.planning(video.id)
            request = self._request(video)
            parts = [
                planning.question(planning.models.first, part) for part in planning.parts(request)
            ]
            questions += parts
            # What the parts of a long film ask depends on the bible that comes with the first.
            artefact = await self.ledger.recorded(parts[0].recipe) if len(parts) == 1 else None
            if artefact:
                data = await loop.in_thread(self.ledger.read, artefact.key)
                board = with_keywords(Storyboard.model_validate_json(data), request)
                kept = plan(video.script, board, kept, video.options).scenes
                video = video.model_copy(update={"bible": board.bible})
            elif not kept:
                kept = [_unknown_scene(video, number) for number in range(request.scene_count)]
        drawing = self._drawing(video)
        questions += [
            drawing.question(drawing.models.first, number, scene)
            for number, scene in enumerate(kept)
            if scene.own_image is None
        ]
        return questions, len(kept)

    def _request(self, video: Video) -> StoryboardRequest:
        return self.images.storyboard_request(
            video.script,
            video.style,
            keywords=video.keywords,
            negative_keywords=video.negative_keywords,
            options=video.options,
            scenes=_kept(video),
        )

    def _drawing(self, video: Video) -> Drawing:
        return self.images.drawing(
            video.id,
            style=video.style,
            bible=video.bible,
            negative_keywords=video.negative_keywords,
            options=video.options,
        )


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
        "bible": video.bible.model_dump(mode="json"),
        "own_narration": video.own_narration,
        "makers": {},
        "files": {},
        "error": [],
    }


def _taken_over(video: Video, state: Mapping[str, Any], until: Stage) -> Video:
    """Return the video with what the workflow's last state says."""
    scenes = [Scene.model_validate(scene) for scene in state["scenes"]]
    changes: dict[str, Any] = {
        "bible": StyleBible.model_validate(state["bible"]),
        "plan": state["plan"],
        "pins": _pins(video.pins, state["makers"]),
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


def _pins(before: Mapping[str, Pin], makers: Mapping[str, Any]) -> dict[str, Pin]:
    """Return who has made what, and why where it was not the first choice."""
    pins = dict(before)
    for stage, maker in makers.items():
        if maker is None:
            continue
        by, first = Pin.model_validate(maker), before.get(stage)
        if by.because and first:
            taken = f"{by.provider}'s {by.model} took over {_STAGES[stage]} from {first.provider}'s"
            by = by.model_copy(update={"because": f"{taken} {first.model}: {by.because}"})
        elif first and same(first, by):
            by = first
        pins[stage] = by
    return pins


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
