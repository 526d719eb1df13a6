"""Providers that other packages bring, really installed, and found by their entry points."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import SCRIPT, TINY
from visionpulse import Pipeline, registry
from visionpulse.errors import ConfigurationError, UnknownNameError

EXAMPLE = Path(__file__).parent.parent / "examples/provider_package"


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The folder into which pip has installed the example, without a network."""
    folder = tmp_path_factory.mktemp("site")
    # A copy, because building may write beside the source.
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "package")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--no-compile"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), str(source)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return folder


@pytest.fixture
def example(installed, monkeypatch):
    """The installed package, as if its folder were Python's own."""
    monkeypatch.syspath_prepend(installed)
    yield
    sys.modules.pop("visionpulse_stripes", None)


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """Installs a provider whose module has this text; returns its name."""
    folder = tmp_path / "site"

    def install(text: str, entry: str = "plugged_in") -> str:
        about = folder / "plugged_in-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged-in\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[visionpulse.providers]\nplugged = {entry}\n")
        (folder / "plugged_in.py").write_text(text)
        monkeypatch.syspath_prepend(folder)
        return "plugged"

    yield install
    sys.modules.pop("plugged_in", None)


def test_an_installed_provider_draws_a_film(example, tmp_path, prompts, speech):
    """The example is found by its name, draws every picture, and the film names it."""
    with Pipeline(
        "offline", prompts=prompts, images="stripes", speech=speech, home=tmp_path
    ) as pipeline:
        video = pipeline.run(SCRIPT, options=TINY)

        with pipeline.storage.open(f"images/{video.id}/image_000.png") as file:
            picture = Image.open(io.BytesIO(file.read())).convert("RGB")
    assert video.status == "completed"
    assert video.pins["images"].provider == "stripes"
    row = [picture.getpixel((x, picture.height // 2)) for x in range(picture.width)]
    assert 2 <= len(set(row)) <= 8
    assert {picture.getpixel((0, y)) for y in range(picture.height)} == {row[0]}


def test_a_film_goes_on_with_the_provider_it_began_with(example, tmp_path, prompts, speech):
    """A later pipeline that names no provider takes the one on the film's record."""
    parts = {"prompts": prompts, "speech": speech, "home": tmp_path}
    with Pipeline("offline", images="stripes", **parts) as pipeline:
        begun = pipeline.run(SCRIPT, options=TINY, until="storyboard")

    with Pipeline("auto", **parts) as pipeline:
        video = pipeline.resume(begun.id, until="pictures")

    assert video.pins["images"].provider == "stripes"
    assert len(video.image_paths) == 2


def test_installed_providers_are_among_the_known(example):
    """A typo is answered with the names that would do, those of packages among them."""
    with pytest.raises(UnknownNameError, match=r"Did you mean 'stripes'\?.*offline, openai, str"):
        Pipeline("offline", images="stripe")


def test_a_part_that_a_provider_lacks_is_named(example, tmp_path):
    """A provider of pictures cannot tell a story, and says so before anything is made."""
    with (
        Pipeline("stripes", home=tmp_path) as pipeline,
        pytest.raises(ConfigurationError, match=r"'stripes' of the package .*has no prompts"),
    ):
        pipeline.run(SCRIPT, options=TINY)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import a_package_that_is_not_there", "ModuleNotFoundError: No module named"),
        ("1 / 0", "ZeroDivisionError"),
        ("def images():\n    raise ValueError('sk-hidden')", "ValueError."),
        ("class images:\n    pass", 'provider = "plugged"'),
    ],
)
def test_a_broken_package_is_an_error_in_words(plug_in, text, says):
    """The message names provider and package, and what is wrong."""
    provider = plug_in(text)

    with pytest.raises(ConfigurationError) as caught:
        registry.model("images", provider)

    assert "plugged-in" in str(caught.value)
    assert says in str(caught.value)
    assert "sk-hidden" not in str(caught.value)


def test_the_object_may_be_inside_a_module(plug_in):
    """An entry point can name anything that has the parts as attributes."""
    text = "class Mine:\n    provider = 'plugged'\n\nclass All:\n    images = Mine\n"
    provider = plug_in(text, entry="plugged_in:All")

    assert type(registry.model("images", provider)).__name__ == "Mine"


def test_a_package_cannot_take_a_built_in_name(plug_in, tmp_path, monkeypatch):
    """`offline` stays what it is, whoever calls himself so."""
    plug_in("raise RuntimeError")
    names = tmp_path / "site/plugged_in-1.0.dist-info/entry_points.txt"
    names.write_text("[visionpulse.providers]\noffline = plugged_in\n")

    assert type(registry.model("prompts", "offline")).__name__ == "PromptWriter"
