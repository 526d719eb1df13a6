"""The values: frozen, comparable, JSON in and out.

Times are seconds, spans are character offsets into the script, sizes are pixels, money is dollars.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from visionpulse.errors import InputError, VisionPulseError

Stage = Literal["storyboard", "pictures", "narration", "video"]
Status = Literal["pending", "processing", "completed", "failed"]
Motion = Literal["in", "out", "left", "right", "up", "down", "none"]
Framing = Literal["fill", "fit"]
Quality = Literal["draft", "standard", "high"]
Grouping = Literal["day", "video", "model"]
NodeName = Literal["generate_prompts", "generate_images", "generate_audio", "assemble_video"]


class Value(BaseModel):
    """A frozen value; unknown fields are refused."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")


# ------------------------------------------------------------------ what a user asks for


class VideoOptions(Value):
    """The shape of the film."""

    aspect: Literal["16:9", "9:16", "1:1"] = "16:9"
    """1920x1080, 1080x1920 or 1080x1080, unless `width` and `height` say otherwise."""
    width: Annotated[int, Field(ge=64, le=7680, multiple_of=2)] | None = None
    """Pixels, even, because H.264 halves the chroma planes. With `height`, or not at all."""
    height: Annotated[int, Field(ge=64, le=7680, multiple_of=2)] | None = None
    fps: Literal[24, 25, 30, 50, 60] = 30
    scene_count: Annotated[int, Field(ge=1, le=400)] | None = None
    """None: 6 or 7 for a script of up to a minute, then one per about nine seconds."""
    motion: Literal["auto", "in", "out", "left", "right", "up", "down", "none"] = "auto"
    """How the camera moves over the pictures; `auto` varies it from scene to scene."""
    transition: Literal["crossfade", "cut"] = "crossfade"
    framing: Framing = "fill"
    """How a picture of another shape meets the film's: `fill` crops it, and pans travel over what a
    fixed crop would lose; `fit` shows all of it, over its own blurred enlargement."""
    quality: Quality = "standard"
    """Of the encoded picture: `draft` is quick, `high` is large."""
    captions: Literal["off", "soft", "burned", "karaoke"] = "off"
    """SRT and VTT files are always written. `soft` adds a track viewers can switch on; `burned`
    draws the captions into the picture; `karaoke` also highlights each word as it is spoken."""
    music: str | None = None
    """A built-in mood (`calm`, `wonder`, `uplifting`, `tense`) or the path of a sound file."""
    picture_size: Annotated[str, Field(pattern=r"^[1-9]\d{2,3}x[1-9]\d{2,3}$")] = "1024x1024"
    """Width x height asked of the image model."""
    picture_quality: Literal["low", "medium", "standard", "high"] = "standard"
    on_refusal: Literal["fail", "placeholder", "neighbour"] = "fail"
    """What a scene shows when its picture is refused, in other words too: nothing, so that the run
    fails and keeps the rest; a card in the style's colours; or the picture of the scene beside."""
    mixed_voices: bool = False
    """Whether another provider may read single sentences when the first gives up. If not, it reads
    the whole narration."""

    def __init__(self, **values: Any) -> None:
        """Check the options. Raises InputError that names the first wrong one."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"]) or "options"
            raise InputError(
                f"{name}: {first['msg'].removeprefix('Value error, ')}, not {first['input']!r}."
                if first["loc"]
                else f"{first['msg'].removeprefix('Value error, ')}."
            ) from None

    @model_validator(mode="after")
    def _both_sides(self) -> Self:
        if (self.width is None) != (self.height is None):
            raise ValueError("give width and height together, or neither")
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the film in pixels."""
        if self.width and self.height:
            return self.width, self.height
        return {"16:9": (1920, 1080), "9:16": (1080, 1920), "1:1": (1080, 1080)}[self.aspect]


class Style(Value):
    """A look: what every picture of a film has in common."""

    name: str
    title: str
    look: str
    """One or two sentences for an image model: medium, light, lens, texture."""
    palette: tuple[str, ...]
    """Colour words."""
    colours: tuple[str, ...]
    """The palette as `#rrggbb`, from the darkest to the lightest."""
    avoid: tuple[str, ...]
    """What does not belong in this look."""


