"""The OpenAI adapters, through the real SDK, against a vendor on 127.0.0.1."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.vendor import Vendor, violations
from visionpulse.errors import (
    AuthenticationError,
    BadAnswerError,
    ConfigurationError,
    InputError,
    ModelUnavailableError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    RefusedError,
    UnknownNameError,
)
from visionpulse.models import (
    PictureRequest,
    RewriteRequest,
    ScriptRequest,
    SpeechRequest,
    StoryboardRequest,
    Style,
)
from visionpulse.protocols import ImageModel, PromptModel, SpeechModel
from visionpulse.providers.openai import OpenAIImages, OpenAIPrompts, OpenAISpeech
from visionpulse.providers.openai.downloads import DownloadRefusedError, download

KEY = "sk-Qz7Xw9Lm3Rt5Vb1Nc8Hd2Jf6"
TODAY = date(2026, 11, 23)
PATHS = {
    OpenAIPrompts: "/v1/chat/completions",
    OpenAIImages: "/v1/images/generations",
    OpenAISpeech: "/v1/audio/speech",
}
STYLE = Style(
    name="cinematic",
    title="Cinematic",
    look="A film still with soft light from one side.",
    palette=("teal", "amber"),
    colours=("#102030",),
    avoid=("cartoon",),
)
PLAN = StoryboardRequest(
    sentences=("The sea is deep.", "Fish\nlive there.", "The light fades.", "Night falls."),
    style=STYLE,
    scene_count=2,
    keywords=("whale",),
    negative_keywords=("people",),
)
PICTURE = PictureRequest(prompt="A whale in dark water.", style=STYLE, avoid=("people",))
TEXT = SpeechRequest(text="The sea is deep.", voice="nova")


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


def make(kind: type[Any], vendor: Vendor, model: str | None = None, **settings: Any) -> Any:
    given = {"api_key": KEY, "base_url": vendor.url, "today": TODAY, "timeout": 10, **settings}
    return kind(model, **given)


def ask(model: Any, request: Any) -> Any:
    """Make one call as a pipeline does, and close."""

    async def call() -> Any:
        try:
            return await getattr(model, METHODS[type(request)])(request)
        finally:
            await model.aclose()

    return asyncio.run(call())


METHODS = {
    StoryboardRequest: "storyboard",
    RewriteRequest: "rewrite",
    ScriptRequest: "write",
    PictureRequest: "draw",
    SpeechRequest: "speak",
}
REWRITE = RewriteRequest(prompt="A gore of whales.", reason="refused", text="x", avoid=("people",))
TOPIC = ScriptRequest(topic="Whales", seconds=30, language="de")
REQUESTS: dict[type[Any], Any] = {
    OpenAIPrompts: PLAN,
    OpenAIImages: PICTURE,
    OpenAISpeech: TEXT,
}
ALL = [OpenAIPrompts, OpenAIImages, OpenAISpeech]


def test_the_adapters_fit_their_seams(vendor):
    """Each adapter is what its protocol asks for."""
    assert isinstance(make(OpenAIPrompts, vendor), PromptModel)
    assert isinstance(make(OpenAIImages, vendor), ImageModel)
    assert isinstance(make(OpenAISpeech, vendor), SpeechModel)


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-6-luna"])
def test_a_storyboard_covers_the_sentences(vendor, model):
    """The model plans over numbered sentences; scenes, bible and usage come back."""
    board = ask(make(OpenAIPrompts, vendor, model), PLAN)

    assert [(scene.first, scene.last) for scene in board.scenes] == [(0, 1), (2, 3)]
    assert "Fish live there" in board.scenes[0].prompt
    assert board.bible
    assert board.usage.input_tokens > 100
    assert board.usage.output_tokens > 10


def test_fixed_ranges_get_new_prompts_only(vendor):
    """Given ranges come back as they were, each with a prompt."""
    fixed = PLAN.model_copy(update={"ranges": ((0, 0), (1, 3))})

    board = ask(make(OpenAIPrompts, vendor), fixed)

    assert [(scene.first, scene.last) for scene in board.scenes] == [(0, 0), (1, 3)]
    assert all(scene.prompt for scene in board.scenes)


def test_the_language_model_is_told_the_whole_film(vendor):
    """Style, palette, keywords, what to avoid and every numbered sentence are in the request."""
    ask(make(OpenAIPrompts, vendor), PLAN)

    (body,) = vendor.bodies("prompts")
    told = body["messages"][-1]["content"]
    for part in (STYLE.look, "teal, amber", "whale", "people, cartoon", "exactly 2 scenes"):
        assert part in told
    assert "[1] Fish live there." in told
    assert 0 < body["max_completion_tokens"] <= 16_384


def test_reasoning_is_switched_off_where_there_is_any(vendor):
    """GPT-6 is asked without reasoning; GPT-4o knows no such parameter."""
    ask(make(OpenAIPrompts, vendor, "gpt-6-luna"), PLAN)
    ask(make(OpenAIPrompts, vendor, "gpt-4o"), PLAN)

    luna, gpt_4o = vendor.bodies("prompts")
    assert luna["reasoning_effort"] == "none"
    assert "reasoning_effort" not in gpt_4o


def test_the_wire_schema_is_strict_and_plain(vendor):
    """Every object is closed with all fields required, and no constraint keyword goes out."""
    sent = make(OpenAIPrompts, vendor).parameters(PLAN)["response_format"]["json_schema"]

    assert sent["strict"] is True
    objects = [sent["schema"], *sent["schema"]["$defs"].values()]
    for each in objects:
        assert each["additionalProperties"] is False
        assert set(each["required"]) == set(each["properties"])
    text = json.dumps(sent["schema"])
    assert not any(word in text for word in ("minimum", "maxLength", "minLength", "maxItems"))


@pytest.mark.parametrize("model", ["dall-e-3", "dall-e-2", "gpt-image-2", "gpt-image-1.5", "sdxl"])
def test_a_picture_of_the_asked_shape_comes_back(vendor, model):
    """Every dialect draws, and its answer is the picture's bytes."""
    picture = ask(make(OpenAIImages, vendor, model), PICTURE)

    assert picture.data.startswith(b"\x89PNG")
    assert vendor.count("images", billed=True) == 1


