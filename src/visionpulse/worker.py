"""Working on a claimed video: the claim is kept alive, and the result published under its fence."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from visionpulse import loop
from visionpulse.errors import (
    ClaimLostError,
    JobError,
    RepositoryError,
    StorageError,
    VideoBusyError,
    VideoCancelledError,
    VideoNotFoundError,
)
from visionpulse.models import Video
from visionpulse.protocols import Claim, Storage, VideoRepository

T = TypeVar("T")

_log = logging.getLogger(__name__)


class _Process:
    # Tells this process from an earlier one that had the same number, as in a restarted container.
    token = uuid.uuid4().hex[:8]


def _after_fork() -> None:
    _Process.token = uuid.uuid4().hex[:8]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def is_dead(owner: str) -> bool:
    """Return whether an owner of claims surely lives no more: its process, on this machine, ended.

    Its lease need not be waited for then.
    """
    host, pid, process, _ = f"{owner}:::".split(":", 3)
    if host != socket.gethostname() or not pid.isdigit() or os.name == "nt":
        return False
    if int(pid) == os.getpid():
        return process != _Process.token
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


class Keeper:
    """Keeps the claims of this process while their videos are worked on.

    Args:
        repository: Where the claims are.
        lease: Seconds a claim lasts without a heartbeat.
    """

    def __init__(self, repository: VideoRepository, *, lease: float) -> None:
        self._repository = repository
        self._lease = lease
        self._lock = threading.Lock()
        self._name = uuid.uuid4().hex[:8]
        self._working: dict[tuple[str, str], Callable[[], object] | None] = {}

    @property
    def owner(self) -> str:
        """How this keeper, in this process, signs its claims."""
        return f"{socket.gethostname()}:{os.getpid()}:{_Process.token}:{self._name}"

    @contextmanager
    def alone(self, video_id: str) -> Generator[None]:
        """Make sure that nobody else in this process works on a video.

        Raises:
            VideoBusyError: Somebody does.
        """
        place = (self.owner, video_id)
        with self._lock:
            if place in self._working:
                raise VideoBusyError(
                    f"Video {video_id} is being worked on.",
                    hint="Wait for it, or cancel it first.",
                    video_id=video_id,
                )
            self._working[place] = None
        try:
            yield
        finally:
            with self._lock:
                del self._working[place]

    def begin(self, video: Video) -> Claim:
        """Write a video's row, claimed; a claim that nobody lives to keep is no claim.

        Raises:
            VideoBusyError: Another process works on it.
        """
        try:
            claim = self._repository.insert(video, owner=self.owner, lease=self._lease)
        except VideoBusyError as busy:
            # Our own name on a video that nobody here works on: its end could not be written.
            if busy.owner != self.owner and not is_dead(busy.owner):
                raise
            claim = self._repository.insert(
                video, owner=self.owner, lease=self._lease, replacing=busy.owner
            )
        assert claim
        return claim

    async def hold(
        self, claim: Claim, work: Coroutine[Any, Any, T], *, progress: Callable[[], float]
    ) -> T:
        """Do some work under a claim.

        The heart beats on VisionPulse's own loop, so that a busy caller's loop does not lose the
        claim.

        Raises:
            VideoCancelledError: The video was cancelled or deleted meanwhile.
            ClaimLostError: Another worker has taken it over.
        """
        here = asyncio.get_running_loop()
        task = here.create_task(work)
        lost = False

        def interrupt() -> None:
            nonlocal lost
            lost = True
            here.call_soon_threadsafe(task.cancel)

        async def beat() -> None:
            while True:
                try:
                    await loop.in_thread(
                        lambda: self._repository.heartbeat(
                            claim, lease=self._lease, progress=progress()
                        )
                    )
                except ClaimLostError:
                    interrupt()
                    return
                except RepositoryError:
                    # Not writable for a moment; the lease has room for two more tries.
                    _log.warning("A heartbeat of %s failed.", claim.video_id, exc_info=True)
                await asyncio.sleep(self._lease / 3)

        self._working[self.owner, claim.video_id] = interrupt
        stop_beating = loop.begin(beat)
        try:
            return await task
        except asyncio.CancelledError:
            if lost:
                raise await loop.in_thread(self._why_lost, claim) from None
            raise
        finally:
            stop_beating()

    def interrupt(self, video_id: str) -> None:
        """Have this process let go of a video it may be working on."""
        if interrupt := self._working.get((self.owner, video_id)):
            interrupt()

    def _why_lost(self, claim: Claim) -> JobError:
        try:
            error = self._repository.get(claim.video_id).error
        except VideoNotFoundError:
            return VideoCancelledError("The video was deleted.", video_id=claim.video_id)
        if error and error.code == "cancelled":
            return VideoCancelledError(error.message, hint=error.hint, video_id=claim.video_id)
        return ClaimLostError("Another worker has taken the video over.", video_id=claim.video_id)


def publish(repository: VideoRepository, storage: Storage, video: Video, claim: Claim) -> Video:
    """Save a video under its claim, then let its names show what the record says.

    Raises:
        ClaimLostError: The claim is gone; nothing was changed.
    """
    before = repository.get(video.id)
    saved = repository.save(video, claim)
    try:
        for name in before.files.keys() - saved.files.keys():
            storage.delete(name)
        return _show(repository, storage, saved)
    except StorageError:
        # The record stands, and `get` sets the names again.
        _log.warning("Not all files of %s could be put in place.", saved.id, exc_info=True)
        return saved


def mend_names(repository: VideoRepository, storage: Storage, video: Video) -> Video:
    """Set again what is missing or has another size than its object."""
    for name, key in video.files.items():
        shown, stored = storage.stat(name), storage.stat(key)
        if stored and (shown is None or shown.size != stored.size):
            return _show(repository, storage, video)
    return video


def _show(repository: VideoRepository, storage: Storage, video: Video) -> Video:
    """Let every published name show its object, until names and record agree.

    A worker that slept before this and wakes after another has published sets the names by the
    record it then reads.
    """
    while True:
        for name, key in video.files.items():
            if storage.stat(key):
                storage.link(key, name)
        try:
            now = repository.get(video.id)
        except VideoNotFoundError:
            for name in video.files:
                storage.delete(name)
            return video
        if now.files == video.files:
            return now
        video = now
