"""Any chat model of LangChain as a prompt model; it is handed in, so nothing is imported."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
from collections.abc import Container, Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel

from visionpulse import loop
from visionpulse.errors import (
    AuthenticationError,
    BadAnswerError,
    ModelUnavailableError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    RefusedError,
)
from visionpulse.models import (
    Rewrite,
    RewriteRequest,
    Script,
    ScriptRequest,
    Storyboard,
    StoryboardRequest,
    Usage,
)
from visionpulse.pricing import ModelRow, Price, quote_prompts
from visionpulse.protocols import Quote
from visionpulse.providers import wording
from visionpulse.providers.wording import Asked, Request

PROVIDER: Final = "langchain"
# Each vendor's package has names of its own for the same things.
_NAMES: Final = ("model_name", "model", "model_id", "deployment_name", "azure_deployment")
_LIMITS: Final = ("max_tokens", "max_output_tokens", "max_completion_tokens", "num_predict")
_SECRET: Final = re.compile(
    r"key|secret|password|credential|auth|header|cookie|token$", re.IGNORECASE
)
# What changes nothing in an answer.
_ASIDE: Final = re.compile(
    r"^(cache|verbose|callbacks|tags|metadata|name|rate_limiter|(request_|default_)?timeout|"
    r"max_retries|streaming|disable_streaming|stream_\w+|profile|config|output_version)$"
)


class LangChainPrompts:
    """Plans films with a chat model of LangChain, such as `ChatAnthropic` or `ChatOllama`.

    The model fills in a form where it can (`with_structured_output`), and is asked for JSON where
    it cannot. It should not repeat failed calls by itself (`max_retries=0`): VisionPulse does, and
    counts what each one costs.

    Args:
        chat_model: The chat model, or one with `bind`, `with_retry` or `with_fallbacks`.
        name: What to call the model; by default the name that it gives.
        price: What its tokens cost; without it the price is unknown. Under a budget the model needs
            a limit of its own (`max_tokens`) too, so that a call has a highest price.
        timeout: Seconds for one storyboard.
    """

    provider = PROVIDER
    concurrency = 4

    def __init__(
        self,
        chat_model: Any,
        *,
        name: str | None = None,
        price: Price | None = None,
        timeout: float = 180,
    ) -> None:
        self._chat = chat_model
        self._timeout = timeout
        named = (getattr(chat_model, each, None) for each in _NAMES)
        kind = type(chat_model)
        self.model: str = name or next(
            (each for each in named if each and isinstance(each, str)), kind.__name__
        )
        self.identity: str = ""
        if isinstance(chat_model, BaseModel):
            said = json.dumps(_parameters(chat_model), sort_keys=True)
            digest = hashlib.sha256(said.encode()).hexdigest()[:16]
            package = kind.__module__.partition(".")[0]
            self.identity = f"{PROVIDER}:{package}.{kind.__name__}:{self.model}:{digest}"
        limits = (getattr(chat_model, each, None) for each in _LIMITS)
        self._limit = next((each for each in limits if isinstance(each, int) and each > 0), None)
        self._row = ModelRow(
            name=self.model, kind="prompts", dialect="chat", price=price or Price()
        )
        self._forms: dict[type[BaseModel], Any] = {}

    @property
    def most_scenes(self) -> int:
        """How many scenes one answer has room for, with prompts of a good length."""
        return max(1, wording.most_scenes(self._output_tokens))

    def check(self, request: Request) -> None:
        """Refuse more than one answer has room for. Raises InputError."""
        wording.check(request, self.model, self._output_tokens)

    def parameters(self, request: Request) -> Mapping[str, Any]:
        """Return the request as it is handed to the chat model."""
        asked = wording.asked(request, self._output_tokens)
        return {
            "messages": [list(message) for message in self._messages(asked)],
            "form": asked.shape.model_json_schema(),
        }

    def quote(self, request: Request) -> Quote:
        """Return what the answer costs."""
        text = json.dumps(self.parameters(request), ensure_ascii=False)
        quote = quote_prompts(self._row, text=text, output_tokens=self._output_tokens)
        # Without a limit an answer may be of any length.
        return quote if self._limit else Quote(None, quote.cost)

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

    @property
    def _output_tokens(self) -> int:
        return self._limit or wording.OUTPUT_TOKENS

    def _form(self, asked: Asked) -> Any:
        """Return the model made to fill in a form; None if it cannot."""
        if asked.shape not in self._forms:
            form = None
            # Of the class: a binding passes on the method, but not what was bound.
            if hasattr(type(self._chat), "with_structured_output"):
                try:
                    form = self._chat.with_structured_output(asked.shape, include_raw=True)
                except NotImplementedError:
                    form = None
            self._forms[asked.shape] = form
        return self._forms[asked.shape]

    def _messages(self, asked: Asked) -> list[tuple[str, str]]:
        instructions = asked.instructions
        if self._form(asked) is None:
            schema = json.dumps(asked.shape.model_json_schema())
            instructions += f"\n\nAnswer with JSON alone, of this schema:\n{schema}"
        return [("system", instructions), ("human", asked.brief)]

    async def _ask(self, request: Request) -> Storyboard | Rewrite | Script:
        """Return what the model answers."""
        asked = wording.asked(request, self._output_tokens)
        # Vendors' packages share connections between models, and those belong to one loop.
        raw, parsed, error = await loop.hop(self._call, asked)
        failure = error and _translate(error, self.model, asked)
        # What LangChain could not read may be read all the same: JSON in a text.
        if failure and not (raw and isinstance(failure, BadAnswerError)):
            raise failure
        about = getattr(raw, "response_metadata", None) or {}
        if ended := _ENDS.get(about.get("finish_reason") or about.get("stop_reason") or ""):
            raise _error(ended, self.model, asked)
        said = parsed.model_dump() if isinstance(parsed, BaseModel) else _json(_text(raw))
        try:
            return wording.read(request, said, _usage(raw))
        except wording.UnusableError as unusable:
            fault = str(unusable)
        raise BadAnswerError(f"{self.model} {fault}.", provider=PROVIDER, model=self.model)

    async def _call(self, asked: Asked) -> tuple[Any, Any, Exception | None]:
        """Return the message, what LangChain read from it, and what went wrong."""
        runnable = self._form(asked) or self._chat
        call = getattr(runnable, "ainvoke", None) or runnable.invoke
        try:
            async with asyncio.timeout(self._timeout):
                answer = await loop.call(call, self._messages(asked))
        except Exception as error:
            # Vendors raise what they like. Not as a cause: its text and its request hold keys.
            return None, None, error
        if runnable is self._chat:
            return answer, None, None
        return answer.get("raw"), answer.get("parsed"), answer.get("parsing_error")


def _parameters(value: Any) -> Any:
    """Return what a chat model is set to, as plain data: nothing secret, no clients."""
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name, None) for name in type(value).model_fields}
        return {"class": type(value).__name__, **_parameters(fields)}
    if isinstance(value, Mapping):
        named = {
            str(name): _parameters(each)
            for name, each in value.items()
            if not (_SECRET.search(str(name)) or _ASIDE.search(str(name)))
        }
        return {name: each for name, each in named.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [_parameters(each) for each in value]
    if isinstance(value, Enum):
        return _parameters(value.value)
    if isinstance(value, str):
        return _without_userinfo(value) if "://" in value else value
    return value if isinstance(value, (bool, int, float)) else None


def _without_userinfo(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _text(message: Any) -> str:
    """Return the text of a message, which may come in blocks."""
    content = getattr(message, "content", message)
    blocks = content if isinstance(content, list) else [content]
    texts = [each.get("text") if isinstance(each, Mapping) else each for each in blocks]
    return "".join(each for each in texts if isinstance(each, str))


def _json(text: str) -> str:
    """Return the object in a text: many models put words or a code fence around it."""
    begin, end = text.find("{"), text.rfind("}")
    return text[begin : end + 1] if 0 <= begin < end else text


def _usage(message: Any) -> Usage | None:
    counted = getattr(message, "usage_metadata", None)
    if not isinstance(counted, Mapping):
        return None
    read, made = counted.get("input_tokens"), counted.get("output_tokens")
    if not (isinstance(read, int) and isinstance(made, int) and min(read, made) >= 0):
        return None
    return Usage(input_tokens=read, output_tokens=made)


# ------------------------------------------------------------------ what went wrong


class _Failure(NamedTuple):
    """One way a call fails, and what tells it: any of the three is enough."""

    error: type[ProviderError]
    message: str
    hint: str | None = None
    kinds: str | None = None
    """How a class of the exception, or one it came from, is called."""
    statuses: Container[int] = ()
    codes: str | None = None
    """How the vendor's code is called."""
    facts: Mapping[str, Any] = {}


