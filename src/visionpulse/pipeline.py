"""Pipeline, the front door: a script goes in, a narrated video comes out."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

# The rest is imported when a pipeline is made: `from visionpulse import Pipeline` costs next to
# nothing in programs that may never make one.
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal
    from pathlib import Path

    from visionpulse.asking import Chain
    from visionpulse.calls import RetryPolicy
    from visionpulse.crew import Crew
    from visionpulse.ledger import Ledger
    from visionpulse.models import (
        CostLine,
        Estimate,
        Event,
        Grouping,
        Page,
        Stage,
        Status,
        Style,
        Video,
        VideoOptions,
        Voice,
    )
    from visionpulse.pricing import Overrides
    from visionpulse.protocols import (
        Claim,
        ImageModel,
        JobQueue,
        PromptModel,
        Renderer,
        SpeechModel,
        Storage,
        VideoRepository,
    )
    from visionpulse.registry import Kind

    Listener = Callable[[Event], None]

# How much of a run each node is, for progress: what people wait for, roughly.
_SHARES = {
    "generate_prompts": 0.05,
    "generate_images": 0.35,
    "generate_audio": 0.15,
    "assemble_video": 0.45,
}


class Pipeline:
    """Makes videos, and remembers all it has made.

    Args:
        provider: Whose models make everything: `"openai"`, `"offline"`, or `"auto"`: OpenAI where
            there is a key, else offline. By default VISIONPULSE_PROVIDER, or OpenAI. A list is a
            chain: where one gives up, the next takes over, and `video.degradations` says so.
        prompts: Another provider's name, or a PromptModel of your own, for the storyboard; or a
            list of them.
        images: The same for the pictures.
        speech: The same for the narration.
        renderer: A Renderer of your own, or a name: `"ffmpeg"` (the default) or `"moviepy"`.
        storage: Another Storage, or its name (`"memory"`); by default files in `output/` below
            `home`.
        repository: Another repository, or a database URL; by default `visionpulse.db` below `home`.
        home: The folder for both; by default VISIONPULSE_HOME, or the working folder.
        budget: The most a video may cost, in dollars.
        daily_budget: The most all videos of a day (UTC) may cost, in dollars.
        prices: Corrections of the price table for OpenAI's models and those of compatible servers:
            a mapping as `visionpulse.pricing` takes it, or a TOML file; by default
            VISIONPULSE_PRICES.
        retry: When failed calls are made again.
        queue: Wakes workers for submitted videos; by default threads of this process.
        workers: How many submitted videos those threads make at the same time.
        lease: Seconds after which a dead process's video may be taken over.

    Raises:
        ConfigurationError: A key is missing, something is not installed, or a price makes no sense.
        UnknownNameError: There is no such provider.

    Example:
        video = Pipeline("offline").run("A red door. A long corridor.")
        video = pipeline.run(video.edit(1, prompt="a corridor lit by candles"))
    """

    def __init__(
        self,
        provider: str | Sequence[str] | None = None,
        *,
        prompts: str | PromptModel | Sequence[str | PromptModel] | None = None,
        images: str | ImageModel | Sequence[str | ImageModel] | None = None,
        speech: str | SpeechModel | Sequence[str | SpeechModel] | None = None,
        renderer: Renderer | str | None = None,
        storage: Storage | str | None = None,
        repository: VideoRepository | str | None = None,
        home: str | Path | None = None,
        budget: Decimal | str | float | None = None,
        daily_budget: Decimal | str | float | None = None,
        prices: Overrides | str | Path | None = None,
        retry: RetryPolicy | None = None,
        queue: JobQueue | None = None,
        workers: int = 1,
        lease: float = 30.0,
    ) -> None:
        from pathlib import Path

        from visionpulse import pricing, registry
        from visionpulse.ledger import Ledger
        from visionpulse.protocols import Caps, LedgerStore
        from visionpulse.settings import Settings
        from visionpulse.worker import Keeper

        self._settings = settings = Settings()
        self._explicit = provider not in (None, "auto")
        asked = provider or settings.provider or "openai"
        names = asked.split(",") if isinstance(asked, str) else asked
        self.providers: tuple[str, ...] = tuple(self._choose(name.strip()) for name in names)
        self._prices = pricing.corrections(settings.prices if prices is None else prices)
        self._given: dict[Kind, Any] = {"prompts": prompts, "images": images, "speech": speech}
        self._check_providers()
        self._renderer: Renderer | str = renderer or settings.renderer
        folder = Path(home or settings.home)
        self.storage: Storage = _storage(storage or settings.storage or "file", folder / "output")
        self._opened: Any = None
        if isinstance(repository, LedgerStore):
            facts: LedgerStore = repository
        else:
            # A repository for videos alone leaves the ledger's facts to a database of ours.
            database = settings.database or folder / "visionpulse.db"
            sql = registry.load("repository", "sqlite", registry.REPOSITORIES)
            facts = self._opened = sql(repository if isinstance(repository, str) else database)
        given = None if isinstance(repository, str) else repository
        self.repository: VideoRepository = given or self._opened
        self.ledger: Ledger = Ledger(facts, self.storage, policy=retry, lease=lease / 2)
        self._caps = Caps(
            _dollars(settings.budget if budget is None else budget),
            _dollars(settings.daily_budget if daily_budget is None else daily_budget),
        )
        self._given_queue = queue
        self._workers = workers
        self._lease = lease
        self._keeper = Keeper(self.repository, lease=lease)
        self._models: dict[tuple[str, str, str | None], Any] = {}

    # -------------------------------------------------------------- making videos

    def run(
        self,
        source: str | Video,
        *,
        title: str = "",
        style: str | None = None,
        voice: str | None = None,
        keywords: Sequence[str] = (),
        negative_keywords: Sequence[str] = (),
        pictures: Sequence[str | Path] = (),
        narration: str | Path | None = None,
        options: VideoOptions | None = None,
        until: Stage = "video",
        retry_refused: bool = False,
        on_event: Listener | None = None,
    ) -> Video:
        """Blocking form of `arun`; works inside a running event loop (Jupyter) too.

        A notebook shows a progress bar unless `on_event` is given.
        """
        from contextlib import ExitStack

        from visionpulse import loop

        with ExitStack() as shown:
            if on_event is None and "ipykernel" in sys.modules:
                from visionpulse.progress import ProgressBar

                on_event = shown.enter_context(ProgressBar())
            return loop.run(
                lambda: self.arun(
                    source,
                    title=title,
                    style=style,
                    voice=voice,
                    keywords=keywords,
                    negative_keywords=negative_keywords,
                    pictures=pictures,
                    narration=narration,
                    options=options,
                    until=until,
                    retry_refused=retry_refused,
                    on_event=on_event,
                )
            )

    async def arun(
        self,
        source: str | Video,
        *,
        title: str = "",
        style: str | None = None,
        voice: str | None = None,
        keywords: Sequence[str] = (),
        negative_keywords: Sequence[str] = (),
        pictures: Sequence[str | Path] = (),
        narration: str | Path | None = None,
        options: VideoOptions | None = None,
        until: Stage = "video",
        retry_refused: bool = False,
        on_event: Listener | None = None,
    ) -> Video:
        """Make a video of a script, or what is missing of a video.

        Whatever was made before, for this video or another, is not made again.

        Args:
            source: A script; or a Video, edited, failed or finished.
            title: By default the script's first words.
            style: Name of a style; `cinematic` by default.
            voice: Name of a voice; `alloy` by default.
            keywords: What the pictures should show where it fits.
            negative_keywords: What they must not show.
            pictures: Picture files of yours, in order, instead of drawn ones; each gets a scene.
            narration: A recording of yours of the script, instead of a model's voice.
            options: The shape of the film.
            until: Stop after `storyboard`, `pictures` or `narration`; a Video goes on from there.
            retry_refused: Ask again what a vendor has refused before.
            on_event: Called with every Event, on VisionPulse's own loop: it has to return at once.

        Returns:
            The video; its paths are readable locations.

        Raises:
            InputError: The script, a name or an option cannot be used; nothing was started.
            ConfigurationError: The set-up cannot work; nothing was started.
            ProviderError: A vendor did not deliver. `error.video_id` names the failed video, which
                keeps all that was made: `resume` makes the rest.
            BudgetExceededError: A cap was reached; the same holds.
            RenderError: The film could not be encoded; the same holds.
            VideoCancelledError: It was cancelled from elsewhere; the same holds.
            VideoBusyError: Another process works on it.
        """
        from typing import get_args

        from visionpulse import loop
        from visionpulse.errors import UnknownNameError, VisionPulseError
        from visionpulse.models import Stage

        if until not in (stages := get_args(Stage)):
            raise UnknownNameError("stage", until, stages)
        video = self._wanted(
            source,
            title=title,
            style=style,
            voice=voice,
            keywords=keywords,
            negative_keywords=negative_keywords,
            pictures=pictures,
            narration=narration,
            options=options,
        )
        video, crew = await loop.in_thread(self._prepare, video)
        with self._keeper.alone(video.id):
            try:
                return await self._work(
                    None, video, crew, until=until, retry_refused=retry_refused, on_event=on_event
                )
            except VisionPulseError as error:
                error.video_id = error.video_id or video.id
                raise

    def resume(
        self,
        video_id: str,
        *,
        until: Stage = "video",
        retry_refused: bool = False,
        on_event: Listener | None = None,
    ) -> Video:
        """Make what is missing of a video: `run(get(video_id))`. Raises as `arun`."""
        return self.run(
            self.get(video_id), until=until, retry_refused=retry_refused, on_event=on_event
        )

    def stream(self, source: str | Video, **wishes: Any) -> Iterator[Event]:
        """Make a video and yield every Event; takes what `run` takes, and raises the same.

        Leaving the loop early goes on making the video; `cancel` stops it.
        """
        import queue
        import threading

        events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                self.run(source, **wishes, on_event=events.put)
                events.put(None)
            except BaseException as error:
                # Raised again in the caller's thread.
                events.put(error)

        threading.Thread(target=work, name="visionpulse-stream", daemon=True).start()
        while (event := events.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event

    async def astream(self, source: str | Video, **wishes: Any) -> AsyncIterator[Event]:
        """Make a video and yield every Event; leaving the loop early cancels it.

        Takes what `arun` takes, and raises the same.
        """
        import asyncio

        events: asyncio.Queue[Event | None] = asyncio.Queue()
        here = asyncio.get_running_loop()

        def pass_on(event: Event | None) -> None:
            here.call_soon_threadsafe(events.put_nowait, event)

        task = here.create_task(self.arun(source, **wishes, on_event=pass_on))
        task.add_done_callback(lambda _task: pass_on(None))
        try:
            while event := await events.get():
                yield event
            await task
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])

    def submit(
        self,
        source: str | Video,
        *,
        title: str = "",
        style: str | None = None,
        voice: str | None = None,
        keywords: Sequence[str] = (),
        negative_keywords: Sequence[str] = (),
        pictures: Sequence[str | Path] = (),
        narration: str | Path | None = None,
        options: VideoOptions | None = None,
    ) -> Video:
        """Have a video made in the background and return it at once, pending.

        The row is the promise: whatever happens to this process, a worker makes the video.
        Arguments and errors for bad input are those of `arun`.
        """
        from visionpulse import loop

        video = self._wanted(
            source,
            title=title,
            style=style,
            voice=voice,
            keywords=keywords,
            negative_keywords=negative_keywords,
            pictures=pictures,
            narration=narration,
            options=options,
        )
        video, crew = self._prepare(video)
        # A worker may run elsewhere, and later: files of the caller's are taken in now.
        video = loop.run(lambda: crew.with_files_kept(video))
        self.repository.insert(video)
        self._queue.wake(video.id)
        return self.get(video.id)

    def work_one(self) -> bool:
        """Make the oldest waiting video, if there is one; its row tells how it ended.

        Returns:
            Whether there was one.
        """
        import contextlib

        from visionpulse import loop
        from visionpulse.errors import VisionPulseError

        claim = self.repository.claim(self._keeper.owner, lease=self._lease)
        if claim is None:
            return False
        with self._keeper.alone(claim.video_id), contextlib.suppress(VisionPulseError):
            video = self.repository.get(claim.video_id)
            try:
                video, crew = self._prepare(video)
            except Exception as error:
                self._end(video, claim, error)
                raise
            loop.run(lambda: self._work(claim, video, crew))
        return True

    def batch(
        self, sources: Sequence[str | Video], *, concurrency: int = 2, **wishes: Any
    ) -> Sequence[Video]:
        """Make several videos; one that fails is returned failed, and does not stop the others.

        A script that cannot be used is returned failed too, and is not stored.

        Args:
            sources: Scripts or videos.
            concurrency: How many at the same time.
            wishes: For all of them, as for `run`.
        """
        from visionpulse import loop

        return loop.run(lambda: self._batch(sources, concurrency, wishes))

    async def _batch(
        self, sources: Sequence[str | Video], concurrency: int, wishes: Mapping[str, Any]
    ) -> Sequence[Video]:
        import asyncio

        from visionpulse.errors import InputError, VisionPulseError
        from visionpulse.models import Failure, Video

        limit = asyncio.Semaphore(concurrency)

        async def one(source: str | Video) -> Video:
            async with limit:
                try:
                    return await self.arun(source, **wishes)
                except VisionPulseError as error:
                    if error.video_id is not None:
                        return self.get(error.video_id)
                    if not isinstance(error, InputError):
                        raise
                    # Refused before it became a video.
                    refused = source if isinstance(source, Video) else Video(script=source)
                    failure = Failure.of(error)
                    return refused.model_copy(update={"status": "failed", "error": failure})

        return await asyncio.gather(*map(one, sources))

    def cancel(self, video_id: str) -> Video:
        """Stop making a video, wherever it is made; it keeps all it has and can be resumed.

        Raises:
            VideoNotFoundError: There is no such video.
        """
        video = self.repository.cancel(video_id)
        self._keeper.interrupt(video_id)
        return self._located(video)

    # -------------------------------------------------------------- what there is

    def get(self, video_id: str) -> Video:
        """Return a video. Raises VideoNotFoundError."""
        from visionpulse.worker import mend_names

        video = self.repository.get(video_id)
        return self._located(mend_names(self.repository, self.storage, video))

    def list(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        status: Status | None = None,
        query: str | None = None,
    ) -> Page:
        """Return videos, newest first.

        Args:
            limit: How many, 1 to 500.
            cursor: `next_cursor` of the page before.
            status: Only videos in this state.
            query: Only videos with this in their title, in any case.
        """
        from typing import get_args

        from visionpulse.errors import UnknownNameError
        from visionpulse.models import Status

        if status is not None and status not in (known := get_args(Status)):
            raise UnknownNameError("status", status, known)
        page = self.repository.list(limit=limit, cursor=cursor, status=status, query=query)
        return page.model_copy(update={"items": tuple(self._located(v) for v in page.items)})

    def delete(self, video_id: str) -> bool:
        """Remove a video and its files, and never one that another video uses.

        Returns:
            Whether there was such a video.
        """
        from visionpulse.errors import VideoNotFoundError

        try:
            video = self.repository.cancel(video_id)
        except VideoNotFoundError:
            return False
        self._keeper.interrupt(video_id)
        removed = self.repository.delete(video_id)
        for name in video.files:
            self.storage.delete(name)
        self.ledger.sweep()
        return removed

    def voices(self) -> Sequence[Voice]:
        """Return the voices of this pipeline's speech model."""
        listed = getattr(self._chain("speech").first, "voices", None)
        return listed() if listed else []

    def styles(self) -> Sequence[Style]:
        """Return the styles of the catalogue."""
        from visionpulse.catalog import STYLES

        return [*STYLES.values()]

    def write_script(self, topic: str, *, seconds: int = 60, language: str = "en") -> str:
        """Have a narration about a topic written. Takes a language model that can.

        Args:
            topic: What it is about.
            seconds: How long it takes to read aloud, about; 10 to 1800.
            language: Of the narration, as a BCP 47 tag.

        Raises:
            InputError: There is no topic, or the length cannot be had.
            ConfigurationError: No prompt model of this pipeline writes scripts.
            ProviderError: The model did not deliver.
        """
        from visionpulse import loop

        return loop.run(lambda: self.awrite_script(topic, seconds=seconds, language=language))

    async def awrite_script(self, topic: str, *, seconds: int = 60, language: str = "en") -> str:
        """Async form of `write_script`."""
        from visionpulse.errors import InputError
        from visionpulse.ledger import Run, current_run
        from visionpulse.models import ScriptRequest
        from visionpulse.planning import Planning
        from visionpulse.protocols import Caps, Use
        from visionpulse.text import check_script

        check_script(topic)
        if not 10 <= seconds <= 1800:
            raise InputError(f"A script of {seconds} seconds?", hint="From 10 to 1800.")
        request = ScriptRequest(topic=topic, seconds=seconds, language=language)
        planning = Planning(self.ledger, self._chain("prompts"), Use(""))
        # No video yet: the cap of the day is the one that holds.
        token = current_run.set(Run(Caps(None, self._caps.day)))
        try:
            return await planning.script(request)
        finally:
            current_run.reset(token)

    def estimate(
        self,
        source: str | Video,
        *,
        style: str | None = None,
        voice: str | None = None,
        keywords: Sequence[str] = (),
        negative_keywords: Sequence[str] = (),
        pictures: Sequence[str | Path] = (),
        narration: str | Path | None = None,
        options: VideoOptions | None = None,
    ) -> Estimate:
        """Say what `run` would call and cost, calling nothing."""
        from visionpulse import loop

        video = self._wanted(
            source,
            style=style,
            voice=voice,
            keywords=keywords,
            negative_keywords=negative_keywords,
            pictures=pictures,
            narration=narration,
            options=options,
        )
        video, crew = self._prepare(video)
        return loop.run(lambda: crew.estimate(video))

    def costs(
        self, by: Grouping = "day", *, since: date | None = None, until: date | None = None
    ) -> Sequence[CostLine]:
        """Return what the calls have cost; those for deleted videos too.

        Args:
            by: `day` (UTC), `video` or `model`.
            since: The first day that counts.
            until: The last day that counts.

        Raises:
            UnknownNameError: They cannot be grouped so.
        """
        from contextlib import suppress
        from typing import get_args

        from visionpulse.errors import UnknownNameError, VideoNotFoundError
        from visionpulse.models import Grouping

        if by not in (known := get_args(Grouping)):
            raise UnknownNameError("grouping", by, known)
        store: object = self.ledger.store
        lines = [*self.ledger.store.costs(by, since, until)]
        if by == "video" and self.repository is not store:
            for number, line in enumerate(lines):
                with suppress(VideoNotFoundError):
                    title = self.repository.get(line.key).title
                    lines[number] = line.model_copy(update={"title": title})
        return lines

    def close(self) -> None:
        """Stop background workers and let go of connections; unfinished videos are resumable."""
        from visionpulse import asking, loop

        if "_queue" in self.__dict__:
            self._queue.close()
        for model in self._models.values():
            loop.run(asking.close, model)
        if self._opened:
            self._opened.close()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -------------------------------------------------------------- how it is done

    def _choose(self, provider: str) -> str:
        from visionpulse.errors import ConfigurationError

        keyed = self._settings.openai_api_key is not None
        if provider == "auto":
            return "openai" if keyed else "offline"
        if provider == "openai" and not keyed and self._settings.openai_base_url is None:
            raise ConfigurationError(
                "OPENAI_API_KEY is not set.",
                hint='Set it, or try without a key: Pipeline("offline")',
            )
        return provider

    def _check_providers(self) -> None:
        from visionpulse.errors import UnknownNameError
        from visionpulse.registry import PROVIDERS

        given = (each for wanted in self._given.values() for each in _listed(wanted))
        for provider in (*self.providers, *given):
            if isinstance(provider, str) and provider not in PROVIDERS:
                raise UnknownNameError("provider", provider, PROVIDERS)

    @property
    def provider(self) -> str:
        """Whose models are asked first."""
        return self.providers[0]

    @functools.cached_property
    def _queue(self) -> JobQueue:
        from visionpulse.queues.threads import ThreadQueue

        return self._given_queue or ThreadQueue(self.work_one, workers=self._workers)

    def _wanted(
        self,
        source: str | Video,
        *,
        title: str = "",
        style: str | None = None,
        voice: str | None = None,
        keywords: Sequence[str] = (),
        negative_keywords: Sequence[str] = (),
        pictures: Sequence[str | Path] = (),
        narration: str | Path | None = None,
        options: VideoOptions | None = None,
    ) -> Video:
        """Return the video that is asked for, as a value. Raises InputError."""
        from pydantic import ValidationError

        from visionpulse.errors import InputError
        from visionpulse.models import Video, VideoOptions
        from visionpulse.storyboard import divided
        from visionpulse.text import check_script, title_of

        for name, words in (("keywords", keywords), ("negative_keywords", negative_keywords)):
            if isinstance(words, str):
                raise InputError(f"{name} is a list of words.", hint=f"{name}=[{words!r}]")
        if isinstance(source, Video):
            if pictures:
                raise InputError(
                    "This video has its scenes.",
                    hint="Give a scene another picture: video.edit(0, image=...).",
                )
            wishes = {
                "title": title or source.title or title_of(source.script),
                "style": style,
                "voice": voice,
                "keywords": tuple(keywords) or None,
                "negative_keywords": tuple(negative_keywords) or None,
                "own_narration": None if narration is None else str(narration),
                "options": options,
            }
            changes = {name: wish for name, wish in wishes.items() if wish is not None}
            if style not in (None, source.style) and source.scenes:
                changes["plan"] = "reprompt"
            return source.model_copy(update=changes)
        given: Any = source
        if not isinstance(given, str):
            raise InputError(
                f"A script is text, or a Video, not {type(given).__name__}.",
                hint="For a file: Path(...).read_text(encoding='utf-8').",
            )
        check_script(source)
        shape = options or VideoOptions()
        scenes = divided(source, [str(each) for each in pictures], shape).scenes if pictures else ()
        try:
            return Video(
                title=title or title_of(source),
                script=source,
                scenes=scenes,
                plan="kept" if scenes else "new",
                own_narration=None if narration is None else str(narration),
                style=style or self._settings.style,
                voice=voice or self._settings.voice,
                keywords=tuple(keywords),
                negative_keywords=tuple(negative_keywords),
                options=shape,
            )
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{where}: {first['msg']}.") from None

    def _prepare(self, video: Video) -> tuple[Video, Crew]:
        """Choose who makes the video and check all that can be checked before money is spent."""
        from visionpulse.audio import AudioService
        from visionpulse.crew import Crew, with_names
        from visionpulse.images import ImageService
        from visionpulse.video import VideoService

        renderer = self._renderer = self._made_renderer()
        crew = Crew(
            ImageService(
                prompts=self._chain("prompts", video),
                images=self._chain("images", video),
                ledger=self.ledger,
            ),
            AudioService(
                speech=self._chain("speech", video), renderer=renderer, ledger=self.ledger
            ),
            VideoService(renderer=renderer, ledger=self.ledger, fonts=self._settings.fonts),
        )
        crew.check(video)
        # A Video handed back has readable locations where the record has names.
        return with_names(video.model_copy(update={"pins": crew.pins(video)})), crew

    def _made_renderer(self) -> Renderer:
        from visionpulse import registry

        if not isinstance(self._renderer, str):
            return self._renderer
        chosen = {"encoder": self._settings.encoder} if self._renderer == "ffmpeg" else {}
        made: Renderer = registry.renderer(self._renderer, **chosen)
        return made

    def _chain(self, kind: Kind, video: Video | None = None) -> Chain[Any]:
        """Return the models for this kind of thing, first the one that is pinned on the video."""
        from visionpulse.asking import Chain, pin, same

        given = _listed(self._given[kind])
        wanted = given or [*self.providers]
        before = video.pins.get(kind) if video else None
        names = [each for each in wanted if isinstance(each, str)]
        if before and names and not (self._explicit or given) and before.provider not in names:
            # Nobody asked for another provider: the video's own goes on.
            wanted = [before.provider]
        models: list[Any] = []
        for each in wanted:
            model = each
            if isinstance(each, str):
                # A model's last day, or a key that is gone, must not quietly re-make half a film.
                pinned = before.model if before and before.provider == each else None
                model = self._model(kind, each, pinned)
            first = before and (
                before.provider == each if isinstance(each, str) else same(before, pin(model))
            )
            models.insert(0 if first else len(models), model)
        return Chain(models)

    def _model(self, kind: Kind, provider: str, model: str | None) -> Any:
        from visionpulse import registry
        from visionpulse.errors import ConfigurationError

        if provider not in registry.PROVIDERS:
            raise ConfigurationError(
                f"The {kind} of this video were made by {provider}'s {model}, which this pipeline "
                "does not have.",
                hint=f"Pass it again ({kind}=...), or name a provider to have them made anew.",
            )
        if (kind, provider, model) not in self._models:
            self._models[kind, provider, model] = registry.model(
                kind, provider, **self._settings_of(kind, provider, model)
            )
        return self._models[kind, provider, model]

    def _settings_of(self, kind: Kind, provider: str, model: str | None) -> dict[str, Any]:
        if provider != "openai":
            return {}
        settings = self._settings
        named = {
            "prompts": settings.prompt_model,
            "images": settings.image_model,
            "speech": settings.speech_model,
        }
        key = settings.openai_api_key
        return {
            "model": model or named[kind],
            "pinned": model is not None,
            "api_key": key.get_secret_value() if key else None,
            "base_url": settings.openai_base_url,
            "overrides": self._prices,
        }

    async def _work(
        self,
        claim: Claim | None,
        video: Video,
        crew: Crew,
        *,
        until: Stage = "video",
        retry_refused: bool = False,
        on_event: Listener | None = None,
    ) -> Video:
        """Claim a video if need be, make it, publish what came of it, and raise what failed."""
        import anyio

        from visionpulse import loop
        from visionpulse.ledger import Run
        from visionpulse.models import Event
        from visionpulse.worker import publish

        run = Run(self._caps, retry_refused=retry_refused, listen=on_event, shares=_SHARES)
        event = Event(kind="started", video_id=video.id, stage="run")
        try:
            if claim is None:
                claim = await loop.in_thread(self._keeper.begin, video)
            run.tell(event)
            for warning in crew.warnings:
                run.tell(event.model_copy(update={"kind": "degraded", "message": warning}))
            made = await self._keeper.hold(
                claim,
                crew.make(video, run, until=until),
                progress=lambda: run.fraction,
            )
            made = await loop.in_thread(publish, self.repository, self.storage, made, claim)
        except BaseException as error:
            so_far = video.model_copy(update={"progress": run.fraction})
            with anyio.CancelScope(shield=True):
                await loop.in_thread(self._end, so_far, claim, error)
                # Calls that are being paid for get their time to be recorded.
                await self.ledger.drain()
            raise
        if made.error:
            failed = run.errors[0]
            run.tell(event.model_copy(update={"kind": "failed", "message": failed.message}))
            raise failed
        run.tell(event.model_copy(update={"kind": "finished", "fraction": 1.0, "cost": made.cost}))
        return self._located(made)

    def _end(self, video: Video, claim: Claim | None, error: BaseException) -> None:
        """Write down why a run ended without a result, as far as its claim still holds."""
        import asyncio
        import contextlib

        from visionpulse.crew import with_names
        from visionpulse.errors import JobError, VideoCancelledError, VisionPulseError
        from visionpulse.models import Failure

        if isinstance(error, JobError):
            return  # Whoever took the video has written its row.
        reason = error
        if isinstance(error, asyncio.CancelledError):
            reason = VideoCancelledError(
                "The video was cancelled.", hint="`resume` goes on from where it stopped."
            )
        elif not isinstance(error, VisionPulseError):
            reason = VisionPulseError(
                f"{type(error).__name__} in VisionPulse or a plug-in.", code="unexpected"
            )
        assert isinstance(reason, VisionPulseError)
        reason.video_id = video.id
        failed = video.model_copy(update={"status": "failed", "error": Failure.of(reason)})
        # A database that takes no writes, or a claim that is gone: the lease runs out by itself.
        with contextlib.suppress(VisionPulseError):
            # A cancellation may come before `begin` has returned the claim it made.
            mine = claim or self._keeper.begin(video)
            self.repository.save(with_names(failed), mine)

    def _located(self, video: Video) -> Video:
        """Return the video with readable locations in place of storage keys."""
        locate = self.storage.locate
        return video.model_copy(
            update={
                "video_path": video.video_path and locate(video.video_path),
                "audio_path": video.audio_path and locate(video.audio_path),
                "poster_path": video.poster_path and locate(video.poster_path),
                "caption_paths": {k: locate(name) for k, name in video.caption_paths.items()},
                "scenes": tuple(
                    scene.model_copy(
                        update={"image_path": scene.image_path and locate(scene.image_path)}
                    )
                    for scene in video.scenes
                ),
            }
        )


def _listed(wanted: Any) -> list[Any]:
    """Return what was given for a purpose as a list: nothing, one, or several."""
    if wanted is None:
        return []
    return [*wanted] if isinstance(wanted, (list, tuple)) else [wanted]


def _storage(wanted: Storage | str, folder: Path) -> Storage:
    from visionpulse import registry

    if not isinstance(wanted, str):
        return wanted
    make: Callable[..., Storage] = registry.load("storage", wanted, registry.STORAGE)
    return make(folder) if wanted == "file" else make()


def _dollars(amount: Decimal | str | float | None) -> Decimal | None:
    from decimal import Decimal, InvalidOperation

    from visionpulse.errors import InputError

    if amount is None:
        return None
    try:
        dollars = Decimal(str(amount))
    except InvalidOperation:
        dollars = Decimal(-1)
    if not (dollars.is_finite() and dollars >= 0):
        raise InputError(f"A budget is dollars, such as 1.50, not {amount!r}.")
    return dollars
