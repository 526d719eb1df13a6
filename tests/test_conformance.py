"""The conformance suites: every adapter passes them, and every check catches somebody."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from PIL import Image

from visionpulse import registry, testing
from visionpulse.errors import BudgetExceededError, InputError, RenderError, UnknownNameError
from visionpulse.models import Artefact, Failure, Picture, SceneDraft, Voice, Word
from visionpulse.protocols import (
    Caps,
    Claim,
    ImageModel,
    LedgerStore,
    PromptModel,
    Quote,
    Renderer,
    SpeechModel,
    Tags,
    VideoRepository,
)
from visionpulse.providers.offline.illustrator import Illustrator
from visionpulse.providers.offline.narrator import Narrator
from visionpulse.providers.offline.prompt_writer import PromptWriter
from visionpulse.providers.openai import OpenAIImages, OpenAIPrompts, OpenAISpeech
from visionpulse.renderers.ffmpeg import FFmpegRenderer
from visionpulse.renderers.process import Job
from visionpulse.repositories import tables
from visionpulse.repositories.sql import SqlRepository, _write_row
from visionpulse.testing import (
    IMAGE_MODEL_CHECKS,
    LEDGER_STORE_CHECKS,
    PROMPT_MODEL_CHECKS,
    RENDERER_CHECKS,
    REPOSITORY_CHECKS,
    SPEECH_MODEL_CHECKS,
    FakeImages,
    FakePrompts,
    FakeSpeech,
)

KEY = "sk-Qz7Xw9Lm3Rt5Vb1Nc8Hd2Jf6"
TODAY = date(2026, 11, 23)


def named(checks):
    """Return the checks of a suite as parameters called by their names."""
    return [pytest.param(check, id=check.__name__) for check in checks]


def catches(cases, checks):
    """Return broken implementations, each with the check that has to catch it."""
    by_name = {check.__name__: check for check in checks}
    return [
        pytest.param(broken, by_name[name], id=f"{broken.__name__}-{name}")
        for broken, name in cases
    ]


def uncaught(cases, checks):
    """Return the checks that no broken implementation is caught by."""
    return {check.__name__ for check in checks} - {name for _, name in cases}


def test_testing_is_light_and_all_there():
    """Importing it loads no big library, and each of its names exists."""
    code = (
        "import sys, visionpulse.testing as testing\n"
        "print(*sys.modules)\n"
        "print(*(getattr(testing, name) is not None for name in testing.__all__))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()

    heavy = {"numpy", "PIL", "sqlalchemy", "openai", "pydantic", "anyio", "imageio_ffmpeg"}
    assert not heavy & set(answer[0].split())
    assert set(answer[1].split()) == {"True"}
    with pytest.raises(AttributeError, match="nonsense"):
        _ = testing.nonsense


# ------------------------------------------------------------------ models

MODELS = [
    *((PROMPT_MODEL_CHECKS, kind, None) for kind in (FakePrompts, PromptWriter)),
    *((PROMPT_MODEL_CHECKS, OpenAIPrompts, model) for model in ("gpt-4o", "gpt-6-luna")),
    *((IMAGE_MODEL_CHECKS, kind, None) for kind in (FakeImages, Illustrator)),
    *((IMAGE_MODEL_CHECKS, OpenAIImages, model) for model in ("dall-e-3", "gpt-image-2")),
    *((SPEECH_MODEL_CHECKS, kind, None) for kind in (FakeSpeech, Narrator)),
    *((SPEECH_MODEL_CHECKS, OpenAISpeech, model) for model in ("tts-1", "gpt-audio-1.5")),
]
SEAMS = {
    PROMPT_MODEL_CHECKS: PromptModel,
    IMAGE_MODEL_CHECKS: ImageModel,
    SPEECH_MODEL_CHECKS: SpeechModel,
}


@pytest.mark.parametrize(
    ("kind", "model", "seam", "check"),
    [
        pytest.param(
            kind, model, SEAMS[checks], check, id=f"{model or kind.__name__}-{check.__name__}"
        )
        for checks, kind, model in MODELS
        for check in checks
    ],
)
def test_every_model_conforms(request, kind, model, seam, check):
    """Each model passes each check of its suite, OpenAI's without a request OpenAI would refuse."""
    if model is None:
        assert isinstance(kind(), seam)
        check(kind)
        return
    vendor = request.getfixturevalue("vendor")

    check(lambda: kind(model, api_key=KEY, base_url=vendor.url, today=TODAY, timeout=20))

    assert vendor.violations == []


class Replans(FakePrompts):
    """Answers with other scenes than it should; the base of those that do."""

    def rewritten(self, scenes, request):
        return scenes

    async def storyboard(self, request):
        board = await super().storyboard(request)
        scenes = self.rewritten(list(board.scenes), request)
        return board.model_copy(update={"scenes": tuple(scenes)})


class SkipsASentence(Replans):
    def rewritten(self, scenes, request):
        *others, last = scenes
        return [*others, last.model_copy(update={"last": last.last - 1})]


class MakesOneScene(Replans):
    def rewritten(self, scenes, request):
        return [SceneDraft(first=0, last=len(request.sentences) - 1, prompt="All of it.")]


