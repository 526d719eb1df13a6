"""The command line: `visionpulse create script.txt -o film.mp4`.

The result goes to stdout (a path, lines, or JSON), everything else to stderr. What a command needs
is imported when it runs, so that `--help` and shell completion answer at once.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Never, cast, get_args

import typer

from visionpulse import errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from visionpulse.models import (
        CostLine,
        Event,
        Grouping,
        Scene,
        Stage,
        Status,
        Video,
        VideoOptions,
    )
    from visionpulse.pipeline import Pipeline

_INTERRUPTED, _TERMINATED = 130, 143
EXIT_CODES = (
    "Exit codes: 0 done; 1 failed (what was made is kept); 2 wrong usage or input; "
    "3 the set-up has to be changed; 4 a budget was reached; 130 stopped with Ctrl-C, "
    "143 with SIGTERM."
)
# Above any script that is taken; so that /dev/zero ends.
_MOST_BYTES = 4_000_000
_CALLS = {"prompts": "storyboard", "picture": "picture", "speech": "spoken sentence"}
_ENCODES = {
    "piece": "piece of film",
    "sound": "soundtrack",
    "narration": "narration",
    "film": "film",
}
# How much of a prompt `show` shows, in characters.
_PROMPT_LENGTH = 120
_SIZES = {
    "size": "such as 1280x720; each side is even and from 64 to 7680 pixels",
    "picture-size": "such as 1536x864; each side is from 100 to 9999 pixels",
}
# Advice for programs, in the words of the command line.
_SPOKEN = {
    'Pipeline("offline")': "--provider offline",
    "until='storyboard'": "--until storyboard",
    "with home=": "with --home",
}

app: typer.Typer = typer.Typer(
    name="visionpulse",
    help="A script goes in, a narrated video comes out.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except SystemExit as end:
        if end.code in (_INTERRUPTED, _TERMINATED):
            _leave_at_once(end.code)
        raise


def _leave_at_once(code: int) -> None:
    """End the process though threads are at work.

    What they are in, such as onnxruntime, aborts when the interpreter is taken down around it.
    """
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]  it has no public name
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


# ------------------------------------------------------------------ options that several take

ScriptFile = Annotated[
    str | None,
    typer.Argument(metavar="FILE", help="A text file; - reads stdin.", show_default=False),
]
Text = Annotated[str | None, typer.Option(help="The script itself, instead of a file.")]
VideoId = Annotated[str, typer.Argument(metavar="ID", help="As `visionpulse list` shows it.")]
Title = Annotated[str | None, typer.Option(help="By default the script's first words.")]
StyleName = Annotated[str | None, typer.Option("--style", help="See `visionpulse styles`.")]
VoiceName = Annotated[str | None, typer.Option("--voice", help="See `visionpulse voices`.")]
Keywords = Annotated[
    str | None, typer.Option(help="What the pictures should show where it fits, with commas.")
]
Avoid = Annotated[str | None, typer.Option(help="What they must not show, with commas.")]
Aspect = Annotated[str | None, typer.Option(help="16:9, 9:16 or 1:1.")]
Size = Annotated[str | None, typer.Option(help="Pixels, such as 1280x720, instead of --aspect.")]
PictureSize = Annotated[
    str | None,
    typer.Option(metavar="WxH", help="Size asked of the image model.", show_default="1024x1024"),
]
Fps = Annotated[int | None, typer.Option(help="24, 25, 30, 50 or 60 frames a second.")]
Scenes = Annotated[int | None, typer.Option(help="How many scenes; else the words decide.")]
Motion = Annotated[str | None, typer.Option(help="auto, in, out, left, right, up, down or none.")]
Transition = Annotated[str | None, typer.Option(help="crossfade or cut.")]
Framing = Annotated[
    str | None, typer.Option(help="Pictures of another shape: fill (cropped) or fit (whole).")
]
Quality = Annotated[str | None, typer.Option(help="draft, standard or high.")]
Captions = Annotated[str | None, typer.Option(help="In the film: off, soft, burned or karaoke.")]
Music = Annotated[
    str | None, typer.Option(help="calm, wonder, uplifting, tense, a sound file, or none.")
]
Pictures = Annotated[
    list[Path] | None,
    typer.Option(
        "--picture",
        metavar="FILE",
        help="A picture of yours instead of drawn ones; once for each scene.",
        show_default=False,
    ),
]
Recording = Annotated[
    Path | None,
    typer.Option(
        "--narration",
        metavar="FILE",
        help="Your own recording of the script.",
        show_default=False,
    ),
]
OnRefusal = Annotated[
    str | None,
    typer.Option(help="For a picture nobody draws: fail, placeholder or neighbour."),
]
Until = Annotated[
    str, typer.Option(help="Stop after storyboard, pictures or narration; `resume` goes on.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Copy the film here (film.mp4) and its captions beside it (film.srt, film.vtt).",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace these files if they are there.")]
MaxCost = Annotated[
    str | None, typer.Option(metavar="DOLLARS", help="Stop before the video costs more.")
]
RetryRefused = Annotated[
    bool, typer.Option("--retry-refused", help="Ask again what a vendor has refused.")
]
Provider = Annotated[
    str | None,
    typer.Option(
        help="openai, offline or auto: OpenAI where there is a key. With commas: the next takes "
        "over where one gives up.",
        show_default="auto",
    ),
]
Home = Annotated[
    Path | None,
    typer.Option(help="Folder of output/ and visionpulse.db.", show_default="working folder"),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout, errors too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def _version(wanted: bool) -> None:
    if wanted:
        from visionpulse import __version__

        typer.echo(f"visionpulse {__version__}")
        raise typer.Exit


@app.callback()
def _visionpulse(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


# ------------------------------------------------------------------ making


@app.command(epilog=EXIT_CODES)
def create(
    script: ScriptFile = None,
    text: Text = None,
    title: Title = None,
    style: StyleName = None,
    voice: VoiceName = None,
    keywords: Keywords = None,
    avoid: Avoid = None,
    aspect: Aspect = None,
    size: Size = None,
    picture_size: PictureSize = None,
    fps: Fps = None,
    scenes: Scenes = None,
    motion: Motion = None,
    transition: Transition = None,
    framing: Framing = None,
    quality: Quality = None,
    captions: Captions = None,
    music: Music = None,
    pictures: Pictures = None,
    narration: Recording = None,
    on_refusal: OnRefusal = None,
    output: Output = None,
    force: Force = False,
    until: Until = "video",
    max_cost: MaxCost = None,
    retry_refused: RetryRefused = False,
    provider: Provider = None,
    home: Home = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a video of a script."""
    with _command(as_json, home) as run:
        source = _read_script(script, text)
        target = _Target(output, force, _stage(until))
        options = _options(
            size=size,
            aspect=aspect,
            picture_size=picture_size,
            fps=fps,
            scene_count=scenes,
            motion=motion,
            transition=transition,
            framing=framing,
            quality=quality,
            captions=captions,
            music=music,
            on_refusal=on_refusal,
        )
        with _pipeline(provider, home, max_cost) as pipeline:
            _say_who(pipeline, provider, quiet)
            with run.watched(quiet):
                video = pipeline.run(
                    source,
                    title=title or "",
                    style=style,
                    voice=voice,
                    keywords=_words(keywords),
                    negative_keywords=_words(avoid),
                    pictures=pictures or (),
                    narration=narration,
                    options=options,
                    until=target.stage,
                    retry_refused=retry_refused,
                    on_event=run.hear,
                )
            run.deliver(pipeline, video, target, quiet)


