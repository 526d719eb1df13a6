"""What is run in a child process under the meter: `python jobs.py KIND JOB OUT [WARM-UP JOB]`.

A kind that measures something inside its own process writes it to `OUT.json`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def render(job_file: str, out: str, warm_up: str = "", *, renderer: str = "ffmpeg") -> None:
    """Make the film with one of our renderers; with a warm-up film, measure the second one."""
    from films import Job

    if warm_up:
        _render(Job.read(Path(warm_up)), Path(f"{out}.warm.mp4"), renderer)
    measured = _measured(lambda: _render(Job.read(Path(job_file)), Path(out), renderer))
    _tell(out, measured)


def _render(job, out: Path, name: str) -> None:
    import anyio
    from films import film_of

    from visionpulse.making import encoding_order
    from visionpulse.protocols import Tags
    from visionpulse.registry import RENDERERS, load

    film = film_of(job)
    renderer = load("renderer", name, RENDERERS)()
    folder = out.with_suffix(".pieces")
    folder.mkdir(exist_ok=True)
    pieces = [folder / f"{number:04}.mp4" for number in range(len(film.pieces))]
    sound = folder / "sound.m4a"
    cores = len(os.sched_getaffinity(0))

    async def make() -> None:
        limit = anyio.CapacityLimiter(cores)

        async def encode(number: int) -> None:
            async with limit:
                await renderer.encode(film.pieces[number], pieces[number])

        async with anyio.create_task_group() as tasks:
            for number in encoding_order(film.pieces):
                tasks.start_soon(encode, number)
            tasks.start_soon(renderer.mix, film.sound, sound)
        await renderer.join(pieces, sound, out, Tags("A benchmark", "en"))

    anyio.run(make)
    for file in [*pieces, sound]:
        file.unlink()
    folder.rmdir()


def moviepy(job_file: str, out: str, warm_up: str = "") -> None:
    """Make the film with the MoviePy renderer."""
    render(job_file, out, warm_up, renderer="moviepy")


def frames(job_file: str, out: str) -> None:
    """Draw all frames and throw them away. What is imported is not counted."""
    from films import Job, film_of

    from visionpulse.renderers.frames import frames as draw

    pieces = film_of(Job.read(Path(job_file))).pieces

    def drain() -> None:
        for piece in pieces:
            for _ in draw(piece):
                pass

    _tell(out, _measured(drain))


def raw(job_file: str, out: str) -> None:
    """Write the finished frames."""
    from films import Job, film_of

    from visionpulse.renderers.frames import frames as draw

    with Path(out).open("wb") as file:
        for piece in film_of(Job.read(Path(job_file))).pieces:
            file.writelines(draw(piece))
        file.flush()
        os.fsync(file.fileno())


def naive(job_file: str, out: str, *, style: str) -> None:
    """Make the film with MoviePy as people write it."""
    import moviepy_naive
    from films import Job

    getattr(moviepy_naive, style)(Job.read(Path(job_file)), Path(out))


def change(job_file: str, out: str, warm_up: str, picture: str) -> None:
    """Make a film through VideoService; again with one picture changed; again with nothing."""
    from films import Job

    from visionpulse.registry import RENDERERS, load
    from visionpulse.video import VideoService

    class Counting(load("renderer", "ffmpeg", RENDERERS)):
        encodes = 0

        async def encode(self, piece, out: Path) -> None:
            Counting.encodes += 1
            await super().encode(piece, out)

    job = Job.read(Path(job_file))
    service = VideoService(renderer=Counting(), home=f"{out}.home")
    _create(service, Job.read(Path(warm_up)), "warm")
    lengths = [sum(scene) for scene in job.sentences]
    # The longest of those that have a transition on either side: the dearest to change.
    changed = lengths.index(max(lengths[1:-1]), 1)
    pictures = [Path(file) for file, _ in job.pictures]
    told = {"scene": changed, "scenes": len(pictures)}
    for what in ("full", "changed", "unchanged"):
        if what == "changed":
            pictures[changed] = Path(picture)
        Counting.encodes = 0
        measured = _measured(lambda: _create(service, job, "film", pictures))
        told[what] = {**measured, "encodes": Counting.encodes}
    _tell(out, told)


def _create(service, job, video_id: str, pictures: list[Path] | None = None) -> None:
    from films import film_of

    from visionpulse.models import Narration, Scene, SpokenSentence
    from visionpulse.timeline import motions

    sound = film_of(job).sound
    files = iter([file for _, file in sound.cues])
    spoken, scenes, at = [], [], 0
    moves = motions(len(job.sentences), seed="benchmark")
    for motion, lengths in zip(moves, job.sentences, strict=True):
        begin = at
        for samples in lengths:
            key = f"benchmark/{video_id}/{at}.wav"
            service.ledger.storage.put(key, next(files))
            text = f"Sentence {at:06}."
            spoken.append(
                SpokenSentence(
                    text=text,
                    start=at,
                    end=at + len(text),
                    key=key,
                    samples=samples,
                    sample_rate=sound.sample_rate,
                )
            )
            at += len(text) + 1
        words = " ".join(each.text for each in spoken if each.start >= begin) + " "
        scenes.append(Scene(text=words, start_char=begin, end_char=at, motion=motion))
    service.create_video(
        pictures or [Path(file) for file, _ in job.pictures],
        Narration(sentences=tuple(spoken), voice="benchmark"),
        video_id,
        scenes=scenes,
    )


def _measured(work) -> dict[str, float]:
    import meter

    cpu, wall = meter.tree_cpu(), time.monotonic()
    work()
    return {"cpu": meter.tree_cpu() - cpu, "wall": time.monotonic() - wall}


def _tell(out: str, measured: dict) -> None:
    Path(f"{out}.json").write_text(json.dumps(measured))


KINDS = {
    "ours": render,
    "moviepy": moviepy,
    "frames": frames,
    "raw": raw,
    "change": change,
    "nested": lambda job, out: naive(job, out, style="nested"),
    "lean": lambda job, out: naive(job, out, style="lean"),
}

if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    KINDS[kind](*arguments)
