"""ffmpeg as a child process: found, fed, watched, and ended."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

import imageio_ffmpeg  # type: ignore[import-untyped]

from visionpulse.errors import ConfigurationError, RenderError, StorageError
from visionpulse.renderers.pipes import FramePipe

# What ffmpeg's threads say after the one that failed.
_ECHO = re.compile(r"Terminating thread|Task finished with error|Nothing was written")

NEEDED = ("libx264", "aac", "libmp3lame")


class Stopped(Exception):  # noqa: N818 - not a failure: somebody asked for it
    """The job was stopped from another thread."""


@dataclass(frozen=True)
class FFmpeg:
    """A usable ffmpeg."""

    path: str
    version: str
    build: str
    """Tells one build from another of the same version."""


def find_ffmpeg() -> FFmpeg:
    """Return the ffmpeg of imageio-ffmpeg, or the one IMAGEIO_FFMPEG_EXE names.

    Raises:
        ConfigurationError: There is none, it does not run, or it lacks an encoder.
    """
    try:
        path = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise ConfigurationError(
            "There is no ffmpeg for this platform.",
            hint="Install ffmpeg with libx264, or set IMAGEIO_FFMPEG_EXE to one.",
            code="no_ffmpeg",
        ) from error
    return inspect(path)


@lru_cache
def inspect(path: str) -> FFmpeg:
    """Return what is known of a program that should be ffmpeg. Raises ConfigurationError."""
    hint = "Unset IMAGEIO_FFMPEG_EXE to use the one that comes with imageio-ffmpeg."
    try:
        answer = subprocess.run(  # noqa: S603
            [path, "-encoders"], capture_output=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationError(
            f"{path} cannot be run as ffmpeg.", hint=hint, code="no_ffmpeg"
        ) from error
    banner, encoders = answer.stderr.decode(errors="replace"), answer.stdout.decode()
    known = re.findall(r"^ [VA]\S{5} (\S+)", encoders, re.MULTILINE)
    version = re.search(r"^ffmpeg version (\S+)", banner, re.MULTILINE)
    missing = [name for name in NEEDED if name not in known]
    if version is None or missing:
        raise ConfigurationError(
            f"{path} lacks {', '.join(missing)}." if version else f"{path} is not ffmpeg.",
            hint=hint,
            code="no_ffmpeg",
        )
    return FFmpeg(path, version[1], hashlib.sha256(banner.encode()).hexdigest()[:12])


@dataclass(frozen=True)
class Output:
    """What a child said before it ended well."""

    stdout: bytes
    stderr: str


class Job:
    """Runs children one after another in one thread; `stop` ends the job from another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self.stopped: bool = False
        """Whether `stop` was called."""

    def stop(self) -> None:
        """End the running child, and start no other."""
        with self._lock:
            self.stopped = True
            if self._child:
                _kill(self._child)

    def run(
        self,
        arguments: Sequence[str],
        *,
        what: str,
        seconds: float,
        feed: Iterable[bytes | memoryview] = (),
        env: Mapping[str, str] | None = None,
    ) -> Output:
        """Run ffmpeg to its end.

        Args:
            arguments: All but the program.
            what: What it does, for messages: `"Encoding frames 0 to 299"`.
            seconds: It is killed after this long.
            feed: Written to its standard input, block by block, while it works; `FramePipe` says
                how long a memoryview has to stay as it is.
            env: Variables set for it besides those of this process.

        Raises:
            RenderError: It failed or took too long; its last lines are in the message.
            StorageError: The disk is full.
            Stopped: `stop` was called.
        """
        child = self._start(arguments, env or {})
        assert child.stdin
        assert child.stdout
        assert child.stderr
        told: deque[bytes] = deque(maxlen=10_000)
        said: list[bytes] = []
        readers = [
            _thread(told.extend, child.stderr),
            _thread(lambda all_: said.append(all_.read()), child.stdout),
        ]
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            _kill(child)

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        pipe = FramePipe(child.stdin)
        try:
            _write(feed, pipe, child.stdin)
            child.wait()
        except BaseException:
            _kill(child)
            if self.stopped:
                raise Stopped from None
            raise
        finally:
            timer.cancel()
            child.wait()
            for reader in readers:
                reader.join()
            child.stdout.close()
            child.stderr.close()
            with self._lock:
                self._child = None
        words = b"".join(told).decode(errors="replace")
        self.judge(child.returncode, words, what=what, late=seconds if expired.is_set() else None)
        return Output(b"".join(said), words)

    def judge(self, code: int, words: str, *, what: str, late: float | None) -> None:
        """Raise what a child's end means, if anything; `late`: it was ended after these seconds."""
        if self.stopped:
            raise Stopped
        if code and late is not None:
            raise RenderError(
                f"{what} took longer than {late:.0f} seconds and was ended.{_last_words(words)}",
                code="render_timeout",
                retryable=True,
            )
        if code:
            raise _failure(what, code, words)

    def _start(self, arguments: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        path = find_ffmpeg().path
        with self._lock:
            if self.stopped:
                raise Stopped
            try:
                self._child = subprocess.Popen(  # noqa: S603
                    [path, "-hide_banner", "-nostdin", "-nostats", "-y", *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    # Its own group: Ctrl-C is ours to handle, and a wrapper's children end with it.
                    start_new_session=True,
                    env={**os.environ, **env},
                )
            except OSError as error:
                raise RenderError(f"{path} could not be started: {error}.") from error
            return self._child


def _thread(collect: Callable[[IO[bytes]], None], stream: IO[bytes]) -> threading.Thread:
    thread = threading.Thread(target=collect, args=(stream,), daemon=True)
    thread.start()
    return thread


def _write(feed: Iterable[bytes | memoryview], pipe: FramePipe, stream: IO[bytes]) -> None:
    try:
        for block in feed:
            try:
                pipe.write(block)
            except OSError:
                return  # The child has ended; its own words say why.
    finally:
        with suppress(OSError):
            stream.close()


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()


def _failure(what: str, code: int, words: str) -> RenderError | StorageError:
    if "No space left on device" in words or "Disk quota exceeded" in words:
        return StorageError(
            f"{what} failed: the disk is full.",
            hint="Free some space and run it again; what was made before is kept.",
            code="disk_full",
        )
    if code < 0:
        return RenderError(
            f"{what} failed: ffmpeg was ended by {signal.Signals(-code).name}.{_last_words(words)}",
            hint="Most often the machine had too little memory.",
            code="render_crash",
            retryable=True,
        )
    return RenderError(f"{what} failed: ffmpeg ended with {code}.{_last_words(words)}")


def _last_words(words: str) -> str:
    """Return the last lines that say something, as the end of a message."""
    lines = [line for line in words.splitlines() if line.strip() and not _ECHO.search(line)][-5:]
    return " Its last words: " + " | ".join(lines) if lines else ""
