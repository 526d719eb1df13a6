"""What a film costs: ours beside x264 alone, the MoviePy renderer, and MoviePy as people write it.

Everything is measured in one run, in turn, round after round; ratios are medians of the ratios
within a round. A run of a few minutes by default:

    python benchmarks/render.py
    python benchmarks/render.py --films 60x7 --cores 2,1 --rounds 5 --sections pairs,quality
    python benchmarks/render.py --sections growth
    python benchmarks/render.py --full        # everything; hours
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import films
import meter
import psutil
import quality
import reference
import stills
import x264

from visionpulse.renderers.process import find_ffmpeg

HERE = Path(__file__).parent
SECTIONS = ("pairs", "quality", "naive", "change", "growth")
_LONGEST_RAW = 60
"""Seconds; a minute of finished frames is 5.6 GB."""

Costs = dict[str, list[meter.Cost]]


@dataclass
class Bench:
    """One run: where it works, what it was asked for, and what it found."""

    folder: Path
    pictures: list[Path]
    rounds: int
    cores: list[int]
    results: list[dict[str, Any]] = field(default_factory=list)
    bars: list[dict[str, Any]] = field(default_factory=list)
    _jobs: dict[str, Path] = field(default_factory=dict)

    def job(self, shape: str) -> Path:
        """Return the file of a film's job, such as `60x7`: seconds and scenes."""
        if shape not in self._jobs:
            seconds, scenes = shape.split("x")
            folder = self.folder / f"film_{shape}"
            job = films.prepare(folder, self.pictures, seconds=float(seconds), scenes=int(scenes))
            self._jobs[shape] = job.write(folder / "job.json")
        return self._jobs[shape]

    def warm_up(self) -> Path:
        """Return a short film with other pictures, so that a second film finds nothing decoded."""
        if "warm-up" not in self._jobs:
            other = self.folder / "other"
            other.mkdir()
            for seed in (51, 52):
                stills.textured(seed).save(other / f"{seed}.png", compress_level=1)
            folder = self.folder / "film_warm_up"
            job = films.prepare(folder, sorted(other.iterdir()), seconds=3, scenes=2)
            self._jobs["warm-up"] = job.write(folder / "job.json")
        return self._jobs["warm-up"]

    def measure(self, kind: str, job: Path, *more: Path | str, cores: int) -> meter.Cost:
        """Run one of `jobs.KINDS` in a child; what it measured of itself replaces the meter's."""
        out = job.parent / f"{kind}.mp4"
        told = Path(f"{out}.json")
        told.unlink(missing_ok=True)
        argv = [sys.executable, str(HERE / "jobs.py"), kind, str(job), str(out), *map(str, more)]
        cost = meter.run(argv, cores=cores)
        if kind == "frames" or more:
            inside = json.loads(told.read_text())
            return meter.Cost(inside["cpu"], inside["wall"], cost.memory, cost.others)
        return cost

    def in_turn(
        self, candidates: Mapping[str, Callable[[], meter.Cost]], rounds: int | None = None
    ) -> Costs:
        """Measure all candidates in turn, forwards and backwards by turns."""
        costs: Costs = {name: [] for name in candidates}
        for number in range(rounds or self.rounds):
            for name in list(candidates)[:: 1 if number % 2 == 0 else -1]:
                cost = candidates[name]()
                costs[name].append(cost)
                _say(
                    f"  round {number + 1}: {name}: {cost.cpu:.2f} CPU s, {cost.wall:.2f} s, "
                    f"{cost.memory:.0f} MB, others {cost.others:.2f}"
                )
        return costs

    def record(self, what: str, costs: Costs, **facts: Any) -> None:
        """Keep the samples, and print their medians."""
        self.results.append(
            {
                "what": what,
                **facts,
                "samples": {name: [asdict(each) for each in all_] for name, all_ in costs.items()},
                "medians": {name: _medians(all_) for name, all_ in costs.items()},
            }
        )
        print(f"\n{what}")
        print(f"  {'':34}{'CPU s':>9}{'from-to':>16}{'wall s':>9}{'MB':>7}{'others':>8}")
        for name, all_ in costs.items():
            middle = _medians(all_)
            cpus = [each.cpu for each in all_]
            print(
                f"  {name:34}{middle['cpu']:9.2f}{f'{min(cpus):.2f}-{max(cpus):.2f}':>16}"
                f"{middle['wall']:9.2f}{middle['memory']:7.0f}{middle['others']:8.2f}"
            )

    def bar(self, what: str, found: float, bar: str = "") -> None:
        """Keep a figure, and print it beside what it ought to be, such as `<= 0.8`."""
        self.bars.append({"what": what, "found": round(found, 5), "bar": bar})
        verdict = f"{bar:>10}  {'MISSED' if _missed(self.bars[-1]) else 'kept'}" if bar else ""
        print(f"  {what:58}{found:9.3f}{verdict}")


