"""A vendor in a bad week: films made while 30 % of all calls fail, and the books compared after.

`storm(home, runs=...)` makes them and returns a `Report`; `benchmarks/storm.py` prints one of 200
films, `test_storm.py` holds a smaller one to the same promises.

A stage is a kind of model: `prompts` (storyboards and other words for refused pictures), `images`,
`speech`. Each stage deals its faults from a shuffled block that is dealt again when it is used up,
so every kind comes equally often, but for rate limits and slow answers, which fill the block.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import random
import re
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.vendor import Call, Vendor, price_of
from visionpulse import Pipeline, RetryPolicy, VideoOptions, loop
from visionpulse.errors import (
    BadAnswerError,
    ProviderConnectionError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    RefusedError,
    ScriptRefusedError,
    VisionPulseError,
)
from visionpulse.models import Failure
from visionpulse.providers.openai import OpenAIImages, OpenAIPrompts, OpenAISpeech

FORBIDDEN = "gore"
POLICY = RetryPolicy(first_wait=0.01, longest_wait=0.05)
TIMEOUT = 6.0
"""Seconds a call is given: long enough for a busy machine, short enough for a hundred of them."""
CASTS = (("gpt-4o", "dall-e-3", "tts-1"), ("gpt-6-luna", "gpt-image-2", "gpt-4o-mini-tts"))
STAGE_OF = {
    "prompts": "generate_prompts",
    "rewrite": "generate_images",
    "images": "generate_images",
    "speech": "generate_audio",
}
LEAK = re.compile(rb"sk-[0-9a-f]{5}|STORMSECRET|\*{20}")
"""What the vendor repeats of a key, and what it does not."""

#: Kind of fault: the forms it takes, one after the other.
EVERYWHERE = {
    "rate limit": ["rate_limit:0.02", "slow_down:0.02", "overloaded:0.02"],
    "5xx": ["server_error", "server_error:billed", "unavailable", "unavailable:billed"],
    "cut": ["cut_before", "lost", "cut_body"],
    "timeout": ["hang", "hang:billed"],
    "slow": ["late:0.2"],
    "HTML": ["html"],
    "billing stop": [
        "insufficient_quota",
        "credit_exhausted",
        "organization_spend_limit",
        "project_spend_limit",
        "organization_usage_limit",
        "billing_hard_limit",
    ],
}
KINDS: dict[str, dict[str, list[str]]] = {
    "prompts": {
        **EVERYWHERE,
        "bad JSON": ["malformed", "bad_json", "wrong_shape"],
        "empty": ["empty", "blank"],
        "refusal": ["refusal", "content_filter"],
    },
    "images": {
        **EVERYWHERE,
        "bad JSON": ["malformed", "wrong_shape"],
        "empty": ["empty"],
        "refusal": ["moderation", "content_policy"],
        "broken PNG": ["broken_png", "not_png"],
        "bomb": ["bomb"],
    },
    "speech": {
        **EVERYWHERE,
        "bad JSON": ["json_audio"],
        "empty": ["empty"],
        "refusal": ["content_policy"],
    },
}
BLOCK = {"prompts": 10, "images": 25, "speech": 30}
"""So long that each kind comes at least 20 times in 200 films."""

AMBIGUOUS = {"server_error", "unavailable", "cut_before", "lost", "cut_body", "hang"}
BAD = {
    *("html", "malformed", "wrong_shape", "bad_json", "empty", "blank"),
    *("json_audio", "broken_png", "not_png", "bomb"),
}
MEANS: dict[str, tuple[type[VisionPulseError], str]] = {
    "rate_limit": (RateLimitError, "rate_limit_exceeded"),
    "slow_down": (RateLimitError, "slow_down"),
    "overloaded": (RateLimitError, "server_is_overloaded"),
    "server_error": (ProviderConnectionError, "server_error"),
    "unavailable": (ProviderConnectionError, "server_error"),
    "cut_before": (ProviderConnectionError, "connection"),
    "lost": (ProviderConnectionError, "connection"),
    "cut_body": (ProviderConnectionError, "connection"),
    "hang": (ProviderTimeoutError, "timeout"),
    "insufficient_quota": (QuotaError, "insufficient_quota"),
    "credit_exhausted": (QuotaError, "credit_balance_exhausted"),
    "organization_spend_limit": (QuotaError, "organization_spend_limit_exceeded"),
    "project_spend_limit": (QuotaError, "project_spend_limit_exceeded"),
    "organization_usage_limit": (QuotaError, "organization_usage_limit_exceeded"),
    "billing_hard_limit": (QuotaError, "billing_hard_limit_reached"),
    "refusal": (ScriptRefusedError, "script_refused"),
    "content_filter": (ScriptRefusedError, "script_refused"),
    "moderation": (RefusedError, "moderation_blocked"),
    "content_policy": (RefusedError, "content_policy_violation"),
    **dict.fromkeys(BAD, (BadAnswerError, "bad_answer")),
}


class Deck:
    """Deals faults to 30 % of the calls."""

    def __init__(self, seed: int, share: float = 0.3) -> None:
        self._die = random.Random(seed)
        self._share = share
        self._lock = threading.Lock()
        self._blocks: dict[str, list[str]] = {stage: [] for stage in KINDS}
        self._forms = {
            (stage, kind): itertools.cycle(forms)
            for stage, kinds in KINDS.items()
            for kind, forms in kinds.items()
        }
        self.dealt: Counter[tuple[str, str]] = Counter()
        """By stage and kind of fault."""

    def deal(self, call: Call) -> str | None:
        """Decide what goes wrong with a call."""
        stage = stage_of(call)
        with self._lock:
            if self._die.random() >= self._share:
                return None
            block = self._blocks[stage]
            if not block:
                kinds = [*KINDS[stage]]
                more = BLOCK[stage] - len(kinds)
                block += kinds + ["rate limit", "slow", "rate limit"] * (more // 3 + 1)
                del block[BLOCK[stage] :]
                self._die.shuffle(block)
            kind = block.pop()
            self.dealt[stage, kind] += 1
            return next(self._forms[stage, kind])


def stage_of(call: Call) -> str:
    """Return whose deck a call is dealt from."""
    return "prompts" if call.kind == "rewrite" else call.kind


def script(number: int) -> str:
    """Return 12 sentences that no other run has; moderation objects to three scenes."""
    name = "".join(
        "bdfgklmnprstvz"[number // 14**place % 14] + "aeiou"[place] for place in range(4)
    )
    things = ("gore", "doors", "gulls", "boats", "lamps", "gore", "sails", "waves", "stones")
    things += ("birds", "clouds", "gore")
    return " ".join(f"Old {name} {thing}." for thing in things)


@dataclass
class Film:
    """One run, as its user saw it."""

    number: int
    key: str
    video_id: str
    error: VisionPulseError | None = None
    written: Failure | None = None
    """What the video's row says of it."""
    resumed: bool = False
    """Whether it was completed after the storm."""

    @property
    def excused(self) -> bool:
        """Whether a billing stop or a refusal ended it."""
        return isinstance(self.error, (QuotaError, RefusedError))


