"""The soundtrack: a voice that stands clear, music that makes way, and the built-in moods."""

import os
import subprocess
import sys
import tracemalloc
import wave
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from visionpulse import music
from visionpulse.errors import RenderError, UnknownNameError
from visionpulse.protocols import Soundtrack
from visionpulse.renderers import loudness as meter
from visionpulse.renderers import sound
from visionpulse.renderers.process import Job, find_ffmpeg
from visionpulse.renderers.sources import Music

RATE = 24_000
OUT = 48_000
FFMPEG = find_ffmpeg().path


# ------------------------------------------------------------------ material


def write_wav(path, samples, rate=RATE):
    """Write samples of full scale 1, a column for each channel."""
    samples = np.asarray(samples)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())
    return path


def in_band(samples, low, high, rate):
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.fft.irfft(spectrum, len(samples))


def hiss(seconds, level=0.05, *, seed=1):
    """A voice that is easily told from music: noise from 0.8 to 3 kHz, of this mean power."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * RATE))
    noise = in_band(noise, 800, 3_000, RATE)
    return noise / noise.std() * level


def hum(seconds, level=0.3, *, rate=OUT, hertz=250):
    """Music that is easily told from a voice."""
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def rumble(seconds, *, seed=2):
    """Music without a beginning or an end, that has nothing in common with itself later."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * OUT))
    return in_band(noise, 150, 400, OUT) * 2


def track(folder, seconds, cues, music=None):
    """A soundtrack of sentences that begin at these seconds."""
    return Soundtrack(
        RATE,
        round(seconds * RATE),
        tuple(
            (round(at * RATE), write_wav(folder / f"sentence {number}.wav", samples))
            for number, (at, samples) in enumerate(cues)
        ),
        music,
    )


def mixed(soundtrack, out):
    sound.mix(Job(), soundtrack, out)
    return out


def heard(path):
    answer = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, "-ac", "1", "-ar", str(OUT), "-f", "f32le", "-"],
        capture_output=True,
        check=True,
    )
    return np.frombuffer(answer.stdout, "<f4").astype(float)


def level(samples, start, end):
    """Mean power between two seconds, in decibels."""
    return 10 * np.log10(np.mean(samples[round(start * OUT) : round(end * OUT)] ** 2) + 1e-12)


def apart(path):
    """Return the voice and the music of a mixed file, told apart by their frequencies."""
    sound_ = heard(path)
    return in_band(sound_, 800, 3_000, OUT), in_band(sound_, 100, 500, OUT)


# ------------------------------------------------------------------ voice and music


STARTS = (0.5, 2.85, 5.75, 9.75, 12.1, 17.1)


@pytest.fixture(scope="module", params=[".m4a", ".mp3"])
def film(tmp_path_factory, request):
    """Sentences of 2 s after pauses of 0.35, 0.9, 2, 0.35 and 3 s; 22 s in all."""
    folder = tmp_path_factory.mktemp("film")
    cues = [(at, hiss(2, seed=n)) for n, at in enumerate(STARTS)]
    tune = write_wav(folder / "tune.wav", hum(8), OUT)  # Its loop is in phase.
    return apart(mixed(track(folder, 22, cues, tune), folder / f"film{request.param}"))


def test_music_is_far_below_the_voice(film):
    """By 14 dB or more in every quarter of a second of speech."""
    voice, tune = film

    for begins in STARTS:
        for at in np.arange(begins, begins + 2, 0.25):
            assert level(voice, at, at + 0.25) - level(tune, at, at + 0.25) >= 14


def test_music_comes_back_in_long_pauses(film):
    """About 8 dB louder where nobody speaks for more than a second."""
    _, tune = film

    under = level(tune, 6.0, 7.5)
    assert level(tune, 8.3, 9.2) - under == pytest.approx(8, abs=1)
    assert level(tune, 14.7, 16.5) - under == pytest.approx(8, abs=1)


