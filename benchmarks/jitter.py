"""How smoothly the camera moves: where the picture is, against where the eased path says it is.

A window of every frame's luma, at full resolution, is compared with the same window as the
camera's path and a Lanczos filter with a float box would draw it (`reference.py`); the shift
between the two is the deviation in pixels. So errors do not add up from frame to frame, a zoom is
measured like a pan, and the meter works where it is best, near zero. Two meters: phase
correlation (OpenCV's, with a Hanning window), which whitens the picture and so hears the rounding
and the encoder's noise too; and least squares on gradients, finer and quieter.

    python benchmarks/jitter.py             # some minutes
    python benchmarks/jitter.py --full      # encodes the whole three-minute pan
    python benchmarks/jitter.py --check     # the meters alone, on known shifts
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import cv2
import numpy as np
import numpy.typing as npt
import reference
import stills

from visionpulse.models import Motion
from visionpulse.protocols import Move, Piece
from visionpulse.renderers.ffmpeg import FFmpegRenderer
from visionpulse.renderers.frames import frames as draw
from visionpulse.renderers.process import find_ffmpeg

FPS = 30
WIDTH, HEIGHT = 1920, 1080
SIDE = 384
_PIECE_SECONDS = 10
# Deviations the meters themselves show on perfect frames; smaller steps back are not seen.
METER_NOISE = 0.005

Plane = npt.NDArray[Any]

_HANNING = cv2.createHanningWindow((SIDE, SIDE), cv2.CV_64F)


class Case(NamedTuple):
    """A camera move of some length; `left` and `top` are where the tracked window lies."""

    name: str
    motion: Motion
    seconds: int
    left: int
    top: int


# Zooms are tracked far from their still centre.
CASES = [
    Case("zoom in, 10 s", "in", 10, 96, 96),
    Case("zoom out, 10 s", "out", 10, 1440, 640),
    Case("zoom in, 60 s", "in", 60, 96, 96),
    Case("pan down, 10 s", "down", 10, 768, 348),
    Case("pan right, 10 s", "right", 10, 768, 348),
    Case("pan left, 60 s", "left", 60, 768, 348),
    Case("pan up, 60 s", "up", 60, 768, 348),
    Case("pan right, 180 s", "right", 180, 768, 348),
]


@dataclass(frozen=True)
class Smoothness:
    """Deviations from the path in pixels."""

    frames: int
    speed: float
    """The greatest speed of the path in the tracked window, pixels a second."""
    phase_max: float
    phase_std: float
    gradient_max: float
    gradient_std: float
    jitter: float
    """Deviation of what is left of acceleration when the path's is taken away, pixels a frame^2."""
    backward: float
    """The largest step against the direction of the path from a frame to the next, in pixels."""
    backward_steps: int
    """How many are larger than the meter's noise."""
    backward_second: float
    """The largest step back from a frame to the one a second later; 0 where there is none."""


def measure(case: Case, pieces: Iterable[tuple[Piece, Iterable[Plane]]]) -> Smoothness:
    """Compare frames with the path; `pieces` are consecutive or apart."""
    stretches = []
    for piece, seen in pieces:
        rows = []
        for number, luma in enumerate(seen):
            part = luma[case.top : case.top + SIDE, case.left : case.left + SIDE]
            ideal = reference.luma(piece, number, case.left, case.top, SIDE, SIDE)
            rows.append([*_place(case, piece, number), *_phase(ideal, part), *_shift(ideal, part)])
        stretches.append((piece.offset, np.array(rows)))
    rows = np.concatenate([rows for _, rows in stretches])
    phase, gradient = np.hypot(*rows[:, 2:4].T), np.hypot(*rows[:, 4:6].T)
    steps, seconds, speeds, shakes = [], [], [], []
    for path, found in _joined(stretches):
        shakes.append(np.diff(found - path, 2, axis=0))
        speeds += list(np.hypot(*np.diff(path, axis=0).T) * FPS)
        steps += list(_along(path, found, 1))
        seconds += list(_along(path, found, FPS))
    return Smoothness(
        frames=len(rows),
        speed=float(max(speeds)),
        phase_max=float(phase.max()),
        phase_std=float(np.sqrt(rows[:, 2:4].var(0).sum())),
        gradient_max=float(gradient.max()),
        gradient_std=float(np.sqrt(rows[:, 4:6].var(0).sum())),
        jitter=float(np.sqrt(np.concatenate(shakes).var(0).sum())),
        backward=max(0.0, -float(min(steps))),
        backward_steps=int(np.count_nonzero(np.array(steps) < -METER_NOISE)),
        backward_second=max(0.0, -float(min(seconds))),
    )


