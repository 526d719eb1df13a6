"""Chat models of LangChain as prompt models: its own fakes, and ChatOpenAI against a vendor."""

from __future__ import annotations

import asyncio
import json
import pickle
import traceback
from contextlib import suppress
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel, FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI

from tests.conftest import AT_ONCE, SCRIPT, TINY
from visionpulse import ImageService, Pipeline
from visionpulse.errors import (
    AuthenticationError,
    BadAnswerError,
    BudgetExceededError,
    ConfigurationError,
    InputError,
    ModelUnavailableError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    RefusedError,
)
from visionpulse.models import RewriteRequest, ScriptRequest, StoryboardRequest, Style
from visionpulse.pricing import Price
from visionpulse.protocols import PromptModel
from visionpulse.providers.langchain import LangChainPrompts
from visionpulse.providers.openai import OpenAIPrompts

KEY = "sk-Qz7Xw9Lm3Rt5Vb1Nc8Hd2Jf6"
PRICE = Price(input=Decimal(3), output=Decimal(15))
STYLE = Style(
    name="noir",
    title="Noir",
    look="A black and white film still.",
    palette=("black",),
    colours=("#000000",),
    avoid=("cartoon",),
)
PLAN = StoryboardRequest(
    sentences=("The sea is deep.", "Fish live there.", "Night falls."), style=STYLE, scene_count=2
)
BOARD = {
    "bible": {
        "characters": [{"name": "Ada", "look": "Ada, a diver in red."}],
        "palette": "black",
        "lens": "35 mm",
        "era": "1950s",
    },
    "scenes": [
        {"first": 0, "last": 1, "prompt": "A diver above a reef."},
        {"first": 2, "last": 2, "prompt": "The sea at night."},
    ],
}


def chat(vendor, **settings: Any) -> ChatOpenAI:
    given = {"model": "gpt-4o", "api_key": KEY, "base_url": vendor.url, "max_retries": 0}
    return ChatOpenAI(**{**given, **settings})


def ask(model: LangChainPrompts, request: Any = PLAN) -> Any:
    methods = {
        StoryboardRequest: model.storyboard,
        RewriteRequest: model.rewrite,
        ScriptRequest: model.write,
    }
    return asyncio.run(methods[type(request)](request))


# ------------------------------------------------------------------ what is asked, and answered


def test_it_fits_the_seam():
    """Whatever the chat model, the result is a PromptModel."""
    assert isinstance(LangChainPrompts(FakeListChatModel(responses=["{}"])), PromptModel)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(BOARD),
        f"Here is the storyboard:\n```json\n{json.dumps(BOARD, indent=2)}\n```\nEnjoy!",
    ],
)
def test_a_model_without_forms_is_asked_for_json(text):
    """JSON in a text is read, with words and a code fence around it or without."""
    board = ask(LangChainPrompts(FakeListChatModel(responses=[text])))

    assert [(scene.first, scene.last) for scene in board.scenes] == [(0, 1), (2, 2)]
    assert board.scenes[0].prompt == "A diver above a reef."
    assert board.bible.characters[0].look == "Ada, a diver in red."
    assert board.bible.avoid == ("cartoon",)


def test_a_message_in_blocks_is_read_with_its_usage():
    """Content as blocks, as Anthropic and Google send it; tokens come from usage_metadata."""
    message = AIMessage(
        content=[{"type": "thinking", "thinking": "{"}, {"type": "text", "text": '{"prompt": "A'},
                 {"type": "text", "text": ' reef."}'}],
        usage_metadata={"input_tokens": 70, "output_tokens": 9, "total_tokens": 79},
    )  # fmt: skip
    model = LangChainPrompts(FakeMessagesListChatModel(responses=[message]))

    rewrite = ask(model, RewriteRequest(prompt="A shark bites.", reason="refused"))

    assert rewrite.prompt == "A reef."
    assert (rewrite.usage.input_tokens, rewrite.usage.output_tokens) == (70, 9)


