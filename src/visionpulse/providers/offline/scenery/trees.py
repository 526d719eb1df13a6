"""Trees as shapes: pines in tiers, and bare or leafy ones that branch."""

from __future__ import annotations

import math

import numpy as np

from visionpulse.providers.offline.scenery.brief import Vocabulary
from visionpulse.providers.offline.scenery.canvas import Canvas, Stencil

TREES = Vocabulary("tree* forest* wood woods pine*")
"""What asks for trees, or forbids them where they are not the subject."""


def add_pine(canvas: Canvas, stencil: Stencil, x: float, foot: float, tall: float) -> None:
    """Add a pine of ragged tiers."""
    tiers = 9
    lean = canvas.between(-0.02, 0.02) * tall
    for tier in range(tiers):
        part = tier / tiers
        half = tall * (0.02 + 0.2 * part**0.9) * canvas.between(0.75, 1.15)
        top = foot - tall * (1 - part * 0.93)
        drop = tall * 0.16
        tip = x + lean * (1 - part)
        stencil.polygon(
            [
                (tip, top),
                (tip - half, top + drop),
                (tip, top + drop * 0.8),
                (tip + half, top + drop),
            ]
        )
    stencil.box(x - tall * 0.015, foot - tall * 0.1, x + tall * 0.015, foot)


def add_branch(
    canvas: Canvas,
    stencil: Stencil,
    root: tuple[float, float],
    angle: float,
    length: float,
    width: float,
    forks: int,
) -> list[tuple[float, float]]:
    """Add a limb that tapers, bends and forks; return where its twigs end.

    Args:
        canvas: Whose chance is used.
        stencil: What it is added to.
        root: Where it begins.
        angle: Its direction in radians; 0 is to the right, positive is up.
        length: From root to tip.
        width: At the root.
        forks: How many times it divides on the way to a twig.
    """
    bend, taper, steps = canvas.between(-0.35, 0.35), 0.4 if forks else 0.85, 5
    x, y = root
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    for step in range(steps + 1):
        part = step / steps
        heading = angle + bend * part
        half = width / 2 * (1 - part * taper)
        left.append((x + math.sin(heading) * half, y + math.cos(heading) * half))
        right.append((x - math.sin(heading) * half, y - math.cos(heading) * half))
        if step < steps:
            x, y = x + math.cos(heading) * length / steps, y - math.sin(heading) * length / steps
    stencil.polygon([*left, *right[::-1]])
    tip = (x, y)
    if not forks:
        return [tip]
    tips: list[tuple[float, float]] = []
    spread = canvas.between(0.35, 0.7)
    for turn in (-spread, spread * canvas.between(-0.2, 0.3), spread):
        turned = angle + bend + turn * canvas.between(0.7, 1.3)
        tips += add_branch(
            canvas,
            stencil,
            tip,
            turned,
            length * canvas.between(0.6, 0.85),
            width * 0.55,
            forks - 1,
        )
    return tips


def add_tree(
    canvas: Canvas, stencil: Stencil, root: float, foot: float, tall: float, leaves: float
) -> None:
    """Add a broad tree; `leaves` from 0 (bare) to 1 (a full crown)."""
    tips = add_branch(
        canvas,
        stencil,
        (root, foot),
        np.pi / 2 + canvas.between(-0.12, 0.12),
        tall * 0.36,
        tall * 0.075,
        4,
    )
    rng = np.random.default_rng(canvas.rng.integers(2**63))
    for tip_x, tip_y in tips:
        if rng.random() < leaves:
            for x, y, size in zip(
                rng.normal(tip_x, 0.04 * tall, 12),
                rng.normal(tip_y, 0.032 * tall, 12),
                rng.uniform(0.006, 0.022, 12) * tall,
                strict=True,
            ):
                stencil.ellipse(float(x), float(y), float(size), float(size) * 0.75)