class MovesGivenScenes(FakePrompts):
    async def storyboard(self, request):
        return await super().storyboard(request.model_copy(update={"ranges": None}))


class RepeatsItself(Replans):
    def rewritten(self, scenes, request):
        return [scene.model_copy(update={"prompt": request.sentences[0]}) for scene in scenes]


class DoesNotRead(Replans):
    def rewritten(self, scenes, request):
        return [
            scene.model_copy(update={"prompt": f"Scene {number}."})
            for number, scene in enumerate(scenes)
        ]


class DropsForeignScenes(Replans):
    def rewritten(self, scenes, request):
        return [scene for scene in scenes if scene.prompt.isascii()]


class MixesItsFilms(FakePrompts):
    async def storyboard(self, request):
        self.request = request
        await asyncio.sleep(0.01)
        return await super().storyboard(self.request)


class NewEveryTime(FakePrompts):
    def __init__(self):
        super().__init__(identity=uuid.uuid4().hex)


class OneParameter(FakePrompts):
    def parameters(self, _request):
        return {"model": self.model}


class ObjectsInSilence(FakePrompts):
    def check(self, _request):
        return False


class CostsMore(FakePrompts):
    def quote(self, _request):
        return Quote(Decimal("0.01"), lambda _usage: Decimal("0.02"))


BROKEN_PROMPTS = [
    (SkipsASentence, "scenes_cover_every_sentence_once"),
    (MakesOneScene, "more_scenes_are_made_when_more_are_wished"),
    (MovesGivenScenes, "given_scenes_are_kept"),
    (RepeatsItself, "every_scene_has_a_prompt_of_its_own"),
    (DoesNotRead, "the_sentences_decide_the_prompts"),
    (DropsForeignScenes, "odd_sentences_are_planned"),
    (MixesItsFilms, "storyboards_asked_for_at_once_do_not_mix"),
    (NewEveryTime, "its_names_are_its_own"),
    (OneParameter, "parameters_tell_requests_apart"),
    (ObjectsInSilence, "an_ordinary_request_passes_its_check"),
    (CostsMore, "the_price_keeps_to_its_bound"),
]


class Redraws(FakeImages):
    """Answers with other bytes than it should; the base of those that do."""

    def redrawn(self, data, request):
        return data

    async def draw(self, request):
        picture = await super().draw(request)
        return Picture(data=self.redrawn(picture.data, request))


