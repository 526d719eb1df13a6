"""A narrated video without a key and without a network."""

from visionpulse import Pipeline, VideoOptions

SCRIPT = """\
The deep ocean is the largest habitat on Earth.
Jellyfish drift past like slow lanterns and make their own light.
"""

# Small, to be quick; without options the film has 1920x1080 pixels.
options = VideoOptions(width=640, height=360)

video = Pipeline("offline").run(SCRIPT, style="cinematic", voice="nova", options=options)

print(f"{video.duration:.1f} seconds, {len(video.scenes)} scenes")
print(video.video_path)