def test_gpt_image_reports_tokens_and_dall_e_its_revised_prompt(vendor):
    """What the vendor tells of a picture is passed on."""
    modern = ask(make(OpenAIImages, vendor, "gpt-image-2"), PICTURE)
    classic = ask(make(OpenAIImages, vendor, "dall-e-3"), PICTURE)

    assert modern.usage.output_tokens == 439
    assert classic.usage.output_tokens is None
    assert classic.revised_prompt.startswith("In detail: A whale")


@pytest.mark.parametrize("model", ["tts-1", "tts-1-hd", "gpt-4o-mini-tts", "kokoro"])
def test_speech_is_raw_samples_of_known_length(vendor, model):
    """The vendor takes 60 ms a character: 16 characters last 0.96 s at 24 kHz."""
    speech = ask(make(OpenAISpeech, vendor, model), TEXT)

    assert speech.sample_rate == 24_000
    assert len(speech.pcm) / 2 / 24_000 == pytest.approx(0.96)
    assert speech.usage.characters == 16
    assert speech.usage.seconds == pytest.approx(0.96)


def test_a_chat_model_that_speaks_is_held_to_the_script(vendor):
    """GPT Audio's answer is taken when its transcript is the text, and refused when it is not."""
    model = make(OpenAISpeech, vendor, "gpt-audio-1.5")

    speech = ask(model, TEXT)
    assert len(speech.pcm) / 2 / 24_000 == pytest.approx(0.96)

    vendor.fail("other_words")
    with pytest.raises(BadAnswerError) as caught:
        ask(model, TEXT)
    assert caught.value.code == "other_words"


FIXED = PLAN.model_copy(update={"ranges": ((0, 0), (1, 3))})
PICTURES = [
    PICTURE.model_copy(update={"width": width, "height": height, "quality": quality})
    for width, height in ((1024, 1024), (1920, 1080), (1080, 1920), (128, 72))
    for quality in ("low", "medium", "standard", "high")
]
CHAT_MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-6-luna", "gpt-5", "llama-4")
IMAGE_MODELS = (
    *("dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2"),
    *("gpt-image-2.5-flare", "gpt-image-2.5-sunburst", "gpt-image-2.6-flare"),
    *("gpt-image-2.6-sunburst", "chatgpt-image-latest", "stablediffusion"),
)
VOICED = [TEXT, TEXT.model_copy(update={"voice": "alloy", "text": "x" * 4096})]
SPEECH_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-audio-1.5", "kokoro")


@pytest.mark.parametrize(
    ("kind", "model", "requests"),
    [
        *((OpenAIPrompts, name, [PLAN, FIXED, REWRITE, TOPIC]) for name in CHAT_MODELS),
        *((OpenAIImages, name, PICTURES) for name in IMAGE_MODELS),
        *((OpenAISpeech, name, VOICED) for name in SPEECH_MODELS),
    ],
)
def test_every_dialect_is_valid_by_the_published_schema(vendor, kind, model, requests):
    """What is sent is what `parameters` says, and OpenAI's own schema accepts it."""
    adapter = make(kind, vendor, model)
    path = PATHS[kind] if model != "gpt-audio-1.5" else PATHS[OpenAIPrompts]

    ask(adapter, requests[0])

    (call,) = vendor.calls
    assert (call.path, call.body) == (path, adapter.parameters(requests[0]))
    assert vendor.violations == []
    for request in requests:
        assert violations(path, dict(adapter.parameters(request))) == []


