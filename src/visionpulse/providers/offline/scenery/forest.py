"""Woods: trunks behind trunks in the mist, shafts of light, leaves above and ferns below."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import (
    Canvas,
    Plane,
    Stencil,
    blurred,
    colours,
    mix,
    moved,
    ramp,
)
from visionpulse.providers.offline.scenery.trees import add_branch

_SEASONS = {
    # From the light between the trees to the shadow of the nearest trunk.
    "summer": colours("#f2f7c8 #b9d67a #5f9a4a #2a5a38 #0d2a20"),
    "autumn": colours("#fff0c2 #f5bf62 #d57f35 #8a3f22 #2a1512"),
    "mist": colours("#eef1ea #c2cec8 #84999a #42585c #14222a"),
    "night": colours("#b9d4e8 #5b86ad #2c5078 #142c4c #050c1c"),
    "emerald": colours("#dffbe0 #86d8a8 #2f9a7c #12594f #052a2c"),
    "violet": colours("#ffe3ef #d9a3cf #8d62a8 #4c3473 #170f30"),
}
_WORDS = {
    "summer": Vocabulary("summer spring green fresh sunny morning life grow*"),
    "autumn": Vocabulary("autumn* fall* leaf leaves golden harvest october october* warm"),
    "mist": Vocabulary("mist* fog* silent* cold winter rain* quiet"),
    "night": Vocabulary("night* moon* dark* fear* wolf wolves owl* dream*"),
    "emerald": Vocabulary("jungle* rainforest* tropical amazon moss* ancient* deep"),
    "violet": Vocabulary("magic* enchant* fairy* wizard* myth* fantasy tale*"),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw the light first, then trunks towards the eye."""
    season = brief.choose(_WORDS)
    tones = _SEASONS[season or "summer"]
    light_x, light_y = (
        canvas.wide * canvas.between(-0.05, 1.05),
        canvas.tall * canvas.between(-0.05, 0.6),
    )
    ground = canvas.tall * canvas.between(0.62, 0.9)
    far = canvas.distance(light_x, light_y) / np.float32(canvas.between(0.55, 1.05))
    canvas.paint(ramp(np.clip(far + (canvas.noise(3, 5) - 0.5) * 0.4, 0, 1) * 0.75, tones))
    layers = int(canvas.rng.integers(4, 7))
    slope = canvas.between(-0.2, 0.2)
    clearing, opened = canvas.between(0.1, 0.9), canvas.between(0.08, 0.25)
    textures = canvas.noise(30, 4, 0.6, stretch=0.15), canvas.noise(18, 5, 0.65, stretch=2.5)
    for number in range(layers):
        depth = number / (layers - 1)
        base = ground + (canvas.tall * 1.04 - ground) * depth**1.4
        tone = (
            mix(tones[1], tones[2], depth * 2)
            if depth < 0.5
            else mix(tones[2], tones[4], depth * 2 - 1)
        )
        curve = canvas.ridge(base, 0.03 + 0.03 * depth, 2, 0.5) + slope * (1 - depth) * (
            canvas.x[0] / canvas.wide - 0.5
        )
        _stand(canvas, curve.astype(np.float32), depth, tone, (clearing, opened), textures)
        haze = np.exp(-(((canvas.y - base) / 0.2) ** 2)) * canvas.noise(2, 4, stretch=2)
        canvas.light(tones[0], haze * np.float32(0.42 * (1 - depth) ** 1.5))
        if number == layers - 2:
            _shafts(canvas, tones[0], (light_x, light_y))
    _leaves(canvas, tones, light_x)
    _ferns(canvas, tones[4])


def _stand(
    canvas: Canvas,
    curve: Plane,
    depth: float,
    tone: Plane,
    clearing: tuple[float, float],
    textures: tuple[Plane, Plane],
) -> None:
    """Stand one row of trees, thicker and fewer the nearer it is."""
    stencil = canvas.stencil()
    for _ in range(
        int(canvas.rng.integers(16, 26) * (1 - depth) ** 1.1 + canvas.rng.integers(2, 5))
    ):
        across = canvas.between(-0.03, 1.03)
        if abs(across - clearing[0]) < clearing[1] * (0.4 + 0.8 * depth):
            across += 2 * clearing[1] * canvas.side()
        x = canvas.wide * across
        _tree(
            stencil,
            canvas,
            x,
            float(curve[canvas.column(x)]) + 0.02,
            canvas.between(0.005, 0.012) * (1 + 5.5 * depth**1.8),
        )
    bark, litter = textures
    trunks = stencil.mask()
    soil = canvas.below(curve)
    soft = blurred(trunks, canvas.short * (0.003 + 0.012 * depth))
    # Round trunks: the side towards the light catches it.
    lit = np.clip(
        (soft - moved(soft, 0, int(canvas.short * (0.003 + 0.012 * depth)))) * 1.4, -0.3, 1
    )
    body = tone * (0.8 + 0.35 * bark + 0.7 * lit)[..., None]
    canvas.paint(np.clip(body, 0, 1), trunks)
    canvas.paint(tone * (0.7 + 0.6 * litter)[..., None], soil)


