"""Where a model gives up another takes over; refused pictures get other words, then a stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from visionpulse import Pipeline
from visionpulse.asking import Chain
from visionpulse.errors import (
    BudgetExceededError,
    ConfigurationError,
    LanguageError,
    ProviderConnectionError,
    QuotaError,
    RefusedError,
    ScriptRefusedError,
)
from visionpulse.models import PictureRequest, StoryboardRequest, StyleBible
from visionpulse.testing.fakes import FakeImages, FakePrompts, FakeSpeech

from .conftest import AT_ONCE, SCRIPT, TINY

DEAD = ProviderConnectionError("Nobody there.", retryable=False)


@dataclass
class Prudish(FakeImages):
    """Refuses every prompt with the word it cannot stand."""

    word: str = "rain"
    manners: bool = False
    """Whether a polite prompt will do."""
    identity: str = "prudish"

    async def draw(self, request: PictureRequest):
        """Refuse, or draw."""
        if self.word in request.prompt and not (self.manners and "Politely" in request.prompt):
            self.drawn.append(request.prompt)
            raise RefusedError(f"No {self.word}, please.", provider="fake", model="prudish")
        return await super().draw(request)


@pytest.fixture
def made(tmp_path, prompts, images, speech):
    """Return a way to make pipelines that share a folder."""
    opened = []

    def make(**models):
        given = {"prompts": prompts, "images": images, "speech": speech} | models
        pipeline = Pipeline("offline", home=tmp_path, retry=AT_ONCE, **given)
        opened.append(pipeline)
        return pipeline

    yield make
    for pipeline in opened:
        pipeline.close()


def second(model):
    """Give a fake another name than the first of its kind has."""
    model.identity, model.provider = "second", "second"
    return model


# ------------------------------------------------------------------ takeovers


def test_another_voice_reads_the_whole_narration(made, speech):
    """Never two voices in one film: what the first has read is read again."""
    other = second(FakeSpeech())
    speech.failures = [None, DEAD]

    video = made(speech=[speech, other]).run(SCRIPT, options=TINY, until="narration")

    assert len(other.spoken) == 4
    assert video.pins["speech"].provider == "second"
    (told,) = video.degradations
    assert "took over the narration" in told
    assert DEAD.message in told


def test_a_resumed_film_keeps_the_voice_that_took_over(made, speech):
    """A vendor's recovery does not buy the narration again."""
    other = second(FakeSpeech())
    speech.failures = [DEAD] * 4
    pipeline = made(speech=[speech, other])
    video = pipeline.run(SCRIPT, options=TINY, until="narration")
    calls = len(speech.spoken) + len(other.spoken)

    again = pipeline.run(pipeline.get(video.id), until="narration")

    assert len(speech.spoken) + len(other.spoken) == calls
    assert again.degradations == video.degradations


def test_mixed_voices_are_used_where_they_are_allowed(made, speech):
    """Then single sentences are taken over, and a second run asks nobody."""
    other = second(FakeSpeech())
    speech.failures = [None, DEAD]
    pipeline = made(speech=[speech, other])
    options = TINY.model_copy(update={"mixed_voices": True})

    video = pipeline.run(SCRIPT, options=options, until="narration")
    calls = (len(speech.spoken), len(other.spoken))
    pipeline.run(video, until="narration")

    assert calls == (4, 1) == (len(speech.spoken), len(other.spoken))
    assert "1 of 4 sentences" in video.degradations[0]


def test_another_model_draws_a_single_picture(made, images):
    """The pictures that were drawn stay; a second run asks nobody."""
    other = second(FakeImages())
    images.failures = [DEAD]
    pipeline = made(images=[images, other])

    video = pipeline.run(SCRIPT, options=TINY, until="pictures")
    calls = (len(images.drawn), len(other.drawn))
    again = pipeline.run(video, until="pictures")

    assert calls == (2, 1) == (len(images.drawn), len(other.drawn))
    assert [DEAD.message in each for each in video.degradations] == [True]
    assert again.degradations == video.degradations


def test_another_model_plans_the_film(made, prompts):
    """A refusal of the whole script is a reason too."""
    other = second(FakePrompts())
    prompts.failures = [RefusedError("Not this script.")]

    video = made(prompts=[prompts, other]).run(SCRIPT, options=TINY, until="storyboard")

    assert video.pins["prompts"].provider == "second"
    assert "Not this script." in video.degradations[0]


def test_an_event_tells_of_a_takeover(made, images):
    """Nothing is taken over silently."""
    images.failures = [DEAD, DEAD]
    events = []

    made(images=[images, second(FakeImages())]).run(
        SCRIPT, options=TINY, until="pictures", on_event=events.append
    )

    told = [event for event in events if event.kind == "degraded"]
    assert sorted(event.scene for event in told) == [0, 1]
    assert all("second" in event.message for event in told)


