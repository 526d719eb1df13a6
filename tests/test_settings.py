"""Settings: code over environment over file; a wrong value is named and never shown."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from visionpulse.errors import ConfigurationError
from visionpulse.registry import Kind
from visionpulse.settings import Settings


def test_nothing_set_means_the_defaults():
    """Without any variable or file there is a Settings that works."""
    settings = Settings()

    assert (settings.provider, settings.home, settings.budget) == (None, Path(), None)
    assert (settings.style, settings.voice) == ("cinematic", "alloy")
    assert settings.openai_api_key is None


def test_code_wins_over_environment_over_file(monkeypatch, tmp_path):
    """Of three values for one setting, the nearest to the caller counts."""
    (tmp_path / "visionpulse.toml").write_text('style = "file"\nvoice = "file"\nbudget = "1.10"\n')
    monkeypatch.setenv("VISIONPULSE_STYLE", "environment")
    monkeypatch.setenv("VISIONPULSE_VOICE", "environment")

    settings = Settings(style="code")

    assert (settings.style, settings.voice) == ("code", "environment")
    assert settings.budget == Decimal("1.10")


def test_another_file_can_be_named(monkeypatch, tmp_path):
    """VISIONPULSE_CONFIG takes the place of the file in the working folder."""
    (tmp_path / "visionpulse.toml").write_text('style = "here"')
    (tmp_path / "other.toml").write_text('style = "there"')
    monkeypatch.setenv("VISIONPULSE_CONFIG", str(tmp_path / "other.toml"))

    assert Settings().style == "there"


@pytest.mark.parametrize(
    ("variable", "name", "value"),
    [
        ("VISIONPULSE_PROVIDER", "provider", "offline"),
        ("VISIONPULSE_DAILY_BUDGET", "daily_budget", Decimal("0.30")),
        ("VISIONPULSE_DATABASE", "database", "sqlite:///other.db"),
        ("VISIONPULSE_IMAGE_MODEL", "image_model", "gpt-image-2"),
        ("VISIONPULSE_SPEECH_BASE_URL", "speech_base_url", "http://127.0.0.1:8880/v1"),
        ("OPENAI_BASE_URL", "openai_base_url", "http://127.0.0.1:8080/v1"),
        ("VISIONPULSE_OPENAI_BASE_URL", "openai_base_url", "https://example.org"),
    ],
)
def test_each_has_a_variable(monkeypatch, variable, name, value):
    """A setting is read from its variable, in the form it has in code."""
    monkeypatch.setenv(variable, str(value).lower())

    assert getattr(Settings(), name) == value


def test_home_may_begin_with_a_tilde(monkeypatch, tmp_path):
    """`~` is the user's folder, also in the file, where no shell expands it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "visionpulse.toml").write_text('home = "~/films"')

    assert Settings().home == tmp_path / "films"


def test_an_empty_variable_is_not_set(monkeypatch):
    """`VISIONPULSE_BUDGET=` means no cap, not a broken one."""
    monkeypatch.setenv("VISIONPULSE_BUDGET", "")
    monkeypatch.setenv("OPENAI_API_KEY", "")

    assert Settings().budget is None
    assert Settings().openai_api_key is None


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "VISIONPULSE_OPENAI_API_KEY"])
def test_the_key_is_read_and_not_shown(monkeypatch, variable):
    """The key can be used, and is in no repr, str or dump."""
    monkeypatch.setenv(variable, "sk-hidden-1234")
    monkeypatch.setenv("VISIONPULSE_DATABASE", "postgresql://me:pass-5678@host/db")

    settings = Settings()

    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-hidden-1234"
    for text in (repr(settings), str(settings), settings.model_dump_json(exclude={"database"})):
        assert "hidden" not in text
        assert "pass-5678" not in text


def test_our_own_variable_wins_over_the_shared_one(monkeypatch):
    """A key for VisionPulse alone may stand beside the one other programs use."""
    monkeypatch.setenv("OPENAI_API_KEY", "shared")
    monkeypatch.setenv("VISIONPULSE_OPENAI_API_KEY", "own")

    settings = Settings()

    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "own"


def test_the_key_may_be_in_the_file(tmp_path):
    """In the file the key has the name it has in code."""
    (tmp_path / "visionpulse.toml").write_text('openai_api_key = "sk-1"')

    settings = Settings()

    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-1"


