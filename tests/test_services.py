"""The services on their own, outside any pipeline or graph."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import pytest

from visionpulse import AudioService, ImageService, Ledger, VideoService
from visionpulse.errors import BadAnswerError, InputError, RenderError, ScriptError
from visionpulse.models import Picture, Speech, VideoOptions
from visionpulse.renderers.probe import probe
from visionpulse.testing.fakes import FakeImages, FakeSpeech, gradient_png

from .conftest import AT_ONCE, SCRIPT, TINY

VIDEO_ID = "f" * 32


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.at(tmp_path)
    made.policy = AT_ONCE
    return made


@pytest.fixture
def image_service(ledger, prompts, images):
    return ImageService(prompts=prompts, images=images, ledger=ledger)


@pytest.fixture
def audio_service(ledger, speech):
    return AudioService(speech=speech, ledger=ledger)


@pytest.fixture
def video_service(ledger):
    return VideoService(ledger=ledger)


def test_prompts_cover_the_script(image_service):
    """One for each scene; the scenes are the script, to the character."""
    plan = image_service.generate_prompts(SCRIPT, style="noir", options=TINY)

    assert len(plan.prompts) == 2
    assert "".join(scene.text for scene in plan.scenes) == SCRIPT


def test_images_lie_at_their_documented_paths(image_service):
    """In the order of the prompts, and drawn once however often they are asked for."""
    paths = image_service.generate_images(["a red door", "a corridor"], VIDEO_ID)
    again = image_service.generate_images(["a red door", "a corridor"], VIDEO_ID)

    assert paths == again == [f"output/images/{VIDEO_ID}/image_{n:03d}.png" for n in range(2)]
    assert len(image_service.images.first.drawn) == 2


def test_narration_lies_at_its_documented_path(audio_service):
    """Every sentence is there, with the author's text and the times of its words."""
    narration = audio_service.generate_narration(SCRIPT, "nova", VIDEO_ID)

    assert narration.audio_path == f"output/audio/{VIDEO_ID}/narration.mp3"
    assert Path(narration.audio_path).stat().st_size > 1000
    assert [SCRIPT[each.start : each.end] for each in narration.sentences] == [
        each.text for each in narration.sentences
    ]
    assert {each.method for each in narration.sentences} == {"engine"}


def test_services_make_a_film_together(image_service, audio_service, video_service):
    """Prompts, pictures and narration of one script, put together by hand."""
    plan = image_service.generate_prompts(SCRIPT, options=TINY)
    paths = image_service.generate_images(plan.prompts, VIDEO_ID)
    narration = audio_service.generate_narration(SCRIPT, "nova", VIDEO_ID)

    film = video_service.create_video(paths, narration, VIDEO_ID, scenes=plan.scenes, options=TINY)

    assert film.video_path == f"output/videos/{VIDEO_ID}.mp4"
    info = probe(Path(film.video_path))
    assert (info.width, info.height) == TINY.size
    assert float(info.seconds) == pytest.approx(film.duration, abs=0.001)
    assert len(film.starts) == 2


def test_film_of_files_of_ones_own(tmp_path, video_service):
    """Any picture files and one sound file, divided evenly."""
    pictures = []
    for number in range(3):
        pictures.append(tmp_path / f"{number}.png")
        pictures[-1].write_bytes(gradient_png(bytes([80 * number, 10, 10]), 40, 30))
    sound = tmp_path / "voice.wav"
    sound.write_bytes(tone(seconds=3.0))

    film = video_service.create_video(pictures, sound, VIDEO_ID, options=TINY)

    assert film.duration == pytest.approx(3.0, abs=1 / 24)
    assert film.starts == pytest.approx((0, 1, 2), abs=1 / 24)
    assert film.caption_paths == {}


def tone(seconds: float) -> bytes:
    import io

    speech = asyncio.run(FakeSpeech().speak(_request("x" * round(seconds / 0.04))))
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.sample_rate)
        file.writeframes(speech.pcm)
    return stream.getvalue()


def _request(text: str):
    from visionpulse.models import SpeechRequest

    return SpeechRequest(text=text, voice="nova")


