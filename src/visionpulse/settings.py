"""Settings from the environment and `visionpulse.toml`. Nothing else reads the environment.

What is given in code wins over the environment, and that over the file.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from visionpulse.errors import ConfigurationError

FILE = "visionpulse.toml"
PREFIX = "VISIONPULSE_"


def _web_address(value: str) -> str:
    TypeAdapter(HttpUrl).validate_python(value)
    # As it was written: HttpUrl puts a slash behind a bare host.
    return value


def _names(name: str) -> AliasChoices:
    """Accept the name the vendor uses in the environment too; ours wins."""
    return AliasChoices(f"{PREFIX}{name}", name)


Dollars = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Url = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+]*://")]


class Settings(BaseSettings):
    """What a Pipeline is made of where the code does not say otherwise.

    Each is `VISIONPULSE_` and its name in capitals, or its name in `visionpulse.toml`, which lies
    in the working folder unless VISIONPULSE_CONFIG names another file. OpenAI's key and address may
    have their usual names: OPENAI_API_KEY, OPENAI_BASE_URL. An empty variable counts as not set.

    Raises:
        ConfigurationError: A value cannot be used; the message names the setting, never the value.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
    )

    provider: str | None = Field(None, description="a provider: openai, offline or auto")
    """None: OpenAI for a Pipeline, `auto` for the command line."""
    home: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        Path(), description="the folder for output/ and visionpulse.db"
    )
    budget: Dollars | None = Field(None, description="dollars per video, such as 2.50")
    daily_budget: Dollars | None = Field(None, description="dollars per day (UTC), such as 20")
    prices: Annotated[Path, AfterValidator(Path.expanduser)] | None = Field(
        None, description="a TOML file of prices"
    )
    """Corrections of the price table, as docs/guide/money.md shows."""
    database: Url | None = Field(None, description="a URL such as sqlite:///videos.db", repr=False)
    """None: `visionpulse.db` below `home`."""
    storage: str | None = Field(None, description="a storage: file or memory")
    """None: files in `output/` below `home`."""
    renderer: str = Field("ffmpeg", description="a renderer: ffmpeg or moviepy")
    encoder: str = Field("x264", description="x264, auto, nvenc, videotoolbox, qsv or vaapi")
    fonts: Annotated[Path, AfterValidator(Path.expanduser)] | None = Field(
        None, description="a folder of fonts for captions on the picture"
    )
    style: str = Field("cinematic", description="a style, as `visionpulse styles` lists them")
    voice: str = Field("alloy", description="a voice, as `visionpulse voices` lists them")
    prompt_model: str | None = Field(None, description="a model's name, such as gpt-4o")
    image_model: str | None = Field(None, description="a model's name, such as gpt-image-2")
    speech_model: str | None = Field(None, description="a model's name, such as gpt-4o-mini-tts")
    openai_api_key: SecretStr | None = Field(
        None, description="a key, which is one word", validation_alias=_names("OPENAI_API_KEY")
    )
    openai_base_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        None,
        description="an address such as https://api.openai.com/v1",
        validation_alias=_names("OPENAI_BASE_URL"),
        repr=False,
    )

    def __init__(self, **values: Any) -> None:
        """Read the settings; values given here win."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            # Without the cause: it quotes the values, which may be secrets.
            raise ConfigurationError(_explain(error, values)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read code, environment and one TOML file, in this order."""
        try:
            file = TomlConfigSettingsSource(settings_cls, toml_file=_file())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise ConfigurationError(
                f"{_file()} cannot be read: {error}.",
                hint='It is a TOML file with lines such as: style = "anime"',
            ) from error
        return init_settings, env_settings, file


def _file() -> Path:
    named = os.environ.get(f"{PREFIX}CONFIG")
    if named and not Path(named).is_file():
        raise ConfigurationError(
            f"There is no file {named!r}, which {PREFIX}CONFIG names.",
            hint=f"Correct it, or unset it to use {FILE} in the working folder.",
        )
    return Path(named or FILE)


def _explain(error: ValidationError, given: dict[str, Any]) -> str:
    """Name the first wrong setting by where it was set, and what it takes."""
    wrong = str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
    bare = wrong.removeprefix(PREFIX).lower()
    if bare not in Settings.model_fields:
        near = difflib.get_close_matches(bare, Settings.model_fields, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        place = "Settings()" if wrong in given else str(_file())
        known = ", ".join(Settings.model_fields)
        return f"{place} has {wrong!r}, which is no setting.{meant} Known: {known}."
    set_in = {name.upper() for name, value in os.environ.items() if value}
    names = [f"{PREFIX}{bare.upper()}", *([bare.upper()] if bare.startswith("openai_") else [])]
    if bare in given:
        where = bare
    else:
        where = next((n for n in names if n in set_in), f"{bare!r} in {_file()}")
    return f"{where} cannot be used: it takes {Settings.model_fields[bare].description}."
