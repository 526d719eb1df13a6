"""Asking plugged-in models for something, through the ledger; the next where one gives up.

What a model does not say of itself (see `protocols`) gets the careful answer here.
"""

from __future__ import annotations

import inspect
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import Any, Generic, NamedTuple, TypeVar

from visionpulse import loop, registry
from visionpulse.calls import Made
from visionpulse.errors import (
    ConfigurationError,
    LanguageError,
    ProviderError,
    RefusedError,
    UnknownNameError,
    VisionPulseError,
)
from visionpulse.ledger import Ledger, Recipe, current_run, current_stage
from visionpulse.models import Artefact, Event, Pin, Value
from visionpulse.pricing import UNKNOWN
from visionpulse.protocols import Quote, Use

Request = TypeVar("Request", bound=Value)
Model = TypeVar("Model")
Answer = TypeVar("Answer")

SURVIVABLE = (ProviderError, LanguageError, UnknownNameError, ConfigurationError)
"""What another model may do better. A cap of the user's is no such thing, nor is a full disk."""
_FAILURES = 3
_REST_SECONDS = 60.0


@dataclass(frozen=True)
class Question(Generic[Request]):
    """One request to one model: what it costs, what names its result, how it is made.

    Args:
        kind: Of the artefact: `prompts`, `picture`, `speech`.
        version: Of what we make of the answer.
        model: Whom to ask.
        method: Which of the model's methods.
        request: With what.
        answers: What the method has to return.
        use: For which video and scene.
        concurrency: How many such calls may be in flight, unless the model says.
    """

    kind: str
    version: int
    model: Any
    method: Callable[[Any], Any]
    request: Request
    answers: type[Value]
    use: Use
    concurrency: int = 4

    @property
    def recipe(self) -> Recipe:
        """What is asked for, as the ledger names it."""
        who = pin(self.model)
        sent = getattr(self.model, "parameters", None)
        parameters: Mapping[str, Any] = (
            sent(self.request) if sent else self.request.model_dump(mode="json")
        )
        inputs: dict[str, Any] = {
            "by": who.identity,
            "parameters": parameters,
            "take": self.use.take,
        }
        if not who.identity:
            # Two instances that do not say how they differ must never share a result.
            inputs |= {"video": self.use.video_id, "maker": f"{who.provider} {who.model}"}
        return Recipe(self.kind, self.version, who.provider, who.model, inputs)

    @property
    def quote(self) -> Quote:
        """The price of asking; unknown unless the model tells it."""
        price = getattr(self.model, "quote", None)
        if price is None:
            return UNKNOWN
        quote: Any = price(self.request)
        bound: Any = getattr(quote, "bound", ...)
        if not isinstance(quote, Quote) or not isinstance(bound, (Decimal, NoneType)):
            raise ConfigurationError(
                f"{type(self.model).__name__}.quote returned {quote!r}.",
                hint="It has to return a visionpulse.protocols.Quote of Decimals, or of None.",
            )
        return quote

    def check(self) -> None:
        """Have the model look at the request before money is spent. Raises InputError."""
        if check := getattr(self.model, "check", None):
            check(self.request)

    async def answer(
        self, ledger: Ledger, unpack: Callable[[Any], Made], verify: Callable[[Made], None]
    ) -> Artefact:
        """Return the recorded answer, or ask, unpack and verify it. Raises as `Ledger.once`."""
        rests = _rests.get()

        async def make(_scratch: Path) -> Made:
            if rests(self.model):
                # It failed others while this call was waiting for its turn.
                who = pin(self.model)
                raise ProviderError(
                    f"{who.provider}'s {who.model} has failed {_FAILURES} times in a row.",
                    code="resting",
                    provider=who.provider,
                    model=who.model,
                )
            return unpack(await self._call())

        try:
            return await ledger.once(
                self.recipe,
                make,
                verify,
                use=self.use,
                quote=self.quote,
                concurrency=getattr(self.model, "concurrency", self.concurrency),
            )
        except ProviderError as error:
            # What we find wrong with an answer does not know whose answer it was.
            who = pin(self.model)
            error.provider = error.provider or who.provider
            error.model = error.model or who.model
            raise

    async def _call(self) -> Any:
        try:
            answer = await loop.call(self.method, self.request)
        except VisionPulseError:
            raise
        except Exception as error:
            # A plug-in's own exception: its text may hold anything, so only its kind is passed on.
            who = pin(self.model)
            raise ProviderError(
                f"{who.provider}'s {who.model} failed with {type(error).__name__}.",
                hint="The exception itself is this one's cause.",
                code="unexpected",
                provider=who.provider,
                model=who.model,
                billed=None,
            ) from error
        if not isinstance(answer, self.answers):
            raise ConfigurationError(
                f"{self.method.__qualname__} returned {type(answer).__name__}.",
                hint=f"It has to return a visionpulse.models.{self.answers.__name__}.",
            )
        return answer


class Taken(NamedTuple, Generic[Answer]):
    """What was asked for, and who gave it."""

    answer: Answer
    by: Pin
    because: str | None
    """In words, why it was not the first choice, if it was not."""