class CutsItsPictures(Redraws):
    def redrawn(self, data, request):
        return data[: len(data) // 2]


class AnswersWithAPage(Redraws):
    def redrawn(self, data, request):
        return b"<html>403</html>"


class DrawsNothing(Redraws):
    def redrawn(self, data, request):
        from visionpulse.testing.fakes import gradient_png

        return gradient_png(b"\xff\xff\xff", 64, 64)


class IgnoresThePrompt(FakeImages):
    async def draw(self, request):
        return await super().draw(request.model_copy(update={"prompt": "A cat."}))


class CannotTellStyles(Redraws):
    def redrawn(self, data, request):
        return b"" if request.style else data


class ChokesOnLongPrompts(Redraws):
    def redrawn(self, data, request):
        return data if len(request.prompt) < 4000 else b"{}"


class HasOneCanvas(FakeImages):
    async def draw(self, request):
        self.request = request
        await asyncio.sleep(0.01)
        return await super().draw(self.request)


class NewImagesEveryTime(FakeImages):
    def __init__(self):
        super().__init__(identity=uuid.uuid4().hex)


class OnePictureParameter(FakeImages):
    def parameters(self, request):
        return {"size": [request.width, request.height]}


class ObjectsToPictures(FakeImages):
    def check(self, _request):
        return False


class CostsMoreToDraw(FakeImages):
    def quote(self, _request):
        return Quote(Decimal("0.01"), lambda _usage: Decimal("0.02"))


BROKEN_IMAGES = [
    (CutsItsPictures, "a_picture_decodes_whole"),
    (AnswersWithAPage, "a_picture_decodes_whole"),
    (DrawsNothing, "a_picture_shows_something"),
    (IgnoresThePrompt, "other_words_give_another_picture"),
    (CannotTellStyles, "every_wish_is_taken"),
    (ChokesOnLongPrompts, "odd_prompts_are_drawn_or_refused_beforehand"),
    (HasOneCanvas, "pictures_asked_for_at_once_do_not_mix"),
    (NewImagesEveryTime, "its_names_are_its_own"),
    (OnePictureParameter, "parameters_tell_requests_apart"),
    (ObjectsToPictures, "an_ordinary_request_passes_its_check"),
    (CostsMoreToDraw, "the_price_keeps_to_its_bound"),
]


class Respeaks(FakeSpeech):
    """Answers with another sound than it should; the base of those that do."""

    def respoken(self, speech, request):
        return {}

    async def speak(self, request):
        speech = await super().speak(request)
        return speech.model_copy(update=self.respoken(speech, request))


class SendsAFile(Respeaks):
    def respoken(self, speech, request):
        return {"pcm": b"RIFF\xff\xff\xff\xffWAVEfmt " + speech.pcm}


class LosesHalfASample(Respeaks):
    def respoken(self, speech, request):
        return {"pcm": speech.pcm[:-1]}


class IsSilent(Respeaks):
    def respoken(self, speech, request):
        return {"pcm": bytes(len(speech.pcm))}


class LiesAboutItsRate(Respeaks):
    def respoken(self, speech, request):
        return {"sample_rate": 96_000}


class SaysOneThing(FakeSpeech):
    async def speak(self, request):
        return await super().speak(request.model_copy(update={"text": "Hello, I am your voice."}))


class OverlapsItsWords(Respeaks):
    def respoken(self, speech, request):
        return {
            "words": tuple(w.model_copy(update={"end": w.end + 0.5}) for w in speech.words[:-1])
        }


class TurnsItsWordsRound(Respeaks):
    def respoken(self, speech, request):
        return {"words": speech.words[::-1]}


class CountsInMilliseconds(Respeaks):
    def respoken(self, speech, request):
        return {
            "words": tuple(
                Word(text=w.text, start=w.start * 1000, end=w.end * 1000) for w in speech.words
            )
        }


class HearsOtherWords(Respeaks):
    def respoken(self, speech, request):
        return {"words": tuple(w.model_copy(update={"text": "la"}) for w in speech.words)}


class HasTwoNames(FakeSpeech):
    def voices(self):
        return [Voice(name=name, description="", provider="fake") for name in ("ab", "ba")]


class NamesThemAlike(FakeSpeech):
    def voices(self):
        return [Voice(name="ab", description="", provider="fake")] * 2


class MumblesMarkup(Respeaks):
    def respoken(self, speech, request):
        return {"pcm": bytes(len(speech.pcm))} if "<" in request.text else {}


class HasOneThroat(FakeSpeech):
    async def speak(self, request):
        self.request = request
        await asyncio.sleep(0.01)
        return await super().speak(self.request)


class NewSpeechEveryTime(FakeSpeech):
    def __init__(self):
        super().__init__(identity=uuid.uuid4().hex)


class OneSpeechParameter(FakeSpeech):
    def parameters(self, request):
        return {"voice": request.voice}


class ObjectsToSpeech(FakeSpeech):
    def check(self, _request):
        return False


class CostsMoreToSpeak(FakeSpeech):
    def quote(self, _request):
        return Quote(Decimal("0.01"), lambda _usage: Decimal("0.02"))


BROKEN_SPEECH = [
    (SendsAFile, "speech_is_samples_not_a_file"),
    (LosesHalfASample, "speech_is_samples_not_a_file"),
    (IsSilent, "speech_is_heard"),
    (LiesAboutItsRate, "a_sentence_takes_its_time"),
    (SaysOneThing, "a_sentence_takes_its_time"),
    (OverlapsItsWords, "words_follow_each_other"),
    (TurnsItsWordsRound, "words_follow_each_other"),
    (CountsInMilliseconds, "words_follow_each_other"),
    (HearsOtherWords, "words_are_those_of_the_text"),
    (HasTwoNames, "every_voice_is_its_own"),
    (NamesThemAlike, "every_voice_is_its_own"),
    (MumblesMarkup, "odd_text_is_spoken_or_refused_beforehand"),
    (HasOneThroat, "texts_spoken_at_once_do_not_mix"),
    (NewSpeechEveryTime, "its_names_are_its_own"),
    (OneSpeechParameter, "parameters_tell_requests_apart"),
    (ObjectsToSpeech, "an_ordinary_request_passes_its_check"),
    (CostsMoreToSpeak, "the_price_keeps_to_its_bound"),
]


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        *catches(BROKEN_PROMPTS, PROMPT_MODEL_CHECKS),
        *catches(BROKEN_IMAGES, IMAGE_MODEL_CHECKS),
        *catches(BROKEN_SPEECH, SPEECH_MODEL_CHECKS),
    ],
)
def test_a_broken_model_is_caught(broken, check):
    """A model with one fault fails the check that is about it."""
    with pytest.raises(AssertionError):
        check(broken)


def test_a_model_is_closed_when_it_has_been_examined():
    """One that holds connections does not leave them open, even when it fails."""
    made = []

    class Held(FakePrompts):
        closed = False

        def __init__(self):
            super().__init__()
            made.append(self)

        async def aclose(self):
            self.closed = True

    for check in PROMPT_MODEL_CHECKS:
        check(Held)

    assert made
    assert all(model.closed for model in made)


def test_a_voice_is_asked_for_its_own_language():
    """A model that speaks no English is examined in what it speaks, by a voice it has."""

    class Japanese(FakeSpeech):
        def voices(self):
            return [Voice(name="sakura", description="", provider="x", languages=("ja",))]

        def check(self, request):
            if request.voice != "sakura":
                raise UnknownNameError("voice", request.voice, ["sakura"])
            if request.text.isascii():
                raise InputError("This is not Japanese.")

    for check in SPEECH_MODEL_CHECKS:
        # Its hum takes 40 ms a character, and a Japanese word is a character.
        if check.__name__ != "a_sentence_takes_its_time":
            check(Japanese)


