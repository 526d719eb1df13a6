"""Where sentences, scenes and pieces lie in time."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionpulse.errors import InputError
from visionpulse.models import SpokenSentence
from visionpulse.timeline import (
    MOTIONS,
    Still,
    even,
    film,
    lay_out,
    motions,
    pieces_of,
    soundtrack,
)

FPS = (24, 25, 30, 50, 60)
RATE = 24_000


def said(samples, *, ends_paragraph=False, sample_rate=RATE):
    return SpokenSentence(
        text="x",
        start=0,
        end=1,
        key="objects/x.wav",
        samples=samples,
        sample_rate=sample_rate,
        ends_paragraph=ends_paragraph,
    )


sentences = st.builds(
    said,
    st.integers(1, 20 * RATE),
    ends_paragraph=st.booleans(),
    sample_rate=st.sampled_from([16_000, 22_050, 24_000, 44_100, 48_000]),
)
scripts = st.lists(st.lists(sentences, min_size=1, max_size=4), min_size=1, max_size=8)


@given(scripts, st.sampled_from(FPS), st.sampled_from(["crossfade", "cut"]))
def test_scenes_begin_on_a_frame_with_their_first_sentence(script, fps, transition):
    """A scene begins on a whole frame, and its first sentence exactly there."""
    timeline = lay_out(script, fps=fps, transition=transition)

    for number, shot in enumerate(timeline.shots):
        assert shot.sentences[0].start == Fraction(shot.first_frame, fps) == timeline.start(number)
        assert shot.first_frame == sum(before.frames for before in timeline.shots[:number])


@given(scripts, st.sampled_from(FPS))
def test_sentences_are_heard_over_their_own_picture(script, fps):
    """No sentence is heard while another picture fades in or out."""
    timeline = lay_out(script, fps=fps)

    for shot in timeline.shots:
        fade_begins = Fraction(shot.first_frame + shot.frames - shot.fade, fps)
        assert shot.sentences[-1].start + shot.sentences[-1].seconds <= fade_begins
        assert shot.fade == (fps // 2 if shot is not timeline.shots[-1] else 0)


@given(scripts, st.sampled_from(FPS))
def test_pauses_are_as_long_as_promised(script, fps):
    """0.35 s between sentences, 0.6 s after a paragraph; a closing pause up to a frame longer."""
    timeline = lay_out(script, fps=fps)

    for shot, scene in zip(timeline.shots, script, strict=True):
        for (before, after), sentence in zip(pairwise(shot.sentences), scene, strict=False):
            pause = after.start - before.start - before.seconds
            assert pause == (Fraction(6, 10) if sentence.ends_paragraph else Fraction(35, 100))
        last = shot.sentences[-1]
        closing = Fraction(shot.first_frame + shot.frames, fps) - last.start - last.seconds
        least = Fraction(6, 10) if scene[-1].ends_paragraph else Fraction(1, 2)
        assert least <= closing < least + Fraction(1, fps)


@given(scripts, st.sampled_from(FPS), st.data())
def test_a_changed_scene_leaves_the_others_as_long_as_they_were(script, fps, data):
    """What is said in one scene never changes another scene's number of frames."""
    changed = data.draw(st.integers(0, len(script) - 1))
    other = [*script]
    other[changed] = data.draw(st.lists(sentences, min_size=1, max_size=3))

    before = [shot.frames for shot in lay_out(script, fps=fps).shots]
    after = [shot.frames for shot in lay_out(other, fps=fps).shots]

    del before[changed], after[changed]
    assert before == after


@pytest.mark.parametrize("fps", FPS)
def test_four_hundred_scenes_do_not_drift(fps):
    """After 25 minutes every sentence's sample is still within one of its time."""
    script = [[said(40_001 + 17 * n), said(30_011 + 13 * n)] for n in range(400)]

    timeline = lay_out(script, fps=fps)

    assert timeline.seconds > 25 * 60
    at = Fraction(0)
    for number, shot in enumerate(timeline.shots):
        assert timeline.start(number) == at
        second = at + Fraction(40_001 + 17 * number, RATE) + Fraction(35, 100)
        assert shot.sentences[1].start == second
        for rate in (24_000, 44_100, 48_000):
            assert abs(shot.sentences[1].sample(rate) - second * rate) <= 1
        at += Fraction(shot.frames, fps)


@given(scripts, st.sampled_from(FPS), st.sampled_from(["crossfade", "cut"]))
def test_pieces_cover_every_frame_once(script, fps, transition):
    """Pieces follow one another without gap, none over ten seconds."""
    timeline = lay_out(script, fps=fps, transition=transition)

    pieces = pieces_of(timeline)

    assert pieces[0].first_frame == 0
    for before, after in pairwise(pieces):
        assert before.first_frame + before.frames == after.first_frame
    assert pieces[-1].first_frame + pieces[-1].frames == timeline.frames
    assert all(0 < piece.frames <= 10 * fps for piece in pieces)