def _tree(stencil: Stencil, canvas: Canvas, x: float, foot: float, half: float) -> None:
    lean = canvas.between(-0.05, 0.05)
    part = np.linspace(0, 1, 9)
    bend = x + lean * part + canvas.between(-0.012, 0.012) * np.sin(part * 5 + canvas.between(0, 6))
    at_y = foot - (foot + 0.05) * part
    girth = half * (1 + 0.9 * np.exp(-part * 22)) * (1 - 0.35 * part)
    stencil.polygon(
        [*zip(bend - girth, at_y, strict=True), *zip((bend + girth)[::-1], at_y[::-1], strict=True)]
    )
    for _ in range(int(canvas.rng.integers(2, 7))):
        at = canvas.between(0.35, 0.95)
        side = canvas.side()
        root_x, root_y = float(np.interp(at, part, bend)), foot - (foot + 0.05) * at
        angle = np.pi / 2 - side * canvas.between(0.7, 1.35)
        add_branch(
            canvas, stencil, (root_x, root_y), angle, half * canvas.between(2, 5), half * 0.6, 2
        )


def _shafts(canvas: Canvas, light: Plane, source: tuple[float, float]) -> None:
    x, y = source[0], source[1] - 0.35
    angle = np.arctan2(canvas.x - x, canvas.y - y)
    beams = np.interp(angle, np.linspace(-1.8, 1.8, 46), canvas.rng.random(46) ** 2).astype(
        np.float32
    )
    fade = np.exp(-((canvas.distance(x, y) / canvas.between(0.7, 1.2)) ** 2))
    canvas.light(
        light, blurred(beams * fade, canvas.short * 0.006) * np.float32(canvas.between(0.35, 0.8))
    )
    canvas.glow(source[0], source[1], canvas.between(0.08, 0.2), light, 0.75)


def _leaves(canvas: Canvas, tones: Plane, light_x: float) -> None:
    """Hang foliage from above, thin near the light."""
    reach = canvas.tall * canvas.between(0.1, 0.36)
    for part in (0.45, 1.0):
        leaf = canvas.noise(16 - 6 * part, 5, 0.72)
        mass = canvas.noise(2.2, 3)
        hang = 1 - canvas.y / np.float32(reach * (1.25 - 0.4 * part))
        near_light = np.exp(-(((canvas.x - light_x) / 0.3) ** 2)) * 0.35
        mask = np.clip((hang + (mass - 0.5) * 1.3 + (leaf - 0.5) * 1.5 - near_light) * 7, 0, 1)
        tint = mix(tones[2], tones[3] if part < 1 else tones[4], part)
        canvas.paint(tint * (0.7 + 0.7 * leaf)[..., None], mask * 0.93)


def _ferns(canvas: Canvas, shadow: Plane) -> None:
    """Let ferns stand into the picture from below, more on one side."""
    stencil, heavy = canvas.stencil(), canvas.side()
    for _ in range(int(canvas.rng.integers(9, 26))):
        across = canvas.rng.beta(1, 1.8)
        x = canvas.wide * (across if heavy < 0 else 1 - across)
        for _ in range(6):
            _frond(stencil, canvas, x, canvas.between(0.07, 0.17) * (1.3 - 0.6 * across))
    canvas.paint(shadow * 0.7, stencil.mask())


def _frond(stencil: Stencil, canvas: Canvas, x: float, length: float) -> None:
    lean = canvas.between(-1, 1)
    part = np.linspace(0, 1, 12)
    at_x = x + lean * length * part * 0.9
    at_y = canvas.tall * 1.01 - length * (part * 1.3 - 0.55 * part**2.2)
    stencil.line(list(zip(at_x, at_y, strict=True)), 0.003)
    for place in range(2, 12):
        leaf = length * 0.22 * (1.05 - part[place])
        for side in (-1, 1):
            stencil.polygon(
                [
                    (at_x[place], at_y[place]),
                    (at_x[place] + side * leaf * 0.6 + 0.3 * leaf * lean, at_y[place] - leaf),
                    (at_x[place - 1], at_y[place - 1]),
                ]
            )


FAMILY = Family(
    "forest",
    Vocabulary(
        "forest* wood woods woodland* tree* jungle* rainforest* leaf leaves pine* oak* "
        "bamboo moss* wolf wolves bear bears deer fox* owl* "
        "mushroom* fung* fairy* amazon",
        "nature wild* green root* branch* animal* bird* path quiet* silence walk* "
        "ecosystem* life enchant* magic* autumn conserv* breath* story grow*",
    ),
    draw,
    roams=True,
)
