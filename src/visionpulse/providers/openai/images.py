"""Pictures by `images.generate`, in the dialects of DALL-E, the GPT image models and others."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import httpx2
from pydantic import BaseModel, Field

from visionpulse.errors import InputError, ProviderError
from visionpulse.models import Picture, PictureRequest
from visionpulse.pricing import Overrides, quote_picture
from visionpulse.prompting import missing_looks, picture_prompt
from visionpulse.protocols import Quote
from visionpulse.providers.openai.connection import PROVIDER, Answer, Connection, tls, usage_of
from visionpulse.providers.openai.downloads import DownloadRefusedError, download

_SIGNATURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
_DEFAULT_PROMPT_CHARACTERS: Final = 4000


class _Image(BaseModel):
    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class _Images(BaseModel):
    data: list[_Image] = Field(default_factory=list[_Image])


class OpenAIImages:
    """Draws with OpenAI's image models, or those of a compatible server.

    Args:
        model: The model's name; by default DALL-E 3 while it is served, then its successors.
        api_key: Instead of OPENAI_API_KEY.
        base_url: Another server; there every model name is allowed, and a key may be absent.
        timeout: Seconds for one picture; some take minutes.
        today: The day that decides which models live; None asks the clock.
        overrides: Corrections of the price table, see `visionpulse.pricing`.
        pinned: Complain of a retired model or a missing key at the first call, not here.

    Raises:
        ConfigurationError: There is no usable key.
        ModelUnavailableError: OpenAI has switched the named model off.
    """

    provider = PROVIDER
    concurrency = 8

    def __init__(
        self,
        model: str | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = 300,
        today: date | None = None,
        overrides: Overrides | None = None,
        pinned: bool = False,
    ) -> None:
        self._connection = Connection(
            "images",
            model=model,
            api_key=api_key,
            base_url=base_url,
            timeout=timeout,
            today=today,
            overrides=overrides,
            pinned=pinned,
        )
        self.model: str = self._connection.model
        self.identity: str = self._connection.identity
        self.warning: str | None = self._connection.warning

    def check(self, request: PictureRequest) -> None:
        """Refuse characters that take more words than the model reads. Raises InputError."""
        looks = sum(len(each.look) + 1 for each in missing_looks(request))
        if looks > self._longest_prompt // 2:
            raise InputError(
                f"The characters of one picture are described in {looks:,} characters; "
                f"{self.model} reads {self._longest_prompt:,} in all.",
                hint="Shorten their looks in the video's bible.",
            )

    def parameters(self, request: PictureRequest) -> Mapping[str, Any]:
        """Return the request as it is sent."""
        row = self._connection.row
        sent: dict[str, Any] = {
            "model": self.model,
            "prompt": picture_prompt(request, limit=self._longest_prompt),
            "n": 1,
        }
        if row.dialect == "gpt-image":
            quality = "medium" if request.quality == "standard" else request.quality
            size = _nearest(row.sizes, request) if row.sizes else _free_size(request)
            return {**sent, "size": size, "quality": quality}
        size = _nearest(row.sizes, request) if row.sizes else f"{request.width}x{request.height}"
        sent |= {"size": size, "response_format": "b64_json"}
        if row.dialect == "dall-e":
            # "natural", because the look is said in the prompt: "vivid" lays its own over it.
            fine = request.quality == "high"
            sent |= {"quality": "hd" if fine else "standard", "style": "natural"}
        return sent

    def quote(self, request: PictureRequest) -> Quote:
        """Return what the picture costs."""
        sent = self.parameters(request)
        return quote_picture(
            self._connection.row,
            prompt=sent["prompt"],
            size=sent["size"],
            quality=sent.get("quality", "standard"),
        )

    async def draw(self, request: PictureRequest) -> Picture:
        """Draw one picture. Raises ProviderError."""
        sent = self.parameters(request)
        answer = await self._connection.ask(
            lambda client: client.images.with_raw_response.generate(**sent)
        )
        drawn = self._connection.read(_Images, answer)
        if not drawn.data:
            raise self._connection.bad(answer, f"{self.model} answered without a picture.")
        image = drawn.data[0]
        data = await self._data(image, answer)
        if not data.startswith(_SIGNATURES):
            raise self._connection.bad(
                answer, f"{self.model} sent {len(data)} bytes that are no PNG, JPEG or WebP."
            )
        return Picture(data=data, usage=usage_of(answer), revised_prompt=image.revised_prompt)

    @property
    def _longest_prompt(self) -> int:
        return self._connection.row.characters or _DEFAULT_PROMPT_CHARACTERS

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self._connection.aclose()

    async def _data(self, image: _Image, answer: Answer) -> bytes:
        if image.b64_json:
            try:
                return base64.b64decode(image.b64_json, validate=True)
            except (binascii.Error, ValueError):
                pass
            raise self._connection.bad(answer, f"{self.model}'s picture is not valid base64.")
        if image.url:
            return await self._download(image.url, answer)
        raise self._connection.bad(answer, f"{self.model} answered without a picture.")

    async def _download(self, url: str, answer: Answer) -> bytes:
        trusted = (self._connection.host, self._connection.port)
        failure: ProviderError
        try:
            return await download(url, trusted=trusted, tls=tls())
        except DownloadRefusedError as error:
            why = str(error)
        except TimeoutError:
            why = "it took too long"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
            why = "the transfer broke off"
        failure = self._connection.bad(
            answer,
            f"{self.model} answered with a URL whose picture was not taken: {why}.",
            code="download_failed",
        )
        raise failure


def _nearest(sizes: tuple[str, ...], request: PictureRequest) -> str:
    """Return the size whose shape is nearest to the one asked for, then whose area is."""

    def distance(size: str) -> tuple[float, float]:
        width, height = (int(side) for side in size.split("x"))
        shape = abs(math.log(width / height * request.height / request.width))
        return round(shape, 6), abs(math.log(width * height / (request.width * request.height)))

    return min(sizes, key=distance)


def _free_size(request: PictureRequest) -> str:
    """Fit a size into the GPT image models' limits, keeping its shape as far as they allow.

    Sides are multiples of 16, none over 3840, the shape between 1:3 and 3:1, the area between
    655,360 and 8,294,400 pixels.
    """
    shape = min(max(request.width / request.height, 1 / 3), 3)
    area = min(max(request.width * request.height, 655_360), 8_294_400)
    width = min(math.sqrt(area * shape), 3840, 3840 * shape)
    height = width / shape
    # Small ones up, large ones down: rounding must not leave the limits.
    to_16 = math.ceil if area < 1_000_000 else math.floor
    sides = [to_16(round(side / 16, 6)) * 16 for side in (width, height)]
    if max(sides) > 3 * min(sides):
        sides = [min(side, 3 * min(sides)) for side in sides]
    return f"{sides[0]}x{sides[1]}"