def test_a_plain_model_is_told_the_form(vendor):
    """A bound model has no forms of its own: the schema stands in its instructions."""
    ask(LangChainPrompts(chat(vendor).bind(temperature=0.25)), PLAN)

    (body,) = vendor.bodies("prompts")
    assert "response_format" not in body
    assert body["temperature"] == 0.25
    assert '"scenes"' in body["messages"][0]["content"]


@pytest.mark.parametrize(
    "request_",
    [
        PLAN,
        RewriteRequest(prompt="A shark bites.", reason="unwanted", avoid=("sharks",)),
        ScriptRequest(topic="the tide", seconds=20),
    ],
    ids=["storyboard", "rewrite", "script"],
)
def test_it_asks_what_the_openai_adapter_asks(vendor, request_):
    """The same instructions, the same brief and the same form, by way of ChatOpenAI."""
    ours = OpenAIPrompts("gpt-4o", api_key=KEY, base_url=vendor.url).parameters(request_)

    with suppress(ProviderError):  # The vendor answers storyboards only.
        ask(LangChainPrompts(chat(vendor)), request_)

    (body,) = vendor.bodies("prompts")
    assert body["messages"] == ours["messages"]
    theirs = body["response_format"]["json_schema"]["schema"]
    assert theirs == ours["response_format"]["json_schema"]["schema"]
    assert vendor.violations == []


def test_one_chat_model_works_in_one_event_loop_after_another(vendor):
    """Its connections are shared by all of LangChain, and would die with their first loop."""
    model = LangChainPrompts(chat(vendor))

    boards = [ask(model), ask(model)]

    assert [len(board.scenes) for board in boards] == [2, 2]


# ------------------------------------------------------------------ who answers, and for how much


def test_an_identity_tells_the_model_and_what_changes_its_answers(vendor):
    """Class, name and parameters count; key, patience and retries do not."""
    usual = LangChainPrompts(chat(vendor)).identity

    assert usual.startswith("langchain:langchain_openai.ChatOpenAI:gpt-4o:")
    assert usual == LangChainPrompts(chat(vendor, api_key="sk-other", timeout=9)).identity
    assert usual != LangChainPrompts(chat(vendor, temperature=0.5)).identity
    assert usual != LangChainPrompts(chat(vendor, model="gpt-4o-mini")).identity
    assert usual != LangChainPrompts(chat(vendor, base_url="http://127.0.0.1:9/v1")).identity
    assert usual != LangChainPrompts(chat(vendor).bind(temperature=0.5)).identity
    assert KEY[3:9] not in usual


def test_a_password_in_an_address_is_no_part_of_the_identity(vendor):
    """Another password is the same server."""
    one, other = (
        LangChainPrompts(chat(vendor, base_url=f"http://me:{word}@127.0.0.1:9/v1"))
        for word in ("first", "second")
    )

    assert one.identity == other.identity


def test_a_model_that_cannot_be_told_apart_has_no_identity():
    """What is no model of LangChain's, but speaks like one, shares nothing between videos."""

    class Odd:
        def invoke(self, _messages):
            return json.dumps({"narration": "The tide comes in."})

        def bind(self):
            return self

    model = LangChainPrompts(Odd(), name="odd")

    script = ask(model, ScriptRequest(topic="the tide", seconds=20))

    assert (model.identity, model.model) == ("", "odd")
    assert script.text == "The tide comes in."


def test_a_price_is_unknown_unless_given(vendor):
    """A price and a limit make a bound; a price alone tells the cost afterwards."""
    board = ask(LangChainPrompts(chat(vendor, max_tokens=4000), price=PRICE))
    unknown = LangChainPrompts(chat(vendor)).quote(PLAN)
    unlimited = LangChainPrompts(chat(vendor), price=PRICE).quote(PLAN)
    bounded = LangChainPrompts(chat(vendor, max_tokens=4000), price=PRICE).quote(PLAN)

    cost = (board.usage.input_tokens * 3 + board.usage.output_tokens * 15) / Decimal(1_000_000)
    assert (unknown.bound, unknown.cost(board.usage)) == (None, None)
    assert (unlimited.bound, unlimited.cost(board.usage)) == (None, cost)
    assert bounded.bound is not None
    assert bounded.bound > Decimal(4000 * 15) / 1_000_000 > cost