@dataclass
class Report:
    """What the storm did, by both books."""

    films: list[Film]
    dealt: Counter[tuple[str, str]]
    calls: Counter[str]
    faults: int
    seconds: float
    wrong_errors: list[str] = field(default_factory=list)
    """Failures that are not what the vendor's books say they should be."""
    bought_twice: list[str] = field(default_factory=list)
    """What was asked for again although a good answer had been given, or too often."""
    again_ambiguous: int = 0
    again_bad: int = 0
    """Billed calls that were asked again: nobody knew; the answer was of no use."""
    wrong_money: list[str] = field(default_factory=list)
    """Where the ledger and the vendor's books differ and must not."""
    billed: Decimal = Decimal(0)
    counted: Decimal = Decimal(0)
    """By the vendor; by the ledger, which counts in full what nobody knows."""
    doubtful: dict[str, tuple[int, Decimal, Decimal]] = field(default_factory=dict)
    """By outcome: calls, dollars billed, dollars counted."""
    leaks: list[str] = field(default_factory=list)
    bytes_looked_at: int = 0

    @property
    def completed(self) -> int:
        """How many films were made during the storm."""
        return sum(film.error is None for film in self.films)

    @property
    def excused(self) -> int:
        """How many a billing stop or a refusal ended."""
        return sum(film.excused for film in self.films)


