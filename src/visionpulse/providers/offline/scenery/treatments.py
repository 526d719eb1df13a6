"""The medium a scene is finished in: what a style does to a picture beyond its colours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from visionpulse.models import Style
from visionpulse.providers.offline.scenery.brief import Vocabulary, words
from visionpulse.providers.offline.scenery.canvas import (
    Canvas,
    Plane,
    blurred,
    colour,
    mix,
    moved,
    resized,
)

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def treat(canvas: Canvas, style: Style | None) -> Plane:
    """Return the finished picture: graded to the style's colours and put into its medium."""
    finish: Callable[[Canvas, Plane, Plane | None], Plane] = _cinematic
    palette: Plane | None = None
    if style:
        told = words(style.name) + words(style.look)
        fitting = [medium for medium, known in _MEDIA.items() if known.names(words(style.name))]
        fitting += sorted(
            (medium for medium, known in _MEDIA.items() if known.score(told)),
            key=lambda medium: -_MEDIA[medium].score(told),
        )
        finish = fitting[0] if fitting else _cinematic
        if style.colours:
            palette = np.stack([colour(code) for code in style.colours])
    return np.clip(finish(canvas, np.clip(canvas.pixels, 0, 1), palette), 0, 1)


def _luma(picture: Plane) -> Plane:
    return picture @ _LUMA


def _graded(picture: Plane, palette: Plane | None, strength: float) -> Plane:
    """Move colours towards the palette's at the same brightness; light and shade stay."""
    if palette is None:
        return picture
    bright = _luma(palette)
    order = np.argsort(bright)
    stops = np.concatenate([[-0.02], bright[order], [1.02]])
    ends = np.concatenate([palette[order][:1] * 0.0, palette[order], np.ones((1, 3), np.float32)])
    value = _luma(picture)
    toned = np.stack([np.interp(value, stops, ends[:, c]) for c in range(3)], -1)
    return picture + (toned.astype(np.float32) - picture) * np.float32(strength)


def _saturated(picture: Plane, amount: float) -> Plane:
    grey = _luma(picture)[..., None]
    return grey + (picture - grey) * np.float32(amount)


def _contrasted(picture: Plane, amount: float) -> Plane:
    """Steepen the middle by an S-curve; 0 changes nothing, 1 is a full smoothstep."""
    picture = np.clip(picture, 0, 1)
    return picture + (picture * picture * (3 - 2 * picture) - picture) * np.float32(amount)


def _vignette(canvas: Canvas, strength: float) -> Plane:
    across, down = canvas.x / canvas.wide - 0.5, canvas.y / canvas.tall - 0.5
    return (1 - np.float32(strength) * (across**2 + down**2) * 2)[..., None]


def _grain(canvas: Canvas, amount: float) -> Plane:
    return canvas.rng.standard_normal((canvas.height, canvas.width, 1), np.float32) * np.float32(
        amount
    )


def _bloom(
    canvas: Canvas, picture: Plane, above: float, strength: float, sigma: float = 0.03
) -> Plane:
    bright = np.clip(picture - above, 0, 1) / (1 - above)
    return picture + (1 - picture) * blurred(bright, canvas.short * sigma) * np.float32(strength)


