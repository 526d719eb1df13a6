"""An image model of your own: any class with a `draw` method."""

import io

from PIL import Image, ImageDraw, ImageOps

from visionpulse import Pipeline, VideoOptions
from visionpulse.models import Picture, PictureRequest
from visionpulse.protocols import FREE, Quote


class Sunsets:
    """Draws a sunset in the style's colours; the prompt decides where the sun stands."""

    # Raise it when the same prompt shall give another picture: it names results in the ledger.
    identity = "sunsets 1"

    async def draw(self, request: PictureRequest) -> Picture:
        """Return a picture; of any size, the renderer fits it."""
        size = request.width, request.height
        colours = request.style.colours if request.style else ("#2b1d3a", "#e07a5f", "#f6e7c8")
        sky = Image.linear_gradient("L").resize(size)
        picture = ImageOps.colorize(sky, colours[0], colours[-1], mid=colours[len(colours) // 2])
        x = size[0] // 4 + sum(request.prompt.encode()) % (size[0] // 2)
        ImageDraw.Draw(picture).circle((x, size[1] * 3 // 5), size[1] // 9, fill=colours[-1])
        file = io.BytesIO()
        picture.save(file, "PNG")
        return Picture(data=file.getvalue())

    def quote(self, _request: PictureRequest) -> Quote:
        """Return what a picture costs; without this method the price is unknown."""
        return FREE


video = Pipeline("offline", images=Sunsets()).run(
    "The sun goes down behind the hills. One by one, the birds fall silent.",
    options=VideoOptions(width=640, height=360, scene_count=2),
)
print(video.video_path)
