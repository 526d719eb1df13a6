"""What every VideoRepository and every LedgerStore keeps to: run the checks over yours.

@pytest.mark.parametrize("check", REPOSITORY_CHECKS, ids=lambda check: check.__name__)
def test_conforms(check):
    check(MyRepository)  # any callable that returns an empty repository

`LEDGER_STORE_CHECKS` takes what returns an empty LedgerStore; where it is a VideoRepository too,
the videos that use its artefacts are put into it.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from visionpulse.errors import (
    BudgetExceededError,
    ClaimLostError,
    InputError,
    StorageError,
    VideoBusyError,
    VideoNotFoundError,
)
from visionpulse.models import (
    Artefact,
    Character,
    CostLine,
    Failure,
    Scene,
    StyleBible,
    Usage,
    Video,
    VideoOptions,
)
from visionpulse.protocols import (
    CallRecord,
    Caps,
    Claim,
    LedgerStore,
    Refusal,
    Use,
    VideoRepository,
)

MakeRepository = Callable[[], VideoRepository]
MakeLedgerStore = Callable[[], LedgerStore]

# A lease that is over at once, and one that outlasts a check.
_SHORT, _LONG = 0.05, 60.0
_PATIENCE = 4.0
"""Seconds after which a short lease must have ended, whatever the clock's resolution."""

T = TypeVar("T")


def _raises(
    kind: type[Exception], action: Callable[..., object], *arguments: object, **named: object
) -> bool:
    try:
        action(*arguments, **named)
    except kind:
        return True
    return False


def _at_last(ask: Callable[[], T]) -> T:
    """Ask until the answer is true, as long as a short lease may take to end."""
    deadline = time.monotonic() + _PATIENCE
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer


def _claim(claim: Claim | None) -> Claim:
    assert claim is not None, "there was something to claim"
    return claim


# ------------------------------------------------------------------ videos

_NEVER = "f" * 32
_EPOCH = datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC)


def _video(number: int = 0, title: str = "A film") -> Video:
    """Return a video; those with a higher number are younger."""
    return Video(
        title=title, script="A red door. It opens.", created_at=_EPOCH + timedelta(minutes=number)
    )


def _done(video: Video) -> Video:
    return video.model_copy(update={"status": "completed", "video_path": "videos/x.mp4"})


def a_video_comes_back(make: MakeRepository) -> None:
    """Every field to the character: other scripts, quotes, line breaks, empty and nested values."""
    repository = make()
    script = 'Ünï "quoted"\n\'; drop table videos; --\n第一天 🎬 \\n %s {x}'
    video = Video(
        title="T\n'\"",
        script=script,
        style="noir",
        voice="nova",
        keywords=("a", "ü,b"),
        options=VideoOptions(width=128, height=72, scene_count=2),
        scenes=(Scene(text=script, start_char=0, end_char=len(script), prompt="p", start=0.1),),
        caption_paths={"srt": "videos/x.srt"},
        cost=Decimal("0.123456789"),
        created_at=_EPOCH,
    )
    repository.insert(video)
    ours = {"status", "updated_at", "revision", "progress"}
    assert repository.get(video.id).model_dump(exclude=ours) == video.model_dump(exclude=ours)
    assert repository.get(video.id).status == "pending"


def an_unknown_id_is_named(make: MakeRepository) -> None:
    """`get` and `cancel` raise VideoNotFoundError, `delete` says False, `claim` finds nothing."""
    repository = make()
    repository.insert(_video())
    assert _raises(VideoNotFoundError, repository.get, _NEVER)
    assert _raises(VideoNotFoundError, repository.cancel, _NEVER)
    assert not repository.delete(_NEVER)
    assert repository.claim("a", video_id=_NEVER) is None


def an_insert_with_an_owner_is_a_claim(make: MakeRepository) -> None:
    """Without an owner the video waits; with one it is his at once."""
    repository = make()
    video, other = _video(0), _video(1)
    claim = _claim(repository.insert(video, owner="a", lease=_LONG))
    assert (claim.video_id, claim.owner, claim.attempt) == (video.id, "a", 1)
    assert repository.get(video.id).status == "processing"
    assert repository.claim("b") is None
    assert repository.insert(other) is None
    assert repository.get(other.id).status == "pending"


def an_idle_video_is_replaced(make: MakeRepository) -> None:
    """Inserting one again, waiting, finished or left by its worker, makes it wait anew."""
    repository = make()
    video = _video()
    repository.insert(video)
    repository.insert(video.model_copy(update={"title": "again"}))
    assert repository.get(video.id).title == "again"
    claim = _claim(repository.claim("a", lease=_LONG))
    repository.save(_done(video), claim)
    claim = _claim(repository.insert(video, owner="a", lease=_SHORT))
    assert _at_last(lambda: not _raises(VideoBusyError, repository.insert, video))
    assert repository.get(video.id).status == "pending"
    assert _raises(ClaimLostError, repository.save, video, claim)
    assert [each.id for each in repository.list().items] == [video.id]