class Chain(Generic[Model]):
    """The models for one purpose, in order of preference: where one gives up, the next takes over.

    A model that gave up three times in a row is passed over for a minute.

    Args:
        models: At least one.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        if not models:
            raise ConfigurationError("There is no model to ask.", hint="Name one at least.")
        self.models: tuple[Model, ...] = tuple(models)

    @property
    def first(self) -> Model:
        """The model that is asked first."""
        return self.models[0]

    def check(self, check: Callable[[Model], None]) -> None:
        """Make sure that one model at least can do it, before money is spent.

        Raises:
            VisionPulseError: What the first one says against it.
        """
        against: list[VisionPulseError] = []
        for model in self.models:
            try:
                return check(model)
            except SURVIVABLE as error:
                against.append(error)
        raise against[0]

    async def ask(
        self,
        ask: Callable[[Model], Awaitable[Answer]],
        ledger: Ledger,
        use: Use,
        *,
        before: Sequence[Model] = (),
    ) -> Taken[Answer]:
        """Ask one model after another until one delivers.

        Args:
            ask: Asks one.
            ledger: Whose models they are.
            use: For which video and scene, for the event that tells of a takeover.
            before: Models to be asked before the others: they have made this already.

        Raises:
            VisionPulseError: What the last one failed with.
        """
        health = _healths.setdefault(ledger, _Health())
        first = pin(self.first)
        order = sorted(self.models, key=lambda model: model not in before)
        rested = [model for model in order if not health.resting(model)] or order
        because = None
        if rested[0] is not self.first and rested[0] not in before:
            because = f"{first.provider}'s {first.model} has failed {_FAILURES} times in a row."
        # Whoever is left is asked, however often it has failed.
        last = rested[-1]
        all_rest = health.resting(last)
        token = _rests.set(
            lambda model: model is not last and not all_rest and health.resting(model)
        )
        try:
            return await self._in_turn(ask, rested, because, health, use)
        finally:
            _rests.reset(token)

    async def _in_turn(
        self,
        ask: Callable[[Model], Awaitable[Answer]],
        models: Sequence[Model],
        because: str | None,
        health: _Health,
        use: Use,
    ) -> Taken[Answer]:
        for number, model in enumerate(models):
            who = pin(model)
            if because:
                _tell_of_takeover(who, because, use)
            try:
                answer = await ask(model)
            except SURVIVABLE as error:
                health.note(model, error)
                if number == len(models) - 1:
                    raise
                because = because or error.message
            else:
                health.note(model, None)
                return Taken(answer, who, because if model is not self.first else None)
        raise AssertionError


@dataclass
class _Health:
    """How often each model has given up in a row, and until when it is left alone."""

    failures: dict[int, int] = field(default_factory=dict[int, int])
    until: dict[int, float] = field(default_factory=dict[int, float])

    def resting(self, model: object) -> bool:
        return time.monotonic() < self.until.get(id(model), 0)

    def note(self, model: object, error: VisionPulseError | None) -> None:
        if isinstance(error, RefusedError) or (error and not isinstance(error, ProviderError)):
            return  # That was about the request.
        if error and error.code == "resting":
            return
        count = self.failures.get(id(model), 0) + 1 if error else 0
        self.failures[id(model)] = count
        if count >= _FAILURES:
            self.until[id(model)] = time.monotonic() + _REST_SECONDS


def _never(_model: object) -> bool:
    return False


# Asked at the moment a call begins: of many that wait for their turn, most come too late to know
# when they are put into the queue.
_rests: ContextVar[Callable[[object], bool]] = ContextVar("visionpulse_rests", default=_never)
# A ledger lives as long as the pipeline that keeps the models.
_healths: weakref.WeakKeyDictionary[Ledger, _Health] = weakref.WeakKeyDictionary()


def _tell_of_takeover(who: Pin, because: str, use: Use) -> None:
    if run := current_run.get():
        run.tell(
            Event(
                kind="degraded",
                video_id=use.video_id,
                stage=current_stage.get(),
                scene=use.scene,
                provider=who.provider,
                message=f"{who.provider}'s {who.model} takes over: {because}",
            )
        )


def chain(
    kind: registry.Kind, seam: type[Any], provider: str | Sequence[str], given: Any
) -> Chain[Any]:
    """Return the models for one purpose.

    Args:
        kind: The purpose.
        seam: The protocol they have to have.
        provider: Whose models they are, unless some are given.
        given: A Chain, a model (or a chat model of LangChain), or several.

    Raises:
        ConfigurationError: A model lacks a method, or a provider cannot be used.
        UnknownNameError: There is no such provider.
    """
    if given is None:
        names = [provider] if isinstance(provider, str) else provider
        given = [registry.model(kind, name) for name in names]
    several: Any = getattr(given, "models", given)
    listed: list[Any] = [*several] if isinstance(several, (list, tuple)) else [given]
    models = [registry.adapted(kind, each) for each in listed]
    for model in models:
        fits(model, seam)
    return Chain(models)


def fits(model: Any, seam: type[Any]) -> None:
    """Make sure that a plugged-in model has the methods of its protocol.

    Raises:
        ConfigurationError: It lacks one.
    """
    if not isinstance(model, seam):
        wanted = sorted(name for name in vars(seam) if not name.startswith("_"))
        raise ConfigurationError(
            f"{type(model).__name__} is no {seam.__name__}.",
            hint=f"It needs the method {', '.join(wanted)}; see visionpulse.protocols.",
        )


def pin(model: Any) -> Pin:
    """Return who a model says it is; an empty identity is a model that does not say."""
    return Pin(
        provider=getattr(model, "provider", model.__class__.__module__.partition(".")[0]),
        model=getattr(model, "model", model.__class__.__name__),
        identity=getattr(model, "identity", ""),
    )


def same(one: Pin, other: Pin) -> bool:
    """Return whether two pins are of the same maker, whatever is said of it."""
    return one.model_copy(update={"because": None}) == other.model_copy(update={"because": None})


async def close(model: Any) -> None:
    """Close a model that has something to close."""
    if end := getattr(model, "aclose", None) or getattr(model, "close", None):
        result = end()
        if inspect.isawaitable(result):
            await result
