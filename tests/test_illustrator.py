"""The offline illustrator: what it draws, how it chooses, and that no picture repeats another."""

from __future__ import annotations

import io
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from zlib import crc32

import imagehash
import numpy as np
import pytest
from PIL import Image

from visionpulse.catalog import STYLES
from visionpulse.errors import InputError
from visionpulse.models import Picture, PictureRequest, Style
from visionpulse.protocols import FREE, ImageModel
from visionpulse.providers.offline.illustrator import Illustrator
from visionpulse.providers.offline.scenery.brief import Brief, Family, Vocabulary
from visionpulse.providers.offline.scenery.families import FAMILIES, choose_family

SCRIPTS = (Path(__file__).parent / "data" / "fifty_scripts.txt").read_text("utf-8").splitlines()
CLOSEST_ALLOWED = 12


def request(prompt: str, side: int = 128, **more: object) -> PictureRequest:
    return PictureRequest.model_validate({"prompt": prompt, "width": side, "height": side, **more})


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    return image


def drawn(prompt: str, side: int = 128, **more: object) -> Image.Image:
    return opened(Illustrator().draw(request(prompt, side, **more)))


def family_of(prompt: str, *avoid: str, style: Style | None = None) -> str:
    chance = np.random.default_rng(crc32(prompt.encode()))
    return choose_family(Brief(prompt, avoid, style, chance)).name


def scenes_of(script: str) -> list[str]:
    """The script's two sentences, and both together: three scenes on one subject."""
    first, _, second = script.partition(". ")
    return [f"{first}.", second, script]


def perceptual_hash(prompt: str) -> imagehash.ImageHash:
    return imagehash.phash(drawn(prompt, 256))


def test_it_is_an_image_model() -> None:
    """It has what the protocol asks for, is free, and names itself."""
    illustrator = Illustrator()

    assert isinstance(illustrator, ImageModel)
    assert illustrator.provider == "offline"
    assert illustrator.identity == f"offline:{illustrator.model.replace('-', ':')}"
    assert illustrator.quote(request("a hill")) is FREE


@pytest.mark.parametrize(
    ("width", "height"),
    [(64, 64), (1024, 1024), (1536, 864), (270, 480), (64, 512), (999, 333), (2000, 1125)],
)
def test_a_picture_has_exactly_the_size_asked_for(width: int, height: int) -> None:
    """Whatever the size and aspect, it is a PNG of just that size that decodes."""
    asked = PictureRequest(prompt="mountains at dawn", width=width, height=height)

    image = opened(Illustrator().draw(asked))

    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (width, height))


@pytest.mark.parametrize(("width", "height"), [(63, 512), (512, 4097), (0, 64)])
def test_a_size_that_cannot_be_drawn_is_refused(width: int, height: int) -> None:
    """A side below 64 or above 4096 pixels is an error that says so, before and when drawing."""
    asked = PictureRequest(prompt="a hill", width=width, height=height)

    with pytest.raises(InputError, match=f"{width}x{height}"):
        Illustrator().check(asked)
    with pytest.raises(InputError, match=f"{width}x{height}"):
        Illustrator().draw(asked)


def test_the_same_request_gives_the_same_bytes() -> None:
    """In four threads at once and from two instances, the bytes are equal."""
    asked = request("a fox in a snowy forest", style=STYLES["watercolor"])
    first = Illustrator().draw(asked).data

    with ThreadPoolExecutor(4) as pool:
        again = [picture.data for picture in pool.map(Illustrator().draw, [asked] * 4)]

    assert again == [first] * 4


def test_another_process_draws_the_same_bytes() -> None:
    """Nothing depends on the process: not the hash seed of strings, not the order of a set."""
    asked = request("an old harbour and a city behind it")

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        elsewhere = pool.submit(Illustrator().draw, asked).result()

    assert elsewhere == Illustrator().draw(asked)


def test_a_scene_keeps_its_composition_at_every_size() -> None:
    """A larger picture of the same prompt shows the same scene, not another one."""
    small, large = (drawn("sailing ships at sea", side) for side in (256, 768))

    assert imagehash.phash(small) - imagehash.phash(large) < CLOSEST_ALLOWED


def test_what_decides_the_picture_is_in_its_parameters() -> None:
    """Requests that are drawn differently differ in their parameters, and can be named in JSON."""
    illustrator = Illustrator()
    style = STYLES["anime"]
    asked = [
        request("a hill"),
        request("a hall"),
        request("a hill", 256),
        request("a hill", avoid=("trees",)),
        request("a hill", style=style),
        request("a hill", style=style.model_copy(update={"colours": ("#000000", "#ffffff")})),
        request("a hill", style=style.model_copy(update={"look": "Pencil."})),
    ]

    named = [repr(sorted(illustrator.parameters(each).items())) for each in asked]

    assert len(set(named)) == len(asked)
    assert named[0] == repr(sorted(illustrator.parameters(request("a hill")).items()))


