"""Money by the vendor's own books: what the report says, and that no cap is ever passed."""

from __future__ import annotations

import csv
import json
import threading
from collections import Counter
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from visionpulse import Pipeline, cli
from visionpulse.errors import (
    BudgetExceededError,
    ConfigurationError,
    ProviderError,
    UnknownNameError,
)
from visionpulse.testing.fakes import FakeImages, FakePrompts

from .conftest import AT_ONCE, TINY
from .vendor import Vendor

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
#: Seven sentences, and as many pictures at four cents.
WEEK = " ".join(f"On {day} the keeper lit the lamp." for day in DAYS)
SEVEN = TINY.model_copy(update={"scene_count": 7, "picture_size": "1024x1024"})
KEY = "sk-Qz7Xw9Lm3Rt5Vb1Nc8Hd2Jf6"
FAULTS = ("rate_limit:0", "server_error", "cut_before", "cut_body", "lost", "html", "empty")


@pytest.fixture
def vendor(monkeypatch):
    """An OpenAI that still has DALL-E 3 and bills by its own books."""
    with Vendor(retry_after=0) as running:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        monkeypatch.setenv("VISIONPULSE_IMAGE_MODEL", "dall-e-3")
        yield running


@pytest.fixture
def opened(tmp_path, vendor):
    """Makes pipelines that ask the vendor, all in one folder, and closes them."""
    with ExitStack() as stack:

        def made(**settings) -> Pipeline:
            wishes = {"home": tmp_path, "retry": AT_ONCE, **settings}
            return stack.enter_context(Pipeline("openai", **wishes))

        yield made


def well_answered(vendor: Vendor, kind: str | None = None) -> Counter[str]:
    """How often the vendor was paid for each request and delivered."""
    return Counter(
        json.dumps(call.body, sort_keys=True)
        for call in vendor.calls
        if call.billed and call.fault is None and kind in {None, call.kind}
    )


# ------------------------------------------------------------------ caps


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_cap_holds_whatever_the_vendor_does(opened, vendor, seed):
    """A third of a job's price is not passed by the vendor's tally; raising it buys the rest."""
    cap = Decimal("0.10")
    pipeline = opened(budget=cap)
    estimate = pipeline.estimate(WEEK, options=SEVEN)
    assert estimate.low is not None
    assert estimate.low >= Decimal("0.30")
    vendor.latency = {"images": 0.05}
    vendor.chaos(0.3, FAULTS, seed)

    with pytest.raises((BudgetExceededError, ProviderError)) as failure:
        pipeline.run(WEEK, options=SEVEN)
    video_id = failure.value.video_id
    while not isinstance(failure.value, BudgetExceededError):
        assert vendor.tally() <= cap
        with pytest.raises((BudgetExceededError, ProviderError)) as failure:
            pipeline.resume(video_id)

    assert vendor.tally() <= cap
    kept = [each.kind for _, each in pipeline.ledger.store.used(video_id)]
    assert kept.count("picture") == len(well_answered(vendor, "images"))
    vendor.fault = lambda _call: None
    video = opened(budget="1.00").resume(video_id, until="pictures")
    assert len(video.image_paths) == 7
    assert set(well_answered(vendor).values()) == {1}


def test_a_job_that_met_its_cap_is_finished_by_a_higher_one(opened, vendor):
    """The film is made of what was bought before and the rest; nothing is bought twice."""
    vendor.latency = {"images": 0.2}
    with pytest.raises(BudgetExceededError) as failure:
        opened(budget="0.10").run(WEEK, options=SEVEN)
    before = vendor.tally()
    assert vendor.peak["images"] == vendor.count("images") == 2

    video = opened(budget="0.40").resume(failure.value.video_id)

    assert Decimal("0.04") < before <= Decimal("0.10")
    assert video.status == "completed"
    assert set(well_answered(vendor).values()) == {1}
    assert video.cost == vendor.tally()


@pytest.mark.parametrize(("fault", "billed"), [("lost", "0.08"), ("cut_before", "0.04")])
def test_an_outcome_nobody_knows_counts_in_full(opened, vendor, fault, billed):
    """Whether the lost picture was billed or not, under this cap only one more is asked for."""
    vendor.fail(fault, kind="images")

    with pytest.raises(BudgetExceededError):
        opened(budget="0.10").run(WEEK, options=SEVEN, until="pictures")

    assert vendor.tally("images") == Decimal(billed)
    (line,) = opened().costs("video")
    assert (line.unknown, line.doubtful) == (1, Decimal("0.04"))
    assert line.known == vendor.tally("prompts") + Decimal("0.08")


