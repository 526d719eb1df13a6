"""Every costly thing is made once."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from visionpulse import Ledger
from visionpulse.calls import Made
from visionpulse.errors import (
    BadAnswerError,
    BudgetExceededError,
    InputError,
    ProviderConnectionError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    RefusedError,
)
from visionpulse.ledger import Recipe, Run, current_run
from visionpulse.models import Artefact, Usage
from visionpulse.protocols import Caps, Quote, Use
from visionpulse.repositories.sql import SqlRepository
from visionpulse.storage.local import LocalStorage

from .conftest import AT_ONCE

USE = Use("a" * 32)


class Maker:
    """Makes bytes, counts how often, and fails as told."""

    def __init__(self, data: bytes = b"bytes", failures=(), seconds: float = 0.0) -> None:
        self.data = data
        self.failures = list(failures)
        self.seconds = seconds
        self.calls = 0
        self.begun = threading.Event()

    async def __call__(self, _scratch: Path) -> Made:
        self.calls += 1
        self.begun.set()
        await asyncio.sleep(self.seconds)
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        return Made(self.data, ".bin")


def recipe(**inputs) -> Recipe:
    return Recipe("thing", 1, "maker", "model", inputs)


def priced(dollars: str) -> Quote:
    return Quote(Decimal(dollars), lambda _usage: Decimal(dollars))


def anything(_made: Made) -> None:
    pass


@pytest.fixture
def ledger(tmp_path):
    return open_ledger(tmp_path)


def open_ledger(home: Path, **settings) -> Ledger:
    return Ledger(
        SqlRepository(home / "visionpulse.db"),
        LocalStorage(home / "output"),
        policy=AT_ONCE,
        **settings,
    )


def once(ledger: Ledger, maker: Maker, verify=anything, run: Run | None = None, **wishes):
    async def ask() -> Artefact:
        current_run.set(run)
        return await ledger.once(
            wishes.pop("recipe", recipe(a=1)), maker, verify, use=wishes.pop("use", USE), **wishes
        )

    return asyncio.run(ask())


# ------------------------------------------------------------------ fingerprints


def test_fingerprint_of_a_recipe_never_changes():
    """A release that names the same thing differently would make every user's film again."""
    wanted = Recipe("picture", 1, "p", "m", {"prompt": "a réd dõor", "size": [1024, 1024]})

    # sha256 of the canonical JSON, computed with sha256sum.
    # {"inputs":{"prompt":"a réd dõor","size":[1024,1024]},"kind":"picture","version":1}
    assert wanted.fingerprint == "5e27d3454adebd8ed4fd6bae73a6fe039879b30930cb0068a36aeb681a25edf2"


def test_fingerprint_depends_on_inputs_kind_and_version_alone():
    """Who sells it and under which name is for the cost report."""
    base = Recipe("picture", 1, "p", "m", {"a": 1, "b": 2})

    assert base.fingerprint == Recipe("picture", 1, "q", "n", {"b": 2, "a": 1}).fingerprint
    others = [
        Recipe("speech", 1, "p", "m", {"a": 1, "b": 2}),
        Recipe("picture", 2, "p", "m", {"a": 1, "b": 2}),
        Recipe("picture", 1, "p", "m", {"a": 1, "b": "2"}),
        Recipe("picture", 1, "p", "m", {"a": 1}),
    ]
    assert len({each.fingerprint for each in [base, *others]}) == 5


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf"), b"bytes", {1, 2}])
def test_recipe_refuses_what_has_no_single_json_form(value):
    """Floats print differently from one writer to the next."""
    with pytest.raises(InputError, match="integers"):
        _ = recipe(a=[value]).fingerprint


# ------------------------------------------------------------------ making once


def test_second_request_is_not_made(ledger):
    """What is recorded is reused, for another video too, and the use is written down."""
    maker, other = Maker(), Use("b" * 32)

    first = once(ledger, maker)
    second = once(ledger, maker, use=other)

    assert first == second
    assert maker.calls == 1
    assert [artefact for _, artefact in ledger.store.used(other.video_id)] == [first]


@pytest.mark.parametrize("damage", ["altered", "cut", "gone"])
def test_damaged_object_is_made_again(ledger, tmp_path, damage):
    """A file that is not what was recorded is never reused."""
    artefact = once(ledger, Maker(b"0123456789"))
    path = tmp_path / "output" / artefact.key
    path.chmod(0o644)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"0123456780" if damage == "altered" else b"0123")
    maker = Maker(b"0123456789")

    again = once(ledger, maker)

    assert maker.calls == 1
    assert path.read_bytes() == b"0123456789"
    assert ledger.intact(again)


def test_what_fails_verification_is_paid_but_no_artefact(ledger):
    """Asking again really asks again."""
    maker = Maker()

    def refuse(_made: Made) -> None:
        raise BadAnswerError("It does not decode.")

    with pytest.raises(BadAnswerError):
        once(ledger, maker, refuse, quote=priced("0.04"))

    assert maker.calls == AT_ONCE.bad_attempts == 3
    assert ledger.store.find(recipe(a=1).fingerprint) is None
    assert ledger.store.spent(USE.video_id) == Decimal("0.12")


