"""The way to OpenAI or a compatible server: which model, whose key, one client per event loop."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar

import httpx2
import openai
from openai import AsyncOpenAI
from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from visionpulse import pricing
from visionpulse.errors import BadAnswerError, ConfigurationError, ModelUnavailableError
from visionpulse.models import Allowance, Usage
from visionpulse.pricing import ModelKind, Overrides
from visionpulse.providers.openai.failures import ESCAPES, plain_request_id, translate
from visionpulse.providers.openai.headers import allowance

A = TypeVar("A", bound=BaseModel)

PROVIDER = "openai"
_PLACEHOLDER = "no-key"


@cache
def tls() -> ssl.SSLContext:
    """Return the one TLS context: making one takes 30 ms, and clients come and go."""
    return httpx2.create_ssl_context()


class Answer(NamedTuple):
    """A successful answer, its body not yet looked at."""

    content: bytes
    content_type: str
    request_id: str | None
    allowance: Allowance | None = None


class Connection:
    """One model at one server.

    Args:
        kind: What the model is for.
        model: Its name; None takes the preferred one that is still served.
        api_key: None leaves it to the SDK, which reads OPENAI_API_KEY; but another server named
            here is sent a key only if that is named here too.
        base_url: None leaves it to the SDK: OPENAI_BASE_URL, else api.openai.com.
        timeout: Seconds for one call from beginning to end.
        today: The day that decides which models live; None asks the clock.
        overrides: Corrections of the price table.
        pinned: The model is that of a video begun earlier: one that is gone, or a key that is, is
            an error of the first call, because everything may have been made before.

    Raises:
        ConfigurationError: There is no key, or the key or the address cannot be one.
        ModelUnavailableError: OpenAI has switched the named model off.
    """

    def __init__(
        self,
        kind: ModelKind,
        *,
        model: str | None,
        api_key: str | None,
        base_url: str | None,
        timeout: float,
        today: date | None,
        overrides: Overrides | None,
        pinned: bool,
    ) -> None:
        self._unusable: ConfigurationError | ModelUnavailableError | None = None
        self._settings = _settings(api_key, base_url)
        self._local = threading.local()
        self._timeout = timeout
        url = self._settings.base_url
        self.host: str = url.host
        self.port: int = url.port or {"https": 443}.get(url.scheme, 80)
        self.official: bool = _official(url.host)
        if self.official and self._settings.api_key == _PLACEHOLDER:
            self._unusable = ConfigurationError(
                "OPENAI_API_KEY is not set.",
                hint='Set it, pass OpenAI(api_key=...), or try without a key: Pipeline("offline")',
            )
        day = today or datetime.now(UTC).date()
        row = pricing.find(model, overrides) if model else None
        if model is None:
            row = pricing.preferred(kind, day, overrides)
        known = row is not None and row.kind == kind
        self.row: pricing.ModelRow = row if row and known else pricing.stranger(model or "", kind)
        self.model: str = self.row.name
        self.warning: str | None = self.row.warning(day) if self.official else None
        if self.official and self.row.retired(day):
            self._unusable = ModelUnavailableError(
                f"OpenAI switched {self.model} off on {self.row.ends}.",
                hint=f"Use {self.row.successor}, or a server that still has {self.model} "
                "(base_url=...).",
                provider=PROVIDER,
                model=self.model,
            )
        if self._unusable and not pinned:
            raise self._unusable
        # No user and no query: they may hold secrets, and they change nothing in the answer.
        place = url.copy_with(userinfo=b"", query=None, fragment=None)
        self.identity: str = f"{PROVIDER}:{str(place).rstrip('/')}:{self.model}"

    async def ask(self, call: Callable[[Any], Awaitable[Any]]) -> Answer:
        """Make one call of the SDK's raw form. Raises ProviderError, never an error of the SDK."""
        if self._unusable:
            raise self._unusable
        try:
            async with asyncio.timeout(self._timeout):
                raw = await call(self._client())
            kind = raw.headers.get("content-type", "")
            return Answer(
                raw.content,
                kind.partition(";")[0].strip().lower(),
                plain_request_id(raw.request_id),
                allowance(raw.headers),
            )
        except ESCAPES as error:
            failure = translate(
                error,
                server="OpenAI" if self.official else self.host,
                provider=PROVIDER,
                model=self.model,
                successor=self.row.successor,
                timeout=self._timeout,
            )
        # Out here, because an SDK's error left as the context would carry parts of the key.
        raise failure

    def read(self, shape: type[A], answer: Answer) -> A:
        """Return what an answer says. Raises BadAnswerError."""
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError:
            what = "a web page" if answer.content.lstrip()[:1] == b"<" else "something else"
        raise self.bad(
            answer,
            f"{self.model} should have answered with JSON of a known shape and sent {what}.",
            hint=self.address_hint,
        )

    @property
    def address_hint(self) -> str | None:
        """What to look at when something else than a model seems to answer."""
        return None if self.official else "Is base_url right? It usually ends in /v1."

    def bad(
        self, answer: Answer, message: str, *, hint: str | None = None, code: str | None = None
    ) -> BadAnswerError:
        """Return the error for an answer that was paid and cannot be used."""
        return BadAnswerError(
            message,
            hint=hint,
            code=code,
            provider=PROVIDER,
            model=self.model,
            status=200,
            request_id=answer.request_id,
            allowance=answer.allowance,
            billed=True,
            usage=usage_of(answer),
        )

    async def aclose(self) -> None:
        """Close this event loop's client; the next call makes another."""
        held = getattr(self._local, "held", None)
        if held is not None and held[0] is asyncio.get_running_loop():
            del self._local.held
            await held[1].close()

    def _client(self) -> AsyncOpenAI:
        # Connections belong to the loop that opened them, and a thread runs one loop at a time.
        loop = asyncio.get_running_loop()
        held = getattr(self._local, "held", None)
        if held is None or held[0] is not loop:
            # A redirected POST could take the key and the script elsewhere.
            http = openai.DefaultAsyncHttpxClient(follow_redirects=False, verify=tls())
            held = self._local.held = (
                loop,
                self._settings.copy(
                    http_client=http, timeout=httpx2.Timeout(self._timeout, connect=10)
                ),
            )
        return held[1]