def test_an_answer_without_a_count_counts_in_full(opened, vendor):
    """What a storyboard that cannot be read has cost is not known: it is the most it may be."""
    pipeline = opened()
    request = pipeline.estimate(WEEK, options=SEVEN)
    vendor.fail("html", kind="prompts")

    pipeline.run(WEEK, options=SEVEN, until="storyboard")

    (line,) = pipeline.costs("video")
    left = pipeline.estimate(WEEK, options=SEVEN)
    assert request.high is not None
    assert left.high is not None
    # What the estimate has lost by it is the most one call for a storyboard may cost.
    assert line.known == vendor.calls[-1].dollars + request.high - left.high
    assert line.failed == 1


def test_two_videos_share_the_budget_of_a_day(opened, vendor):
    """Made at the same time by two pipelines, they do not pass it together."""
    vendor.latency = 0.03
    start = threading.Barrier(2)
    failures: list[BaseException] = []

    def make(script: str) -> None:
        pipeline = opened(daily_budget="0.15")
        start.wait(10)
        try:
            pipeline.run(script, options=SEVEN, until="pictures")
        except BudgetExceededError as error:
            failures.append(error)

    scripts = [WEEK, WEEK.replace("lamp", "stove")]
    threads = [threading.Thread(target=make, args=(script,)) for script in scripts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(failures) == 2
    assert Decimal("0.04") < vendor.tally() <= Decimal("0.15")
    (line,) = opened().costs("day")
    assert line.known == vendor.tally()


def test_a_price_nobody_knows_is_an_error_under_a_cap_that_names_the_way_out(
    opened, vendor, monkeypatch
):
    """It names the model and the override; with the price given the run goes on."""
    monkeypatch.setenv("VISIONPULSE_IMAGE_MODEL", "flux-9")
    prices = {"flux-9": {"kind": "images", "price": {"pictures": {"1024x1024 standard": "0.02"}}}}

    with pytest.raises(BudgetExceededError, match=r"price of flux-9 .* is unknown") as failure:
        opened(budget="1").run(WEEK, options=SEVEN, until="pictures")
    assert failure.value.code == "unknown_price"
    assert "prices={'flux-9'" in str(failure.value.hint)
    assert "VISIONPULSE_PRICES" in str(failure.value.hint)
    assert vendor.count("images") == 0
    video = opened(budget="1", prices=prices).resume(failure.value.video_id, until="pictures")

    assert video.cost == 7 * Decimal("0.02") + vendor.tally("prompts")


# ------------------------------------------------------------------ prices of one's own

TOML = """
[[model]]
name = "dall-e-3"
price = { pictures = { "1024x1024 standard" = 0.033 } }
"""


@pytest.mark.parametrize("how", ["file", "environment", "mapping"])
def test_prices_can_be_corrected(opened, tmp_path, monkeypatch, how):
    """By a mapping, by a file, or by a file that the environment names."""
    file = tmp_path / "prices.toml"
    file.write_text(TOML)
    given = {"dall-e-3": {"price": {"pictures": {"1024x1024 standard": "0.033"}}}}
    if how == "environment":
        monkeypatch.setenv("VISIONPULSE_PRICES", str(file))
    prices = {"file": file, "mapping": given}.get(how)

    usual = opened(prices={}).estimate(WEEK, options=SEVEN)
    corrected = opened(prices=prices).estimate(WEEK, options=SEVEN)

    assert usual.high - corrected.high == 7 * Decimal("0.007")


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('[[model]]\nname = "tts-1"\nprize = 5', r"'tts-1'.*prize"),
        ('[[model]]\nname = "tts-1"\nprice = { characters = -1 }', r"'tts-1'.*price\.characters"),
        ('[[model]]\nname = "tts-1"\nprice = { characters = nan }', r"'tts-1'.*price\.characters"),
        ('[[model]]\nname = "flux"', r"'flux'.*kind"),
        ('[[model]]\nprice = { characters = "15" }', r"prices\.toml.*no table of prices"),
        ("tts-1 = 15", r"prices\.toml.*no table of prices"),
        ("model = 15", r"prices\.toml.*no table of prices"),
        ("model [", r"prices\.toml.*no table of prices"),
        (None, r"prices\.toml.*cannot be read"),
    ],
)
def test_prices_that_make_no_sense_are_found_at_once(tmp_path, toml, says):
    """With the model and the field, or the file."""
    file = tmp_path / "prices.toml"
    if toml:
        file.write_text(toml)

    with pytest.raises(ConfigurationError, match=says):
        Pipeline("offline", home=tmp_path, prices=file)


def test_a_price_is_a_table(tmp_path):
    """A bare figure does not say what it is for."""
    with pytest.raises(ConfigurationError, match="no table"):
        Pipeline("offline", home=tmp_path, prices={"tts-1": "15"})


# ------------------------------------------------------------------ the report


