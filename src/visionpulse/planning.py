"""What is asked of prompt models: storyboards, other words for a picture, scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from visionpulse import loop
from visionpulse.asking import SURVIVABLE, Chain, Question, pin
from visionpulse.calls import Made
from visionpulse.errors import (
    BadAnswerError,
    ConfigurationError,
    ProviderError,
    RefusedError,
    ScriptRefusedError,
)
from visionpulse.ledger import Ledger, current_run
from visionpulse.models import (
    Artefact,
    Pin,
    Rewrite,
    RewriteRequest,
    Scene,
    Script,
    ScriptRequest,
    Storyboard,
    StoryboardRequest,
    Value,
)
from visionpulse.prompting import Unwanted
from visionpulse.protocols import PromptModel, Use
from visionpulse.storyboard import check_storyboard, joined, parts_of, with_keywords

_MOST_SCENES = 40
"""In one call, of a model that does not say how many it can: an answer of about 6,000 tokens."""


@dataclass(frozen=True)
class Planning:
    """The prompt models at work for one video."""

    ledger: Ledger
    models: Chain[PromptModel]
    use: Use

    def parts(self, whole: StoryboardRequest) -> list[StoryboardRequest]:
        """Divide a long film into as many requests as it takes."""
        most = min(getattr(model, "most_scenes", _MOST_SCENES) for model in self.models.models)
        return parts_of(whole, most)

    def question(
        self, model: PromptModel, request: StoryboardRequest
    ) -> Question[StoryboardRequest]:
        """Return what is asked for one part."""
        return Question("prompts", 2, model, model.storyboard, request, Storyboard, self.use)

    def check(self, whole: StoryboardRequest) -> None:
        """Make sure that some model can plan the film. Raises as `Chain.check`."""

        def check(model: PromptModel) -> None:
            for part in self.parts(whole):
                self.question(model, part).check()

        self.models.check(check)

    async def storyboard(self, whole: StoryboardRequest) -> tuple[Storyboard, Pin]:
        """Return the storyboard of a film, checked, and who made it.

        Raises:
            ProviderError: No model delivered.
        """
        parts = self.parts(whole)
        if run := current_run.get():
            run.plan("generate_prompts", len(parts))
        first, by = await self._part(parts[0])
        # The rest of a long film keeps to the bible that came with its beginning.
        bible = whole.bible or first.bible
        rest = await loop.all_of(
            *(self._part(part.model_copy(update={"bible": bible})) for part in parts[1:])
        )
        boards = [first, *(board for board, _ in rest)]
        return with_keywords(joined(parts, boards, bible), whole), by

    async def _part(self, request: StoryboardRequest) -> tuple[Storyboard, Pin]:
        async def ask(model: PromptModel) -> Artefact:
            question = self.question(model, request)
            question.check()
            try:
                return await question.answer(
                    self.ledger, _unpack, lambda made: _verify_storyboard(made, request)
                )
            except RefusedError as error:
                raise ScriptRefusedError(
                    error.message,
                    hint=error.hint,
                    provider=error.provider,
                    model=error.model,
                    status=error.status,
                    request_id=error.request_id,
                    billed=error.billed,
                    usage=error.usage,
                ) from error

        taken = await self.models.ask(ask, self.ledger, self.use)
        board: Storyboard = await self._read(taken.answer, Storyboard)
        return board, taken.by.model_copy(update={"because": taken.because})

    async def without(self, scene: Scene, avoid: Sequence[str]) -> Scene:
        """Return a scene whose prompt names nothing of what is to be avoided."""
        unwanted = Unwanted(avoid)
        if not unwanted.named_in(scene.prompt):
            return scene
        request = RewriteRequest(
            prompt=scene.prompt, reason="unwanted", text=scene.text, avoid=tuple(avoid)
        )
        prompt = await self.rewritten(request) or scene.prompt
        if unwanted.named_in(prompt):
            prompt = unwanted.without(prompt) or "A quiet view."
        return scene.model_copy(update={"prompt": prompt})

    async def rewritten(self, request: RewriteRequest) -> str | None:
        """Return other words for a picture; None where no model has any.

        Raises:
            ProviderError: One that stops the whole job, such as a bill that was not paid.
        """
        stop: ProviderError | None = None
        for model in self.models.models:
            if rewrite := getattr(model, "rewrite", None):
                question = Question("rewrite", 1, model, rewrite, request, Rewrite, self.use)
                try:
                    artefact = await question.answer(self.ledger, _unpack, _verify_rewrite)
                except SURVIVABLE as error:
                    if isinstance(error, ProviderError) and error.stops_job:
                        stop = stop or error
                    continue
                found: Rewrite = await self._read(artefact, Rewrite)
                return found.prompt
        if stop:
            raise stop
        return None

    async def script(self, request: ScriptRequest) -> str:
        """Return a narration about a topic.

        Raises:
            ConfigurationError: No model can write one.
            ProviderError: No model delivered.
        """

        async def ask(model: PromptModel) -> Artefact:
            write = getattr(model, "write", None)
            if write is None:
                who = pin(model)
                raise ConfigurationError(
                    f"{who.provider}'s {who.model} cannot write a script.",
                    hint="It takes a language model: pass prompts=..., or write it yourself.",
                )
            question = Question("script", 1, model, write, request, Script, self.use)
            question.check()
            return await question.answer(self.ledger, _unpack, _verify_script)

        taken = await self.models.ask(ask, self.ledger, self.use)
        script: Script = await self._read(taken.answer, Script)
        return script.text

    async def _read(self, artefact: Artefact, shape: type[Any]) -> Any:
        data = await loop.in_thread(self.ledger.read, artefact.key)
        return shape.model_validate_json(data)


def _unpack(answer: Any) -> Made:
    value: Value = answer
    return Made(value.model_dump_json(exclude={"usage"}).encode(), ".json", usage=answer.usage)


def _verify_storyboard(made: Made, request: StoryboardRequest) -> None:
    assert isinstance(made.data, bytes)
    check_storyboard(Storyboard.model_validate_json(made.data), request)


def _verify_rewrite(made: Made) -> None:
    assert isinstance(made.data, bytes)
    if not Rewrite.model_validate_json(made.data).prompt.strip():
        raise BadAnswerError("The prompt model had no other words for the picture.")


def _verify_script(made: Made) -> None:
    assert isinstance(made.data, bytes)
    if not Script.model_validate_json(made.data).text.strip():
        raise BadAnswerError("The prompt model wrote an empty script.")