def a_busy_video_is_not_replaced(make: MakeRepository) -> None:
    """VideoBusyError, and its worker goes on as if nothing had been."""
    repository = make()
    video = _video()
    claim = _claim(repository.insert(video, owner="a", lease=_LONG))
    other = video.model_copy(update={"title": "other"})
    assert _raises(VideoBusyError, repository.insert, other, owner="b")
    assert _raises(VideoBusyError, repository.insert, other)
    assert repository.get(video.id).title == video.title
    assert repository.save(_done(video), claim).status == "completed"


def the_oldest_waiting_video_is_claimed_first(make: MakeRepository) -> None:
    """In the order they came, unless one is asked for by its id."""
    repository = make()
    first, second, third = (_video(number) for number in range(3))
    for video in (first, second, third):
        repository.insert(video)
    named = _claim(repository.claim("a", lease=_LONG, video_id=second.id))
    assert (named.video_id, named.owner) == (second.id, "a")
    claimed = [_claim(repository.claim("a", lease=_LONG)).video_id for _ in range(2)]
    assert claimed == [first.id, third.id]
    assert repository.get(first.id).status == "processing"


def a_claimed_video_is_nobody_elses(make: MakeRepository) -> None:
    """While the lease runs nobody gets it, not even by its id."""
    repository = make()
    video = _video()
    repository.insert(video)
    _claim(repository.claim("a", lease=_LONG))
    assert repository.claim("b") is None
    assert repository.claim("b", video_id=video.id) is None


def a_finished_video_is_not_claimed(make: MakeRepository) -> None:
    """A status that ends the work ends the claim: nobody claims the video, nobody writes to it."""
    for status in ("completed", "failed"):
        repository = make()
        video = _video()
        claim = _claim(repository.insert(video, owner="a", lease=_LONG))
        failure = Failure(code="x", message="It broke.") if status == "failed" else None
        ended = video.model_copy(update={"status": status, "error": failure})
        assert repository.save(ended, claim).status == status
        assert repository.get(video.id).error == failure
        assert repository.claim("b") is None
        assert repository.claim("b", video_id=video.id) is None
        assert _raises(ClaimLostError, repository.save, video, claim)
        assert _raises(ClaimLostError, repository.heartbeat, claim)


def an_orphan_is_claimed_again(make: MakeRepository) -> None:
    """When a lease has ended another takes the video, and the worker that slept is fenced off."""
    repository = make()
    video = _video()
    old = _claim(repository.insert(video, owner="sleeper", lease=_SHORT))
    new = _claim(_at_last(lambda: repository.claim("waker", lease=_LONG)))
    assert (new.video_id, new.attempt) == (video.id, 2)
    assert new.fence > old.fence
    late = video.model_copy(update={"title": "late"})
    assert _raises(ClaimLostError, repository.save, late, old)
    assert _raises(ClaimLostError, repository.heartbeat, old, lease=_LONG)
    assert repository.get(video.id).title == video.title
    assert repository.save(_done(video), new).status == "completed"


def a_worker_is_fenced_off_from_itself(make: MakeRepository) -> None:
    """Not the owner's name but the fence decides: a process may claim what it has lost."""
    repository = make()
    video = _video()
    old = _claim(repository.insert(video, owner="a", lease=_SHORT))
    new = _claim(_at_last(lambda: repository.claim("a", lease=_LONG)))
    assert _raises(ClaimLostError, repository.save, video, old)
    repository.save(video.model_copy(update={"status": "processing"}), new)


def a_heartbeat_keeps_the_claim(make: MakeRepository) -> None:
    """It extends the lease from now on, and says how far the work is."""
    repository = make()
    video = _video()
    claim = _claim(repository.insert(video, owner="a", lease=0.5))
    repository.heartbeat(claim, lease=_LONG, progress=0.25)
    before = repository.get(video.id)
    repository.heartbeat(claim, lease=_LONG)
    time.sleep(0.6)
    assert repository.claim("b") is None
    after = repository.get(video.id)
    assert (before.progress, after.progress) == (0.25, 0.25)
    repository.heartbeat(claim, lease=_SHORT)
    assert _at_last(lambda: repository.claim("b", lease=_LONG))


def save_replaces_the_video(make: MakeRepository) -> None:
    """What is saved is returned and read; the revision counts the changes, the time tells them."""
    repository = make()
    video = _video()
    claim = _claim(repository.insert(video, owner="a", lease=_LONG))
    first = repository.get(video.id)
    scene = Scene(text=video.script, start_char=0, end_char=len(video.script), prompt="a door")
    bible = StyleBible(characters=(Character(name="Mara", look="A tall woman."),), lens="35 mm")
    changed = first.model_copy(update={"scenes": (scene,), "progress": 0.5, "bible": bible})
    saved = repository.save(changed, claim)
    assert saved == repository.get(video.id)
    assert (saved.scenes, saved.progress, saved.bible) == ((scene,), 0.5, bible)
    assert saved.revision > first.revision
    assert saved.updated_at >= first.updated_at
    assert saved.created_at == video.created_at