def test_a_script_and_other_words_come_back(vendor):
    """The vendor's language model leaves out what its moderation would not draw."""
    vendor.forbidden = "gore"
    model = make(OpenAIPrompts, vendor)

    assert ask(model, REWRITE).prompt == "Seen from afar: A mist of whales."
    assert ask(model, TOPIC).text == "Listen. This is about Whales. It ends here."
    assert [call.kind for call in vendor.calls] == ["rewrite", "script"]


@pytest.mark.parametrize("fault", ["length", "bad_json", "empty", "refusal", "blank"])
def test_an_unusable_answer_says_what_it_took(vendor, fault):
    """Where the vendor counts its tokens all the same, they are what is paid."""
    vendor.fail(fault)
    model = make(OpenAIPrompts, vendor, "gpt-4o")

    with pytest.raises(ProviderError) as caught:
        ask(model, REWRITE)

    assert caught.value.usage.request_id == "req_000001"
    assert model.quote(REWRITE).cost(caught.value.usage) == vendor.tally(key=KEY) > 0


def test_the_vendor_s_books_know_prices_and_keys(vendor):
    """A price per picture, per character, and nothing for what was refused."""
    ask(make(OpenAIImages, vendor, "dall-e-3"), PICTURE)
    ask(make(OpenAISpeech, vendor, "tts-1", api_key="another"), TEXT)
    vendor.fail("moderation", "server_error:billed")
    for _ in range(2):
        with pytest.raises(ProviderError):
            ask(make(OpenAIImages, vendor, "dall-e-3"), PICTURE)

    assert vendor.tally(key=KEY) == Decimal("0.08")
    assert vendor.tally(key="another") == Decimal("0.00024")


def test_the_schema_check_can_fail():
    """A DALL-E parameter in a GPT image request is a violation; so is a text of 4097 characters."""
    tool = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}], "modalities": 5}
    assert len(violations("/v1/chat/completions", tool)) == 1
    wrong = {"model": "gpt-image-2", "prompt": "x", "style": "vivid", "size": "1920x1080"}
    assert len(violations("/v1/images/generations", wrong)) == 2
    long = {"model": "tts-1", "input": "x" * 4097, "voice": "nova"}
    assert len(violations("/v1/audio/speech", long)) == 1
    assert violations("/v1/chat/completions", {"model": "gpt-4o", "messages": []})


@pytest.mark.parametrize("kind", ALL)
def test_parameters_name_a_result_without_floats(vendor, kind):
    """The ledger's fingerprint takes integers and strings, and refuses floats."""

    def floats(value: Any) -> bool:
        if isinstance(value, dict):
            return any(map(floats, value.values()))
        if isinstance(value, list | tuple):
            return any(map(floats, value))
        return isinstance(value, float)

    assert not floats(dict(make(kind, vendor).parameters(REQUESTS[kind])))


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(1024, 1024, "1024x1024"), (1920, 1080, "1792x1024"), (1080, 1920, "1024x1792")],
)
def test_dall_e_draws_the_nearest_of_its_sizes(vendor, width, height, size):
    """DALL-E 3 has three sizes; the nearest shape is asked for."""
    wide = PICTURE.model_copy(update={"width": width, "height": height})

    assert make(OpenAIImages, vendor, "dall-e-3").parameters(wide)["size"] == size


@pytest.mark.parametrize("width", [100, 255, 512, 1000, 1080, 1366, 1920, 3840, 7000, 9999])
@pytest.mark.parametrize("height", [100, 144, 768, 1024, 1080, 2160, 5000, 9999])
def test_gpt_image_sizes_stay_within_the_limits(vendor, width, height):
    """Whatever is asked, sides divide by 16, no edge passes 3840, no shape 3:1, and areas fit."""
    asked = PICTURE.model_copy(update={"width": width, "height": height})

    size = make(OpenAIImages, vendor, "gpt-image-2").parameters(asked)["size"]

    wide, high = (int(side) for side in size.split("x"))
    assert wide % 16 == high % 16 == 0
    assert max(wide, high) <= 3840
    assert 1 / 3 <= wide / high <= 3
    assert 655_360 <= wide * high <= 8_294_400
    wanted = min(max(width / height, 1 / 3), 3)
    assert wide / high == pytest.approx(wanted, rel=0.04)


