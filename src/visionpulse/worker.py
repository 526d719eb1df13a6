"""Working on a claimed video: the claim is kept alive, and the result published under its fence."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from visionpulse import loop
from visionpulse.errors import (
    ClaimLostError,
    JobError,
    RepositoryError,
    VideoCancelledError,
    VideoNotFoundError,
)
from visionpulse.models import Video
from visionpulse.protocols import Claim, Storage, VideoRepository

T = TypeVar("T")

# Tells this process from an earlier one that had the same number, as in a restarted container.
_PROCESS = uuid.uuid4().hex[:8]


def owner_name() -> str:
    """Return a name for a new owner of claims in this process."""
    return f"{socket.gethostname()}:{os.getpid()}:{_PROCESS}:{uuid.uuid4().hex[:8]}"


def is_dead(owner: str) -> bool:
    """Return whether an owner of claims surely lives no more: its process, on this machine, ended.

    Its lease need not be waited for then.
    """
    host, pid, process, _ = f"{owner}:::".split(":", 3)
    if host != socket.gethostname() or not pid.isdigit() or os.name == "nt":
        return False
    if int(pid) == os.getpid():
        return process != _PROCESS
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
        self._interrupts: dict[str, Callable[[], object]] = {}

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
                await asyncio.sleep(self._lease / 3)
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
                    continue

        stop_beating = loop.begin(beat)
        self._interrupts[claim.video_id] = interrupt
        try:
            return await task
        except asyncio.CancelledError:
            if lost:
                raise await loop.in_thread(self._why_lost, claim) from None
            raise
        finally:
            del self._interrupts[claim.video_id]
            stop_beating()

    def holds(self, video_id: str) -> bool:
        """Return whether this process works on a video."""
        return video_id in self._interrupts

    def interrupt(self, video_id: str) -> None:
        """Have this process let go of a video it may be working on."""
        if interrupt := self._interrupts.get(video_id):
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

    A worker that slept between the two and wakes after another has published sets the names by the
    record it then reads, so the names always come to agree with it.

    Raises:
        ClaimLostError: The claim is gone; nothing was changed.
    """
    saved = repository.save(video, claim)
    while True:
        set_names(storage, saved)
        try:
            now = repository.get(saved.id)
        except VideoNotFoundError:
            for name in saved.files:
                storage.delete(name)
            return saved
        if now.files == saved.files:
            return now
        saved = now


def set_names(storage: Storage, video: Video) -> None:
    """Let every published name of a video show its object."""
    for name, key in video.files.items():
        storage.link(key, name)


def mend_names(storage: Storage, video: Video) -> None:
    """Set again what is missing or has another size than its object."""
    for name, key in video.files.items():
        shown, stored = storage.stat(name), storage.stat(key)
        if stored and (shown is None or shown.size != stored.size):
            storage.link(key, name)