class Voice(Value):
    """A voice a script can be read in."""

    name: str
    description: str
    provider: str
    languages: tuple[str, ...] = ()
    """BCP 47 primary tags; empty: whatever the model speaks."""
    stands_for: str | None = None
    """The voice that is really heard, where the name is an alias."""


# ------------------------------------------------------------------ what is asked of models


class Allowance(Value):
    """What a vendor says, with an answer, about further calls of this kind."""

    requests_left: int | None = None
    """How many it takes until its window begins anew."""
    reset_seconds: float | None = None
    """When that is, counted from the answer."""


class Usage(Value):
    """What a vendor says it did for one call."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_image_tokens: int | None = None
    characters: int | None = None
    seconds: float | None = None
    request_id: str | None = None
    """The vendor's number for the call, to find it on the invoice."""
    allowance: Allowance | None = None
    """Not kept: it decides when the next calls are begun."""


class Character(Value):
    """Somebody or something that the film comes back to."""

    name: str
    """As prompts name it."""
    look: str
    """A sentence; it stands word for word in every prompt with the name."""


class StyleBible(Value):
    """What the pictures of a film share, so that they look like one film."""

    characters: tuple[Character, ...] = ()
    motifs: tuple[str, ...] = ()
    """Words for what the film comes back to."""
    palette: str = ""
    lens: str = ""
    """Lens and light."""
    era: str = ""
    """When and where."""
    avoid: tuple[str, ...] = ()
    """What no picture shows."""


class StoryboardRequest(Value):
    """Numbered sentences in; ranges, prompts and a style bible out."""

    sentences: tuple[str, ...]
    style: Style
    scene_count: int
    keywords: tuple[str, ...] = ()
    negative_keywords: tuple[str, ...] = ()
    language: str = "en"
    ranges: tuple[tuple[int, int], ...] | None = None
    """Given: keep these scenes and write only prompts and bible."""
    bible: StyleBible | None = None
    """Given: the bible of the film that these scenes are part of; keep to it."""


class SceneDraft(Value):
    """One scene of a storyboard: sentences `first` to `last`, both included, from 0."""

    first: int
    last: int
    prompt: str


class Storyboard(Value):
    """What a prompt model answers. The text of the narration is never part of it."""

    scenes: tuple[SceneDraft, ...]
    bible: StyleBible = StyleBible()
    usage: Usage | None = None


class RewriteRequest(Value):
    """A picture prompt that cannot stay as it is, and what the picture is for."""

    prompt: str
    reason: Literal["refused", "unwanted"]
    """`refused`: a vendor's moderation did not take it; `unwanted`: it names what is to be
    avoided."""
    text: str = ""
    """What is spoken over the picture."""
    avoid: tuple[str, ...] = ()
    bible: StyleBible | None = None


class Rewrite(Value):
    """The same scene in other words."""

    prompt: str
    usage: Usage | None = None


class ScriptRequest(Value):
    """A narration to be written about a topic."""

    topic: str
    seconds: int = 60
    """How long it takes to read aloud, about."""
    language: str = "en"


class Script(Value):
    """A narration, as it is spoken: no title, no headings, no stage directions."""

    text: str
    usage: Usage | None = None


class PictureRequest(Value):
    """One picture, as asked of an image model.

    `prompting.picture_prompt` makes one text of all of it.
    """

    prompt: str
    width: int = 1024
    height: int = 1024
    quality: Literal["low", "medium", "standard", "high"] = "standard"
    avoid: tuple[str, ...] = ()
    style: Style | None = None
    characters: tuple[Character, ...] = ()
    """Who and what the prompt names; each look stands in the final text word for word."""
    setting: str = ""
    """What all pictures of the film share: palette, lens, era."""
    take: int = 0
    """Which drawing of this prompt it is, for models that would draw the same again."""


class Picture(Value):
    """An encoded picture (PNG, JPEG or WebP) of any size; the renderer fits it."""

    data: bytes
    usage: Usage | None = None
    revised_prompt: str | None = None


class SpeechRequest(Value):
    """One piece of text to be spoken, as asked of a speech model."""

    text: str
    voice: str
    language: str = "en"


class Word(Value):
    """When a word is heard. `start` and `end` are seconds from the start of its audio."""

    text: str
    start: float
    end: float


