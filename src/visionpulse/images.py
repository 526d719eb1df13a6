"""ImageService: the storyboard and its pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from visionpulse import loop, registry
from visionpulse.asking import Question, fits
from visionpulse.calls import Made
from visionpulse.catalog import style as find_style
from visionpulse.errors import BadAnswerError, VisionPulseError
from visionpulse.language import detect_language
from visionpulse.ledger import Ledger, current_run
from visionpulse.models import (
    Artefact,
    Picture,
    PictureRequest,
    Plan,
    Scene,
    Storyboard,
    StoryboardRequest,
    VideoOptions,
)
from visionpulse.protocols import ImageModel, PromptModel, Use
from visionpulse.storyboard import check_storyboard, plan, sentence_ranges
from visionpulse.text import check_script, scene_count_for, split_sentences

_FORMATS = ("PNG", "JPEG", "WEBP")
# Pillow warns at some size and refuses at twice that; both are the same to us.
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# 33 megapixels: an 8K still. More is a decompression bomb, not a picture for a film.
_MOST_PIXELS = 33_177_600


class ImageService:
    """Plans a film's scenes and draws their pictures, each made once.

    Args:
        provider: Whose models to use, unless `prompts` or `images` say otherwise.
        prompts: A prompt model of your own.
        images: An image model of your own.
        ledger: Where everything made is recorded; by default files and a database below `home`.
        home: The folder of the default ledger; the working folder if not given.

    Example:
        service = ImageService("offline")
        plan = service.generate_prompts(script, style="watercolor")
        paths = service.generate_images(plan.prompts, "my-video")
    """

    def __init__(
        self,
        provider: str = "openai",
        *,
        prompts: PromptModel | None = None,
        images: ImageModel | None = None,
        ledger: Ledger | None = None,
        home: str | Path | None = None,
    ) -> None:
        self.prompts: PromptModel = prompts or registry.model("prompts", provider)
        self.images: ImageModel = images or registry.model("images", provider)
        fits(self.prompts, PromptModel)
        fits(self.images, ImageModel)
        self.ledger: Ledger = ledger or Ledger.at(home)

    # -------------------------------------------------------------- the storyboard

    def generate_prompts(
        self,
        script: str,
        style: str = "cinematic",
        *,
        keywords: Sequence[str] = (),
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
        scenes: Sequence[Scene] = (),
        video_id: str = "",
    ) -> Plan:
        """Blocking form of `agenerate_prompts`."""
        return loop.run(
            lambda: self.agenerate_prompts(
                script,
                style,
                keywords=keywords,
                negative_keywords=negative_keywords,
                options=options,
                scenes=scenes,
                video_id=video_id,
            )
        )

    async def agenerate_prompts(
        self,
        script: str,
        style: str = "cinematic",
        *,
        keywords: Sequence[str] = (),
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
        scenes: Sequence[Scene] = (),
        video_id: str = "",
    ) -> Plan:
        """Divide the script into scenes and write a picture prompt for each.

        Args:
            script: The narration, to the character.
            style: Name of a style of the catalogue.
            keywords: What the pictures should show where it fits.
            negative_keywords: What they must not show.
            options: The number of scenes and how the camera moves.
            scenes: Keep these scenes and only write their prompts anew.
            video_id: For whom; what a video uses is kept as long as the video.

        Raises:
            InputError: The script or a name cannot be used; nothing was asked.
            ProviderError: The prompt model did not deliver.
        """
        check_script(script)
        question = self.storyboard_question(
            script,
            style,
            keywords=keywords,
            negative_keywords=negative_keywords,
            options=options,
            scenes=scenes,
            video_id=video_id,
        )
        question.check()
        artefact = await question.answer(
            self.ledger, _unpack_storyboard, lambda made: _verify_storyboard(made, question.request)
        )
        data = await loop.in_thread(self.ledger.read, artefact.key)
        storyboard = Storyboard.model_validate_json(data)
        return plan(script, storyboard, scenes, options or VideoOptions())

    def storyboard_question(
        self,
        script: str,
        style: str,
        *,
        keywords: Sequence[str] = (),
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
        scenes: Sequence[Scene] = (),
        video_id: str = "",
    ) -> Question[StoryboardRequest]:
        """Return what is asked of the prompt model for a script."""
        sentences = split_sentences(script, cuts=[scene.end_char for scene in scenes])
        count = (
            len(scenes)
            or (options and options.scene_count)
            or scene_count_for([each.text for each in sentences])
        )
        request = StoryboardRequest(
            sentences=tuple(sentence.text for sentence in sentences),
            style=find_style(style),
            scene_count=min(count, len(sentences)),
            keywords=tuple(keywords),
            negative_keywords=tuple(negative_keywords),
            language=detect_language(script),
            ranges=sentence_ranges(sentences, scenes) if scenes else None,
        )
        return Question(
            "prompts", 1, self.prompts, self.prompts.storyboard, request, Storyboard, Use(video_id)
        )

    # -------------------------------------------------------------- the pictures

    def generate_images(
        self,
        prompts: Sequence[str],
        video_id: str,
        *,
        style: str | None = None,
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
    ) -> list[str]:
        """Blocking form of `agenerate_images`."""
        return loop.run(
            lambda: self.agenerate_images(
                prompts,
                video_id,
                style=style,
                negative_keywords=negative_keywords,
                options=options,
            )
        )

    async def agenerate_images(
        self,
        prompts: Sequence[str],
        video_id: str,
        *,
        style: str | None = None,
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
    ) -> list[str]:
        """Draw a picture for each prompt, several at once.

        A failure lets the others finish; they are kept and not drawn again next time.

        Returns:
            Where the pictures lie: `images/{video_id}/image_000.png` and so on in the storage.

        Raises:
            ProviderError: A picture failed, after all others had ended.
        """
        scenes = [Scene(text="", start_char=0, end_char=0, prompt=prompt) for prompt in prompts]
        questions = self.picture_questions(
            scenes,
            video_id,
            style=style,
            negative_keywords=negative_keywords,
            options=options,
        )
        artefacts = await self.draw(questions)
        storage = self.ledger.storage
        names = picture_names(video_id, artefacts)
        for artefact, name in zip(artefacts, names, strict=True):
            await loop.in_thread(storage.link, artefact.key, name)
        return [storage.locate(name) for name in names]

    def picture_questions(
        self,
        scenes: Sequence[Scene],
        video_id: str,
        *,
        style: str | None = None,
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
    ) -> list[Question[PictureRequest]]:
        """Return what is asked of the image model, scene by scene."""
        shape = options or VideoOptions()
        width, height = (int(side) for side in shape.picture_size.split("x"))
        look = find_style(style) if style else None
        return [
            Question(
                "picture",
                1,
                self.images,
                self.images.draw,
                PictureRequest(
                    prompt=scene.prompt,
                    width=width,
                    height=height,
                    quality=shape.picture_quality,
                    avoid=tuple(negative_keywords),
                    style=look,
                    take=scene.take,
                ),
                Picture,
                Use(video_id, scene.id, scene.take, number),
                concurrency=8,
            )
            for number, scene in enumerate(scenes)
        ]

    async def draw(self, questions: Sequence[Question[PictureRequest]]) -> list[Artefact]:
        """Have all pictures drawn; one failure does not cancel the others.

        Raises:
            VisionPulseError: The first failure, after all others had ended.
        """
        for question in questions:
            question.check()
        if run := current_run.get():
            run.plan("generate_images", len(questions))
        return await loop.all_of(*(self._draw(question) for question in questions))

    async def _draw(self, question: Question[PictureRequest]) -> Artefact:
        try:
            return await question.answer(self.ledger, _unpack_picture, verify_picture)
        except VisionPulseError as error:
            error.scene = question.use.scene if error.scene is None else error.scene
            raise


def picture_names(video_id: str, artefacts: Sequence[Artefact]) -> list[str]:
    """Return the documented names of a video's pictures."""
    return [
        f"images/{video_id}/image_{number:03d}{artefact.suffix}"
        for number, artefact in enumerate(artefacts)
    ]


