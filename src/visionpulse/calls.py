"""One paid attempt: reserve, call under the one retry policy, verify, settle.

Retries live here and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import tenacity

from visionpulse.errors import BadAnswerError, DeadlineError, ProviderError, VisionPulseError
from visionpulse.loop import in_thread
from visionpulse.models import Usage
from visionpulse.pace import Pace, Turn
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
    job_deadline: float = 6 * 3600.0
    """Seconds for all calls of a run together, from the first one on; none is begun after it. What
    is known to be free goes on: encoding, offline models."""


@dataclass
class Attempts:
    """All attempts of one call, each of them recorded with its price.

    Args:
        store: Where they are recorded.
        call: What is asked of whom.
        quote: The price of each.
        caps: What must not be passed.
        policy: When there is another one.
        pace: Gives each its turn.
        run_deadline: When, by `time.monotonic()`, the run's time for calls is over.
        make: Makes the call.
        verify: Looks at what was made, in a thread; raises BadAnswerError.
        begin: Called before each; raises what is to stop it.
        on_retry: Told of a failure after which there is another one.
    """

    store: LedgerStore
    call: CallRecord
    quote: Quote
    caps: Caps
    policy: RetryPolicy
    pace: Pace
    run_deadline: float
    make: Callable[[], Awaitable[Made]]
    verify: Callable[[Made], None]
    begin: Callable[[], None]
    on_retry: Callable[[ProviderError], None]
    _failure: ProviderError | None = field(default=None, init=False)
    _ambiguous: int = field(default=0, init=False)
    """How many attempts may have been billed, nobody knows."""
    _bad: int = field(default=0, init=False)
    """How many were billed for nothing."""
    _deadline: float = field(default=math.inf, init=False)
    """The call's own: it begins to run with the first attempt, not while that waits its turn."""

    async def made(self) -> Made:
        """Return what was made and verified.

        Raises:
            BudgetExceededError: The next attempt could pass a cap.
            DeadlineError: The next attempt would be begun after the run's deadline.
            ProviderError: The last attempt's failure.
        """
        retrying = tenacity.AsyncRetrying(
            sleep=asyncio.sleep,
            retry=self._again,
            wait=self._wait,
            stop=self._too_late,
            retry_error_callback=self._give_up,
            before_sleep=self._tell,
            reraise=True,
        )
        return await retrying(self._attempt, self.pace.place())

    def _again(self, state: tenacity.RetryCallState) -> bool:
        """Decide whether a failed call is made again; failures that may cost count apart."""
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, ProviderError) or not error.retryable:
            return False
        self._failure = error
        if error.retry_after is not None and error.retry_after > self.policy.longest_wait:
            return False
        if error.billed is None:
            self._ambiguous += 1
            if self._ambiguous >= self.policy.ambiguous_attempts:
                return False
        elif error.billed:
            self._bad += 1
            broken = error.code == BadAnswerError.default_code
            most = self.policy.bad_attempts if broken else self.policy.ambiguous_attempts
            if self._bad >= most:
                return False
        return state.attempt_number < self.policy.attempts

    def _wait(self, state: tenacity.RetryCallState) -> float:
        policy = self.policy
        if self._failure and self._failure.retry_after is not None:
            # A little more than asked, so that waiting callers do not all come back at once.
            return self._failure.retry_after + random.uniform(0, policy.first_wait)  # noqa: S311  jitter
        return tenacity.wait_random_exponential(policy.first_wait, policy.longest_wait)(state)

    def _too_late(self, state: tenacity.RetryCallState) -> bool:
        return state.upcoming_sleep >= self._time_left

    @property
    def _time_left(self) -> float:
        return min(self._deadline, self.run_deadline) - time.monotonic()

    def _give_up(self, _state: tenacity.RetryCallState | None = None) -> NoReturn:
        """Raise what ended the call before its last attempt: whichever deadline comes first."""
        if self._failure and self._deadline < self.run_deadline:
            raise self._failure
        raise DeadlineError(
            f"The run's time for calls was over before {self.call.provider}'s {self.call.model} "
            f"{'could be asked again' if self._failure else 'was asked'}.",
            hint="All that was made is kept: resume, or raise RetryPolicy.job_deadline.",
            scene=self.call.use.scene,
        ) from self._failure

    def _tell(self, _state: tenacity.RetryCallState) -> None:
        if self._failure:
            self.on_retry(self._failure)

    async def _attempt(self, place: int) -> Made:
        with await self._turn(place) as turn:
            self.begin()
            number = await self._reserve()
            began = time.monotonic()
            self._deadline = min(self._deadline, began + self.policy.deadline)
            made: Made | None = None
            outcome: dict[str, Any] = {"outcome": "unknown", "cost": None, "code": "interrupted"}
            try:
                made = await self.make()
                turn.answered(made.usage)
                await in_thread(self.verify, made)
            except BaseException as error:
                turn.failed(error)
                outcome = _outcome(error, made, self.quote)
                raise
            else:
                outcome = {
                    "outcome": "ok",
                    "cost": _cost(self.quote, made.usage),
                    "usage": _counted(made.usage),
                    "request_id": made.usage and made.usage.request_id,
                }
                return made
            finally:
                seconds = time.monotonic() - began
                await _settle(self.store, number, seconds=seconds, **outcome)

    async def _turn(self, place: int) -> Turn:
        left = self._time_left
        if left > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left if math.isfinite(left) else None):
                    return await self.pace.turn(place)
        return self._give_up()

    async def _reserve(self) -> int:
        reserving = asyncio.ensure_future(in_thread(self.store.reserve, self.call, self.caps))
        try:
            return await asyncio.shield(reserving)
        except asyncio.CancelledError:
            # Nothing was asked for yet: a reservation that came all the same is given back.
            number = await reserving
            await _settle(self.store, number, outcome="failed", cost=Decimal(0), code="cancelled")
            raise


def _counted(usage: Usage | None) -> Usage | None:
    """Return what was used, without what was said beside it; None if nothing was counted."""
    counted = usage and usage.model_copy(update={"allowance": None, "request_id": None})
    return None if counted == Usage() else counted


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
        counted = _counted(usage)
        cost = _cost(quote, counted) if counted else None
        facts = {"usage": counted, "code": code, "request_id": number}
        return {"outcome": "bad", "cost": cost, **facts}
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
