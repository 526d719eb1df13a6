"""Names users type, and the class each stands for; a class is imported only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal

from visionpulse.errors import ConfigurationError, UnknownNameError

Kind = Literal["prompts", "images", "speech"]

PROVIDERS: Mapping[str, Mapping[Kind, str]] = {
    "offline": {
        "prompts": "visionpulse.providers.offline.prompt_writer:PromptWriter",
        "images": "visionpulse.providers.offline.illustrator:Illustrator",
        "speech": "visionpulse.providers.offline.narrator:Narrator",
    },
    "openai": {
        "prompts": "visionpulse.providers.openai:OpenAIPrompts",
        "images": "visionpulse.providers.openai:OpenAIImages",
        "speech": "visionpulse.providers.openai:OpenAISpeech",
    },
}

STORAGE = {
    "file": "visionpulse.storage.local:LocalStorage",
    "memory": "visionpulse.storage.memory:MemoryStorage",
}

REPOSITORIES = {
    "sqlite": "visionpulse.repositories.sql:SqlRepository",
}

RENDERERS = {
    "ffmpeg": "visionpulse.renderers.ffmpeg:FFmpegRenderer",
    "moviepy": "visionpulse.renderers.moviepy:MoviePyRenderer",
}

# Which extra brings the package a module needs.
_EXTRAS = {"hibari": "offline", "moviepy": "moviepy", "onnxruntime": "offline"}


def load(what: str, name: str, table: Mapping[str, str]) -> Any:
    """Import the class a name stands for.

    Raises:
        UnknownNameError: The table has no such name.
        ConfigurationError: A package it needs is not installed.
    """
    if name not in table:
        raise UnknownNameError(what, name, table)
    module, _, attribute = table[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRAS:
            raise
        raise ConfigurationError(
            f"The {what} {name!r} needs the package {missing!r}, which is not installed.",
            hint=f'Install it: pip install "visionpulse[{_EXTRAS[missing]}]"',
        ) from error


def renderer(name: str = "ffmpeg", **settings: Any) -> Any:
    """Make a renderer."""
    return load("renderer", name, RENDERERS)(**settings)


def model(kind: Kind, provider: str, **settings: Any) -> Any:
    """Make a provider's model of one kind; settings that are None are left to the provider."""
    table = {name: kinds[kind] for name, kinds in PROVIDERS.items() if kind in kinds}
    given = {name: value for name, value in settings.items() if value is not None}
    return load("provider", provider, table)(**given)
