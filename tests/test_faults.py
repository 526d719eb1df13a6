"""What goes wrong around a run costs nothing twice and hides nothing."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from visionpulse import Pipeline
from visionpulse.errors import (
    ConfigurationError,
    InputError,
    ModelUnavailableError,
    QuotaError,
    RepositoryError,
    StorageError,
    UnknownNameError,
    VideoBusyError,
    VideoCancelledError,
)
from visionpulse.models import PictureRequest, VideoOptions
from visionpulse.protocols import Quote
from visionpulse.providers.openai import OpenAIImages
from visionpulse.repositories.sql import SqlRepository
from visionpulse.storage.local import LocalStorage
from visionpulse.testing.fakes import FakeImages, FakePrompts, FakeSpeech

from .conftest import AT_ONCE, SCRIPT, TINY

PRICE = Decimal("0.04")


def make(home: Path, **parts) -> Pipeline:
    given = {"prompts": FakePrompts(), "images": FakeImages(), "speech": FakeSpeech()}
    return Pipeline("offline", home=home, retry=AT_ONCE, **{**given, **parts})


# ------------------------------------------------------------------ stages and workers


def test_storyboard_waits_for_a_person_not_for_a_worker(tmp_path):
    """Nobody has asked for its pictures to be paid for."""
    images = FakeImages(price=PRICE)
    pipeline = make(tmp_path, images=images)
    board = pipeline.run(SCRIPT, options=TINY, until="storyboard")

    assert pipeline.work_one() is False
    assert images.drawn == []
    assert board.progress < 1


def test_worker_outlives_whatever_a_plug_in_raises(tmp_path):
    """The next video is made."""

    class Bug(FakePrompts):
        def check(self, request):
            if "trouble" in request.sentences[0]:
                raise ValueError("a plug-in's bug")

    pipeline = make(tmp_path, prompts=Bug())
    good = pipeline.submit(SCRIPT, options=TINY)
    bad = good.model_copy(update={"id": "e" * 32, "script": "Here is trouble. It is big."})
    pipeline.repository.insert(bad)

    deadline = time.monotonic() + 60
    while {pipeline.get(v.id).status for v in (good, bad)} != {"completed", "failed"}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


# ------------------------------------------------------------------ forks


def in_a_fork(function) -> int:
    process = multiprocessing.get_context("fork").Process(target=function)
    process.start()
    process.join(40)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode


class Logged(FakeImages):
    """Counts in a file what several processes draw."""

    log = Path()

    async def draw(self, request):
        with self.log.open("a") as file:
            file.write("drawn\n")
        return await super().draw(request)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_child_makes_its_own_film(tmp_path):
    """With a loop, connections and claims of its own, beside its parent."""
    images = Logged()
    images.log = tmp_path / "log"
    pipeline = make(tmp_path, images=images)
    video = pipeline.run("One door. One key.", options=TINY)

    def child() -> None:
        made = pipeline.run(video.edit(0, prompt="from the child"))
        assert made.status == "completed"

    assert in_a_fork(child) == 0
    pipeline.run("Two doors. Two keys.", options=TINY)
    assert len(images.log.read_text().splitlines()) == 2 + 1 + 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_child_cannot_take_its_parents_video(tmp_path):
    """It is being made, there."""
    pipeline = make(tmp_path)
    board = pipeline.run(SCRIPT, options=TINY, until="storyboard")
    pipeline._keeper.begin(board)

    def child() -> None:
        with pytest.raises(VideoBusyError):
            pipeline.run(board)

    assert in_a_fork(child) == 0


# ------------------------------------------------------------------ cancelling


def test_nothing_is_begun_after_a_cancellation(tmp_path):
    """Calls under way get their time; those that wait for their turn are not made."""
    images = FakeImages(price=PRICE, seconds=0.5, concurrency=1)
    pipeline = make(tmp_path, images=images)
    begun = threading.Event()
    outcome = []

    def note(event):
        if event.kind == "started" and event.what == "picture":
            begun.set()

    def work():
        with pytest.raises(VideoCancelledError) as failure:
            pipeline.run(SCRIPT, options=TINY.model_copy(update={"scene_count": 4}), on_event=note)
        outcome.append(failure.value)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(20)
    pipeline.cancel(pipeline.list().items[0].id)
    thread.join(20)

    assert len(images.drawn) == 1
    assert pipeline.get(outcome[0].video_id).cost == 0
    assert pipeline.ledger.store.spent(outcome[0].video_id) == PRICE


def test_two_runs_of_one_video_are_one(tmp_path):
    """The second hears that it is busy; the first goes on."""
    pipeline = make(tmp_path, speech=FakeSpeech(seconds=0.3))
    board = pipeline.run(SCRIPT, options=TINY, until="storyboard")

    async def both():
        return await asyncio.gather(
            pipeline.arun(board), pipeline.arun(board), return_exceptions=True
        )

    results = asyncio.run(both())

    assert sorted(type(each).__name__ for each in results) == ["Video", "VideoBusyError"]


# ------------------------------------------------------------------ money and records


class Locked(SqlRepository):
    """A database that cannot be written when an outcome is."""

    def settle(self, *arguments, **facts):
        raise RepositoryError("The database stayed locked.")


def test_outcome_that_cannot_be_written_loses_nothing(tmp_path):
    """What was bought is kept, and counts as the most it may have cost."""
    images = FakeImages(price=PRICE)
    pipeline = make(tmp_path, images=images, repository=Locked(tmp_path / "x.db"))

    video = pipeline.run(SCRIPT, options=TINY)

    assert video.status == "completed"
    assert len(images.drawn) == 2
    assert video.cost == 2 * PRICE


def test_outcome_that_cannot_be_written_hides_no_error(tmp_path):
    images = FakeImages(failures=[QuotaError("No credit.")] * 2)
    pipeline = make(tmp_path, images=images, repository=Locked(tmp_path / "x.db"))

    with pytest.raises(QuotaError):
        pipeline.run(SCRIPT, options=TINY)


def test_price_list_that_breaks_loses_nothing(tmp_path):
    """The call counts as the most it may cost."""

    class Pricey(FakeImages):
        def quote(self, request):
            return Quote(PRICE, lambda usage: usage.output_tokens * PRICE)

    video = make(tmp_path, images=Pricey()).run(SCRIPT, options=TINY)

    assert video.cost == 2 * PRICE


def test_price_that_is_no_decimal_is_refused_before_the_call(tmp_path):
    class Floating(FakeImages):
        def quote(self, request):
            return Quote(0.04, lambda usage: 0.04)

    images = Floating()

    with pytest.raises(ConfigurationError, match="quote"):
        make(tmp_path, images=images).run(SCRIPT, options=TINY)

    assert images.drawn == []


class Flaky(LocalStorage):
    """A storage whose objects cannot be read for a moment."""

    broken = False

    def open(self, key):
        if self.broken:
            raise StorageError("Too many open files.")
        return super().open(key)


def test_object_that_cannot_be_read_just_now_is_not_bought_again(tmp_path):
    """Only one that is gone or altered is."""
    images, storage = FakeImages(), Flaky(tmp_path / "output")
    pipeline = make(tmp_path, images=images, storage=storage)
    pipeline.run(SCRIPT, options=TINY)

    storage.broken = True
    with pytest.raises(StorageError):
        pipeline.run(SCRIPT, options=TINY)
    storage.broken = False
    pipeline.run(SCRIPT, options=TINY)

    assert len(images.drawn) == 2


def test_what_another_process_made_is_used_and_kept(tmp_path):
    """Two pipelines stand for two processes: each video's uses are written down."""
    slow = {"seconds": 0.5}
    first = make(tmp_path, images=FakeImages(**slow), speech=FakeSpeech(**slow))
    second = make(tmp_path, images=FakeImages(**slow), speech=FakeSpeech(**slow))

    async def both():
        return await asyncio.gather(
            first.arun(SCRIPT, options=TINY), second.arun(SCRIPT, options=TINY)
        )

    one, other = asyncio.run(both())

    assert len(first._given["images"][0].drawn) + len(second._given["images"][0].drawn) == 2
    kinds = [
        sorted(artefact.kind for _, artefact in first.ledger.store.used(each.id))
        for each in (one, other)
    ]
    assert kinds[0] == kinds[1]
    first.delete(one.id)
    first.ledger.sweep(unused_seconds=-1)
    assert all(first.ledger.there(artefact) for _, artefact in first.ledger.store.used(other.id))