def test_async_forms(image_service, audio_service):
    """Side by side in one's own loop."""

    async def program():
        return await asyncio.gather(
            image_service.agenerate_images(["a red door"], VIDEO_ID),
            audio_service.agenerate_narration("One red door.", "nova", VIDEO_ID),
        )

    paths, narration = asyncio.run(program())

    assert (len(paths), len(narration.sentences)) == (1, 1)


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize("content", [b"", b"no picture", gradient_png(b"abc", 64, 64)[:-40]])
def test_file_that_is_no_picture_is_named(tmp_path, video_service, audio_service, content):
    broken = tmp_path / "broken.png"
    broken.write_bytes(content)
    narration = audio_service.generate_narration("One red door.", "nova", VIDEO_ID)

    with pytest.raises(InputError, match=r"broken\.png"):
        video_service.create_video([broken], narration, VIDEO_ID)


def test_missing_picture_is_named(video_service, tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.png"):
        video_service.create_video([tmp_path / "nowhere.png"], tmp_path / "x.mp3", VIDEO_ID)


def test_sound_file_of_zero_length_is_refused(tmp_path, video_service):
    """An MP3 that is empty, and a WAV without a sample."""
    picture = tmp_path / "p.png"
    picture.write_bytes(gradient_png(b"abc", 64, 64))
    (tmp_path / "empty.mp3").write_bytes(b"")
    (tmp_path / "empty.wav").write_bytes(tone(0.2)[:44])

    for name in ("empty.mp3", "empty.wav"):
        with pytest.raises((InputError, RenderError), match="empty"):
            video_service.create_video([picture], tmp_path / name, VIDEO_ID)


def test_more_pictures_than_sentences_is_refused(image_service, audio_service, video_service):
    """Every picture needs something to be heard over it."""
    paths = image_service.generate_images(["a", "b", "c"], VIDEO_ID)
    narration = audio_service.generate_narration("One red door.", "nova", VIDEO_ID)

    with pytest.raises(InputError, match="too many"):
        video_service.create_video(paths, narration, VIDEO_ID)


def test_empty_text_is_refused(image_service, audio_service):
    with pytest.raises(ScriptError):
        image_service.generate_prompts(" \n")
    with pytest.raises(ScriptError):
        audio_service.generate_narration("", "nova", VIDEO_ID)


# ------------------------------------------------------------------ unusable answers


class BrokenImages(FakeImages):
    answer = b""

    async def draw(self, request):
        self.drawn.append(request.prompt)
        return Picture(data=self.answer)


def bomb() -> bytes:
    """A PNG header that promises 60,000 x 60,000 pixels."""
    png = bytearray(gradient_png(b"abc", 64, 64))
    png[16:24] = (60_000).to_bytes(4, "big") * 2
    import struct
    import zlib

    png[29:33] = struct.pack(">I", zlib.crc32(bytes(png[12:29])))
    return bytes(png)


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", gradient_png(b"abc", 64, 64)[:-30], bomb(), b"GIF89a" + b"\0" * 50]
)
def test_picture_that_does_not_decode_is_never_recorded(ledger, prompts, answer):
    """It is caught at the door, and asked for twice more."""
    images = BrokenImages()
    images.answer = answer
    service = ImageService(prompts=prompts, images=images, ledger=ledger)

    with pytest.raises(BadAnswerError):
        service.generate_images(["a red door"], VIDEO_ID)

    assert ledger.store.used(VIDEO_ID) == []
    assert len(images.drawn) == 3


@pytest.mark.parametrize(
    ("pcm", "why"),
    [
        (b"", "seconds"),
        (b"\0" * 101, "16-bit"),
        (b"\0" * 48_000, "silent"),
        (b"\1\0" * 50, "seconds"),
    ],
)
def test_speech_that_is_none_is_never_recorded(ledger, pcm, why):
    class Broken(FakeSpeech):
        async def speak(self, request):
            return Speech(pcm=pcm, sample_rate=24_000)

    service = AudioService(speech=Broken(), ledger=ledger)

    with pytest.raises(BadAnswerError, match=why):
        service.generate_narration("One red door.", "nova", VIDEO_ID)

    assert ledger.store.used(VIDEO_ID) == []


def test_storyboard_that_skips_a_sentence_is_never_recorded(ledger, images, prompts):
    """Every word is seen to; a plan that forgets one is no plan."""

    class Forgetful(type(prompts)):
        async def storyboard(self, request):
            board = await super().storyboard(request)
            return board.model_copy(update={"scenes": board.scenes[:-1]})

    service = ImageService(prompts=Forgetful(), images=images, ledger=ledger)

    with pytest.raises(BadAnswerError, match="cover"):
        service.generate_prompts(SCRIPT, options=VideoOptions(scene_count=2))
