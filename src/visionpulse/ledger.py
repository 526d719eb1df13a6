"""Every costly thing is made once; what is recorded and intact is reused by whichever video.

`Ledger.once(recipe, make, verify)` is the only door to models and encoders. Resume, retry, editing
one scene, cost, caps and progress all follow from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import hashlib
import json
import logging
import math
import os
import tempfile
import time
import uuid
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from visionpulse import loop, registry
from visionpulse.calls import Attempts, Made, RetryPolicy
from visionpulse.errors import (
    BudgetExceededError,
    DeadlineError,
    InputError,
    ObjectNotFoundError,
    ProviderError,
    RefusedError,
    VisionPulseError,
)
from visionpulse.models import Artefact, Event
from visionpulse.pace import Pace
from visionpulse.protocols import (
    FREE,
    CallRecord,
    Caps,
    LedgerStore,
    Quote,
    Refusal,
    Storage,
    Use,
)
from visionpulse.settings import Settings

_log = logging.getLogger(__name__)

# How long a paid call may go on when nobody waits for it any more.
_GRACE = 10.0


@dataclass(frozen=True)
class Recipe:
    """What is to be made, from what, by whom. Its fingerprint names the result.

    Args:
        kind: `prompts`, `picture`, `speech`, `piece`, `sound`, `film` ...
        version: Raised by hand when the same inputs shall give something else.
        provider: Who makes it, for the cost report.
        model: With which model.
        inputs: All that determines the result: identity of the maker, parameters as sent, digests
            of input artefacts, take. Integers, strings, booleans, None, lists and mappings.
    """

    kind: str
    version: int
    provider: str
    model: str
    inputs: Mapping[str, Any]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over canonical JSON: sorted keys, UTF-8, no spaces, no floats."""
        value = {"kind": self.kind, "version": self.version, "inputs": self.inputs}
        return hashlib.sha256(canonical(value)).hexdigest()


