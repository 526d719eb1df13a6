"""The offline storyboard."""
# ruff: noqa: RUF001 - the letters of many languages are meant as they stand

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionpulse.catalog import STYLES
from visionpulse.models import StoryboardRequest
from visionpulse.protocols import FREE, PromptModel
from visionpulse.providers.offline.prompt_writer import PromptWriter

OCEAN = (
    "The deep ocean is the largest habitat on Earth.",
    "Below two hundred meters, sunlight fades.",
    "Anglerfish dangle glowing lures in front of sharp teeth.",
    "Squid flash to confuse people, and the ocean swallows their light.",
)


def ask(sentences=OCEAN, style="cinematic", scene_count=4, **wishes):
    request = StoryboardRequest(
        sentences=sentences, style=STYLES[style], scene_count=scene_count, **wishes
    )
    return PromptWriter().storyboard(request)


def test_it_is_a_prompt_model_that_costs_nothing():
    """And says what of a request shapes its answer."""
    writer = PromptWriter()
    request = StoryboardRequest(sentences=OCEAN, style=STYLES["noir"], scene_count=2)

    assert isinstance(writer, PromptModel)
    assert writer.quote(request) is FREE
    assert writer.parameters(request) != writer.parameters(
        request.model_copy(update={"negative_keywords": ("people",)})
    )


def test_each_prompt_tells_of_its_scene_in_the_style():
    """The scene's words come first, then look and colours."""
    for scene, sentence in zip(ask().scenes, OCEAN, strict=True):
        assert sentence in scene.prompt
        assert STYLES["cinematic"].look in scene.prompt
        assert all(colour in scene.prompt for colour in STYLES["cinematic"].palette)
        assert scene.prompt.index(sentence) < scene.prompt.index(STYLES["cinematic"].look)


@given(
    st.lists(st.text(min_size=1), min_size=1, max_size=30),
    st.integers(1, 40),
    st.lists(st.text(max_size=5), max_size=3),
)
def test_any_sentences_are_covered_and_no_two_prompts_are_equal(sentences, scene_count, negative):
    """In any language, and with a script that says one thing over and over."""
    board = ask(tuple(sentences * 3), scene_count=scene_count, negative_keywords=tuple(negative))

    covered = [each for scene in board.scenes for each in range(scene.first, scene.last + 1)]
    assert covered == list(range(len(sentences) * 3))
    assert len({scene.prompt for scene in board.scenes}) == len(board.scenes)
    assert all(scene.prompt.strip() for scene in board.scenes)


def test_given_ranges_are_kept():
    """Only prompts and bible are new."""
    board = ask(ranges=((0, 0), (1, 3)), scene_count=4)

    assert [(scene.first, scene.last) for scene in board.scenes] == [(0, 0), (1, 3)]


@pytest.mark.parametrize(
    "banned", ["people", "Anglerfish", "lure", "haze", "deep teal", "low angle", "flash"]
)
def test_a_negative_keyword_is_never_named(banned):
    """Neither in a prompt nor in the bible, not even in the words of the style."""
    board = ask(negative_keywords=(banned,))

    for text in (str(board.bible.motifs), *(scene.prompt for scene in board.scenes)):
        assert banned.lower() not in text.lower()


@pytest.mark.parametrize(
    ("banned", "other_form"), [("city", "Cities"), ("box", "Boxes"), ("bugs", "A bug")]
)
def test_a_negative_keyword_bans_its_plural_and_singular(banned, other_form):
    """What else the sentence says is kept."""
    prompt = ask((f"{other_form} will glow, fires burn.",), negative_keywords=(banned,))

    assert prompt.scenes[0].prompt.startswith("Wide establishing view: fires burn. fires burn. ")


def test_a_negative_keyword_bans_no_longer_word():
    """`car` leaves the caravan alone."""
    assert "caravan" in ask(("A caravan rests.",), negative_keywords=("car",)).scenes[0].prompt


def test_a_negative_keyword_may_hold_a_full_stop():
    """`U.S.` is not one clause."""
    assert "U.S." not in ask(("The U.S. Army rests.",), negative_keywords=("U.S.",)).bible.motifs
    prompt = ask(("The U.S. Army rests.",), negative_keywords=("U.S.",)).scenes[0].prompt
    assert "U.S." not in prompt


def test_negative_keywords_work_without_spaces():
    """Chinese has no edges of words."""
    prompt = ask(("深海很暗，两个人在潜水。",), negative_keywords=("人",)).scenes[0].prompt

    assert "人" not in prompt
    assert "深海很暗" in prompt


def test_keywords_go_where_they_fit():
    """To the scene that speaks of them; one nobody speaks of to a single scene and the bible."""
    board = ask(keywords=("squid", "bioluminescence"))

    prompts = [scene.prompt for scene in board.scenes]
    assert [": squid" in prompt for prompt in prompts] == [False, False, False, True]
    assert sum("bioluminescence" in prompt for prompt in prompts) == 1
    assert "bioluminescence" in board.bible.motifs


def test_a_negative_keyword_beats_a_keyword():
    """What is asked for and forbidden is not drawn."""
    board = ask(keywords=("whale",), negative_keywords=("whale",))

    assert not any("whale" in scene.prompt for scene in board.scenes)


def test_the_bible_holds_what_all_pictures_share():
    """What the script comes back to, and what does not belong; look and colours are the style's."""
    bible = ask().bible

    assert bible.motifs[0] == "ocean"
    assert STYLES["cinematic"].avoid[0] in bible.avoid


def test_addresses_and_markdown_are_not_drawn():
    """A picture of them would be a picture of letters."""
    prompt = ask(("See the **deep** [sea](https://x.example/a) at https://y.example now.",))

    assert "See the deep sea at now" in prompt.scenes[0].prompt


def test_a_long_scene_is_told_in_short():
    """Image models take the first lines; what is cut, is cut at a word."""
    long = "The whale sings and the water carries it onward for a thousand miles " * 10

    assert len(ask((long,)).scenes[0].prompt) < 800
