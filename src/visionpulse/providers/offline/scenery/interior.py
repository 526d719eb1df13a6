"""Rooms with light from a window: a study, a hall of arches, a table set for someone."""

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
)
from visionpulse.providers.offline.scenery.sky import pick_hour, scatter_stars

_WALLS = ("#b08a64", "#7d8a8c", "#6a5a74", "#9c6f5a", "#5f7468", "#c2a888", "#4f5f78")
_KINDS = {
    "study": Vocabulary(
        "book* read* librar* writ* desk student* school study learn* letter* author* "
        "novel* poem* teacher* knowledge office work*"
    ),
    "table": Vocabulary(
        "table kitchen* cook* food meal* dinner* breakfast coffee tea bread recipe* eat* "
        "wine restaurant* home"
    ),
    "piano": Vocabulary(
        "piano* music* song* violin* guitar* orchestra* concert* instrument* jazz melod* "
        "compos* dance*"
    ),
    "armchair": Vocabulary(
        "chair sleep* rest* room* house* home* therap* sofa relax* grandmother* "
        "grandfather* old wait*"
    ),
}


def draw(canvas: Canvas, brief: Brief) -> None:
    """Draw wall and floor, the windows with their sky, the light they throw, and furniture."""
    hour = pick_hour(brief, canvas)
    paint = colour(_WALLS[int(canvas.rng.integers(len(_WALLS)))])
    bright = np.float32(0.12 + 0.6 * float(hour.sky[-2].mean()))
    floor = canvas.tall * canvas.between(0.6, 0.9)
    plaster = canvas.noise(3, 6, 0.55)
    side = canvas.side()
    source = canvas.wide * (0.5 + side * canvas.between(0.05, 0.42))
    falloff = np.exp(-((canvas.distance(source, floor * 0.5) / canvas.between(0.5, 0.9)) ** 2))
    wall = paint * (0.4 + 0.6 * hour.sun) * bright
    canvas.paint(np.clip(wall * (0.35 + 0.25 * plaster + 0.75 * falloff)[..., None], 0, 1))
    _floor(canvas, floor, paint, bright, hour.sun)
    if canvas.chance(0.75):
        _corner(canvas, wall, floor, source)
    panes = _windows(canvas, floor, source)
    glass = np.clip(canvas.y / floor, 0, 1)[..., None]
    view = hour.sky[1] + (hour.sky[-1] - hour.sky[1]) * glass
    hill = canvas.below(canvas.ridge(floor * canvas.between(0.45, 0.75), 0.07, 2.5, 0.5))
    view = view + (hour.at(0.45) - view) * hill[..., None]
    sheet = Canvas(canvas.width, canvas.height, canvas.rng)
    sheet.paint(view)
    if hour.stars:
        scatter_stars(sheet, hour.stars, floor)
        sheet.glow(source + canvas.between(-0.06, 0.06), floor * 0.3, 0.035, hour.sun, 1)
    canvas.paint(sheet.pixels, panes)
    canvas.light(hour.sun, blurred(panes, canvas.short * 0.045) * 0.55)
    _beams(canvas, panes, hour.sun, floor, side, hour.disc and not hour.stars)
    lamp = hour.stars > 0 or canvas.chance(0.25)
    place = canvas.wide * (0.5 - side * canvas.between(0.02, 0.3))
    kind = brief.choose(_KINDS) or "study"
    tone = mix(colour("#1c120d"), wall, 0.22)
    if kind == "study":
        _shelves(canvas, floor, bright, 0 if place < canvas.wide / 2 else 1)
        _table(canvas, place, floor, tone, books=True)
    elif kind == "table":
        _table(canvas, place, floor, tone, books=False)
    elif kind == "piano":
        _piano(canvas, place, floor, tone)
    else:
        _armchair(canvas, place, floor, tone)
    if lamp:
        _lamp(canvas, canvas.wide * (0.5 - side * canvas.between(0.3, 0.45)), floor)
    if canvas.chance(0.5):
        _curtain(canvas, side if canvas.chance(0.5) else -side, mix(tone, paint, 0.3))
    dust = canvas.stencil()
    for _ in range(120):
        dust.ellipse(
            canvas.between(0, canvas.wide),
            canvas.between(0, canvas.tall),
            canvas.between(0.0007, 0.002),
        )
    canvas.light(hour.sun, dust.mask() * falloff * 0.5)


