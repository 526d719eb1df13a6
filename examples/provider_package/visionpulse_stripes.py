"""A provider in a package of its own: once installed, `Pipeline("offline", images="stripes")`."""

import io

from PIL import Image

from visionpulse.models import Picture, PictureRequest


class Stripes:
    """Draws the style's colours side by side."""

    provider = "stripes"  # the name in pyproject.toml
    model = "vertical"
    identity = "stripes vertical 1"  # another one where the same prompt shall give another picture

    def draw(self, request: PictureRequest) -> Picture:
        """Return a picture; of any size, the renderer fits it."""
        colours = request.style.colours if request.style else ("#2b1d3a", "#e07a5f", "#f6e7c8")
        picture = Image.new("RGB", (len(colours), 1))
        for x, colour in enumerate(colours):
            picture.paste(colour, (x, 0, x + 1, 1))
        file = io.BytesIO()
        picture.resize((request.width, request.height), Image.Resampling.NEAREST).save(file, "PNG")
        return Picture(data=file.getvalue())


images = Stripes  # and `prompts`, `speech`: whichever parts the provider has