@pytest.mark.parametrize(
    ("prompt", "family"),
    [
        ("Whales singing under the ocean", "depths"),
        ("A lighthouse on the coast", "sea"),
        ("Climbing the highest mountain peak", "mountains"),
        ("A distant galaxy full of stars", "nebula"),
        ("An astronaut looks down at planet Earth from orbit", "planet"),
        ("Wolves between the trees of an old forest", "forest"),
        ("The skyline of New York, office buildings and traffic", "city"),
        ("A caravan of camels crosses the Sahara", "desert"),
        ("A farm among wheat fields", "fields"),
        ("Penguins on the ice of Antarctica", "winter"),
        ("Thunder and lightning, a storm gathers", "storm"),
        ("The volcano erupts and lava flows", "fire"),
        ("A family with two children", "people"),
        ("The pyramids of ancient Egypt", "ruins"),
        ("Driving down an endless highway", "road"),
        ("Tulips and roses bloom", "garden"),
        ("Shelves of books in the library of the school", "interior"),
        ("Computers exchange data over the internet", "network"),
        ("White blood cells attack a virus", "cells"),
        ("Inflation, interest and the price of money", "growth"),
    ],
)
def test_the_words_choose_the_family(prompt: str, family: str) -> None:
    """Plain words lead to the scene anyone would expect."""
    assert family_of(prompt) == family


@pytest.mark.parametrize(
    ("sentence", "family"),
    [
        ("In total darkness, gardens of white crabs and scarlet worms are thriving.", "depths"),
        ("Water as hot as molten lead pours from chimneys of stone.", "depths"),
        ("An anglerfish hangs motionless, holding a small green lantern.", "depths"),
    ],
)
def test_the_rest_of_a_film_outweighs_a_figure_of_speech(sentence: str, family: str) -> None:
    """One garden, or one field's word, does not take a film of the deep sea ashore."""
    whole = "From a film of water, anglerfish hangs motionless, jellyfish drifts past."
    brief = f"{sentence} {whole}"

    chosen = {
        choose_family(Brief(brief, (), None, np.random.default_rng(n))).name for n in range(20)
    }

    assert chosen == {family}


def test_a_garden_is_a_garden() -> None:
    """Where nothing speaks of the sea, the same word is meant as it stands."""
    assert family_of("Crabs are carved on the gate of the gardens") == "garden"
    assert family_of("Worms loosen the soil of a garden") == "garden"


@pytest.mark.parametrize("dark", ["in total darkness", "at night", "in black water"])
def test_the_sea_is_dark_where_the_words_say_so(dark: str) -> None:
    """Words for darkness take nearly half of the light out of a picture of the sea."""

    def brightness(prompt: str) -> float:
        return float(np.mean([np.asarray(drawn(f"{prompt} {n}").convert("L")) for n in range(6)]))

    assert brightness(f"Whales in the ocean {dark}") < 0.6 * brightness("Whales in the ocean today")


def test_the_words_of_the_style_choose_nothing() -> None:
    """A look that names things says how to draw, not what."""
    style = STYLES["cyberpunk"].model_copy(update={"look": "City streets, neon skyscrapers."})

    chosen = {
        choose_family(
            Brief(f"Sheep and cows in a meadow. {style.look}", (), style, np.random.default_rng(n))
        ).name
        for n in range(20)
    }

    assert chosen == {"fields"}


_SUBJECTS = {
        "depths": "ocean", "sea": "sea", "mountains": "mountains", "nebula": "galaxy",
        "planet": "planets", "forest": "forest", "city": "city", "desert": "desert",
        "fields": "farms", "winter": "snow", "storm": "storms", "fire": "fire",
        "people": "people", "ruins": "ruins", "road": "roads", "garden": "flowers",
        "interior": "rooms", "network": "computers", "cells": "cells", "growth": "money",
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_that_is_to_be_avoided_is_not_drawn(family: Family) -> None:
    """Naming a family's own subjects among the things to avoid excludes it, always."""
    subject = _SUBJECTS[family.name]

    chosen = {
        choose_family(Brief(f"{subject} again", (subject,), None, np.random.default_rng(n))).name
        for n in range(40)
    }

    assert family.name not in chosen


def test_a_motif_that_is_to_be_avoided_is_not_chosen() -> None:
    """Within a scene, too, what is to be avoided gives way to what is not, or to nothing."""
    motifs = {"whale": Vocabulary("whale*"), "wreck": Vocabulary("wreck* ship*")}
    chance = np.random.default_rng(1)

    def chosen(*avoid: str) -> str | None:
        return Brief("A whale beside a wreck, whales all around", avoid, None, chance).choose(
            motifs
        )

    assert chosen() == "whale"
    assert {chosen("whales") for _ in range(20)} == {"wreck"}
    assert chosen("whales", "ships") is None


def test_what_a_prompt_itself_excludes_is_not_drawn() -> None:
    """`no people` does not lead to people."""
    names = {
        family_of(f"{start}, no people, without a city")
        for start in ("Quiet", "Evening", "A walk", "Nothing", "Hills")
    }

    assert not names & {"people", "city"}


def test_avoiding_everything_still_draws() -> None:
    """When nothing is left to draw, there is a picture all the same."""
    avoid = tuple(_SUBJECTS.values())

    assert drawn("anything", 64, avoid=avoid).size == (64, 64)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "   ",
        "深海の生き物は自分で光る",
        "🌋🐳🏙️",
        "zxqv",
        "\ud800 lone surrogate",
        "no",
        "a" * 20_000,
    ],
)
def test_any_text_is_drawn(prompt: str) -> None:
    """Text in any script, nonsense, or none at all gives a picture with light and shade."""
    pixels = np.asarray(drawn(prompt, 64).convert("L"), float)

    assert pixels.std() > 5