def cancel_takes_the_video_away(make: MakeRepository) -> None:
    """From its worker, or from the queue: it has failed, as cancelled, until it is run again."""
    for owner in ("a", None):
        repository = make()
        video = _video()
        claim = repository.insert(video, owner=owner, lease=_LONG)
        for cancelled in (repository.cancel(video.id), repository.get(video.id)):
            assert cancelled.status == "failed"
            assert cancelled.error is not None
            assert cancelled.error.code == "cancelled"
        assert repository.claim("b") is None
        if claim:
            assert _raises(ClaimLostError, repository.save, video, claim)
            assert _raises(ClaimLostError, repository.heartbeat, claim)
        again = _claim(repository.insert(video, owner="b", lease=_LONG))
        assert repository.get(video.id).error is None
        assert claim is None or again.fence > claim.fence


def cancel_leaves_what_is_finished(make: MakeRepository) -> None:
    """A film that is there is not taken away by somebody who wanted to stop it."""
    repository = make()
    video = _video()
    claim = _claim(repository.insert(video, owner="a", lease=_LONG))
    repository.save(_done(video), claim)
    assert repository.cancel(video.id).status == "completed"
    assert repository.get(video.id).status == "completed"


def delete_removes_one_video(make: MakeRepository) -> None:
    """It is gone from everywhere, its neighbour stays, and its worker's writes are refused."""
    repository = make()
    video, neighbour = _video(0), _video(1)
    claim = _claim(repository.insert(video, owner="a", lease=_LONG))
    repository.insert(neighbour)
    assert repository.delete(video.id)
    assert not repository.delete(video.id)
    assert _raises(VideoNotFoundError, repository.get, video.id)
    assert [each.id for each in repository.list().items] == [neighbour.id]
    assert _raises(ClaimLostError, repository.save, video, claim)
    assert _raises(ClaimLostError, repository.heartbeat, claim)
    assert [each.id for each in repository.list().items] == [neighbour.id]


def a_deleted_video_may_come_again(make: MakeRepository) -> None:
    """Inserted anew, it is not within reach of whoever worked on it before."""
    repository = make()
    video = _video()
    old = _claim(repository.insert(video, owner="a", lease=_LONG))
    repository.delete(video.id)
    new = _claim(repository.insert(video, owner="b", lease=_LONG))
    assert _raises(ClaimLostError, repository.save, _done(video), old)
    assert _raises(ClaimLostError, repository.heartbeat, old)
    assert new.fence > old.fence