class Speech(Value):
    """Spoken text: signed 16-bit little-endian mono samples."""

    pcm: bytes
    sample_rate: int
    words: tuple[Word, ...] | None = None
    """Exact times, when the engine knows them."""
    usage: Usage | None = None


# ------------------------------------------------------------------ what has been made


class Artefact(Value):
    """A made thing: immutable bytes in the storage under a name derived from them."""

    fingerprint: str
    kind: str
    sha256: str
    size: int
    suffix: str
    meta: Mapping[str, Any] = {}

    @property
    def key(self) -> str:
        """Where the storage has it."""
        return f"objects/{self.sha256[:2]}/{self.sha256}{self.suffix}"


class Sentence(Value):
    """A sentence of the script: `text` is `script[start:end]`, no white space around it."""

    text: str
    start: int
    end: int
    ends_paragraph: bool = False


class SpokenSentence(Value):
    """A sentence and the audio artefact that says it."""

    text: str
    start: int
    end: int
    ends_paragraph: bool = False
    key: str
    """Storage key of a WAV file (16-bit mono)."""
    samples: int
    sample_rate: int
    words: tuple[Word, ...] = ()
    """Times from the start of this sentence's audio."""
    method: Literal["engine", "aligned", "estimated"] = "estimated"
    """How the word times are known."""

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return self.samples / self.sample_rate


class Pin(Value):
    """Who makes one stage of a video; kept, so that a resumed film is not bought twice."""

    provider: str
    model: str
    identity: str
    because: str | None = None
    """In words, why it is not the first choice, if it is not."""


class Narration(Value):
    """The spoken script. The film is mixed from the sentences; the MP3 is for people."""

    sentences: tuple[SpokenSentence, ...]
    voice: str
    by: Pin | None = None
    """Who speaks; None: the recording is the user's."""
    recorded: bool = False
    """Whether the sentences are cut out of one recording, pauses and all."""
    audio_path: str | None = None
    """Storage key of `narration.mp3`; on the way out, a readable location."""


class Take(Value):
    """A picture that a scene has had; `Video.edit(scene, take=...)` brings it back, for free."""

    prompt: str
    take: int = 0
    own_image: str | None = None
    key: str
    """Where the storage has it."""


class Scene(Value):
    """One picture and the stretch of script that is heard over it."""

    id: str = Field(default_factory=lambda: uuid.uuid4().hex[:8])
    text: str
    """A verbatim slice of the script, with the white space after it."""
    start_char: int
    end_char: int
    prompt: str = ""
    take: int = 0
    """Raised to have the same prompt drawn again."""
    own_image: str | None = None
    """A picture of the user's that is shown instead: a file; once taken in, its storage key."""
    takes: tuple[Take, ...] = ()
    """Every picture the scene has had, in order; the list numbers them from 0."""
    degraded: str | None = None
    """In words, why the picture is not what was asked for, if it is not."""
    motion: Motion = "in"
    image_path: str | None = None
    start: float | None = None
    """Seconds from the start of the film, once it is known."""
    duration: float | None = None


class Plan(Value):
    """The storyboard of a script: scenes that partition it, each with its prompt."""

    scenes: tuple[Scene, ...]
    bible: StyleBible = StyleBible()
    by: Pin | None = None
    """Who planned it."""

    @property
    def prompts(self) -> list[str]:
        """The image prompts, scene by scene."""
        return [scene.prompt for scene in self.scenes]


class Film(Value):
    """What `VideoService` has made: where it lies, and when each scene begins."""

    video_path: str
    audio_path: str
    poster_path: str
    caption_paths: Mapping[str, str] = {}
    duration: float
    """Seconds, a whole number of frames."""
    starts: tuple[float, ...]
    """When each scene begins, in seconds."""
    durations: tuple[float, ...]
    """How long each scene lasts, in seconds."""


class Failure(Value):
    """Why a video failed, for people and programs."""

    kind: str = "VisionPulseError"
    """Name of the error's class."""
    code: str
    message: str
    hint: str | None = None
    retryable: bool = False
    stage: str | None = None
    scene: int | None = None
    provider: str | None = None
    model: str | None = None
    request_id: str | None = None

    @classmethod
    def of(cls, error: VisionPulseError) -> Failure:
        """Return an error as a value."""
        facts = {name: getattr(error, name, None) for name in cls.model_fields if name != "kind"}
        return cls.model_validate({"kind": type(error).__name__, **facts})