def _floor(canvas: Canvas, floor: float, paint: Plane, bright: np.float32, sun: Plane) -> None:
    below = canvas.y - np.float32(floor)
    depth = 1 / np.maximum(below + 0.12, 0.02)
    boards = (canvas.x - canvas.wide / 2) * depth
    seam = np.exp(-((((boards * 1.3 + 0.5) % 1 - 0.5) / 0.025) ** 2))
    grain = canvas.noise(3, 6, 0.6, stretch=0.3)
    tone = np.interp(
        np.floor(boards * 1.3 + 0.5) % 17, np.arange(17), canvas.rng.random(17)
    ).astype(np.float32)
    wood = mix(colour("#7a4c2c"), paint, 0.25) * (0.4 + 0.6 * sun) * bright
    body = wood * (0.5 + 0.2 * tone + 0.3 * grain - 0.3 * seam)[..., None]
    canvas.paint(np.clip(body, 0, 1), np.clip(below * canvas.short, 0, 1))
    skirting = np.clip((0.014 - np.abs(canvas.y - floor + 0.012)) * canvas.short, 0, 1)
    canvas.paint(wood * 1.15, skirting * 0.8)


def _corner(canvas: Canvas, wall: Plane, floor: float, source: float) -> None:
    """Turn the wall away from the window towards the eye, in shade, under a ceiling or none."""
    side = -1 if source > canvas.wide / 2 else 1
    corner = canvas.wide * (0.5 + side * canvas.between(0.02, 0.4))
    edge = canvas.wide * (0.5 + side * 0.52)
    drop, ceiling = canvas.between(0.1, 0.9) * abs(edge - corner), canvas.between(-0.1, 0.2)
    turned, above = canvas.stencil(), canvas.stencil()
    turned.polygon([(corner, -0.1), (corner, floor), (edge, floor + drop), (edge, -0.1)])
    plaster = canvas.noise(3, 6, 0.55)
    deep = np.clip(np.abs(canvas.x - corner) / 0.5, 0, 1)
    tone = wall * ((0.3 + 0.2 * plaster) * (1.1 - 0.75 * deep))[..., None]
    canvas.paint(np.clip(tone, 0, 1), turned.mask())
    if ceiling > 0:
        other = canvas.wide * (0.5 - side * 0.52)
        above.polygon(
            [
                (other, -0.1),
                (other, ceiling),
                (corner, ceiling),
                (edge, ceiling - drop),
                (edge, -0.1),
            ]
        )
        canvas.paint(mix(wall, colour("#f2e8d8"), 0.3) * 0.45, above.mask())


def _windows(canvas: Canvas, floor: float, source: float) -> Plane:
    """Return the panes of the windows as a mask: casements or arches, one or several."""
    stencil = canvas.stencil()
    count, arched = int(canvas.rng.integers(1, 4)), canvas.chance(0.45)
    half, top = canvas.between(0.09, 0.2) / (0.6 + 0.4 * count), floor * canvas.between(0.1, 0.3)
    foot = floor * canvas.between(0.68, 0.9)
    for number in range(count):
        x = source + (number - (count - 1) / 2) * half * 2.7
        stencil.box(x - half, top + (half if arched else 0), x + half, foot)
        if arched:
            stencil.ellipse(x, top + half, half)
        bar = half * 0.07
        stencil.box(x - bar / 2, top, x + bar / 2, foot, fill=0)
        for share in np.linspace(0, 1, int(canvas.rng.integers(3, 6)))[1:-1]:
            y = top + (foot - top) * float(share)
            stencil.box(x - half, y - bar / 2, x + half, y + bar / 2, fill=0)
    return stencil.mask()


