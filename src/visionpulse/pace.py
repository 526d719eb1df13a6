"""How many calls are in flight: as many as a vendor takes, found out by what it answers.

All of it happens on VisionPulse's own event loop, so nothing here needs a lock.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from types import TracebackType
from typing import Final, Self

from visionpulse.errors import ProviderError, RateLimitError
from visionpulse.models import Allowance, Usage

# Beyond where it began, the limit grows only as far as a vendor's headers allow, and no further
# than this: they speak of requests a minute, not of how many at once.
_MOST_TIMES: Final = 4


class Pace:
    """The limit of calls in flight of one kind at one provider.

    A rate limit halves it, once for all the calls that were begun under the same limit; every
    full round of answers raises it by one, up to where it began, and beyond that while the vendor
    says that it has room. Those who wait get their turn in the order of their places.

    Args:
        concurrency: Where the limit begins.
        longest_wait: Seconds. A rest until a vendor's window begins anew is cut to it; a
            Retry-After that is longer rests nobody, because the call that got it ends by it.
    """

    def __init__(self, concurrency: int, *, longest_wait: float) -> None:
        self.limit: int = concurrency
        self._usual = concurrency
        self._longest_wait = longest_wait
        self._in_flight = 0
        self._lowered = 0
        self._answered = 0
        self._resting_until = 0.0
        self._places = itertools.count()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None

    def place(self) -> int:
        """Return a place in the queue, behind all others; a call keeps it when it is made again."""
        return next(self._places)

    async def turn(self, place: int) -> Turn:
        """Wait for leave to make a call. The turn has to be entered (`with`) at once."""
        leave: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (place, leave))
        self._admit()
        try:
            await leave
        except asyncio.CancelledError:
            if not leave.cancelled():
                # Leave came in the same moment: the next one gets it.
                self._release()
            raise
        return Turn(self, self._lowered)

    def answered(self, lowered: int, usage: Usage | None) -> None:
        """Take note of an answer to a call that was begun after the limit's `lowered`th fall."""
        allowance = usage.allowance if usage else None
        self._heed(allowance)
        left = (allowance and allowance.requests_left) or 0
        most = max(self._usual, min(left, _MOST_TIMES * self._usual))
        self._answered += lowered == self._lowered
        if self._answered >= self.limit:
            self._answered = 0
            self.limit += 1
        self.limit = min(self.limit, most)
        self._release()

    def failed(self, lowered: int, error: BaseException | None) -> None:
        """Take note of a failure of such a call."""
        if isinstance(error, ProviderError):
            self._heed(error.allowance)
            if error.retry_after is not None and error.retry_after <= self._longest_wait:
                self._rest(error.retry_after)
        if isinstance(error, RateLimitError) and lowered == self._lowered:
            self._lowered += 1
            self._answered = 0
            self.limit = max(1, self.limit // 2)
        self._release()

    def _heed(self, allowance: Allowance | None) -> None:
        if allowance and allowance.requests_left == 0 and allowance.reset_seconds is not None:
            self._rest(min(allowance.reset_seconds, self._longest_wait))

    def _rest(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        self._resting_until = max(self._resting_until, until)

    def _release(self) -> None:
        self._in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        """Give leave to those whose turn it is."""
        loop = asyncio.get_running_loop()
        while self._waiting and self._in_flight < self.limit:
            if loop.time() < self._resting_until:
                if self._timer is None:
                    self._timer = loop.call_at(self._resting_until, self._wake)
                return
            _, leave = heapq.heappop(self._waiting)
            if not leave.cancelled():
                self._in_flight += 1
                leave.set_result(None)

    def _wake(self) -> None:
        self._timer = None
        self._admit()


class Turn:
    """Leave for one call. It ends with the call's outcome; else with the block."""

    def __init__(self, pace: Pace, lowered: int) -> None:
        self._pace = pace
        self._lowered = lowered
        self._over = False

    def __enter__(self) -> Self:
        """Begin the turn."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the turn, unless an outcome has ended it."""
        self.failed(error)

    def answered(self, usage: Usage | None) -> None:
        """End the turn with an answer: what is still done with it holds up no other call."""
        self._over = True
        self._pace.answered(self._lowered, usage)

    def failed(self, error: BaseException | None) -> None:
        """End the turn with a failure, unless an answer has ended it."""
        if not self._over:
            self._over = True
            self._pace.failed(self._lowered, error)
