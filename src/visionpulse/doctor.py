"""What a machine needs to make videos, and whether it is here. Calls no vendor."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from visionpulse import __version__, registry
from visionpulse.errors import ConfigurationError, StorageError, VisionPulseError
from visionpulse.renderers.process import NEEDED, find_ffmpeg
from visionpulse.settings import Settings

# As much as LocalStorage.check asks for.
_ENOUGH_BYTES = 200_000_000


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    remedy: str | None = None
    """What to do where it is not all right."""


def examine(provider: str | None = None, home: str | Path | None = None) -> list[Finding]:
    """Look at everything a video needs.

    Args:
        provider: Whose models will be used: openai, offline or auto; by default as set.
        home: Where videos will lie; by default as set.
    """
    try:
        settings = Settings()
    except VisionPulseError as error:
        return [_versions(), Finding("settings", False, error.message, error.hint)]
    chosen = provider or settings.provider or "auto"
    keyed = settings.openai_api_key is not None or settings.openai_base_url is not None
    if chosen == "auto":
        chosen = "openai" if keyed else "offline"
    folder = Path(home or settings.home).absolute()
    checks: list[tuple[str, Callable[[], str]]] = [
        ("ffmpeg", _ffmpeg),
        ("captions", _libass),
        ("folder", lambda: _folder(folder)),
        ("disk", lambda: _disk(folder)),
        ("database", lambda: _database(settings.database, folder / "visionpulse.db")),
        ("offline voice", lambda: _voice(needed=chosen == "offline")),
        ("OpenAI key", lambda: _key(there=keyed, needed=chosen == "openai")),
    ]
    return [_versions(), *(_look(name, check) for name, check in checks)]


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


def _key(*, there: bool, needed: bool) -> str:
    if there:
        return "set"
    if needed:
        raise ConfigurationError(
            "OPENAI_API_KEY is not set.", hint="Set it, or use --provider offline."
        )
    return "not set, and not needed offline"