def storm(home: Path, *, runs: int, seed: int = 1, workers: int = 6) -> Report:
    """Make films in a storm, then in calm weather those that failed; compare the books.

    Args:
        home: An empty folder for all that is written, the logs included.
        runs: How many films.
        seed: Of the die; which call meets which fault depends on the threads too.
        workers: How many films at the same time.
    """
    began = time.monotonic()
    deck = Deck(seed)
    with Vendor(forbidden=FORBIDDEN, retry_after=0.02) as vendor, logged(home / "log.txt") as say:
        vendor.fault = deck.deal
        with ThreadPoolExecutor(workers) as pool:
            films = [*pool.map(lambda number: _film(home, vendor, number, say), range(runs))]
        seconds = time.monotonic() - began
        calls = [*vendor.calls]
        vendor.fault = lambda _call: None
        with ThreadPoolExecutor(workers) as pool:
            [*pool.map(lambda film: _resume(home, vendor, film, say), films)]
        report = Report(
            films=films,
            dealt=deck.dealt,
            calls=Counter(stage_of(call) for call in calls),
            faults=sum(call.fault is not None for call in calls),
            seconds=seconds,
        )
        _check_errors(report, calls)
        _check_books(report, vendor.calls)
        _check_money(report, vendor.calls, home / "visionpulse.db")
        assert not vendor.violations, vendor.violations[:3]
    _look_for_keys(report, home)
    return report


@contextlib.contextmanager
def logged(file: Path) -> Iterator[Any]:
    """Write down everything that anybody logs, and what the yielded function is told."""
    logger = logging.getLogger()
    handler = logging.FileHandler(file)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    # It says a line for every chunk of every picture.
    logging.getLogger("PIL").setLevel(logging.INFO)
    try:
        yield logging.getLogger("storm").info
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def _pipeline(home: Path, vendor: Vendor, number: int, key: str) -> Iterator[Pipeline]:
    there: dict[str, Any] = {"api_key": key, "base_url": vendor.url, "timeout": TIMEOUT}
    prompts, images, speech = CASTS[number % len(CASTS)]
    models = OpenAIPrompts(prompts, **there), OpenAIImages(images, **there)
    speaker = OpenAISpeech(speech, **there)
    with Pipeline(
        "offline", prompts=models[0], images=models[1], speech=speaker, home=home, retry=POLICY
    ) as pipeline:
        yield pipeline
    for model in (*models, speaker):
        loop.run(model.aclose)


def _film(home: Path, vendor: Vendor, number: int, say: Any) -> Film:
    key = f"sk-{number:05x}-STORMSECRET-{number:03}"
    options = VideoOptions(
        width=64,
        height=64,
        fps=24,
        scene_count=7,
        quality="draft",
        picture_size="1024x1024",
        on_refusal=("fail", "placeholder", "neighbour")[number % 3],
    )
    with _pipeline(home, vendor, number, key) as pipeline:
        try:
            video = pipeline.run(
                script(number), options=options, on_event=lambda event: say("%r", event)
            )
        except VisionPulseError as error:
            say("%r %r", error, vars(error), exc_info=error)
            failed = pipeline.get(error.video_id or "")
            return Film(number, key, failed.id, error, written=failed.error)
        say("%r", video)
        return Film(number, key, video.id)


def _resume(home: Path, vendor: Vendor, film: Film, say: Any) -> None:
    if film.error is None:
        return
    with _pipeline(home, vendor, film.number, film.key) as pipeline:
        video = pipeline.resume(
            film.video_id, retry_refused=True, on_event=lambda event: say("%r", event)
        )
        film.resumed = video.status == "completed"


def _name(call: Call) -> str:
    return (call.fault or "").partition(":")[0]


def _outcome(call: Call) -> str:
    """Say what the caller can know of a call: `good`, `bad`, `unknown` or `free`."""
    name = _name(call)
    slow = call.ended is not None and call.ended - call.started > 0.9 * TIMEOUT
    if name in AMBIGUOUS or (slow and name != "hang"):
        return "unknown"
    if name in BAD or name in {"refusal", "content_filter"}:
        return "bad"
    return "good" if call.billed else "free"


def _groups(calls: Sequence[Call]) -> Mapping[tuple[str, str], list[Call]]:
    """Put the calls for the same thing together, in order."""
    groups: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in calls:
        groups[call.key, json.dumps(call.body, sort_keys=True)].append(call)
    return groups


def _check_errors(report: Report, calls: Sequence[Call]) -> None:
    """Compare each failure with how the vendor's last answers for the run ended."""
    ends: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for (key, _), group in _groups(calls).items():
        last = group[-1]
        name = _name(last)
        if _outcome(last) == "good":
            continue
        if name in {"", "late"} and last.status == 400:
            name = "moderation"  # The forbidden word.
        if name not in MEANS:
            name = "hang"  # The machine was busy: an answer came too late.
        error, code = MEANS[name]
        if last.kind == "rewrite" and error is not QuotaError:
            continue  # Then the refusal of the picture is what is told.
        if _given_up(group, error):
            ends[key].add((error.__name__, code, STAGE_OF[last.kind]))
    for film in report.films:
        if film.error is None:
            continue
        told = (type(film.error).__name__, film.error.code, film.error.stage or "")
        if told not in ends[film.key]:
            report.wrong_errors.append(f"film {film.number}: {told}, not {ends[film.key]}")
        facts = Failure.of(film.error)
        if facts != film.written:
            report.wrong_errors.append(f"film {film.number}: {facts}, written {film.written}")
        if not (facts.provider and facts.model and facts.hint):
            report.wrong_errors.append(f"film {film.number}: {facts}")


