"""Worker threads inside the process: what `Pipeline.submit` uses when nothing else is given."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class ThreadQueue:
    """Wakes threads that work on waiting videos, oldest first.

    Args:
        work: Takes one waiting video and works on it; returns whether there was one.
        workers: How many videos are made at the same time.
        poll: Seconds after which a thread looks by itself: for videos of dead workers, and of
            programs that do not know this queue.
    """

    def __init__(self, work: Callable[[], bool], *, workers: int = 1, poll: float = 5.0) -> None:
        self._work = work
        self._poll = poll
        self._workers = workers
        self._woken = threading.Condition()
        self._calls = 0
        self._closed = False
        self._threads: list[threading.Thread] = []

    def wake(self, video_id: str) -> None:
        """Have a thread look for waiting videos."""
        with self._woken:
            if not self._threads:
                self._threads = [
                    # Daemons: what they leave unfinished at exit is resumable.
                    threading.Thread(target=self._run, name=f"visionpulse-worker-{n}", daemon=True)
                    for n in range(self._workers)
                ]
                for thread in self._threads:
                    thread.start()
            self._calls += 1
            self._woken.notify()

    def close(self) -> None:
        """Let the threads end after the video they work on."""
        with self._woken:
            self._closed = True
            self._woken.notify_all()

    def _run(self) -> None:
        while not self._closed:
            try:
                worked = self._work()
            except Exception:
                # A database in trouble gets a rest; whatever it was, the thread goes on.
                _log.exception("A worker could not do its work.")
                worked = False
            if not worked:
                with self._woken:
                    if not self._calls and not self._closed:
                        self._woken.wait(self._poll)
                    self._calls = max(0, self._calls - 1)