def test_an_answer_that_says_why_it_is_of_no_use_is_asked_for_once_more(ledger):
    """A model that reads another text aloud will do so again."""
    maker = Maker(failures=[BadAnswerError("Other words.", code="other_words")] * 9)

    with pytest.raises(BadAnswerError):
        once(ledger, maker)

    assert maker.calls == AT_ONCE.ambiguous_attempts == 2


def test_bad_answers_and_ambiguous_ones_are_counted_apart(ledger):
    """Neither a rate limit nor the one uses up the patience for the other."""
    bad, lost = BadAnswerError("It is no picture."), ProviderTimeoutError("No answer.")
    maker = Maker(failures=[bad, lost, RateLimitError("Slow down."), bad, None])

    once(ledger, maker, quote=priced("0.04"))

    assert maker.calls == 5
    assert ledger.store.spent(USE.video_id) == Decimal("0.16")


def test_a_bad_answer_costs_what_its_usage_says_else_all_it_may(ledger):
    """A cap holds only if what nobody has counted is counted in full."""
    quote = Quote(Decimal("0.50"), lambda usage: Decimal(usage.output_tokens or 0) / 100)
    told = BadAnswerError("No.", usage=Usage(output_tokens=7, request_id="req_1"))
    silent = BadAnswerError("No.", usage=Usage(request_id="req_2"))
    maker = Maker(failures=[told, silent, RefusedError("No.", billed=True, usage=told.usage)])

    with pytest.raises(RefusedError):
        once(ledger, maker, quote=quote)

    assert ledger.store.spent(USE.video_id) == Decimal("0.64")


def test_two_tasks_make_one_call(ledger):
    """The second waits for the first."""
    maker = Maker(seconds=0.2)

    async def both():
        return await asyncio.gather(
            *(ledger.once(recipe(a=1), maker, anything, use=USE) for _ in range(5))
        )

    made = asyncio.run(both())

    assert maker.calls == 1
    assert len({artefact.fingerprint for artefact in made}) == 1