@app.command(epilog=EXIT_CODES)
def resume(
    video_id: VideoId,
    output: Output = None,
    force: Force = False,
    until: Until = "video",
    max_cost: MaxCost = None,
    retry_refused: RetryRefused = False,
    provider: Provider = None,
    home: Home = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Go on with a video: only what is missing is made."""
    with _command(as_json, home) as run:
        target = _Target(output, force, _stage(until))
        with _pipeline(provider, home, max_cost) as pipeline:
            with run.watched(quiet):
                video = pipeline.resume(
                    video_id, until=target.stage, retry_refused=retry_refused, on_event=run.hear
                )
            run.deliver(pipeline, video, target, quiet)


@app.command(epilog=EXIT_CODES)
def edit(
    video_id: VideoId,
    scene: Annotated[
        str | None,
        typer.Option(help="Number from 0, as in image_000.png, or id: for the next six."),
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="Another picture prompt.")] = None,
    text: Annotated[str | None, typer.Option(help="Another narration; the picture stays.")] = None,
    image: Annotated[Path | None, typer.Option(help="A picture of yours.")] = None,
    redraw: Annotated[bool, typer.Option("--redraw", help="Draw the same prompt again.")] = False,
    take: Annotated[
        int | None, typer.Option(help="Bring an earlier picture back, from 0; see `show`. Free.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the scene.")] = False,
    insert: Annotated[
        int | None,
        typer.Option(help="A new scene with this number; with --text, and --prompt or --image."),
    ] = None,
    order: Annotated[
        str | None, typer.Option(help="All scenes in another order, such as 2,0,1.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Another title.")] = None,
    style: Annotated[str | None, typer.Option(help="Another style: new pictures.")] = None,
    voice: Annotated[str | None, typer.Option(help="Another voice: no new picture.")] = None,
    aspect: Aspect = None,
    size: Size = None,
    fps: Fps = None,
    transition: Transition = None,
    framing: Framing = None,
    quality: Quality = None,
    captions: Captions = None,
    music: Music = None,
    output: Output = None,
    force: Force = False,
    until: Until = "video",
    max_cost: MaxCost = None,
    provider: Provider = None,
    home: Home = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Change one thing of a video and make what depends on it."""
    with _command(as_json, home) as run:
        shape: dict[str, Any] = {
            "aspect": aspect,
            "size": size,
            "fps": fps,
            "transition": transition,
            "framing": framing,
            "quality": quality,
            "captions": captions,
            "music": music,
        }
        reshaped = any(wish is not None for wish in shape.values())
        of_picture = redraw or any(wish is not None for wish in (prompt, text, image, take))
        _check_wish(
            scene=scene,
            of_scene=remove or (of_picture and insert is None),
            of_film=reshaped
            or any(wish is not None for wish in (title, style, voice, insert, order)),
        )
        target = _Target(output, force, _stage(until))
        with _pipeline(provider, home, max_cost) as pipeline:
            video = pipeline.get(video_id)
            options = _options(video.options, **shape) if reshaped else None
            changed = video
            if order is not None:
                changed = changed.reorder([_scene(each) for each in _words(order)])
            if remove and scene is not None:
                changed = changed.remove(_scene(scene))
            if insert is not None:
                changed = changed.insert(insert, text or "", prompt=prompt, image=image)
            wishes: dict[str, Any] = {
                "title": title,
                "style": style,
                "voice": voice,
                "options": options,
            }
            if scene is not None and not remove:
                wishes |= {
                    "scene": _scene(scene),
                    "prompt": prompt,
                    "text": text,
                    "image": image,
                    "redraw": redraw,
                    "take": take,
                }
            if any(wish is not None for wish in wishes.values()):
                changed = changed.edit(**wishes)
            with run.watched(quiet):
                video = pipeline.run(changed, until=target.stage, on_event=run.hear)
            run.deliver(pipeline, video, target, quiet)


@app.command(epilog=EXIT_CODES)
def write(
    topic: Annotated[str, typer.Argument(help="What the narration is about.")],
    seconds: Annotated[int, typer.Option(help="How long it takes to read aloud.")] = 60,
    language: Annotated[str, typer.Option(help="Such as en, es or zh.")] = "en",
    provider: Provider = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Have a script written about a topic, and print it."""
    with _command(as_json, home), _pipeline(provider, home) as pipeline:
        script = pipeline.write_script(topic, seconds=seconds, language=language)
        typer.echo(json.dumps({"script": script}, ensure_ascii=False) if as_json else script)


@app.command(epilog=EXIT_CODES)
def estimate(
    script: ScriptFile = None,
    text: Text = None,
    style: StyleName = None,
    voice: VoiceName = None,
    keywords: Keywords = None,
    avoid: Avoid = None,
    aspect: Aspect = None,
    size: Size = None,
    picture_size: PictureSize = None,
    fps: Fps = None,
    scenes: Scenes = None,
    provider: Provider = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what a video would take and cost, calling nothing."""
    with _command(as_json, home):
        source = _read_script(script, text)
        options = _options(
            size=size, aspect=aspect, picture_size=picture_size, fps=fps, scene_count=scenes
        )
        with _pipeline(provider, home) as pipeline:
            _say_who(pipeline, provider, as_json)
            found = pipeline.estimate(
                source,
                style=style,
                voice=voice,
                keywords=_words(keywords),
                negative_keywords=_words(avoid),
                options=options,
            )
        if as_json:
            return typer.echo(found.model_dump_json())
        calls = ", ".join(_count(n, _CALLS.get(kind, kind)) for kind, n in found.calls.items() if n)
        typer.echo(f"About {found.seconds:.0f} s of film in {_count(found.scenes, 'scene')}.")
        typer.echo(f"To be made: {calls or 'nothing'}.")
        if cached := sum(found.cached.values()):
            typer.echo(f"Already there: {_count(cached, 'result')}.")
        typer.echo(f"Cost: {_price_range(found.low, found.high)}.")
    return None


# ------------------------------------------------------------------ looking and tidying


@app.command("list", epilog=EXIT_CODES)
def list_(
    status: Annotated[
        str | None, typer.Option(help="Only pending, processing, completed or failed ones.")
    ] = None,
    query: Annotated[str | None, typer.Option(help="Only titles with this in them.")] = None,
    limit: Annotated[int, typer.Option(help="How many, 1 to 500.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List videos, newest first."""
    with _command(as_json, home), _pipeline("offline", home) as pipeline:
        page = pipeline.list(limit=limit, cursor=cursor, status=_status(status), query=query)
        if as_json:
            return typer.echo(page.model_dump_json())
        for video in page.items:
            made = video.created_at.astimezone()
            typer.echo(
                f"{video.id}  {video.status:<10}  {made:%Y-%m-%d %H:%M}  {_plain(video.title)}"
            )
        if page.next_cursor:
            _note(f"There are more: --cursor {page.next_cursor}")
    return None


@app.command(epilog=EXIT_CODES)
def show(video_id: VideoId, home: Home = None, as_json: Json = False) -> None:
    """Show a video: where it is, how far it came, its scenes."""
    with _command(as_json, home) as run, _pipeline("offline", home) as pipeline:
        video = pipeline.get(video_id)
        if as_json:
            return typer.echo(video.model_dump_json())
        unfinished = video.status != "completed"
        error = video.error if unfinished else None
        facts = {
            "title": video.title,
            "status": video.status,
            # A run that was to stop early has made all it was asked for, and no film.
            "progress": f"{video.progress:.0%}" if unfinished and video.progress < 1 else None,
            "error": error and error.message,
            "hint": error and error.hint and _spoken(error.hint),
            "go on with": run.resume_command(video.id) if unfinished else None,
            "video": video.video_path,
            "narration": video.audio_path,
            **video.caption_paths,
            "length": f"{video.duration:.1f} s" if video.duration else None,
            "style": video.style,
            "voice": video.voice,
            "cost": _price(video.cost),
            "made by": ", ".join(sorted({pin.provider for pin in video.pins.values()})),
        }
        for name, fact in facts.items():
            if fact:
                typer.echo(f"{name:<10} {_plain(fact)}")
        for number, scene in enumerate(video.scenes):
            for name, fact in _scene_facts(number, scene, video.style).items():
                if fact:
                    typer.echo(f"{name:<10} {fact}")
    return None


@app.command(epilog=EXIT_CODES)
def costs(
    by: Annotated[str, typer.Option(help="day (UTC), video or model.")] = "day",
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="The first day, such as 2026-11-01.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="The last day.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what the calls to models have cost, those for deleted videos too."""
    with _command(as_json, home):
        if as_csv and as_json:
            raise errors.InputError("--csv and --json are two forms: say one.")
        first, last = _day("since", since), _day("until", until)
        with _pipeline("offline", home) as pipeline:
            lines = pipeline.costs(_grouping(by), since=first, until=last)
        if as_json:
            return typer.echo(json.dumps([line.model_dump(mode="json") for line in lines]))
        if as_csv:
            return typer.echo(_cost_csv(by, lines), nl=False)
        if not lines:
            return _note("No call that costs money was made.")
        _print_costs(by, lines)
    return None


@app.command(epilog=EXIT_CODES)
def cancel(video_id: VideoId, home: Home = None, as_json: Json = False) -> None:
    """Stop a video that another process is making; it can be resumed."""
    with _command(as_json, home), _pipeline("offline", home) as pipeline:
        video = pipeline.cancel(video_id)
        typer.echo(video.model_dump_json() if as_json else video.id)


@app.command(epilog=EXIT_CODES)
def delete(video_id: VideoId, home: Home = None, as_json: Json = False) -> None:
    """Remove a video and its files, and never one that another video uses."""
    with _command(as_json, home), _pipeline("offline", home) as pipeline:
        if not pipeline.delete(video_id):
            raise errors.VideoNotFoundError(f"There is no video {video_id!r}.")
        typer.echo(json.dumps({"deleted": video_id}) if as_json else video_id)


@app.command(epilog=EXIT_CODES)
def voices(provider: Provider = None, home: Home = None, as_json: Json = False) -> None:
    """List the voices a script can be read in."""
    with _command(as_json, home), _pipeline(provider, home) as pipeline:
        found = pipeline.voices()
        if as_json:
            return typer.echo(json.dumps([voice.model_dump() for voice in found]))
        for voice in found:
            alias = f" (is heard as {voice.stands_for})" if voice.stands_for else ""
            typer.echo(f"{voice.name:<12} {voice.description}{alias}")
    return None


@app.command(epilog=EXIT_CODES)
def styles(as_json: Json = False) -> None:
    """List the styles a film can have."""
    from visionpulse.catalog import STYLES

    if as_json:
        return typer.echo(json.dumps([style.model_dump() for style in STYLES.values()]))
    for style in STYLES.values():
        typer.echo(f"{style.name:<14} {style.look}")
    return None


@app.command(epilog=EXIT_CODES)
def doctor(provider: Provider = None, home: Home = None, as_json: Json = False) -> None:
    """Look whether videos can be made here, calling no vendor."""
    from visionpulse.doctor import examine

    with _command(as_json, home):
        _check_provider(provider)
        findings = examine(provider, home)
    if as_json:
        typer.echo(json.dumps([finding._asdict() for finding in findings]))
    else:
        for finding in findings:
            sign = "✓" if finding.ok else "✗"
            remedy = f" {_spoken(finding.remedy)}" if finding.remedy and not finding.ok else ""
            typer.echo(f"{sign} {finding.name:<14} {finding.detail}{remedy}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(3)


# ------------------------------------------------------------------ what a command says


class _Run:
    """What happens while a command runs, for its last words."""

    def __init__(self, as_json: bool, home: Path | None) -> None:
        self.as_json = as_json
        self.home = home
        self.video_id: str | None = None
        self._made: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()
        self._show: Any = None

    @contextmanager
    def watched(self, quiet: bool) -> Generator[None]:
        from visionpulse.progress import ProgressBar

        with ProgressBar(quiet=quiet) as self._show:
            yield

    def hear(self, event: Event) -> None:
        self.video_id = event.video_id
        if event.kind in {"made", "retried"}:
            self._made[event.what] += 1
        if event.kind in {"made", "reused"}:
            self._kept[event.what] += 1
        self._show(event)

    def deliver(self, pipeline: Pipeline, video: Video, target: _Target, quiet: bool) -> None:
        """Copy the film out and print the result."""
        for kind, file in target.files.items():
            target.fill(file, pipeline, f"videos/{video.id}.{kind}")
        counts = {
            "model_calls": sum(self._made[kind] for kind in _CALLS),
            "encodes": sum(self._made[kind] for kind in _ENCODES),
        }
        if not quiet:
            _note(_summary(video, **counts))
            if target.stage != "video":
                _note(f"Go on with: {self.resume_command(video.id)}")
        if self.as_json:
            result = json.loads(video.model_dump_json())
            copies = {kind: str(file) for kind, file in target.files.items()}
            output = {"output": copies.pop("mp4", None), "captions": copies}
            typer.echo(json.dumps({**result, **output, **counts}))
        else:
            for line in _result(video, target):
                typer.echo(line)

    def stopped(self) -> None:
        """Say how to go on after Ctrl-C or SIGTERM."""
        go_on = f"; go on with: {self.resume_command(self.video_id)}" if self.video_id else ""
        _note(f"stopped{go_on}")
        if self.as_json:
            self._problem("The video was stopped.", "stopped", None, self.video_id)

    def failed(self, error: errors.VisionPulseError) -> None:
        """Say what happened, what to do, what is kept and how to go on."""
        video_id = error.video_id or self.video_id
        hint = error.hint and _spoken(error.hint)
        if self.as_json:
            title = (type(error).__doc__ or "").strip().partition("\n")[0]
            return self._problem(error.message, error.code, hint, video_id, title)
        _note(f"Error: {error.message}")
        if hint:
            _note(hint)
        kinds = {**_CALLS, **_ENCODES}
        if kept := [_count(n, kinds[kind]) for kind, n in self._kept.items() if kind in kinds]:
            _note(f"Kept: {', '.join(kept)}.")
        if video_id and not isinstance(error, errors.VideoNotFoundError):
            _note(f"Go on with: {self.resume_command(video_id)}")
        return None

    def _problem(
        self, detail: str, code: str, hint: str | None, video_id: str | None, title: str = ""
    ) -> None:
        typer.echo(
            json.dumps(
                {
                    "type": f"urn:visionpulse:{code}",
                    "title": title or detail,
                    "detail": detail,
                    "code": code,
                    "hint": hint,
                    "video_id": video_id,
                }
            )
        )

    def resume_command(self, video_id: str) -> str:
        """Return what to type to go on with a video."""
        home = f" --home {shlex.quote(str(self.home))}" if self.home else ""
        return f"visionpulse resume {video_id}{home}"


@contextmanager
def _command(as_json: bool, home: Path | None) -> Generator[_Run]:
    """Turn errors and signals into words and exit codes."""
    run = _Run(as_json, home)
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield run
    except KeyboardInterrupt as stop:
        run.stopped()
        code = _TERMINATED if isinstance(stop, _Terminated) else _INTERRUPTED
        raise typer.Exit(code) from None
    except errors.VisionPulseError as error:
        run.failed(error)
        begun = bool(run.video_id or error.video_id)
        raise typer.Exit(_exit_code(error, begun=begun)) from None
    finally:
        signal.signal(signal.SIGTERM, before)


class _Terminated(KeyboardInterrupt):
    """SIGTERM came, as from a container that is stopped; all that heeds Ctrl-C heeds it."""


def _terminate(*_: object) -> Never:
    # A second one must not break off the writing down of the first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Terminated


def _exit_code(error: errors.VisionPulseError, *, begun: bool) -> int:
    if isinstance(error, (errors.InputError, errors.VideoNotFoundError)):
        return 2
    medium = isinstance(error, (errors.StorageError, errors.RepositoryError)) and (
        # A folder that the system does not let us make has no code of its own.
        error.code in {"not_writable", "disk_full"} or isinstance(error.__cause__, OSError)
    )
    if isinstance(error, errors.ConfigurationError) or (medium and not begun):
        return 3
    return 4 if isinstance(error, errors.BudgetExceededError) else 1


@contextmanager
def _pipeline(
    provider: str | None, home: Path | None, max_cost: str | None = None
) -> Generator[Pipeline]:
    from visionpulse.pipeline import Pipeline
    from visionpulse.settings import Settings

    chosen = provider or Settings().provider or "auto"
    _check_provider(chosen)
    with Pipeline(chosen, home=home, budget=max_cost) as pipeline:
        yield pipeline


def _check_provider(name: str | None) -> None:
    from visionpulse.registry import PROVIDERS

    if name is not None:
        for each in name.split(","):
            _one_of("provider", each.strip(), ("auto", *PROVIDERS))


def _say_who(pipeline: Pipeline, provider: str | None, quiet: bool) -> None:
    from visionpulse.settings import Settings

    asked = provider or Settings().provider or "auto"
    if asked == "auto" and pipeline.provider == "offline" and not quiet:
        _note("OPENAI_API_KEY is not set, so everything is made offline (--provider offline).")


def _summary(video: Video, *, model_calls: int, encodes: int) -> str:
    done = f"{_count(model_calls, 'model call')}, {_count(encodes, 'encode')}"
    if not model_calls and not encodes:
        return f"{done}: everything was there already."
    length = f"{video.duration:.0f} s of film, " if video.duration else ""
    return f"{length}{done}, cost {_price(video.cost)}."


def _cost_csv(by: str, lines: Sequence[CostLine]) -> str:
    """Return the lines with all their digits, and without a total, so that they can be added up."""
    import csv
    import io
    from decimal import Decimal

    from visionpulse.models import CostLine

    absent = {"day": {"title", "provider"}, "video": {"provider"}, "model": {"title"}}[by]
    fields = [name for name in CostLine.model_fields if name not in absent]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([by if name == "key" else name for name in fields])
    for line in lines:
        values = [getattr(line, name) for name in fields]
        writer.writerow([f"{v:f}" if isinstance(v, Decimal) else v for v in values])
    return text.getvalue()


def _print_costs(by: str, lines: Sequence[CostLine]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # A file or a pipe has no width to fit into.
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    table = Table(box=box.SIMPLE, show_footer=True)
    total = _total(lines)
    named = {"video": ["title"], "model": ["provider"]}.get(by, [])
    for name in (by, *named):
        table.add_column(name, footer="total" if name == by else "", no_wrap=name == by)
    counts = ("calls", "failed", "unknown", "pictures", "characters")
    for name in counts:
        table.add_column(name, footer=f"{getattr(total, name):,}", justify="right")
    table.add_column("tokens in / out", footer=_tokens(total), justify="right")
    table.add_column("dollars", footer=_spent(total), justify="right", no_wrap=True)
    for line in lines:
        table.add_row(
            Text(_plain(line.key or "(no video)")),
            *(Text(_plain(getattr(line, name) or "")) for name in named),
            *(f"{getattr(line, name):,}" for name in counts),
            _tokens(line),
            _spent(line),
        )
    console.print(table)
    if total.unknown:
        console.print(
            f"${total.doubtful:.4f} of it is for {_count(total.unknown, 'call')} of unknown "
            "outcome, counted at the most: whether the vendor billed is not known."
        )
    if total.dollars is None:
        console.print("The price of some calls is not known, so it is more than this.")


def _total(lines: Sequence[CostLine]) -> CostLine:
    """Return all lines as one."""
    from visionpulse.models import CostLine

    sums = {
        name: sum(getattr(line, name) for line in lines)
        for name in CostLine.model_fields
        if name not in {"key", "title", "provider", "dollars"}
    }
    known = all(line.dollars is not None for line in lines)
    return CostLine(key="", dollars=sums["known"] if known else None, **sums)


def _tokens(line: CostLine) -> str:
    return f"{line.input_tokens:,} / {line.output_tokens:,}"


def _spent(line: CostLine) -> str:
    return f"{'' if line.dollars is not None else '≥ '}{line.known:.4f}"


def _result(video: Video, target: _Target) -> Iterator[str]:
    if target.stage == "storyboard":
        for number, scene in enumerate(video.scenes):
            yield f"{number}\t{_plain(scene.prompt)}"
    elif target.stage == "pictures":
        yield from video.image_paths
    elif target.stage == "narration":
        yield video.audio_path or ""
    else:
        yield str(target.file or video.video_path)


def _scene_facts(number: int, scene: Scene, style: str) -> dict[str, str]:
    from visionpulse.catalog import STYLES

    prompt = scene.prompt
    if style in STYLES:
        # What all scenes have in common is the style's, and stands behind the scene's own.
        prompt = prompt.partition(STYLES[style].look)[0]
    prompt = _plain(prompt.strip() or scene.prompt)
    if len(prompt) > _PROMPT_LENGTH:
        prompt = f"{prompt[: _PROMPT_LENGTH - 1].rstrip()}…"
    time = ""
    if scene.start is not None and scene.duration is not None:
        time = f"  {_clock(scene.start)} to {_clock(scene.start + scene.duration)}"
    return {
        f"scene {number}": f"{scene.id}{time}",
        "  says": _plain(scene.text.strip()),
        "  shows": _plain(scene.own_image) if scene.own_image else prompt,
        "  takes": f"{len(scene.takes)}, the last is {len(scene.takes) - 1}"
        if len(scene.takes) > 1
        else "",
        "  but": _plain(scene.degraded or ""),
    }


def _clock(seconds: float) -> str:
    minutes, tenths = divmod(round(seconds * 10), 600)
    return f"{minutes}:{tenths / 10:04.1f}"


def _spoken(advice: str) -> str:
    for written, spoken in _SPOKEN.items():
        advice = advice.replace(written, spoken)
    return advice


def _note(line: str) -> None:
    typer.echo(line, err=True)


def _count(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    first, of, rest = what.partition(" of ")
    return f"{number} {first}s{of}{rest}"


def _price(dollars: Decimal | None) -> str:
    return "unknown" if dollars is None else f"${dollars:.2f}"


def _price_range(low: Decimal | None, high: Decimal | None) -> str:
    return _price(low) if low == high else f"{_price(low)} to {_price(high)}"


def _plain(text: str) -> str:
    """Keep line breaks and terminal commands in somebody's text from being obeyed."""
    return "".join(character if character.isprintable() else " " for character in text)


# ------------------------------------------------------------------ what a command is given


class _Target:
    """Where the film and its captions are to go, checked before anything is made."""

    def __init__(self, file: Path | None, force: bool, stage: Stage) -> None:
        self.file = file
        self.stage: Stage = stage
        self.files: dict[str, Path] = {}
        self._force = force
        if file is None:
            return
        if stage != "video":
            raise errors.InputError(f"There is no film after {stage}, so -o has nothing to write.")
        if file.suffix.lower() != ".mp4":
            raise errors.InputError(
                f"The film is an MP4; {file.name!r} is named otherwise.",
                hint=f"Name it {file.stem}.mp4.",
            )
        self.files = {
            "mp4": file,
            **{kind: file.with_suffix(f".{kind}") for kind in ("srt", "vtt")},
        }
        try:
            self._try_out(file.absolute().parent)
        except OSError as error:
            if isinstance(error, errors.VisionPulseError):
                raise
            raise errors.InputError(
                f"{_short(file)} cannot be written: {error.strerror}.",
                hint="Name another place with -o.",
            ) from error

    def fill(self, file: Path, pipeline: Pipeline, key: str) -> None:
        """Write a file whole or not at all."""
        part = file.with_name(f".visionpulse-{os.getpid()}.part")
        self._check_free(file)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with pipeline.storage.open(key) as made, part.open("wb") as copy:
                shutil.copyfileobj(made, copy, 1 << 20)
            part.replace(file)
        except errors.VisionPulseError:
            raise
        except OSError as error:
            raise errors.StorageError(
                f"{file} cannot be written: {error.strerror}.",
                hint="The film itself is kept; name another place with -o.",
            ) from error
        finally:
            part.unlink(missing_ok=True)

    def _try_out(self, folder: Path) -> None:
        """Make the folder and a file in it, and take both away again."""
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for file in self.files.values():
                self._check_free(file)
            with tempfile.TemporaryFile(dir=folder):
                pass
        finally:
            for each in missing:
                with suppress(OSError):
                    each.rmdir()

    def _check_free(self, file: Path) -> None:
        if file.is_dir():
            raise errors.InputError(f"{file} is a folder.", hint=f"Say {file / 'film.mp4'}.")
        if file.exists() and not self._force:
            raise errors.InputError(
                f"{file} is there already.",
                hint="Add --force to replace it, or name another file.",
                code="output_exists",
            )


def _short(file: Path) -> str:
    """Return a path that may be too long for any system in a length for a message."""
    name = str(file)
    return name if len(name) <= 120 else f"{name[:100]}…{name[-19:]}"


def _read_script(script: str | None, text: str | None) -> str:
    if (script is None) == (text is None):
        raise errors.InputError(
            "Give one script: a file, - for stdin, or --text.",
            hint='For example: visionpulse create --text "A red door. A long corridor."',
        )
    if script is None:
        return cast("str", text)
    try:
        if script == "-":
            data = sys.stdin.buffer.read(_MOST_BYTES)
        else:
            with Path(script).open("rb") as file:
                data = file.read(_MOST_BYTES)
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.ScriptError(
            f"{script} is not UTF-8 text.", hint="Save it as UTF-8, or check that it is the script."
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise errors.InputError(
            f"{script!r} cannot be read: {reason}.",
            hint="A script itself goes behind --text." if " " in script else None,
        ) from error


def _check_wish(*, scene: str | None, of_scene: bool, of_film: bool) -> None:
    """Make sure that an edit says what it changes, and of which scene."""
    if scene is None and of_scene:
        raise errors.InputError(
            "--prompt, --text, --image, --redraw, --take and --remove change one scene.",
            hint="Say which with --scene N, from 0; `visionpulse show ID` lists them.",
        )
    if not of_scene and (scene is not None or not of_film):
        raise errors.InputError(
            "Nothing to edit.",
            hint="Say what: --scene N with --prompt, --text, --image, --redraw, --take or "
            "--remove; or --insert, --order, --style, --voice, --title, --captions and so on.",
        )


def _scene(name: str) -> int | str:
    """Return a scene's number, or its id, which has eight characters."""
    return int(name) if len(name) < 8 and name.isdecimal() else name


def _words(text: str | None) -> list[str]:
    return [word for each in (text or "").split(",") if (word := each.strip())]


def _options(
    before: VideoOptions | None = None, *, size: str | None = None, **wishes: Any
) -> VideoOptions:
    """Return options with the wishes that were made."""
    from visionpulse.models import VideoOptions

    picture_size = wishes.get("picture_size")
    for option, named in (("size", size), ("picture-size", picture_size)):
        if named is not None and not re.fullmatch(r"[0-9]+x[0-9]+", named):
            raise _wrong_size(option, named)
    width, height = size.split("x") if size is not None else (None, None)
    given = {"width": width, "height": height, **wishes}
    kept = before.model_dump() if before else {}
    if wishes.get("aspect"):
        kept |= {"width": None, "height": None}
    changed = kept | {name: wish for name, wish in given.items() if wish is not None}
    if changed.get("music") == "none":
        changed["music"] = None
    try:
        return VideoOptions(**changed)
    except errors.InputError as error:
        field, _, reason = error.message.partition(": ")
        if size and field in {"width", "height"}:
            raise _wrong_size("size", size) from None
        if picture_size and field == "picture_size":
            raise _wrong_size("picture-size", picture_size) from None
        option = {"scene_count": "scenes"}.get(field, field)
        raise errors.InputError(f"--{option} {given.get(field)}: {reason}") from None


def _wrong_size(option: str, named: str) -> errors.InputError:
    shown = named if len(named) <= 40 else f"{named[:39]}…"
    return errors.InputError(f"--{option} {shown} cannot be used: say one {_SIZES[option]}.")


def _stage(name: str) -> Stage:
    from visionpulse.models import Stage

    return cast("Stage", _one_of("stage", name, get_args(Stage)))


def _grouping(name: str) -> Grouping:
    from visionpulse.models import Grouping

    return cast("Grouping", _one_of("grouping", name, get_args(Grouping)))


def _day(option: str, text: str | None) -> date | None:
    from datetime import date

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise errors.InputError(
            f"--{option} {text!r} is no day: say one such as 2026-11-01."
        ) from None


def _status(name: str | None) -> Status | None:
    from visionpulse.models import Status

    return None if name is None else cast("Status", _one_of("status", name, get_args(Status)))


def _one_of(what: str, name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise errors.UnknownNameError(what, name, known)
    return name