def test_plain_methods_are_examined_too():
    """A model whose method is no coroutine passes, and fails, like any other."""

    class Plain:
        def draw(self, request):
            return asyncio.run(FakeImages().draw(request))

    class PlainAndCut(Plain):
        def draw(self, request):
            return Picture(data=super().draw(request).data[:-40])

    for check in IMAGE_MODEL_CHECKS:
        check(Plain)
    with pytest.raises(AssertionError, match="is no picture"):
        IMAGE_MODEL_CHECKS[0](PlainAndCut)


# ------------------------------------------------------------------ videos


@pytest.fixture
def opened(tmp_path):
    """Turns a kind of repository into a factory of empty ones, closed at the end."""
    made = []

    def factory(kind):
        def make():
            made.append(kind(tmp_path / f"{len(made)}.db"))
            return made[-1]

        return make

    yield factory
    for each in made:
        each.close()


@pytest.mark.parametrize("check", named(REPOSITORY_CHECKS))
def test_every_repository_conforms(opened, check):
    """SQLite passes each check."""
    make = opened(SqlRepository)
    assert isinstance(make(), VideoRepository)

    check(make)


class ForgetsKeywords(SqlRepository):
    def insert(self, video, **named):
        return super().insert(video.model_copy(update={"keywords": ()}), **named)


class DeletesAnything(SqlRepository):
    def delete(self, video_id):
        super().delete(video_id)
        return True


class PromisesAClaim(SqlRepository):
    def insert(self, video, *, owner=None, lease=30):
        super().insert(video)
        return Claim(video.id, owner, 1, 1) if owner else None


class KeepsTheFirst(SqlRepository):
    def insert(self, video, **named):
        known = any(each.id == video.id for each in self.list().items)
        return None if known else super().insert(video, **named)


class Pushes(SqlRepository):
    def insert(self, video, **named):
        if any(each.id == video.id for each in self.list().items):
            self.cancel(video.id)
        return super().insert(video, **named)


class TakesTheYoungest(SqlRepository):
    def claim(self, owner, *, lease=30, video_id=None):
        waiting = self.list(status="pending").items
        chosen = video_id or (waiting[0].id if waiting else None)
        return super().claim(owner, lease=lease, video_id=chosen)


class GivesOneVideoToTwo(SqlRepository):
    given = None

    def claim(self, owner, **named):
        again, self.given = self.given, None
        if again is None:
            again = self.given = super().claim(owner, **named)
        return again


class ClaimsWhatIsFinished(SqlRepository):
    def claim(self, owner, *, lease=30, video_id=None):
        claim = super().claim(owner, lease=lease, video_id=video_id)
        for video in self.list().items:
            if claim is None and video.status in ("completed", "failed"):
                claim = self.insert(video, owner=owner, lease=lease)
        return claim


class IgnoresTheFence(SqlRepository):
    @staticmethod
    def _held(db, claim):
        pass


class AsksForTheName(SqlRepository):
    @staticmethod
    def _held(db, claim):
        owner = sa.select(tables.videos.c.owner).where(tables.videos.c.id == claim.video_id)
        if db.execute(owner).scalar_one_or_none() != claim.owner:
            SqlRepository._held(db, claim)


class HasNoPulse(SqlRepository):
    def heartbeat(self, claim, **named):
        pass


class LosesAnUpdate(SqlRepository):
    def save(self, video, claim):
        return super().save(video.model_copy(update={"scenes": ()}), claim)


class CancelsInWordsOnly(SqlRepository):
    def cancel(self, video_id):
        error = Failure(kind="VideoCancelledError", code="cancelled", message="It was cancelled.")
        return self.get(video_id).model_copy(update={"status": "failed", "error": error})


class CancelsWhatIsFinished(SqlRepository):
    def cancel(self, video_id):
        video = self.get(video_id)
        if video.status == "completed":
            self.insert(video)
        return super().cancel(video_id)


class DeletesInWordsOnly(SqlRepository):
    def delete(self, video_id):
        self.cancel(video_id)
        return True


class NeverLearns(SqlRepository):
    def claim(self, owner, **named):
        claim = super().claim(owner, **named)
        return claim and claim._replace(attempt=1)


class CountsPages(SqlRepository):
    def list(self, *, limit=50, cursor=None, **wishes):
        page = super().list(limit=500, **wishes)
        first = int(cursor or 0)
        items = page.items[first : first + limit]
        more = str(first + limit) if len(items) == limit else None
        return page.model_copy(update={"items": items, "next_cursor": more})


class HasWildcards(SqlRepository):
    def list(self, *, query=None, **wishes):
        return super().list(query=query and query.replace("%", " ").split()[-1], **wishes)


class ListsAnyway(SqlRepository):
    def list(self, *, limit=50, **wishes):
        return super().list(limit=max(limit, 1), **wishes)


class BeatsWithTheWholeVideo(SqlRepository):
    def heartbeat(self, claim, **named):
        video = self.get(claim.video_id)
        time.sleep(0.01)
        self.save(video, claim)


class LooksBeforeItWrites(SqlRepository):
    saves = 0

    def save(self, video, claim):
        self.heartbeat(claim)
        self.saves += 1
        # What the race is about happens between looking and writing. The first save is let through
        # when a second has looked, which then waits for the cancellation before it writes.
        first, deadline = self.saves == 1, time.monotonic() + 1
        while time.monotonic() < deadline and not (
            self.saves > 1 if first else self.get(video.id).status == "failed"
        ):
            time.sleep(0.01)
        with self._write() as db:
            return _write_row(db, video, {})