def test_music_does_not_pump_between_sentences(film):
    """In pauses up to a second it stays where it is, within half a decibel."""
    _, tune = film

    levels = [level(tune, a, a + 0.05) for a in np.arange(2.0, 7.5, 0.05)]
    assert max(levels) - min(levels) < 0.5


def test_music_is_down_before_the_first_syllable(film):
    """When a sentence begins after a pause, the music has already made way."""
    _, tune = film

    for begins in (9.75, 17.1):
        assert level(tune, begins - 0.02, begins) - level(tune, 6.0, 7.5) < 1


def test_music_fades_at_both_ends(film):
    """In over a second and a half, out over three."""
    _, tune = film

    middle, fading_in, fading_out = level(tune, 6.0, 7.5), (0, 0.4, 0.8), (21.8, 21.2, 20.5)
    ins = [level(tune, a, a + 0.2) - middle for a in fading_in]
    outs = [level(tune, a, a + 0.2) - middle - 8 for a in fading_out]
    for rising in (ins, outs):
        assert rising[0] < -20
        assert rising == sorted(rising)
    assert level(tune, 19.5, 19.65) - middle > 3


@pytest.mark.parametrize("suffix", [".m4a", ".mp3"])
@pytest.mark.parametrize("loud", [0.002, 0.05, 0.12, 1.0], ids=["whisper", "voice", "hot", "shout"])
def test_the_film_is_as_loud_as_films_are(tmp_path, loud, suffix):
    """-16 LUFS and true peaks below -1.5 dB on the finished file, with half of it music alone."""
    clicking = hiss(3, loud)
    clicking[12_000::7_000] = np.clip(8 * loud, 0, 1)
    cues = [(0.5, clicking), (4, clicking), (14, hiss(2, loud))]
    tune = write_wav(tmp_path / "tune.wav", np.clip(rumble(25), -1, 1), OUT)

    out = mixed(track(tmp_path, 20, cues, tune), tmp_path / f"film{suffix}")

    found = sound.loudness_of(Job(), out)
    assert found.integrated == pytest.approx(-16, abs=1)
    assert found.peak <= -1.5


def test_a_film_of_music_alone_is_as_loud(tmp_path):
    """When the voice is silent, the music is the film."""
    tune = write_wav(tmp_path / "tune.wav", rumble(25), OUT)

    out = mixed(track(tmp_path, 20, [(1, np.zeros(RATE))], tune), tmp_path / "film.m4a")

    found = sound.loudness_of(Job(), out)
    assert found.integrated == pytest.approx(-16, abs=1)
    assert found.peak <= -1.5


def test_the_voice_keeps_its_dynamics(tmp_path):
    """A sentence spoken 8 dB softer than the others stays 8 dB softer."""
    cues = [(0.5, hiss(3)), (4, hiss(3, 0.05 * 10 ** (-8 / 20))), (7.5, hiss(3))]
    tune = write_wav(tmp_path / "tune.wav", hum(12), OUT)

    voice, _ = apart(mixed(track(tmp_path, 12, cues, tune), tmp_path / "film.m4a"))

    assert level(voice, 1, 3) - level(voice, 4.5, 6.5) == pytest.approx(8, abs=0.5)
    assert level(voice, 1, 3) - level(voice, 8, 10) == pytest.approx(0, abs=0.5)


def test_a_soft_aside_is_not_drowned(tmp_path):
    """A sentence 12 dB softer than the rest has music 14 dB below itself."""
    cues = [(0.5, hiss(3)), (4, hiss(3, 0.05 / 4)), (7.5, hiss(3))]
    tune = write_wav(tmp_path / "tune.wav", hum(12), OUT)

    voice, tune = apart(mixed(track(tmp_path, 12, cues, tune), tmp_path / "film.m4a"))

    assert level(voice, 4.2, 6.8) - level(tune, 4.2, 6.8) > 14