_DECLINED: Final = _Failure(
    RefusedError,
    "{model} declined to {task}.",
    "Say it in other words, or take another prompt model.",
    kinds="Refusal|ContentFilter|ContentPolicy|Moderation|BlockedPrompt",
    codes="content_filter|content_policy|moderation",
)
_CUT: Final = _Failure(
    BadAnswerError,
    "{model} did not come to an end within its token limit.",
    "Raise the chat model's limit (max_tokens), or ask for less at once.",
    kinds="LengthFinishReason",
    facts={"code": "length"},
)
# How an answer says that it ended before its end.
_ENDS: Final = {
    **dict.fromkeys(("length", "max_tokens", "MAX_TOKENS"), _CUT),
    **dict.fromkeys(("content_filter", "refusal", "SAFETY", "BLOCKLIST"), _DECLINED),
}
_MAYBE_BILLED: Final = "It may have been billed all the same."
# The first that fits. The vendor's text is never looked at: it may repeat parts of the key.
_FAILURES: Final = (
    _DECLINED,
    _Failure(
        QuotaError,
        "The credit or a spending limit for {model} is used up.",
        "Add credit or raise the limit there, then resume: nothing made so far is lost.",
        statuses={402},
        codes="quota|credit|billing|spend",
    ),
    _Failure(
        AuthenticationError,
        "The key of {model} is not accepted.",
        "Look at the key that the chat model was made with.",
        kinds="AuthenticationError|Unauthenticated|Unauthorized|UnrecognizedClient",
        statuses={401},
    ),
    _Failure(
        AuthenticationError,
        "The key of {model} may not use it.",
        "Look at the key's permissions, and whether the country is served.",
        kinds="PermissionDenied|Forbidden|AccessDenied",
        statuses={403},
        facts={"code": "permission_denied"},
    ),
    _Failure(
        ModelUnavailableError,
        "There is no model {model!r}, or not for this key.",
        "Look at the model's name and at its address.",
        kinds="ModelNotFound|ResourceNotFound",
        statuses={404, 410},
    ),
    _Failure(
        RateLimitError,
        "The vendor of {model} asks for fewer calls at a time.",
        kinds="RateLimit|ResourceExhausted|Throttl|TooManyRequests",
        statuses={429},
    ),
    _Failure(
        ProviderConnectionError,
        "The vendor of {model} could not be reached.",
        "Look at the network, the proxy settings and the model's address.",
        kinds="ConnectError|ConnectTimeout|ConnectionRefused|gaierror|EndpointConnection",
    ),
    _Failure(
        ProviderTimeoutError,
        "{model} did not finish an answer in time.",
        _MAYBE_BILLED,
        kinds="Timeout|TimedOut|DeadlineExceeded",
        statuses={408, 504},
    ),
    _Failure(
        ProviderConnectionError,
        "The vendor of {model} had an error of its own.",
        kinds="InternalServer|ServiceUnavailable|Overloaded",
        statuses=range(500, 600),
        facts={"code": "server_error", "billed": None},
    ),
    _Failure(
        ProviderConnectionError,
        "The connection to {model} broke off before the answer was complete.",
        _MAYBE_BILLED,
        kinds="ConnectionError|ProtocolError|ReadError|OSError",
        facts={"billed": None},
    ),
    _CUT,
    _Failure(
        ProviderError,
        "{model} does not take this call.",
        "It may want other parameters; another model may do.",
        statuses=range(400, 500),
        facts={"code": "invalid_request"},
    ),
    _Failure(
        BadAnswerError,
        "{model} answered with something that cannot be read.",
        # The builtins are what packages stumble over when an answer is not what they expect.
        kinds="ValidationError|DecodeError|OutputParser|AttributeError|LookupError|TypeError",
    ),
    _Failure(
        ProviderError,
        "{model} failed with {kind}.",
        kinds="",
        facts={"code": "unexpected", "billed": None},
    ),
)


