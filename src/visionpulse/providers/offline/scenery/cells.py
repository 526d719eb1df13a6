"""What a microscope shows: cells, strands of DNA, crystals of molecules."""

from __future__ import annotations

import numpy as np

from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.canvas import (
    Canvas,
    Plane,
    blurred,
    colour,
    colours,
    mix,
    ramp,
)

_STAINS = (
    "#12041c #4a1648 #b83a78 #ff9ab0 #fff0e8",
    "#03121c #0a4258 #1c9aa0 #8af0d0 #f4fff0",
    "#0a0a24 #24286e #5a6ae0 #b8b0ff #fff4ff",
    "#140a04 #58280e #c8702a #ffd08a #fffbe8",
    "#04140a #14482a #48a050 #c8f08a #fbffe8",
    "#1c0408 #6a0e1c #cc2a3a #ff8a7a #fff0e6",
)
_KINDS = {
    "cells": Vocabulary(
        "blood virus* bacteria* immun* cancer* microb* germ* disease* medicine* vaccin* "
        "body heart* infect* stem"
    ),
    "helix": Vocabulary(
        "dna gene* genom* helix inherit* evolution* crispr biolog* life mutation* ancest*"
    ),
    "molecule": Vocabulary(
        "molecul* atom* chemi* drug* protein* react* element* particle* carbon water "
        "material* physics energy nuclear*"
    ),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw lit fluid and what floats in it."""
    stain = colours(_STAINS[int(canvas.rng.integers(len(_STAINS)))])
    x, y = canvas.wide * canvas.between(0.0, 1.0), canvas.tall * canvas.between(0.0, 1.0)
    far = canvas.distance(x, y) / np.float32(canvas.between(0.7, 1.3))
    canvas.paint(ramp(np.clip(0.62 - far * 0.6 + (canvas.noise(2, 4) - 0.5) * 0.3, 0, 1), stain))
    kind = brief.choose(_KINDS)
    for _ in range(int(canvas.rng.integers(8, 20))):
        _blob(canvas, stain, canvas.between(0.02, 0.09))
    if kind == "helix":
        _helix(canvas, stain)
    elif kind == "molecule":
        _molecules(canvas, stain)
    else:
        _cells(canvas, stain)


def _blob(canvas: Canvas, stain: Plane, size: float) -> None:
    x, y = canvas.between(0, canvas.wide), canvas.between(0, canvas.tall)
    canvas = canvas.window(x, y, size * 1.6)
    away = canvas.distance(x, y) / np.float32(size)
    canvas.light(
        mix(stain[2], stain[3], canvas.between(0, 1)),
        np.exp(-(away**4)) * np.float32(canvas.between(0.06, 0.2)),
    )


def _cells(canvas: Canvas, stain: Plane) -> None:
    """Float cells at several depths: a soft membrane, a nucleus, grains."""
    cells = sorted(canvas.between(0.05, 0.3) ** 1.3 for _ in range(int(canvas.rng.integers(7, 20))))
    spiked = canvas.chance(0.35)
    heavy_x, heavy_y = canvas.between(0, 1), canvas.between(0, 1)
    for number, size in enumerate(cells):
        depth = number / len(cells)
        x = canvas.wide * float(np.clip(canvas.rng.normal(heavy_x, 0.35), -0.05, 1.05))
        y = canvas.tall * float(np.clip(canvas.rng.normal(heavy_y, 0.35), -0.05, 1.05))
        _cell(canvas, stain, (x, y), size, depth, spiked and depth > 0.4)


def _cell(
    canvas: Canvas, stain: Plane, at: tuple[float, float], size: float, depth: float, spiked: bool
) -> None:
    canvas = canvas.window(*at, size * 1.4)
    dx, dy = (canvas.x - at[0]) / np.float32(size), (canvas.y - at[1]) / np.float32(size)
    angle = np.arctan2(dy, dx)
    outline: Plane = np.ones_like(angle)
    for lobes in (2, 3, 4, 5):
        outline += np.float32(canvas.between(0, 0.06)) * np.sin(
            angle * lobes + canvas.between(0, 6.3)
        )
    away = np.hypot(dx, dy) / outline
    inside = np.clip((1 - away) * size * canvas.short / (1.5 + 14 * abs(depth - 0.7)), 0, 1)
    grain = canvas.noise(9, 5, 0.6)
    membrane = np.exp(-(((away - 0.93) / 0.07) ** 2))
    core_x, core_y = canvas.between(-0.3, 0.3), canvas.between(-0.3, 0.3)
    core = np.exp(-((np.hypot(dx - core_x, dy - core_y) / 0.33) ** 4))
    light = np.clip(0.45 - 0.35 * dx - 0.45 * dy, 0, 1)
    value = 0.3 + 0.2 * grain + 0.35 * membrane + 0.25 * light * away
    body = ramp(np.clip(value, 0, 1), stain)
    body = (
        body
        + (mix(stain[1], stain[2], 0.35) * (0.5 + 0.8 * grain)[..., None] - body)
        * (core * 0.8)[..., None]
    )
    canvas.paint(np.clip(body, 0, 1), inside * np.float32(0.55 + 0.4 * depth))
    canvas.light(
        stain[4],
        (np.exp(-((np.hypot(dx + 0.4, dy + 0.45) / 0.22) ** 2)) * inside * 0.5).astype(np.float32),
    )
    if spiked:
        spikes = canvas.stencil()
        for turn in np.linspace(0, 2 * np.pi, 26, endpoint=False):
            out = (at[0] + np.cos(turn) * size * 1.18, at[1] + np.sin(turn) * size * 1.18)
            spikes.line(
                [(at[0] + np.cos(turn) * size * 0.97, at[1] + np.sin(turn) * size * 0.97), out],
                size * 0.035,
            )
            spikes.ellipse(*out, size * 0.05)
        canvas.paint(mix(stain[2], stain[3], 0.6), spikes.mask() * 0.9)


def _turned(
    middle: tuple[float, float], turn: float, along: float, off: float
) -> tuple[float, float]:
    cos, sin = np.cos(turn), np.sin(turn)
    return middle[0] + along * cos - off * sin, middle[1] + along * sin + off * cos


def _helix(canvas: Canvas, stain: Plane) -> None:
    """Wind double strands across the picture, one near and sharp, others out of focus."""
    for soft, scale in ((0.012, 0.5), (0.005, 0.75), (0.0, 1.0)):
        turn = canvas.between(0, np.pi)
        middle = (
            canvas.wide * canvas.between(0.2, 0.8),
            canvas.tall * canvas.between(0.2, 0.8),
        )
        radius, period, phase = (
            canvas.between(0.08, 0.15) * scale,
            canvas.between(0.3, 0.5) * scale,
            canvas.between(0, 6.3),
        )
        back, front, rungs = canvas.stencil(), canvas.stencil(), canvas.stencil()

        for along in np.arange(-1.5, 1.5, period / 11):
            angle = 2 * np.pi * along / period + phase
            ends = [
                _turned(middle, turn, along, radius * np.sin(angle + shift)) for shift in (0, np.pi)
            ]
            rungs.line(ends, 0.006 * scale)
        for along in np.arange(-1.5, 1.5, period / 70):
            angle = 2 * np.pi * along / period + phase
            for shift in (0.0, np.pi):
                near = np.cos(angle + shift)
                stencil = front if near > 0 else back
                stencil.ellipse(
                    *_turned(middle, turn, along, radius * np.sin(angle + shift)),
                    (0.010 + 0.006 * near) * scale,
                )
        for stencil, tone, strength in (
            (back, mix(stain[1], stain[2], 0.6), 0.8),
            (rungs, mix(stain[2], stain[3], 0.5), 0.75),
            (front, stain[3], 1.0),
        ):
            mask = stencil.mask()
            if soft:
                mask = blurred(mask, canvas.short * soft)
            canvas.paint(tone, mask * np.float32(strength * (0.45 + 0.55 * scale)))
            canvas.light(
                stain[4],
                np.clip(mask - blurred(mask, canvas.short * 0.006), 0, 1) * np.float32(0.5 * scale),
            )
        canvas.light(stain[3], blurred(front.mask(), canvas.short * 0.03) * np.float32(0.5 * scale))


def _molecules(canvas: Canvas, stain: Plane) -> None:
    """Join balls to chains and rings, shaded as glass."""
    tints = [
        stain[3],
        mix(stain[2], colour("#ffffff"), 0.15),
        mix(stain[4], stain[3], 0.3),
        mix(stain[1], stain[2], 0.6),
    ]
    for scale in sorted(canvas.between(0.35, 1.4) for _ in range(int(canvas.rng.integers(3, 8)))):
        x, y = canvas.wide * canvas.between(0.05, 0.95), canvas.tall * canvas.between(0.05, 0.95)
        angle, step = canvas.between(0, 6.3), 0.11 * scale
        balls = [(x, y)]
        bonds = canvas.stencil()
        for link in range(int(canvas.rng.integers(4, 9))):
            angle += (np.pi / 3) * (1 if link % 3 else -1) * (1 if canvas.chance(0.7) else -1)
            following = (balls[-1][0] + step * np.cos(angle), balls[-1][1] + step * np.sin(angle))
            bonds.line([balls[-1], following], 0.018 * scale)
            balls.append(following)
        canvas.paint(
            mix(stain[2], stain[4], 0.35),
            bonds.mask() * np.float32(0.5 + 0.35 * min(1, scale)),
        )
        for ball in balls:
            _ball(
                canvas,
                ball,
                canvas.between(0.024, 0.042) * scale,
                tints[int(canvas.rng.integers(len(tints)))],
                stain[4],
            )


def _ball(canvas: Canvas, at: tuple[float, float], size: float, tint: Plane, light: Plane) -> None:
    canvas = canvas.window(*at, size * 1.1)
    dx, dy = (canvas.x - at[0]) / size, (canvas.y - at[1]) / size
    away = np.hypot(dx, dy)
    bulge = np.sqrt(np.clip(1 - away**2, 0, 1))
    lit = np.clip(-0.5 * dx - 0.6 * dy + 0.62 * bulge, 0, 1)[..., None]
    rim = (np.clip(away, 0, 1) ** 5)[..., None]
    shine = np.exp(-((np.hypot(dx + 0.35, dy + 0.42) / 0.2) ** 2))[..., None]
    tone = tint * (0.22 + 0.8 * lit) + light * (0.7 * shine + 0.14 * rim)
    canvas.paint(np.clip(tone, 0, 1), np.clip((1 - away) * size * canvas.short / 1.5, 0, 1))


FAMILY = Family(
    "cells",
    Vocabulary(
        "cell cells dna gene genes genetic* genom* virus* bacteria* molecul* atom* "
        "microscop* medicine* medical blood immun* vaccin* cancer* disease* protein* "
        "chemi* biolog* microb* laborator* lab doctor* health* body evolution* enzym* "
        "vitamin* antibiotic* neuron* hormone* caffeine sugar",
        "science scientif* scientist* life heart* brain* drug* experiment* discover* "
        "research* invisible tiny small infect* sleep* age aging energy physics "
        "particle* nuclear cure* stress food mutation* coffee",
    ),
    draw,
)