def test_quality_is_said_in_each_dialect(vendor):
    """`standard` is DALL-E's standard and GPT image's medium; `high` is hd and high."""
    said = {
        (model, quality): make(OpenAIImages, vendor, model).parameters(
            PICTURE.model_copy(update={"quality": quality})
        )["quality"]
        for model in ("dall-e-3", "gpt-image-2")
        for quality in ("low", "standard", "high")
    }

    assert [said["dall-e-3", q] for q in ("low", "standard", "high")] == [
        "standard",
        "standard",
        "hd",
    ]
    assert [said["gpt-image-2", q] for q in ("low", "standard", "high")] == [
        "low",
        "medium",
        "high",
    ]


def test_a_long_prompt_is_cut_between_words_and_the_look_gives_way(vendor):
    """A prompt near the limit keeps its words and loses the look; what is unwanted stays."""
    model = make(OpenAIImages, vendor, "dall-e-3")

    near = model.parameters(PICTURE.model_copy(update={"prompt": "whale " * 655}))["prompt"]
    over = model.parameters(PICTURE.model_copy(update={"prompt": "whale " * 2000}))["prompt"]

    assert near.count("whale") == 655
    assert STYLE.look not in near
    for prompt in (near, over):
        assert len(prompt) <= 4000
        assert prompt.endswith("Without: people, cartoon.")
    assert over.split("\n")[0].replace("whale", "").strip() == ""


def test_a_picture_prompt_holds_look_and_what_is_unwanted(vendor):
    """Prompt, look, palette and negative keywords reach the model in words, each once."""
    sent = make(OpenAIImages, vendor, "gpt-image-2").parameters(PICTURE)["prompt"]

    assert sent.startswith("A whale in dark water.")
    assert sent.count(STYLE.look) == 1
    assert "teal, amber" in sent
    assert "Without: people, cartoon." in sent


FAULTS: list[tuple[str, type[ProviderError], str, bool, bool | None]] = [
    # fault, error, code, retryable, billed
    ("rate_limit:7", RateLimitError, "rate_limit_exceeded", True, False),
    ("slow_down", RateLimitError, "slow_down", True, False),
    ("overloaded", RateLimitError, "server_is_overloaded", True, False),
    ("insufficient_quota", QuotaError, "insufficient_quota", False, False),
    ("credit_exhausted", QuotaError, "credit_balance_exhausted", False, False),
    ("billing_hard_limit", QuotaError, "billing_hard_limit_reached", False, False),
    ("invalid_key", AuthenticationError, "invalid_api_key", False, False),
    ("forbidden", AuthenticationError, "permission_denied", False, False),
    ("model_not_found", ModelUnavailableError, "model_not_found", False, False),
    ("not_found", ModelUnavailableError, "model_not_found", False, False),
    ("moderation", RefusedError, "moderation_blocked", False, False),
    ("content_policy", RefusedError, "content_policy_violation", False, False),
    ("invalid_value", ProviderError, "invalid_value", False, False),
    ("server_error", ProviderConnectionError, "server_error", True, None),
    ("unavailable", ProviderConnectionError, "server_error", True, None),
    ("cut_before", ProviderConnectionError, "connection", True, None),
    ("cut_body", ProviderConnectionError, "connection", True, None),
    ("html", BadAnswerError, "bad_answer", True, True),
]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("fault", "error", "code", "retryable", "billed"), FAULTS)
def test_each_fault_becomes_its_own_error(vendor, kind, fault, error, code, retryable, billed):
    """Class, code, retryability and who pays follow from what the vendor did; one call is made."""
    vendor.fail(fault)
    model = make(kind, vendor)

    with pytest.raises(ProviderError) as caught:
        ask(model, REQUESTS[kind])

    failure = caught.value
    assert type(failure) is error
    assert (failure.code, failure.retryable, failure.billed) == (code, retryable, billed)
    assert (failure.provider, failure.model) == ("openai", model.model)
    assert len(vendor.calls) == 1


