"""What videos need, and whether it is here: on this machine, and at the models' servers.

Servers are asked for their lists of models only, which costs nothing.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from visionpulse import __version__, registry
from visionpulse.errors import (
    AuthenticationError,
    ConfigurationError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    StorageError,
    VisionPulseError,
)
from visionpulse.renderers.process import NEEDED, find_ffmpeg
from visionpulse.settings import PARTS, PREFIX, Settings

if TYPE_CHECKING:
    from visionpulse.providers.openai.connection import Connection

# As much as LocalStorage.check asks for.
_ENOUGH_BYTES = 200_000_000
_PATIENCE_SECONDS = 5


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool | None
    """None: nobody knows; a server that does not answer now may do so later."""
    detail: str
    remedy: str | None = None
    """What to do where it is not all right."""


def examine(
    provider: str | None = None, home: str | Path | None = None, *, online: bool = True
) -> list[Finding]:
    """Look at everything a video needs.

    Args:
        provider: Whose models will be used: openai, offline or auto; by default as set.
        home: Where videos will lie; by default as set.
        online: Ask the servers of the models which ones they have.
    """
    try:
        settings = Settings()
    except VisionPulseError as error:
        return [_versions(), Finding("settings", False, error.message, error.hint)]
    usual = "offline" if settings.lacking(registry.KINDS) else "openai"
    named = (provider or settings.provider or "auto").split(",")
    chosen = [usual if each.strip() == "auto" else each.strip() for each in named]
    folder = Path(home or settings.home).absolute()
    checks: list[tuple[str, Callable[[], str]]] = [
        ("ffmpeg", _ffmpeg),
        ("captions", _libass),
        ("folder", lambda: _folder(folder)),
        ("disk", lambda: _disk(folder)),
        ("database", lambda: _database(settings.database, folder / "visionpulse.db")),
        ("offline voice", lambda: _voice(needed="offline" in chosen)),
    ]
    models = _models(settings, chosen, online=online)
    return [_versions(), *(_look(name, check) for name, check in checks), *models]


def _look(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except VisionPulseError as error:
        return Finding(name, False, error.message, error.hint)


def _versions() -> Finding:
    packages = ("openai", "langgraph", "pydantic", "sqlalchemy", "pillow", "numpy")
    libraries = ", ".join(f"{package} {version(package)}" for package in packages)
    mine = f"visionpulse {__version__}, Python {platform.python_version()}"
    return Finding("versions", True, f"{mine} on {platform.system()}; {libraries}")


def _ffmpeg() -> str:
    found = find_ffmpeg()
    return f"{found.version} with {', '.join(NEEDED)} at {found.path}"


def _libass() -> str:
    command = [find_ffmpeg().path, "-hide_banner", "-filters"]
    filters = subprocess.run(command, capture_output=True, check=True, timeout=60)  # noqa: S603
    if b" ass " not in filters.stdout:
        raise ConfigurationError(
            "This ffmpeg has no libass, which draws captions into the picture.",
            hint="Unset IMAGEIO_FFMPEG_EXE to use the one that comes with imageio-ffmpeg.",
        )
    return "ffmpeg can draw them (libass)"


def _folder(folder: Path) -> str:
    there = _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written: {error.strerror}.",
            hint="Choose another with VISIONPULSE_HOME or --home.",
        ) from error
    return f"{folder} can be written"


def _disk(folder: Path) -> str:
    free = shutil.disk_usage(_nearest(folder)).free
    if free < _ENOUGH_BYTES:
        raise StorageError(
            f"Only {free // 1_000_000} MB are free.",
            hint="Free some, or choose another disk with VISIONPULSE_HOME or --home.",
        )
    return f"{free / 1e9:.1f} GB free"


def _nearest(folder: Path) -> Path:
    """Return the folder, or the one it would be made in: looking makes nothing."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def _database(url: str | None, file: Path) -> str:
    if url is None and not file.exists():
        return f"{file} will be made"
    repository = registry.load("repository", "sqlite", registry.REPOSITORIES)(url or file)
    try:
        repository.list(limit=1)
    finally:
        repository.close()
    return f"{repository.name} opens"


def _voice(*, needed: bool) -> str:
    try:
        return f"hibari-tts {version('hibari-tts')}, onnxruntime {version('onnxruntime')}"
    except PackageNotFoundError:
        if needed:
            raise ConfigurationError(
                "The offline narrator is not installed.",
                hint='Install it: pip install "visionpulse[offline]"',
            ) from None
        return "not installed, and not needed with OpenAI"


# ------------------------------------------------------------------ models


