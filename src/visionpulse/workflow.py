"""The LangGraph state machine. Nothing else imports langgraph.

    START -> generate_prompts -+-> generate_images -+-> assemble_video -> END
                               +-> generate_audio --+

Narration needs only the script, so it is begun together with the prompts. LangGraph ends one step
of a graph before it begins the next: a `generate_audio` that ran beside `generate_prompts` would
hold the pictures up. So `generate_prompts` begins the narration, and `generate_audio` waits for it.

There is no checkpointer: what was made is in the ledger, and a graph run again finds it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Protocol, TypedDict

from langgraph.graph import END, START, StateGraph  # pyright: ignore[reportMissingTypeStubs]

from visionpulse import loop
from visionpulse.audio import AudioService
from visionpulse.drawing import with_picture
from visionpulse.errors import VisionPulseError
from visionpulse.images import ImageService, picture_names
from visionpulse.ledger import current_run, current_stage
from visionpulse.models import Failure, Narration, Scene, Stage, StyleBible, VideoOptions
from visionpulse.storyboard import respanned
from visionpulse.video import VideoService


def _merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {**before, **after}


def _both(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*before, *after]


class _Wanted(TypedDict):
    video_id: str
    script: str
    style: str
    voice: str


class VideoGenerationState(_Wanted, total=False):
    """What the nodes pass on: plain data, never bytes. Paths are storage keys of objects."""

    title: str
    keywords: list[str]
    negative_keywords: list[str]
    options: dict[str, Any]
    plan: str
    """`new`: plan the scenes; `kept`: keep them; `reprompt`: keep them with new prompts."""
    scenes: list[dict[str, Any]]
    bible: dict[str, Any]
    own_narration: str | None
    makers: Annotated[dict[str, Any], _merged]
    """By stage, who made it."""
    prompts: list[str]
    image_paths: list[str]
    narration: dict[str, Any]
    audio_path: str
    video_path: str
    caption_paths: dict[str, str]
    film: dict[str, Any]
    files: Annotated[dict[str, str], _merged]
    """For each documented name the object it stands for."""
    error: Annotated[list[dict[str, Any]], _both]
    """Both branches may fail in one step; both failures are kept."""


class Workflow(Protocol):
    """A compiled LangGraph graph; it can be a node of a graph of yours."""

    async def ainvoke(self, input: Any) -> Mapping[str, Any]:  # noqa: A002  LangGraph's name
        """Run the graph on a state and return the state it ends with."""
        ...


Update = dict[str, Any]
Node = Callable[[VideoGenerationState], Awaitable[Update]]


def build_workflow(
    images: ImageService, audio: AudioService, video: VideoService, *, until: Stage = "video"
) -> Workflow:
    """Return the graph, up to a stage.

    Args:
        images: Plans and draws.
        audio: Speaks.
        video: Assembles.
        until: `storyboard`: prompts only; `pictures`: and the pictures; `narration`: and the
            narration; `video`: everything.
    """
    nodes = _Nodes(images, audio, video, until)
    graph: Any = StateGraph(VideoGenerationState)
    graph.add_node("generate_prompts", _node("generate_prompts", nodes.generate_prompts))
    graph.add_edge(START, "generate_prompts")
    ends = ["generate_prompts"]
    if until != "storyboard":
        graph.add_node("generate_images", _node("generate_images", nodes.generate_images))
        graph.add_edge("generate_prompts", "generate_images")
        ends = ["generate_images"]
    if until in ("narration", "video"):
        graph.add_node("generate_audio", _node("generate_audio", nodes.generate_audio))
        graph.add_edge("generate_prompts", "generate_audio")
        ends.append("generate_audio")
    if until == "video":
        graph.add_node("assemble_video", _node("assemble_video", nodes.assemble_video))
        graph.add_edge(ends, "assemble_video")
        ends = ["assemble_video"]
    for end in ends:
        graph.add_edge(end, END)
    workflow: Workflow = graph.compile(name="visionpulse")
    return workflow


def _node(name: str, body: Node) -> Node:
    """Return a failure as data: an exception in one branch would cancel the other."""

    async def run_node(state: VideoGenerationState) -> Update:
        # What was begun is finished and kept; what needs a part that failed is not begun.
        if state.get("error") and name != "generate_audio":
            return {}
        token = current_stage.set(name)
        try:
            return await body(state)
        except VisionPulseError as error:
            error.stage = error.stage or name
            error.video_id = error.video_id or state["video_id"]
            if run := current_run.get():
                run.errors.append(error)
            return {"error": [Failure.of(error).model_dump(mode="json")]}
        finally:
            current_stage.reset(token)

    return run_node


class _Nodes:
    def __init__(
        self, images: ImageService, audio: AudioService, video: VideoService, until: Stage
    ) -> None:
        self._images = images
        self._audio = audio
        self._video = video
        self._until = until
        self._speaking: dict[str, asyncio.Task[Narration]] = {}

    async def generate_prompts(self, state: VideoGenerationState) -> Update:
        if self._until in ("narration", "video"):
            self._speaking[state["video_id"]] = asyncio.create_task(self._speak(state))
        try:
            return await self._storyboard(state)
        except VisionPulseError:
            # The narration goes on: `generate_audio` waits for it, and it is kept.
            raise
        except BaseException:
            if speaking := self._speaking.pop(state["video_id"], None):
                speaking.cancel()
            raise

    async def _storyboard(self, state: VideoGenerationState) -> Update:
        kept = _kept_scenes(state)
        if kept and state.get("plan") == "kept":
            scenes = await self._completed(state, kept)
            return {"scenes": _dumped(scenes), "prompts": [scene.prompt for scene in scenes]}
        plan = await self._images.agenerate_prompts(
            state["script"],
            state["style"],
            keywords=state.get("keywords", []),
            negative_keywords=state.get("negative_keywords", []),
            options=_options(state),
            scenes=kept,
            video_id=state["video_id"],
        )
        return {
            "scenes": _dumped(plan.scenes),
            "prompts": plan.prompts,
            "bible": plan.bible.model_dump(mode="json"),
            "makers": {"prompts": plan.by and plan.by.model_dump(mode="json")},
            "plan": "kept",
        }

    async def _completed(
        self, state: VideoGenerationState, scenes: Sequence[Scene]
    ) -> Sequence[Scene]:
        """Have prompts written where there are none, and nothing in them that is not wanted."""
        avoid = state.get("negative_keywords", [])
        planning = self._images.planning(state["video_id"])
        new = [scene for scene in scenes if not scene.prompt.strip() and not scene.own_image]
        if new:
            plan = await self._images.agenerate_prompts(
                "".join(scene.text for scene in new),
                state["style"],
                keywords=state.get("keywords", []),
                negative_keywords=avoid,
                options=_options(state),
                scenes=respanned(new),
                bible=StyleBible.model_validate(state.get("bible", {})),
                video_id=state["video_id"],
            )
            written = {scene.id: scene.prompt for scene in plan.scenes}
            scenes = [
                scene.model_copy(update={"prompt": written.get(scene.id, scene.prompt)})
                for scene in scenes
            ]
        return await loop.all_of(*(planning.without(scene, avoid) for scene in scenes))

    async def generate_images(self, state: VideoGenerationState) -> Update:
        scenes = _scenes(state)
        drawing = self._images.drawing(
            state["video_id"],
            style=state["style"],
            bible=StyleBible.model_validate(state.get("bible", {})),
            negative_keywords=state.get("negative_keywords", []),
            options=_options(state),
        )
        shown = await drawing.all(scenes)
        keys = [each.key for each in shown]
        names = picture_names(state["video_id"], keys)
        return {
            "scenes": _dumped(map(with_picture, scenes, shown)),
            "image_paths": keys,
            "files": dict(zip(names, keys, strict=True)),
        }

    async def _speak(self, state: VideoGenerationState) -> Narration:
        current_stage.set("generate_audio")
        kept = _kept_scenes(state)
        if recording := state.get("own_narration"):
            return await self._audio.take_in(
                recording, state["script"], state["video_id"], scenes=kept
            )
        return await self._audio.speak(
            state["script"],
            state["voice"],
            state["video_id"],
            scenes=kept,
            mixed_voices=_options(state).mixed_voices,
        )

    async def generate_audio(self, state: VideoGenerationState) -> Update:
        video_id = state["video_id"]
        narration = await self._speaking.pop(video_id)
        update: Update = {"narration": narration.model_dump(mode="json")}
        if narration.by:
            update["makers"] = {"speech": narration.by.model_dump(mode="json")}
        if self._until == "narration":
            # Otherwise the film's own sound, to its exact length, becomes the narration.
            artefact = await self._audio.mix(narration, video_id)
            update["audio_path"] = artefact.key
            update["files"] = {f"audio/{video_id}/narration.mp3": artefact.key}
        return update

    async def assemble_video(self, state: VideoGenerationState) -> Update:
        made = await self._video.assemble(
            state.get("image_paths", []),
            Narration.model_validate(state.get("narration")),
            state["video_id"],
            scenes=_scenes(state),
            options=_options(state),
            title=state.get("title", ""),
        )
        film, files = made
        return {
            "film": film.model_dump(mode="json"),
            "audio_path": files[film.audio_path],
            "video_path": files[film.video_path],
            "caption_paths": {kind: files[name] for kind, name in film.caption_paths.items()},
            "files": files,
        }


def _dumped(scenes: Iterable[Scene]) -> list[dict[str, Any]]:
    return [scene.model_dump(mode="json") for scene in scenes]


def _kept_scenes(state: VideoGenerationState) -> list[Scene]:
    return _scenes(state) if state.get("plan", "new") != "new" else []


def _scenes(state: VideoGenerationState) -> list[Scene]:
    return [Scene.model_validate(scene) for scene in state.get("scenes", [])]


def _options(state: VideoGenerationState) -> VideoOptions:
    return VideoOptions.model_validate(state.get("options", {}))
