"""The styles a film can have and the documented voices it can be read in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from visionpulse.errors import UnknownNameError
from visionpulse.models import Style, Voice

_Named = TypeVar("_Named", Style, Voice)


def _style(name: str, title: str, look: str, palette: str, colours: str, avoid: str) -> Style:
    return Style(
        name=name,
        title=title,
        look=look,
        palette=tuple(palette.split(", ")),
        colours=tuple(colours.split()),
        avoid=tuple(avoid.split(", ")),
    )


STYLES: Mapping[str, Style] = {
    each.name: each
    for each in (
        _style(
            "cinematic",
            "Cinematic",
            "A still from a feature film, shot on an anamorphic 40 mm lens with shallow depth of"
            " field. Motivated light from one side, haze in the air, fine film grain, rich but"
            " natural contrast.",
            "deep teal, slate blue, warm amber, soft gold, ivory",
            "#0b1a24 #1f4452 #8a5a2b #e0a458 #f6e7c8",
            "flat lighting, oversaturated colours, fisheye distortion, visible film equipment",
        ),
        _style(
            "anime",
            "Anime",
            "A background painting from a hand-drawn Japanese animated film: clean ink lines,"
            " two-tone cel shading, towering clouds and luminous skies. Gentle rim light and tiny"
            " painted details reward a long look.",
            "ultramarine, sky blue, leaf green, coral pink, cloud white",
            "#1b2a52 #3c78c3 #5fae6e #f58f84 #fdf6ec",
            "photorealism, plastic 3D rendering, muddy colours, distorted hands",
        ),
        _style(
            "watercolor",
            "Watercolour",
            "A loose watercolour on cold-pressed paper: wet-in-wet washes, blooms and granulation,"
            " edges that dissolve into the white of the sheet. A few dry-brush strokes carry the"
            " detail.",
            "indigo, sea green, raw sienna, rose, paper white",
            "#2b3a67 #5b8e8d #c58b4e #e5a9a0 #faf5ea",
            "hard outlines, digital gradients, neon colours, heavy black",
        ),
        _style(
            "noir",
            "Film noir",
            "Black-and-white film noir of the 1940s: one hard key light, long shadows, blinds and"
            " wet asphalt, smoke drifting through the beam. Low camera angles, deep blacks and"
            " silver highlights on grainy 35 mm stock.",
            "black, charcoal, iron grey, silver, bone white",
            "#08090b #24272c #5a5f66 #a9adb3 #eeeae2",
            "colour, cheerful mood, flat daylight, modern objects",
        ),
        _style(
            "vintage",
            "Vintage",
            "A faded colour photograph from the 1970s: lifted blacks, warm cast, soft corners and"
            " light leaks. Everyday framing on slide film, slightly out of register, with the"
            " scratches of an old print.",
            "umber, burnt orange, faded teal, mustard, cream",
            "#3a2a1e #a3522a #7d9b93 #d09a3a #f3e3c3",
            "crisp digital sharpness, neon light, modern gadgets, cold colours",
        ),
        _style(
            "minimalist",
            "Minimalist",
            "A minimalist composition: one clear subject, large calm areas of flat colour and"
            " generous empty space. Simple geometry, a single soft shadow, matte surfaces.",
            "graphite, dusty blue, terracotta, sand, off-white",
            "#2d3138 #6d8299 #c9714f #e5d3b8 #f8f5ef",
            "clutter, busy textures, ornament, strong gradients",
        ),
        _style(
            "papercut",
            "Paper cut",
            "A diorama of layered cut paper, lit from within: crisp scissor edges, fibres in the"
            " card and soft shadows between the layers. Depth comes only from the stacking of the"
            " sheets.",
            "midnight blue, plum, vermilion, apricot, cream",
            "#1c1f3f #5b2a5e #d3503c #f2a65a #fbeed5",
            "photorealistic textures, thin pen lines, glossy surfaces, metallic shine",
        ),
        _style(
            "oil-painting",
            "Oil painting",
            "A classical oil painting on linen: visible impasto strokes, warm underpainting and"
            " glazes, light falling from a high window as in the Dutch masters. Edges lost and"
            " found, varnish deepening the darks.",
            "bitumen brown, venetian red, olive, ochre, lead white",
            "#20160f #7c2f22 #5c6236 #c69443 #efe3c6",
            "photographic sharpness, flat vector shapes, neon colours, picture frames",
        ),
        _style(
            "cyberpunk",
            "Cyberpunk",
            "A dense city of the near future at night after rain: holographic glow, steam, cables"
            " and reflections in every puddle. Wide lens, volumetric light, strong rim lights in"
            " two opposing colours.",
            "ink violet, electric blue, magenta, cyan, acid yellow",
            "#0d0621 #2a2fae #d61f8d #22d3ee #f4f36a",
            "daylight, pastel colours, rural calm, readable signs",
        ),
        _style(
            "documentary",
            "Documentary",
            "A documentary photograph for a nature and science magazine: natural light, honest"
            " colour, deep focus on a 35 mm lens. The moment is observed rather than staged, and"
            " every texture is legible.",
            "earth brown, forest green, stone grey, sky blue, warm white",
            "#2a241d #4b6043 #8a8a82 #8fb4cf #f4efe4",
            "fantasy elements, heavy filters, staged poses, studio backdrops",
        ),
        _style(
            "storybook",
            "Storybook",
            "A double page from a treasured picture book, in gouache and coloured pencil: rounded"
            " friendly shapes, patterned foliage, a warm lamp-like glow. Small humorous details"
            " hide in the corners.",
            "pine green, berry red, honey, powder blue, vanilla",
            "#234236 #b3404a #e8ab4f #9cc3d5 #fdf3dc",
            "frightening imagery, photorealism, harsh shadows, gore",
        ),
        _style(
            "sketch",
            "Pencil sketch",
            "A graphite drawing from a traveller's sketchbook: searching construction lines,"
            " cross-hatched shadows, smudges of the thumb and untouched paper for the light. One"
            " sparing wash of tint leads the eye.",
            "graphite black, pencil grey, sepia, pale blue, paper cream",
            "#22211f #5d5b57 #8b6b4c #a9bccb #f5efe0",
            "full colour, glossy rendering, thick cartoon outlines, solid black fills",
        ),
        _style(
            "comic",
            "Comic",
            "A panel from a graphic novel: confident brushed ink, spotted blacks, halftone dots and"
            " flat colours slightly off register. Bold foreshortening and one strong diagonal.",
            "ink black, royal blue, fire red, sun yellow, newsprint white",
            "#14131a #1f4aa8 #d8352a #f6c22d #f8f1e1",
            "speech bubbles, photorealism, soft gradients, panel grids",
        ),
        _style(
            "pixel-art",
            "Pixel art",
            "Pixel art in the manner of a 16-bit adventure game: a limited palette, deliberate"
            " dithering, crisp square pixels and parallax layers. Silhouettes read at a glance.",
            "night purple, moss green, brick, peach, mint white",
            "#1d1836 #3f6d4e #b4573f #f3b27a #eafbe7",
            "smooth gradients, anti-aliased edges, photographic detail, mixed pixel sizes",
        ),
        _style(
            "3d-render",
            "3D render",
            "A polished 3D render as in a modern animated film: soft global illumination,"
            " subsurface warmth, rounded forms and tactile clay and felt materials. Large area"
            " lights and a shallow, toy-like focus.",
            "deep aubergine, violet blue, coral, butter yellow, milk white",
            "#241a3b #5a55c9 #f0705f #fbd46d #fbf7f2",
            "grainy film texture, hand-drawn lines, low-polygon artefacts, gloom",
        ),
        _style(
            "isometric",
            "Isometric",
            "An isometric miniature world seen from above at thirty degrees: tidy blocks, tiny"
            " readable props, soft ambient shadows on a plain ground. Everything looks like a"
            " well-made model one could pick up.",
            "navy, teal, tangerine, lilac, pale grey",
            "#1a2440 #2a8c8c #f08a3c #b9a6e3 #f1f2f5",
            "strong perspective, horizon lines, clutter, photographic grain",
        ),
    )
}
"""By name; every look is written for an image model."""


def style(name: str) -> Style:
    """Return a style by its name, in any case. Raises UnknownNameError."""
    return _named("style", name, STYLES)


VOICES: Mapping[str, Voice] = {
    name: Voice(name=name, description=description, provider="openai")
    for name, description in (
        ("alloy", "Neutral and even, neither young nor old; fits nearly everything."),
        ("ash", "A clear, confident male voice with an easy warmth."),
        ("ballad", "A soft, melodic male voice with a storyteller's rise and fall."),
        ("coral", "A friendly, bright female voice, close to the microphone."),
        ("echo", "A calm, measured male voice with a smooth tone."),
        ("fable", "An expressive voice with a British colour, made for tales."),
        ("onyx", "A deep, grave male voice with authority."),
        ("nova", "A lively, warm young female voice."),
        ("sage", "A gentle, thoughtful female voice that never hurries."),
        ("shimmer", "A light, clear female voice with an optimistic lift."),
        ("verse", "A versatile, animated male voice that follows the mood of the text."),
        ("marin", "A natural, conversational female voice; one of the two most lifelike."),
        ("cedar", "A natural, rounded male voice; one of the two most lifelike."),
    )
}
"""The documented voices; other providers map these names onto what they have."""


def voice(name: str) -> Voice:
    """Return a documented voice by its name, in any case. Raises UnknownNameError."""
    return _named("voice", name, VOICES)


def _named(what: str, name: str, known: Mapping[str, _Named]) -> _Named:
    found = known.get(name.strip().lower())
    if found is None:
        raise UnknownNameError(what, name, known)
    return found