def _unpack_storyboard(storyboard: Storyboard) -> Made:
    data = storyboard.model_dump_json(exclude={"usage"}).encode()
    return Made(data, ".json", usage=storyboard.usage)


def _verify_storyboard(made: Made, request: StoryboardRequest) -> None:
    assert isinstance(made.data, bytes)
    check_storyboard(Storyboard.model_validate_json(made.data), request)


def _unpack_picture(picture: Picture) -> Made:
    return Made(picture.data, _suffix(picture.data), usage=picture.usage)


def _suffix(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    return ".png"


def verify_picture(made: Made) -> None:
    """Decode the whole picture: a cut file passes anything less. Raises BadAnswerError."""
    assert isinstance(made.data, bytes)
    try:
        with Image.open(io.BytesIO(made.data), formats=_FORMATS) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise BadAnswerError(
                    f"The picture claims {picture.width}x{picture.height} pixels; "
                    f"{_MOST_PIXELS:,} are the most that is decoded."
                )
            picture.load()  # pyright: ignore[reportUnknownMemberType]  untyped in Pillow 11
    except (OSError, SyntaxError, ValueError, *_BOMBS) as error:
        raise BadAnswerError(
            f"The {len(made.data)} bytes that came as a picture do not decode: "
            f"{type(error).__name__}."
        ) from error
