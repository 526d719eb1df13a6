"""One event loop in a thread of its own, behind every blocking form and every paid call.

A call that is under way there outlives the caller's event loop: a cancelled notebook cell or a
finished `asyncio.run` does not throw away what was bought.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, ClassVar, TypeVar

import anyio
import anyio.to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from visionpulse.errors import VisionPulseError

T = TypeVar("T")


class _Shared:
    """The process's portal; a forked child starts its own."""

    # Collecting a context would stop its loop, which in a forked child is not there to answer.
    inherited: ClassVar[list[object]] = []

    lock = threading.Lock()
    portal: BlockingPortal | None = None
    context: AbstractContextManager[BlockingPortal] | None = None
    thread_id: int | None = None
    limiter: anyio.CapacityLimiter | None = None


def _forget_after_fork() -> None:
    _Shared.lock = threading.Lock()
    _Shared.inherited += [_Shared.context, _Shared.portal]
    _Shared.portal = _Shared.context = _Shared.thread_id = _Shared.limiter = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def portal() -> BlockingPortal:
    """Return the way into the shared loop, starting it when first asked."""
    with _Shared.lock:
        if _Shared.portal is None:
            _Shared.context = start_blocking_portal("asyncio", name="visionpulse")
            _Shared.portal = _Shared.context.__enter__()
            _Shared.thread_id = _Shared.portal.call(threading.get_ident)
        return _Shared.portal


def inside() -> bool:
    """Return whether this code runs on the shared loop."""
    return threading.get_ident() == _Shared.thread_id


def run(function: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run an async function on the shared loop and wait, also below a running event loop.

    On KeyboardInterrupt the function is cancelled and may clean up before the interrupt goes on.
    """
    if inside():
        raise RuntimeError(
            "This blocking call was made on VisionPulse's own loop; await it instead."
        )
    ended = threading.Event()

    async def body() -> T:
        try:
            return await function(*args)
        finally:
            ended.set()

    future = portal().start_task_soon(body)
    try:
        return future.result()
    except VisionPulseError as error:
        # How it came here through threads and loops tells a user nothing.
        raise error.with_traceback(None) from error.__cause__
    except BaseException:
        if not future.done() and future.cancel():
            ended.wait()
        raise


async def hop(function: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Await an async function that runs on the shared loop, from whichever loop this is."""
    if inside():
        return await function(*args)
    return await asyncio.wrap_future(portal().start_task_soon(function, *args))


def begin(function: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
    """Begin an async function on the shared loop; the result ends it."""
    if inside():
        return asyncio.ensure_future(function()).cancel
    return portal().start_task_soon(function).cancel


async def all_of(*awaitables: Awaitable[T]) -> list[T]:
    """Await all to their end, then raise the first failure: what the others made is kept."""
    results = await asyncio.gather(*awaitables, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run plain code in a thread. A cancellation waits for it: SQL and files end whole."""
    work = asyncio.ensure_future(anyio.to_thread.run_sync(function, *args))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # Seen: the cancellation is what the caller hears of.
        raise


async def call(function: Callable[..., Any], *args: Any) -> Any:
    """Call a plug-in's method, which may be `async def` or `def` (then in a thread)."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  an object with an async __call__
    ):
        return await function(*args)
    if _Shared.limiter is None:
        # Their own threads: slow plug-ins must not keep SQL and heartbeats waiting.
        _Shared.limiter = anyio.CapacityLimiter(64)
    result = await anyio.to_thread.run_sync(function, *args, limiter=_Shared.limiter)
    return await result if inspect.isawaitable(result) else result


def cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
