"""People as silhouettes against a great sky: alone, in pairs, as a family, in a crowd."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import (
    Canvas,
    Plane,
    Stencil,
    blurred,
    colour,
    mix,
)
from visionpulse.providers.offline.scenery.sea import BIRDS, add_bird
from visionpulse.providers.offline.scenery.sky import Sky, paint_sky, pick_hour
from visionpulse.providers.offline.scenery.trees import TREES, add_tree

_GROUPS = {
    "alone": Vocabulary(
        "alone lonely loneliness hero* man woman person self dream* think* leader* "
        "athlete* runner* thinker artist* genius"
    ),
    "pair": Vocabulary(
        "couple* love* two friend* marriage wedding* together partner* mother* father* "
        "son daughter* dog dogs"
    ),
    "family": Vocabulary(
        "family families child* kid kids parent* generation* grand* baby babies school* "
        "play* teacher*"
    ),
    "crowd": Vocabulary(
        "crowd* society nation* everyone community communities team* audience* protest* "
        "soldier* army armies festival* concert* vot* democracy population*"
    ),
}

# Of a figure one unit tall, x to the front and y up: ankle and knee of one leg, of the other,
# elbow and hand of one arm, of the other.
_POSES: dict[str, tuple[tuple[float, float], ...]] = {
    "stand": (
        (-0.07, 0.0),
        (-0.06, 0.26),
        (0.07, 0.0),
        (0.06, 0.26),
        (-0.15, 0.63),
        (-0.14, 0.46),
        (0.15, 0.63),
        (0.14, 0.46),
    ),
    "walk": (
        (-0.17, 0.02),
        (-0.08, 0.26),
        (0.16, 0.0),
        (0.09, 0.27),
        (-0.14, 0.64),
        (-0.1, 0.48),
        (0.13, 0.62),
        (0.2, 0.48),
    ),
    "cheer": (
        (-0.1, 0.0),
        (-0.08, 0.26),
        (0.1, 0.0),
        (0.08, 0.26),
        (-0.2, 0.88),
        (-0.26, 1.06),
        (0.2, 0.88),
        (0.27, 1.05),
    ),
    "point": (
        (-0.07, 0.0),
        (-0.06, 0.26),
        (0.08, 0.0),
        (0.07, 0.26),
        (-0.13, 0.62),
        (-0.12, 0.46),
        (0.2, 0.78),
        (0.38, 0.9),
    ),
    "run": (
        (-0.34, 0.16),
        (-0.14, 0.27),
        (0.2, 0.03),
        (0.17, 0.31),
        (-0.18, 0.66),
        (-0.06, 0.55),
        (0.15, 0.62),
        (0.27, 0.74),
    ),
    "hold": (
        (-0.07, 0.0),
        (-0.06, 0.26),
        (0.07, 0.0),
        (0.06, 0.26),
        (-0.17, 0.62),
        (-0.24, 0.47),
        (0.17, 0.62),
        (0.24, 0.47),
    ),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw a sky, the edge of a hill, and those who stand on it."""
    hour = pick_hour(
        brief, canvas, ("dawn", "golden", "sunset", "dusk", "blue", "night", "emerald", "morning")
    )
    group = brief.choose(_GROUPS)
    ground = canvas.tall * canvas.between(0.68, 0.9)
    sky = paint_sky(canvas, hour, ground)
    across = canvas.x[0] / canvas.wide
    for part in (0.25, 0.5):
        far = canvas.ridge(ground - 0.06 + 0.05 * part, canvas.between(0.04, 0.14), 2, 0.5)
        canvas.paint(hour.at(part), canvas.below(far))
    hump, slope = canvas.between(0, 1), canvas.between(-0.3, 0.3)
    curve = (
        canvas.ridge(ground + 0.08, 0.012, 2, 0.4)
        - canvas.between(0.0, 0.22) * np.exp(-(((across - hump) / 0.35) ** 2))
        - slope * (across - 0.5)
    )
    curve = curve.astype(np.float32)
    figures, plants = canvas.stencil(), canvas.stencil()
    if group == "crowd":
        tall = _crowd(canvas, figures)
    else:
        tall, x = _few(canvas, figures, curve, group or "alone")
        if group == "family" and canvas.chance(0.5):
            _kite(canvas, plants, x, float(curve[canvas.column(x)]) - tall * 0.6)
        if brief.allows(TREES) and canvas.chance(0.45):
            side = canvas.between(0.02, 0.2)
            x = canvas.wide * (side if canvas.chance(0.5) else 1 - side)
            foot = float(curve[canvas.column(x)]) + 0.02
            add_tree(canvas, plants, x, foot, canvas.between(0.3, 0.65), canvas.between(0.2, 1))
        _grass(canvas, plants, curve)
    if brief.allows(BIRDS) and canvas.chance(0.4):
        _birds(canvas, sky)
    dark = np.maximum(_rounded(canvas, figures.mask(), tall * 0.011), plants.mask())
    if group != "crowd":
        dark = np.maximum(dark, canvas.below(curve))
    canvas.paint(mix(hour.shadow, hour.sky[0], 0.1), dark)


