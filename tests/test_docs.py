"""What a newcomer reads is true: examples run, commands exist, links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import typer.main

from visionpulse import cli, errors
from visionpulse.settings import Settings
from visionpulse.testing import assert_video

from .vendor import Vendor

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def names(pages) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page, with the files that they include."""
    found = re.findall(rf"(?ms)^( *)```{language}\n(.*?)^\1```", page.read_text())
    return [
        re.sub(r'(?m)^--8<-- "(.+)"$', lambda m: (ROOT / m[1]).read_text(), dedent(block))
        for _, block in found
    ]


def commands(page: Path, program: str) -> list[list[str]]:
    """The arguments of each call of a program in a page's shell blocks."""
    lines = "".join(blocks(page, "sh")).splitlines()
    calls = [shlex.split(line.rpartition("| ")[2], comments=True) for line in lines]
    return [call[1:] for call in calls if call and call[0] == program]


PROGRAMS = [page for page in PAGES if blocks(page, "python")]


def run_python(file: Path, folder: Path, **variables: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(file)],
        check=False,
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# ------------------------------------------------------------------ examples


@pytest.mark.slow
def test_first_video_makes_a_film(tmp_path):
    """The first example says how long its film is, and where."""
    length, path = run_python(ROOT / "examples/first_video.py", tmp_path)

    assert re.fullmatch(r"\d+\.\d seconds, 2 scenes", length)
    film = tmp_path / path
    assert_video(film, size=(640, 360), captions=film.with_suffix(".srt"))


@pytest.mark.slow
def test_edit_one_scene_makes_what_the_guide_says(tmp_path):
    """One picture and the film's pieces that show it; the guide prints the very lines."""
    *counts, path = run_python(ROOT / "examples/edit_one_scene.py", tmp_path)

    assert counts[-1].startswith("After the edit: {'film': 1, 'picture': 1, ")
    assert "\n".join(counts) in (ROOT / "docs/guide/editing.md").read_text()
    assert_video(tmp_path / path, size=(640, 360))


@pytest.mark.slow
def test_own_image_model_draws_the_pictures(tmp_path):
    """The film shows what the user's class has drawn."""
    (path,) = run_python(ROOT / "examples/own_image_model.py", tmp_path)

    assert_video(tmp_path / path, size=(640, 360))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PROGRAMS, ids=names(PROGRAMS))
def test_python_on_a_page_runs(page, tmp_path):
    """From top to bottom each page is a program; OpenAI is a vendor on this machine."""
    program = tmp_path / "page.py"
    program.write_text("\n\n".join(blocks(page, "python")))

    with Vendor() as vendor:
        run_python(program, tmp_path, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=vendor.url)


# ------------------------------------------------------------------ commands


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_commands_on_a_page_exist(page):
    """Every `visionpulse ...` parses; every `make ...` and every linked file is there."""
    known = typer.main.get_command(cli.app)
    makefile = (ROOT / "Makefile").read_text()

    for name, *arguments in commands(page, "visionpulse"):
        known.commands[name].make_context(name, arguments)
    for (target,) in commands(page, "make"):
        assert re.search(rf"(?m)^{target}:", makefile), target
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).is_file(), link


def test_newcomers_commands_are_those_of_ci():
    """README's two commands are in CI, each as it stands there."""
    ci = (ROOT / ".ci/run").read_text()

    told = [target for (target,) in commands(ROOT / "README.md", "make")]

    assert told == ["demo", "test"]
    for target in told:
        assert re.search(rf"(?m)\bmake {target}$", ci), f".ci/run does not run make {target}"


# ------------------------------------------------------------------ tables


def test_settings_in_the_guide_exist():
    """Each variable of the table is a setting, with its prefix."""
    page = (ROOT / "docs/guide/providers.md").read_text()

    told = set(re.findall(r"`VISIONPULSE_([A-Z_]+)`", page)) - {"CONFIG"}

    assert told
    assert {name.lower() for name in told} <= set(Settings.model_fields)


def test_error_tree_in_the_reference_is_that_of_the_code():
    """The page and the module show the same tree."""
    (tree,) = blocks(ROOT / "docs/reference/errors.md", "text")

    assert tree in errors.__doc__


@pytest.mark.slow
def test_pages_build_strictly(tmp_path):
    """No page is missing, no link or reference leads nowhere."""
    done = subprocess.run(
        # Never with --quiet: what is not said is not counted, and strict passes everything.
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)],
        check=False,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )

    assert done.returncode == 0, done.stderr + done.stdout
    assert "visionpulse.Pipeline.run" in (tmp_path / "reference/pipeline/index.html").read_text()
