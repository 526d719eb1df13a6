"""What a program costs: CPU and wall seconds, and the peak memory of its whole process tree.

CPU is user and system time of the program and every process it started, as the kernel reports it
when they end; processes that outlive their parent are counted too. Memory is the largest sum of PSS
(proportional set size: a page shared by two processes counts half in each) seen in samples.
Linux only. `python benchmarks/meter.py` checks the meter against programs of known cost.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

SAMPLE_SECONDS = 0.2
_SET_CHILD_SUBREAPER = 36
_TICK = os.sysconf("SC_CLK_TCK")


class ProgramFailedError(Exception):
    """A measured program ended with an error; its last words are in the message."""


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    cpu: float
    """Seconds of user and system time, children included."""
    wall: float
    """Seconds."""
    memory: float
    """Peak megabytes (10^6) of the tree, as PSS."""
    others: float
    """How many cores other programs kept busy meanwhile: near 0, or wall is worth little."""


def run(argv: Sequence[str], *, cores: int | None = None) -> Cost:
    """Run a program to its end and return what it cost.

    Args:
        argv: The program and its arguments.
        cores: It and its children may run on this many CPUs; all there are by default.

    Raises:
        ProgramFailedError: It ended with an error.
    """
    # Orphans come to this process, so that none ends uncounted.
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryFile() as words:
        busy, begun = _busy_seconds(), time.monotonic()
        child = _start(argv, cores, words)
        memory = _MemorySampler()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            raise
        finally:
            peak = memory.stop()
        wall = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime + _orphans()
        busy = _busy_seconds() - busy
        if child.returncode:
            words.seek(0)
            last = words.read().decode(errors="replace")[-2000:]
            raise ProgramFailedError(f"{argv[0]} ended with {child.returncode}:\n{last}")
    return Cost(cpu, wall, peak / 1e6, max(0.0, busy - cpu) / wall)


def _start(argv: Sequence[str], cores: int | None, words: IO[bytes]) -> subprocess.Popen[bytes]:
    there = os.sched_getaffinity(0)
    # A child inherits the affinity of the thread that starts it.
    os.sched_setaffinity(0, sorted(there)[:cores])
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True
        )
    finally:
        os.sched_setaffinity(0, there)


def tree_cpu() -> float:
    """Return the CPU seconds of this process and its children so far, ended ones included.

    For costs inside one process; exact to 10 ms for each child alive.
    """
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    own = sum(each.ru_utime + each.ru_stime for each in used)
    return own + sum(_cpu_of(child.pid) for child in _children())


class _MemorySampler:
    def __init__(self) -> None:
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, sum(_pss(child.pid) for child in _children()))


def _children() -> list[psutil.Process]:
    try:
        return psutil.Process().children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0  # It has ended.


def _cpu_of(pid: int) -> float:
    with suppress(OSError):
        # The name before the last bracket may hold anything. Then: user, system, and the same of
        # children that were waited for.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICK
    return 0.0


def _orphans() -> float:
    seconds = 0.0
    with suppress(ChildProcessError):
        while True:
            _, _, usage = os.wait4(-1, 0)
            seconds += usage.ru_utime + usage.ru_stime
    return seconds


def _busy_seconds() -> float:
    """Return how long all CPUs together have been busy, stolen time included."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _waiting, *rest = fields
    return (user + nice + system + sum(rest)) / _TICK


_BURN = """
import time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
"""
_CHECKS = {
    "one process burns 1.0 s": (1.0, None, None, _BURN + "burn(1 - time.process_time())"),
    "a child that is waited for burns 0.5 s of 1.0": (
        1.0,
        None,
        None,
        _BURN
        + """
import os
if os.fork() == 0:
    burn(0.5); os._exit(0)
burn(0.5 - time.process_time()); os.wait()
""",
    ),
    "an orphan that outlives its parent burns 0.7 s of 1.0": (
        1.0,
        None,
        None,
        _BURN
        + """
import os
if os.fork() == 0:
    if os.fork() == 0:
        burn(0.7)
    os._exit(0)
os.wait(); burn(0.3 - time.process_time())
""",
    ),
    "two threads on all cores burn 1.0 s": (
        1.0,
        None,
        None,
        """
import hashlib, threading, time
block = bytes(1 << 20)
def work():
    while time.process_time() < 1: hashlib.sha256(block).digest()
two = [threading.Thread(target=work) for _ in range(2)]
for each in two: each.start()
for each in two: each.join()
""",
    ),
    "two threads on one core burn 1.0 s": (
        1.0,
        None,
        1,
        """
import hashlib, os, threading, time
assert len(os.sched_getaffinity(0)) == 1
block = bytes(1 << 20)
def work():
    while time.process_time() < 1: hashlib.sha256(block).digest()
two = [threading.Thread(target=work) for _ in range(2)]
for each in two: each.start()
for each in two: each.join()
""",
    ),
    "500 MB, shared with two forked children": (
        None,
        500.0,
        None,
        """
import os, time
block = bytearray(b"x") * 500_000_000
for _ in range(2):
    if os.fork() == 0: time.sleep(0.8); os._exit(0)
os.wait(); os.wait()
""",
    ),
    "500 MB in two children of their own, 250 each": (
        None,
        500.0,
        None,
        """
import os, time
for _ in range(2):
    if os.fork() == 0:
        block = bytearray(b"x") * 250_000_000; time.sleep(0.8); os._exit(0)
os.wait(); os.wait()
""",
    ),
}


def check() -> bool:
    """Measure programs of known cost; say how far off the meter is."""
    right = True
    for name, (cpu, memory, cores, program) in _CHECKS.items():
        cost = run([sys.executable, "-S", "-c", program], cores=cores)
        if cpu is not None:
            fits = abs(cost.cpu - cpu) < 0.05
            found = f"{cost.cpu:.3f} CPU s"
        else:
            assert memory is not None
            fits = abs(cost.memory - memory) < 0.05 * memory
            found = f"{cost.memory:.0f} MB"
        right &= fits
        print(f"{'ok ' if fits else 'BAD'} {name}: {found}")
    before = tree_cpu()
    subprocess.run([sys.executable, "-S", "-c", _BURN + "burn(1)"], check=True)
    with subprocess.Popen([sys.executable, "-S", "-c", _BURN + "burn(1)\ninput()"], stdin=-1) as it:
        time.sleep(1.6)
        seconds = tree_cpu() - before
        it.communicate(b"\n")
    fits = abs(seconds - 2) < 0.1
    print(f"{'ok ' if fits else 'BAD'} tree_cpu, a child ended and one alive, 2.0 s: {seconds:.3f}")
    return right and fits


if __name__ == "__main__":
    sys.exit(not check())