def _beams(canvas: Canvas, panes: Plane, sun: Plane, floor: float, side: int, direct: bool) -> None:
    """Throw the window's shape onto the floor and let the air carry the light there."""
    strength = 0.75 if direct else 0.22
    slant = -side * canvas.between(0.25, 0.8)
    first = round(floor * canvas.short)
    rows = np.arange(canvas.height)
    back = np.clip(first - (rows - first) * canvas.between(1.2, 2.4), 0, canvas.height - 1).astype(
        int
    )
    shift = ((rows - first) * slant * 1.6).astype(int)
    columns = np.clip(np.arange(canvas.width)[None, :] - shift[:, None], 0, canvas.width - 1)
    patch = np.take_along_axis(panes[back], columns, 1) * (rows > first)[:, None]
    canvas.light(sun, blurred(patch, canvas.short * 0.004) * np.float32(strength))
    air = np.zeros_like(panes)
    for step in range(1, 7):
        across, down = int(slant * canvas.short * 0.07 * step), int(canvas.short * 0.07 * step)
        moved_panes = np.zeros_like(panes)
        moved_panes[down:] = np.roll(panes, across, 1)[: canvas.height - down]
        air += moved_panes * (1 - step / 8)
    canvas.light(sun, blurred(air, canvas.short * 0.03) * np.float32(0.11 * strength / 0.75 + 0.02))


def _table(canvas: Canvas, x: float, floor: float, tone: Plane, *, books: bool) -> None:
    height, half = canvas.between(0.2, 0.28), canvas.between(0.18, 0.32)
    foot = floor + canvas.between(0.04, 0.12)
    wood, things = canvas.stencil(), canvas.stencil()
    top = foot - height
    wood.box(x - half, top, x + half, top + 0.022)
    for leg in (-0.88, 0.82):
        wood.box(x + half * leg, top, x + half * leg + 0.022, foot)
    seat = x + half * canvas.between(-0.4, 0.4)
    wood.box(seat - 0.06, foot - height * 0.55, seat + 0.06, foot - height * 0.5)
    wood.box(seat - 0.06, foot - height * 1.3, seat - 0.048, foot)
    wood.box(seat + 0.048, foot - height * 0.55, seat + 0.06, foot)
    wood.box(seat - 0.06, foot - height * 1.3, seat - 0.02, foot - height * 1.18)
    at = x - half * 0.8
    while at < x + half * 0.75:
        if books and canvas.chance(0.6):
            for level in range(int(canvas.rng.integers(1, 5))):
                wide = canvas.between(0.03, 0.05)
                things.box(
                    at,
                    top - 0.014 * (level + 1),
                    at + wide * 2,
                    top - 0.014 * level - 0.002,
                    fill=canvas.between(0.6, 1),
                )
        elif canvas.chance(0.5):
            things.polygon(
                [(at, top), (at - 0.006, top - 0.045), (at + 0.046, top - 0.045), (at + 0.04, top)]
            )
            things.ellipse(at + 0.052, top - 0.025, 0.014)
        else:
            things.ellipse(at + 0.02, top - 0.03, 0.026, 0.032)
            things.box(at + 0.012, top - 0.13, at + 0.028, top - 0.03)
            for stem in (-0.04, 0.0, 0.045):
                things.line([(at + 0.02, top - 0.1), (at + 0.02 + stem, top - 0.2)], 0.004)
                things.ellipse(at + 0.02 + stem, top - 0.2, 0.02)
        at += canvas.between(0.11, 0.2)
    canvas.paint(tone * 0.8, wood.mask())
    tint = colours("#a8483a #d9a441 #4f7d78 #e8dcc4 #6a4c7a")[int(canvas.rng.integers(5))]
    canvas.paint(mix(tone, tint, 0.5), things.mask())
    canvas.shade(np.exp(-(((canvas.y - foot) / 0.012) ** 2)) * (np.abs(canvas.x - x) < half) * 0.35)