def add_figure(
    canvas: Canvas, stencil: Stencil, x: float, foot: float, tall: float, pose: str, heading: int
) -> None:
    """Add a person; `pose` is one of the names in the table of poses."""

    def at(u: float, v: float) -> tuple[float, float]:
        return x + heading * u * tall, foot - v * tall

    ankle, knee, other_ankle, other_knee, elbow, hand, other_elbow, other_hand = _POSES[pose]
    build = canvas.between(0.88, 1.12)
    lean = 0.05 if pose in ("run", "walk") else 0.0
    half = [
        (0.028, 0.86), (0.05, 0.83), (0.115, 0.8), (0.112, 0.72), (0.08, 0.6), (0.09, 0.52),
        (0.05, 0.45),
    ]  # fmt: skip
    right = [at(u * build + lean * (v - 0.5) * 2.5, v) for u, v in half]
    left = [at(-u * build + lean * (v - 0.5) * 2.5, v) for u, v in half]
    stencil.polygon([*right, *left[::-1]])

    def limb(
        start: tuple[float, float], end: tuple[float, float], thick: float, thin: float
    ) -> None:
        along = np.array(end) - start
        out = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-6) / 2 * build
        near, far = out * thick, out * thin
        corners = (start - near, start + near, end + far, end - far)
        stencil.polygon([at(float(u), float(v)) for u, v in corners])
        stencil.ellipse(*at(*end), tall * thin * build / 2)

    for joint, end in ((knee, ankle), (other_knee, other_ankle)):
        limb((float(np.sign(joint[0])) * 0.045, 0.53), joint, 0.105, 0.066)
        limb(joint, (end[0], end[1] + 0.02), 0.068, 0.036)
        stencil.ellipse(*at(end[0] + 0.025, end[1] + 0.014), tall * 0.045, tall * 0.016)
    for side, joint, end in ((-1, elbow, hand), (1, other_elbow, other_hand)):
        limb((side * 0.1 * build + lean * 0.7, 0.79), joint, 0.062, 0.046)
        limb(joint, end, 0.046, 0.03)
        stencil.ellipse(*at(*end), tall * 0.02, tall * 0.026)
    if canvas.chance(0.35) and pose != "run":
        stencil.polygon([at(-0.085, 0.58), at(0.085, 0.58), at(0.16, 0.26), at(-0.16, 0.26)])
    stencil.ellipse(*at(lean * 1.3, 0.925), tall * 0.052, tall * 0.07)
    if canvas.chance(0.4):
        stencil.ellipse(*at(lean * 1.3 - 0.025, 0.9), tall * 0.06, tall * 0.08)


def _rounded(canvas: Canvas, mask: Plane, radius: float) -> Plane:
    """Melt joined shapes into one outline, as flesh and cloth do; `radius` is what is rounded."""
    sharp = max(1.0, radius * canvas.short)
    return np.clip((blurred(mask, sharp) - 0.5) * sharp * 2 + 0.5, 0, 1)