def _joined(stretches: list[tuple[int, Plane]]) -> Iterator[tuple[Plane, Plane]]:
    """Yield paths and found places, pieces that follow each other taken together."""
    groups: list[list[Plane]] = []
    end = -1
    for offset, rows in stretches:
        if offset == end:
            groups[-1].append(rows)
        else:
            groups.append([rows])
        end = offset + len(rows)
    for group in groups:
        rows = np.concatenate(group)
        yield rows[:, :2], rows[:, :2] + rows[:, 4:6]


def _along(path: Plane, found: Plane, lag: int) -> Plane:
    """Return the steps found, along the direction in which the path goes at the time."""
    way = path[-1] - path[0] if lag == 1 else path[lag:] - path[:-lag]
    length = np.linalg.norm(way, axis=-1, keepdims=True)
    direction = way / np.where(length, length, 1)
    return ((found[lag:] - found[:-lag]) * direction).sum(-1)


def _place(case: Case, piece: Piece, number: int) -> tuple[float, float]:
    """Return where on the film the picture's point lies that is mid-window at the start."""
    begin = reference.window_of(piece.still, piece, 0)
    across, down = case.left + SIDE / 2, case.top + SIDE / 2
    x = begin.left + across / WIDTH * begin.width
    y = begin.top + down / HEIGHT * begin.height
    now = reference.window_of(piece.still, piece, piece.offset + number)
    return (x - now.left) / now.width * WIDTH, (y - now.top) / now.height * HEIGHT


def _phase(ideal: Plane, seen: Plane) -> tuple[float, float]:
    (x, y), _ = cv2.phaseCorrelate(ideal.astype(np.float64), seen.astype(np.float64), _HANNING)
    return x, y


def _shift(ideal: Plane, seen: Plane) -> tuple[float, float]:
    """Solve for the shift that explains the difference by the gradients; for shifts below 1."""
    one = cv2.GaussianBlur(ideal.astype(np.float32), (0, 0), 1.5)
    other = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 1.5)
    down, across = np.gradient((one + other) / 2)
    edge = np.s_[8:-8, 8:-8]
    across, down, change = across[edge].ravel(), down[edge].ravel(), (one - other)[edge].ravel()
    matrix = np.array([[across @ across, across @ down], [across @ down, down @ down]])
    x, y = np.linalg.solve(matrix, [across @ change, down @ change])
    return float(x), float(y)


def pieces_of(case: Case, picture: Path) -> list[Piece]:
    """Cut a move as the timeline cuts a scene's body."""
    total = case.seconds * FPS
    move = Move(picture, picture.stem, case.motion, total)
    length = _PIECE_SECONDS * FPS
    return [
        Piece(WIDTH, HEIGHT, FPS, min(length, total - first), move, first)
        for first in range(0, total, length)
    ]


