"""The dated price table: who lives, who follows, what a call can cost."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from visionpulse import pricing
from visionpulse.errors import ConfigurationError, ModelUnavailableError
from visionpulse.models import Usage

TODAY = date(2026, 11, 23)


def test_every_row_is_dated_and_sourced():
    """Each row says when it was true and who says so."""
    for row in pricing.table().values():
        assert row.as_of, row.name
        assert row.source, row.name


def test_a_row_that_ends_names_a_living_successor():
    """Every model with a last day names one of the same kind that is there on that day."""
    ending = [row for row in pricing.table().values() if row.ends]

    assert len(ending) > 8
    for row in ending:
        follower = pricing.find(row.successor or "")
        assert follower is not None, row.name
        assert follower.kind == row.kind
        assert not follower.retired(row.ends or TODAY), row.name


@pytest.mark.parametrize(
    ("kind", "today", "name"),
    [
        ("prompts", TODAY, "gpt-4o"),
        ("prompts", date(2027, 1, 13), "gpt-4o"),
        ("prompts", date(2027, 1, 14), "gpt-6-luna"),
        ("images", date(2026, 5, 11), "dall-e-3"),
        ("images", TODAY, "gpt-image-2"),
        ("speech", TODAY, "tts-1"),
        ("speech", date(2027, 1, 6), "gpt-audio-1.5"),
    ],
)
def test_the_documented_model_is_preferred_until_its_last_day(kind, today, name):
    """The documented model comes first; on the day it is switched off its successor does."""
    assert pricing.preferred(kind, today).name == name


def test_no_living_model_is_an_error_in_words():
    """When every model of a kind has ended, the error says what to do."""
    ended = {
        name: {"ends": date(2026, 1, 1)}
        for name, row in pricing.table().items()
        if row.kind == "speech"
    }

    with pytest.raises(ModelUnavailableError, match="Update visionpulse"):
        pricing.preferred("speech", TODAY, ended)


def test_a_model_warns_in_its_last_sixty_days():
    """59 days before the end there is a warning that names the successor; 60 days before, none."""
    row = pricing.find("gpt-4o")
    assert row is not None
    assert row.ends is not None

    assert row.warning(row.ends - timedelta(days=60)) is None
    warning = row.warning(row.ends - timedelta(days=59))
    assert warning is not None
    assert "2027-01-14" in warning
    assert "gpt-6-luna" in warning


def test_prompts_are_billed_by_tokens():
    """GPT-4o costs 2.50 and 10 dollars a million tokens; the bound covers every possible token."""
    quote = pricing.quote_prompts(pricing.find("gpt-4o"), text="é" * 1000, output_tokens=2000)

    used = Usage(input_tokens=1_000_000, output_tokens=100_000)
    assert quote.cost(used) == Decimal("3.50")
    assert quote.bound is not None
    # 1000 two-byte characters are at most 2000 tokens.
    assert quote.bound >= (2000 * Decimal("2.50") + 2000 * 10) / 1_000_000
    likely = quote.cost(None)
    assert likely is not None
    assert 0 < likely < quote.bound


def test_gpt_6_luna_is_billed_at_its_own_price():
    """0.10 and 0.50 dollars a million tokens."""
    quote = pricing.quote_prompts(pricing.find("gpt-6-luna"), text="x", output_tokens=10)

    assert quote.cost(Usage(input_tokens=10**6, output_tokens=10**6)) == Decimal("0.60")


@pytest.mark.parametrize(
    ("size", "quality", "dollars"),
    [("1024x1024", "standard", "0.040"), ("1024x1024", "hd", "0.080")],
)
def test_dall_e_is_billed_by_the_picture(size, quality, dollars):
    """DALL-E 3 has a price per picture, known to the cent before the call."""
    quote = pricing.quote_picture(
        pricing.find("dall-e-3"), prompt="x" * 4000, size=size, quality=quality
    )

    assert quote.bound == Decimal(dollars)
    assert quote.cost(None) == Decimal(dollars)


def test_gpt_image_is_billed_by_tokens():
    """5 dollars a million tokens of text, 30 of image; the bound covers the known token counts."""
    row = pricing.find("gpt-image-2.5-flare")
    quote = pricing.quote_picture(row, prompt="x" * 400, size="1024x1024", quality="high")

    assert quote.cost(Usage(input_tokens=100, output_tokens=1756)) == Decimal("0.05318")
    assert quote.bound is not None
    assert quote.bound >= Decimal("0.05318")


def test_larger_pictures_have_larger_bounds():
    """The bound grows with the area, and a small picture is never bound below a square one."""
    row = pricing.find("gpt-image-2")

    bounds = [
        pricing.quote_picture(row, prompt="x", size=size, quality="medium").bound
        for size in ("816x816", "1024x1024", "1536x1024", "3840x2160")
    ]

    assert None not in bounds
    assert bounds == sorted(bounds, key=lambda bound: bound or Decimal(0))
    assert bounds[0] == bounds[1]


@pytest.mark.parametrize(("model", "dollars"), [("tts-1", "15"), ("tts-1-hd", "30")])
def test_tts_is_billed_by_the_character(model, dollars):
    """A million characters cost 15 or 30 dollars, whatever is heard."""
    quote = pricing.quote_speech(pricing.find(model), "x" * 1000)

    assert quote.bound == Decimal(dollars) / 1000
    assert quote.cost(Usage(seconds=999)) == Decimal(dollars) / 1000


def test_speech_by_the_minute_is_bound_by_characters():
    """GPT-4o mini TTS costs 0.015 a minute; the bound covers text that is slow to read."""
    digits = "7" * 120

    quote = pricing.quote_speech(pricing.find("gpt-4o-mini-tts"), digits)

    assert quote.cost(Usage(seconds=120)) == Decimal("0.030")
    assert quote.bound is not None
    # "seven", a hundred and twenty times, takes about 0.4 s each.
    assert quote.bound > Decimal("0.015") * 48 / 60


@pytest.mark.parametrize("unknown", [None, "gpt-audio-1.5"])
def test_an_unknown_price_is_none_and_never_zero(unknown):
    """A model without a price has neither bound nor cost."""
    row = pricing.find(unknown) if unknown else None

    for quote in (
        pricing.quote_speech(row, "x"),
        pricing.quote_prompts(row, text="x", output_tokens=5),
        pricing.quote_picture(row, prompt="x", size="1024x1024", quality="high"),
    ):
        assert quote.bound is None
        assert quote.cost(Usage(input_tokens=5, output_tokens=5, seconds=5)) is None
        assert quote.cost(None) is None


def test_a_picture_of_unknown_tokens_has_a_cost_but_no_bound():
    """Where only the price per token is known, a call is settled exactly and cannot be bound."""
    row = pricing.find("gpt-image-2.6-flare")
    quote = pricing.quote_picture(row, prompt="x", size="1024x1024", quality="high")

    assert quote.bound is None
    assert quote.cost(Usage(input_tokens=0, output_tokens=1000)) == Decimal("0.03")


def test_a_row_can_be_corrected():
    """An override replaces fields of a row and leaves the shipped table alone."""
    overrides = {"tts-1": {"price": {"characters": "20"}, "ends": None}}

    corrected = pricing.find("tts-1", overrides)

    assert pricing.quote_speech(corrected, "x" * 1000).bound == Decimal("0.02")
    assert pricing.preferred("speech", date(2030, 1, 1), overrides).name == "tts-1"
    shipped = pricing.find("tts-1")
    assert shipped is not None
    assert shipped.price.characters == Decimal(15)


def test_a_model_of_ones_own_can_be_added():
    """An override under a new name is a new row."""
    own = {"kokoro": {"kind": "speech", "dialect": "speech", "price": {"minute": "0"}}}

    row = pricing.find("kokoro", own)

    assert pricing.quote_speech(row, "hello").bound == 0


def test_a_nonsensical_override_is_named():
    """An override with a field that is not there says which model and which field."""
    with pytest.raises(ConfigurationError, match=r"'tts-1'.*prize"):
        pricing.table({"tts-1": {"prize": 5}})


def test_the_price_table_is_free_of_floats():
    """Money is decimal from the file on."""
    for row in pricing.table().values():
        price = row.price
        for value in (price.input, price.output, price.characters, price.minute):
            assert value is None or isinstance(value, Decimal)
        assert all(isinstance(value, Decimal) for value in price.pictures.values())