def _now() -> datetime:
    return datetime.now(UTC)


class Video(Value):
    """A script and everything that was made of it.

    `edit` returns a changed copy; running it re-makes only what depends on the change.
    """

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] = Field(
        default_factory=lambda: uuid.uuid4().hex
    )
    title: str = ""
    script: str
    style: str = "cinematic"
    voice: str = "alloy"
    keywords: tuple[str, ...] = ()
    negative_keywords: tuple[str, ...] = ()
    options: VideoOptions = VideoOptions()
    scenes: tuple[Scene, ...] = ()
    bible: StyleBible = StyleBible()
    own_narration: str | None = None
    """A recording of the user's that is heard instead: a file; once taken in, its storage key."""
    plan: Literal["new", "kept", "reprompt"] = "new"
    """What the next run does with scenes: plan them, keep them, or give them new prompts."""
    audio_path: str | None = None
    video_path: str | None = None
    poster_path: str | None = None
    """A still that stands for the film: a JPEG of its size."""
    caption_paths: Mapping[str, str] = {}
    """By format: `srt`, `vtt`."""
    files: Mapping[str, str] = {}
    """The record: for each published name (`videos/<id>.mp4`) the object it shows."""
    duration: float | None = None
    status: Status = "pending"
    error: Failure | None = None
    cost: Decimal | None = Decimal(0)
    """Spent so far; None when a price is not known."""
    pins: Mapping[str, Pin] = {}
    """By stage: `prompts`, `images`, `speech`."""
    progress: float = 0.0
    revision: int = 0
    """Counts the changes to the stored video."""
    created_at: datetime = Field(default_factory=_now)
    updated_at: datetime = Field(default_factory=_now)

    @property
    def prompts(self) -> list[str]:
        """The image prompts, scene by scene."""
        return [scene.prompt for scene in self.scenes if scene.prompt]

    @property
    def degradations(self) -> list[str]:
        """In words, where somebody or something else had to stand in."""
        makers = [pin.because for pin in self.pins.values()]
        return [each for each in (*makers, *(s.degraded for s in self.scenes)) if each]

    @property
    def image_paths(self) -> list[str]:
        """The pictures, scene by scene."""
        return [scene.image_path for scene in self.scenes if scene.image_path]

    @property
    def error_message(self) -> str | None:
        """Why the video failed, in one line."""
        return self.error.message if self.error else None

    def edit(
        self,
        scene: int | str | None = None,
        *,
        prompt: str | None = None,
        text: str | None = None,
        image: str | os.PathLike[str] | None = None,
        redraw: bool = False,
        take: int | None = None,
        style: str | None = None,
        voice: str | None = None,
        title: str | None = None,
        options: VideoOptions | None = None,
    ) -> Video:
        """Return a copy with one thing changed; `Pipeline.run` makes what depends on it.

        Args:
            scene: Which scene, by number from 0 or by id; for the next five.
            prompt: Another picture prompt: that picture is drawn again.
            text: Another narration for the scene; its picture stays.
            image: A picture of yours (PNG, JPEG or WebP) instead of a drawn one.
            redraw: Draw the prompt again; instead of a picture of yours, too.
            take: Bring back a picture the scene had: which of `scene.takes`, from 0. It is free.
            style: Another style: the scenes stay, prompts and pictures are new.
            voice: Another voice; no picture is touched.
            title: Another title.
            options: Another shape; nothing is bought again unless the picture size changes.

        Raises:
            InputError: There is no such scene, or nothing was asked for.
        """
        changes: dict[str, Any] = {
            name: value
            for name, value in (
                ("style", style),
                ("voice", voice),
                ("title", title),
                ("options", options),
            )
            if value is not None
        }
        scenes = list(self.scenes)
        of_scene = redraw or any(each is not None for each in (prompt, text, image, take))
        if prompt is not None and (style is not None or self.plan == "reprompt"):
            raise InputError(
                "A new style writes every prompt anew, this one too.",
                hint="Run the video in its new style first, then edit the prompt.",
            )
        if of_scene:
            index = self._scene_index(scene)
            scenes[index] = _edit_scene(scenes[index], prompt, text, image, redraw, take)
        elif scene is not None or not changes:
            raise InputError(
                "Nothing to edit.",
                hint="Say what: prompt=, text=, image=, redraw=True, take=, style=, voice=, title= "
                "or options=.",
            )
        if style is not None and style != self.style and scenes:
            changes["plan"] = "reprompt"
        return self._with_scenes(scenes, **changes)

    def insert(
        self,
        at: int,
        text: str,
        *,
        prompt: str | None = None,
        image: str | os.PathLike[str] | None = None,
    ) -> Video:
        """Return a copy with a scene more; running it makes that scene alone.

        Args:
            at: Its number; the scene that has it now comes after it.
            text: What is spoken over it.
            prompt: What its picture shows; if not given, a prompt is written.
            image: A picture of yours for it.

        Raises:
            InputError: There is no such place, or nothing to be spoken.
        """
        if not self.scenes or not 0 <= at <= len(self.scenes):
            raise InputError(
                f"Video {self.id} has no place {at} for a scene.",
                hint=f"From 0 to {len(self.scenes)}."
                if self.scenes
                else "It has no scenes yet: run it first, at least until='storyboard'.",
            )
        beside = self.scenes[min(at, len(self.scenes) - 1)]
        new = Scene(text="", start_char=0, end_char=0, motion=_other_motion(beside.motion))
        scenes = [*self.scenes[:at], _edit_scene(new, prompt, text, image), *self.scenes[at:]]
        return self._with_scenes(scenes)

    def remove(self, scene: int | str) -> Video:
        """Return a copy without a scene, by number from 0 or by id; running it buys nothing.

        Raises:
            InputError: There is no such scene, or no other.
        """
        index = self._scene_index(scene)
        if len(self.scenes) == 1:
            raise InputError("A video needs a scene.", hint="Edit its text instead.")
        return self._with_scenes([*self.scenes[:index], *self.scenes[index + 1 :]])

    def reorder(self, order: Sequence[int | str]) -> Video:
        """Return a copy with its scenes in another order; running it buys nothing.

        Args:
            order: Every scene once, by number from 0 or by id.

        Raises:
            InputError: It is not every scene once.
        """
        numbers = [self._scene_index(scene) for scene in order]
        if sorted(numbers) != [*range(len(self.scenes))]:
            raise InputError(
                f"The new order has to name each of the {len(self.scenes)} scenes once.",
                hint=f"It names {numbers}.",
            )
        return self._with_scenes([self.scenes[number] for number in numbers])

    def _with_scenes(self, scenes: Sequence[Scene], **changes: Any) -> Video:
        """Return a copy with other scenes, and with the script that they are now."""
        if scenes:
            # A scene that was the last, or is new, must not run into the words of the next.
            spaced = any(scene.text[-1:].isspace() for scene in scenes)
            parted = [
                scene.model_copy(update={"text": f"{scene.text} "})
                if spaced and not scene.text[-1:].isspace()
                else scene
                for scene in scenes[:-1]
            ]
            scenes = _respan([*parted, scenes[-1]])
            script = "".join(scene.text for scene in scenes)
            plan = "kept" if self.plan == "new" else self.plan
            changes = {"plan": plan, "script": script, **changes}
        return self.model_copy(update={**changes, "scenes": tuple(scenes), "status": "pending"})

    def _scene_index(self, scene: int | str | None) -> int:
        ids = [each.id for each in self.scenes]
        if isinstance(scene, str) and scene in ids:
            return ids.index(scene)
        if isinstance(scene, int) and 0 <= scene < len(ids):
            return scene
        raise InputError(
            f"Video {self.id} has no scene {scene!r}.",
            hint=f"It has {len(ids)}, numbered from 0."
            if ids
            else "It has none yet: run it first, at least until='storyboard'.",
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show the film in a notebook."""
        from visionpulse.notebook import player

        return {"text/plain": repr(self), "text/html": player(self)}

    def __str__(self) -> str:
        """Return the short form: a script may be long."""
        return repr(self)

    def __repr__(self) -> str:
        """Return the id, the title and how far it is."""
        where = f", video_path={self.video_path!r}" if self.video_path else ""
        return f"Video(id={self.id!r}, title={self.title!r}, status={self.status!r}{where})"


def _edit_scene(
    scene: Scene,
    prompt: str | None = None,
    text: str | None = None,
    image: str | os.PathLike[str] | None = None,
    redraw: bool = False,
    take: int | None = None,
) -> Scene:
    if sum((prompt is not None or redraw, image is not None, take is not None)) > 1:
        raise InputError(
            "A scene shows one picture.", hint="Say one of prompt= or redraw=, image=, take=."
        )
    changes: dict[str, Any] = {}
    if prompt is not None:
        if not prompt.strip():
            raise InputError("The prompt is empty.", hint="Say what the picture shows.")
        changes |= {"prompt": prompt, "own_image": None}
    if text is not None:
        if not text.strip():
            raise InputError("The scene's text is empty.", hint="Say what is spoken over it.")
        # The white space between scenes belongs to the earlier one: it keeps the sentences apart.
        tail = scene.text[len(scene.text.rstrip()) :]
        changes["text"] = text.rstrip() + tail
    if image is not None:
        changes["own_image"] = os.fspath(image)
    if redraw:
        drawn = [each.take for each in scene.takes if each.prompt == (prompt or scene.prompt)]
        changes |= {"take": max([scene.take, *drawn]) + 1, "own_image": None}
    if take is not None:
        if not 0 <= take < len(scene.takes):
            raise InputError(
                f"The scene has no take {take}.",
                hint=f"It has {len(scene.takes)}, numbered from 0.",
            )
        before = scene.takes[take]
        changes |= {
            "prompt": before.prompt,
            "take": before.take,
            "own_image": before.own_image,
        }
    return scene.model_copy(update=changes)


def _other_motion(motion: Motion) -> Motion:
    others: dict[Motion, Motion] = {"in": "out", "left": "right", "up": "down", "none": "none"}
    return others.get(motion, "in")


def _respan(scenes: Sequence[Scene]) -> list[Scene]:
    at = 0
    spanned: list[Scene] = []
    for scene in scenes:
        end = at + len(scene.text)
        spanned.append(scene.model_copy(update={"start_char": at, "end_char": end}))
        at = end
    return spanned


class Event(Value):
    """One step of a run, for progress bars, logs and tests."""

    kind: Literal["started", "reused", "made", "retried", "degraded", "failed", "finished"]
    video_id: str
    stage: str
    what: str = ""
    """Kind of the artefact: `prompts`, `picture`, `speech`, `piece` ..."""
    scene: int | None = None
    provider: str | None = None
    message: str = ""
    fraction: float = 0.0
    """Of the whole run, 0 to 1; never goes back."""
    cost: Decimal | None = None
    """Spent on the video so far, in dollars, where the event changes it; None when unknown."""


class Estimate(Value):
    """What a run would do and cost, before anything is called."""

    calls: Mapping[str, int]
    """Paid calls still to be made, by kind."""
    cached: Mapping[str, int]
    """Calls whose result is already there, by kind."""
    low: Decimal | None
    high: Decimal | None
    """Dollars; None when a price is not known."""
    seconds: float
    """Length of the film, about."""
    scenes: int


class CostLine(Value):
    """What the calls of one day, video or model cost; what is free for certain is not in it."""

    key: str
    """The day (`2026-11-23`, UTC), the video's id, or the model's name. An empty id: for no video,
    such as a script that was written about a topic."""
    title: str | None = None
    """Of a video that still exists."""
    provider: str | None = None
    """Of a model."""
    calls: int
    """Every attempt, repeated ones too."""
    failed: int
    """Those that brought nothing usable; where an answer came, it was paid."""
    unknown: int
    """Those whose outcome is not known, or not yet: they may have been billed."""
    dollars: Decimal | None
    """None when the price of one of them is not known."""
    known: Decimal
    """The dollars of those whose price is known, the `unknown` ones at the most they may cost."""
    doubtful: Decimal
    """How much of `known` is for the `unknown` ones."""
    input_tokens: int = 0
    output_tokens: int = 0
    characters: int = 0
    """Read aloud."""
    pictures: int = 0
    """Drawn and usable."""


class Page(Value):
    """Some videos, newest first."""

    items: tuple[Video, ...]
    total: int | None
    """How many match in all; None when there are more than 10,000."""
    next_cursor: str | None