@pytest.fixture
def spent(opened, vendor):
    """A pipeline that has paid for two videos, one of them deleted, and for one lost picture."""
    pipeline = opened()
    one = pipeline.run(WEEK, options=SEVEN, title="A, week", until="storyboard")
    vendor.fail("lost", kind="images")
    other = pipeline.run(
        "A door. A [red] lamp.",
        options=TINY.model_copy(update={"picture_size": "1024x1024"}),
        title="The\ndoor [red]",
        until="narration",
    )
    pipeline.delete(one.id)
    return pipeline, one.id, other.id


def test_the_report_is_the_vendors_invoice(vendor, spent):
    """To the billionth, however it is grouped: the lost picture is on both."""
    pipeline, one, other = spent

    days, videos, models = (pipeline.costs(by) for by in ("day", "video", "model"))

    for lines in (days, videos, models):
        assert sum(line.known for line in lines) == vendor.tally()
        assert sum(line.doubtful for line in lines) == Decimal("0.04")
        assert sum(line.unknown for line in lines) == 1
        assert sum(line.calls for line in lines) == vendor.count()
    assert [(line.key, line.title) for line in videos] == [(one, None), (other, "The\ndoor [red]")]
    assert {line.key: line.known for line in models} == {
        "dall-e-3": vendor.tally("images"),
        "gpt-4o": vendor.tally("prompts"),
        "tts-1": vendor.tally("speech"),
    }
    by_model = {line.key: line for line in models}
    tokens = [sum(n) for n in zip(*(c.tokens for c in vendor.calls), strict=True)]
    assert [by_model["gpt-4o"].input_tokens, by_model["gpt-4o"].output_tokens] == tokens
    said = [call.body["input"] for call in vendor.calls if call.kind == "speech"]
    assert by_model["tts-1"].characters == len("".join(said))
    assert by_model["dall-e-3"].pictures == 2


def test_the_report_is_of_the_days_asked_for(spent):
    """Both ends count."""
    pipeline, *_ = spent
    (line,) = pipeline.costs()
    day = date.fromisoformat(line.key)

    assert pipeline.costs(since=day, until=day) == [line]
    assert pipeline.costs(since=day + timedelta(days=1)) == []
    assert pipeline.costs(until=day - timedelta(days=1)) == []
    with pytest.raises(UnknownNameError, match="model"):
        pipeline.costs("modle")


def test_titles_come_from_the_repository_where_there_is_another(opened, tmp_path, spent):
    """Videos kept elsewhere than the ledger's facts are named all the same."""
    pipeline, _, other = spent

    class Videos:
        """A repository for videos alone."""

        def __init__(self):
            for name in ["insert", "get", "list", "claim", "heartbeat", "save", "cancel", "delete"]:
                setattr(self, name, getattr(pipeline.repository, name))

    apart = opened(home=tmp_path / "apart", repository=Videos())
    apart.run(apart.get(other), until="narration")

    (line,) = apart.costs("video")
    assert (line.key, line.title) == (other, "The\ndoor [red]")


def test_the_command_says_what_was_spent(tmp_path, vendor, spent):
    """A table with a total and the part that nobody knows, CSV that can be added up, and JSON."""

    def said(*arguments):
        home = str(tmp_path)
        result = CliRunner().invoke(cli.app, ["costs", "--home", home, *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    table = said("--by", "video")
    rows = [*csv.DictReader(said("--by", "video", "--csv").splitlines())]
    lines = json.loads(said("--by", "model", "--json"))

    assert f"{vendor.tally():.4f}" in next(li for li in table.splitlines() if "total" in li)
    assert "The door [red]" in table
    assert "$0.0400 of it is for 1 call of unknown outcome" in table
    assert sum(Decimal(row["dollars"]) for row in rows) == vendor.tally()
    assert [row["video"] for row in rows] == [*spent[1:]]
    assert sum(Decimal(line["dollars"]) for line in lines) == vendor.tally()
    assert said("--since", "2999-01-01", "--csv").startswith("day,calls,failed,unknown,dollars,")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--by", "week"], "day, model, video"),
        (["--since", "yesterday"], "--since 'yesterday'"),
        (["--csv", "--json"], "say one"),
    ],
)
def test_a_wrong_wish_is_2(arguments, says):
    """As for every command."""
    result = CliRunner().invoke(cli.app, ["costs", *arguments])

    assert result.exit_code == 2
    assert says in result.output


def test_an_unknown_price_under_a_cap_is_found_before_anything_is_bought(tmp_path):
    """Not when the storyboard and half of the narration are paid for."""

    class Unpriced(FakeImages):
        quote = None

    prompts = FakePrompts(price=Decimal("0.01"))
    with Pipeline(
        "offline", prompts=prompts, images=Unpriced(), home=tmp_path, budget="1"
    ) as pipeline:
        with pytest.raises(BudgetExceededError, match="unknown") as failure:
            pipeline.run("The tide comes in. The harbour wakes.")
        pipeline.run("The tide comes in. The harbour wakes.", until="storyboard")

    assert failure.value.code == "unknown_price"
    assert len(prompts.asked) == 1