def test_one_long_recording_has_pauses_too(tmp_path):
    """In a narration that is one file, music comes back where its speaker is silent."""
    speech = np.concatenate([hiss(4), np.zeros(3 * RATE), hiss(4)])
    tune = write_wav(tmp_path / "tune.wav", hum(12), OUT)

    _, tune = apart(mixed(track(tmp_path, 12, [(0, speech)], tune), tmp_path / "film.m4a"))

    assert level(tune, 5, 6.3) - level(tune, 2, 3.9) == pytest.approx(8, abs=1)


def test_music_with_loud_parts_stays_below_too(tmp_path):
    """Where a quiet tune becomes 15 dB louder, the voice still stands 14 dB above it."""
    tune = np.concatenate([hum(14, 0.05), hum(6, 0.3)])
    cues = [(0.5, hiss(18))]

    voice, tune = apart(
        mixed(
            track(tmp_path, 20, cues, write_wav(tmp_path / "t.wav", tune, OUT)),
            tmp_path / "film.m4a",
        )
    )

    assert level(voice, 14.5, 16.5) - level(tune, 14.5, 16.5) > 14


# ------------------------------------------------------------------ music of every kind


def ffmpeg(*arguments):
    subprocess.run([FFMPEG, "-v", "error", "-y", *map(str, arguments)], check=True)


def a_song_with_a_cover(folder):
    Image.new("RGB", (64, 64), "red").save(folder / "cover.png")
    tune = write_wav(folder / "tune.wav", rumble(5), OUT)
    ffmpeg(
        *("-i", tune, "-i", folder / "cover.png", "-map", "0", "-map", "1"),
        *("-ar", "44100", "-c:v", "copy", folder / "song.mp3"),
    )
    return folder / "song.mp3"


def a_film_with_sound(folder):
    tune = write_wav(folder / "tune.wav", rumble(5), OUT)
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=5:s=64x64:r=10", "-i", tune, folder / "clip.mp4")
    return folder / "clip.mp4"


