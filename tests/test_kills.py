"""Whatever is killed, nothing is lost, nothing is bought twice, and the film is the same."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from .vendor import Vendor

PAID_KINDS = ("prompts", "picture", "speech")
IDEAL_CALLS = 5
"""One storyboard, two pictures, two sentences."""


class Workshop:
    """A process that makes films on demand, and the vendor it buys from."""

    def __init__(self) -> None:
        self.vendor = Vendor().__enter__()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.killing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
        assert self._process.stdout.readline() == "ready\n"

    def make(self, home: Path, key: str = "sk-undisturbed", **order) -> int:
        """Return the exit code of a child that makes the film."""
        order |= {"home": str(home), "vendor": self.vendor.url, "key": key}
        json.dump(order, self._process.stdin)
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())["exit"]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        self.vendor.__exit__(None, None, None)


@pytest.fixture
def workshops():
    """As many as there are cores here to kill on."""
    made = [Workshop() for _ in range(2)]
    yield made
    for each in made:
        each.close()


def recorded_paid_artefacts(home: Path) -> int:
    database = home / "visionpulse.db"
    if not database.exists():
        return 0
    with sqlite3.connect(database) as db:
        if not db.execute("select 1 from sqlite_master where name = 'artefacts'").fetchone():
            return 0
        marks = ", ".join("?" * len(PAID_KINDS))
        return db.execute(
            f"select count(*) from artefacts where kind in ({marks})", PAID_KINDS
        ).fetchone()[0]


def faults(home: Path, workshop: Workshop, reference: str, **kill) -> list[str]:
    """Kill a run, resume it, and return everything that is not as promised."""
    # What a killed process sent may reach the vendor when the next one is at work: a key for each.
    killed, resumed = f"sk-killed-{home.name}", f"sk-resumed-{home.name}"
    exit_code = workshop.make(home, killed, **kill)
    if exit_code not in (0, -signal.SIGKILL):
        return [f"the run ended with {exit_code}"]
    recorded = recorded_paid_artefacts(home)
    exit_code = workshop.make(home, resumed, resume=True)
    if exit_code:
        return [f"the resumed run ended with {exit_code}"]
    wrong = []
    if (home / "digest").read_text() != reference:
        wrong.append("the film is another")
    if (again := workshop.vendor.count(key=resumed)) != IDEAL_CALLS - recorded:
        wrong.append(f"{again} calls after {recorded} were recorded")
    if (in_flight := workshop.vendor.count(key=killed) - recorded) > 4:
        wrong.append(f"{in_flight} calls lost, more than can be in flight")
    wrong += [
        f"{path.name} is torn"
        for path in (home / "output" / "objects").rglob("*.*")
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem
    ]
    with sqlite3.connect(home / "visionpulse.db") as db:
        if (answer := db.execute("pragma integrity_check").fetchone()) != ("ok",):
            wrong.append(f"the database says {answer}")
    return wrong


def kill_all(tmp_path: Path, workshops: list[Workshop], kills: list[dict]) -> dict[str, list[str]]:
    """Run every kill in a folder of its own, on all workshops at once."""
    assert workshops[0].make(tmp_path / "reference") == 0
    reference = (tmp_path / "reference" / "digest").read_text()
    idle: SimpleQueue[Workshop] = SimpleQueue()
    for workshop in workshops:
        idle.put(workshop)

    def run(numbered: tuple[int, dict]) -> tuple[str, list[str]]:
        number, kill = numbered
        workshop = idle.get()
        try:
            return str(kill), faults(tmp_path / str(number), workshop, reference, **kill)
        finally:
            idle.put(workshop)

    with ThreadPoolExecutor(len(workshops)) as pool:
        results = dict(pool.map(run, enumerate(kills)))
    return {kill: wrong for kill, wrong in results.items() if wrong}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_before_any_durable_step(tmp_path, workshops):
    """The steps are those of an undisturbed run."""
    assert workshops[0].make(tmp_path / "dry") == 0
    steps = int((tmp_path / "dry" / "steps").read_text())
    assert steps > 100

    broken = kill_all(tmp_path, workshops, [{"fatal": step} for step in range(1, steps + 1)])

    assert broken == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_moments(tmp_path, workshops):
    """Twenty, seeded, over the time a run takes."""
    moments = random.Random(20)

    broken = kill_all(
        tmp_path, workshops, [{"seconds": moments.uniform(0.05, 3.0)} for _ in range(20)]
    )

    assert broken == {}
