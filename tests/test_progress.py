"""Progress and the notebook's player: what a person sees of a run."""

from __future__ import annotations

import base64
import io
import re
import sys
from decimal import Decimal

import pytest
from PIL import Image
from rich.console import Console

from visionpulse.models import Event, Failure, Scene, Video
from visionpulse.notebook import EMBED_BYTES, player
from visionpulse.progress import ProgressBar

VIDEO = "0" * 32


def event(kind="made", stage="generate_images", **facts):
    return Event(kind=kind, stage=stage, video_id=VIDEO, **facts)


RUN = [
    event("started", "run"),
    event("degraded", "run", message="dall-e-3 will be switched off on 2026-12-01."),
    event("made", "generate_prompts", fraction=0.05),
    event("made", scene=0, fraction=0.2),
    event("made", "generate_audio", fraction=0.25),
    event("made", scene=1, fraction=0.4, cost=Decimal("0.125")),
    event("retried", scene=2, fraction=0.4, message="A [busy] server, trying again."),
    event("retried", scene=2, fraction=0.4, message="It was not reached, trying again."),
    event("retried", scene=2, fraction=0.4, message="It was not reached, trying again."),
    event("made", "assemble_video", fraction=0.9),
    event("finished", "run", fraction=1.0, cost=Decimal("0.125")),
]


def shown(*, quiet=False, **terminal) -> str:
    """Play the run on a console of the given kind and return what it shows."""
    file = io.StringIO()
    with ProgressBar(quiet=quiet, console=Console(file=file, width=100, **terminal)) as bar:
        for each in RUN:
            bar(each)
            bar._progress.refresh()
    return file.getvalue()


def test_without_a_terminal_each_stage_is_one_line():
    """In a log there is a line per stage, per retry with its reason, and per note; none twice."""
    assert shown().splitlines() == [
        "dall-e-3 will be switched off on 2026-12-01.",
        "  5% Storyboard",
        " 20% Pictures",
        " 25% Narration",
        "Pictures, scene 2: A [busy] server, trying again.",
        "Pictures, scene 2: It was not reached, trying again.",
        " 90% Film",
    ]


def test_a_terminal_shows_stage_scene_and_cost():
    """On a terminal the bar names the stage, the scene, how far it is and what it cost."""
    text = shown(force_terminal=True, color_system=None)

    assert "Pictures, scene 1" in text
    assert " 40%" in text
    assert "$0.12" in text
    assert "[busy]" in text


def test_a_terminal_that_cannot_move_its_cursor_gets_lines():
    """A dumb terminal is written to as a log is."""
    text = shown(force_terminal=True, _environ={"TERM": "dumb"})

    assert " 20% Pictures" in text.splitlines()
    assert "\x1b[" not in text


def test_quiet_shows_nothing():
    """Quiet is quiet: no bar, no line, no retry."""
    assert shown(quiet=True) == ""
    assert shown(quiet=True, force_terminal=True) == ""


def test_no_colour_when_asked():
    """NO_COLOR leaves the bar and takes the colours."""
    coloured = shown(force_terminal=True, _environ={"TERM": "xterm", "COLORTERM": "truecolor"})
    plain = shown(
        force_terminal=True, _environ={"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}
    )

    assert "\x1b[38" in coloured
    assert "\x1b[38" not in plain


def test_it_writes_to_stderr(capsys):
    """Stdout is left to the program's result."""
    with ProgressBar() as bar:
        for each in RUN:
            bar(each)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Narration" in captured.err


@pytest.mark.parametrize("widgets", [True, False])
def test_a_notebook_gets_its_own_bar_where_it_can_show_one(monkeypatch, widgets):
    """With ipywidgets the console is the notebook's; without, lines and no warning."""

    class ZMQInteractiveShell:
        pass

    import builtins

    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    monkeypatch.setattr(
        "visionpulse.progress.find_spec", lambda _name: object() if widgets else None
    )
    monkeypatch.setattr(sys, "stderr", io.StringIO())

    bar = ProgressBar()

    assert bar._console.is_jupyter is widgets
    assert bar._progress.disable is not widgets


# ------------------------------------------------------------------ the notebook's player


@pytest.fixture
def video(tmp_path):
    """A finished video of 1 KB with one picture, and a title that is no HTML."""
    film, picture = tmp_path / "film & more.mp4", tmp_path / "image_000.png"
    film.write_bytes(b"\0\1\2\3" * 256)
    Image.new("RGBA", (1024, 1024), "teal").save(picture)
    scene = Scene(text="A door.", start_char=0, end_char=7, image_path=str(picture))
    return Video(
        title="<script>alert('x')</script>",
        script="A door.",
        scenes=(scene,),
        video_path=str(film),
        status="completed",
    )


def embedded(html: str, kind: str) -> bytes:
    found = re.search(f'src="data:{kind};base64,([^"]+)"', html)
    assert found, html[:300]
    return base64.b64decode(found[1])


def test_a_film_plays_in_the_notebook_itself(video):
    """The player holds the film's own bytes, so the notebook can be sent elsewhere."""
    assert embedded(player(video), "video/mp4") == b"\0\1\2\3" * 256
    assert "<video controls" in player(video)


def test_a_title_is_text(video):
    """Whatever a title says, the browser shows it and does nothing."""
    for each in (video, video.model_copy(update={"video_path": None})):
        assert "<script>" not in player(each)
        assert "&lt;script&gt;" in player(each)


def test_a_large_film_is_a_poster_and_a_place(video, tmp_path):
    """Above 8 MB the first picture stands for the film, small, with its path."""
    with (tmp_path / "film & more.mp4").open("ab") as film:
        film.truncate(EMBED_BYTES + 1)

    html = player(video)

    with Image.open(io.BytesIO(embedded(html, "image/jpeg"))) as poster:
        assert poster.size == (480, 480)
    assert "film &amp; more.mp4</code>" in html
    assert "<video" not in html
    assert len(html) < 100_000


def test_an_unfinished_video_says_what_it_is(video):
    """Without a film the player tells the state or the error; a damaged picture is left out."""
    failure = Failure(code="refused", message="The vendor refused <this>.")
    waiting = video.model_copy(update={"video_path": None, "status": "pending", "scenes": ()})
    failed = waiting.model_copy(update={"status": "failed", "error": failure})
    broken = video.scenes[0].model_copy(update={"image_path": __file__})

    assert "pending" in player(waiting)
    assert "refused &lt;this&gt;" in player(failed)
    assert "<img" not in player(failed.model_copy(update={"scenes": (broken,)}))


def test_a_film_elsewhere_is_named(video):
    """A film that is no file here, as in a bucket, is shown by its place."""
    assert "s3://films/x.mp4" in player(video.model_copy(update={"video_path": "s3://films/x.mp4"}))
