"""The pictures of one video: drawn, refused, put in other words, taken over, stood in for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from visionpulse import loop
from visionpulse.asking import Chain, Question, Taken, pin, same
from visionpulse.calls import Made
from visionpulse.errors import RefusedError, VisionPulseError
from visionpulse.ledger import Ledger, Recipe, current_run
from visionpulse.models import (
    Artefact,
    Picture,
    PictureRequest,
    RewriteRequest,
    Scene,
    Style,
    StyleBible,
    Take,
    VideoOptions,
)
from visionpulse.pictures import is_object, suffix_of, taken_in, verify_picture
from visionpulse.placeholder import VERSION, card
from visionpulse.planning import Planning
from visionpulse.prompting import named_in, setting_of
from visionpulse.protocols import ImageModel, Use


class Shown(NamedTuple):
    """What a scene shows, and in words why, if it is not what was asked for."""

    key: str
    degraded: str | None = None


class _Refused(NamedTuple):
    error: RefusedError


@dataclass(frozen=True)
class Drawing:
    """The image models at work for one video."""

    ledger: Ledger
    models: Chain[ImageModel]
    planning: Planning
    style: Style | None
    bible: StyleBible
    avoid: Sequence[str]
    shape: VideoOptions

    @property
    def _video_id(self) -> str:
        return self.planning.use.video_id

    def question(self, model: ImageModel, number: int, scene: Scene) -> Question[PictureRequest]:
        """Return what is asked of a model for a scene."""
        width, height = (int(side) for side in self.shape.picture_size.split("x"))
        request = PictureRequest(
            prompt=scene.prompt,
            width=width,
            height=height,
            quality=self.shape.picture_quality,
            avoid=tuple(dict.fromkeys([*self.avoid, *self.bible.avoid])),
            style=self.style,
            characters=named_in(scene.prompt, self.bible),
            setting=setting_of(self.bible),
            take=scene.take,
        )
        use = Use(self._video_id, scene.id, scene.take, number)
        return Question("picture", 1, model, model.draw, request, Picture, use, concurrency=8)

    def check(self, number: int, scene: Scene) -> None:
        """Make sure that some model can draw a scene. Raises as `Chain.check`."""
        if scene.own_image is None:
            self.models.check(lambda model: self.question(model, number, scene).check())

    async def all(self, scenes: Sequence[Scene]) -> list[Shown]:
        """Return what each scene shows; one failure does not cancel the others.

        Raises:
            VisionPulseError: The first failure, after all others had ended.
        """
        for number, scene in enumerate(scenes):
            self.check(number, scene)
        if run := current_run.get():
            run.plan("generate_images", len(scenes))
        store = self.ledger.store
        used = await loop.in_thread(store.used, self._video_id) if self._video_id else ()
        made = frozenset(artefact.fingerprint for _, artefact in used)
        found = await loop.all_of(
            *(self._show(number, scene, made) for number, scene in enumerate(scenes))
        )
        return [_neighbour(number, found) for number in range(len(found))]

    async def finished(self, number: int, scene: Scene) -> str | None:
        """Return the storage key of a scene's picture, if it has been made; makes nothing."""
        if scene.own_image is not None:
            return scene.own_image if is_object(scene.own_image) else None
        for model in self.models.models:
            question = self.question(model, number, scene)
            if artefact := await self.ledger.recorded(question.recipe):
                return artefact.key
        return None

    async def _show(self, number: int, scene: Scene, made: frozenset[str]) -> Shown | _Refused:
        """Return what a scene shows; a refusal where its neighbour is to stand in."""
        try:
            if scene.own_image is not None:
                use = Use(self._video_id, scene.id, scene.take, number)
                return Shown(await taken_in(self.ledger, scene.own_image, use))
            return await self._drawn(number, scene, made)
        except RefusedError as refusal:
            refusal.scene = number
            if self.shape.on_refusal == "fail":
                raise
            if self.shape.on_refusal == "neighbour":
                return _Refused(refusal)
            return await self._placeholder(number, scene, refusal)
        except VisionPulseError as error:
            error.scene = number if error.scene is None else error.scene
            raise

    async def _drawn(self, number: int, scene: Scene, made: frozenset[str]) -> Shown:
        """Have a scene drawn by the first model that delivers, in other words if need be."""
        reworded: list[str] = []

        async def ask(model: ImageModel) -> Artefact:
            question = self.question(model, number, scene)
            question.check()
            try:
                return await question.answer(self.ledger, _unpack, verify_picture)
            except RefusedError:
                other = await self._in_other_words(scene)
                if other is None:
                    raise
                question = self.question(model, number, other)
                drawn = await question.answer(self.ledger, _unpack, verify_picture)
                reworded.append(other.prompt)
                return drawn

        mine = [
            model
            for model in self.models.models
            if self.question(model, number, scene).recipe.fingerprint in made
        ]
        use = Use(self._video_id, scene.id, scene.take, number)
        taken = await self.models.ask(ask, self.ledger, use, before=mine)
        return Shown(taken.answer.key, _why(number, scene, taken, self.models, reworded))

    async def _in_other_words(self, scene: Scene) -> Scene | None:
        request = RewriteRequest(
            prompt=scene.prompt,
            reason="refused",
            text=scene.text,
            avoid=tuple(self.avoid),
            bible=self.bible,
        )
        prompt = await self.planning.rewritten(request)
        if prompt is None or prompt == scene.prompt:
            return None
        return scene.model_copy(update={"prompt": prompt})

    async def _placeholder(self, number: int, scene: Scene, refusal: RefusedError) -> Shown:
        width, height = (int(side) for side in self.shape.picture_size.split("x"))
        colours = self.style.colours if self.style else ()

        async def make(_scratch: Path) -> Made:
            return Made(await loop.in_thread(card, colours, width, height), ".png")

        inputs = {"version": VERSION, "colours": list(colours), "size": [width, height]}
        artefact = await self.ledger.once(
            Recipe("placeholder", 1, "local", "local", inputs),
            make,
            verify_picture,
            use=Use(self._video_id, scene.id, scene.take, number),
        )
        why = f"Scene {number} shows a card of colours: {refusal.message}"
        return Shown(artefact.key, why)