def _settings(api_key: str | None, base_url: str | None) -> AsyncOpenAI:
    """Let the SDK find key and address in its own way, without opening anything."""

    def find(key: str | None) -> AsyncOpenAI:
        # Retries live in calls.py. This transport is never used: a real one takes 30 ms to make.
        idle = httpx2.AsyncClient(transport=httpx2.AsyncBaseTransport(), trust_env=False)
        return AsyncOpenAI(
            api_key=key or None, base_url=base_url or None, max_retries=0, http_client=idle
        )

    try:
        found = find(api_key)
    except openai.OpenAIError:
        found = find(_PLACEHOLDER)
    found.api_key = found.api_key or _PLACEHOLDER
    if base_url and not api_key and not _official(found.base_url.host):
        # The key in the environment is for OpenAI, or for OPENAI_BASE_URL: nobody else gets it.
        found.api_key = _PLACEHOLDER
    if not (found.api_key.isascii() and found.api_key.isprintable() and " " not in found.api_key):
        raise ConfigurationError(
            "The API key holds a character that no key has, such as a space or a line break.",
            hint="Copy it again: it is one word.",
        )
    if found.base_url.scheme not in {"http", "https"} or not found.base_url.host:
        raise ConfigurationError(
            "The base_url is not an address.", hint="It looks like https://api.openai.com/v1"
        )
    return found


def _official(host: str) -> bool:
    return host == "api.openai.com" or host.endswith(".api.openai.com")


class Tokens(BaseModel):
    """What the vendor counted, under the names of either endpoint."""

    prompt_tokens: Annotated[int, Field(ge=0)] | None = None
    completion_tokens: Annotated[int, Field(ge=0)] | None = None
    input_tokens: Annotated[int, Field(ge=0)] | None = None
    output_tokens: Annotated[int, Field(ge=0)] | None = None

    @property
    def usage(self) -> Usage:
        """As a value of ours."""
        return Usage(
            input_tokens=self.prompt_tokens if self.input_tokens is None else self.input_tokens,
            output_tokens=self.completion_tokens
            if self.output_tokens is None
            else self.output_tokens,
        )


def usage_of(answer: Answer) -> Usage:
    """Return what an answer says of itself and of further calls, whatever else it is worth."""
    try:
        counted = _Bill.model_validate_json(answer.content).usage
    except ValidationError:
        counted = None
    usage = counted.usage if counted else Usage()
    said = {"request_id": answer.request_id, "allowance": answer.allowance}
    return usage.model_copy(update=said)


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> Tokens | None:
    try:
        counted: Tokens | None = read(value)
    except ValidationError:
        return None
    return counted


Counted = Annotated[Tokens | None, WrapValidator(_or_none)]
"""Token counts; nonsense in them must not spoil an answer that was paid."""


class _Bill(BaseModel):
    usage: Counted = None