def _few(canvas: Canvas, stencil: Stencil, curve: Plane, group: str) -> tuple[float, float]:
    """Add one or some people; return how tall they are and where the last one stands."""
    x = canvas.wide * canvas.between(0.18, 0.75)
    tall, heading = canvas.between(0.12, 0.32), canvas.side()

    def stand(at_x: float, height: float, pose: str) -> None:
        add_figure(
            canvas, stencil, at_x, float(curve[canvas.column(at_x)]) + 0.006, height, pose, heading
        )

    if group == "alone":
        stand(x, tall, ("stand", "walk", "cheer", "point", "run")[int(canvas.rng.integers(5))])
    elif group == "pair":
        pose = ("hold", "walk", "cheer")[int(canvas.rng.integers(3))]
        stand(x, tall, pose)
        stand(
            x + tall * (0.48 if pose == "hold" else canvas.between(0.5, 0.8)),
            tall * canvas.between(0.82, 1.0),
            pose,
        )
    else:
        for height in canvas.rng.permutation(
            [1.0, 0.93, 0.62, 0.5][: int(canvas.rng.integers(3, 5))]
        ):
            stand(x, tall * float(height), "hold" if canvas.chance(0.8) else "cheer")
            x += tall * 0.42
    return tall, x


def _kite(canvas: Canvas, stencil: Stencil, x: float, hand: float) -> None:
    at_x, at_y = x + canvas.between(-0.3, 0.3), hand - canvas.between(0.2, 0.45)
    stencil.line(
        [(x, hand), ((x + at_x) / 2 + 0.03, (hand + at_y) / 2 + 0.04), (at_x, at_y)], 0.002
    )
    stencil.polygon(
        [(at_x, at_y - 0.05), (at_x + 0.035, at_y), (at_x, at_y + 0.06), (at_x - 0.035, at_y)]
    )


def _crowd(canvas: Canvas, stencil: Stencil) -> float:
    """Fill the foot of the picture with heads and raised arms, higher on one side."""
    foot, rise = canvas.tall * canvas.between(0.98, 1.2), canvas.between(-0.4, 0.4)
    for row in range(4):
        tall = 0.24 + 0.07 * row
        x = -0.1 - canvas.between(0, 0.1)
        while x < canvas.wide + 0.1:
            pose = "cheer" if canvas.chance(0.22) else "stand"
            stands = foot + 0.07 * row + rise * (x / canvas.wide - 0.5)
            height = tall * canvas.between(0.85, 1.1)
            add_figure(canvas, stencil, x, stands, height, pose, canvas.side())
            # Whoever stands in front hides the legs of those behind.
            stencil.box(x - tall * 0.2, stands - tall * 0.55, x + tall * 0.2, canvas.tall + 0.1)
            x += tall * canvas.between(0.24, 0.42)
    return 0.3


def _grass(canvas: Canvas, stencil: Stencil, curve: Plane) -> None:
    for _ in range(260):
        x = canvas.between(0, canvas.wide)
        foot, tall, lean = (
            float(curve[canvas.column(x)]),
            canvas.between(0.006, 0.028),
            canvas.between(-0.012, 0.012),
        )
        stencil.polygon(
            [(x - 0.0015, foot + 0.004), (x + lean, foot - tall), (x + 0.0015, foot + 0.004)]
        )


def _birds(canvas: Canvas, sky: Sky) -> None:
    stencil = canvas.stencil()
    x, y = canvas.wide * canvas.between(0.1, 0.9), sky.horizon * canvas.between(0.15, 0.6)
    for _ in range(int(canvas.rng.integers(4, 16))):
        add_bird(
            stencil,
            x + float(canvas.rng.normal(0, 0.13)),
            y + float(canvas.rng.normal(0, 0.06)),
            canvas.between(0.007, 0.018),
            canvas.between(0.2, 0.8),
        )
    canvas.paint(mix(sky.hour.shadow, colour("#000000"), 0.3), stencil.mask() * 0.85)


FAMILY = Family(
    "people",
    Vocabulary(
        "people person man men woman women child children kid kids family families "
        "crowd* couple* friend* hero* human* humanity society "
        "community team* leader* mother* father* parent* student* dancer* runner* "
        "athlete* silhouette* soldier* audience* grandmother grandfather "
        "girl* boy* baby babies wedding* traveler* traveller*",
        "love* together life lives happy happiness lonely alone relationship* freedom "
        "success generation* kind* smile* "
        "education school* play* sport* game* win* birth* death habit* feel* emotion* self courage",
    ),
    draw,
    roams=True,
)