def with_picture(scene: Scene, shown: Shown) -> Scene:
    """Return a scene with what it shows among its takes."""
    own = shown.key if scene.own_image is not None else None
    take = Take(prompt=scene.prompt, take=scene.take, own_image=own, key=shown.key)
    takes = scene.takes if take in scene.takes else (*scene.takes, take)
    return scene.model_copy(update={"own_image": own, "takes": takes, "degraded": shown.degraded})


def _neighbour(number: int, found: Sequence[Shown | _Refused]) -> Shown:
    """Return what a scene shows, or the nearest scene that has a picture, the one before first."""
    mine = found[number]
    if isinstance(mine, Shown):
        return mine
    others = [
        (abs(other - number), other) for other, each in enumerate(found) if isinstance(each, Shown)
    ]
    if not others:
        raise mine.error
    nearest = found[min(others)[1]]
    assert isinstance(nearest, Shown)
    return Shown(
        nearest.key, f"Scene {number} shows scene {min(others)[1]}'s picture: {mine.error.message}"
    )


def _why(
    number: int,
    scene: Scene,
    taken: Taken[Artefact],
    models: Chain[ImageModel],
    reworded: Sequence[str],
) -> str | None:
    """Say in words why a picture is not what was asked for."""
    why: list[str] = []
    if taken.because:
        why.append(f"Scene {number} was drawn by {taken.by.provider}: {taken.because}")
    if reworded:
        why.append(f"Scene {number} was refused, and drawn in other words: {reworded[-1]}")
    if not why and not same(taken.by, pin(models.first)):
        # Made so by an earlier run, which said why.
        return scene.degraded
    return " ".join(why) or None


def _unpack(picture: Picture) -> Made:
    return Made(picture.data, suffix_of(picture.data), usage=picture.usage)
