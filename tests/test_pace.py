"""How many calls are in flight follows what a vendor answers."""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
import time
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import pytest

from tests.vendor import Call, Vendor
from visionpulse import ImageService, Ledger, Pipeline, RetryPolicy, VideoOptions, loop
from visionpulse.calls import Made
from visionpulse.catalog import style
from visionpulse.errors import (
    AuthenticationError,
    BadAnswerError,
    DeadlineError,
    ModelUnavailableError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    RefusedError,
)
from visionpulse.ledger import Recipe, Run, current_run
from visionpulse.models import (
    Allowance,
    PictureRequest,
    SpeechRequest,
    StoryboardRequest,
    Usage,
)
from visionpulse.pace import Pace
from visionpulse.protocols import Quote, Use
from visionpulse.providers.openai import OpenAIImages, OpenAIPrompts, OpenAISpeech
from visionpulse.renderers.ffmpeg import FFmpegRenderer
from visionpulse.repositories.sql import SqlRepository
from visionpulse.storage.local import LocalStorage
from visionpulse.testing.fakes import FakeImages, FakePrompts, FakeSpeech

from .conftest import AT_ONCE, SCRIPT, TINY

KEY = "sk-Qz7Xw9Lm3Rt5Vb1Nc8Hd2Jf6"
USE = Use("a" * 32)
PRICE = Decimal("0.04")
PICTURE = PictureRequest(prompt="A red door.")
TEXT = SpeechRequest(text="A red door.", voice="nova")
PLAN = StoryboardRequest(sentences=("A red door.",), style=style("cinematic"), scene_count=1)


