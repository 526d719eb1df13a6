"""ImageService: the storyboard and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from visionpulse import loop
from visionpulse.asking import Chain, chain
from visionpulse.catalog import style as find_style
from visionpulse.drawing import Drawing
from visionpulse.language import detect_language
from visionpulse.ledger import Ledger
from visionpulse.models import (
    Plan,
    Scene,
    StoryboardRequest,
    StyleBible,
    VideoOptions,
)
from visionpulse.planning import Planning
from visionpulse.protocols import ChatModel, ImageModel, PromptModel, Use
from visionpulse.storyboard import plan, sentence_ranges
from visionpulse.text import check_script, scene_count_for, split_sentences


class ImageService:
    """Plans a film's scenes and draws their pictures, each made once.

    Args:
        provider: Whose models to use, unless `prompts` or `images` say otherwise. Of several the
            next takes over where one gives up.
        prompts: A prompt model of your own, or several.
        images: An image model of your own, or several.
        ledger: Where everything made is recorded; by default files and a database below `home`.
        home: The folder of the default ledger; the working folder if not given.

    Example:
        service = ImageService("offline")
        plan = service.generate_prompts(script, style="watercolor")
        paths = service.generate_images(plan.prompts, "my-video")
    """

    def __init__(
        self,
        provider: str | Sequence[str] = "openai",
        *,
        prompts: PromptModel
        | ChatModel
        | Sequence[PromptModel | ChatModel]
        | Chain[PromptModel]
        | None = None,
        images: ImageModel | Sequence[ImageModel] | Chain[ImageModel] | None = None,
        ledger: Ledger | None = None,
        home: str | Path | None = None,
    ) -> None:
        self.prompts: Chain[PromptModel] = chain("prompts", PromptModel, provider, prompts)
        self.images: Chain[ImageModel] = chain("images", ImageModel, provider, images)
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
        bible: StyleBible | None = None,
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
                bible=bible,
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
        bible: StyleBible | None = None,
        video_id: str = "",
    ) -> Plan:
        """Divide the script into scenes and write a picture prompt for each.

        A prompt that names what is to be avoided is put in other words. A keyword that no prompt
        names is added to the scenes that speak of it, else to one of them.

        Args:
            script: The narration, to the character.
            style: Name of a style of the catalogue.
            keywords: What the pictures should show where it fits.
            negative_keywords: What they must not show.
            options: The number of scenes and how the camera moves.
            scenes: Keep these scenes and only write their prompts anew.
            bible: Keep to this style bible instead of having one written.
            video_id: For whom; what a video uses is kept as long as the video.

        Raises:
            InputError: The script or a name cannot be used; nothing was asked.
            ScriptRefusedError: The prompt model will not illustrate the script.
            ProviderError: The prompt model did not deliver.
        """
        check_script(script)
        request = self.storyboard_request(
            script,
            style,
            keywords=keywords,
            negative_keywords=negative_keywords,
            options=options,
            scenes=scenes,
            bible=bible,
        )
        planning = self.planning(video_id)
        planning.check(request)
        board, by = await planning.storyboard(request)
        made = plan(script, board, scenes, options or VideoOptions())
        checked = await loop.all_of(
            *(planning.without(scene, negative_keywords) for scene in made.scenes)
        )
        return made.model_copy(update={"scenes": tuple(checked), "by": by})

    def storyboard_request(
        self,
        script: str,
        style: str,
        *,
        keywords: Sequence[str] = (),
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
        scenes: Sequence[Scene] = (),
        bible: StyleBible | None = None,
    ) -> StoryboardRequest:
        """Return what is asked of the prompt model for a script."""
        sentences = split_sentences(script, cuts=[scene.end_char for scene in scenes])
        texts = [sentence.text for sentence in sentences]
        count = len(scenes) or (options and options.scene_count) or scene_count_for(texts)
        return StoryboardRequest(
            sentences=tuple(texts),
            style=find_style(style),
            scene_count=min(count, len(sentences)),
            keywords=tuple(keywords),
            negative_keywords=tuple(negative_keywords),
            language=detect_language(script),
            ranges=sentence_ranges(sentences, scenes) if scenes else None,
            bible=bible,
        )

    def planning(self, video_id: str) -> Planning:
        """Return the prompt models at work for a video."""
        return Planning(self.ledger, self.prompts, Use(video_id))

    # -------------------------------------------------------------- the pictures

    def generate_images(
        self,
        prompts: Sequence[str],
        video_id: str,
        *,
        style: str | None = None,
        bible: StyleBible | None = None,
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
    ) -> list[str]:
        """Blocking form of `agenerate_images`."""
        return loop.run(
            lambda: self.agenerate_images(
                prompts,
                video_id,
                style=style,
                bible=bible,
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
        bible: StyleBible | None = None,
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
    ) -> list[str]:
        """Draw a picture for each prompt, several at once.

        A failure lets the others finish; they are kept and not drawn again next time.

        Args:
            prompts: What the pictures show.
            video_id: For whom; what a video uses is kept as long as the video.
            style: Name of a style of the catalogue.
            bible: What all pictures share; prompts that name a character get its look.
            negative_keywords: What no picture shows.
            options: Size, quality, and what is shown for a picture that is refused.

        Returns:
            Where the pictures lie: `images/{video_id}/image_000.png` and so on in the storage.

        Raises:
            ProviderError: A picture failed, after all others had ended.
        """
        scenes = [
            Scene(id=str(number), text="", start_char=0, end_char=0, prompt=prompt)
            for number, prompt in enumerate(prompts)
        ]
        drawing = self.drawing(
            video_id,
            style=style,
            bible=bible,
            negative_keywords=negative_keywords,
            options=options,
        )
        keys = [shown.key for shown in await drawing.all(scenes)]
        storage = self.ledger.storage
        names = picture_names(video_id, keys)
        for key, name in zip(keys, names, strict=True):
            await loop.in_thread(storage.link, key, name)
        return [storage.locate(name) for name in names]

    def drawing(
        self,
        video_id: str,
        *,
        style: str | None = None,
        bible: StyleBible | None = None,
        negative_keywords: Sequence[str] = (),
        options: VideoOptions | None = None,
    ) -> Drawing:
        """Return the image models at work for a video."""
        return Drawing(
            self.ledger,
            self.images,
            self.planning(video_id),
            find_style(style) if style else None,
            bible or StyleBible(),
            negative_keywords,
            options or VideoOptions(),
        )


def picture_names(video_id: str, keys: Sequence[str]) -> list[str]:
    """Return the documented names of a video's pictures."""
    return [
        f"images/{video_id}/image_{number:03d}{PurePosixPath(key).suffix}"
        for number, key in enumerate(keys)
    ]