def test_shared_failure_names_each_video(tmp_path):
    """Two videos wait for one picture; each error is about its own."""
    images = FakeImages(seconds=0.4, failures=[QuotaError("No credit.")] * 9)
    pipeline = make(tmp_path, images=images)

    videos = pipeline.batch([SCRIPT, SCRIPT], options=TINY, concurrency=2)

    assert len({video.id for video in videos}) == 2
    assert {video.status for video in videos} == {"failed"}


def test_listener_that_breaks_costs_nothing(tmp_path):
    """A closed terminal is no reason to lose a film."""

    def broken(event):
        raise BrokenPipeError

    assert make(tmp_path).run(SCRIPT, options=TINY, on_event=broken).status == "completed"


def test_failed_run_keeps_its_progress(tmp_path):
    """The row says how far it came."""
    pipeline = make(tmp_path, images=FakeImages(failures=[QuotaError("No credit.")]))

    with pytest.raises(QuotaError) as failure:
        pipeline.run(SCRIPT, options=TINY)

    assert 0 < pipeline.get(failure.value.video_id).progress < 1


# ------------------------------------------------------------------ records and names


def test_row_of_a_video_handed_back_holds_names(tmp_path):
    """Readable locations are for people; also while it waits it can be listed."""
    pipeline = make(tmp_path / "elsewhere")
    video = pipeline.run(SCRIPT, options=TINY)

    pipeline.repository.insert(pipeline._prepare(video)[0])

    assert pipeline.repository.get(video.id).video_path == f"videos/{video.id}.mp4"
    assert pipeline.list().items[0].video_path == video.video_path


