"""Every way a call of the SDK fails, as one of our errors: facts and plain words, never its text.

OpenAI's error bodies repeat parts of the key, and the SDK's errors hold the request with all of it.
"""

from __future__ import annotations

import re
from typing import Any, Final

import httpx2
import openai

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
from visionpulse.providers.openai.headers import allowance, retry_after

# What a call may end in besides OpenAIError: JSONDecodeError and pydantic's ValidationError are
# ValueErrors, a page where JSON was expected is an AttributeError, TimeoutError is an OSError.
ESCAPES: Final = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
)

_BILLING = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
}
_REFUSED = {"moderation_blocked", "content_policy_violation", "content_filter"}
_SLOWER = {"rate_limit_exceeded", "slow_down", "server_is_overloaded"}
# Before these the request has not left this machine.
_UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.ProxyError,
)


def translate(
    error: Exception,
    *,
    server: str,
    provider: str,
    model: str,
    successor: str | None,
    timeout: float,
) -> ProviderError:
    """Return what an error of the SDK means.

    Args:
        error: Anything out of `ESCAPES`.
        server: Who was asked, in words: `"OpenAI"`, or the host.
        provider: Name of the provider, for the error's facts.
        model: The model that was asked.
        successor: The model to name when this one is gone.
        timeout: Seconds the call was given.
    """
    facts: dict[str, Any] = {"provider": provider, "model": model}
    if isinstance(error, openai.APIStatusError):
        return _by_status(error, server, successor, facts)
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, _UNSENT):
        return ProviderConnectionError(
            f"{server} could not be reached.",
            hint="Look at the network, the proxy settings and base_url.",
            **facts,
        )
    if isinstance(error, (openai.APITimeoutError, TimeoutError, httpx2.TimeoutException)):
        return ProviderTimeoutError(
            f"{server} did not finish an answer of {model} within {timeout:g} s.",
            billed=None,
            **facts,
        )
    if isinstance(error, (openai.APIConnectionError, httpx2.HTTPError, OSError)):
        return ProviderConnectionError(
            f"The connection to {server} broke off before the answer was complete.",
            hint="It may have been billed all the same.",
            billed=None,
            **facts,
        )
    if isinstance(error, UnicodeEncodeError):
        return ProviderError(
            "The text holds characters that cannot be sent (half of a surrogate pair).",
            hint="Save the script as UTF-8 and read it again.",
            code="invalid_request",
            **facts,
        )
    return BadAnswerError(
        f"{server} answered with something that is not {model}'s answer.", billed=True, **facts
    )


def _by_status(
    error: openai.APIStatusError, server: str, successor: str | None, facts: dict[str, Any]
) -> ProviderError:
    status = error.status_code
    code = _word(error.code)
    facts |= {"status": status, "request_id": plain_request_id(error.request_id)}
    if final := _final(error, code, server, successor, facts):
        return final
    headers = error.response.headers
    facts |= {"allowance": allowance(headers), "retry_after": retry_after(headers)}
    if status == 429 or code in _SLOWER:
        return RateLimitError(
            f"{server} asks for fewer calls at a time.",
            code=code,
            **facts,
        )
    if status == 408:
        return ProviderTimeoutError(
            f"{server} gave the call up: it took too long.", billed=None, **facts
        )
    if status == 409 or status >= 500:
        return ProviderConnectionError(
            f"{server} had an error of its own (status {status}).",
            code="server_error",
            hint="It may have been billed all the same." if status >= 500 else None,
            billed=None if status >= 500 else False,
            **facts,
        )
    parameter = _word(error.param)
    other = f"{successor}, its successor," if successor else "another model"
    what = f": parameter {parameter!r}" if parameter else ""
    return ProviderError(
        f"{server} refused a call of {facts['model']} (status {status}{what}).",
        hint=f"The server may want other parameters; {other} may do.",
        code=code or "invalid_request",
        **facts,
    )


def _final(
    error: openai.APIStatusError,
    code: str | None,
    server: str,
    successor: str | None,
    facts: dict[str, Any],
) -> ProviderError | None:
    """Return the error for what no other attempt can change, whatever the status says."""
    if code in _REFUSED:
        return RefusedError(
            f"{server}'s moderation refused this text.",
            hint="Say it in other words; the same words will be refused again.",
            code=code,
            **facts,
        )
    if code in _BILLING or _word(error.type) in _BILLING:
        return QuotaError(
            f"The credit or a spending limit at {server} is used up.",
            hint="Add credit or raise the limit there, then resume: nothing made so far is lost.",
            code=code,
            **facts,
        )
    about_model = code == "invalid_value" and error.param == "model"
    if error.status_code in {404, 410} or code == "model_not_found" or about_model:
        # A wrong base_url is a 404 too, without a code.
        use = f"Use {successor}." if code and successor else None
        return ModelUnavailableError(
            f"{server} has no model {facts['model']!r}, or not for this key.",
            hint=use or "Look at the model's name and at base_url.",
            **facts,
        )
    if error.status_code == 401 or code == "invalid_api_key":
        return AuthenticationError(
            f"{server} does not accept the API key.",
            hint="Look at OPENAI_API_KEY: it may be cut, revoked, or of another project.",
            **facts,
        )
    if error.status_code == 403:
        return AuthenticationError(
            f"{server} does not let this key use {facts['model']}.",
            hint="Look at the key's permissions, and whether the country is served.",
            code=code or "permission_denied",
            **facts,
        )
    return None


def _word(said: object) -> str | None:
    """Pass on a vendor's word if it is nothing but a word: no key looks like one."""
    is_word = isinstance(said, str) and re.fullmatch(r"[a-z_]{1,64}", said)
    return str(said) if is_word else None


def plain_request_id(said: str | None) -> str | None:
    """Pass on a request's number if it looks like one."""
    return said if said and re.fullmatch(r"req_\w{1,64}|[0-9a-f-]{36}", said) else None