def test_a_language_the_first_voice_lacks_is_for_the_second(made, speech):
    """What one cannot do is found before money is spent, and another does it."""

    class English(FakeSpeech):
        def check(self, request):
            if request.language != "en":
                raise LanguageError("English only.")

    english = English(identity="english")
    pipeline = made(speech=[english, second(speech)])

    pipeline.run("Guten Tag. Wie geht es Ihnen heute?", options=TINY, until="narration")

    assert (english.spoken, len(speech.spoken)) == ([], 2)


def test_a_cap_is_nobodys_failure(made, prompts):
    """The next model is not asked because the money is used up."""
    dear, other = FakeImages(price=Decimal(1)), second(FakeImages())
    pipeline = made(images=[dear, other], budget="0.50")

    with pytest.raises(BudgetExceededError):
        pipeline.run(SCRIPT, options=TINY, until="pictures")

    assert other.drawn == []


def test_after_three_failures_a_model_rests(made, images):
    """Pictures that wait for their turn do not wait for it to fail again."""
    other = second(FakeImages())
    images.failures = [DEAD] * 9
    images.concurrency = 1
    script = " ".join(f"Here is sentence number {n}." for n in range(8))
    options = TINY.model_copy(update={"scene_count": 8})

    made(images=[images, other]).run(script, options=options, until="pictures")

    # Calls that were begun before the third failure was known are made.
    assert 3 <= len(images.drawn) <= 6
    assert len(other.drawn) == 8


def test_a_chain_of_nothing_is_refused():
    """Somebody has to be asked."""
    with pytest.raises(ConfigurationError, match="no model"):
        Chain([])


def test_providers_are_named_in_a_list(tmp_path):
    """`Pipeline(["offline"])`, or with commas, as in the environment."""
    with Pipeline(["offline"], home=tmp_path) as listed, Pipeline("offline, offline") as commas:
        assert (listed.provider, commas.providers) == ("offline", ("offline", "offline"))


# ------------------------------------------------------------------ refusals


def test_a_refused_picture_is_drawn_in_other_words(made):
    """The prompt model says it differently, once, and the video says that it did."""
    prudish = Prudish(manners=True)

    video = made(images=prudish).run(SCRIPT, options=TINY, until="pictures")

    assert len(video.image_paths) == 2
    assert "Politely" not in video.scenes[1].prompt
    assert [scene.degraded is not None for scene in video.scenes] == [False, True]
    assert "Politely" in video.scenes[1].degraded


def test_what_is_refused_twice_fails_and_keeps_the_rest(made):
    """By default; the error says which scene."""
    prudish = Prudish()
    pipeline = made(images=prudish)

    with pytest.raises(RefusedError, match="No rain") as failure:
        pipeline.run(SCRIPT, options=TINY, until="pictures")

    assert failure.value.scene == 1
    assert len(prudish.drawn) == 3
    assert len(pipeline.get(failure.value.video_id).image_paths) == 1


def test_a_refusal_is_not_asked_again(made):
    """Neither the prompt nor its other words; not even on another day."""
    prudish = Prudish()
    pipeline = made(images=prudish)
    with pytest.raises(RefusedError) as failure:
        pipeline.run(SCRIPT, options=TINY, until="pictures")

    with pytest.raises(RefusedError):
        pipeline.resume(failure.value.video_id, until="pictures")

    assert len(prudish.drawn) == 3


def test_a_card_stands_in_for_a_refused_picture(made):
    """In the style's colours, of the size that was asked for."""
    options = TINY.model_copy(update={"on_refusal": "placeholder"})

    video = made(images=Prudish()).run(SCRIPT, options=options, until="pictures")

    with Image.open(video.image_paths[1]) as card:
        assert card.size == (128, 128)
        assert len(card.convert("RGB").getcolors(128 * 128)) > 50
    assert "No rain" in video.degradations[0]


def test_the_neighbour_stands_in_for_a_refused_picture(made):
    """The same picture twice, and it says so."""
    options = TINY.model_copy(update={"on_refusal": "neighbour"})

    video = made(images=Prudish()).run(SCRIPT, options=options, until="pictures")

    first, last = (Path(path).read_bytes() for path in video.image_paths)
    assert first == last
    assert "scene 0's picture" in video.degradations[0]


def test_without_any_neighbour_the_refusal_stands(made):
    """A film needs one picture at least."""
    options = TINY.model_copy(update={"on_refusal": "neighbour"})

    with pytest.raises(RefusedError):
        made(images=Prudish(word=":")).run(SCRIPT, options=options, until="pictures")