def _models(settings: Settings, chosen: Sequence[str], *, online: bool) -> list[Finding]:
    """Look at OpenAI's key, and for each part at who makes it."""
    lacking = settings.lacking(registry.KINDS) if "openai" in chosen else []
    servers = _Servers(settings, online=online)
    parts: list[Finding] = []
    for kind, provider in product(registry.KINDS, chosen):
        if provider != "openai":
            parts.append(_look(kind, partial(_maker, kind, provider)))
        elif kind not in lacking:
            parts.append(servers.part(kind))
    return [servers.key(lacking, needed="openai" in chosen), *parts]


def _maker(kind: registry.Kind, provider: str) -> str:
    if provider in registry.PROVIDERS:
        return provider
    made = registry.model(kind, provider)
    return f"{getattr(made, 'model', type(made).__name__)} of {provider}"


class _Servers:
    """The servers that speak OpenAI's language; each is asked once, with its own key."""

    def __init__(self, settings: Settings, *, online: bool) -> None:
        self._settings = settings
        self._online = online
        self._answers: dict[tuple[str, int, str], Mapping[str, date | None] | ProviderError] = {}
        self._accepted = False
        self._refused: ProviderError | None = None

    def key(self, lacking: Sequence[registry.Kind], *, needed: bool) -> Finding:
        """Say whether OpenAI's key is there, and what was heard of it: to be asked last."""
        name = "OpenAI key"
        if self._refused:
            return Finding(name, False, self._refused.message, self._refused.hint)
        if self._settings.openai_api_key is not None:
            return Finding(name, True, "works" if self._accepted else "set")
        if lacking:
            return Finding(
                name, False, "OPENAI_API_KEY is not set.", "Set it, or use --provider offline."
            )
        return Finding(name, True, f"not set, and not needed {'here' if needed else 'offline'}")

    def part(self, kind: registry.Kind) -> Finding:
        """Say which model makes a part, where, and what that server says of it."""
        from visionpulse.providers.openai.served import address, connect

        server = self._settings.server(kind)
        key = server.api_key.get_secret_value() if server.api_key else None
        try:
            at = connect(kind, server.model, key, server.base_url, seconds=_PATIENCE_SECONDS)
        except VisionPulseError as error:
            return Finding(kind, False, error.message, error.hint)
        where = address(at)
        who = f"{at.model} at {where}"
        answer = self._ask(at, key)
        if isinstance(answer, AuthenticationError) and answer.status == 401:
            if key is not None and server.api_key is self._settings.openai_api_key:
                # One finding is enough, and it is the key's.
                self._refused = answer
                return Finding(kind, True, who)
            hint = f"Look at {PREFIX}{PARTS[kind].upper()}_API_KEY."
            return Finding(kind, False, f"{where} does not accept the key of this part.", hint)
        if isinstance(answer, ProviderError):
            return Finding(kind, None, f"{who}, which could not be asked: {_reason(answer)}")
        if answer is None:
            return Finding(kind, True, "; ".join(filter(None, (who, at.warning))))
        if server.api_key is self._settings.openai_api_key:
            self._accepted = True
        return _lifetime(kind, at, where, answer)

    def _ask(
        self, at: Connection, key: str | None
    ) -> Mapping[str, date | None] | ProviderError | None:
        from visionpulse.providers.openai.served import served

        if not self._online:
            return None
        asked = (at.host, at.port, key or "")
        if asked not in self._answers:
            try:
                self._answers[asked] = served(at)
            except ProviderError as error:
                self._answers[asked] = error
        return self._answers[asked]


def _lifetime(
    kind: registry.Kind, at: Connection, where: str, listed: Mapping[str, date | None]
) -> Finding:
    """Say whether a server has a model, and until when."""
    name_another = f"Name another: {PREFIX}{PARTS[kind].upper()}_MODEL."
    if at.model not in listed:
        # Compatible servers may list a model under a longer name, or not at all.
        detail = f"{at.model} is not among the models that {where} lists."
        return Finding(kind, False if at.official else None, detail, name_another)
    row = at.row.model_copy(update={"ends": listed[at.model] or at.row.ends})
    today = datetime.now(UTC).date()
    warning = row.warning(today) if at.official or listed[at.model] else None
    gone = warning is not None and row.retired(today)
    detail = "; ".join(filter(None, (f"{at.model} at {where}", warning)))
    return Finding(kind, not gone, detail, name_another if gone else None)


def _reason(error: ProviderError) -> str:
    """Say why a server did not tell its models, which need not keep it from making videos."""
    if isinstance(error, ProviderTimeoutError):
        return f"no answer within {_PATIENCE_SECONDS} s"
    if isinstance(error, ProviderConnectionError):
        return "no connection" if error.status is None else f"status {error.status}"
    if isinstance(error, AuthenticationError):
        return "the key may not list models"
    return "it has no list of models" if error.status in {None, 200, 404} else error.code
