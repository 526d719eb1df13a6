"""Styles and voices."""

import re

import pytest

from visionpulse import catalog
from visionpulse.errors import UnknownNameError

DOCUMENTED_VOICES = {
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "onyx"),
    *("nova", "sage", "shimmer", "verse", "marin", "cedar"),
}
PROMISED_STYLES = {
    *("cinematic", "anime", "watercolor", "noir", "vintage", "minimalist"),
    *("papercut", "oil-painting", "cyberpunk", "documentary", "storybook", "sketch"),
}


def luminance(colour):
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_promised_styles_are_there():
    """And each is filed under its own name."""
    assert set(catalog.STYLES) >= PROMISED_STYLES
    assert all(name == style.name for name, style in catalog.STYLES.items())


@pytest.mark.parametrize("style", catalog.STYLES.values(), ids=catalog.STYLES)
def test_a_style_is_written_out(style):
    """A look of some sentences, five colours from dark to light, words for them, what to avoid."""
    assert 15 <= len(style.look.split()) <= 60
    assert style.look.endswith(".")
    assert len(style.colours) == len(style.palette) == 5
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in style.colours)
    assert list(style.colours) == sorted(style.colours, key=luminance)
    assert luminance(style.colours[-1]) - luminance(style.colours[0]) > 150
    assert len(style.avoid) >= 3


def test_styles_differ():
    """No two share a look, a title or a palette."""
    styles = catalog.STYLES.values()

    for part in ("look", "title", "colours"):
        assert len({getattr(style, part) for style in styles}) == len(styles)


def test_the_voices_are_the_documented_ones():
    """All thirteen, each described, none twice."""
    assert set(catalog.VOICES) == DOCUMENTED_VOICES
    assert all(voice.provider == "openai" for voice in catalog.VOICES.values())
    assert len({voice.description for voice in catalog.VOICES.values()}) == 13


def test_names_are_found_in_any_case():
    """As people type them."""
    assert catalog.style(" Noir ").name == "noir"
    assert catalog.voice("NOVA").name == "nova"


@pytest.mark.parametrize(
    ("find", "name", "meant"),
    [(catalog.style, "cinematc", "cinematic"), (catalog.voice, "novva", "nova")],
)
def test_a_typo_gets_the_nearest_name(find, name, meant):
    """The error offers what was probably meant."""
    with pytest.raises(UnknownNameError, match=f"Did you mean '{meant}'") as raised:
        find(name)

    assert raised.value.nearest[0] == meant