BROKEN_REPOSITORIES = [
    (ForgetsKeywords, "a_video_comes_back"),
    (DeletesAnything, "an_unknown_id_is_named"),
    (PromisesAClaim, "an_insert_with_an_owner_is_a_claim"),
    (KeepsTheFirst, "an_idle_video_is_replaced"),
    (Pushes, "a_busy_video_is_not_replaced"),
    (TakesTheYoungest, "the_oldest_waiting_video_is_claimed_first"),
    (GivesOneVideoToTwo, "a_claimed_video_is_nobody_elses"),
    (GivesOneVideoToTwo, "many_workers_share_the_work"),
    (ClaimsWhatIsFinished, "a_finished_video_is_not_claimed"),
    (IgnoresTheFence, "an_orphan_is_claimed_again"),
    (IgnoresTheFence, "a_deleted_video_may_come_again"),
    (AsksForTheName, "a_worker_is_fenced_off_from_itself"),
    (HasNoPulse, "a_heartbeat_keeps_the_claim"),
    (LosesAnUpdate, "save_replaces_the_video"),
    (CancelsInWordsOnly, "cancel_takes_the_video_away"),
    (CancelsWhatIsFinished, "cancel_leaves_what_is_finished"),
    (DeletesInWordsOnly, "delete_removes_one_video"),
    (NeverLearns, "a_video_that_ends_its_workers_fails"),
    (CountsPages, "pages_cover_everything_once"),
    (HasWildcards, "list_filters"),
    (ListsAnyway, "list_refuses_nonsense"),
    (BeatsWithTheWholeVideo, "a_heartbeat_undoes_no_save"),
    (LooksBeforeItWrites, "a_cancelled_video_stays_cancelled"),
]


# ------------------------------------------------------------------ the ledger's facts


@pytest.mark.parametrize("check", named(LEDGER_STORE_CHECKS))
def test_every_ledger_store_conforms(opened, check):
    """SQLite passes each check."""
    make = opened(SqlRepository)
    assert isinstance(make(), LedgerStore)

    check(make)


class KnowsNoZero(SqlRepository):
    def spent(self, video_id):
        return super().spent(video_id) or None


class DropsMeta(SqlRepository):
    def record(self, artefact, use, owner, still_there):
        bare = artefact.model_copy(update={"meta": {}})
        return super().record(bare, use, owner, still_there)


class RecordsAnyway(SqlRepository):
    def record(self, artefact, use, owner, still_there):
        return super().record(artefact, use, owner, lambda _artefact: True)


class ReusesAnyway(SqlRepository):
    def reuse(self, fingerprint, use, still_there):
        return super().reuse(fingerprint, use, lambda _artefact: True)


class MixesItsTakes(SqlRepository):
    def reuse(self, fingerprint, use, still_there):
        return super().reuse(fingerprint, use._replace(take=0), still_there)


class KnowsOneOwner(SqlRepository):
    def take(self, fingerprint, owner, *, lease):
        return super().take(fingerprint, "somebody", lease=lease)


class KeepsWhatIsLost(SqlRepository):
    def keep(self, fingerprint, owner, *, lease):
        super().keep(fingerprint, owner, lease=lease)
        return True


class KeepsNothing(SqlRepository):
    def keep(self, fingerprint, owner, *, lease):
        return True


class NeverLetsGo(SqlRepository):
    def record(self, artefact, use, owner, still_there):
        return super().record(artefact, use, "nobody", still_there)


class ForgetsRefusals(SqlRepository):
    def find(self, fingerprint):
        found = super().find(fingerprint)
        return found if isinstance(found, Artefact) else None


class RemembersTheForgotten(SqlRepository):
    def find(self, fingerprint):
        self.seen = getattr(self, "seen", {})
        self.seen[fingerprint] = super().find(fingerprint) or self.seen.get(fingerprint)
        return self.seen[fingerprint]

    def forget(self, fingerprint):
        self.find(fingerprint)
        super().forget(fingerprint)


class LetsEverybodyTake(SqlRepository):
    def take(self, fingerprint, owner, *, lease):
        super().take(fingerprint, owner, lease=lease)
        return True


class ForgetsReservations(SqlRepository):
    def reserve(self, call, caps):
        return super().reserve(call._replace(bound=Decimal(0)), caps)


class TakesUnknownForFree(SqlRepository):
    def reserve(self, call, caps):
        return super().reserve(call._replace(bound=call.bound or Decimal(0)), caps)


class CountsCents(SqlRepository):
    def reserve(self, call, caps):
        bound = call.bound and round(call.bound, 2)
        return super().reserve(call._replace(bound=bound), caps)


class IgnoresCaps(SqlRepository):
    def reserve(self, call, caps):
        return super().reserve(call, Caps())


class KnowsNoDay(SqlRepository):
    def reserve(self, call, caps):
        return super().reserve(call, caps._replace(day=None))


class LooksBeforeItSpends(SqlRepository):
    def reserve(self, call, caps):
        if self.spent(call.use.video_id) + call.bound > caps.video:
            raise BudgetExceededError("It is too much.")
        time.sleep(0.02)
        return super().reserve(call, Caps())