def _translate(error: Exception, model: str, asked: Asked) -> ProviderError:
    """Return what an exception of a vendor's package means, as well as its kind tells."""
    raised = [*_causes(error)]
    kinds = " ".join(kind.__name__ for each in raised for kind in type(each).__mro__)
    status = next((number for each in raised if (number := _status(each))), None)
    codes = " ".join(_code(each) for each in raised)
    failure = next(
        each
        for each in _FAILURES
        if (status is not None and status in each.statuses)
        or (each.kinds is not None and re.search(each.kinds, kinds))
        or (each.codes is not None and re.search(each.codes, codes))
    )
    facts: dict[str, Any] = {}
    if failure.error is RateLimitError:
        waits = (_retry_after(each) for each in raised)
        facts["retry_after"] = next((each for each in waits if each is not None), None)
    return _error(failure, model, asked, kind=type(error).__name__, status=status, **facts)


def _error(
    failure: _Failure,
    model: str,
    asked: Asked,
    *,
    kind: str = "",
    status: int | None = None,
    **facts: Any,
) -> ProviderError:
    if failure is _DECLINED:
        # Without a status it was an answer that said no.
        facts["billed"] = status is None
    return failure.error(
        failure.message.format(model=model, task=asked.task, kind=kind),
        hint=failure.hint,
        provider=PROVIDER,
        model=model,
        status=status,
        **{**failure.facts, **facts},
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what it came from, the nearest first."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _status(error: BaseException) -> int | None:
    """Return the HTTP status an exception tells, wherever the vendor has put it."""
    answer = getattr(error, "response", None)
    about = answer.get("ResponseMetadata", {}) if isinstance(answer, Mapping) else {}
    for said in (
        getattr(error, "status_code", None),
        getattr(error, "http_status", None),
        getattr(error, "code", None),
        getattr(answer, "status_code", None),
        about.get("HTTPStatusCode"),
    ):
        number = getattr(said, "value", said)
        if isinstance(number, int) and 400 <= number <= 599:
            return int(number)
    return None


def _code(error: BaseException) -> str:
    said = getattr(error, "code", None)
    return said if isinstance(said, str) else ""


def _retry_after(error: BaseException) -> float | None:
    """Return the seconds that a vendor asks to wait."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    try:
        seconds = float((headers or {}).get("retry-after", "nan"))
    except (AttributeError, TypeError, ValueError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