def _given_up(group: Sequence[Call], error: type[VisionPulseError]) -> bool:
    """Return whether the policy allowed no other attempt."""
    seen = Counter(map(_outcome, group))
    return (
        not error.default_retryable
        or len(group) == POLICY.attempts
        or seen["unknown"] == POLICY.ambiguous_attempts
        or seen["bad"] == POLICY.bad_attempts
    )


def _check_books(report: Report, calls: Sequence[Call]) -> None:
    """Find what was billed and asked for again, after the storm too."""
    for (key, _), group in _groups(calls).items():
        outcomes = [_outcome(call) for call in group]
        for number, outcome in enumerate(outcomes[:-1]):
            if outcome == "good":
                report.bought_twice.append(f"{key}: {group[number].kind} after a good answer")
            elif group[number].billed:
                report.again_ambiguous += outcome == "unknown"
                report.again_bad += outcome == "bad"
        ambiguous = outcomes.count("unknown")
        resumed = any(film.key == key and film.error for film in report.films)
        if ambiguous > POLICY.ambiguous_attempts and not resumed:
            report.bought_twice.append(f"{key}: {group[0].kind} {ambiguous} times, nobody knows")


def _check_money(report: Report, calls: Sequence[Call], database: Path) -> None:
    """Compare the vendor's books with the ledger's calls, one by one where both have a number."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        rows = db.execute(
            "select video_id, outcome, cost, bound, request_id, model from calls "
            "where provider = 'openai'"
        ).fetchall()
    keys = {film.video_id: film.key for film in report.films}
    numbered = {f"req_{call.number:06d}": call for call in calls}
    asked, recorded = Counter(call.key for call in calls), Counter(keys[row[0]] for row in rows)
    for key in asked.keys() | recorded.keys():
        if asked[key] != recorded[key]:
            report.wrong_money.append(f"{key}: {asked[key]} calls, {recorded[key]} recorded")
    known: dict[str, list[Any]] = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
    fixed: Counter[tuple[str, str]] = Counter()
    for video_id, outcome, cost, bound, number, model in rows:
        counted = Decimal(bound if cost is None else cost) / 10**9
        report.counted += counted
        call = numbered.get(number or "")
        tally = known[outcome]
        tally[0] += 1
        tally[2] += counted
        if outcome in {"bad", "unknown"}:
            fixed[keys[video_id], model] += int(counted * 10**9)
        if call is None:
            if outcome != "unknown":
                report.wrong_money.append(f"a call that ended {outcome} has no number")
            continue
        billed = call.dollars or Decimal(0)
        exact = outcome in {"ok", "failed"} or (outcome == "bad" and cost is not None)
        if abs(counted - billed) > Decimal("1e-9") and exact:
            report.wrong_money.append(f"{number} {outcome}: {counted}, billed {billed}")
        if counted < billed - Decimal("1e-9"):
            report.wrong_money.append(f"{number} {outcome}: {counted} is less than {billed}")
    for call in calls:
        outcome = {"good": "ok", "free": "failed"}.get(_outcome(call), _outcome(call))
        known[outcome][1] += call.dollars or 0
        if outcome in {"bad", "unknown"}:
            fixed[call.key, call.body["model"]] -= int((price_of(call) or 0) * 10**9)
    for (key, model), difference in fixed.items():
        # These have one price, so even what nobody knows is counted to the cent.
        if model in {"dall-e-3", "tts-1"} and difference:
            report.wrong_money.append(f"{key}: {model} differs by {difference} nanodollars")
    report.doubtful = {outcome: (n, b, c) for outcome, (n, b, c) in known.items()}
    report.billed = sum((call.dollars or 0 for call in calls), Decimal(0))


def _look_for_keys(report: Report, home: Path) -> None:
    for file in home.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            report.bytes_looked_at += len(data)
            if found := LEAK.search(data):
                report.leaks.append(f"{file.relative_to(home)}: {found[0]!r}")