def drawn(piece: Piece) -> Iterator[Plane]:
    """Yield the luma of frames before they are encoded."""
    size = WIDTH * HEIGHT
    held = bytearray()
    for block in draw(piece):
        held += memoryview(block).cast("B")
        while len(held) >= size * 3 // 2:
            yield np.frombuffer(bytes(held[:size]), np.uint8).reshape(HEIGHT, WIDTH)
            del held[: size * 3 // 2]


def encoded(piece: Piece, folder: Path) -> Iterator[Plane]:
    """Encode a piece as a film's are, and yield the luma of what a player would show."""
    out = folder / "piece.mp4"
    anyio.run(FFmpegRenderer().encode, piece, out)
    size = WIDTH * HEIGHT
    argv = [find_ffmpeg().path, "-loglevel", "error", "-i", str(out), "-f", "rawvideo", "-"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as child:
        assert child.stdout
        for _ in range(piece.frames):
            yield np.frombuffer(child.stdout.read(size), np.uint8).reshape(HEIGHT, WIDTH)
            child.stdout.read(size // 2)


def perfect(piece: Piece, case: Case) -> Iterator[Plane]:
    """Yield what the reference draws, rounded to 8 bits: what the meters find is their noise."""
    for number in range(piece.frames):
        frame = np.zeros((HEIGHT, WIDTH), np.uint8)
        part = reference.luma(piece, number, case.left, case.top, SIDE, SIDE)
        frame[case.top : case.top + SIDE, case.left : case.left + SIDE] = np.rint(part)
        yield frame


def check(picture: Path) -> None:
    """Show what the meters say of known shifts."""
    print("shift in px: phase correlation, gradients (means of 8 frames, with deviations)")
    case = CASES[-1]
    piece = pieces_of(case, picture)[8]
    for shift in (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
        found = []
        for number in range(0, 240, 30):
            at = (piece, number, case.left, case.top, SIDE, SIDE)
            ideal = reference.luma(*at)
            seen = np.rint(reference.luma(*at, shift=shift))
            found.append([_phase(ideal, seen)[0], _shift(ideal, seen)[0]])
        mean, deviation = np.mean(found, 0), np.std(found, 0)
        print(
            f"  {shift:.2f}: {mean[0]:.3f} +-{deviation[0]:.3f}  {mean[1]:.3f} +-{deviation[1]:.4f}"
        )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="encode every piece of every move")
    parser.add_argument("--check", action="store_true", help="only try the meters")
    parser.add_argument("--only", default="", help="cases with these words in their name")
    parser.add_argument("--out", type=Path, help="where JSON goes")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    results = []
    with tempfile.TemporaryDirectory(prefix="visionpulse-jitter-") as name:
        folder = Path(name)
        picture = folder / "textured.png"
        stills.textured().save(picture)
        check(picture)
        if options.check:
            return
        print(
            f"\n{'':18}{'':10}{'frames':>7}{'px/s':>7}   phase max   std"
            f"   gradients max   std  jitter   step back (n)  in 1 s"
        )
        for case in CASES:
            if options.only not in case.name:
                continue
            pieces = pieces_of(case, picture)
            some = pieces if options.full else sorted({0, len(pieces) // 2, len(pieces) - 1})
            if not options.full:
                some = [pieces[number] for number in some]
            for how, found in {
                "perfect": ((each, perfect(each, case)) for each in some[:1]),
                "drawn": ((each, drawn(each)) for each in pieces),
                "encoded": ((each, encoded(each, folder)) for each in some),
            }.items():
                smooth = measure(case, found)
                results.append({"case": case.name, "frames_are": how, **asdict(smooth)})
                missed = how != "perfect" and (smooth.phase_max >= 0.1 or smooth.backward_second)
                print(
                    f"{case.name:18}{how:10}{smooth.frames:7}{smooth.speed:7.1f}"
                    f"{smooth.phase_max:12.3f}{smooth.phase_std:6.3f}{smooth.gradient_max:16.3f}"
                    f"{smooth.gradient_std:6.3f}{smooth.jitter:8.3f}{smooth.backward:12.3f}"
                    f" ({smooth.backward_steps})"
                    f"{smooth.backward_second:8.3f}{'  MISSED' if missed else ''}",
                    flush=True,
                )
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
