"""One paid attempt: reserve, call under the one retry policy, verify, settle.

Retries live here and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import tenacity

from visionpulse.errors import BadAnswerError, ProviderError, VisionPulseError
from visionpulse.loop import in_thread
from visionpulse.models import Usage
from visionpulse.protocols import CallRecord, Caps, LedgerStore, Quote

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """What a call has made, before it is stored."""

    data: bytes | Path
    suffix: str
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    usage: Usage | None = None


@dataclass(frozen=True)
class RetryPolicy:
    """When a failed call is made again.

    Waiting doubles from `first_wait` up to `longest_wait` with full jitter; a vendor's Retry-After
    is honoured, and one longer than `longest_wait` ends the call.
    """

    attempts: int = 6
    """For failures that cost nothing: rate limits, refused connections."""
    ambiguous_attempts: int = 2
    """For those that may have been billed, nobody knows: timeouts, broken servers."""
    bad_attempts: int = 3
    """For unusable answers, which were billed; one that says why, such as another text read aloud,
    is asked for `ambiguous_attempts` times."""
    first_wait: float = 1.0
    """Seconds."""
    longest_wait: float = 120.0
    """Seconds."""
    deadline: float = 900.0
    """Seconds for all attempts of a call together; none is begun after it."""


@dataclass
class _Patience:
    """Decides whether a failed call is made again; failures that may cost count by themselves."""

    policy: RetryPolicy
    ambiguous: int = 0
    bad: int = 0

    def again(self, state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, ProviderError) or not error.retryable:
            return False
        if error.retry_after is not None and error.retry_after > self.policy.longest_wait:
            return False
        if error.billed is None:
            self.ambiguous += 1
            if self.ambiguous >= self.policy.ambiguous_attempts:
                return False
        elif error.billed:
            self.bad += 1
            broken = error.code == BadAnswerError.default_code
            most = self.policy.bad_attempts if broken else self.policy.ambiguous_attempts
            if self.bad >= most:
                return False
        return state.attempt_number < self.policy.attempts


def _wait(policy: RetryPolicy, state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    jitter = tenacity.wait_random_exponential(policy.first_wait, policy.longest_wait)(state)
    if isinstance(error, ProviderError) and error.retry_after is not None:
        # A little more than asked, so that waiting callers do not all come back at once.
        return error.retry_after + random.uniform(0, policy.first_wait)  # noqa: S311  jitter
    return jitter


async def attempt(
    store: LedgerStore,
    call: CallRecord,
    quote: Quote,
    caps: Caps,
    policy: RetryPolicy,
    make: Callable[[], Awaitable[Made]],
    verify: Callable[[Made], None],
    begin: Callable[[], None],
    on_retry: Callable[[BaseException], None],
) -> Made:
    """Return what was made and verified, every attempt of it recorded with its price.

    Raises:
        BudgetExceededError: The next attempt could pass a cap.
        ProviderError: The last attempt's failure.
    """

    def before_sleep(state: tenacity.RetryCallState) -> None:
        if state.outcome and (error := state.outcome.exception()):
            on_retry(error)

    retrying = tenacity.AsyncRetrying(
        sleep=asyncio.sleep,
        retry=_Patience(policy).again,
        wait=lambda state: _wait(policy, state),
        stop=tenacity.stop_before_delay(policy.deadline),
        before_sleep=before_sleep,
        reraise=True,
    )
    return await retrying(_once, store, call, quote, caps, make, verify, begin)


async def _once(
    store: LedgerStore,
    call: CallRecord,
    quote: Quote,
    caps: Caps,
    make: Callable[[], Awaitable[Made]],
    verify: Callable[[Made], None],
    begin: Callable[[], None],
) -> Made:
    begin()
    reserving = asyncio.ensure_future(in_thread(store.reserve, call, caps))
    try:
        number = await asyncio.shield(reserving)
    except asyncio.CancelledError:
        # Nothing was asked for yet: a reservation that came all the same is given back.
        number = await reserving
        await _settle(store, number, outcome="failed", cost=Decimal(0), code="cancelled")
        raise
    began = time.monotonic()
    made: Made | None = None
    outcome: dict[str, Any] = {"outcome": "unknown", "cost": None, "code": "interrupted"}
    try:
        made = await make()
        await in_thread(verify, made)
    except BaseException as error:
        outcome = _outcome(error, made, quote)
        raise
    else:
        outcome = {
            "outcome": "ok",
            "cost": _cost(quote, made.usage),
            "usage": made.usage,
            "request_id": made.usage and made.usage.request_id,
        }
        return made
    finally:
        await _settle(store, number, seconds=time.monotonic() - began, **outcome)


async def _settle(
    store: LedgerStore,
    number: int,
    *,
    outcome: str,
    cost: Decimal | None,
    usage: Usage | None = None,
    seconds: float = 0.0,
    **facts: Any,
) -> None:
    """Write an outcome down, also while being cancelled; what cannot be written counts in full."""

    def settle() -> None:
        store.settle(number, outcome=outcome, cost=cost, usage=usage, seconds=seconds, **facts)

    try:
        await asyncio.shield(asyncio.ensure_future(in_thread(settle)))
    except VisionPulseError:
        _log.warning("Call %s could not be settled; it counts in full.", number, exc_info=True)


def _cost(quote: Quote, usage: Usage | None) -> Decimal | None:
    """Return what a call cost; a price that cannot be told counts as the most it may be."""
    try:
        cost = quote.cost(usage)
    except Exception:
        # A plug-in's price list must not lose what was bought.
        _log.warning("A price could not be told.", exc_info=True)
        return None
    return cost if isinstance(cost, Decimal) else None


def _outcome(error: BaseException, made: Made | None, quote: Quote) -> dict[str, Any]:
    """Say how a failed attempt is settled: what was answered is paid, whatever it was worth."""
    code = error.code if isinstance(error, VisionPulseError) else type(error).__name__
    usage = made.usage if made else getattr(error, "usage", None)
    number = usage.request_id if usage else None
    if isinstance(error, ProviderError):
        number = error.request_id = error.request_id or number
    if made is not None or getattr(error, "billed", False):
        # Without a figure of the vendor's, the most it may be: a cap has to hold.
        counted = usage and usage.model_dump(exclude={"request_id"}, exclude_none=True)
        cost = _cost(quote, usage) if counted else None
        return {"outcome": "bad", "cost": cost, "usage": usage, "code": code, "request_id": number}
    if isinstance(error, ProviderError):
        facts = {"code": code, "request_id": number}
        if error.billed is False:
            return {"outcome": "failed", "cost": Decimal(0), **facts}
        return {"outcome": "unknown", "cost": None, **facts}
    if isinstance(error, asyncio.CancelledError):
        return {"outcome": "unknown", "cost": None, "code": "cancelled"}
    if isinstance(error, VisionPulseError):
        return {"outcome": "failed", "cost": Decimal(0), "code": code}
    return {"outcome": "unknown", "cost": None, "code": code}
