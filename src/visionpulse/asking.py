"""Asking a plugged-in model for something, through the ledger.

What a model does not say of itself (see `protocols`) gets the careful answer here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import Any, Generic, TypeVar

from visionpulse import loop
from visionpulse.calls import Made
from visionpulse.errors import ConfigurationError, ProviderError, VisionPulseError
from visionpulse.ledger import Ledger, Recipe
from visionpulse.models import Artefact, Pin, Value
from visionpulse.pricing import UNKNOWN
from visionpulse.protocols import Quote, Use

Request = TypeVar("Request", bound=Value)


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

        async def make(_scratch: Path) -> Made:
            return unpack(await self._call())

        return await ledger.once(
            self.recipe,
            make,
            verify,
            use=self.use,
            quote=self.quote,
            concurrency=getattr(self.model, "concurrency", self.concurrency),
        )

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


async def close(model: Any) -> None:
    """Close a model that has something to close."""
    if end := getattr(model, "aclose", None) or getattr(model, "close", None):
        result = end()
        if inspect.isawaitable(result):
            await result