def test_words_that_call_for_nothing_are_spread_over_many_families() -> None:
    """A text without a known word is not always given the same scene."""
    chosen = Counter(
        choose_family(Brief("zxqv", (), None, np.random.default_rng(seed))).name
        for seed in range(100)
    )

    assert len(chosen) >= 6
    assert max(chosen.values()) <= 30


def test_every_style_gives_a_prompt_another_picture() -> None:
    """No two styles of the catalogue give pictures that could be taken for one another."""
    pictures = {
        name: np.asarray(drawn("sailing ships at sea", 128, style=style), float)
        for name, style in STYLES.items()
    }

    closest = min(
        float(np.abs(pictures[one] - pictures[other]).mean())
        for one, other in combinations(pictures, 2)
    )
    assert closest > 8


def finish_of_one_scene(style: Style) -> np.ndarray:
    """The same scene in a style: the style's name is part of the seed, so it stays the same."""
    renamed = style.model_copy(update={"name": "any"})
    return np.asarray(drawn("a harbour", 128, style=renamed), float)


def test_the_colours_of_the_style_are_the_colours_of_the_picture() -> None:
    """Blue colours make a bluer picture than red ones, of the same scene in the same medium."""
    blue, red = (
        finish_of_one_scene(STYLES["cinematic"].model_copy(update={"colours": colours}))
        for colours in (("#001040", "#2050c0", "#c0d8ff"), ("#400800", "#c03818", "#ffd8c0"))
    )

    blueness = [float((each[..., 2] - each[..., 0]).mean()) for each in (blue, red)]
    assert blueness[0] > blueness[1] + 25


def test_noir_is_black_and_white() -> None:
    """Film noir has next to no colour and deep shadows."""
    pixels = np.asarray(drawn("a street at night", 128, style=STYLES["noir"]), float)

    assert np.ptp(pixels, axis=2).mean() < 10
    assert np.quantile(pixels, 0.1) < 40


def test_an_unknown_style_is_treated_by_its_look() -> None:
    """A style of one's own that speaks of pixels is drawn in them."""
    own = Style(
        name="mine", title="Mine", look="Chunky pixel blocks", palette=(), colours=(), avoid=()
    )
    plain = own.model_copy(update={"look": "Nothing in particular"})

    pixels, smooth = (len(set(drawn("a hill", 256, style=each).getdata())) for each in (own, plain))

    assert pixels * 20 < smooth


def test_two_prompts_of_one_family_differ_in_composition() -> None:
    """Six scenes on one subject are six pictures, by their large masses."""
    hashes = [perceptual_hash(f"mountains, part {number}") for number in range(6)]

    assert min(one - other for one, other in combinations(hashes, 2)) >= CLOSEST_ALLOWED


def test_fifty_scripts_use_at_least_eight_families() -> None:
    """Unrelated scripts are illustrated with many kinds of scene, none taking over."""
    assert len(SCRIPTS) == 50
    used = Counter(family_of(script) for script in SCRIPTS)

    assert len(used) >= 8
    assert max(used.values()) <= 10


def test_pictures_of_ten_scripts_are_far_apart() -> None:
    """Ten pictures of ten scripts: no two are closer than 12 of 64 bits."""
    hashes = [perceptual_hash(script) for script in SCRIPTS[::5]]

    assert min(one - other for one, other in combinations(hashes, 2)) >= CLOSEST_ALLOWED


@pytest.mark.slow
def test_no_two_of_a_hundred_and_fifty_pictures_are_close() -> None:
    """Fifty scripts of three scenes: no two pictures are closer than 12 of 64 bits."""
    prompts = [scene for script in SCRIPTS for scene in scenes_of(script)]
    hashes = {prompt: perceptual_hash(prompt) for prompt in prompts}

    closest = min(combinations(hashes, 2), key=lambda pair: hashes[pair[0]] - hashes[pair[1]])

    assert hashes[closest[0]] - hashes[closest[1]] >= CLOSEST_ALLOWED, closest


def test_another_take_of_a_prompt_is_another_picture() -> None:
    """A redraw that gives the same picture again is none."""
    request = PictureRequest(prompt="A harbour at night", width=128, height=128)

    first, second = (
        Illustrator().draw(request.model_copy(update={"take": take})).data for take in (0, 1)
    )

    assert first != second