def test_a_model_of_short_answers_plans_fewer_scenes(vendor):
    """The chat model's own limit decides how much one storyboard may hold."""
    short = LangChainPrompts(chat(vendor, max_tokens=2000))

    assert short.most_scenes < LangChainPrompts(chat(vendor)).most_scenes
    with pytest.raises(InputError, match="plans at most 16 scenes"):
        short.check(PLAN.model_copy(update={"sentences": ("A door.",) * 50, "scene_count": 50}))


# ------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    ("fault", "error", "code", "retryable", "billed"),
    [
        ("rate_limit:7", RateLimitError, "rate_limit_exceeded", True, False),
        ("insufficient_quota", QuotaError, "insufficient_quota", False, False),
        ("credit_exhausted", QuotaError, "insufficient_quota", False, False),
        ("billing_hard_limit", QuotaError, "insufficient_quota", False, False),
        ("invalid_key", AuthenticationError, "invalid_api_key", False, False),
        ("forbidden", AuthenticationError, "permission_denied", False, False),
        ("model_not_found", ModelUnavailableError, "model_not_found", False, False),
        ("invalid_value", ProviderError, "invalid_request", False, False),
        ("server_error", ProviderConnectionError, "server_error", True, None),
        ("unavailable", ProviderConnectionError, "server_error", True, None),
        ("cut_before", ProviderConnectionError, "connection", True, None),
        ("cut_body", ProviderConnectionError, "connection", True, None),
        ("html", BadAnswerError, "bad_answer", True, True),
        ("malformed", BadAnswerError, "bad_answer", True, True),
        ("wrong_shape", BadAnswerError, "bad_answer", True, True),
        ("empty", BadAnswerError, "bad_answer", True, True),
        ("bad_json", BadAnswerError, "bad_answer", True, True),
        ("empty_plan", BadAnswerError, "bad_answer", True, True),
        ("length", BadAnswerError, "length", True, True),
        ("refusal", RefusedError, "refused", False, True),
        ("content_filter", RefusedError, "refused", False, True),
    ],
)
def test_each_fault_becomes_its_own_error(vendor, fault, error, code, retryable, billed):
    """What a vendor's package raises is one of our errors, without a word of the vendor's."""
    vendor.fail(fault)

    with pytest.raises(error) as caught:
        ask(LangChainPrompts(chat(vendor)))

    failure = caught.value
    assert type(failure) is error
    assert (failure.code, failure.retryable, failure.billed) == (code, retryable, billed)
    assert (failure.provider, failure.model) == ("langchain", "gpt-4o")
    if fault.startswith("rate_limit"):
        assert failure.retry_after == 7
    told = "".join(traceback.format_exception(failure)) + repr(pickle.loads(pickle.dumps(failure)))
    for start in range(len(KEY) - 5):
        assert KEY[start : start + 6] not in told


def test_a_model_that_cannot_be_reached_cost_nothing():
    """A refused connection may be tried again at no cost."""
    model = LangChainPrompts(
        ChatOpenAI(model="m", api_key=KEY, base_url="http://127.0.0.1:9/v1", max_retries=0)
    )

    with pytest.raises(ProviderConnectionError, match="could not be reached") as caught:
        ask(model)

    assert caught.value.billed is False


def test_a_model_that_hangs_is_given_up(vendor):
    """The timeout is for the whole call, whatever the chat model's own is."""
    vendor.fail("hang")

    with pytest.raises(ProviderTimeoutError) as caught:
        ask(LangChainPrompts(chat(vendor), timeout=0.3))

    assert caught.value.billed is None


def raising(error: Exception) -> Any:
    def fail(_messages):
        raise error

    return RunnableLambda(fail)


class GoogleStyleError(Exception):
    """An exception with an enum's value as its status, as Google's have it."""

    code = Enum("StatusCode", {"RESOURCE_EXHAUSTED": 429}).RESOURCE_EXHAUSTED