@given(scripts, st.sampled_from(FPS))
def test_the_camera_moves_on_through_pieces_and_fades(script, fps):
    """A still's frames in fade-in, bodies and fade-out are its whole move, each once, in order."""
    timeline = lay_out(script, fps=fps)

    for scene in range(len(script)):
        shown = []
        for piece in pieces_of(timeline):
            if piece.into == scene:
                shown += range(piece.frames)
            if piece.scene == scene:
                shown += range(piece.offset, piece.offset + piece.frames)
        assert shown == list(range(timeline.move_frames(scene)))


def test_long_scenes_are_divided_evenly():
    """A body of 25 seconds is three pieces of about eight, not two of ten and a rest."""
    long = lay_out([[said(int(24.5 * RATE))]], fps=30)
    just = lay_out([[said(int(9.5 * RATE))]], fps=30)

    assert [piece.frames for piece in pieces_of(long)] == [250, 250, 250]
    assert [piece.frames for piece in pieces_of(just)] == [300]


def test_pieces_carry_pictures_and_moves():
    """A crossfade shows the end of one move and the beginning of the next."""
    timeline = lay_out([[said(RATE)], [said(2 * RATE)]], fps=30)
    stills = [Still(Path("a.png"), "a" * 64, "in"), Still(Path("b.png"), "b" * 64, "left")]

    first, fade, second = film(timeline, stills, width=256, height=144)

    assert (first.still.motion, first.still.frames, first.frames, first.into) == (
        "in",
        45,
        30,
        None,
    )
    assert (fade.frames, fade.offset) == (15, 30)
    assert fade.into is not None
    assert (fade.into.picture, fade.into.frames) == (Path("b.png"), 90)
    assert (second.still, second.offset, second.frames) == (fade.into, 15, 75)


def test_the_soundtrack_is_as_long_as_the_film():
    """Every sentence has its sample; the sound ends with the last frame."""
    timeline = lay_out([[said(RATE), said(RATE)], [said(RATE)]], fps=30)
    files = [Path("0.wav"), Path("1.wav"), Path("2.wav")]

    sound = soundtrack(timeline, files, sample_rate=RATE)

    # 1 + 0.35 + 1 + 0.5 s are 85.5 frames, so the second scene begins at frame 86.
    assert sound.cues == ((0, files[0]), (32_400, files[1]), (68_800, files[2]))
    assert sound.samples == 68_800 + 36_000


def test_one_narration_is_divided_evenly():
    """Seven scenes of a minute's narration differ by a frame at most; the film is not shorter."""
    timeline = even(7, 60.01, fps=30)

    assert timeline.frames == 1801
    assert {shot.frames for shot in timeline.shots} == {257, 258}
    assert [shot.fade for shot in timeline.shots] == [15] * 6 + [0]
    assert soundtrack(timeline, [Path("all.wav")], sample_rate=RATE).cues == ((0, Path("all.wav")),)


def test_very_short_scenes_keep_half_of_their_time_to_themselves():
    """A crossfade takes at most half of the scene it leaves."""
    timeline = even(10, 1.0, fps=30)

    assert [(shot.frames, shot.fade) for shot in timeline.shots[:2]] == [(3, 1), (3, 1)]
    assert sum(piece.frames for piece in pieces_of(timeline)) == 30


@pytest.mark.parametrize(
    "script", [[], [[]], [[said(RATE)], []], [[said(0)]]], ids=["none", "empty", "gap", "silent"]
)
def test_nothing_to_hear_is_refused(script):
    """No scene, a scene without sentences and a sentence without sound are errors."""
    with pytest.raises(InputError):
        lay_out(script, fps=30)


def test_more_scenes_than_frames_are_refused():
    """A narration of zero length cannot be divided."""
    with pytest.raises(InputError, match="cannot be divided"):
        even(3, 0.0, fps=30)


def test_pictures_and_sounds_have_to_fit():
    """One picture for each scene, one file for each sentence."""
    timeline = lay_out([[said(RATE)]], fps=30)

    with pytest.raises(InputError, match="0 pictures do not fit 1 scenes"):
        film(timeline, [], width=256, height=144)
    with pytest.raises(InputError, match="2 sound files do not fit 1 sentences"):
        soundtrack(timeline, [Path("a"), Path("b")], sample_rate=RATE)


@given(st.integers(0, 400), st.text())
def test_no_camera_move_comes_twice_running(count, seed):
    """Moves vary: never the same twice running, all six in any six from the start of a round."""
    chosen = motions(count, seed=seed)

    assert len(chosen) == count
    assert all(a != b for a, b in pairwise(chosen))
    assert all(set(chosen[at : at + 6]) == set(MOTIONS) for at in range(0, count - 5, 6))
    assert chosen == motions(count, seed=seed)


def test_other_films_move_otherwise():
    """Two films do not share one sequence of moves."""
    assert len({tuple(motions(7, seed=f"film {n}")) for n in range(20)}) > 15
