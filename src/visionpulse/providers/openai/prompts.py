"""Storyboards, other words for pictures, and scripts, by `chat.completions`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from visionpulse.errors import RefusedError
from visionpulse.models import (
    Rewrite,
    RewriteRequest,
    Script,
    ScriptRequest,
    Storyboard,
    StoryboardRequest,
)
from visionpulse.pricing import Overrides, quote_prompts
from visionpulse.protocols import Quote
from visionpulse.providers import wording
from visionpulse.providers.openai.connection import PROVIDER, Connection, usage_of
from visionpulse.providers.wording import Request


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(default_factory=list[_Choice])


class OpenAIPrompts:
    """Plans films with OpenAI's language models, or those of a compatible server.

    Args:
        model: The model's name; by default GPT-4o while it is served, then its successor.
        api_key: Instead of OPENAI_API_KEY.
        base_url: Another server; there every model name is allowed, and a key may be absent.
        timeout: Seconds for one storyboard.
        today: The day that decides which models live; None asks the clock.
        overrides: Corrections of the price table, see `visionpulse.pricing`.
        pinned: Complain of a retired model or a missing key at the first call, not here.

    Raises:
        ConfigurationError: There is no usable key.
        ModelUnavailableError: OpenAI has switched the named model off.
    """

    provider = PROVIDER
    concurrency = 4

    def __init__(
        self,
        model: str | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = 180,
        today: date | None = None,
        overrides: Overrides | None = None,
        pinned: bool = False,
    ) -> None:
        self._connection = Connection(
            "prompts",
            model=model,
            api_key=api_key,
            base_url=base_url,
            timeout=timeout,
            today=today,
            overrides=overrides,
            pinned=pinned,
        )
        self.model: str = self._connection.model
        self.identity: str = self._connection.identity
        self.warning: str | None = self._connection.warning

    @property
    def most_scenes(self) -> int:
        """How many scenes one answer has room for, with prompts of a good length."""
        return wording.most_scenes(self._output_tokens)

    def check(self, request: Request) -> None:
        """Refuse more than one answer has room for. Raises InputError."""
        wording.check(request, self.model, self._output_tokens)

    def parameters(self, request: Request) -> Mapping[str, Any]:
        """Return the request as it is sent."""
        asked = wording.asked(request, self._output_tokens)
        schema = {"name": asked.name, "schema": asked.shape.model_json_schema(), "strict": True}
        sent: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": asked.instructions},
                {"role": "user", "content": asked.brief},
            ],
            "max_completion_tokens": asked.output_tokens,
            "response_format": {"type": "json_schema", "json_schema": schema},
        }
        if self._connection.row.dialect == "chat-reasoning":
            # Else the thinking is billed too, and eats the room for the answer.
            sent["reasoning_effort"] = "none"
        return sent

    def quote(self, request: Request) -> Quote:
        """Return what the answer costs."""
        sent = self.parameters(request)
        return quote_prompts(
            self._connection.row,
            text=json.dumps([sent["messages"], sent["response_format"]], ensure_ascii=False),
            output_tokens=sent["max_completion_tokens"],
        )

    async def storyboard(self, request: StoryboardRequest) -> Storyboard:
        """Plan the film. Raises ProviderError.

        That the ranges cover the sentences is for the caller to verify; ranges that were given are
        returned as they were.
        """
        board = await self._ask(request)
        assert isinstance(board, Storyboard)
        return board

    async def rewrite(self, request: RewriteRequest) -> Rewrite:
        """Put a prompt in other words. Raises ProviderError."""
        rewrite = await self._ask(request)
        assert isinstance(rewrite, Rewrite)
        return rewrite

    async def write(self, request: ScriptRequest) -> Script:
        """Write a narration. Raises ProviderError."""
        script = await self._ask(request)
        assert isinstance(script, Script)
        return script

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self._connection.aclose()

    @property
    def _output_tokens(self) -> int:
        return self._connection.row.output_tokens or wording.OUTPUT_TOKENS

    async def _ask(self, request: Request) -> Storyboard | Rewrite | Script:
        """Return what the model answers."""
        sent = self.parameters(request)
        answer = await self._connection.ask(
            lambda client: client.chat.completions.with_raw_response.create(**sent)
        )
        completion = self._connection.read(_Completion, answer)
        choice = completion.choices[0] if completion.choices else None
        if choice and (choice.message.refusal or choice.finish_reason == "content_filter"):
            raise RefusedError(
                f"{self.model} declined to {wording.asked(request).task}.",
                hint="Say it in other words, or take another prompt model.",
                provider=PROVIDER,
                model=self.model,
                status=200,
                request_id=answer.request_id,
                billed=True,
                usage=usage_of(answer),
            )
        if choice and choice.finish_reason == "length":
            raise self._connection.bad(
                answer,
                f"{self.model} did not come to an end within its token limit.",
                hint="Ask for less at once.",
                code="length",
            )
        said = (choice and choice.message.content) or ""
        try:
            return wording.read(request, said, usage_of(answer))
        except wording.UnusableError as error:
            reason = str(error)
        raise self._connection.bad(answer, f"{self.model} {reason}.")
