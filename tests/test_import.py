"""`from visionpulse import Pipeline` costs next to nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import pytest

HEAVY = (
    "langgraph openai moviepy sqlalchemy alembic PIL numpy cv2 onnxruntime av fastapi typer rich "
    "pydantic anyio httpx2 imageio_ffmpeg"
)


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_import_loads_no_big_library():
    """A program that may never make a video pays for none of them."""
    loaded = run("import sys; from visionpulse import Pipeline; print(*sys.modules)").split()

    assert "visionpulse.pipeline" in loaded
    assert set(HEAVY.split()) & set(loaded) == set()


def test_every_public_name_is_there():
    """The lazy names are those that exist."""
    names = run(
        "import visionpulse\n"
        "for name in visionpulse.__all__: print(getattr(visionpulse, name).__name__)"
    ).split()

    assert "Pipeline" in names
    assert names == run("import visionpulse; print(*visionpulse.__all__)").split()


@pytest.mark.slow
def test_import_takes_at_most_twice_as_long_as_pydantic():
    """Side by side in fresh processes; a ratio, because the machine is shared."""
    ours, theirs = [], []

    for _ in range(20):
        for times, code in (
            (ours, "from visionpulse import Pipeline"),
            (theirs, "import pydantic"),
        ):
            began = time.perf_counter()
            run(code)
            times.append(time.perf_counter() - began)

    assert statistics.median(ours) <= 2 * statistics.median(theirs)