def a_hostile_name(folder):
    name = "-i it's; $(rm) %d [0:a] 'x'\n.wav"
    return write_wav(folder / name, rumble(5)[::2], OUT // 2)


def a_jingle(folder):
    return write_wav(folder / "jingle.wav", rumble(2), OUT)


def a_long_song(folder):
    return write_wav(folder / "long.wav", np.stack([rumble(30)] * 2, axis=1), OUT)


def a_song_that_begins_and_ends_in_silence(folder):
    silence = np.zeros(3 * OUT)
    return write_wav(folder / "late.wav", np.concatenate([silence, rumble(5), silence]), OUT)


@pytest.mark.parametrize(
    "make",
    [
        a_song_with_a_cover,
        a_film_with_sound,
        a_hostile_name,
        a_jingle,
        a_long_song,
        a_song_that_begins_and_ends_in_silence,
    ],
)
def test_any_sound_file_is_music(tmp_path, make):
    """It is heard all through the film, without a gap, and nothing is left behind."""
    soundtrack = track(tmp_path, 16, [(1, hiss(2))], make(tmp_path))
    before = set(tmp_path.iterdir())

    out = mixed(soundtrack, tmp_path / "film.m4a")

    assert set(tmp_path.iterdir()) - before == {out}
    _, tune = apart(out)
    levels = [level(tune, a, a + 0.5) for a in np.arange(4, 12.5, 0.1)]
    assert max(levels) - min(levels) < 4
    assert min(levels) > -32


@pytest.mark.parametrize("make", [hum, rumble], ids=["alike", "unlike"])
def test_the_seam_of_a_loop_is_not_heard(tmp_path, make):
    """Where the music begins again, its level stays and nothing clicks."""
    tune = write_wav(tmp_path / "tune.wav", make(8), OUT)

    out = mixed(track(tmp_path, 20, [(0.1, hiss(0.5))], tune), tmp_path / "film.m4a")

    sound_ = heard(out)
    levels = [level(sound_, a, a + 1) for a in np.arange(2.5, 16, 0.25)]
    assert max(levels) - min(levels) < 2.5
    steps = np.abs(np.diff(sound_[2 * OUT : 17 * OUT]))
    # The steepest step of such waves is known: 500 Hz at the loudest sample.
    assert steps.max() < 2 * np.pi * 500 / OUT * np.abs(sound_[2 * OUT : 17 * OUT]).max()


def not_there(folder):
    return folder / "missing.mp3"


def a_text(folder):
    (folder / "text.mp3").write_text("hello")
    return folder / "text.mp3"


def nothing(folder):
    (folder / "empty.wav").write_bytes(b"")
    return folder / "empty.wav"


def a_playlist(folder):
    """Return a file that asks for others."""
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://localhost:1/x.ts\n#EXT-X-ENDLIST\n"
    (folder / "list.m3u8").write_text(text)
    return folder / "list.m3u8"


def silence(folder):
    return write_wav(folder / "silence.wav", np.zeros(5 * OUT), OUT)


def a_click(folder):
    return write_wav(folder / "click.wav", hum(0.1), OUT)


def a_silent_film(folder):
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10", folder / "mute.mp4")
    return folder / "mute.mp4"


@pytest.mark.parametrize(
    "make", [not_there, a_text, nothing, a_playlist, silence, a_click, a_silent_film]
)
def test_what_is_no_music_is_refused(tmp_path, make):
    """In words with the file's name and a code, and no file is left."""
    bad = make(tmp_path)
    soundtrack = track(tmp_path, 10, [(1, hiss(2))], bad)
    before = set(tmp_path.iterdir())

    with pytest.raises(RenderError, match="cannot be used as music") as caught:
        mixed(soundtrack, tmp_path / "film.m4a")

    assert caught.value.code == "bad_music"
    assert bad.name in caught.value.message
    assert set(tmp_path.iterdir()) == before


def test_no_more_music_is_decoded_than_the_film_needs(tmp_path):
    """Of three hours of music, a film of five seconds reads about six."""
    song = write_wav(tmp_path / "song.wav", np.stack([hum(10)] * 2, axis=1), OUT)
    with song.open("r+b") as file:
        size = 3 * 3_600 * OUT * 4
        file.seek(4)
        file.write((size + 36).to_bytes(4, "little"))
        file.seek(40)
        file.write(size.to_bytes(4, "little"))
        file.truncate(size + 44)

    Music.decoded(Job(), Soundtrack(RATE, 5 * RATE, (), song), tmp_path / "music.raw")

    assert (tmp_path / "music.raw").stat().st_size <= 6.1 * OUT * 4


# ------------------------------------------------------------------ an hour


@pytest.mark.slow
def test_an_hour_does_not_drift(tmp_path):
    """The last sentences begin within a millisecond, and memory is that of a short film."""
    burst = write_wav(tmp_path / "burst.wav", hiss(0.25))
    starts = [n * 7 * RATE + n % 4_801 for n in range(514)]
    tracemalloc.start()

    out = mixed(
        Soundtrack(RATE, 3_600 * RATE, tuple((at, burst) for at in starts)), tmp_path / "hour.m4a"
    )

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60e6
    wanted = np.repeat(hiss(0.25), 2)
    chosen = [*starts[1:4], *starts[250:253], *starts[-3:]]
    samples, around = decoded_around([2 * at - 960 for at in chosen], len(wanted) + 1_920, out)
    assert samples == 3_600 * OUT
    for part in around:
        late = int(np.argmax(np.correlate(part, wanted))) - 960
        assert abs(late) <= OUT // 1_000


def decoded_around(starts, length, path):
    """Decode a whole file; return how many samples it has, and those at some places."""
    command = [FFMPEG, "-v", "error", "-i", path, "-ac", "1", "-f", "s16le", "-"]
    kept, at = [np.zeros(length) for _ in starts], 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        while block := child.stdout.read(2 * 60 * OUT):
            samples = np.frombuffer(block, "<i2")
            for start, part in zip(starts, kept, strict=True):
                first, last = max(start, at), min(start + length, at + len(samples))
                if first < last:
                    part[first - start : last - start] = samples[first - at : last - at]
            at += len(samples)
    return at, kept


# ------------------------------------------------------------------ meters and tools


@pytest.mark.parametrize("rate", [11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_loudness_is_what_ffmpeg_measures(tmp_path, rate):
    """To a tenth of a unit, and true peaks to a quarter of a decibel."""
    noise = in_band(np.random.default_rng(1).normal(size=7 * rate) * 0.1, 80, 4_000, rate)
    noise *= 0.3 + np.abs(np.sin(np.arange(7 * rate) / rate))
    noise[2 * rate : 4 * rate] = 0
    stereo = write_wav(tmp_path / "s.wav", np.stack([noise] * 2, axis=1), rate)
    ffmpeg("-i", stereo, "-ar", OUT, tmp_path / "48.wav")
    blocks = noise.astype(np.float32).reshape(7, rate)

    found = meter.survey(blocks, rate)

    measured = sound.loudness_of(Job(), tmp_path / "48.wav")
    assert meter.loudness(found.power) == pytest.approx(measured.integrated, abs=0.15)
    assert meter.decibels(found.peak.max()) == pytest.approx(measured.peak, abs=0.25)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_000, 44_100, 96_000])
def test_another_rate_is_the_same_sound(rate):
    """A tone comes out where it was and as it was, across the seconds in which it is computed."""
    tone = np.sin(2 * np.pi * 997.3 * np.arange(3 * rate) / rate).astype(np.float32)

    out = np.concatenate(list(meter.resampled(tone.reshape(3, rate), rate, OUT)))

    wanted = np.sin(2 * np.pi * 997.3 * np.arange(3 * OUT) / OUT)
    error = (out - wanted)[OUT // 4 : -OUT // 4]
    assert np.abs(error).max() < 1e-3


@given(
    st.lists(st.floats(0, 8), min_size=1, max_size=60),
    st.floats(0.1, 1),
)
def test_no_peak_passes_the_limiter(peaks, ceiling):
    """On both edges of a hop, and so on the line between them, the gain is small enough."""
    gains = meter.limited(np.float32(peaks), ceiling)

    assert len(gains) == len(peaks) + 1
    for peak, (before, after) in zip(peaks, pairwise(gains), strict=True):
        assert peak * max(before, after) <= ceiling * 1.0001 or max(before, after) <= 1 >= peak
    assert (np.abs(np.diff(gains)) < 0.76).all()


# ------------------------------------------------------------------ the built-in moods


@pytest.fixture(
    scope="module",
    params=["calm", *(pytest.param(m, marks=pytest.mark.slow) for m in list(music.MOODS)[1:])],
)
def bed(request):
    return request.param, music.bed(request.param, "seed")


def test_a_bed_is_quiet_clean_and_wide(bed):
    """90 s at -23 LUFS, no clipping, no offset, nothing harsh, not out of phase."""
    _, sound_ = bed

    assert 85 * OUT < len(sound_) < 95 * OUT
    seconds = sound_[: len(sound_) // OUT * OUT].reshape(-1, OUT, 2)
    found = meter.survey(seconds, OUT)
    assert meter.loudness(found.power) == pytest.approx(-23, abs=1)
    assert np.abs(sound_).max() < 0.5
    assert abs(sound_.mean()) < 1e-5
    power = np.abs(np.fft.rfft(sound_.mean(axis=1))) ** 2
    hertz = np.fft.rfftfreq(len(sound_), 1 / OUT)
    assert power[hertz > 6_000].sum() < 1e-3 * power.sum()
    assert power[hertz < 30].sum() < 1e-3 * power.sum()
    assert 0.2 < np.corrcoef(sound_.T)[0, 1] < 0.95


def test_a_bed_moves(bed):
    """Its chords change, its notes are struck, and no part of it is silent or much louder."""
    mood, sound_ = bed
    how = music.MOODS[mood]
    step = round(how.chord_seconds * OUT)
    mono = sound_.mean(axis=1)

    colours = []
    for at in range(0, len(mono), step):
        power = np.abs(np.fft.rfft(mono[at : at + step])) ** 2
        hertz = np.fft.rfftfreq(step, 1 / OUT)
        audible = (hertz > 60) & (hertz < 2_000)
        notes = np.rint(12 * np.log2(hertz[audible] / 440)).astype(int) % 12
        colour = np.bincount(notes, power[audible], 12)
        colours.append(colour / np.linalg.norm(colour))
    alike = [float(one @ other) for one, other in pairwise(colours)]
    assert np.median(alike) < 0.9
    stretches = [level(mono, a, a + 3) for a in np.arange(0, 84, 3)]
    assert max(stretches) - min(stretches) < 6
    moments = [level(mono, a, a + 0.1) for a in np.arange(0, 84, 0.1)]
    assert np.std(moments) > 0.8


def test_a_bed_has_no_seam(bed):
    """From its last sample to its first there is no step, and no change of colour or level."""
    _, sound_ = bed
    steps = np.abs(np.diff(sound_, axis=0))
    around = np.concatenate([sound_[-2_400:], sound_[:2_400]]).mean(axis=1)

    assert np.abs(sound_[0] - sound_[-1]).max() < np.percentile(steps, 99.9)
    # A step would be heard as a click, above all that is played.
    spectrum = np.abs(np.fft.rfft(around * np.hanning(4_800))) ** 2
    assert spectrum[1_000:].sum() < 1e-4 * spectrum.sum()
    assert level(np.tile(sound_.mean(axis=1), 2), 88, 92) == pytest.approx(
        level(sound_.mean(axis=1), 0, 84), abs=3
    )


@pytest.mark.slow
def test_a_bed_loops_exactly_in_a_film(tmp_path):
    """A film twice as long plays the very bed again, to the sample: the crossfade is not heard."""
    music.write("calm", "seed", tmp_path / "calm.wav")
    played = np.rint(music.bed("calm", "seed") * 32_767) / 32_768
    soundtrack = Soundtrack(RATE, 190 * RATE, (), tmp_path / "calm.wav")

    tune = Music.decoded(Job(), soundtrack, tmp_path / "music.raw")

    for number in (0, 1, 45, 88, 89, 90, 91, 92, 178, 179, 180):
        wanted = np.take(played, np.arange(number * OUT, (number + 1) * OUT), axis=0, mode="wrap")
        assert np.abs(tune.second(number) - wanted).max() < 2 / 32_768


@pytest.mark.slow
def test_the_same_seed_plays_the_same_in_every_process(tmp_path):
    """Byte for byte; another seed is another piece."""
    music.write("tense", "one", tmp_path / "here.wav")
    music.write("tense", "two", tmp_path / "other.wav")

    code = "import sys, pathlib; from visionpulse import music; "
    code += "music.write('tense', 'one', pathlib.Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "there.wav")],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )

    assert (tmp_path / "here.wav").read_bytes() == (tmp_path / "there.wav").read_bytes()
    one, two = (heard(tmp_path / name)[: 80 * OUT] for name in ("here.wav", "other.wav"))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.3


def test_unknown_moods_are_named():
    """With the moods there are."""
    with pytest.raises(UnknownNameError, match="calm, tense, uplifting, wonder"):
        music.bed("calmly", "seed")


def test_every_mood_says_what_it_is_for():
    """In a sentence a user can choose by."""
    assert set(music.MOODS) == {"calm", "wonder", "uplifting", "tense"}
    for mood in music.MOODS.values():
        assert mood.description.endswith(".")