@pytest.mark.parametrize(
    ("kind", "fault", "error", "code"),
    [
        (OpenAIPrompts, "malformed", BadAnswerError, "bad_answer"),
        (OpenAIPrompts, "wrong_shape", BadAnswerError, "bad_answer"),
        (OpenAIPrompts, "empty", BadAnswerError, "bad_answer"),
        (OpenAIPrompts, "bad_json", BadAnswerError, "bad_answer"),
        (OpenAIPrompts, "empty_plan", BadAnswerError, "bad_answer"),
        (OpenAIPrompts, "length", BadAnswerError, "length"),
        (OpenAIPrompts, "refusal", RefusedError, "refused"),
        (OpenAIPrompts, "content_filter", RefusedError, "refused"),
        (OpenAIImages, "malformed", BadAnswerError, "bad_answer"),
        (OpenAIImages, "wrong_shape", BadAnswerError, "bad_answer"),
        (OpenAIImages, "empty", BadAnswerError, "bad_answer"),
        (OpenAIImages, "not_png", BadAnswerError, "bad_answer"),
        (OpenAIImages, "bad_base64", BadAnswerError, "bad_answer"),
        (OpenAISpeech, "empty", BadAnswerError, "bad_answer"),
        (OpenAISpeech, "json_audio", BadAnswerError, "bad_answer"),
        (OpenAISpeech, "odd_pcm", BadAnswerError, "bad_answer"),
        (OpenAISpeech, "wav", BadAnswerError, "bad_answer"),
    ],
)
def test_an_answer_that_is_none_was_paid_and_says_so(vendor, kind, fault, error, code):
    """What the SDK lets pass, or lets escape as something else, is a typed error with the bill."""
    vendor.fail(fault)

    with pytest.raises(ProviderError) as caught:
        ask(make(kind, vendor), REQUESTS[kind])

    assert type(caught.value) is error
    assert caught.value.code == code
    assert caught.value.billed is True
    assert caught.value.request_id == "req_000001"


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_the_timeout_is_for_the_whole_call(vendor, kind, fault):
    """A vendor that is silent, or drips a byte now and then, is given up after the timeout."""
    vendor.fail(fault)

    with pytest.raises(ProviderTimeoutError) as caught:
        ask(make(kind, vendor, timeout=0.4), REQUESTS[kind])

    assert caught.value.billed is None
    assert "0.4 s" in str(caught.value)


def test_a_refused_connection_cost_nothing():
    """When nobody listens, the request has never left."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        model = OpenAISpeech(api_key=KEY, base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/v1")

        with pytest.raises(ProviderConnectionError) as caught:
            ask(model, TEXT)

    assert caught.value.billed is False
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("fault", "low", "high"),
    [("rate_limit:7", 7, 7), ("rate_limit:0.25", 0.25, 0.25), ("rate_limit_date", 20, 30)],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(vendor, fault, low, high):
    """The vendor's wish is passed on in seconds; the date lies half a minute ahead."""
    vendor.fail(fault)

    with pytest.raises(RateLimitError) as caught:
        ask(make(OpenAIImages, vendor), PICTURE)

    assert low <= caught.value.retry_after <= high
    assert caught.value.status == 429
    assert caught.value.request_id == "req_000001"


def test_a_model_that_is_gone_names_its_successor(vendor):
    """A 404 for a model in the table says what to use instead."""
    vendor.fail("model_not_found")

    with pytest.raises(ModelUnavailableError, match="gpt-6-luna"):
        ask(make(OpenAIPrompts, vendor, "gpt-4o"), PLAN)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": {"a": 1}, "type": ["x"], "param": 5, "message": KEY}},
        {"error": {"code": KEY, "type": KEY, "param": KEY, "message": KEY}},
        {"error": KEY},
        {"error": None, "detail": KEY},
        [KEY],
    ],
)
def test_an_error_body_of_any_shape_is_understood_and_leaks_nothing(vendor, body):
    """A server that is not OpenAI may send anything with its 400."""
    vendor.error_body = body
    vendor.fail("invalid_value")

    with pytest.raises(ProviderError) as caught:
        ask(make(OpenAIImages, vendor), PICTURE)

    assert caught.value.status == 400
    assert_no_key(caught.value)


def test_a_redirect_is_not_followed(vendor):
    """A call that is sent elsewhere would take key and script along."""
    vendor.fail("moved")

    with pytest.raises(ProviderError) as caught:
        ask(make(OpenAISpeech, vendor), TEXT)

    assert caught.value.status == 307
    assert len(vendor.calls) == 1


