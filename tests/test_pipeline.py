"""A script goes in, a narrated video comes out."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import wave
from decimal import Decimal
from pathlib import Path

import pytest

from visionpulse import Pipeline
from visionpulse.errors import (
    BudgetExceededError,
    ConfigurationError,
    InputError,
    ProviderConnectionError,
    QuotaError,
    RefusedError,
    ScriptError,
    UnknownNameError,
    VideoBusyError,
    VideoCancelledError,
    VideoNotFoundError,
)
from visionpulse.models import Video, VideoOptions
from visionpulse.renderers.ffmpeg import FFmpegRenderer
from visionpulse.renderers.probe import probe
from visionpulse.testing.fakes import FakeImages, FakePrompts, FakeSpeech

from .conftest import SCRIPT, TINY


def made(events) -> list[str]:
    return sorted(event.what for event in events if event.kind == "made")


# ------------------------------------------------------------------ one run


def test_run_makes_the_documented_files(pipeline):
    """Film, captions, narration and pictures lie where the documentation says."""
    video = pipeline.run(SCRIPT, options=TINY)

    folder = Path("output")
    assert video.status == "completed"
    assert Path(video.video_path) == folder / "videos" / f"{video.id}.mp4"
    assert Path(video.audio_path) == folder / "audio" / video.id / "narration.mp3"
    assert [Path(path) for path in video.image_paths] == [
        folder / "images" / video.id / f"image_{n:03d}.png" for n in range(2)
    ]
    assert sorted(video.caption_paths) == ["srt", "vtt"]
    for path in [video.video_path, video.audio_path, *video.image_paths]:
        assert Path(path).stat().st_size > 0


def test_scenes_partition_the_script(pipeline):
    """Joined, they are the script, and each picture is seen while its words are heard."""
    video = pipeline.run(SCRIPT, options=TINY)

    assert "".join(scene.text for scene in video.scenes) == SCRIPT
    assert [SCRIPT[s.start_char : s.end_char] for s in video.scenes] == [
        s.text for s in video.scenes
    ]
    ends = [scene.start + scene.duration for scene in video.scenes]
    assert [scene.start for scene in video.scenes][1:] == pytest.approx(ends[:-1])
    assert ends[-1] == pytest.approx(video.duration)


def test_film_is_as_long_as_its_narration(pipeline, tmp_path):
    """To the frame: nothing is cut off, nothing hangs."""
    video = pipeline.run(SCRIPT, options=TINY)

    film, narration = probe(Path(video.video_path)), tmp_path / "narration.wav"
    asyncio.run(FFmpegRenderer().decode(Path(video.audio_path), narration))
    with wave.open(str(narration)) as sound:
        heard = sound.getnframes() / sound.getframerate()

    assert film.seconds == pytest.approx(video.duration, abs=1 / 24)
    assert heard == pytest.approx(film.seconds, abs=1 / 24)


def test_events_tell_how_far_it_is(pipeline):
    """The fraction never goes back and ends at 1."""
    events = []

    pipeline.run(SCRIPT, options=TINY, on_event=events.append)

    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert (events[0].kind, events[-1].kind) == ("started", "finished")


def test_second_identical_run_makes_nothing(pipeline, prompts, images, speech):
    """No call and no encode, and the same film to the byte."""
    first = pipeline.run(SCRIPT, options=TINY)
    events = []

    second = pipeline.run(SCRIPT, options=TINY, on_event=events.append)

    assert second.id != first.id
    assert made(events) == []
    assert (len(prompts.asked), len(images.drawn), len(speech.spoken)) == (1, 2, 4)
    assert Path(second.video_path).read_bytes() == Path(first.video_path).read_bytes()


def test_stored_video_is_the_returned_one(pipeline):
    """What `run` returns is what `get` and `list` find."""
    video = pipeline.run(SCRIPT, title="A walk", options=TINY)

    assert pipeline.get(video.id) == video
    assert pipeline.list(query="WALK").items == (video,)
    assert pipeline.list(query="talk").items == ()


def test_pictures_and_narration_are_made_side_by_side(tmp_path):
    """Narration needs only the script: together they take as long as the slower of them."""
    pipeline = Pipeline(
        "offline",
        prompts=FakePrompts(seconds=0.5),
        images=FakeImages(seconds=1.0),
        speech=FakeSpeech(seconds=1.5),
        home=tmp_path,
    )
    times = {}

    def note(event):
        if event.kind == "made":
            times[event.what] = time.monotonic()
        elif event.kind == "started" and event.what in ("prompts", "piece"):
            times.setdefault(f"first {event.what}", time.monotonic())

    pipeline.run(SCRIPT, options=TINY, on_event=note)

    # One after the other would be 3.0 seconds; with a barrier between the steps, 2.5.
    assert times["first piece"] - times["first prompts"] < 2.4


# ------------------------------------------------------------------ editing


def test_new_prompt_redraws_one_scene(pipeline, images, speech):
    """Editing a prompt redraws that picture alone and keeps every sentence."""
    first = pipeline.run(SCRIPT, options=TINY)
    images.drawn.clear()
    speech.spoken.clear()

    second = pipeline.run(first.edit(1, prompt="candles"))

    assert second.id == first.id
    assert images.drawn == ["candles"]
    assert speech.spoken == []
    assert second.prompts == [first.prompts[0], "candles"]


def test_new_text_speaks_what_changed_and_draws_nothing(pipeline, prompts, images, speech):
    """Its picture stays, and so does every other sentence."""
    first = pipeline.run(SCRIPT, options=TINY)
    for asked in (prompts.asked, images.drawn, speech.spoken):
        asked.clear()

    second = pipeline.run(first.edit(0, text="The first day was grey. We walked to the sea."))

    assert speech.spoken == ["The first day was grey."]
    assert (prompts.asked, images.drawn) == ([], [])
    assert second.script == SCRIPT.replace("bright", "grey")
    assert "".join(scene.text for scene in second.scenes) == second.script


def test_other_voice_touches_no_picture(pipeline, images, speech):
    """The whole narration is new, the pictures are not."""
    first = pipeline.run(SCRIPT, options=TINY)
    images.drawn.clear()
    speech.spoken.clear()

    pipeline.run(first.edit(voice="nova"))

    assert len(speech.spoken) == 4
    assert images.drawn == []


def test_other_style_keeps_the_scenes(pipeline, prompts, speech):
    """Prompts and pictures are new; texts and sentences stay."""
    first = pipeline.run(SCRIPT, options=TINY)
    speech.spoken.clear()

    second = pipeline.run(first.edit(style="noir"))

    assert prompts.asked[-1].ranges == ((0, 1), (2, 3))
    assert [s.text for s in second.scenes] == [s.text for s in first.scenes]
    assert all(prompt.startswith("noir") for prompt in second.prompts)
    assert speech.spoken == []


def test_redraw_asks_again_and_keeps_the_first_take(pipeline, images, tmp_path):
    """The same prompt is drawn once more; both pictures are kept."""
    first = pipeline.run(SCRIPT, options=TINY)
    images.drawn.clear()

    second = pipeline.run(first.edit(0, redraw=True))

    assert images.drawn == [first.scenes[0].prompt]
    takes = {
        use.take
        for use, artefact in pipeline.ledger.store.used(second.id)
        if artefact.kind == "picture" and use.scene_id == first.scenes[0].id
    }
    assert takes == {0, 1}


def test_storyboard_stops_before_pictures_are_paid_for(pipeline, images, speech):
    """A person can look and change; going on plans nothing again."""
    board = pipeline.run(SCRIPT, options=TINY, until="storyboard")
    assert board.status == "pending"
    assert len(board.prompts) == 2
    assert (images.drawn, speech.spoken) == ([], [])

    video = pipeline.run(board.edit(0, prompt="a lighthouse"))

    assert video.prompts[0] == "a lighthouse"
    assert sorted(images.drawn) == sorted(video.prompts)


@pytest.mark.parametrize(
    "edit",
    [
        {"scene": 7, "prompt": "x"},
        {"scene": "nope", "redraw": True},
        {},
        {"scene": 0},
        {"scene": 0, "prompt": " "},
        {"scene": 0, "text": "\n"},
    ],
)
def test_edit_that_makes_no_sense_says_so(pipeline, edit):
    """Nothing is run for it."""
    video = pipeline.run(SCRIPT, options=TINY, until="storyboard")

    with pytest.raises(InputError):
        video.edit(**edit)


# ------------------------------------------------------------------ failing and going on


def test_failed_picture_costs_one_picture(pipeline, images):
    """Its neighbours are kept; resuming draws it alone."""
    images.failures = [ProviderConnectionError("Broke off.", billed=None)] * 3

    with pytest.raises(ProviderConnectionError) as failure:
        pipeline.run(SCRIPT, options=TINY)
    failed = pipeline.get(failure.value.video_id)
    assert failed.status == "failed"
    assert failed.error.stage == "generate_images"
    assert len(failed.scenes) == 2
    images.drawn.clear()

    resumed = pipeline.resume(failed.id)

    assert resumed.status == "completed"
    assert resumed.error is None
    assert len(images.drawn) == len(failed.scenes) - len(failed.image_paths)


def test_both_branches_failing_are_both_told(pipeline, images, speech):
    """Pictures and narration fail independently; neither hides the other."""
    images.failures = [RefusedError("No such picture.")]
    speech.failures = [QuotaError("No credit.")]

    with pytest.raises((RefusedError, QuotaError)) as failure:
        pipeline.run(SCRIPT, options=TINY)

    assert pipeline.get(failure.value.video_id).status == "failed"


def test_plug_in_that_raises_anything_fails_the_video(pipeline, images):
    """Its own exception is the cause; its text, which may hold a key, is not passed on."""
    images.failures = [RuntimeError("secret sk-123")]

    with pytest.raises(Exception, match="RuntimeError") as failure:
        pipeline.run(SCRIPT, options=TINY)

    assert isinstance(failure.value.__cause__, RuntimeError)
    stored = pipeline.get(failure.value.video_id)
    assert "sk-123" not in stored.model_dump_json()


def test_cap_keeps_what_was_bought_and_raising_it_finishes(tmp_path, prompts, speech):
    """Spent never passes the cap, and nothing is bought twice."""
    images = FakeImages(price=Decimal("0.04"))
    parts = {"prompts": prompts, "images": images, "speech": speech, "home": tmp_path}
    with pytest.raises(BudgetExceededError) as failure:
        Pipeline("offline", **parts, budget="0.05").run(SCRIPT, options=TINY)
    assert len(images.drawn) == 1

    video = Pipeline("offline", **parts, budget="0.10").resume(failure.value.video_id)

    assert len(images.drawn) == 2
    assert video.cost == Decimal("0.08")


def test_estimate_calls_nothing_and_knows_what_is_there(tmp_path, prompts, speech):
    """Before a run it counts everything, after it nothing."""
    images = FakeImages(price=Decimal("0.04"))
    pipeline = Pipeline("offline", prompts=prompts, images=images, speech=speech, home=tmp_path)

    before = pipeline.estimate(SCRIPT, options=TINY)
    assert prompts.asked == []
    pipeline.run(SCRIPT, options=TINY)
    after = pipeline.estimate(SCRIPT, options=TINY)

    assert before.calls == {"prompts": 1, "picture": 2, "speech": 4}
    assert before.high == Decimal("0.08")
    assert after.calls == {}
    assert after.cached == {"prompts": 1, "picture": 2, "speech": 4}
    assert after.high == 0


# ------------------------------------------------------------------ in the background


def wait_for(pipeline: Pipeline, video: Video, *statuses: str, seconds: float = 60) -> Video:
    deadline = time.monotonic() + seconds
    while (now := pipeline.get(video.id)).status not in statuses:
        assert time.monotonic() < deadline, now
        time.sleep(0.05)
    return now


def test_submitted_video_is_made_in_the_background(pipeline):
    """`submit` returns at once, pending."""
    video = pipeline.submit(SCRIPT, options=TINY)
    assert video.status in ("pending", "processing")

    assert wait_for(pipeline, video, "completed", "failed").status == "completed"


def test_cancelled_video_stops_and_can_be_resumed(tmp_path, prompts, images):
    """What it had made is kept."""
    speech = FakeSpeech(seconds=0.5)
    pipeline = Pipeline("offline", prompts=prompts, images=images, speech=speech, home=tmp_path)
    outcome: list[BaseException] = []
    started = threading.Event()
    ids = []

    def note(event):
        ids.append(event.video_id)
        started.set()

    def work():
        try:
            pipeline.run(SCRIPT, options=TINY, on_event=note)
        except VideoCancelledError as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    pipeline.cancel(ids[0])
    thread.join(20)

    assert len(outcome) == 1
    stored = pipeline.get(ids[0])
    assert (stored.status, stored.error.code) == ("failed", "cancelled")
    assert pipeline.resume(ids[0]).status == "completed"


def test_video_being_made_cannot_be_run_by_another(tmp_path, prompts, images):
    """One claim at a time."""
    speech = FakeSpeech(seconds=0.5)
    pipeline = Pipeline("offline", prompts=prompts, images=images, speech=speech, home=tmp_path)
    video = pipeline.submit(SCRIPT, options=TINY)
    wait_for(pipeline, video, "processing")

    with pytest.raises(VideoBusyError):
        pipeline.run(video)

    pipeline.cancel(video.id)


def test_batch_returns_every_video_failed_ones_too(pipeline, images):
    """One that fails does not stop the others."""
    images.failures = [QuotaError("No.")]
    scripts = ["One bird sang. It was red.", "Two bells rang. They were old."]

    videos = pipeline.batch(scripts, options=TINY, concurrency=1)

    assert [video.status for video in videos] == ["failed", "completed"]


# ------------------------------------------------------------------ forms


def test_blocking_forms_work_inside_a_running_loop(pipeline):
    """As in a notebook."""

    async def cell():
        return pipeline.run(SCRIPT, options=TINY)

    assert asyncio.run(cell()).status == "completed"


def test_async_forms(pipeline):
    """`arun` returns the video, `astream` yields its events."""

    async def program():
        video = await pipeline.arun(SCRIPT, options=TINY)
        return video, [event async for event in pipeline.astream(SCRIPT, options=TINY)]

    video, events = asyncio.run(program())

    assert video.status == "completed"
    assert [events[0].kind, events[-1].kind] == ["started", "finished"]


def test_stream_yields_events_and_raises_the_failure(pipeline, images):
    """The same errors as `run`."""
    assert list(pipeline.stream(SCRIPT, options=TINY))[-1].kind == "finished"
    images.failures = [QuotaError("No.")]

    with pytest.raises(QuotaError):
        list(pipeline.stream("Another story. It is short.", options=TINY))


@pytest.mark.parametrize("name", ["run"])
def test_blocking_and_async_forms_take_the_same(name):
    """A user moves from one to the other without a look at the documentation."""
    blocking, asynchronous = getattr(Pipeline, name), getattr(Pipeline, f"a{name}")

    assert inspect.signature(blocking) == inspect.signature(asynchronous)


# ------------------------------------------------------------------ deleting


def test_delete_removes_the_files_and_none_another_video_uses(pipeline):
    """Two videos of one script share every object."""
    first = pipeline.run(SCRIPT, options=TINY)
    second = pipeline.run(SCRIPT, options=TINY)

    assert pipeline.delete(first.id)

    assert not Path(first.video_path).exists()
    assert not any(Path(path).exists() for path in first.image_paths)
    assert Path(second.video_path).exists()
    pipeline.ledger.sweep(unused_seconds=-1)
    assert pipeline.ledger.there(pipeline.ledger.store.used(second.id)[0][1])
    with pytest.raises(VideoNotFoundError):
        pipeline.get(first.id)
    assert not pipeline.delete(first.id)


def test_lost_names_come_back(pipeline):
    """The record is the truth; the documented paths are a cache of it."""
    video = pipeline.run(SCRIPT, options=TINY)
    Path(video.video_path).unlink()

    pipeline.get(video.id)

    assert Path(video.video_path).stat().st_size > 0


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize("script", ["", "  \n", "\x00 hello", "😀 🎉", "…"])
def test_script_that_cannot_be_spoken_is_refused(pipeline, prompts, script):
    """Before anything is asked or written."""
    with pytest.raises(ScriptError):
        pipeline.run(script)

    assert prompts.asked == []
    assert pipeline.list().total == 0


def test_unknown_style_offers_the_nearest(pipeline):
    """A typo gets the list."""
    with pytest.raises(UnknownNameError, match="cinematic"):
        pipeline.run(SCRIPT, style="cinematc")


def test_missing_key_names_the_way_out():
    """The first run never dead-ends."""
    with pytest.raises(ConfigurationError, match=r'Pipeline\("offline"\)'):
        Pipeline()


def test_unknown_provider_offers_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="offline"):
        Pipeline("oflfine", home=tmp_path)


@pytest.mark.parametrize("budget", ["-1", "much", float("nan"), "inf"])
def test_absurd_budget_is_refused(tmp_path, budget):
    with pytest.raises(InputError, match="dollars"):
        Pipeline("offline", home=tmp_path, budget=budget)


@pytest.mark.parametrize(
    "options",
    [
        {"width": 63, "height": 64},
        {"width": 640},
        {"fps": 7},
        {"scene_count": 0},
        {"picture_size": "big"},
    ],
)
def test_absurd_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options)) + "|width and height"):
        VideoOptions(**options)
