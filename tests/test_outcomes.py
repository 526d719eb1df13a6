"""Whatever a vendor answers, at whichever stage, a user meets one typed error with its facts."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.vendor import Call, Vendor
from visionpulse import Pipeline, RetryPolicy, loop
from visionpulse.errors import (
    AuthenticationError,
    BadAnswerError,
    ModelUnavailableError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    RefusedError,
    ScriptRefusedError,
)
from visionpulse.models import Failure, Stage
from visionpulse.providers.openai import OpenAIImages, OpenAIPrompts, OpenAISpeech

from .conftest import TINY

KEY = "sk-Qz7Xw9Lm3Rt5Vb1Nc8Hd2Jf6"
PIECES = (KEY[:8], KEY[3:11], KEY[8:-4], KEY[-8:], "*" * 20 + KEY[-4:])
"""What of the key the vendor repeats, and what it does not."""
TWICE = RetryPolicy(
    attempts=2, ambiguous_attempts=2, bad_attempts=2, first_wait=0.001, longest_wait=0.002
)


class Where(NamedTuple):
    """A kind of call, the stage it belongs to, and whom it asks."""

    until: Stage
    stage: str
    scene: int | None
    model: str
    successor: str


STAGES = {
    "prompts": Where("storyboard", "generate_prompts", None, "gpt-4o", "gpt-6-luna"),
    "images": Where("pictures", "generate_images", 1, "dall-e-3", "gpt-image-2"),
    "speech": Where("narration", "generate_audio", None, "tts-1", "gpt-audio-1.5"),
    "rewrite": Where("pictures", "generate_images", 1, "gpt-4o", "gpt-6-luna"),
}


class Outcome(NamedTuple):
    """What a fault has to become."""

    fault: str
    error: type[ProviderError]
    code: str
    retryable: bool
    hint: str
    numbered: bool = True
    """Whether the vendor has given the request a number."""


EVERYWHERE = [
    Outcome("rate_limit:0", RateLimitError, "rate_limit_exceeded", True, "again in a while"),
    Outcome("slow_down:0", RateLimitError, "slow_down", True, "again in a while"),
    Outcome("overloaded:0", RateLimitError, "server_is_overloaded", True, "again in a while"),
    Outcome("insufficient_quota", QuotaError, "insufficient_quota", False, "resume"),
    Outcome("credit_exhausted", QuotaError, "credit_balance_exhausted", False, "resume"),
    Outcome(
        "organization_spend_limit",
        QuotaError,
        "organization_spend_limit_exceeded",
        False,
        "resume",
    ),
    Outcome("project_spend_limit", QuotaError, "project_spend_limit_exceeded", False, "resume"),
    Outcome(
        "organization_usage_limit",
        QuotaError,
        "organization_usage_limit_exceeded",
        False,
        "resume",
    ),
    Outcome("billing_hard_limit", QuotaError, "billing_hard_limit_reached", False, "resume"),
    Outcome("invalid_key", AuthenticationError, "invalid_api_key", False, "OPENAI_API_KEY"),
    Outcome("forbidden", AuthenticationError, "permission_denied", False, "permissions"),
    Outcome("model_not_found", ModelUnavailableError, "model_not_found", False, "{successor}"),
    Outcome("invalid_value", ProviderError, "invalid_value", False, "{successor}"),
    Outcome("moderation", RefusedError, "moderation_blocked", False, "other words"),
    Outcome("content_policy", RefusedError, "content_policy_violation", False, "other words"),
    Outcome("server_error", ProviderConnectionError, "server_error", True, "billed"),
    Outcome("unavailable", ProviderConnectionError, "server_error", True, "billed"),
    Outcome("cut_before", ProviderConnectionError, "connection", True, "billed", numbered=False),
    Outcome("cut_body", ProviderConnectionError, "connection", True, "billed", numbered=False),
    Outcome("hang", ProviderTimeoutError, "timeout", True, "billed", numbered=False),
    Outcome("html", BadAnswerError, "bad_answer", True, "base_url"),
    Outcome("malformed", BadAnswerError, "bad_answer", True, "base_url"),
    Outcome("empty", BadAnswerError, "bad_answer", True, "another model"),
]
CHAT = [
    Outcome("bad_json", BadAnswerError, "bad_answer", True, "another model"),
    Outcome("blank", BadAnswerError, "bad_answer", True, "another model"),
    Outcome("length", BadAnswerError, "length", True, "less at once"),
    Outcome("refusal", RefusedError, "refused", False, "other words"),
    Outcome("content_filter", RefusedError, "refused", False, "other words"),
]
OWN = {
    "prompts": [*CHAT, Outcome("bad_plan", BadAnswerError, "bad_answer", True, "another model")],
    "images": [
        Outcome("broken_png", BadAnswerError, "bad_answer", True, "another model"),
        Outcome("bomb", BadAnswerError, "bad_answer", True, "another model"),
        Outcome("not_png", BadAnswerError, "bad_answer", True, "another model"),
        Outcome("bad_base64", BadAnswerError, "bad_answer", True, "another model"),
        Outcome("url:missing", BadAnswerError, "download_failed", True, "another model"),
    ],
    "speech": [
        Outcome("json_audio", BadAnswerError, "bad_answer", True, "base_url"),
        Outcome("odd_pcm", BadAnswerError, "bad_answer", True, "another model"),
        Outcome("silence", BadAnswerError, "bad_answer", True, "another model"),
    ],
    "rewrite": CHAT,
}
# One of each class of error at each stage; the rest of the table takes its time.
AT_ONCE = {"rate_limit:0", "billing_hard_limit", "model_not_found", "moderation", "server_error"}
AT_ONCE |= {"broken_png", "bomb", "html", "silence", "bad_plan", "refusal", "hang"}
TABLE = [
    pytest.param(
        *(kind, outcome),
        id=f"{kind}-{outcome.fault}",
        marks=() if outcome.fault in AT_ONCE else pytest.mark.slow,
    )
    for kind in STAGES
    for outcome in [*EVERYWHERE, *OWN[kind]]
]


class Stand(NamedTuple):
    """A pipeline at its vendor."""

    vendor: Vendor
    pipeline: Pipeline
    home: Path


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One for all: a hundred databases take longer than what is tested."""
    home = tmp_path_factory.mktemp("home")
    with Vendor(forbidden="gore", retry_after=0) as vendor:
        there: dict[str, Any] = {"api_key": KEY, "base_url": vendor.url, "timeout": 0.6}
        prompts, images = OpenAIPrompts("gpt-4o", **there), OpenAIImages("dall-e-3", **there)
        speech = OpenAISpeech("tts-1", **there)
        with Pipeline(
            "offline", prompts=prompts, images=images, speech=speech, home=home, retry=TWICE
        ) as pipeline:
            yield Stand(vendor, pipeline, home)
        for model in (prompts, images, speech):
            loop.run(model.aclose)