def assert_no_key(error: BaseException) -> None:
    """Look for pieces of the key in everything an error shows or carries."""
    seen: list[str] = []
    link: BaseException | None = error
    while link is not None:
        seen += [str(link), repr(link), repr(link.args), repr(vars(link))]
        link = link.__cause__ or link.__context__
    seen.append("".join(traceback.format_exception(error)))
    seen.append(pickle.dumps(error).decode("latin-1"))
    for text in seen:
        assert KEY[3:8] not in text
        assert KEY[-4:] not in text


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "fault", [*(row[0] for row in FAULTS), "malformed", "wrong_shape", "empty", "hang"]
)
def test_no_piece_of_the_key_is_in_any_error(vendor, kind, fault):
    """OpenAI's bodies repeat the key's ends; no error text, fact, cause or context does."""
    vendor.fail(fault)

    with pytest.raises(ProviderError) as caught:
        ask(make(kind, vendor, timeout=0.5), REQUESTS[kind])

    assert_no_key(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_picture_may_come_as_a_url_of_the_same_server(vendor):
    """A compatible server on this machine may send to itself."""
    vendor.fail("url")

    picture = ask(make(OpenAIImages, vendor, "sdxl"), PICTURE)

    assert picture.data.startswith(b"\x89PNG")
    assert vendor.downloads == ["/files/plain/1.png"]


@pytest.mark.parametrize(
    "how",
    [
        "redirect",
        "missing",
        "cut",
        "gzip",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://localhost/",
    ],
)
def test_a_download_that_goes_wrong_is_a_paid_answer(vendor, how):
    """The picture was made and billed, so the failure counts as one of the answer."""
    vendor.fail(f"url:{how}")

    with pytest.raises(BadAnswerError) as caught:
        ask(make(OpenAIImages, vendor, "sdxl"), PICTURE)

    assert caught.value.code == "download_failed"
    assert caught.value.billed is True
    assert len(vendor.downloads) == (0 if how.startswith("http") else 1)


def test_a_dripping_download_ends_at_its_deadline(vendor):
    """A byte every 50 ms never trips a read timeout; the total does."""
    vendor.fail("url")
    ask(make(OpenAIImages, vendor), PICTURE)
    url = f"{vendor.origin}/files/drip/1.png"

    with pytest.raises(TimeoutError):
        asyncio.run(download(url, trusted=("127.0.0.1", vendor.port), deadline=0.4))


def test_an_endless_download_ends_at_its_size(vendor):
    """A body without a length is cut off when it passes the limit."""
    ask(make(OpenAIImages, vendor), PICTURE)
    url = f"{vendor.origin}/files/endless/1.png"

    with pytest.raises(DownloadRefusedError, match="larger than 2 MB"):
        asyncio.run(download(url, trusted=("127.0.0.1", vendor.port), max_bytes=2 << 20))


HOSTILE = """
http://127.0.0.1/ http://localhost/ http://[::1]/ http://2130706433/ http://0x7f000001/
http://0177.0.0.1/ http://127.1/ http://0.0.0.0/ http://[::]/ http://169.254.169.254/latest/
http://[::ffff:169.254.169.254]/ http://[::ffff:7f00:1]/ http://[64:ff9b::a9fe:a9fe]/
http://[2002:7f00:1::]/ http://100.100.100.200/ http://10.0.0.1/ http://172.16.0.1/
http://192.168.1.1/ http://198.18.0.1/ http://192.0.0.192/ http://[fd00::1]/ http://[fe80::1]/
http://user:pw@127.0.0.1/ file:///etc/passwd gopher://127.0.0.1:6379/_INFO ftp://127.0.0.1/
data:image/png;base64,AAAA http://①②⑦.0.0.1/ http://127.0.0.1:6379/ http://93.184.216.34:22/
http:///etc/passwd http://127。0。0。1/ http://224.0.0.1/ http://255.255.255.255/
http://[::127.0.0.1]/ http://[2001:0:7f00:1::]/ https://user@example.com/ //127.0.0.1/ x
http://127.0.0.1:99999/ http://[fe80::1%25lo]/
""".split()  # noqa: SIM905  forty URLs read better so


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_reaches_no_network(monkeypatch, url):
    """Addresses of this machine, its network or a cloud are refused before connecting."""
    reached: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _self, where: reached.append(where))
    monkeypatch.setattr(
        asyncio.SelectorEventLoop, "sock_connect", lambda _self, _s, where: reached.append(where)
    )

    with pytest.raises(DownloadRefusedError):
        asyncio.run(download(url, trusted=("api.example", 443)))

    assert reached == []


