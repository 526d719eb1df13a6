"""Change one picture of a finished video: only what depends on it is made again."""

from collections import Counter

from visionpulse import Event, Pipeline, VideoOptions

SCRIPT = "A lighthouse stands on a cliff. Below it, the sea is calm tonight."

made: Counter[str] = Counter()


def count(event: Event) -> None:
    if event.kind == "made":
        made[event.what] += 1


pipeline = Pipeline("offline")
options = VideoOptions(width=640, height=360, scene_count=2)
video = pipeline.run(SCRIPT, options=options, on_event=count)
print("At first:", dict(sorted(made.items())))

made.clear()
video = pipeline.run(video.edit(1, prompt="A storm over a dark sea"), on_event=count)
print("After the edit:", dict(sorted(made.items())))
print(video.video_path)
