"""What the pipeline adds to the time its vendor takes: `python benchmarks/vendor_time.py`.

A vendor on 127.0.0.1 (`tests/vendor.py`, in a process of its own) takes 3 s for a storyboard, 8 s
for a picture and 5 s for a sentence. One process makes all the parts of a film of 7 scenes and 12
sentences, of one script to warm up, then of others, and compares with the vendor's critical path:
the storyboard and the slowest picture after it, or two rounds of the slowest sentences.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from visionpulse import Pipeline, VideoOptions
from visionpulse.models import Event
from visionpulse.providers.openai import OpenAIImages, OpenAIPrompts, OpenAISpeech

ROOT = Path(__file__).parents[1]
SECONDS = {"prompts": 3.0, "images": 8.0, "speech": 5.0}
SCENES, SENTENCES, SPEECH_AT_ONCE = 7, 12, 6


@contextmanager
def vendor() -> Generator[str]:
    """Run the vendor in another process; gives its base URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.vendor"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def tell(url: str, **orders: Any) -> None:
    """Give the vendor orders."""
    control = f"{url.removesuffix('/v1')}/_control"
    urllib.request.urlopen(urllib.request.Request(control, json.dumps(orders).encode())).close()


def asked(url: str) -> list[dict[str, Any]]:
    """Return what the vendor was asked."""
    with urllib.request.urlopen(f"{url.removesuffix('/v1')}/_calls") as answer:
        calls: list[dict[str, Any]] = json.load(answer)["calls"]
    return calls


def critical_path(calls: list[dict[str, Any]]) -> float:
    """Return the seconds that nobody can save at this vendor."""
    longest = {
        kind: max(call["ended"] - call["started"] for call in calls if call["kind"] == kind)
        for kind in SECONDS
    }
    rounds = -(-SENTENCES // SPEECH_AT_ONCE)
    return max(longest["prompts"] + longest["images"], rounds * longest["speech"])


def script(number: int) -> str:
    """Return another script for every number."""
    return " ".join(
        f"Sentence {line} of script {number} tells of the lighthouse and the sea."
        for line in range(1, SENTENCES + 1)
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the vendor's seconds")
    options = parser.parse_args()
    shape = VideoOptions(scene_count=SCENES)
    added: list[float] = []
    with tempfile.TemporaryDirectory() as home, vendor() as url:
        facts = {"api_key": "sk-nobody", "base_url": url}
        pipeline = Pipeline(
            "offline",
            prompts=OpenAIPrompts("gpt-4o", **facts),
            images=OpenAIImages("dall-e-3", **facts),
            speech=OpenAISpeech("tts-1", **facts),
            home=home,
        )
        with pipeline:
            pipeline.run(script(0), options=shape, until="narration")
            tell(url, latency={kind: each * options.scale for kind, each in SECONDS.items()})
            for number in range(1, options.rounds + 1):
                tell(url, forget=True)
                made: dict[str, float] = {}

                def note(event: Event, made: dict[str, float] = made) -> None:
                    if event.kind == "made":
                        made[event.what] = time.monotonic()

                began = time.monotonic()
                pipeline.run(script(number), options=shape, until="narration", on_event=note)
                ended = time.monotonic()
                calls = asked(url)
                assert len(calls) == 1 + SCENES + SENTENCES
                parts = max(made["picture"], made["speech"]) - began
                path = critical_path(calls)
                added.append(parts - path)
                print(
                    f"all parts {parts:.2f} s, vendor {path:.2f} s, added {parts - path:.3f} s; "
                    f"with words timed and narration.mp3 mixed {ended - began:.2f} s"
                )
    print(f"added, median of {len(added)}: {statistics.median(added):.3f} s")


if __name__ == "__main__":
    main()