def test_two_threads_with_their_own_loops_make_one_call(ledger, tmp_path):
    """Also through two ledgers on one database."""
    maker = Maker(seconds=0.3)
    ledgers = [ledger, ledger, open_ledger(tmp_path)]
    made: list[Artefact] = []
    threads = [
        threading.Thread(target=lambda each=each: made.append(once(each, maker)))
        for each in ledgers
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert maker.calls == 1
    assert len(made) == 3
    assert len(set(map(str, made))) == 1


def test_cancelled_caller_cancels_no_other(ledger):
    """The first one gives up; the second gets what the first had begun."""
    maker = Maker(seconds=0.3)

    async def scene():
        first = asyncio.create_task(ledger.once(recipe(a=1), maker, anything, use=USE))
        await asyncio.to_thread(maker.begun.wait)
        second = asyncio.create_task(ledger.once(recipe(a=1), maker, anything, use=USE))
        await asyncio.sleep(0.1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(scene()).size == 5
    assert maker.calls == 1


def test_paid_call_of_a_cancelled_caller_is_recorded(ledger):
    """It is being paid for: it gets its time to finish."""
    maker = Maker(seconds=0.3)

    async def scene():
        task = asyncio.create_task(
            ledger.once(recipe(a=1), maker, anything, use=USE, quote=priced("0.04"))
        )
        await asyncio.to_thread(maker.begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await ledger.drain()

    asyncio.run(scene())

    assert isinstance(ledger.store.find(recipe(a=1).fingerprint), Artefact)
    assert ledger.store.spent(USE.video_id) == Decimal("0.04")


def test_claim_of_a_dead_maker_is_taken_over(tmp_path):
    """Its lease runs out; nobody waits for ever."""
    ledger = open_ledger(tmp_path, lease=0.3)
    assert ledger.store.take(recipe(a=1).fingerprint, "a dead process", lease=0.3)
    maker = Maker()

    once(ledger, maker)

    assert maker.calls == 1


# ------------------------------------------------------------------ failures


def test_rate_limit_is_waited_out(ledger):
    """A failure that cost nothing is tried several times."""
    maker = Maker(failures=[RateLimitError("Slow down.", retry_after=0.001)] * 4)

    artefact = once(ledger, maker, quote=priced("0.04"))

    assert artefact.size == 5
    assert maker.calls == 5
    assert ledger.store.spent(USE.video_id) == Decimal("0.04")


def test_retry_after_longer_than_the_policy_ends_the_call(ledger):
    """Nobody sits through an hour; the video fails and can be resumed then."""
    maker = Maker(failures=[RateLimitError("Slow down.", retry_after=3600)])

    with pytest.raises(RateLimitError):
        once(ledger, maker)

    assert maker.calls == 1


@pytest.mark.parametrize(
    "failure",
    [
        ProviderTimeoutError("No answer.", billed=None),
        ProviderConnectionError("Broke off.", billed=None),
    ],
)
def test_ambiguous_failure_is_tried_once_more_and_counts_in_full(ledger, failure):
    """Nobody knows whether it was billed, so the cost report says the most."""
    maker = Maker(failures=[failure] * 5)

    with pytest.raises(type(failure)):
        once(ledger, maker, quote=priced("0.04"))

    assert maker.calls == 2
    assert ledger.store.spent(USE.video_id) == Decimal("0.08")


def test_rate_limit_before_a_timeout_does_not_use_up_its_second_try(ledger):
    """Failures that cost nothing and failures that may cost are counted apart."""
    failures = [RateLimitError("Slow down."), ProviderTimeoutError("No answer."), None]

    assert once(ledger, Maker(failures=failures)).size == 5


def test_refusal_is_kept_until_asked_otherwise(ledger):
    """The same text is not sent again by accident."""
    maker = Maker(failures=[RefusedError("It was refused.", provider="maker")])
    with pytest.raises(RefusedError):
        once(ledger, maker)

    with pytest.raises(RefusedError, match="retry_refused"):
        once(ledger, maker)
    assert maker.calls == 1

    once(ledger, maker, run=Run(retry_refused=True))
    assert maker.calls == 2


def test_no_more_calls_after_the_credit_is_gone(ledger):
    """One scene learns it; the others need not ask."""
    broke, other, run = Maker(failures=[QuotaError("No credit.")]), Maker(), Run()
    with pytest.raises(QuotaError):
        once(ledger, broke, run=run)

    with pytest.raises(QuotaError):
        once(ledger, other, recipe=recipe(a=2), run=run)

    assert other.calls == 0


# ------------------------------------------------------------------ money


def test_cap_stops_before_the_call_that_could_pass_it(ledger):
    """Two pictures of four cents fit into ten; a third could not."""
    run = Run(Caps(video=Decimal("0.10")))
    makers = [Maker(bytes([n])) for n in range(3)]
    for number in (0, 1):
        once(ledger, makers[number], recipe=recipe(n=number), quote=priced("0.04"), run=run)

    with pytest.raises(BudgetExceededError, match=r"0\.10") as failure:
        once(ledger, makers[2], recipe=recipe(n=2), quote=priced("0.04"), run=run)

    assert makers[2].calls == 0
    assert failure.value.spent == "0.08"
    assert ledger.store.spent(USE.video_id) == Decimal("0.08")


def test_cap_holds_for_calls_at_the_same_time(ledger):
    """Reservations count: seven at once may not spend what one may not."""
    maker = Maker(seconds=0.1)

    async def scene():
        current_run.set(Run(Caps(video=Decimal("0.10"))))
        return await asyncio.gather(
            *(
                ledger.once(recipe(n=n), maker, anything, use=USE, quote=priced("0.04"))
                for n in range(7)
            ),
            return_exceptions=True,
        )

    results = asyncio.run(scene())

    assert maker.calls == 2
    assert sum(isinstance(each, BudgetExceededError) for each in results) == 5


def test_day_cap_counts_all_videos(ledger):
    """An operator's limit is for everything made that day."""
    run = Run(Caps(day=Decimal("0.05")))
    once(ledger, Maker(), recipe=recipe(n=0), quote=priced("0.04"), run=run)

    with pytest.raises(BudgetExceededError, match="today"):
        once(ledger, Maker(), recipe=recipe(n=1), quote=priced("0.04"), run=run, use=Use("c" * 32))


def test_unknown_price_under_a_cap_is_an_error(ledger):
    """Unknown is not free."""
    unknown = Quote(None, lambda _usage: None)

    with pytest.raises(BudgetExceededError, match="quote"):
        once(ledger, Maker(), quote=unknown, run=Run(Caps(video=Decimal(1))))

    once(ledger, Maker(), quote=unknown)
    assert ledger.store.spent(USE.video_id) is None


# ------------------------------------------------------------------ sweeping


def test_sweep_takes_what_no_video_uses(ledger, tmp_path):
    """What a video uses stays, however old."""
    from visionpulse.models import Video

    ledger.store.insert(Video(id=USE.video_id, script="Hello."))
    kept = once(ledger, Maker(b"kept"), recipe=recipe(n=0))
    gone = once(ledger, Maker(b"gone"), recipe=recipe(n=1), use=Use("d" * 32))

    assert ledger.sweep() == 0
    assert ledger.sweep(unused_seconds=-1) == 1

    assert (tmp_path / "output" / kept.key).exists()
    assert not (tmp_path / "output" / gone.key).exists()


def test_sweep_keeps_bytes_that_two_recipes_share(ledger, tmp_path):
    """An object goes with the last artefact that names it."""
    from visionpulse.models import Video

    ledger.store.insert(Video(id=USE.video_id, script="Hello."))
    kept = once(ledger, Maker(b"same"), recipe=recipe(n=0))
    once(ledger, Maker(b"same"), recipe=recipe(n=1), use=Use("d" * 32))

    assert ledger.sweep(unused_seconds=-1) == 1

    assert (tmp_path / "output" / kept.key).exists()