def _shelves(canvas: Canvas, floor: float, bright: np.float32, side: int) -> None:
    """Fill one side of the wall with books."""
    left = 0.0 if side == 0 else canvas.wide * canvas.between(0.66, 0.8)
    right = canvas.wide * canvas.between(0.2, 0.34) if side == 0 else canvas.wide
    canvas_frame = canvas.stencil()
    canvas_frame.box(left, 0, right, floor)
    canvas.paint(colour("#24150d") * (0.5 + bright), canvas_frame.mask() * 0.95)
    spines = colours("#7a2f2a #a8743a #32554f #3c4a6e #8a7a5a #5a3a52 #c2a878 #26343c")
    masks = [canvas.stencil() for _ in spines]
    y = 0.02 + canvas.between(0, 0.05)
    while y < floor - 0.06:
        shelf = canvas.between(0.1, 0.13)
        x = left + 0.012
        while x < right - 0.02:
            wide, tall = canvas.between(0.01, 0.024), shelf * canvas.between(0.62, 0.9)
            masks[int(canvas.rng.integers(len(spines)))].box(
                x,
                y + shelf - tall,
                min(x + wide, right - 0.01),
                y + shelf - 0.006,
                fill=canvas.between(0.7, 1),
            )
            x += wide + (canvas.between(0.02, 0.05) if canvas.chance(0.06) else 0.0015)
        y += shelf
    for spine, mask in zip(spines, masks, strict=True):
        canvas.paint(spine * (0.3 + 0.8 * bright), mask.mask())


def _piano(canvas: Canvas, x: float, floor: float, tone: Plane) -> None:
    """Place a grand piano, its lid up."""
    foot, size, way = floor + canvas.between(0.06, 0.12), canvas.between(0.26, 0.36), canvas.side()

    def at(u: float, v: float) -> tuple[float, float]:
        return x + way * u * size, foot - v * size

    body, lid, keys = canvas.stencil(), canvas.stencil(), canvas.stencil()
    body.polygon([at(-0.75, 0.5), at(-0.72, 0.72), at(0.7, 0.72), at(0.72, 0.55), at(0.5, 0.46)])
    for leg in (-0.62, 0.1, 0.58):
        body.polygon(
            [at(leg - 0.05, 0.5), at(leg + 0.05, 0.5), at(leg + 0.025, 0.0), at(leg - 0.025, 0.0)]
        )
    lid.polygon([at(-0.62, 0.74), at(0.7, 0.76), at(0.92, 1.34), at(0.2, 1.5), at(-0.35, 1.42)])
    body.line([at(0.45, 0.74), at(0.62, 1.25)], size * 0.02)
    body.box(*at(-1.15 if way > 0 else -0.82, 0.33), *at(-0.82 if way > 0 else -1.15, 0.27))
    for leg in (-1.1, -0.88):
        body.line([at(leg, 0.28), at(leg, 0)], size * 0.03)
    keys.polygon([at(-0.86, 0.52), at(-0.86, 0.57), at(-0.7, 0.6), at(-0.7, 0.54)])
    canvas.paint(tone * 0.5, lid.mask())
    canvas.light(
        mix(tone, colour("#ffffff"), 0.4),
        lid.mask() * np.clip((canvas.y - floor + 0.5), 0, 1) * 0.25,
    )
    canvas.paint(tone * 0.3, body.mask())
    canvas.paint(colour("#efe6d6"), keys.mask() * 0.8)