def pairs(bench: Bench, shape: str, cores: int, *, with_quality: bool) -> None:
    """Compare ours with x264 alone on the same finished frames."""
    job_file = bench.job(shape)
    job = films.Job.read(job_file)
    seconds = float(films.film_of(job).timeline.seconds)
    folder = job_file.parent
    raw = folder / "frames.yuv"

    def alone(name: str, settings: list[str]) -> Callable[[], meter.Cost]:
        def measure() -> meter.Cost:
            x264.warm(raw)
            return meter.run(x264.encode(raw, job, folder / f"{name}.mp4", settings), cores=cores)

        return measure

    def ours(kind: str, *more: Path) -> Callable[[], meter.Cost]:
        return lambda: bench.measure(kind, job_file, *more, cores=cores)

    candidates: dict[str, Callable[[], meter.Cost]] = {}
    short = seconds <= _LONGEST_RAW
    if short:
        _say(f"Finished frames of {shape} ...")
        if psutil.virtual_memory().available < 1.2 * seconds * 93.3e6:
            print("  note: the finished frames do not fit into memory: x264 alone waits for a disk")
        bench.measure("raw", job_file, cores=cores)
        (folder / "raw.mp4").rename(raw)
        candidates["x264 alone, veryfast"] = alone("veryfast", x264.VERYFAST)
        candidates["x264 alone, our settings"] = alone("settings", x264.AUTOMATIC)
        candidates["x264 alone, ours, 1 thread"] = alone("one_thread", x264.ONE_THREAD)
    candidates["ours"] = ours("ours")
    candidates["ours, second film in a process"] = ours("ours", bench.warm_up())
    if short and _has_moviepy_renderer():
        candidates["ours, renderer=moviepy"] = ours("moviepy")
    candidates["frames alone"] = ours("frames")
    costs = bench.in_turn(candidates, None if short else 1)
    bench.record(f"{shape}, {cores} cores", costs, film=shape, cores=cores)

    mine = costs["ours"]
    if short:
        bench.bar("CPU: ours / x264 veryfast alone", _ratio(mine, costs, "veryfast"), "<= 0.80")
        bench.bar("CPU: ours / x264 alone, our settings", _ratio(mine, costs, "sett"), "<= 1.15")
        bench.bar("CPU: ours / x264 alone, our settings, 1 thread", _ratio(mine, costs, "1 th"))
        wall = statistics.median(
            a.wall / b.wall for a, b in zip(mine, _named(costs, "veryfast"), strict=True)
        )
        bench.bar("wall: ours / x264 veryfast alone", wall)
        if "ours, renderer=moviepy" in costs:
            bench.bar(
                "CPU: renderer=moviepy / ours",
                1 / _ratio(mine, costs, "moviepy"),
                "<= 2.0",
            )
    wall = statistics.median(each.wall / (each.cpu / cores) for each in mine)
    bench.bar("wall / (CPU / cores): ours", wall, "<= 1.15")
    frames_cpu = statistics.median(each.cpu for each in costs["frames alone"]) / seconds
    bench.bar("frame production, CPU s per second of film", frames_cpu, "<= 0.17")
    if short and with_quality:
        _quality(bench, shape, job, raw)
    raw.unlink(missing_ok=True)