@pytest.mark.parametrize(
    ("variable", "value", "takes"),
    [
        ("VISIONPULSE_BUDGET", "s3cret", "dollars per video"),
        ("VISIONPULSE_BUDGET", "-1", "dollars per video"),
        ("VISIONPULSE_DAILY_BUDGET", "NaN", "dollars per day"),
        ("VISIONPULSE_DATABASE", "s3cret", "sqlite:///"),
        ("OPENAI_BASE_URL", "ftp://s3cret@host", "https://api.openai.com/v1"),
        ("VISIONPULSE_IMAGE_BASE_URL", "s3cret", "https://api.openai.com/v1"),
        ("visionpulse_budget", "s3cret", "dollars per video"),
    ],
)
def test_a_wrong_value_is_named_and_not_shown(monkeypatch, variable, value, takes):
    """The message has the variable and what it takes; the value is not even in the cause."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError) as caught:
        Settings()

    message = str(caught.value)
    assert message.startswith(variable.upper())
    assert takes in message
    assert "s3cret" not in message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_wrong_value_in_the_file_is_found_there(tmp_path):
    """Of a setting from the file the message names the file."""
    (tmp_path / "visionpulse.toml").write_text('budget = "much"')

    with pytest.raises(ConfigurationError, match=r"'budget' in visionpulse\.toml .*dollars"):
        Settings()


def test_a_misspelt_setting_is_refused(tmp_path):
    """The file may hold settings only; the nearest is offered."""
    (tmp_path / "visionpulse.toml").write_text("budgett = 3")

    with pytest.raises(ConfigurationError, match=r"'budgett'.*Did you mean 'budget'"):
        Settings()


def test_a_broken_file_is_explained(tmp_path):
    """A file that is no TOML is named, with the line."""
    (tmp_path / "visionpulse.toml").write_text("style = \n")

    with pytest.raises(ConfigurationError, match=r"visionpulse\.toml .*line 1"):
        Settings()


def test_a_missing_named_file_is_no_silence(monkeypatch):
    """A typo in VISIONPULSE_CONFIG does not mean the defaults."""
    monkeypatch.setenv("VISIONPULSE_CONFIG", "nowhere.toml")

    with pytest.raises(ConfigurationError, match="VISIONPULSE_CONFIG"):
        Settings()


def told(settings: Settings, kind: Kind) -> tuple[str | None, str | None, str | None]:
    """What the model of a part is made with."""
    model, address, key = settings.server(kind)
    return model, address, key and key.get_secret_value()


def test_parts_are_at_openai_unless_told_otherwise():
    """One key and one address serve all parts; the model is each part's own."""
    settings = Settings(openai_api_key="sk-1", openai_base_url="http://here/v1", image_model="flux")

    assert told(settings, "prompts") == (None, "http://here/v1", "sk-1")
    assert told(settings, "images") == ("flux", "http://here/v1", "sk-1")


def test_a_server_of_its_own_is_not_sent_openai_s_key():
    """A part with an address gets its own key or none; its key goes nowhere else."""
    settings = Settings(
        openai_api_key="sk-1",
        image_base_url="http://there/v1",
        speech_base_url="http://elsewhere/v1",
        speech_api_key="own",
    )

    assert told(settings, "prompts") == (None, None, "sk-1")
    assert told(settings, "images") == (None, "http://there/v1", None)
    assert told(settings, "speech") == (None, "http://elsewhere/v1", "own")


def test_a_key_of_its_own_may_go_to_the_shared_server():
    """Without an address of its own a part's key is for OpenAI: another project's, for example."""
    settings = Settings(openai_api_key="sk-1", image_api_key="sk-2")

    assert told(settings, "images") == (None, None, "sk-2")
    assert told(settings, "speech") == (None, None, "sk-1")


def test_a_part_is_served_by_a_key_or_an_address():
    """What lacks both cannot be made."""
    kinds: list[Kind] = ["prompts", "images", "speech"]

    assert Settings().lacking(kinds) == kinds
    assert Settings(image_base_url="http://here").lacking(kinds) == ["prompts", "speech"]
    assert Settings(openai_api_key="sk-1").lacking(kinds) == []


@pytest.mark.parametrize("part", ["prompt", "image", "speech"])
def test_no_part_s_key_is_shown(part):
    """The key of a part is as hidden as OpenAI's."""
    settings = Settings(**{f"{part}_api_key": "sk-hidden-1234"})

    assert "hidden" not in repr(settings)
    assert "hidden" not in settings.model_dump_json()
