"""The film as most people write it with MoviePy: a picture that grows, and a crossfade.

Both compositions are kept to what tutorials and public programs do; `preset="veryfast"` and crf 21
flatter them, since MoviePy's default preset `medium` costs more. Only the zoom is drawn, whatever
motion the film has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from films import Job, film_of
from moviepy import AudioFileClip, CompositeAudioClip, CompositeVideoClip, ImageClip
from moviepy.video.fx import CrossFadeIn

ZOOM = 0.12


def nested(job: Job, out: Path) -> None:
    """Put every scene into a composite of its own, and those into another."""
    size = (job.width, job.height)
    scenes = []
    for picture, start, seconds, fade in _scenes(job):
        growing = picture.resized(_zoom(seconds)).with_position("center")
        scene = CompositeVideoClip([growing], size=size).with_start(start)
        scenes.append(scene.with_effects([CrossFadeIn(fade)] if fade else []))
    _write(job, out, scenes)


def lean(job: Job, out: Path) -> None:
    """Put the growing pictures straight into one composite."""
    scenes = []
    for picture, start, seconds, fade in _scenes(job):
        # Before it grows: put on later, the mask keeps the first frame's size, and the rest of the
        # picture is cut off.
        fading = picture.with_effects([CrossFadeIn(fade)] if fade else [])
        growing = fading.resized(_zoom(seconds)).with_position("center")
        scenes.append(growing.with_start(start))
    _write(job, out, scenes)


def _zoom(seconds: float) -> Callable[[float], float]:
    return lambda t: 1 + ZOOM * t / seconds


def _scenes(job: Job) -> Iterator[tuple[ImageClip, float, float, float]]:
    """Yield every picture with its start, its seconds, and those of its crossfade."""
    fade = 0
    for (file, _), shot in zip(job.pictures, film_of(job).timeline.shots, strict=True):
        seconds = (fade + shot.frames) / job.fps
        picture = ImageClip(file).resized(width=job.width).with_duration(seconds)
        yield picture, (shot.first_frame - fade) / job.fps, seconds, fade / job.fps
        fade = shot.fade


def _write(job: Job, out: Path, scenes: list) -> None:
    sound = film_of(job).sound
    film = CompositeVideoClip(scenes, size=(job.width, job.height)).with_audio(
        CompositeAudioClip(
            [AudioFileClip(str(file)).with_start(at / sound.sample_rate) for at, file in sound.cues]
        )
    )
    film.with_duration(float(film_of(job).timeline.seconds)).write_videofile(
        str(out),
        fps=job.fps,
        codec="libx264",
        audio_codec="aac",
        preset="veryfast",
        ffmpeg_params=["-crf", "21"],
        temp_audiofile_path=job.folder,
        logger=None,
    )
