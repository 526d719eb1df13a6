"""Settings: code over environment over file; a wrong value is named and never shown."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from visionpulse.errors import ConfigurationError
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