def _quality(bench: Bench, shape: str, job: films.Job, raw: Path) -> None:
    folder = raw.parent
    film = films.film_of(job)
    seconds = float(film.timeline.seconds)
    lanczos = folder / "lanczos.yuv"
    _say("Reference frames by Lanczos ...")
    reference.write_frames(film.pieces, quality.sample(film.timeline.frames), lanczos)
    found: dict[str, Any] = {
        "frames before encoding": {
            "lanczos": asdict(quality.compare(raw, lanczos, job, sampled=True, raw=True))
        }
    }
    files = {
        "x264 alone, veryfast": folder / "veryfast.mp4",
        "x264 alone, our settings": folder / "settings.mp4",
        "ours": folder / "ours.mp4",
    }
    for name, file in files.items():
        _say(f"Quality of {name} ...")
        picture = quality.video_bytes(file)
        found[name] = {
            "frames": asdict(quality.compare(file, raw, job)),
            "lanczos": asdict(quality.compare(file, lanczos, job, sampled=True)),
            "picture_bytes": picture,
            "file_bytes": file.stat().st_size,
            "picture_bytes_per_second": round(picture / seconds),
        }
    lanczos.unlink()
    bench.results.append({"what": f"quality of {shape}", "film": shape, "quality": found})
    print(f"\nquality of {shape}; against the finished frames | Lanczos reference, a sample")
    print(f"  {'':34}{'SSIM':>9}{'VMAF':>8} |{'SSIM':>9}{'VMAF':>8}{'kB/s picture':>14}{'MB':>8}")
    for name, facts in found.items():
        own = facts.get("frames")
        left = f"{own['ssim']:9.5f}{own['vmaf']:8.2f}" if own else " " * 17
        right = f"{facts['lanczos']['ssim']:9.5f}{facts['lanczos']['vmaf']:8.2f}"
        size = (
            f"{facts['picture_bytes_per_second'] / 1e3:14.1f}{facts['file_bytes'] / 1e6:8.2f}"
            if own
            else ""
        )
        print(f"  {name:34}{left} |{right}{size}")
    mine, theirs = found["ours"], found["x264 alone, veryfast"]
    for against in ("frames", "lanczos"):
        bench.bar(
            f"SSIM against {against}: ours - veryfast",
            mine[against]["ssim"] - theirs[against]["ssim"],
            ">= 0",
        )
        bench.bar(
            f"VMAF against {against}: ours - veryfast",
            mine[against]["vmaf"] - theirs[against]["vmaf"],
            ">= 0",
        )
    bench.bar(
        "bytes of the picture: ours / veryfast",
        mine["picture_bytes"] / theirs["picture_bytes"],
        "<= 1.0",
    )


def naive(bench: Bench, shape: str, rounds: int) -> None:
    """Compare ours with MoviePy as people write it."""
    job, cores = bench.job(shape), max(bench.cores)
    costs = bench.in_turn(
        {
            "ours": lambda: bench.measure("ours", job, cores=cores),
            "MoviePy, leanest": lambda: bench.measure("lean", job, cores=cores),
            "MoviePy, nested": lambda: bench.measure("nested", job, cores=cores),
        },
        rounds,
    )
    bench.record(f"MoviePy as people write it, {shape}, {cores} cores", costs, film=shape)
    mine = costs["ours"]
    bench.bar("CPU: leanest MoviePy / ours", 1 / _ratio(mine, costs, "leanest"), ">= 10")
    bench.bar("CPU: nested MoviePy / ours", 1 / _ratio(mine, costs, "nested"), ">= 14")


def change(bench: Bench, shape: str) -> None:
    """Change one picture of a film that was made, and make it again; then change nothing."""
    picture = bench.folder / "changed.png"
    stills.textured(99).save(picture, compress_level=1)
    job = bench.job(shape)
    out = job.parent / "change.mp4"
    argv = [sys.executable, str(HERE / "jobs.py"), "change", str(job), str(out)]
    _say(f"One changed picture, {shape} ...")
    meter.run([*argv, str(bench.warm_up()), str(picture)])
    told = json.loads(Path(f"{out}.json").read_text())
    bench.results.append({"what": f"one changed picture, {shape}", "film": shape, **told})
    print(f"\none changed picture (scene {told['scene']} of {told['scenes']}), {shape}")
    for what in ("full", "changed", "unchanged"):
        facts = told[what]
        print(
            f"  {what:34}{facts['cpu']:9.2f} CPU s{facts['wall']:9.2f} s"
            f"{facts['encodes']:6} encodes"
        )
    ratio = told["changed"]["cpu"] / told["full"]["cpu"]
    bench.bar("CPU: one picture changed / full", ratio, "<= 0.333")
    bench.bar("encodes when nothing changed", told["unchanged"]["encodes"], "<= 0")


def growth(bench: Bench, shapes: Sequence[str], rounds: int) -> None:
    """Compare long films and many scenes with a minute of seven."""
    cores = max(bench.cores)
    jobs = {shape: bench.job(shape) for shape in shapes}
    costs = bench.in_turn(
        {
            shape: lambda job=job: bench.measure("ours", job, bench.warm_up(), cores=cores)
            for shape, job in jobs.items()
        },
        rounds,
    )
    bench.record(f"growth, second film in a process, {cores} cores", costs, cores=cores)
    small, *larger = shapes
    for shape in larger:
        times = float(shape.split("x")[0]) / float(small.split("x")[0])
        cpu = statistics.median(
            a.cpu / b.cpu for a, b in zip(costs[shape], costs[small], strict=True)
        )
        grown = statistics.median(
            a.memory / b.memory for a, b in zip(costs[shape], costs[small], strict=True)
        )
        # Many short scenes are mostly crossfades, so that only films of equal scenes compare.
        alike = float(shape.split("x")[1]) / float(small.split("x")[1]) == times
        bench.bar(f"CPU: {shape} / {small}", cpu, f"<= {1.05 * times:g}" if alike else "")
        if alike:
            bench.bar(f"CPU: {shape} / {small}", cpu, f">= {0.95 * times:g}")
        bench.bar(f"peak memory: {shape} / {small}", grown, "<= 1.1")


