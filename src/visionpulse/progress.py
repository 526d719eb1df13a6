"""Progress for people: a bar on a terminal and in a notebook, plain lines anywhere else."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from visionpulse.models import Event

_STAGES = {
    "generate_prompts": "Storyboard",
    "generate_images": "Pictures",
    "generate_audio": "Narration",
    "assemble_video": "Film",
}


class ProgressBar:
    """Shows events as they come: stage, scene, time left and cost.

    Writes to stderr, so that a program's result stays alone on stdout. On a terminal and in a
    notebook (with ipywidgets) it is a bar; else each stage is one line.

    Args:
        quiet: Show nothing.
        console: Where to show it; by default stderr, or the notebook.

    Example:
        with ProgressBar() as bar:
            pipeline.run(script, on_event=bar)
    """

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self._quiet = quiet
        self._console = console or _console()
        self._begun: set[str] = set()
        self._cost = ""
        self._said = ""
        lively = self._console.is_terminal or self._console.is_jupyter
        self._progress = Progress(
            # As wide as the longest, so that the bar does not move.
            TextColumn("{task.description:<20}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[cost]}", markup=False),
            console=self._console,
            transient=True,
            disable=quiet or not lively or self._console.is_dumb_terminal,
        )
        self._task = self._progress.add_task("Starting", total=1.0, cost="")

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if event.cost is not None:
            self._cost = f"${event.cost:.2f}"
        label = _STAGES.get(event.stage)
        if event.kind in {"retried", "degraded"}:
            self._say(_remark(label, event, event.message))
        if label is None:
            # About the run as a whole.
            label = "Done" if event.kind == "finished" else "Starting"
        elif self._progress.disable and event.stage not in self._begun:
            self._say(f"{event.fraction:4.0%} {label}")
        self._begun.add(event.stage)
        self._progress.update(
            self._task,
            description=_place(label, event),
            completed=event.fraction,
            cost=self._cost,
        )

    def _say(self, line: str) -> None:
        # Calls that wait for the same server all say the same.
        if not self._quiet and line != self._said:
            self._said = line
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _remark(label: str | None, event: Event, message: str) -> str:
    # One about the run as a whole, such as a model's last day, has no place.
    return f"{_place(label, event)}: {message}" if label else message


def _place(label: str, event: Event) -> str:
    return label if event.scene is None else f"{label}, scene {event.scene}"


def _console() -> Console:
    console = Console(stderr=True)
    if console.is_jupyter and find_spec("ipywidgets") is None:
        # Without it rich can only warn that there is no bar.
        return Console(stderr=True, force_jupyter=False)
    return console