def _cinematic(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    picture = _contrasted(_graded(_bloom(canvas, picture, 0.6, 0.5), palette, 0.42), 0.35)
    return picture * _vignette(canvas, canvas.between(0.08, 0.25)) + _grain(canvas, 0.014)


def _documentary(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    picture = _saturated(_graded(picture, palette, 0.25), 0.88)
    return _contrasted(picture, 0.2) * _vignette(canvas, 0.18) + _grain(canvas, 0.02)


def _noir(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    grey = _contrasted(_contrasted(_luma(picture)[..., None] * 1.05, 0.9), 0.5)
    grey = _bloom(canvas, grey, 0.7, 0.6) * _vignette(canvas, 0.8)
    toned = (
        _graded(np.repeat(grey, 3, 2), palette, 1.0)
        if palette is not None
        else np.repeat(grey, 3, 2)
    )
    return _saturated(toned, 0.25) + _grain(canvas, 0.035)


def _vintage(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    picture = _saturated(_graded(blurred(picture, canvas.short * 0.0012), palette, 0.5), 0.72)
    faded = (
        0.09
        + picture * np.array([0.87, 0.8, 0.7], np.float32)
        + np.array([0.03, 0.015, 0.0], np.float32)
    )
    leak_x = canvas.wide * float(canvas.rng.integers(2))
    leak = np.exp(-((canvas.x - leak_x) ** 2) / 0.06) * canvas.noise(1.5, 2)
    faded = faded + (1 - faded) * (leak * 0.4)[..., None] * colour("#ff7a3c")
    dust = (canvas.noise(60, 3, 0.7) > 0.97) * np.float32(0.06)
    return faded * _vignette(canvas, 0.5) + dust[..., None] + _grain(canvas, 0.03)


def _cel(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """Flat colours in few tones with a soft bloom and ink at the edges, as in an animated film."""
    flat = _flattened(picture, 0.008)
    tones = 8
    value = _luma(flat)
    steps = value * tones
    whole = np.floor(steps)
    soft = np.clip((steps - whole - 0.5) * 5 + 0.5, 0, 1)
    stepped = (whole + soft) / tones
    flat = flat * (stepped / np.maximum(value, 0.02))[..., None]
    flat = _saturated(_graded(np.clip(flat, 0, 1), palette, 0.35), 1.35)
    ink = np.clip(_edges(canvas, flat) * 1.2 - 0.12, 0, 1)
    flat = flat * (1 - 0.65 * ink)[..., None]
    return _bloom(canvas, flat, 0.6, 0.6, 0.02)


def _watercolour(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """Pigment on paper: washes with dark rims, uneven pools, white edges."""
    height, width = picture.shape[:2]
    wander_x, wander_y = (canvas.noise(20, 4) - 0.5 for _ in range(2))
    reach = canvas.short * 0.016
    rows = np.clip(np.arange(height)[:, None] + wander_y * reach, 0, height - 1).astype(int)
    columns = np.clip(np.arange(width)[None, :] + wander_x * reach, 0, width - 1).astype(int)
    wash = _flattened(picture[rows, columns], 0.007)
    wash = _saturated(_graded(wash, palette, 0.45), 1.15)
    value = _luma(wash)
    rim = np.clip(np.abs(value - blurred(value, canvas.short * 0.006)) * 7, 0, 0.35)
    pools, grain = canvas.noise(5, 5), canvas.noise(140, 2)
    thickness = 0.72 + 0.3 * pools + 0.14 * grain + rim * 1.2
    light = np.clip(wash**0.8 * 0.86 + 0.14, 0.02, 1)[..., :] ** thickness[..., None]
    border = np.minimum(
        np.minimum(canvas.x, canvas.wide - canvas.x), np.minimum(canvas.y, canvas.tall - canvas.y)
    )
    painted = np.clip((border - 0.012 - 0.05 * canvas.noise(6, 5)) * 60, 0, 1)
    paper = colour("#fbf6ec") * (1 + 0.05 * (grain - np.roll(grain, 1, 1)))[..., None]
    return paper * (1 - painted[..., None] * (1 - light))


def _oil(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """Thick strokes: flat patches with the light of raised paint on them."""
    vivid = _saturated(_graded(picture, palette, 0.4), 1.2)
    vivid = vivid * (0.9 + 0.22 * canvas.noise(40, 2, stretch=2.5))[..., None]
    strokes = _kuwahara(vivid, max(2, canvas.short // 130))
    value = _luma(strokes) + 0.10 * canvas.noise(70, 3, stretch=3)
    step = max(1, canvas.short // 500)
    relief = value - moved(value, step, step)
    return _contrasted(strokes * (1 + np.clip(relief * 2.4, -0.2, 0.25))[..., None], 0.25)


def _minimal(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """A poster: few flat shapes in the palette's colours."""
    toned = _graded(_flattened(picture, 0.012), palette, 0.8)
    image = Image.fromarray((np.clip(toned, 0, 1) * 255).astype(np.uint8))
    # Shapes are cleaned at half the size and enlarged softly, which also smooths their edges.
    small = image.resize((canvas.width // 2, canvas.height // 2), Image.Resampling.BOX)
    flat = small.quantize(7, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    clean = flat.convert("RGB").filter(ImageFilter.ModeFilter(3))
    grown = clean.resize(image.size, Image.Resampling.BICUBIC)
    return np.asarray(grown, np.float32) / np.float32(255) * (1 + _grain(canvas, 0.004))


def _papercut(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """Sheets of paper, cut along lines of equal brightness and stacked with shadows."""
    value = _luma(_flattened(picture, 0.008))
    value = blurred(value, canvas.short * 0.0025)
    sheets = 7
    edges = np.quantile(value[::4, ::4], np.linspace(0, 1, sheets + 1)[1:-1])
    source = (
        palette
        if palette is not None
        else np.stack([picture[value <= np.quantile(value, q)].mean(0) for q in (0.2, 0.5, 0.8, 1)])
    )
    source = source[np.argsort(_luma(source))]
    tones = np.stack(
        [
            np.interp(np.linspace(0.98, 0.04, sheets), np.linspace(0, 1, len(source)), source[:, c])
            for c in range(3)
        ],
        -1,
    )
    tones = tones.astype(np.float32)
    white, drop = np.ones(3, np.float32), max(2, canvas.short // 110)
    canvas.paint(tones[0])
    for tone, edge in zip(tones[1:], edges[::-1], strict=True):
        mask = np.clip((edge - value) * canvas.short * 0.25 + 0.5, 0, 1)
        shadow = blurred(moved(mask, drop, drop // 2), canvas.short * 0.012)
        canvas.shade(0.5 * shadow * (1 - mask))
        canvas.paint(tone, mask)
        canvas.light(white, (mask - moved(mask, 2, 1)) * 0.15)
    fibres = 1 + (canvas.noise(90, 3) - 0.5)[..., None] * 0.07 + _grain(canvas, 0.012)
    hue = blurred(picture, canvas.short * 0.05)
    return (canvas.pixels * 0.9 + hue * 0.1) * fibres * _vignette(canvas, 0.15)


def _neon(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """Night and electric light: dark, graded hard, glowing, with colours that part at the edges."""
    dark = _contrasted(picture**1.25, 0.6)
    toned = _saturated(_graded(dark, palette, 0.65), 1.5)
    edge = _edges(canvas, picture)
    tint = palette[-2] if palette is not None and len(palette) > 2 else colour("#ff3cac")
    toned = toned + tint * np.clip(edge - 0.25, 0, 0.5)[..., None]
    toned = _bloom(canvas, np.clip(toned, 0, 1), 0.4, 1.1, 0.025)
    shift = max(1, canvas.short // 340)
    parted = np.stack(
        [moved(toned[..., 0], 0, shift), toned[..., 1], moved(toned[..., 2], 0, -shift)], -1
    )
    lines = 1 - 0.05 * (np.floor(canvas.y * 400) % 2)[..., None]
    return parted * lines * _vignette(canvas, 0.5) + _grain(canvas, 0.012)


def _storybook(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """Gouache and coloured pencil on a cream page."""
    soft = _kuwahara(_saturated(_graded(picture, palette, 0.5), 1.15), max(2, canvas.short // 220))
    lifted = 0.08 + soft**0.85 * 0.94
    pencil = canvas.noise(120, 2, stretch=0.25)
    lifted = lifted * (0.93 + 0.13 * pencil)[..., None]
    ink = np.clip(_edges(canvas, soft) - 0.2, 0, 0.6)[..., None]
    lifted = lifted + (colour("#4a3226") - lifted) * ink * 0.6
    away = np.maximum(np.abs(canvas.x / canvas.wide - 0.5), np.abs(canvas.y / canvas.tall - 0.5))
    page = np.clip((0.475 + 0.03 * canvas.noise(4, 4) - away) * 30, 0, 1)
    return colour("#fbf1dc") + (lifted - colour("#fbf1dc")) * page[..., None]


def _sketch(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """Pencil on paper: outlines, and hatching that crosses where it is dark."""
    value = _luma(_contrasted(_flattened(picture, 0.004), 0.4))
    low, high = np.quantile(value[::4, ::4], (0.02, 0.98))
    value = np.clip((value - low) / (high - low + 1e-3), 0, 1)
    wobble = (canvas.noise(8, 4) - 0.5) * 0.05
    ink = np.zeros_like(value)
    for angle, below in ((0.8, 0.78), (-0.7, 0.52), (0.15, 0.3)):
        across = (
            canvas.x * np.float32(np.cos(angle)) + canvas.y * np.float32(np.sin(angle)) + wobble
        )
        stroke = 0.5 + 0.5 * np.sin(across * 2 * np.pi * 95)
        ink += np.clip((below - value) * 2.2, 0, 1) * np.clip(stroke * 1.6 - 0.5, 0, 1) * 0.55
    ink = np.clip(ink + np.clip(_edges(canvas, picture) * 1.6 - 0.1, 0, 1), 0, 1) * (
        0.7 + 0.4 * canvas.noise(160, 2)
    )
    lead = palette[np.argmin(_luma(palette))] if palette is not None else colour("#2b2a30")
    page = palette[np.argmax(_luma(palette))] if palette is not None else colour("#f7f3ea")
    page = mix(page, colour("#ffffff"), 0.5) * (1 + 0.03 * (canvas.noise(120, 2) - 0.5))[..., None]
    tinted = page * (1 - 0.22 * (1 - _graded(picture, palette, 0.6)))
    return tinted + (lead - tinted) * np.clip(ink, 0, 1)[..., None] * 0.85


def _pixelated(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """Big pixels in few colours."""
    side = 112
    width, height = round(side * canvas.wide), round(side * canvas.tall)
    toned = _contrasted(_saturated(_graded(picture, palette, 0.5), 1.3), 0.3)
    small = np.stack(
        [resized(np.ascontiguousarray(toned[..., c]), width, height) for c in range(3)], -1
    )
    image = Image.fromarray((np.clip(small, 0, 1) * 255).astype(np.uint8))
    image = image.quantize(24, dither=Image.Dither.NONE).convert("RGB")
    grown = image.resize((canvas.width, canvas.height), Image.Resampling.NEAREST)
    return np.asarray(grown, np.float32) / np.float32(255)


def _rendered(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    """Smooth and evenly lit, as small models under studio lamps."""
    smooth = _flattened(picture, 0.004) ** 0.85
    smooth = _saturated(_graded(smooth, palette, 0.5), 1.2)
    value = _luma(smooth)
    step = max(1, canvas.short // 300)
    bevel = value - moved(blurred(value, canvas.short * 0.003), step, step)
    lit = smooth * (1 + np.clip(bevel * 1.5, -0.12, 0.2))[..., None]
    return _bloom(canvas, np.clip(lit, 0, 1), 0.7, 0.5, 0.04) * _vignette(canvas, 0.15)


def _dreamy(canvas: Canvas, picture: Plane, palette: Plane | None) -> Plane:
    soft = _graded(picture, palette, 0.5)
    soft = soft + (1 - soft) * blurred(soft, canvas.short * 0.03) * 0.45
    return _saturated(0.05 + soft * 0.93, 0.95) + _grain(canvas, 0.008)


def _flattened(picture: Plane, grain: float) -> Plane:
    """Remove texture and keep edges, by a median at half the resolution.

    Args:
        picture: What is flattened.
        grain: Size of what disappears, as a part of the shorter side.
    """
    height, width = picture.shape[:2]
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    small = image.resize((max(1, width // 2), max(1, height // 2)), Image.Resampling.BOX)
    size = max(3, round(grain * min(small.size)) | 1)
    # Repeated small medians flatten as well as one large one, in far less time.
    for _ in range(1 if size == 3 else size // 2):
        small = small.filter(ImageFilter.MedianFilter(3 if size == 3 else 5))
    return np.asarray(
        small.resize((width, height), Image.Resampling.BICUBIC), np.float32
    ) / np.float32(255)


def _edges(canvas: Canvas, picture: Plane) -> Plane:
    """Return how much of an outline each pixel is."""
    value = blurred(_luma(picture), max(0.6, canvas.short * 0.0012))
    down, across = np.gradient(value)
    return np.hypot(down, across) * np.float32(canvas.short / 70)


def _kuwahara(picture: Plane, radius: int) -> Plane:
    """Smooth each pixel by the calmest of the four squares it is a corner of (Kuwahara, 1976)."""
    value = _luma(picture)
    mean, square = (_box(plane, radius) for plane in (value, value * value))
    variance = square - mean * mean
    smooth = np.stack([_box(np.ascontiguousarray(picture[..., c]), radius) for c in range(3)], -1)
    half = max(1, radius // 2) + 1
    calmest = np.full(value.shape, np.inf, np.float32)
    out = smooth.copy()
    for down in (-half, half):
        for across in (-half, half):
            candidate = moved(variance, down, across)
            better = candidate < calmest
            calmest = np.where(better, candidate, calmest)
            out = np.where(better[..., None], moved(smooth, down, across), out)
    return out


def _box(plane: Plane, radius: int) -> Plane:
    """Average over a square of the given radius, by running sums."""
    size = 2 * radius + 1
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(plane, padding, mode="edge"), axis=axis, dtype=np.float64)
        count = plane.shape[axis]
        ahead = sums.take(range(size, size + count), axis=axis)
        plane = ((ahead - sums.take(range(count), axis=axis)) / size).astype(np.float32)
    return plane


_Finish = Callable[[Canvas, Plane, Plane | None], Plane]

_MEDIA: dict[_Finish, Vocabulary] = {
    _cinematic: Vocabulary("cinematic cinema* movie film", "anamorphic lens dramatic"),
    _documentary: Vocabulary("documentary natural* realis* photo* editorial", "handheld honest"),
    _noir: Vocabulary("noir monochrome black*", "shadow* contrast"),
    _vintage: Vocabulary(
        "vintage retro nostalg* sepia faded seventies archiv*", "old grain* polaroid"
    ),
    _cel: Vocabulary("anime cel manga cartoon comic* animat*", "line* flat"),
    _watercolour: Vocabulary(
        "watercolor* watercolour* aquarelle gouache", "paint* wash* paper brush*"
    ),
    _oil: Vocabulary("oil impressionis* impasto painterly canvas", "paint* brush* stroke*"),
    _minimal: Vocabulary("minimal* flat vector poster geometric bauhaus", "simple clean shapes"),
    _papercut: Vocabulary("papercut* paper cutout* origami collage layered", "cut* craft*"),
    _neon: Vocabulary("cyberpunk neon synthwave vaporwave futuris*", "electric glow*"),
    _storybook: Vocabulary(
        "storybook fairy* children* picturebook whimsical illustration", "warm cosy cozy"
    ),
    _sketch: Vocabulary("sketch* pencil ink charcoal engraving drawing hatching", "line* paper"),
    _rendered: Vocabulary(
        "3d render* isometric clay plastic miniature* diorama", "studio soft glossy smooth"
    ),
    _pixelated: Vocabulary("pixel* 8bit bit arcade", "game*"),
    _dreamy: Vocabulary("dream* pastel ethereal soft fantasy", "gentle haze*"),
}