class SweepsTooEarly(SqlRepository):
    def sweep(self, *, unused_seconds, discard):
        return super().sweep(unused_seconds=-1, discard=discard)


class DiscardsWhatIsShared(SqlRepository):
    def sweep(self, *, unused_seconds, discard):
        before = self.find(f"{2:064x}")
        count = super().sweep(unused_seconds=unused_seconds, discard=discard)
        if count:
            discard(before)
        return count


class DiscardsAfterwards(SqlRepository):
    def sweep(self, *, unused_seconds, discard):
        gone = []
        count = super().sweep(unused_seconds=unused_seconds, discard=gone.append)
        for artefact in gone:
            discard(artefact)
        return count


class DiscardsTheKnown(SqlRepository):
    def discard_unknown(self, keys, discard):
        for key in keys:
            discard(key)
        return len(keys)


class BuriesTheBill(SqlRepository):
    def delete(self, video_id):
        with self._write() as db:
            db.execute(sa.delete(tables.calls).where(tables.calls.c.video_id == video_id))
        return super().delete(video_id)


class ForgetsWhatIsDoubtful(SqlRepository):
    def costs(self, by, since=None, until=None):
        lines = super().costs(by, since, until)
        return [line.model_copy(update={"doubtful": Decimal(0)}) for line in lines]


class LeavesTheLastDayOut(SqlRepository):
    def costs(self, by, since=None, until=None):
        return super().costs(by, since, until and until - timedelta(days=1))


class TakesUnknownForTheSum(SqlRepository):
    def costs(self, by, since=None, until=None):
        lines = super().costs(by, since, until)
        return [line.model_copy(update={"dollars": line.known}) for line in lines]


class RoundsToMillionths(SqlRepository):
    def costs(self, by, since=None, until=None):
        lines = super().costs(by, since, until)
        return [line.model_copy(update={"known": round(line.known, 6)}) for line in lines]


class BillsEncoding(SqlRepository):
    def reserve(self, call, caps):
        return super().reserve(call._replace(bound=call.bound or Decimal("0.000000001")), caps)


class KnowsLivingVideosOnly(SqlRepository):
    def costs(self, by, since=None, until=None):
        return [line for line in super().costs(by, since, until) if by != "video" or line.title]


BROKEN_LEDGERS = [
    (KnowsNoZero, "nothing_is_there_at_first"),
    (DropsMeta, "a_recorded_artefact_is_found"),
    (RecordsAnyway, "what_has_gone_is_not_recorded"),
    (ReusesAnyway, "reuse_writes_the_use_down"),
    (MixesItsTakes, "each_use_is_kept_once"),
    (KnowsOneOwner, "one_owner_takes_a_making"),
    (KeepsWhatIsLost, "a_dead_owners_making_is_taken_over"),
    (KeepsNothing, "keep_extends_the_lease"),
    (NeverLetsGo, "what_is_recorded_is_not_made_again"),
    (ForgetsRefusals, "a_refusal_is_kept"),
    (RemembersTheForgotten, "what_is_forgotten_is_gone"),
    (LetsEverybodyTake, "many_workers_take_a_making_once"),
    (ForgetsReservations, "reservations_count_until_they_are_settled"),
    (TakesUnknownForFree, "an_unknown_price_is_not_nothing"),
    (CountsCents, "money_is_exact"),
    (IgnoresCaps, "a_cap_is_never_passed"),
    (KnowsNoDay, "caps_are_for_a_video_and_for_a_day"),
    (LooksBeforeItSpends, "a_cap_holds_for_many_at_once"),
    (SweepsTooEarly, "sweep_drops_what_nobody_uses"),
    (DiscardsWhatIsShared, "sweep_leaves_an_object_two_share"),
    (DiscardsAfterwards, "a_sweep_that_fails_forgets_nothing"),
    (DiscardsTheKnown, "objects_without_an_artefact_are_discarded"),
    (BuriesTheBill, "money_outlives_the_video"),
    (ForgetsWhatIsDoubtful, "costs_are_told_by_day_video_and_model"),
    (LeavesTheLastDayOut, "costs_are_of_the_days_asked_for"),
    (TakesUnknownForTheSum, "costs_are_exact_and_admit_what_is_unknown"),
    (RoundsToMillionths, "costs_are_exact_and_admit_what_is_unknown"),
    (BillsEncoding, "costs_leave_out_what_is_free"),
    (KnowsLivingVideosOnly, "costs_outlive_the_video"),
]


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        *catches(BROKEN_REPOSITORIES, REPOSITORY_CHECKS),
        *catches(BROKEN_LEDGERS, LEDGER_STORE_CHECKS),
    ],
)
def test_a_broken_repository_is_caught(opened, broken, check):
    """A repository or ledger store with one fault fails the check that is about it."""
    with pytest.raises(AssertionError):
        check(opened(broken))


class LedgerAlone:
    """The ledger's facts without any videos: what a LedgerStore of its own is like."""

    def __init__(self, path):
        self._whole = SqlRepository(path)
        for name in dir(LedgerStore):
            if not name.startswith("_") and name != "sweep":
                setattr(self, name, getattr(self._whole, name))
        self.close = self._whole.close

    def sweep(self, *, unused_seconds, discard):
        """Keep everything: every use is somebody's."""
        return 0