def test_names_of_an_earlier_version_go(tmp_path):
    """A video of fewer scenes leaves no picture of the longer one behind."""
    pipeline = make(tmp_path)
    video = pipeline.run(SCRIPT, options=TINY)
    shorter = video.model_copy(
        update={"plan": "new", "options": TINY.model_copy(update={"scene_count": 1})}
    )

    pipeline.run(shorter)

    assert [path.name for path in Path(f"output/images/{video.id}").iterdir()] == ["image_000.png"]


def test_video_deleted_while_its_names_are_mended_stays_deleted(tmp_path):
    pipeline = make(tmp_path)
    video = pipeline.run(SCRIPT, options=TINY)
    Path(video.video_path).unlink()
    stale = pipeline.repository.get(video.id)
    pipeline.delete(video.id)

    from visionpulse.worker import mend_names

    mend_names(pipeline.repository, pipeline.storage, stale)

    assert [each.key for each in pipeline.storage.list() if video.id in each.key] == []


# ------------------------------------------------------------------ pins


def test_pinned_model_that_is_gone_is_an_error_of_the_first_call_only():
    """A film whose parts are all recorded needs no model, and no key."""
    model = OpenAIImages(model="dall-e-3", pinned=True)

    assert model.identity.endswith("dall-e-3")
    with pytest.raises(ModelUnavailableError):
        asyncio.run(model.draw(PictureRequest(prompt="a red door")))


def test_film_begun_with_a_plug_in_is_not_quietly_made_by_another(tmp_path, monkeypatch):
    """The pipeline that goes on with it has to have it."""
    monkeypatch.setenv("VISIONPULSE_PROVIDER", "offline")
    board = make(tmp_path).run(SCRIPT, options=TINY, until="storyboard")

    with pytest.raises(ConfigurationError, match="fake-images"):
        Pipeline(home=tmp_path, prompts=FakePrompts(), speech=FakeSpeech()).run(board)


# ------------------------------------------------------------------ what callers get wrong


@pytest.mark.parametrize("source", [Path("script.txt"), 123, None, b"bytes"])
def test_source_that_is_no_script_says_so(pipeline, source):
    with pytest.raises(InputError, match="text"):
        pipeline.run(source)


def test_misspelt_stage_and_status_offer_the_nearest(pipeline):
    with pytest.raises(UnknownNameError, match="pictures"):
        pipeline.run(SCRIPT, until="picture")
    with pytest.raises(UnknownNameError, match="completed"):
        pipeline.list(status="complete")


def test_keywords_in_one_string_are_refused(pipeline):
    """Each letter would be a keyword."""
    with pytest.raises(InputError, match="list"):
        pipeline.run(SCRIPT, keywords="gulls")


def test_wrong_option_is_one_of_our_errors():
    with pytest.raises(InputError, match="641"):
        VideoOptions(width=641, height=480)
    with pytest.raises(InputError, match="colour"):
        VideoOptions(colour="red")


def test_plug_in_that_returns_the_wrong_thing_hears_what_to_return(tmp_path):
    class Raw(FakeImages):
        async def draw(self, request):
            return b"bytes"

    with pytest.raises(ConfigurationError, match="Picture"):
        make(tmp_path, images=Raw()).run(SCRIPT, options=TINY)


def test_plug_in_without_the_method_hears_which(tmp_path):
    with pytest.raises(ConfigurationError, match="draw"):
        make(tmp_path, images=object()).run(SCRIPT, options=TINY)


def test_batch_returns_a_refused_script_failed(pipeline):
    """The others are made."""
    videos = pipeline.batch(["", SCRIPT], options=TINY)

    assert [video.status for video in videos] == ["failed", "completed"]
    assert videos[0].error.code == "invalid_script"


def test_prompt_and_style_cannot_change_at_once(pipeline):
    """The new style would write the prompt away."""
    video = pipeline.run(SCRIPT, options=TINY, until="storyboard")

    with pytest.raises(InputError, match="style"):
        video.edit(style="noir").edit(0, prompt="candles")


def test_offline_voice_reports_to_nobody(tmp_path):
    """The runtime would write what it wants to tell its maker below the home folder."""
    import subprocess
    import sys

    code = (
        "from visionpulse.providers.offline.narrator import Narrator\n"
        "from visionpulse.models import SpeechRequest\n"
        "Narrator().speak(SpeechRequest(text='One door.', voice='hazel'))"
    )
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