class Skipping(selectors.SelectSelector):
    """Waits for nothing: where the loop would sleep, its clock goes on."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(0)


def play(scene: Coroutine[Any, Any, Any]) -> Any:
    """Run a scene on a loop whose seconds take no time."""
    selector = Skipping()

    class Loop(asyncio.SelectorEventLoop):
        def time(self) -> float:
            return selector.now

    with asyncio.Runner(loop_factory=lambda: Loop(selector)) as runner:
        return runner.run(scene)


def now() -> float:
    return asyncio.get_running_loop().time()


def pace_of(concurrency: int, longest_wait: float = 120) -> Pace:
    return Pace(concurrency, longest_wait=longest_wait)


async def call(pace: Pace, outcome: Exception | Usage | None = None, seconds: float = 1.0) -> float:
    """Make a call that ends like this; return when it was begun."""
    with await pace.turn(pace.place()) as turn:
        begun = now()
        await asyncio.sleep(seconds)
        if not isinstance(outcome, Exception):
            turn.answered(outcome)
    return begun


async def fail(pace: Pace, error: Exception, seconds: float = 1.0) -> None:
    with contextlib.suppress(type(error)), await pace.turn(pace.place()):
        await asyncio.sleep(seconds)
        raise error


def slower(retry_after: float | None = None, **facts) -> RateLimitError:
    return RateLimitError("Slow down.", retry_after=retry_after, **facts)


def left(requests: int, reset: float | None = 60) -> Usage:
    return Usage(allowance=Allowance(requests_left=requests, reset_seconds=reset))


# ------------------------------------------------------------------ the limit


def test_calls_beyond_the_limit_wait_for_their_turn():
    """Five calls of a second at two a time are begun at 0, 0, 1, 1 and 2."""

    async def scene():
        pace = pace_of(2)
        return await asyncio.gather(*(call(pace) for _ in range(5)))

    assert play(scene()) == [0, 0, 1, 1, 2]


def test_rate_limits_of_calls_begun_together_halve_the_limit_once():
    """All of them are the answer to the same eight."""

    async def scene():
        pace = pace_of(8)
        await asyncio.gather(*(fail(pace, slower()) for _ in range(8)))
        return pace.limit

    assert play(scene()) == 4


def test_limit_falls_again_with_the_next_calls_but_never_below_one():
    async def scene():
        pace, limits = pace_of(8), []
        for _ in range(5):
            await asyncio.gather(*(fail(pace, slower()) for _ in range(2)))
            limits.append(pace.limit)
        return limits

    assert play(scene()) == [4, 2, 1, 1, 1]


def test_every_full_round_of_answers_raises_the_limit_by_one_up_to_where_it_began():
    """From 2: two answers, three answers, and no more."""

    async def scene():
        pace, limits = pace_of(4), []
        await fail(pace, slower())
        for _ in range(8):
            await call(pace)
            limits.append(pace.limit)
        return limits

    assert play(scene()) == [2, 3, 3, 3, 4, 4, 4, 4]


def test_answers_to_calls_begun_before_the_fall_do_not_raise_the_limit():
    """They were begun at a pace that proved too fast."""

    async def scene():
        pace = pace_of(8)
        await asyncio.gather(fail(pace, slower()), *(call(pace, seconds=2) for _ in range(7)))
        return pace.limit

    assert play(scene()) == 4


@pytest.mark.parametrize(("requests", "limit"), [(1000, 8), (5, 5), (2, 2), (0, 2)])
def test_limit_grows_beyond_where_it_began_only_while_the_vendor_has_room(requests, limit):
    """And then to four times at most."""

    async def scene():
        pace = pace_of(2)
        for _ in range(60):
            await call(pace, left(requests, reset=0))
        grown = pace.limit
        await call(pace)
        return grown, pace.limit

    assert play(scene()) == (limit, 2)


def test_failure_that_is_no_rate_limit_leaves_the_limit():
    """A server that breaks says nothing about how many calls it takes."""

    async def scene():
        pace = pace_of(8)
        await fail(pace, ProviderConnectionError("It broke.", billed=None))
        await fail(pace, KeyError("a bug"))
        return pace.limit

    assert play(scene()) == 8


# ------------------------------------------------------------------ rests


def test_retry_after_rests_all_calls():
    """One is told to come back in 7 seconds: nobody comes sooner, and then one tries first."""

    async def scene():
        pace = pace_of(2)
        await fail(pace, slower(7))
        return await asyncio.gather(*(call(pace) for _ in range(3)))

    assert play(scene()) == [8, 9, 9]


def test_longer_rest_is_not_cut_by_a_shorter_one():
    async def scene():
        pace = pace_of(8)
        waiting = asyncio.gather(*(fail(pace, slower(seconds)) for seconds in (1, 30, 2)))
        await waiting
        return await call(pace)

    assert play(scene()) == 31


def test_retry_after_beyond_the_longest_wait_rests_nobody():
    """The call that got it fails at once; so may the others."""

    async def scene():
        pace = pace_of(8, longest_wait=60)
        await fail(pace, slower(3600))
        return await call(pace)

    assert play(scene()) == 1


def test_nothing_is_begun_while_no_requests_are_left():
    """An answer that says so holds back what is waiting until the window begins anew."""

    async def scene():
        pace = pace_of(1)
        first = asyncio.create_task(call(pace, left(0, reset=20)))
        second = asyncio.create_task(call(pace))
        return await first, await second

    assert play(scene()) == (0, 21)


def test_rest_until_the_window_begins_anew_is_cut_to_the_longest_wait():
    """`6m0s` is when all requests are back; one is back much sooner."""

    async def scene():
        pace = pace_of(8, longest_wait=60)
        await call(pace, left(0, reset=360))
        after_answer = await call(pace)
        allowance = Allowance(requests_left=0, reset_seconds=360)
        await fail(pace, slower(allowance=allowance))
        return after_answer, await call(pace)

    assert play(scene()) == (61, 123)


# ------------------------------------------------------------------ the queue


def test_turns_come_in_the_order_of_the_places():
    """A call that is made again goes before those that came after it."""

    async def scene():
        pace, order = pace_of(1), []
        first, *others = (pace.place() for _ in range(4))

        async def take(place):
            with await pace.turn(place) as turn:
                order.append(place)
                await asyncio.sleep(1)
                turn.answered(None)

        tasks = [asyncio.create_task(take(place)) for place in (others[2], others[0], others[1])]
        await asyncio.sleep(0.5)
        await asyncio.gather(take(first), *tasks)
        return order

    assert play(scene()) == [3, 0, 1, 2]


@pytest.mark.parametrize("when", ["waiting", "called"])
def test_cancelled_caller_loses_no_turn(when):
    """Whether it still waits, or was called in the very moment it is cancelled."""

    async def scene():
        pace = pace_of(1)
        first = await pace.turn(pace.place())
        gone = asyncio.create_task(call(pace))
        after = asyncio.create_task(call(pace))
        await asyncio.sleep(1)
        if when == "waiting":
            gone.cancel()
        with first:
            first.answered(None)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        begun = await asyncio.wait_for(after, 10)
        return begun, await asyncio.wait_for(call(pace), 10)

    assert play(scene()) == (1, 2)


def test_no_storm_of_outcomes_and_cancellations_leaks_a_turn():
    """After 400 calls that end in every way, the pace still has all its turns, and no more."""

    async def scene(die: random.Random):
        pace, in_flight, most = pace_of(5), 0, 0

        async def one():
            nonlocal in_flight, most
            with await pace.turn(pace.place()) as turn:
                in_flight += 1
                most = max(most, in_flight)
                try:
                    await asyncio.sleep(die.random())
                    if die.random() < 0.3:
                        raise slower(die.choice([None, 0.5, 3]))
                    turn.answered(die.choice([None, left(0, 2), left(3)]))
                finally:
                    in_flight -= 1

        tasks = [asyncio.create_task(one()) for _ in range(400)]
        for task in die.sample(tasks, 150):
            await asyncio.sleep(die.random() / 10)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(20):
            await call(pace)
        start = now()
        return most, [begun - start for begun in await asyncio.gather(*map(call, [pace] * 10))]

    for seed in range(5):
        assert play(scene(random.Random(seed))) == (5, [0] * 5 + [1] * 5)


# ------------------------------------------------------------------ which calls are made again


class Maker:
    """Makes bytes after its failures, and writes down when it was asked."""

    def __init__(self, *failures: Exception, usage: Usage | None = None) -> None:
        self.failures = list(failures)
        self.usage = usage
        self.asked: list[float] = []

    async def __call__(self, _scratch) -> Made:
        self.asked.append(time.monotonic())
        if self.failures:
            raise self.failures.pop(0)
        return Made(b"bytes", ".bin", usage=self.usage)


def ledger_at(home, policy=AT_ONCE) -> Ledger:
    store = SqlRepository(home / "visionpulse.db")
    return Ledger(store, LocalStorage(home / "output"), policy=policy)


def once(ledger: Ledger, maker: Maker, run: Run | None = None, price: Decimal = PRICE, **inputs):
    async def ask():
        current_run.set(run)
        quote = Quote(price, lambda _usage: price)
        recipe = Recipe("thing", 1, "maker", "model", inputs)
        return await ledger.once(recipe, maker, lambda _made: None, use=USE, quote=quote)

    return asyncio.run(ask())


FINAL = [
    QuotaError("No credit."),
    AuthenticationError("A wrong key."),
    ModelUnavailableError("It is retired."),
    RefusedError("It was refused."),
]


@pytest.mark.parametrize("final", FINAL, ids=lambda error: error.code)
def test_final_error_is_not_asked_again(tmp_path, final):
    maker = Maker(final)

    with pytest.raises(type(final)):
        once(ledger_at(tmp_path), maker)

    assert len(maker.asked) == 1


DOUBTFUL = [
    (ProviderTimeoutError("No answer."), "may have been"),
    (ProviderConnectionError("It broke off.", billed=None), "may have been"),
    (BadAnswerError("It is no picture."), "was"),
]


@pytest.mark.parametrize(("doubtful", "words"), DOUBTFUL, ids=["timeout", "broken", "bad"])
def test_call_that_may_have_been_billed_is_asked_once_more_and_says_so(tmp_path, doubtful, words):
    """Whatever else comes between; what was of no use, twice more. The event says what it cost."""
    events = []
    maker = Maker(doubtful, RateLimitError("Slow down."), doubtful, doubtful)

    with pytest.raises(type(doubtful)):
        once(ledger_at(tmp_path), maker, Run(listen=events.append))

    said = [event.message for event in events if event.kind == "retried"]
    again = f"{doubtful.message.rstrip('.')}, it {words} billed; asked once more."
    told = [again, "Slow down, trying again.", again][: 3 if doubtful.billed else 2]
    assert said == told
    assert len(maker.asked) == len(told) + 1


def test_free_call_made_again_says_nothing_of_money(tmp_path):
    events = []

    once(
        ledger_at(tmp_path),
        Maker(ProviderTimeoutError("No answer.")),
        Run(listen=events.append),
        price=Decimal(0),
    )

    said = [event.message for event in events if event.kind == "retried"]
    assert said == ["No answer, trying again."]


def test_retries_are_spread_over_the_whole_wait(tmp_path):
    """Full jitter: somewhere between at once and the doubled wait, never in step."""
    from tenacity import RetryCallState

    from visionpulse.calls import Attempts

    policy = RetryPolicy(first_wait=2, longest_wait=10)
    nothing: Any = None
    attempts = Attempts(*[nothing] * 4, policy, *[nothing] * 6)
    waits = {}
    for number in (1, 3, 9):
        state = RetryCallState(nothing, nothing, (), {})
        state.attempt_number = number
        waits[number] = sorted(attempts._wait(state) for _ in range(2000))

    for number, longest in ((1, 2), (3, 8), (9, 10)):
        assert 0 <= waits[number][0] < 0.02 * longest
        assert 0.98 * longest < waits[number][-1] <= longest
        assert 0.45 * longest < waits[number][1000] < 0.55 * longest


def test_allowance_is_not_kept_with_the_usage(tmp_path):
    """It says nothing about this call."""
    ledger = ledger_at(tmp_path)
    settled = []

    class Listening(SqlRepository):
        def settle(self, *arguments, usage, **facts):
            settled.append(usage)
            super().settle(*arguments, usage=usage, **facts)

    ledger.store = Listening(tmp_path / "visionpulse.db")

    once(ledger, Maker(usage=left(5)), a=1)
    once(ledger, Maker(usage=left(5).model_copy(update={"seconds": 2.5})), a=2)

    assert settled == [None, Usage(seconds=2.5)]


# ------------------------------------------------------------------ deadlines


def test_no_paid_call_is_begun_after_the_runs_deadline(tmp_path):
    """What was made is kept, and what is free is still made."""
    ledger, run = ledger_at(tmp_path), Run()
    once(ledger, Maker(), run, a=1)
    run.deadline = time.monotonic()
    late, free, kept = Maker(), Maker(), Maker()

    with pytest.raises(DeadlineError, match="job_deadline") as caught:
        once(ledger, late, run, a=2)
    once(ledger, free, run, price=Decimal(0), a=3)
    once(ledger, kept, run, a=1)

    assert (len(late.asked), len(free.asked), len(kept.asked)) == (0, 1, 0)
    assert caught.value.retryable
    assert ledger.store.spent(USE.video_id) == PRICE


def test_no_retry_is_begun_after_the_runs_deadline(tmp_path):
    """Nor waited for: a Retry-After past it ends the call now, with its reason."""
    ledger = ledger_at(tmp_path, RetryPolicy(job_deadline=5))
    maker = Maker(RateLimitError("Slow down.", retry_after=30))
    began = time.monotonic()

    with pytest.raises(DeadlineError) as caught:
        once(ledger, maker, Run())

    assert len(maker.asked) == 1
    assert isinstance(caught.value.__cause__, RateLimitError)
    assert time.monotonic() - began < 4


def test_call_that_waits_for_its_turn_waits_no_longer_than_the_deadline(tmp_path):
    """A vendor that rests for half a minute does not hold a run that has half a second left."""
    ledger = ledger_at(tmp_path)
    ledger.policy = RetryPolicy(job_deadline=0.5)
    once(ledger, Maker(usage=left(0, reset=30)), Run(), a=1)
    waiting = Maker()
    began = time.monotonic()

    with pytest.raises(DeadlineError):
        once(ledger, waiting, Run(), a=2)

    assert waiting.asked == []
    assert 0.4 < time.monotonic() - began < 10


def test_no_retry_is_begun_after_the_calls_own_deadline(tmp_path):
    """Then the call ends with what it failed with."""
    maker = Maker(RateLimitError("Slow down.", retry_after=30))

    with pytest.raises(RateLimitError):
        once(ledger_at(tmp_path, RetryPolicy(deadline=5)), maker, Run())

    assert len(maker.asked) == 1


def test_deadline_of_another_run_is_not_ours(tmp_path):
    """Two runs wait for the same thing; when the first has to go, the second still gets it."""
    ledger = ledger_at(tmp_path, RetryPolicy())
    once(ledger, Maker(usage=left(0, reset=2)), a=0)
    maker = Maker()

    async def ask(seconds: float):
        current_run.set(Run(deadline=time.monotonic() + seconds))
        recipe, quote = Recipe("thing", 1, "maker", "model", {}), Quote(PRICE, lambda _usage: PRICE)
        return await ledger.once(recipe, maker, lambda _made: None, use=USE, quote=quote)

    async def scene():
        hasty = asyncio.create_task(ask(1))
        await asyncio.sleep(0.1)
        patient = asyncio.create_task(ask(60))
        with pytest.raises(DeadlineError):
            await hasty
        return await patient

    assert asyncio.run(scene()).size == 5
    assert len(maker.asked) == 1


class Slow(Maker):
    async def __call__(self, scratch):
        await asyncio.sleep(0.4)
        return await super().__call__(scratch)


def test_deadline_of_a_call_begins_with_its_first_attempt(tmp_path):
    """The last of a long queue gets all its time."""
    ledger = ledger_at(tmp_path, RetryPolicy(first_wait=0.001, deadline=1.0))
    last = Maker(RateLimitError("Slow down."))

    def ask(number, maker):
        quote = Quote(PRICE, lambda _usage: PRICE)
        recipe = Recipe("thing", 1, "maker", "model", {"n": number})
        return ledger.once(recipe, maker, lambda _made: None, use=USE, quote=quote, concurrency=1)

    async def scene():
        before = [asyncio.create_task(ask(number, Slow())) for number in range(3)]
        await asyncio.sleep(0.1)
        await asyncio.gather(ask(3, last), *before)

    asyncio.run(scene())
    assert len(last.asked) == 2


def test_deadline_of_a_run_keeps_what_it_made(tmp_path):
    """The video fails with all it has, and `resume` makes the rest."""
    images = FakeImages(price=PRICE, seconds=0.3)
    images.failures = [RateLimitError("Slow down.", retry_after=60)]
    parts = {"prompts": FakePrompts(), "images": images, "speech": FakeSpeech(), "home": tmp_path}

    with Pipeline("offline", **parts, retry=RetryPolicy(job_deadline=5)) as pipeline:
        with pytest.raises(DeadlineError) as caught:
            pipeline.run(SCRIPT, options=TINY, until="pictures")
        failed = pipeline.get(caught.value.video_id)
    with Pipeline("offline", **parts) as pipeline:
        resumed = pipeline.resume(failed.id, until="pictures")

    why = failed.error
    assert (why.code, why.retryable, why.stage) == ("deadline", True, "generate_images")
    assert [bool(scene.image_path) for scene in failed.scenes].count(True) == 1
    # One of the two was turned away, and is asked for once more.
    assert len(images.drawn) == 3
    assert len(resumed.image_paths) == 2


# ------------------------------------------------------------------ through the real vendor


@pytest.fixture
def painters():
    """A vendor of small pictures."""
    with Vendor(strict=False, latency=0.05) as vendor:
        yield vendor


class Easel:
    """Has small pictures drawn."""

    def __init__(self, home: Path, vendor: Vendor, policy: RetryPolicy) -> None:
        self._model = OpenAIImages("painter", api_key=KEY, base_url=vendor.url)
        self.ledger = ledger_at(home, policy)
        self._service = ImageService("offline", images=self._model, ledger=self.ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        loop.run(self._model.aclose)

    def draw(self, count: int, what: str) -> list[str]:
        prompts = [f"{what} {number}" for number in range(count)]
        shape = VideoOptions(picture_size="128x128")
        return self._service.generate_images(prompts, USE.video_id, options=shape)

    @property
    def limit(self) -> int:
        return self.ledger._desk.paces["openai", "picture"].limit


def rejected(vendor: Vendor) -> list[Call]:
    return [call for call in vendor.calls if call.status == 429]


def test_limit_goes_down_and_comes_back_with_what_the_vendor_takes(painters, tmp_path):
    """Every picture comes and is paid once, and few calls are turned away."""
    vendor = painters
    with Easel(tmp_path, vendor, RetryPolicy(first_wait=0.05)) as easel:
        vendor.allow(3, "images", retry_after=0.1)
        assert len(easel.draw(30, "crowded")) == 30
        assert vendor.count("images", billed=True) == 30
        # Up to five of the first eight; then the limit swings about three.
        assert 1 <= len(rejected(vendor)) <= 20
        assert easel.limit <= 4

        vendor.forget()
        easel.draw(1 + 2 + 3 + 4 + 5 + 6 + 7, "quiet")
        assert rejected(vendor) == []
        assert easel.limit == 8


RESTS = [
    ("rate_limit:1", {}),
    ("rate_limit:9", {"retry-after-ms": "1000"}),
    (None, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"}),
]


@pytest.mark.parametrize(("fault", "headers"), RESTS, ids=["seconds", "milliseconds", "reset"])
def test_vendor_that_wants_a_rest_gets_it_from_all_calls(painters, tmp_path, fault, headers):
    """For a second after the answer that asks for it no picture is begun."""
    vendor = painters
    vendor.headers = lambda call: headers if call.number == 1 else {}
    with Easel(tmp_path, vendor, RetryPolicy(attempts=1)) as easel:
        if fault:
            vendor.fail(fault)
            with pytest.raises(RateLimitError):
                easel.draw(1, "asked too fast")
        else:
            easel.draw(1, "the last")
        easel.draw(3, "after the rest")

    assert min(call.started for call in vendor.calls[1:]) - vendor.calls[0].ended >= 0.99


def told(vendor: Vendor, said: dict[str, str], *, fault: str | None = None) -> list[Any]:
    """Ask each model once; return what it passed on of the headers."""
    vendor.headers = lambda _call: {f"x-ratelimit-{name}": value for name, value in said.items()}
    passed_on: list[Any] = []
    for model, method, request in (
        (OpenAIImages("dall-e-3", api_key=KEY, base_url=vendor.url), "draw", PICTURE),
        (OpenAISpeech("tts-1", api_key=KEY, base_url=vendor.url), "speak", TEXT),
        (OpenAIPrompts("gpt-4o", api_key=KEY, base_url=vendor.url), "storyboard", PLAN),
    ):
        if fault:
            vendor.fail(fault)

        async def ask(model=model, method=method, request=request):
            try:
                return (await getattr(model, method)(request)).usage
            except ProviderError as error:
                return error
            finally:
                await model.aclose()

        passed_on.append(getattr(asyncio.run(ask()), "allowance", None))
    return passed_on


HEADERS = [
    ("1s", 1),
    ("6m0s", 360),
    ("120ms", 0.12),
    ("1h2m3.5s", 3723.5),
    ("17", 17),
    ("soon", None),
    ("", None),
]


@pytest.mark.parametrize(("reset", "seconds"), HEADERS, ids=lambda value: str(value) or "nothing")
def test_headers_say_how_many_requests_are_left_and_until_when(vendor, reset, seconds):
    """Every model passes them on with its answer."""
    expected = Allowance(requests_left=7, reset_seconds=seconds)

    said = {"remaining-requests": "7", "reset-requests": reset}

    assert told(vendor, said) == [expected] * 3


def test_headers_of_a_failure_are_passed_on_too(vendor):
    said = {"remaining-requests": "0", "reset-requests": "20s"}

    expected = Allowance(requests_left=0, reset_seconds=20)
    assert told(vendor, said, fault="rate_limit:1") == [expected] * 3


@pytest.mark.parametrize("left", [None, "-1", "many", "9" * 30, "1e9"])
def test_headers_that_say_nothing_of_use_are_nothing(vendor, left):
    said = {"reset-requests": "1s"} | ({} if left is None else {"remaining-requests": left})

    assert told(vendor, said) == [None] * 3


# ------------------------------------------------------------------ speed

PARTS = {"prompts": 0.3, "images": 0.8, "speech": 0.5}
"""A tenth of what a vendor takes, in seconds."""


def script(name: str) -> str:
    return " ".join(f"This is sentence {number} of the {name} script." for number in range(12))


class Unmixed(FFmpegRenderer):
    """Leaves the parts of a film as they are."""

    def mix(self, soundtrack, out):
        out.write_bytes(b"sound")


@pytest.mark.slow
def test_all_parts_take_hardly_longer_than_the_vendor(tmp_path):
    """One storyboard, then all pictures at once, and beside them the narration in two rounds."""
    with Vendor(latency=PARTS) as vendor:
        facts = {"api_key": KEY, "base_url": vendor.url}
        models = (
            OpenAIPrompts("gpt-4o", **facts),
            OpenAIImages("dall-e-3", **facts),
            OpenAISpeech("tts-1", **facts),
        )
        prompts, images, speech = models
        pipeline = Pipeline(
            "offline",
            prompts=prompts,
            images=images,
            speech=speech,
            renderer=Unmixed(),
            home=tmp_path,
        )
        measured(pipeline, vendor, "warming")
        # The machine may be busy; what cannot be had once in six times is not there.
        assert any(measured(pipeline, vendor, f"measured {each}") < 1.9 for each in range(6))
        for model in models:
            loop.run(model.aclose)


def measured(pipeline: Pipeline, vendor: Vendor, name: str) -> float:
    """Have all parts of a film made; return how much longer it took than the vendor had to."""
    made: list[float] = []

    def note(event):
        if event.kind == "made" and event.what in {"picture", "speech"}:
            made.append(time.monotonic())

    vendor.forget()
    began = time.monotonic()
    shape = VideoOptions(scene_count=7)
    pipeline.run(script(name), options=shape, until="narration", on_event=note)

    taken = {kind: [each for each in vendor.calls if each.kind == kind] for kind in PARTS}
    longest = {
        kind: max(call.ended - call.started for call in calls) for kind, calls in taken.items()
    }
    assert {kind: len(calls) for kind, calls in taken.items()} == {
        "prompts": 1,
        "images": 7,
        "speech": 12,
    }
    assert vendor.peak == {"prompts": 1, "images": 7, "speech": 6}
    assert taken["speech"][0].started < taken["prompts"][0].ended
    critical = max(longest["prompts"] + longest["images"], 2 * longest["speech"])
    return (max(made) - began) / critical
