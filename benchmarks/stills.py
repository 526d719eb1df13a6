"""Two sets of pictures: "chosen", on which encoder settings are picked, and "shown", held out.

Both are 1024x1024 PNGs, as image models answer, and as textured as theirs: what is smooth costs an
encoder nothing and would flatter everybody.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import skimage
from PIL import Image, ImageOps

from visionpulse import catalog
from visionpulse.models import PictureRequest
from visionpulse.providers.offline.illustrator import Illustrator

SIDE = 1024

Plane = npt.NDArray[np.float32]

# Photographs that lie in scikit-image's wheel; with the part of the picture that is used.
_PHOTOGRAPHS = {
    "hubble_deep_field.jpg": (0.5, 0.5),
    "coffee.png": (0.5, 0.5),
    "astronaut.png": (0.5, 0.5),
    "motorcycle_left.png": (0.4, 0.5),
    "chelsea.png": (0.4, 0.5),
    "rocket.jpg": (0.5, 0.8),
}
_PAINTED = {
    "chosen": [
        ("a harbour town at the foot of snowy mountains, morning", "watercolor"),
        ("neon streets of a city in the rain, at night", "cinematic"),
        ("a dense old forest with ferns and mist", "documentary"),
    ],
    "shown": [
        ("a coral reef full of fish under the waves", "oil-painting"),
        ("a winter village under northern lights", "anime"),
        ("desert dunes and the ruins of a temple", "cinematic"),
        ("a garden in full bloom, butterflies", "watercolor"),
    ],
}


def make(which: str, folder: Path) -> list[Path]:
    """Draw the set `chosen` or `shown` into a folder, or take the pictures of a folder named so."""
    if which not in _PAINTED:
        own = sorted(
            each for each in Path(which).iterdir() if each.suffix in (".png", ".jpg", ".webp")
        )
        if not own:
            raise SystemExit(f"{which} is neither chosen nor shown nor a folder with pictures.")
        return own
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, picture in _pictures(which):
        file = folder / f"{name}.png"
        picture.save(file, compress_level=3)
        files.append(file)
    return files


def _pictures(which: str) -> Iterator[tuple[str, Image.Image]]:
    """Yield real and painted ones in turn, so that short films have both."""
    others: list[tuple[str, Callable[[], Image.Image]]]
    if which == "chosen":
        others = [(each.__name__.strip("_"), each) for each in (_rock, _meadow, _night, _cloth)]
    else:
        others = [(Path(name).stem, lambda name=name: _photograph(name)) for name in _PHOTOGRAPHS]
    painted = list(enumerate(_PAINTED[which]))
    while others or painted:
        if others:
            name, draw = others.pop(0)
            yield name, draw()
        if painted:
            number, (prompt, style) = painted.pop(0)
            yield f"painted_{number}", _painted(prompt, style)


def _photograph(name: str) -> Image.Image:
    file = Path(skimage.__file__).parent / "data" / name
    with Image.open(file) as image:
        square = ImageOps.fit(
            image.convert("RGB"),
            (SIDE, SIDE),
            Image.Resampling.LANCZOS,
            centering=_PHOTOGRAPHS[name],
        )
    # Enlarged, they lack the finest detail; film grain stands in for it, strongest in mid-tones.
    pixels = np.asarray(square, np.float32)
    dice = np.random.default_rng(len(name))
    grain = cv2.GaussianBlur(dice.standard_normal((SIDE, SIDE), np.float32), (0, 0), 0.6)
    grain *= 4 / grain.std()
    middle = 1 - np.abs(pixels.mean(2) / 127.5 - 1) ** 2
    return _image(pixels + (grain * (0.35 + 0.65 * middle))[..., None])


def _painted(prompt: str, style: str) -> Image.Image:
    request = PictureRequest(prompt=prompt, width=SIDE, height=SIDE, style=catalog.style(style))
    return Image.open(io.BytesIO(Illustrator().draw(request).data)).convert("RGB")


def textured(seed: int = 1) -> Image.Image:
    """Draw a picture with detail at every scale everywhere: what a tracker needs."""
    return _coloured(_noise(seed, 1.0) + 0.6 * _noise(seed + 1, 0.4), (90, 80, 70), (60, 55, 50))


def _rock() -> Image.Image:
    ridges = 1 - 2 * np.abs(_noise(11, 1.1))
    return _coloured(ridges + 0.3 * _noise(12, 0.5), (110, 95, 80), (55, 50, 45))


def _meadow() -> Image.Image:
    blades = cv2.GaussianBlur(_noise(21, 0.2), (0, 0), sigmaX=0.6, sigmaY=5)
    blades *= 1 / blades.std()
    return _coloured(0.7 * blades + _noise(22, 1.3), (80, 120, 50), (45, 50, 30))


def _night() -> Image.Image:
    """Thousands of small lights: the hardest for an interpolator."""
    dice = np.random.default_rng(31)
    lights = np.zeros((SIDE, SIDE), np.float32)
    at = dice.integers(0, SIDE, (2, 9000))
    lights[at[0], at[1]] = dice.exponential(1, 9000)
    glow = 9 * cv2.GaussianBlur(lights, (0, 0), 0.8) + 40 * cv2.GaussianBlur(lights, (0, 0), 6)
    return _coloured(glow + 0.15 * _noise(32, 0.6) - 0.5, (35, 30, 45), (60, 50, 35))


def _cloth() -> Image.Image:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    bend = 12 * _noise(41, 1.6)
    weave = np.sin((x + bend) * 0.9) * np.sin((y - bend) * 0.7)
    return _coloured(0.5 * weave + 0.8 * _noise(42, 1.5), (140, 60, 55), (50, 35, 30))


def _noise(seed: int, slope: float) -> Plane:
    """Return noise whose amplitude falls with frequency to the power of `slope`; deviation 1."""
    dice = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(dice.standard_normal((SIDE, SIDE)))
    down = np.fft.fftfreq(SIDE)[:, None]
    frequency = np.hypot(down, np.fft.rfftfreq(SIDE)[None, :])
    frequency[0, 0] = 1
    field = np.fft.irfft2(spectrum * frequency**-slope, (SIDE, SIDE))
    return ((field - field.mean()) / field.std()).astype(np.float32)


def _coloured(field: Plane, base: tuple[int, ...], spread: tuple[int, ...]) -> Image.Image:
    tint = 0.3 * _noise(7, 1.5)[..., None] * np.array([12, -4, -12], np.float32)
    return _image(np.array(base, np.float32) + field[..., None] * np.array(spread) + tint)


def _image(pixels: npt.NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