def _ratio(mine: list[meter.Cost], costs: Costs, other: str) -> float:
    pairs_ = zip(mine, _named(costs, other), strict=True)
    return statistics.median(a.cpu / b.cpu for a, b in pairs_)


def _named(costs: Costs, part: str) -> list[meter.Cost]:
    (found,) = [all_ for name, all_ in costs.items() if part in name]
    return found


def _medians(costs: Sequence[meter.Cost]) -> dict[str, float]:
    rows = [asdict(each) for each in costs]
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def _has_moviepy_renderer() -> bool:
    from visionpulse.registry import RENDERERS, load

    try:
        load("renderer", "moviepy", RENDERERS)
    except Exception as error:
        print(f"  note: renderer=moviepy is left out: {error}")
        return False
    return True


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _machine() -> dict[str, Any]:
    model = [
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "processor": model[0] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "ffmpeg": find_ffmpeg().version,
        "commit": commit.stdout.strip(),
    }


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--films", help="seconds x scenes, such as 10x2,60x7,60x100 (default 10x2)")
    add("--cores", help="such as 2,1 (default: all there are)")
    add("--rounds", type=int, default=3, help="of films up to a minute (default 3)")
    add("--sections", help=f"some of {','.join(SECTIONS)} (default: all but growth)")
    add("--naive", help="films for MoviePy as people write it (default 5x2)")
    add("--naive-rounds", type=int, default=1)
    add("--change-film", default="60x7", help="of which one picture is changed (default 60x7)")
    add("--growth-films", default="60x7,60x100,600x70", help="the first is compared with")
    add("--stills", default="shown", help="shown, chosen, or a folder of pictures")
    add("--full", action="store_true", help="everything; hours")
    add("--out", type=Path, default=HERE / "results" / "latest.json", help="where the JSON goes")
    add("--work", type=Path, help="where temporary files go: 7 GB for films of a minute")
    options = parser.parse_args()
    there = len(os.sched_getaffinity(0))
    full = options.full
    every = "10x2,10x7,60x7,60x100,600x7,600x100,600x400"
    shapes = (options.films or (every if full else "10x2")).split(",")
    cores = options.cores or (f"{there},1" if full and there > 1 else f"{there}")
    naive_shapes = (options.naive or ("5x2,10x2" if full else "5x2")).split(",")
    chosen = options.sections or ",".join(SECTIONS if full else SECTIONS[:-1])
    sections = chosen.split(",")
    if unknown := set(sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(unknown)}")

    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="visionpulse-benchmark-", dir=options.work) as folder:
        _say("Stills ...")
        pictures = stills.make(options.stills, Path(folder, "stills"))
        bench = Bench(Path(folder), pictures, options.rounds, [int(n) for n in cores.split(",")])
        machine = _machine()
        print(", ".join(f"{name} {value}" for name, value in machine.items()))
        print(f"stills: {options.stills}; memory: sampled sum of PSS; others: cores others used")
        for shape in shapes:
            for count in bench.cores:
                if "pairs" in sections:
                    # The files do not depend on the cores.
                    wanted = "quality" in sections and count == bench.cores[0]
                    pairs(bench, shape, count, with_quality=wanted)
        if "naive" in sections:
            for shape in naive_shapes:
                naive(bench, shape, options.naive_rounds)
        if "change" in sections:
            change(bench, options.change_film)
        if "growth" in sections:
            growth(bench, options.growth_films.split(","), options.rounds)
    report = {
        "machine": machine,
        "stills": options.stills,
        "rounds": options.rounds,
        "seconds": round(time.monotonic() - begun),
        "results": bench.results,
        "bars": bench.bars,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    missed = [each for each in bench.bars if _missed(each)]
    print(f"\n{len(missed)} bars missed; {report['seconds']} s; written to {options.out}")


def _missed(found: Mapping[str, Any]) -> bool:
    if not found["bar"]:
        return False
    sign, limit = found["bar"].split()
    kept = found["found"] <= float(limit) if sign == "<=" else found["found"] >= float(limit)
    return not kept


if __name__ == "__main__":
    main()