def resolver(answers: list[list[str]]) -> tuple[Callable[..., Any], list[str]]:
    """Return a stand-in for DNS that gives other answers each time, and the names it was asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not name.endswith(".test"):
            return real(host, port, *args, **named)
        asked.append(name)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    return look_up, asked


def test_one_inward_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    """A name with a public and a private address could be connected to either."""
    look_up, _ = resolver([["93.184.216.34", "127.0.0.1"]])
    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    with pytest.raises(DownloadRefusedError, match="public internet"):
        asyncio.run(download("http://mixed.test/x.png", trusted=("api.test", 443)))


def test_the_address_that_was_checked_is_the_one_connected_to(vendor, monkeypatch):
    """A name is looked up once; a second answer (DNS rebinding) is never asked for."""
    ask(make(OpenAIImages, vendor), PICTURE)
    look_up, asked = resolver([["127.0.0.1"], ["203.0.113.1"]])
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    url = f"http://pictures.test:{vendor.port}/files/plain/1.png"

    data = asyncio.run(download(url, trusted=("pictures.test", vendor.port), deadline=5))

    assert data.startswith(b"\x89PNG")
    assert asked == ["pictures.test"]


@pytest.mark.parametrize("kind", ALL)
def test_a_missing_key_names_the_way_out(kind):
    """Without a key the error says three ways to go on, before anything is sent."""
    with pytest.raises(ConfigurationError) as caught:
        kind()

    assert str(caught.value) == (
        "OPENAI_API_KEY is not set. Set it, pass OpenAI(api_key=...), "
        'or try without a key: Pipeline("offline")'
    )


@pytest.mark.parametrize("kind", ALL)
def test_a_server_of_ones_own_needs_no_key(vendor, kind):
    """A compatible server is asked with a placeholder."""
    assert ask(kind(base_url=vendor.url), REQUESTS[kind])


def test_key_and_address_come_from_the_environment(vendor, monkeypatch):
    """OPENAI_API_KEY and OPENAI_BASE_URL are read as the SDK reads them."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", vendor.url)
    vendor.key = KEY

    assert ask(OpenAISpeech(), TEXT).pcm


@pytest.mark.parametrize("key", [f"{KEY}\n", f"Bearer {KEY}", f"{KEY}é"])
def test_a_key_that_cannot_be_one_is_found_at_once(key):
    """A copied line break would fail in every request, with the key in the SDK's message."""
    with pytest.raises(ConfigurationError) as caught:
        OpenAISpeech(api_key=key)

    assert_no_key(caught.value)


@pytest.mark.parametrize("url", ["localhost:8080/v1", "ftp://host/v1", "/v1"])
def test_a_base_url_that_is_none_is_found_at_once(url):
    """The address is looked at before the first call."""
    with pytest.raises(ConfigurationError, match="base_url"):
        OpenAISpeech(api_key=KEY, base_url=url)


@pytest.mark.parametrize(
    ("kind", "model", "today", "successor"),
    [
        (OpenAIImages, "dall-e-3", TODAY, "gpt-image-2"),
        (OpenAIPrompts, "gpt-4o", date(2027, 1, 14), "gpt-6-luna"),
        (OpenAISpeech, "tts-1", date(2027, 1, 6), "gpt-audio-1.5"),
    ],
)
def test_openai_s_dead_models_are_refused_by_name(kind, model, today, successor):
    """Against api.openai.com a retired model is an error that names its successor."""
    with pytest.raises(ModelUnavailableError, match=successor) as caught:
        kind(model, api_key=KEY, today=today)

    assert caught.value.model == model


def test_another_server_may_still_have_a_dead_model(vendor):
    """Azure, LocalAI and others serve what OpenAI has switched off."""
    assert ask(make(OpenAIImages, vendor, "dall-e-3"), PICTURE).data


@pytest.mark.parametrize(
    ("kind", "today", "model", "warns"),
    [
        (OpenAIPrompts, date(2026, 6, 1), "gpt-4o", False),
        (OpenAIPrompts, TODAY, "gpt-4o", True),
        (OpenAIPrompts, date(2027, 3, 1), "gpt-6-luna", False),
        (OpenAIImages, TODAY, "gpt-image-2", False),
        (OpenAISpeech, TODAY, "tts-1", True),
    ],
)
def test_without_a_name_the_living_model_is_taken(kind, today, model, warns):
    """The default follows the calendar, and says when its model is near its end."""
    adapter = kind(api_key=KEY, today=today)

    assert adapter.model == model
    assert (adapter.warning is not None) == warns


def test_an_identity_tells_server_and_model_and_no_secret():
    """User, password and query of the address are not part of the identity."""
    plain = OpenAISpeech("tts-1", api_key=KEY, today=TODAY)
    proxied = OpenAISpeech(
        "tts-1", api_key=KEY, base_url="https://me:secret@proxy.example:8443/v1/?token=hidden"
    )

    assert plain.identity == "openai:https://api.openai.com/v1:tts-1"
    assert proxied.identity == "openai:https://proxy.example:8443/v1:tts-1"
    assert (plain.provider, plain.model, plain.concurrency) == ("openai", "tts-1", 6)


