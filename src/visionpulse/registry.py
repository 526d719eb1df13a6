"""Names users type, and the class each stands for; a class is imported only when asked for.

Other packages bring providers by entry points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Literal, get_args

from visionpulse.errors import ConfigurationError, UnknownNameError, VisionPulseError

Kind = Literal["prompts", "images", "speech"]
KINDS: Final[Sequence[Kind]] = get_args(Kind)
GROUP: Final = "visionpulse.providers"
"""Of the entry points by which other packages bring providers: each names a module, or an object,
with `prompts`, `images` or `speech`: a class, or a function, that makes a model."""

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


def providers() -> list[str]:
    """Return the names of all providers: the built-in ones, and those of installed packages."""
    return sorted({*PROVIDERS, *(each.name for each in entry_points(group=GROUP))})


def check_provider(name: str) -> None:
    """Make sure that there is such a provider, without loading it. Raises UnknownNameError."""
    if name not in PROVIDERS and name not in (known := providers()):
        raise UnknownNameError("provider", name, known)


def model(kind: Kind, provider: str, **settings: Any) -> Any:
    """Make a provider's model of one kind; settings that are None are left to the provider.

    Raises:
        UnknownNameError: There is no such provider.
        ConfigurationError: It cannot be loaded, or has no such model.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    if provider in PROVIDERS:
        table = {name: kinds[kind] for name, kinds in PROVIDERS.items() if kind in kinds}
        return load("provider", provider, table)(**given)
    check_provider(provider)
    (entry, *_) = entry_points(group=GROUP, name=provider)
    return _plugged_in(entry, kind, given)


def _plugged_in(entry: EntryPoint, kind: Kind, settings: Mapping[str, Any]) -> Any:
    """Make a model that another package brings. Raises ConfigurationError."""
    package = entry.dist.name if entry.dist else entry.module
    try:
        maker = getattr(entry.load(), kind, None)
        made = maker and maker(**settings)
    except VisionPulseError:
        raise
    except Exception as error:
        # What it says may hold anything, a key too, unless Python itself says it.
        said = f": {error}" if isinstance(error, ImportError) else ""
        raise ConfigurationError(
            f"The provider {entry.name!r} of the package {package} cannot be loaded: "
            f"{type(error).__name__}{said}.",
            hint=f"Set {package} up as it wants to be, update it, or uninstall it.",
        ) from error
    if made is None:
        raise ConfigurationError(
            f"The provider {entry.name!r} of the package {package} has no {kind}.",
            hint=f"Name another for them: Pipeline(..., {kind}=...).",
        )
    if getattr(made, "provider", None) != entry.name:
        # A film's record names its makers, so that it can go on with them.
        raise ConfigurationError(
            f"{type(made).__name__} does not say that it is of the provider {entry.name!r}.",
            hint=f'Give the class of {package} the attribute: provider = "{entry.name}"',
        )
    return made


def adapted(kind: Kind, model: Any) -> Any:
    """Return a model as it was given; a chat model of LangChain is made a prompt model."""
    chats = hasattr(model, "invoke") and (
        hasattr(model, "bind") or hasattr(model, "with_structured_output")
    )
    if kind != "prompts" or not chats or hasattr(model, "storyboard"):
        return model
    table = {"langchain": "visionpulse.providers.langchain:LangChainPrompts"}
    return load("prompt model", "langchain", table)(model)