@pytest.mark.parametrize("check", named(LEDGER_STORE_CHECKS))
def test_a_ledger_store_without_videos_is_examined_too(opened, check):
    """One that is no VideoRepository is not asked what happens when a video is deleted."""
    check(opened(LedgerAlone))


# ------------------------------------------------------------------ renderers


@pytest.mark.parametrize(
    "name",
    [
        "ffmpeg",
        *(pytest.param(n, marks=pytest.mark.slow) for n in registry.RENDERERS if n != "ffmpeg"),
    ],
)
@pytest.mark.parametrize("check", named(RENDERER_CHECKS))
def test_every_renderer_conforms(check, name):
    """Ours, on ffmpeg and on MoviePy, pass each check."""
    assert isinstance(registry.renderer(name), Renderer)

    check(lambda: registry.renderer(name))


class NamesItselfAnew(FFmpegRenderer):
    def __init__(self):
        super().__init__()
        self.identity = uuid.uuid4().hex


class DropsTheLastFrame(FFmpegRenderer):
    async def encode(self, piece, out):
        await super().encode(replace(piece, frames=max(1, piece.frames - 1)), out)


class CutsTheKeyFrame(FFmpegRenderer):
    async def encode(self, piece, out):
        whole = out.with_name("whole.mp4")
        await super().encode(piece, whole)
        run_ffmpeg(whole, "-c", "copy", "-bsf:v", "noise=drop=not(n)", out)


class HoldsTheCamera(FFmpegRenderer):
    async def encode(self, piece, out):
        await super().encode(replace(piece, still=replace(piece.still, motion="none")), out)


class BeginsEveryMoveAnew(FFmpegRenderer):
    async def encode(self, piece, out):
        await super().encode(replace(piece, offset=0), out)


class CutsInsteadOfFading(FFmpegRenderer):
    async def encode(self, piece, out):
        await super().encode(replace(piece, into=None), out)


class FadesIntoAnotherMove(FFmpegRenderer):
    async def encode(self, piece, out):
        into = piece.into and replace(piece.into, motion="out")
        await super().encode(replace(piece, into=into), out)


class SwapsPictures(FFmpegRenderer):
    """Encodes a changed copy of the picture; the base of those that do."""

    def changed(self, image):
        return image

    async def encode(self, piece, out):
        copy = out.with_name("copy.png")
        with Image.open(piece.still.picture) as image:
            self.changed(image).save(copy)
        digest = hashlib.sha256(copy.read_bytes()).hexdigest()
        still = replace(piece.still, picture=copy, sha256=digest)
        await super().encode(replace(piece, still=still), out)


class SwapsRedAndBlue(SwapsPictures):
    def changed(self, image):
        return Image.merge("RGB", image.convert("RGB").split()[::-1])


class KnowsPngOnly(SwapsPictures):
    def changed(self, image):
        return image if image.format == "PNG" else Image.new("RGB", image.size)


class LeavesWhatFailed(FFmpegRenderer):
    async def encode(self, piece, out):
        try:
            await super().encode(piece, out)
        except RenderError:
            out.write_bytes(b"half")
            raise


class LeavesWhatWasCancelled(FFmpegRenderer):
    async def encode(self, piece, out):
        try:
            await super().encode(piece, out)
        except asyncio.CancelledError:
            out.write_bytes(b"half")
            raise


class DoesNotStop(FFmpegRenderer):
    async def encode(self, piece, out):
        work = asyncio.create_task(super().encode(replace(piece, frames=3), out))
        try:
            await asyncio.shield(work)
            await asyncio.sleep(60 if piece.frames > 100 else 0)
        except asyncio.CancelledError:
            await work
            raise


class FillsTheLastBlock(FFmpegRenderer):
    async def mix(self, soundtrack, out):
        await super().mix(replace(soundtrack, samples=soundtrack.samples + 512), out)


class SpeaksLate(FFmpegRenderer):
    async def mix(self, soundtrack, out):
        late = tuple((at + 240, file) for at, file in soundtrack.cues)
        await super().mix(replace(soundtrack, cues=late), out)


class Whispers(FFmpegRenderer):
    async def mix(self, soundtrack, out):
        loud = out.with_name(f"loud{out.suffix}")
        await super().mix(soundtrack, loud)
        run_ffmpeg(loud, "-af", "volume=-6dB", out)


class ShutsUp(FFmpegRenderer):
    async def mix(self, soundtrack, out):
        with suppress(RenderError):
            return await super().mix(soundtrack, out)
        return await super().mix(replace(soundtrack, cues=()), out)


class DrownsTheVoice(FFmpegRenderer):
    async def mix(self, soundtrack, out):
        music = soundtrack.music and soundtrack.music.with_name("loud.wav")
        if music:
            await self.decode(soundtrack.music, music)
            quiet = replace(soundtrack, music=None)
            await super().mix(quiet, out.with_name("voice.m4a"))
            mixing = ["-i", f"file:{music}", "-filter_complex", "amix=duration=first"]
            return run_ffmpeg(out.with_name("voice.m4a"), *mixing, out)
        return await super().mix(soundtrack, out)