def test_a_voice_the_model_lacks_is_found_before_the_call():
    """TTS-1 has nine of the thirteen voices; the nearest names are offered."""
    classic = OpenAISpeech("tts-1", api_key=KEY, today=TODAY)
    modern = OpenAISpeech("gpt-4o-mini-tts", api_key=KEY, today=TODAY)

    with pytest.raises(UnknownNameError, match="Known: alloy"):
        classic.check(SpeechRequest(text="x", voice="verse"))
    modern.check(SpeechRequest(text="x", voice="verse"))
    assert len(classic.voices()) == 9
    assert len(modern.voices()) == 13
    assert all(voice.description and voice.provider == "openai" for voice in modern.voices())


def test_a_sentence_too_long_for_one_call_is_found_before_it(vendor):
    """4096 characters are read at once; 4097 are refused in words."""
    model = make(OpenAISpeech, vendor)

    model.check(SpeechRequest(text="x" * 4096, voice="nova"))
    with pytest.raises(InputError, match="4,097"):
        model.check(SpeechRequest(text="x" * 4097, voice="nova"))


def test_more_scenes_than_fit_one_answer_are_found_before_the_call(vendor):
    """A storyboard must fit the model's longest answer."""
    model = make(OpenAIPrompts, vendor)
    many = PLAN.model_copy(update={"sentences": ("x.",) * 400, "scene_count": 400})

    model.check(PLAN)
    with pytest.raises(InputError, match="400"):
        model.check(many)


@pytest.mark.parametrize("kind", ALL)
def test_what_a_call_cost_is_within_its_bound(vendor, kind):
    """The bound before the call covers the cost after it."""
    model = make(kind, vendor)

    made = ask(model, REQUESTS[kind])

    quote = model.quote(REQUESTS[kind])
    cost = quote.cost(made.usage)
    assert Decimal(0) < cost <= quote.bound


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_adapter_works_in_one_event_loop_after_another(vendor):
    """Connections belong to a loop: a loop that ended without closing does not spoil the next."""
    model = make(OpenAISpeech, vendor)

    first = asyncio.run(model.speak(TEXT))
    second = ask(model, TEXT)
    gc.collect()  # the first loop's sockets complain here, not in another test

    assert first.pcm == second.pcm


def test_an_adapter_works_in_two_threads_at_once(vendor):
    """Two threads with loops of their own share an adapter without sharing connections."""
    model = make(OpenAISpeech, vendor)
    vendor.latency = 0.2
    heard: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: heard.append(ask(model, TEXT).pcm)) for _ in range(2)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(heard) == 2
    assert vendor.peak["speech"] == 2


def test_calls_of_one_loop_run_side_by_side(vendor):
    """Eight pictures are drawn at once over one client."""
    model = make(OpenAIImages, vendor)

    async def eight() -> None:
        drawing = [
            asyncio.ensure_future(model.draw(PICTURE.model_copy(update={"prompt": f"{number}"})))
            for number in range(8)
        ]
        await asyncio.to_thread(vendor.wait_for, 8, "images")
        vendor.release()
        await asyncio.gather(*drawing)
        await model.aclose()

    with vendor.held():
        asyncio.run(eight())

    assert vendor.peak["images"] == 8


def test_a_vendor_s_books_can_be_read_by_other_processes(vendor):
    """GET /_calls tells what was asked, and POST /_control makes the next call fail."""

    async def over_http(method: str, path: str, body: bytes = b"") -> Any:
        reader, writer = await asyncio.open_connection("127.0.0.1", vendor.port)
        head = f"{method} {path} HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = (await reader.read()).partition(b"\r\n\r\n")[2]
        writer.close()
        await writer.wait_closed()
        return json.loads(answer)

    ask(make(OpenAISpeech, vendor), TEXT)
    asyncio.run(over_http("POST", "/_control", b'{"fail": ["invalid_key"], "kind": "speech"}'))
    with pytest.raises(AuthenticationError):
        ask(make(OpenAISpeech, vendor), TEXT)

    books = asyncio.run(over_http("GET", "/_calls"))
    assert books["count"] == {"speech": 2}
    assert books["billed"] == {"speech": 1}
    assert [call["fault"] for call in books["calls"]] == [None, "invalid_key"]


def test_chaos_is_the_same_for_the_same_seed():
    """Random faults repeat, so that a failing run can be looked at again."""

    def unlucky(seed: int) -> list[str | None]:
        with Vendor() as vendor:
            vendor.chaos(0.5, ["unavailable", "rate_limit"], seed=seed)
            for _ in range(12):
                with suppress(ProviderError):
                    ask(make(OpenAISpeech, vendor), TEXT)
            return [call.fault for call in vendor.calls]

    assert unlucky(1) == unlucky(1)
    assert unlucky(1) != unlucky(2)