def canonical(value: Any) -> bytes:
    """Return the one JSON text of a value. Raises InputError for floats and what JSON lacks."""
    return json.dumps(
        _plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _plain(value: Any) -> Any:
    match value:
        case None | str() | bool() | int():
            return value
        case {**pairs}:
            return {str(key): _plain(each) for key, each in pairs.items()}
        case [*items]:
            return [_plain(each) for each in items]
        case _:
            pass
    raise InputError(
        f"A recipe cannot hold {value!r}.",
        hint="Use integers (milliseconds, thousandths) or decimal strings.",
    )


@dataclass
class Run:
    """What one run of one video wants of the ledger: caps, progress, and to be told."""

    caps: Caps = Caps(None, None)  # noqa: RUF009  a tuple
    retry_refused: bool = False
    listen: Callable[[Event], None] | None = None
    deadline: float | None = None
    """When, by `time.monotonic()`, no more paid calls are begun; the first order sets it."""
    errors: list[VisionPulseError] = field(default_factory=list[VisionPulseError])
    """What failed, first things first."""
    stopped: dict[str, ProviderError] = field(default_factory=dict[str, ProviderError])
    """Per provider, the failure after which it is not asked again in this run."""
    shares: Mapping[str, float] = field(default_factory=dict[str, float])
    """Per stage, how much of the whole run it is."""
    fraction: float = 0.0
    _todo: dict[str, int] = field(default_factory=dict[str, int])
    _done: dict[str, int] = field(default_factory=dict[str, int])

    def plan(self, stage: str, steps: int) -> None:
        """Say how many artefacts a stage takes."""
        self._todo[stage] = steps
        self._done[stage] = 0

    def tell(self, event: Event, *, done: bool = False) -> None:
        """Pass an event on, with how far the run is."""
        if done:
            self._done[event.stage] = self._done.get(event.stage, 0) + 1
        far = sum(
            share * min(1.0, self._done.get(stage, 0) / max(1, self._todo.get(stage, 1)))
            for stage, share in self.shares.items()
        )
        self.fraction = max(self.fraction, min(far, 1.0), event.fraction)
        if self.listen:
            try:
                self.listen(event.model_copy(update={"fraction": self.fraction}))
            except Exception:
                # Nobody's paid call may depend on a progress bar.
                _log.warning("A listener failed on %r.", event.kind, exc_info=True)


current_run: ContextVar[Run | None] = ContextVar("visionpulse_run", default=None)
current_stage: ContextVar[str] = ContextVar("visionpulse_stage", default="")


@dataclass(eq=False)
class _Flight:
    """A making under way in this process, and how many wait for it."""

    paid: bool
    waiting: int = 0
    asking: bool = False
    """Whether a call has been begun."""
    task: asyncio.Task[Artefact | None] = field(init=False)


@dataclass(eq=False)
class _Desk:
    """What is under way in this process."""

    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    flights: dict[str, _Flight] = field(default_factory=dict[str, _Flight])
    paces: dict[tuple[str, str], Pace] = field(default_factory=dict[tuple[str, str], Pace])
    """How many calls are in flight, per provider and kind."""


_ledgers: weakref.WeakSet[Ledger] = weakref.WeakSet()


def _after_fork() -> None:
    # What the parent has under way is not under way here.
    for ledger in list(_ledgers):
        ledger._desk = _Desk()  # pyright: ignore[reportPrivateUsage]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Ledger:
    """The record of everything made.

    Args:
        store: Where the facts are.
        storage: Where the bytes are.
        policy: When failed calls are made again.
        lease: Seconds after which a silent maker's claim may be taken over.
    """

    def __init__(
        self,
        store: LedgerStore,
        storage: Storage,
        *,
        policy: RetryPolicy | None = None,
        lease: float = 15.0,
    ) -> None:
        self.store = store
        self.storage = storage
        self.policy: RetryPolicy = policy or RetryPolicy()
        self.lease = lease
        self._desk = _Desk()
        _ledgers.add(self)

    @classmethod
    def at(cls, home: str | Path | None = None) -> Ledger:
        """Return the ledger of a folder: `output/` and `visionpulse.db` below it."""
        folder = Path(home or Settings().home)
        storage = registry.load("storage", "file", registry.STORAGE)
        repository = registry.load("repository", "sqlite", registry.REPOSITORIES)
        return cls(repository(folder / "visionpulse.db"), storage(folder / "output"))

    async def once(
        self,
        recipe: Recipe,
        make: Callable[[Path], Awaitable[Made]],
        verify: Callable[[Made], None],
        *,
        use: Use,
        quote: Quote = FREE,
        concurrency: int = 4,
    ) -> Artefact:
        """Return the recorded artefact of a recipe, or make, verify and record it.

        `make` runs on VisionPulse's own event loop, in a task of the ledger's: whoever is
        cancelled, another who waits for the same recipe gets it.

        Args:
            recipe: What is wanted.
            make: Makes it, with a scratch folder that is gone afterwards; called again when an
                attempt fails in a way that may pass.
            verify: Looks at what was made, in a thread; raises BadAnswerError. What fails is a paid
                call, never an artefact.
            use: For which video and scene.
            quote: The price of an attempt.
            concurrency: How many of this kind are in flight at this provider to begin with; its
                rate limits lower it.

        Raises:
            BudgetExceededError: A cap would be passed.
            DeadlineError: The run's time for calls is over.
            RefusedError: The vendor refuses, or has refused, this recipe.
            ProviderError: The last attempt failed.
            StorageError: The result could not be stored.
        """
        run = current_run.get() or Run()
        if run.deadline is None:
            run.deadline = time.monotonic() + self.policy.job_deadline
        stage = current_stage.get()
        order = _Order(self, self._desk, recipe, make, verify, use, quote, concurrency, run, stage)
        return await loop.hop(order.fill)

    async def recorded(self, recipe: Recipe) -> Artefact | None:
        """Return what is recorded for a recipe and still has its size, making nothing."""
        found = await loop.in_thread(self.store.find, recipe.fingerprint)
        if not isinstance(found, Artefact):
            return None
        return found if await loop.in_thread(self.there, found) else None

    def there(self, artefact: Artefact) -> bool:
        """Return whether the object is stored and has its size."""
        stored = self.storage.stat(artefact.key)
        return stored is not None and stored.size == artefact.size

    def intact(self, artefact: Artefact) -> bool:
        """Return whether the object's bytes are still those that were recorded.

        Raises:
            StorageError: It cannot be read just now; that says nothing about the object.
        """
        try:
            with self.storage.open(artefact.key) as stream:
                return _sha256(stream) == artefact.sha256
        except ObjectNotFoundError:
            return False

    def damaged(self, artefact: Artefact) -> bool:
        """Return whether the object is gone or altered. Raises as `intact`."""
        return not self.intact(artefact)

    def read(self, key: str) -> bytes:
        """Return an object's bytes."""
        with self.storage.open(key) as stream:
            return stream.read()

    def sweep(self, *, unused_seconds: float = 24 * 3600) -> int:
        """Delete what no video has used for so long, and what a killed process left unrecorded.

        Returns:
            How many artefacts and unrecorded objects went.
        """
        swept = self.store.sweep(
            unused_seconds=unused_seconds, discard=lambda gone: self.storage.delete(gone.key)
        )
        before = datetime.now(UTC) - timedelta(seconds=unused_seconds)
        old = (each.key for each in self.storage.list("objects/") if each.modified < before)
        while keys := list(islice(old, 500)):
            swept += self.store.discard_unknown(keys, self.storage.delete)
        return swept

    async def drain(self) -> None:
        """Wait until what nobody waits for any more has landed: paid calls, for ten seconds."""
        await loop.hop(self._drain)

    async def _drain(self) -> None:
        if left := [flight.task for flight in self._desk.flights.values() if not flight.waiting]:
            await asyncio.wait(left)


@dataclass(frozen=True)
class _Order:
    """One request for one recipe, filled on the shared loop."""

    ledger: Ledger
    desk: _Desk
    recipe: Recipe
    make: Callable[[Path], Awaitable[Made]]
    verify: Callable[[Made], None]
    use: Use
    quote: Quote
    concurrency: int
    run: Run
    stage: str

    async def fill(self) -> Artefact:
        while True:
            if artefact := await self._recorded():
                await self._tell("reused", done=True)
                return artefact
            flight = self.desk.flights.get(self.recipe.fingerprint)
            first = flight is None
            if flight is None:
                flight = self._start()
            try:
                made = await self._board(flight)
            except (asyncio.CancelledError, BudgetExceededError, DeadlineError):
                # Another's cap, deadline or cancellation is not ours: then we make it ourselves.
                if first or _cancelled():
                    raise
                continue
            except VisionPulseError as error:
                # The failure is everybody's, but each video writes its own name on it.
                raise (error if first else _copied(error)) from error.__cause__
            if made and first:
                await self._tell("made", done=True)
                return made
            # Made for another, or by another process: look again, which records our use of it.

    async def _recorded(self) -> Artefact | None:
        store, fingerprint = self.ledger.store, self.recipe.fingerprint
        found = await loop.in_thread(store.find, fingerprint)
        if isinstance(found, Refusal):
            if not self.run.retry_refused:
                raise RefusedError(
                    found.message,
                    hint="It was refused before and is not asked again; change the text, or pass "
                    "retry_refused=True.",
                    code=found.code,
                    provider=found.provider,
                    model=found.model,
                    scene=self.use.scene,
                )
            await loop.in_thread(store.forget, fingerprint)
            return None
        if found is None:
            return None
        if not await loop.in_thread(self.ledger.intact, found):
            # Looked at again inside the transaction: another may have made it anew meanwhile.
            await loop.in_thread(store.forget, fingerprint, self.ledger.damaged)
            return None
        kept = await loop.in_thread(store.reuse, fingerprint, self.use, self.ledger.there)
        return found if kept else None

    def _start(self) -> _Flight:
        flights, fingerprint = self.desk.flights, self.recipe.fingerprint
        flight = _Flight(paid=self.quote.bound != 0)
        flight.task = asyncio.create_task(self._fly(flight))
        flights[fingerprint] = flight

        def landed(task: asyncio.Task[Artefact | None]) -> None:
            del flights[fingerprint]
            if not task.cancelled():
                task.exception()  # Seen: nobody may be waiting any more.

        flight.task.add_done_callback(landed)
        return flight

    async def _board(self, flight: _Flight) -> Artefact | None:
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                grace = _GRACE if flight.paid and flight.asking else 0
                asyncio.get_running_loop().call_later(grace, _abandon, flight)

    async def _fly(self, flight: _Flight) -> Artefact | None:
        """Make the artefact; None if another process has settled the matter."""
        ledger, fingerprint = self.ledger, self.recipe.fingerprint
        while not await loop.in_thread(self._take):
            if await loop.in_thread(ledger.store.find, fingerprint):
                return None
            await asyncio.sleep(min(0.2, ledger.lease / 10))
        keeper = asyncio.create_task(self._keep())
        try:
            return await self._make_and_record(flight)
        finally:
            keeper.cancel()
            with contextlib.suppress(VisionPulseError):
                await asyncio.shield(
                    asyncio.ensure_future(
                        loop.in_thread(ledger.store.release, fingerprint, self.desk.owner)
                    )
                )

    def _take(self) -> bool:
        ledger = self.ledger
        return ledger.store.take(self.recipe.fingerprint, self.desk.owner, lease=ledger.lease)

    async def _keep(self) -> None:
        ledger, fingerprint = self.ledger, self.recipe.fingerprint
        while True:
            await asyncio.sleep(ledger.lease / 3)
            # A database that cannot be written for a moment is no reason to end a paid call.
            with contextlib.suppress(VisionPulseError):
                await loop.in_thread(
                    lambda: ledger.store.keep(fingerprint, self.desk.owner, lease=ledger.lease)
                )

    async def _make_and_record(self, flight: _Flight) -> Artefact:
        recipe = self.recipe
        call = CallRecord(
            recipe.fingerprint,
            recipe.kind,
            recipe.provider,
            recipe.model,
            self.use,
            self.quote.bound,
        )
        with tempfile.TemporaryDirectory(prefix="visionpulse-") as scratch:
            made = await self._attempt(call, Path(scratch), flight)
            return await loop.in_thread(self._record, made)

    async def _attempt(self, call: CallRecord, scratch: Path, flight: _Flight) -> Made:
        ledger, recipe = self.ledger, self.recipe

        def begin() -> None:
            if not flight.waiting:
                # A call under way gets its time when all have gone; a new one is not begun.
                raise asyncio.CancelledError
            if stopped := self.run.stopped.get(recipe.provider):
                raise _copied(stopped)
            flight.asking = True
            self.run.tell(self._event("started"))

        async def make() -> Made:
            return await self.make(scratch)

        attempts = Attempts(
            ledger.store,
            call,
            self.quote,
            self.run.caps,
            ledger.policy,
            self._pace,
            self.run.deadline if flight.paid and self.run.deadline else math.inf,
            make,
            self.verify,
            begin,
            self._on_retry,
        )
        try:
            return await attempts.made()
        except RefusedError as error:
            refusal = Refusal(error.code, error.message, error.provider, error.model)
            await loop.in_thread(
                ledger.store.refuse, recipe.fingerprint, recipe.kind, refusal, self.desk.owner
            )
            raise
        except ProviderError as error:
            if error.stops_job:
                # Whoever is stopped by it later says where it was met.
                error.stage = error.stage or self.stage or None
                error.scene = self.use.scene if error.scene is None else error.scene
                self.run.stopped.setdefault(recipe.provider, error)
            raise

    @property
    def _pace(self) -> Pace:
        paces, who = self.desk.paces, (self.recipe.provider, self.recipe.kind)
        if who not in paces:
            longest = self.ledger.policy.longest_wait
            paces[who] = Pace(self.concurrency, longest_wait=longest)
        return paces[who]

    def _record(self, made: Made) -> Artefact:
        """Store the bytes, then the facts; again if a sweep of the same bytes came between."""
        ledger, recipe = self.ledger, self.recipe
        digest, size = _digest(made.data)
        artefact = Artefact(
            fingerprint=recipe.fingerprint,
            kind=recipe.kind,
            sha256=digest,
            size=size,
            suffix=made.suffix,
            meta=dict(made.meta),
        )
        while True:
            if not (ledger.there(artefact) and ledger.intact(artefact)):
                ledger.storage.put(artefact.key, made.data)
            if ledger.store.record(artefact, self.use, self.desk.owner, ledger.there):
                return artefact

    def _on_retry(self, error: ProviderError) -> None:
        again = "trying again"
        if error.billed is not False and self.quote.bound != 0:
            may_have_been = "was" if error.billed else "may have been"
            again = f"it {may_have_been} billed; asked once more"
        self.run.tell(self._event("retried", f"{error.message.rstrip('.')}, {again}."))

    async def _tell(self, kind: str, *, done: bool = False) -> None:
        event = self._event(kind)
        if kind == "made" and self.quote.bound != 0:
            # A figure for people: a database in trouble must not fail what has been made.
            with contextlib.suppress(VisionPulseError):
                cost = await loop.in_thread(self.ledger.store.spent, self.use.video_id)
                event = event.model_copy(update={"cost": cost})
        self.run.tell(event, done=done)

    def _event(self, kind: Any, message: str = "") -> Event:
        return Event(
            kind=kind,
            video_id=self.use.video_id,
            stage=self.stage,
            what=self.recipe.kind,
            scene=self.use.scene,
            provider=self.recipe.provider,
            message=message,
        )


def _abandon(flight: _Flight) -> None:
    if not flight.waiting:
        flight.task.cancel()


def _copied(error: VisionPulseError) -> VisionPulseError:
    """Return an equal error that can carry another video's name."""
    twin = copy.copy(error)
    twin.__dict__.pop("__notes__", None)
    twin.__cause__ = error.__cause__
    return twin


def _cancelled() -> bool:
    task = asyncio.current_task()
    return bool(task and task.cancelling())


def _digest(data: bytes | Path) -> tuple[str, int]:
    if isinstance(data, Path):
        with data.open("rb") as stream:
            return _sha256(stream), data.stat().st_size
    return hashlib.sha256(data).hexdigest(), len(data)


def _sha256(stream: BinaryIO) -> str:
    # `file_digest` wants `readinto`, which a stream from a store in the cloud need not have.
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