class AwsStyleError(Exception):
    """An exception with its status inside a dictionary, as botocore's have it."""

    response = {"ResponseMetadata": {"HTTPStatusCode": 403}}  # noqa: RUF012


class OverloadedError(Exception):
    """An exception that tells by its name alone."""


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (GoogleStyleError(KEY), RateLimitError),
        (AwsStyleError(KEY), AuthenticationError),
        (OverloadedError(KEY), ProviderConnectionError),
        (TimeoutError(KEY), ProviderTimeoutError),
        (ConnectionRefusedError(KEY), ProviderConnectionError),
        (KeyError(KEY), BadAnswerError),
        (RuntimeError(KEY), ProviderError),
    ],
)
def test_other_vendors_exceptions_are_understood(raised, error):
    """Status and kind are found wherever vendors put them; the text is never passed on."""
    with pytest.raises(error) as caught:
        ask(LangChainPrompts(raising(raised), name="other"))

    assert type(caught.value) is error
    assert KEY not in "".join(traceback.format_exception(caught.value))


# ------------------------------------------------------------------ in a pipeline


def test_a_pipeline_takes_a_chat_model_as_it_is(vendor, tmp_path, images, speech):
    """`prompts=ChatOpenAI(...)` plans the film; the same again asks nobody."""
    parts = {"images": images, "speech": speech, "home": tmp_path, "retry": AT_ONCE}
    with Pipeline("offline", prompts=chat(vendor), **parts) as pipeline:
        video = pipeline.run(SCRIPT, options=TINY, until="storyboard")
    with Pipeline("offline", prompts=chat(vendor), **parts) as pipeline:
        again = pipeline.run(SCRIPT, options=TINY, until="storyboard")

    assert (video.pins["prompts"].provider, video.pins["prompts"].model) == ("langchain", "gpt-4o")
    assert [scene.prompt for scene in again.scenes] == [scene.prompt for scene in video.scenes]
    assert vendor.count("prompts") == 1


def test_a_chain_may_begin_with_a_chat_model(vendor, tmp_path, images, speech):
    """Where it gives up, the next takes over, and the video says so."""
    vendor.fail("insufficient_quota")

    with Pipeline(
        "offline", prompts=[chat(vendor), "offline"], images=images, speech=speech,
        home=tmp_path, retry=AT_ONCE,
    ) as pipeline:  # fmt: skip
        video = pipeline.run(SCRIPT, options=TINY)

    assert video.status == "completed"
    assert any("gpt-4o is used up" in each for each in video.degradations)


def test_a_service_takes_a_chat_model_too(vendor, tmp_path):
    """Alone, ImageService is given what a pipeline is given."""
    service = ImageService("offline", prompts=chat(vendor), home=tmp_path)

    assert isinstance(service.prompts.first, LangChainPrompts)


def test_a_chat_model_draws_no_pictures(tmp_path, vendor):
    """Given for another part it is refused by name, before anything is asked."""
    with (
        Pipeline("offline", images=chat(vendor), home=tmp_path) as pipeline,
        pytest.raises(ConfigurationError, match="ChatOpenAI is no ImageModel"),
    ):
        pipeline.run(SCRIPT, options=TINY)

    assert vendor.calls == []


def test_under_a_budget_a_model_needs_a_price(vendor, tmp_path, images, speech):
    """Without one nothing is asked; with a price and a limit the film's plan is paid for."""
    parts = {"images": images, "speech": speech, "home": tmp_path, "retry": AT_ONCE, "budget": 1}
    priced = LangChainPrompts(chat(vendor, max_tokens=4000), price=PRICE)
    with (
        Pipeline("offline", prompts=chat(vendor), **parts) as pipeline,
        pytest.raises(BudgetExceededError, match="gpt-4o at langchain is unknown"),
    ):
        pipeline.run(SCRIPT, options=TINY, until="storyboard")
    asked = vendor.count()
    with Pipeline("offline", prompts=priced, **parts) as pipeline:
        video = pipeline.run(SCRIPT, options=TINY, until="storyboard")

    assert asked == 0
    assert Decimal(0) < video.cost < Decimal("0.06")