class TakesAnythingForMusic(FFmpegRenderer):
    async def mix(self, soundtrack, out):
        with suppress(RenderError):
            return await super().mix(soundtrack, out)
        return await super().mix(replace(soundtrack, music=None), out)


class DecodesStereo(FFmpegRenderer):
    async def decode(self, sound, out):
        mono = out.with_name("mono.wav")
        await super().decode(sound, mono)
        run_ffmpeg(mono, "-ac", "2", out)


class LosesAPiece(FFmpegRenderer):
    async def join(self, pieces, sound, out, tags):
        await super().join(pieces[:-1], sound, out, tags)


class MixesUpPieces(FFmpegRenderer):
    async def join(self, pieces, sound, out, tags):
        await super().join(sorted(pieces, reverse=True), sound, out, tags)


class SignsItsWork(FFmpegRenderer):
    async def encode(self, piece, out):
        await super().encode(piece, out)
        with out.open("ab") as file:
            file.write(b"\0\0\0\x10free" + os.urandom(8))


class SaysNothing(FFmpegRenderer):
    async def join(self, pieces, sound, out, tags):
        await super().join(pieces, sound, out, Tags("", ""))


class LikesEverything(FFmpegRenderer):
    async def check(self, film, **ordered):
        pass


class LikesBlack(FFmpegRenderer):
    async def check(self, film, **ordered):
        if film.name != "black.mp4":
            await super().check(film, **ordered)


def run_ffmpeg(source, *arguments):
    *options, out = arguments
    Job().run(["-i", f"file:{source}", *options, f"file:{out}"], what="Spoiling", seconds=60)
    source.unlink()


BROKEN_RENDERERS = [
    (NamesItselfAnew, "its_identity_lasts"),
    (DropsTheLastFrame, "a_piece_has_its_frames"),
    (CutsTheKeyFrame, "a_piece_begins_with_a_key_frame"),
    (HoldsTheCamera, "the_camera_moves_as_told"),
    (BeginsEveryMoveAnew, "a_move_goes_on_from_piece_to_piece"),
    (CutsInsteadOfFading, "a_crossfade_goes_from_one_picture_to_the_other"),
    (FadesIntoAnotherMove, "what_is_faded_in_moves_from_its_start"),
    (SwapsRedAndBlue, "colours_are_kept"),
    (KnowsPngOnly, "pictures_of_every_kind_are_read"),
    (LeavesWhatFailed, "a_broken_picture_is_a_render_error"),
    (LeavesWhatWasCancelled, "a_cancelled_encoding_leaves_no_file"),
    (DoesNotStop, "a_cancelled_encoding_leaves_no_file"),
    (FillsTheLastBlock, "sound_is_exactly_as_long"),
    (SpeaksLate, "sentences_begin_on_their_samples"),
    (Whispers, "every_voice_comes_out_equally_loud"),
    (ShutsUp, "sound_that_cannot_be_read_is_a_render_error"),
    (DrownsTheVoice, "music_makes_way_for_the_voice"),
    (TakesAnythingForMusic, "music_that_is_none_is_a_render_error"),
    (DecodesStereo, "any_sound_is_decoded"),
    (LosesAPiece, "joining_keeps_every_frame"),
    (MixesUpPieces, "joining_keeps_every_frame"),
    (SignsItsWork, "the_same_input_gives_the_same_bytes"),
    (SaysNothing, "the_film_says_what_it_is"),
    (LikesEverything, "a_good_film_passes_and_others_do_not"),
    (LikesBlack, "a_good_film_passes_and_others_do_not"),
]


@pytest.mark.parametrize(("broken", "check"), catches(BROKEN_RENDERERS, RENDERER_CHECKS))
def test_a_broken_renderer_is_caught(broken, check):
    """A renderer with one fault fails the check that is about it."""
    with pytest.raises(AssertionError):
        check(broken)


def test_plain_renderers_are_examined_too():
    """A renderer whose methods are no coroutines passes like any other."""

    class Plain:
        def __init__(self):
            self._whole = FFmpegRenderer()
            self.identity = self._whole.identity

        def __getattr__(self, name):
            method = getattr(self._whole, name)
            return lambda *given, **named: asyncio.run(method(*given, **named))

    for check in RENDERER_CHECKS:
        if check.__name__ in {
            "a_piece_has_its_frames",
            "a_cancelled_encoding_leaves_no_file",
            "joining_keeps_every_frame",
        }:
            check(Plain)


@pytest.mark.parametrize(
    ("cases", "checks"),
    [
        (BROKEN_PROMPTS, PROMPT_MODEL_CHECKS),
        (BROKEN_IMAGES, IMAGE_MODEL_CHECKS),
        (BROKEN_SPEECH, SPEECH_MODEL_CHECKS),
        (BROKEN_REPOSITORIES, REPOSITORY_CHECKS),
        (BROKEN_LEDGERS, LEDGER_STORE_CHECKS),
        (BROKEN_RENDERERS, RENDERER_CHECKS),
    ],
    ids=["prompts", "images", "speech", "repositories", "ledgers", "renderers"],
)
def test_every_check_can_fail(cases, checks):
    """There is somebody each check catches: one that cannot fail says nothing."""
    assert uncaught(cases, checks) == set()