def a_video_that_ends_its_workers_fails(make: MakeRepository) -> None:
    """After three claims that came to nothing the others need no longer wait behind it."""
    repository = make()
    poison, healthy = _video(0), _video(1)
    repository.insert(poison)
    for attempt in (1, 2, 3):
        claim = _claim(_at_last(lambda: repository.claim("a", lease=_SHORT)))
        assert (claim.video_id, claim.attempt) == (poison.id, attempt)
    repository.insert(healthy)
    _at_last(
        lambda: (
            repository.claim("a", lease=_LONG, video_id=poison.id)
            or repository.get(poison.id).status == "failed"
        )
    )
    failed = repository.get(poison.id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "attempts_exhausted"
    assert _claim(repository.claim("a", lease=_LONG)).video_id == healthy.id


def pages_cover_everything_once(make: MakeRepository) -> None:
    """Newest first, also where several are of one moment, and while newer ones come in."""
    repository = make()
    videos = [_video(number // 3) for number in range(20)]
    for video in videos:
        repository.insert(video)
    seen: list[Video] = []
    cursor: str | None = None
    for number in range(4):
        page = repository.list(limit=5, cursor=cursor)
        assert len(page.items) == 5
        assert page.total == 20 + number
        seen += page.items
        repository.insert(_video(100 + number))
        cursor = page.next_cursor
        assert (cursor is None) == (number == 3)
    assert sorted(each.id for each in seen) == sorted(each.id for each in videos)
    times = [each.created_at for each in seen]
    assert times == sorted(times, reverse=True)


def list_filters(make: MakeRepository) -> None:
    """By status, and by any part of the title in either case; its wildcards are plain letters."""
    repository = make()
    for number, title in enumerate(("100% Wool", "100 sheep", "a_b", "aXb", "100 wolves")):
        repository.insert(_video(number, title))
    _claim(repository.claim("a", lease=_LONG))

    def titles(**wishes: str) -> list[str]:
        page = repository.list(**wishes)  # type: ignore[arg-type]
        assert page.total == len(page.items)
        return [each.title for each in page.items]

    assert titles(query="100") == ["100 wolves", "100 sheep", "100% Wool"]
    assert titles(query="0% wo") == ["100% Wool"]
    assert titles(query="a_b") == ["a_b"]
    assert titles(query="goat") == []
    assert titles(status="processing") == ["100% Wool"]
    assert titles(status="pending", query="100") == ["100 wolves", "100 sheep"]
    assert titles(status="completed") == []
    first = repository.list(limit=1, query="100")
    rest = repository.list(limit=5, query="100", cursor=first.next_cursor)
    assert [each.title for each in rest.items] == ["100 sheep", "100% Wool"]


def list_refuses_nonsense(make: MakeRepository) -> None:
    """A limit below one, and a cursor it has not given out, are InputErrors."""
    repository = make()
    repository.insert(_video())
    for limit in (0, -1):
        assert _raises(InputError, repository.list, limit=limit)
    assert _raises(InputError, repository.list, cursor="nonsense")


def many_workers_share_the_work(make: MakeRepository) -> None:
    """Eight claim at once: every video goes to one of them."""
    repository = make()
    videos = [_video(number) for number in range(24)]
    for video in videos:
        repository.insert(video)
    claimed: list[str] = []

    def work(number: int) -> None:
        while claim := repository.claim(f"worker {number}", lease=_LONG):
            claimed.append(claim.video_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert sorted(claimed) == sorted(video.id for video in videos)


def a_heartbeat_undoes_no_save(make: MakeRepository) -> None:
    """A worker beats in one thread and saves in another; nothing that was saved is lost."""
    repository = make()
    video = _video()
    claim = _claim(repository.insert(video, owner="a", lease=_LONG))
    over, beaten = threading.Event(), threading.Semaphore(0)

    def beat() -> None:
        while not over.is_set():
            repository.heartbeat(claim, lease=_LONG)
            beaten.release()

    with ThreadPoolExecutor(1) as pool:
        beating = pool.submit(beat)
        try:
            for number in range(20):
                title = f"title {number}"
                working = {"title": title, "status": "processing"}
                repository.save(video.model_copy(update=working), claim)
                while beaten.acquire(blocking=False):
                    pass
                # By the second one, that which was under way during the save has ended.
                assert beaten.acquire(timeout=_PATIENCE)
                assert beaten.acquire(timeout=_PATIENCE)
                assert repository.get(video.id).title == title
        finally:
            over.set()
        beating.result()


def a_cancelled_video_stays_cancelled(make: MakeRepository) -> None:
    """However many saves are on their way when it is cancelled."""
    repository = make()
    video = _video().model_copy(update={"status": "processing"})
    claim = _claim(repository.insert(video, owner="a", lease=_LONG))
    saved = threading.Event()

    def work() -> None:
        while not _raises(ClaimLostError, repository.save, video, claim):
            saved.set()

    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(work) for _ in range(3)]
        assert saved.wait(_PATIENCE)
        repository.cancel(video.id)
        assert repository.get(video.id).status == "failed"
        for worker in workers:
            worker.result(_PATIENCE)
    assert repository.get(video.id).status == "failed"


REPOSITORY_CHECKS: tuple[Callable[[MakeRepository], None], ...] = (
    a_video_comes_back,
    an_unknown_id_is_named,
    an_insert_with_an_owner_is_a_claim,
    an_idle_video_is_replaced,
    a_busy_video_is_not_replaced,
    the_oldest_waiting_video_is_claimed_first,
    a_claimed_video_is_nobody_elses,
    a_finished_video_is_not_claimed,
    an_orphan_is_claimed_again,
    a_worker_is_fenced_off_from_itself,
    a_heartbeat_keeps_the_claim,
    save_replaces_the_video,
    cancel_takes_the_video_away,
    cancel_leaves_what_is_finished,
    delete_removes_one_video,
    a_deleted_video_may_come_again,
    a_video_that_ends_its_workers_fails,
    pages_cover_everything_once,
    list_filters,
    list_refuses_nonsense,
    many_workers_share_the_work,
    a_heartbeat_undoes_no_save,
    a_cancelled_video_stays_cancelled,
)


# ------------------------------------------------------------------ the ledger's facts

_PRINT = "ab" * 32


def _fingerprint(number: int) -> str:
    return f"{number:064x}"


def _artefact(fingerprint: str = _PRINT, sha256: str | None = None) -> Artefact:
    return Artefact(
        fingerprint=fingerprint,
        kind="speech",
        sha256=sha256 or fingerprint,
        size=5_000_000_000,
        suffix=".wav",
        meta={"samples": 12, "words": [{"text": "Ünï", "start": 0.25}], "none": None},
    )


def _use(store: LedgerStore, scene_id: str | None = None) -> Use:
    """Return a use for a video, which is put into the store if it keeps videos too."""
    video = _video()
    if isinstance(store, VideoRepository):
        store.insert(video)
    return Use(video.id, scene_id)


def _nobodys_use() -> Use:
    return Use(uuid.uuid4().hex)


def _yes(_artefact: Artefact) -> bool:
    return True


def _no(_artefact: Artefact) -> bool:
    return False


def _call(use: Use, bound: str | None) -> CallRecord:
    price = None if bound is None else Decimal(bound)
    return CallRecord(_PRINT, "picture", "vendor", "model", use, price)


def _settled(store: LedgerStore, use: Use, bound: str, outcome: str, cost: str | None) -> None:
    number = store.reserve(_call(use, bound), Caps())
    store.settle(
        number,
        outcome=outcome,
        cost=None if cost is None else Decimal(cost),
        usage=Usage(input_tokens=3, seconds=0.5),
        seconds=1.5,
        code="code",
        request_id="req_1",
    )


def nothing_is_there_at_first(make: MakeLedgerStore) -> None:
    """An empty ledger finds nothing, uses nothing and has cost nothing."""
    store = make()
    assert store.find(_PRINT) is None
    assert not store.used(_NEVER)
    assert store.spent(_NEVER) == 0
    assert not store.reuse(_PRINT, _nobodys_use(), _yes)
    assert store.sweep(unused_seconds=0, discard=lambda _artefact: None) == 0
    store.forget(_PRINT)
    store.release(_PRINT, "a")


def a_recorded_artefact_is_found(make: MakeLedgerStore) -> None:
    """Every field of it, nested ones too, and what it is used for."""
    store = make()
    use = _use(store, "scene")._replace(take=2)
    assert store.record(_artefact(), use, "a", _yes)
    assert store.find(_PRINT) == _artefact()
    assert [(each[:3], artefact) for each, artefact in store.used(use.video_id)] == [
        (use[:3], _artefact())
    ]
    assert store.find(_fingerprint(1)) is None


def what_has_gone_is_not_recorded(make: MakeLedgerStore) -> None:
    """If the object is not there any more nothing is written, and the claim stays."""
    store = make()
    use = _use(store)
    asked: list[Artefact] = []
    store.take(_PRINT, "a", lease=_LONG)

    def gone(artefact: Artefact) -> bool:
        asked.append(artefact)
        return False

    assert not store.record(_artefact(), use, "a", gone)
    assert asked == [_artefact()]
    assert store.find(_PRINT) is None
    assert not store.used(use.video_id)
    assert not store.take(_PRINT, "b", lease=_LONG)
    assert store.record(_artefact(), use, "a", _yes)


def reuse_writes_the_use_down(make: MakeLedgerStore) -> None:
    """For another video too, if the object is still there; else nothing is written."""
    store = make()
    one, other = _use(store), _use(store)
    store.record(_artefact(), one, "a", _yes)
    assert not store.reuse(_PRINT, other, _no)
    assert not store.used(other.video_id)
    assert store.reuse(_PRINT, other, _yes)
    assert [artefact for _, artefact in store.used(other.video_id)] == [_artefact()]
    assert not store.reuse(_fingerprint(1), other, _yes)


def each_use_is_kept_once(make: MakeLedgerStore) -> None:
    """The same scene and take is one use; other scenes and takes are others."""
    store = make()
    use = _use(store, "one")
    uses = [use, use._replace(scene_id="two"), use._replace(take=1), use._replace(scene_id=None)]
    store.record(_artefact(), use, "a", _yes)
    for each in (*uses, *uses):
        store.reuse(_PRINT, each, _yes)
    found = sorted(str(each[:3]) for each, _ in store.used(use.video_id))
    assert found == sorted(str(each[:3]) for each in uses)


def one_owner_takes_a_making(make: MakeLedgerStore) -> None:
    """Until he gives it up; nobody can give it up for him."""
    store = make()
    assert store.take(_PRINT, "a", lease=_LONG)
    assert not store.take(_PRINT, "b", lease=_LONG)
    assert store.take(_fingerprint(1), "b", lease=_LONG)
    store.release(_PRINT, "b")
    assert not store.take(_PRINT, "b", lease=_LONG)
    assert not store.keep(_PRINT, "b", lease=_LONG)
    store.release(_PRINT, "a")
    assert not store.keep(_PRINT, "a", lease=_LONG)
    assert store.take(_PRINT, "b", lease=_LONG)


def a_dead_owners_making_is_taken_over(make: MakeLedgerStore) -> None:
    """When the lease has ended; he notices that he has lost it, and can undo nothing."""
    store = make()
    assert store.take(_PRINT, "dead", lease=_SHORT)
    assert _at_last(lambda: store.take(_PRINT, "b", lease=_LONG))
    assert not store.keep(_PRINT, "dead", lease=_LONG)
    store.release(_PRINT, "dead")
    assert not store.take(_PRINT, "c", lease=_LONG)
    assert store.keep(_PRINT, "b", lease=_LONG)


def keep_extends_the_lease(make: MakeLedgerStore) -> None:
    """From now on, longer or shorter."""
    store = make()
    store.take(_PRINT, "a", lease=0.5)
    assert store.keep(_PRINT, "a", lease=_LONG)
    time.sleep(0.6)
    assert not store.take(_PRINT, "b", lease=_LONG)
    assert store.keep(_PRINT, "a", lease=_SHORT)
    assert _at_last(lambda: store.take(_PRINT, "b", lease=_LONG))


def what_is_recorded_is_not_made_again(make: MakeLedgerStore) -> None:
    """Nobody can take it; recording, and refusing, give the claim up."""
    store = make()
    refusal = Refusal("moderation_blocked", "It was refused.", "vendor", None)
    store.take(_PRINT, "a", lease=_LONG)
    store.record(_artefact(), _use(store), "a", _yes)
    store.take(_fingerprint(1), "a", lease=_LONG)
    store.refuse(_fingerprint(1), "picture", refusal, "a")
    for fingerprint in (_PRINT, _fingerprint(1)):
        assert not store.take(fingerprint, "b", lease=_LONG)
        assert not store.keep(fingerprint, "a", lease=_LONG)
        store.forget(fingerprint)
        assert store.take(fingerprint, "b", lease=_LONG)


def a_refusal_is_kept(make: MakeLedgerStore) -> None:
    """It is found as it was, is nothing to reuse, and gives way to what is made in the end."""
    store = make()
    refusal = Refusal("moderation_blocked", "Ünï: refused.", "vendor", None)
    use = _use(store)
    store.refuse(_PRINT, "picture", refusal, "a")
    assert store.find(_PRINT) == refusal
    assert not store.reuse(_PRINT, use, _yes)
    assert not store.used(use.video_id)
    store.forget(_PRINT)
    assert store.find(_PRINT) is None
    store.refuse(_PRINT, "picture", refusal, "a")
    assert store.record(_artefact(), use, "a", _yes)
    assert store.find(_PRINT) == _artefact()


def what_is_forgotten_is_gone(make: MakeLedgerStore) -> None:
    """A damaged artefact is not found, reused or listed; its uses and its price are remembered."""
    store = make()
    use, other = _use(store), _use(store)
    _settled(store, use, "0.04", "ok", "0.03")
    store.record(_artefact(), use, "a", _yes)
    store.forget(_PRINT)
    assert store.find(_PRINT) is None
    assert not store.reuse(_PRINT, use, _yes)
    assert not store.used(use.video_id)
    assert store.spent(use.video_id) == Decimal("0.03")
    store.record(_artefact(), other, "a", _yes)
    assert [artefact for _, artefact in store.used(use.video_id)] == [_artefact()]


def many_workers_take_a_making_once(make: MakeLedgerStore) -> None:
    """Eight want each of ten: each is taken by one."""
    store = make()
    taken: list[int] = []

    def work(worker: int) -> None:
        owner = f"worker {worker}"
        taken.extend(n for n in range(10) if store.take(_fingerprint(n), owner, lease=_LONG))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert sorted(taken) == list(range(10))


def reservations_count_until_they_are_settled(make: MakeLedgerStore) -> None:
    """In full at first, then what it cost; an attempt whose price nobody knows stays in full."""
    store = make()
    use = _use(store)
    numbers = {store.reserve(_call(use, "0.04"), Caps()) for _ in range(2)}
    assert len(numbers) == 2
    assert store.spent(use.video_id) == Decimal("0.08")
    for outcome, cost in (("ok", "0.01"), ("bad", "0.002"), ("failed", "0"), ("unknown", None)):
        _settled(store, use, "0.04", outcome, cost)
    assert store.spent(use.video_id) == Decimal("0.132")
    assert store.spent(_NEVER) == 0


def an_unknown_price_is_not_nothing(make: MakeLedgerStore) -> None:
    """Without a cap it may be spent, and then nobody knows how much it was."""
    store = make()
    use, other = _use(store), _use(store)
    store.reserve(_call(use, None), Caps())
    assert store.spent(use.video_id) is None
    for caps in (Caps(video=Decimal(5)), Caps(day=Decimal(5))):
        assert _raises(BudgetExceededError, store.reserve, _call(other, None), caps)
    assert store.spent(other.video_id) == 0


def money_is_exact(make: MakeLedgerStore) -> None:
    """Ten times ten cents is a dollar, and a millionth of a dollar is not lost."""
    store = make()
    use = _use(store)
    for _ in range(10):
        store.reserve(_call(use, "0.1"), Caps(video=Decimal(1), day=Decimal(1)))
    assert store.spent(use.video_id) == 1
    least = Decimal("0.000001")
    over = _call(use, str(least))
    assert _raises(BudgetExceededError, store.reserve, over, Caps(video=Decimal(1)))
    store.reserve(over, Caps(video=1 + least))
    assert store.spent(use.video_id) == 1 + least


def a_cap_is_never_passed(make: MakeLedgerStore) -> None:
    """What is settled and what is reserved counts; a refused attempt leaves no trace."""
    store = make()
    use = _use(store)
    caps = Caps(video=Decimal("0.10"))
    _settled(store, use, "0.09", "ok", "0.02")
    store.reserve(_call(use, "0.04"), caps)
    for _ in range(2):
        assert _raises(BudgetExceededError, store.reserve, _call(use, "0.05"), caps)
    assert store.spent(use.video_id) == Decimal("0.06")
    store.reserve(_call(use, "0.04"), caps)
    store.reserve(_call(use, "0"), caps)
    assert store.spent(use.video_id) == Decimal("0.10")


def caps_are_for_a_video_and_for_a_day(make: MakeLedgerStore) -> None:
    """One video's money does not count against another's cap, but against the day's."""
    store = make()
    one, other = _use(store), _use(store)
    store.reserve(_call(one, "0.08"), Caps())
    store.reserve(_call(other, "0.08"), Caps(video=Decimal("0.10")))
    for caps in (Caps(day=Decimal("0.20")), Caps(Decimal(1), Decimal("0.20"))):
        assert _raises(BudgetExceededError, store.reserve, _call(other, "0.08"), caps)
    store.reserve(_call(other, "0.04"), Caps(day=Decimal("0.20")))


def a_cap_holds_for_many_at_once(make: MakeLedgerStore) -> None:
    """Eight may not spend together what one may not."""
    store = make()
    use = _use(store)

    def reserve(_number: int) -> bool:
        call = _call(use, "0.04")
        return not _raises(BudgetExceededError, store.reserve, call, Caps(video=Decimal("0.10")))

    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(reserve, range(16)))
    assert sum(allowed) == 2
    assert store.spent(use.video_id) == Decimal("0.08")


def sweep_drops_what_nobody_uses(make: MakeLedgerStore) -> None:
    """What has no use and is old enough goes, with its object; what a video uses stays."""
    store = make()
    use = _use(store)
    kept, lost = _artefact(_fingerprint(1)), _artefact(_fingerprint(2))
    discarded: list[Artefact] = []
    store.record(kept, use, "a", _yes)
    store.record(lost, _nobodys_use(), "a", _yes)
    if not isinstance(store, VideoRepository):
        # Without videos a use is a use, whoever it is for: nothing can go.
        assert store.sweep(unused_seconds=0, discard=discarded.append) == 0
        return
    assert store.sweep(unused_seconds=3600, discard=discarded.append) == 0
    assert _at_last(lambda: store.sweep(unused_seconds=0, discard=discarded.append)) == 1
    assert discarded == [lost]
    assert store.find(lost.fingerprint) is None
    assert store.find(kept.fingerprint) == kept
    store.delete(use.video_id)
    assert _at_last(lambda: store.sweep(unused_seconds=0, discard=discarded.append)) == 1
    assert discarded == [lost, kept]


def sweep_leaves_an_object_two_share(make: MakeLedgerStore) -> None:
    """The same bytes under two fingerprints go with the last of them."""
    store = make()
    use = _use(store)
    store.record(_artefact(_fingerprint(1), "c" * 64), use, "a", _yes)
    store.record(_artefact(_fingerprint(2), "c" * 64), _nobodys_use(), "a", _yes)
    discarded: list[Artefact] = []
    if isinstance(store, VideoRepository):
        assert _at_last(lambda: store.sweep(unused_seconds=0, discard=discarded.append)) == 1
    assert discarded == []
    assert store.find(_fingerprint(1)) is not None


def a_sweep_that_fails_forgets_nothing(make: MakeLedgerStore) -> None:
    """When the objects cannot be deleted their artefacts are still recorded."""
    store = make()
    if not isinstance(store, VideoRepository):
        return
    store.record(_artefact(), _nobodys_use(), "a", _yes)

    def fail(_artefact: Artefact) -> None:
        raise StorageError("The disk is read-only.")

    assert _at_last(lambda: _raises(StorageError, store.sweep, unused_seconds=0, discard=fail))
    assert store.find(_PRINT) == _artefact()


def objects_without_an_artefact_are_discarded(make: MakeLedgerStore) -> None:
    """What a killed process stored and never recorded goes; what is recorded stays."""
    store = make()
    recorded, stray = _artefact(), _artefact(_fingerprint(1), "d" * 64)
    store.record(recorded, _use(store), "a", _yes)
    discarded: list[str] = []
    assert store.discard_unknown([recorded.key, stray.key], discarded.append) == 1
    assert discarded == [stray.key]
    assert store.discard_unknown([], discarded.append) == 0


def money_outlives_the_video(make: MakeLedgerStore) -> None:
    """What was spent on a video is still known, and counts for the day, when it is deleted."""
    store = make()
    use = _use(store)
    _settled(store, use, "0.08", "ok", "0.08")
    if isinstance(store, VideoRepository):
        store.delete(use.video_id)
    assert store.spent(use.video_id) == Decimal("0.08")
    over, caps = _call(_use(store), "0.04"), Caps(day=Decimal("0.10"))
    assert _raises(BudgetExceededError, store.reserve, over, caps)


def costs_are_told_by_day_video_and_model(make: MakeLedgerStore) -> None:
    """Sums and counts of each; an outcome nobody knows counts in full, and is told apart."""
    store = make()
    one, other = _use(store), _use(store)
    for outcome, cost in (("ok", "0.03"), ("bad", "0.02"), ("failed", "0"), ("unknown", None)):
        _settled(store, one, "0.04", outcome, cost)
    by_speech = CallRecord(_PRINT, "speech", "vendor", "a model", other, Decimal("0.005"))
    store.settle(
        store.reserve(by_speech, Caps()),
        outcome="ok",
        cost=Decimal("0.004"),
        usage=Usage(characters=7, output_tokens=2),
        seconds=1,
    )
    store.reserve(by_speech, Caps())
    pictures = {
        "calls": 4,
        "failed": 2,
        "unknown": 1,
        "dollars": Decimal("0.09"),
        "known": Decimal("0.09"),
        "doubtful": Decimal("0.04"),
        "input_tokens": 12,
        "pictures": 1,
    }
    speech = {
        "calls": 2,
        "failed": 0,
        "unknown": 1,
        "dollars": Decimal("0.009"),
        "known": Decimal("0.009"),
        "doubtful": Decimal("0.005"),
        "output_tokens": 2,
        "characters": 7,
    }
    titles = [_title_of(store, use) for use in (one, other)]
    assert [*store.costs("video")] == [
        CostLine(key=one.video_id, title=titles[0], **pictures),
        CostLine(key=other.video_id, title=titles[1], **speech),
    ]
    assert [*store.costs("model")] == [
        CostLine(key="a model", provider="vendor", **speech),
        CostLine(key="model", provider="vendor", **pictures),
    ]
    days = store.costs("day")
    # The night may have come between two of the calls.
    assert len(days) in {1, 2}
    assert sum(line.calls for line in days) == 6
    assert sum(line.known for line in days) == Decimal("0.099")


def costs_are_of_the_days_asked_for(make: MakeLedgerStore) -> None:
    """Both ends are included."""
    store = make()
    _settled(store, _use(store), "0.04", "ok", "0.03")
    (line,) = store.costs("day")
    day = date.fromisoformat(line.key)
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    assert abs(datetime.now(UTC).date() - day) <= timedelta(days=1)
    for since, until in ((day, day), (day, None), (None, day), (before, after)):
        assert [*store.costs("day", since, until)] == [line]
    for since, until in ((after, None), (None, before), (after, before)):
        assert not store.costs("day", since, until)
        assert not store.costs("video", since, until)
        assert not store.costs("model", since, until)


def costs_are_exact_and_admit_what_is_unknown(make: MakeLedgerStore) -> None:
    """To the billionth; an unknown price leaves the sum unknown, and what is known of it stays."""
    store = make()
    use = _use(store)
    assert not store.costs("day")
    for _ in range(3):
        _settled(store, use, "0.1", "ok", "0.100000001")
    (line,) = store.costs("video")
    assert line.dollars == line.known == Decimal("0.300000003")
    store.reserve(_call(use, None), Caps())
    (line,) = store.costs("video")
    assert line.dollars is None
    assert line.known == Decimal("0.300000003")
    assert line.doubtful == 0
    assert (line.calls, line.unknown) == (4, 1)


def costs_leave_out_what_is_free(make: MakeLedgerStore) -> None:
    """Encoding a film is recorded as a call at nothing; it is none that is paid."""
    store = make()
    use = _use(store)
    _settled(store, use, "0", "ok", "0")
    store.reserve(_call(use, "0"), Caps())
    assert not store.costs("video")
    # One that was to cost something and did not is an attempt.
    _settled(store, use, "0.1", "failed", "0")
    (line,) = store.costs("video")
    assert (line.calls, line.failed, line.dollars) == (1, 1, Decimal(0))


def costs_outlive_the_video(make: MakeLedgerStore) -> None:
    """A deleted video's line stays, without its title; so does that of no video at all."""
    store = make()
    use = _use(store)
    _settled(store, use, "0.04", "ok", "0.03")
    _settled(store, Use(""), "0.04", "ok", "0.02")
    if isinstance(store, VideoRepository):
        store.delete(use.video_id)
    lines = [(line.key, line.title, line.known) for line in store.costs("video")]
    assert lines == [(use.video_id, None, Decimal("0.03")), ("", None, Decimal("0.02"))]


def _title_of(store: LedgerStore, use: Use) -> str | None:
    return store.get(use.video_id).title if isinstance(store, VideoRepository) else None


LEDGER_STORE_CHECKS: tuple[Callable[[MakeLedgerStore], None], ...] = (
    nothing_is_there_at_first,
    a_recorded_artefact_is_found,
    what_has_gone_is_not_recorded,
    reuse_writes_the_use_down,
    each_use_is_kept_once,
    one_owner_takes_a_making,
    a_dead_owners_making_is_taken_over,
    keep_extends_the_lease,
    what_is_recorded_is_not_made_again,
    a_refusal_is_kept,
    what_is_forgotten_is_gone,
    many_workers_take_a_making_once,
    reservations_count_until_they_are_settled,
    an_unknown_price_is_not_nothing,
    money_is_exact,
    a_cap_is_never_passed,
    caps_are_for_a_video_and_for_a_day,
    a_cap_holds_for_many_at_once,
    sweep_drops_what_nobody_uses,
    sweep_leaves_an_object_two_share,
    a_sweep_that_fails_forgets_nothing,
    objects_without_an_artefact_are_discarded,
    money_outlives_the_video,
    costs_are_told_by_day_video_and_model,
    costs_are_of_the_days_asked_for,
    costs_are_exact_and_admit_what_is_unknown,
    costs_leave_out_what_is_free,
    costs_outlive_the_video,
)
