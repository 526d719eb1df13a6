"""One recipe, several processes, one paid call."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .vendor import Vendor

DRAW = """
import sys
from visionpulse import ImageService, Ledger
from visionpulse.providers.openai import OpenAIImages, OpenAIPrompts
from visionpulse.repositories.sql import SqlRepository
from visionpulse.storage.local import LocalStorage

home, vendor, video_id = sys.argv[1:]
there = {"api_key": "sk-loopback", "base_url": vendor}
ledger = Ledger(SqlRepository(f"{home}/x.db"), LocalStorage(f"{home}/output"), lease=1)
service = ImageService(
    prompts=OpenAIPrompts(**there), images=OpenAIImages(model="sdxl", **there), ledger=ledger
)
print("ready", flush=True)
sys.stdin.readline()
print(*service.generate_images(["a red door"], video_id))
"""


class Artist:
    """A process that draws one picture when told."""

    def __init__(self, home: Path, vendor: Vendor, video_id: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRAW, str(home), vendor.url, video_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def begin(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def picture(self) -> bytes:
        path = self.process.stdout.readline().strip()
        assert self.process.wait(30) == 0
        return Path(path).read_bytes()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def slow_vendor():
    with Vendor(latency=1.0) as made:
        yield made


@pytest.fixture
def artists(tmp_path, slow_vendor):
    made = [Artist(tmp_path, slow_vendor, name * 32) for name in "abc"]
    yield made
    for each in made:
        each.close()


@pytest.mark.slow
def test_processes_that_want_one_picture_pay_for_one(slow_vendor, artists):
    """The others wait for the first and take its picture."""
    for artist in artists:
        artist.begin()

    pictures = {artist.picture() for artist in artists}

    assert slow_vendor.count("images") == 1
    assert len(pictures) == 1


@pytest.mark.slow
def test_killed_maker_is_replaced_by_one_of_those_who_wait(slow_vendor, artists):
    """Its own call is lost, as it was in flight; the two who wait make one more, not two."""
    first, *others = artists
    first.begin()
    slow_vendor.wait_for(1)
    for artist in others:
        artist.begin()
    time.sleep(0.3)

    first.process.send_signal(signal.SIGKILL)
    pictures = {artist.picture() for artist in others}

    assert slow_vendor.count("images") == 2
    assert len(pictures) == 1
