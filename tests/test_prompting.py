"""The text an image model reads: who is in it stays, whatever else has to go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionpulse import ImageService, loop
from visionpulse.catalog import STYLES
from visionpulse.models import Character, PictureRequest, Scene, StyleBible
from visionpulse.prompting import Unwanted, named_in, names, picture_prompt, setting_of, shared_out
from visionpulse.providers.openai import OpenAIImages

MARA = Character(name="Mara", look="Mara is a tall woman of sixty in a yellow oilskin coat.")
DOG = Character(name="the dog", look="The dog is a small brown terrier with one white ear.")
BIBLE = StyleBible(
    characters=(MARA, DOG), palette="grey and gold", lens="35 mm, low sun", era="1930s Brittany"
)


def request(prompt, **more):
    return PictureRequest(
        prompt=prompt,
        style=STYLES["cinematic"],
        characters=named_in(prompt, BIBLE),
        setting=setting_of(BIBLE),
        avoid=("text",),
        **more,
    )


@pytest.mark.parametrize(
    ("prompt", "who"),
    [
        ("Mara climbs the stairs", ["Mara"]),
        ("MARA's hands on a rope", ["Mara"]),
        ("The dog sleeps; Mara reads", ["Mara", "the dog"]),
        ("A marathon, hot dogs", []),
    ],
)
def test_characters_are_known_by_their_names(prompt, who):
    """In any case, as words of their own."""
    assert [each.name for each in named_in(prompt, BIBLE)] == who


def test_a_look_stands_word_for_word_in_the_prompt():
    """And what all pictures share, the style, and what is not wanted."""
    text = picture_prompt(request("Mara climbs the stairs"), limit=4000)

    assert text.startswith("Mara climbs the stairs\n")
    for part in (MARA.look, "grey and gold", "35 mm", "1930s", STYLES["cinematic"].look, "text"):
        assert part in text
    assert DOG.look not in text


def test_a_look_that_is_there_is_not_said_twice():
    """A model that repeats it does no harm."""
    text = picture_prompt(request(f"{MARA.look} She climbs."), limit=4000)

    assert text.count(MARA.look) == 1


@given(length=st.integers(0, 3000), limit=st.integers(300, 1000))
def test_the_limit_holds_and_the_characters_stay(length, limit):
    """The style gives way first, and the end of the prompt last."""
    text = picture_prompt(request("Mara and the dog. " + "so " * length), limit=limit)

    assert len(text) <= limit
    assert MARA.look in text
    assert DOG.look in text
    assert text.startswith("Mara and")


def test_the_style_gives_way_before_the_setting():
    """What makes the pictures one film is worth more than what makes it pretty."""
    asked = request("Mara climbs")
    whole = picture_prompt(asked, limit=4000)

    short = picture_prompt(asked, limit=len(whole) - len(STYLES["cinematic"].look))

    assert STYLES["cinematic"].look not in short
    assert setting_of(BIBLE) in short


def test_every_picture_of_a_film_describes_its_people_alike(tmp_path, vendor):
    """As the vendor has received it, for every scene that names them."""
    prompts = ["Mara on the pier", "An empty harbour", "the dog barks at Mara"]
    model = OpenAIImages("gpt-image-2", api_key="sk-test", base_url=vendor.url)
    service = ImageService(prompts=_Nobody(), images=model, home=tmp_path)

    service.generate_images(prompts, "film", bible=BIBLE)
    loop.run(model.aclose)

    sent = [call.body["prompt"] for call in vendor.calls if "prompt" in call.body]
    assert sorted(MARA.look in each for each in sent) == [False, True, True]
    assert sorted(DOG.look in each for each in sent) == [False, False, True]


class _Nobody:
    def storyboard(self, request):
        raise NotImplementedError


def test_looks_longer_than_a_prompt_are_refused_before_money_is_spent(vendor):
    """Cut, they would be somebody else's."""
    giant = StyleBible(characters=(Character(name="Mara", look="Mara " + "tall " * 900),))
    model = OpenAIImages("dall-e-3", api_key="sk-test", base_url=vendor.url)
    scene = Scene(text="", start_char=0, end_char=0, prompt="Mara")
    asked = PictureRequest(prompt=scene.prompt, characters=named_in(scene.prompt, giant))

    with pytest.raises(ValueError, match="4,000 in all"):
        model.check(asked)


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("text", "word", "there"),
    [
        ("Two cats sleep", "cat", True),
        ("a cat's tail", "cats", True),
        ("A caravan", "car", False),
        ("Cities at night", "city", True),
        ("两个人在潜水", "人", True),
        ("deep  sea", "deep sea", True),
        ("anything", "", False),
    ],
)
def test_words_are_found_as_words(text, word, there):
    """Singular and plural; without spaces wherever the script has none."""
    assert names(text, [word]) is there


def test_unwanted_clauses_go_and_sentences_end():
    """What is left still reads."""
    crowd = Unwanted(["crowd"])

    assert crowd.without("A street, a crowd, wet stones. Rain.") == "A street, wet stones. Rain."
    assert crowd.without("A street and a crowd.") == ""
    assert Unwanted([]).without("A crowd.") == "A crowd."


def test_keywords_are_shared_out():
    """To the texts that say them; one that none says goes to one text."""
    assert shared_out(["sea", "owl", "fox"], ["The sea.", "A wood.", "Seas."]) == [
        ["sea", "owl"],
        ["fox"],
        ["sea"],
    ]