def test_a_refused_picture_goes_to_the_next_model_before_a_card(made):
    """Another vendor may have another taste."""
    options = TINY.model_copy(update={"on_refusal": "placeholder"})
    other = second(FakeImages())

    video = made(images=[Prudish(), other]).run(SCRIPT, options=options, until="pictures")

    assert len(other.drawn) == 1
    assert "drawn by second" in video.degradations[0]


def test_a_script_that_is_refused_has_its_own_error(made, prompts, images):
    """No picture is asked for."""
    prompts.failures = [RefusedError("I will not illustrate this.")]

    with pytest.raises(ScriptRefusedError, match="will not illustrate"):
        made().run(SCRIPT, options=TINY, until="pictures")

    assert images.drawn == []


def test_credit_that_is_used_up_is_a_reason_to_take_over(made, images):
    """The first model is not asked for the other pictures either."""
    images.failures = [QuotaError("No credit."), QuotaError("No credit.")]
    other = second(FakeImages())

    made(images=[images, other]).run(SCRIPT, options=TINY, until="pictures")

    assert len(other.drawn) == 2


# ------------------------------------------------------------------ what pictures share


class Plans(FakePrompts):
    """Writes the prompts it is given."""

    def __init__(self, *written: str, bible: StyleBible | None = None) -> None:
        super().__init__(identity=repr(written))
        self.written, self.bible = written, bible or StyleBible()

    async def storyboard(self, request: StoryboardRequest):
        """Return the sentences' ranges with other prompts."""
        board = await super().storyboard(request)
        scenes = [
            draft.model_copy(update={"prompt": prompt})
            for draft, prompt in zip(board.scenes, self.written, strict=False)
        ]
        return board.model_copy(update={"scenes": tuple(scenes), "bible": self.bible})

    async def rewrite(self, request):
        """Leave the words in, as a careless model does."""
        answer = await super().rewrite(request)
        return answer.model_copy(update={"prompt": request.prompt})


def test_a_prompt_that_names_what_is_unwanted_is_mended(made):
    """Asked for in other words; if those name it too, the clause goes."""
    prompts = Plans("A street, a crowd under umbrellas, wet stones.", "A quiet room.")

    video = made(prompts=prompts).run(
        SCRIPT, options=TINY, negative_keywords=["crowds"], until="storyboard"
    )

    assert video.prompts == ["A street, wet stones.", "A quiet room."]


def test_an_edited_prompt_is_checked_too(made):
    """What is never to be shown holds for people's prompts as for models'."""
    pipeline = made()
    video = pipeline.run(SCRIPT, options=TINY, negative_keywords=["cat"], until="storyboard")

    edited = pipeline.run(video.edit(0, prompt="A wall, two cats on it."), until="pictures")

    assert "A wall" in edited.prompts[0]
    assert "cat" not in edited.prompts[0]


def test_a_keyword_no_prompt_names_is_added(made):
    """To the scene that speaks of it."""
    prompts = Plans("A street.", "A quiet room.")

    video = made(prompts=prompts).run(
        SCRIPT, options=TINY, keywords=["rain", "street"], until="storyboard"
    )

    assert ["rain" in prompt for prompt in video.prompts] == [False, True]
    assert video.prompts[0] == "A street."


def test_a_long_film_is_planned_in_parts(made, prompts):
    """Every sentence once; the parts after the first are given the first one's bible."""
    prompts.most_scenes = 3
    script = " ".join(f"This is sentence number {n} of the story." for n in range(24))
    options = TINY.model_copy(update={"scene_count": 8})

    video = made().run(script, options=options, until="storyboard")

    assert "".join(scene.text for scene in video.scenes) == script
    assert len(video.scenes) == 8
    first, *rest = prompts.asked
    assert (first.bible, [request.bible.lens for request in rest]) == (None, ["One light."] * 2)
    assert sum(request.scene_count for request in prompts.asked) == 8


def test_a_sentence_that_fails_names_its_scene(made):
    """Where the scenes are known, as they are in an edited film."""

    class Shy(FakeSpeech):
        async def speak(self, request):
            if "rain" in request.text:
                raise ProviderConnectionError("Not that.", retryable=False)
            return await super().speak(request)

    pipeline = made(speech=Shy())
    video = pipeline.run(SCRIPT, options=TINY, until="storyboard")

    with pytest.raises(ProviderConnectionError) as failure:
        pipeline.run(video, until="narration")

    assert failure.value.scene == 1
    assert pipeline.get(video.id).error.scene == 1