def expected(kind: str, outcome: Outcome) -> Outcome:
    """Say what the run ends with: refusals are of the whole script, or lead to other words."""
    if kind == "prompts" and outcome.error is RefusedError:
        return outcome._replace(error=ScriptRefusedError, code="script_refused")
    if kind == "rewrite" and not outcome.error.stops_job:
        return Outcome("moderation", RefusedError, "moderation_blocked", False, "other words")
    return outcome


def written(stand: Stand) -> bytes:
    """Return every byte of the database."""
    return b"".join(file.read_bytes() for file in stand.home.glob("visionpulse.db*"))


@pytest.mark.parametrize(("kind", "outcome"), TABLE)
def test_each_outcome_is_one_typed_error(stand, kind, outcome):
    """Stage, scene, vendor, model, code, number and hint are said, and no piece of the key is."""
    where, wanted = STAGES[kind], expected(kind, outcome)
    vendor, told = stand.vendor, []
    # Every other test of this module asks for other words, so nothing is there already.
    name = f"{kind} {outcome.fault.replace(':', ' ').replace('_', ' ')}"
    script = f"The first day of {name}. The gore of {name}."
    if kind != "rewrite":
        script = script.replace("gore", "rest")

    def fault(call: Call) -> str | None:
        # Of the pictures, the second alone.
        first = where.scene is not None and "The first" in json.dumps(call.body)
        return outcome.fault if call.kind == kind and not first else None

    vendor.fault = fault

    with pytest.raises(ProviderError) as caught:
        stand.pipeline.run(script, options=TINY, until=where.until, on_event=told.append)

    error = caught.value
    assert type(error) is wanted.error
    assert (error.code, error.retryable) == (wanted.code, wanted.retryable)
    assert (error.stage, error.scene) == (where.stage, where.scene)
    refused = kind == "rewrite" and not outcome.error.stops_job
    assert (error.provider, error.model) == ("openai", "dall-e-3" if refused else where.model)
    assert wanted.hint.format(successor=where.successor) in (error.hint or "")
    assert (error.request_id or "").startswith("req_") == wanted.numbered
    assert stand.pipeline.get(error.video_id).error == Failure.of(error)
    shown = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
    shown += [repr(event) for event in told]
    stored = written(stand)
    for piece in PIECES:
        assert not any(piece in each for each in shown)
        assert piece.encode() not in stored