def _armchair(canvas: Canvas, x: float, floor: float, tone: Plane) -> None:
    foot, size, way = floor + canvas.between(0.06, 0.14), canvas.between(0.2, 0.3), canvas.side()

    def at(u: float, v: float) -> tuple[float, float]:
        return x + way * u * size, foot - v * size

    back, seat, rug = canvas.stencil(), canvas.stencil(), canvas.stencil()
    rug.ellipse(x, foot, size * 1.5, size * 0.24)
    back.polygon(
        [
            at(-0.55, 0.2),
            at(-0.62, 1.05),
            at(-0.5, 1.3),
            at(-0.1, 1.36),
            at(0.2, 1.26),
            at(0.26, 1.0),
            at(0.2, 0.25),
        ]
    )
    seat.polygon([at(-0.5, 0.5), at(0.55, 0.52), at(0.62, 0.38), at(0.58, 0.16), at(-0.5, 0.16)])
    seat.ellipse(*at(0.42, 0.64), size * 0.2, size * 0.1)
    seat.polygon(
        [at(-0.3, 0.62), at(0.44, 0.74), at(0.58, 0.66), at(0.58, 0.2), at(0.4, 0.2), at(0.38, 0.5)]
    )
    for leg in (-0.45, 0.5):
        seat.line([at(leg, 0.18), at(leg, 0.0)], size * 0.06)
    tint = colours("#8a3f38 #3f6a66 #b0813c #5a4a78")[int(canvas.rng.integers(4))]
    canvas.paint(mix(tone, tint, 0.3) * 0.8, rug.mask() * 0.75)
    weave = canvas.noise(60, 3, 0.7)
    canvas.paint(mix(tone, tint, 0.5) * (0.7 + 0.3 * weave)[..., None], back.mask())
    canvas.paint(mix(tone, tint, 0.7) * (0.8 + 0.3 * weave)[..., None], seat.mask())


def _curtain(canvas: Canvas, side: int, cloth: Plane) -> None:
    """Hang a heavy curtain at one edge, near the eye."""
    edge = canvas.x / canvas.wide if side < 0 else 1 - canvas.x / canvas.wide
    reach, gather = canvas.between(0.12, 0.3), canvas.between(0.4, 0.9) * canvas.tall
    drawn = reach * (0.55 + 0.45 * np.abs(canvas.y - gather) / canvas.tall * 1.6) + 0.008 * np.sin(
        canvas.y * 14
    )
    folds = 0.6 + 0.4 * np.sin(edge / drawn * canvas.between(14, 26) + 0.8 * np.sin(canvas.y * 3))
    mask = np.clip((drawn - edge) * canvas.short / 2, 0, 1)
    canvas.shade(blurred(mask, canvas.short * 0.03) * (1 - mask) * 0.4)
    canvas.paint(cloth * (0.45 + 0.6 * folds)[..., None], mask)


def _lamp(canvas: Canvas, x: float, floor: float) -> None:
    foot, tall = floor + 0.06, canvas.between(0.42, 0.6)
    stand, shade = canvas.stencil(), canvas.stencil()
    stand.line([(x, foot), (x, foot - tall)], 0.009)
    stand.ellipse(x, foot, 0.045, 0.012)
    shade.polygon(
        [
            (x - 0.075, foot - tall + 0.05),
            (x - 0.045, foot - tall - 0.06),
            (x + 0.045, foot - tall - 0.06),
            (x + 0.075, foot - tall + 0.05),
        ]
    )
    canvas.paint(colour("#1a110c"), stand.mask())
    canvas.glow(x, foot - tall, 0.3, colour("#ffab52"), 0.55)
    canvas.paint(colour("#ffe2a8"), shade.mask())
    canvas.glow(x, foot - tall + 0.03, 0.1, colour("#ffe9b8"), 0.6)


FAMILY = Family(
    "interior",
    Vocabulary(
        "room* house home homes library libraries book* kitchen* window* school* "
        "classroom* museum* bedroom* office* desk table chair piano* "
        "restaurant* cafe coffee study music* song* church* hospital* theater* theatre* "
        "novel* poem* letter*",
        "read* write* writing writer* learn* teach* student* sleep* cook* dinner* tea "
        "story stories rest* quiet* art artist* focus* knowledge meditat* therapy",
    ),
    draw,
    roams=True,
)
