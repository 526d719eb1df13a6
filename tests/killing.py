"""A tiny film made in a process that can be killed at any durable step.

`python -m tests.killing` imports everything once and then, for each line of JSON on its standard
input, forks a child that makes the film; so a kill costs a film and not also the imports. A durable
step is a rename, a link, an fsync, an unlink, a commit that changed something, or a send to the
network. The answer, a line of JSON, says how the child ended and how many steps it took.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path

from visionpulse.models import VideoOptions

SCRIPT = "A red door. A long corridor."
OPTIONS = VideoOptions(width=256, height=144, fps=24, scene_count=2, picture_size="256x256")


def make_film(home: Path, vendor: str, key: str, resume: bool) -> None:
    """Make the film, or resume the only video there is; leave its digest in `home`."""
    from visionpulse import Pipeline
    from visionpulse.providers.openai import OpenAIImages, OpenAIPrompts, OpenAISpeech

    there = {"api_key": key, "base_url": vendor}
    with Pipeline(
        "offline",
        prompts=OpenAIPrompts(model="gpt-4o", **there),
        images=OpenAIImages(model="sdxl", **there),
        speech=OpenAISpeech(model="tts-1", **there),
        home=home,
        lease=0.6,
    ) as pipeline:
        known = pipeline.list().items if resume else ()
        video = pipeline.run(known[0]) if known else pipeline.run(SCRIPT, options=OPTIONS)
    digest = hashlib.sha256(Path(video.video_path).read_bytes()).hexdigest()
    (home / "digest").write_text(digest)


class Steps:
    """Counts durable steps and ends the process before a chosen one."""

    def __init__(self, fatal: int | None) -> None:
        self.taken = 0
        self._fatal = fatal
        self._lock = threading.Lock()
        self._changes: dict[int, int] = {}

    def watch(self) -> None:
        """Put a step before every durable call of this process."""
        from sqlalchemy.engine.default import DefaultDialect

        for module, name in (
            (os, "replace"),
            (os, "rename"),
            (os, "link"),
            (os, "fsync"),
            (os, "unlink"),
        ):
            setattr(module, name, self._before(getattr(module, name)))
        commit = DefaultDialect.do_commit

        def do_commit(dialect, connection):
            driver = (
                connection.driver_connection
                if hasattr(connection, "driver_connection")
                else connection
            )
            changes = driver.total_changes
            if self._changes.get(id(driver)) != changes:
                self._changes[id(driver)] = changes
                self.step()
            commit(dialect, connection)

        DefaultDialect.do_commit = do_commit
        send = socket.socket.send

        def count_and_send(sock, *arguments):
            # An event loop wakes itself through a local pair; that is no network.
            if sock.family == socket.AF_INET:
                self.step()
            return send(sock, *arguments)

        socket.socket.send = count_and_send

    def step(self) -> None:
        with self._lock:
            self.taken += 1
            if self.taken == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def _before(self, function):
        def stepping(*arguments, **named):
            self.step()
            return function(*arguments, **named)

        return stepping


def child(order: dict) -> None:
    home = Path(order["home"])
    scratch = home / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(scratch)
    steps = Steps(order.get("fatal"))
    steps.watch()
    if seconds := order.get("seconds"):
        threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
    make_film(home, order["vendor"], order["key"], order.get("resume", False))
    (home / "steps").write_text(str(steps.taken))


def main() -> None:
    from visionpulse.renderers.process import find_ffmpeg

    for name in ("crew", "providers.openai", "repositories.sql", "storage.local"):
        import_module(f"visionpulse.{name}")
    find_ffmpeg()
    assert threading.active_count() == 1, "a fork would lose threads"
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            code = 1
            try:
                child(order)
                code = 0
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"exit": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
