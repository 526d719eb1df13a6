"""Built-in music: quiet beds that loop without a seam, played by numpy from a mood and a seed.

A pad of slow chords, a bass, soft struck strings, one room. Everything is laid on a circle: what
rings at the end rings on at the beginning.
"""

from __future__ import annotations

import hashlib
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from visionpulse.errors import UnknownNameError

Samples = npt.NDArray[np.float32]

VERSION = 1
"""Raised when the same mood and seed give another bed."""
SAMPLE_RATE = 48_000
LAP = 2.0
"""Seconds by which a written bed runs on into its own beginning, for a player's crossfade."""
_LEVEL = -22.4
"""Decibels of mean power in both channels together; about -23 LUFS."""

Chord = tuple[int, ...]
"""Semitones above the key's note: the bass, then the pad's voices."""
Progression = tuple[Chord, Chord, Chord, Chord]


@dataclass(frozen=True)
class Mood:
    """A way to play."""

    description: str
    key: int
    """MIDI number of the tonic; a seed moves it by up to two semitones."""
    chord_seconds: float
    form: str
    """Which of two progressions is played when."""
    progressions: tuple[Progression, ...]
    steps: int
    """Into how many parts a chord's time is divided; strings are struck on these."""
    density: float
    """How many of the steps are struck, at the height of the piece."""
    brightness: float
    """How much weaker a pad's overtone is than the one below it."""
    pulse: int = 0
    """How often a chord's bass is struck; 0: it is only held."""


MOODS = {
    "calm": Mood(
        "Slow, warm major chords and a few piano notes: for explaining, nature, everyday things.",
        key=50,
        chord_seconds=5.6,
        form="AABA",
        progressions=(
            ((0, 7, 11, 14, 16), (-3, 7, 11, 12, 16), (-7, 9, 12, 14, 16), (-5, 7, 12, 14, 17)),
            ((-7, 9, 12, 14, 16), (-8, 7, 12, 14, 16), (-10, 9, 12, 14, 17), (-5, 7, 11, 14, 17)),
            ((0, 7, 12, 14, 16), (-7, 9, 12, 16, 17), (-3, 7, 12, 14, 16), (-7, 7, 9, 12, 16)),
        ),
        steps=8,
        density=0.45,
        brightness=0.66,
    ),
    "wonder": Mood(
        "Wide, floating chords that change colour, with bells: for space, the deep sea, discovery.",
        key=48,
        chord_seconds=7.5,
        form="ABA",
        progressions=(
            ((0, 7, 14, 16, 18), (-4, 8, 12, 15, 19), (-9, 7, 10, 15, 19), (-2, 9, 10, 14, 17)),
            ((0, 7, 10, 14, 15), (-7, 9, 12, 14, 19), (-4, 8, 12, 15, 19), (-2, 10, 12, 14, 17)),
            ((0, 7, 12, 14, 19), (3, 7, 10, 14, 19), (-4, 7, 12, 15, 19), (-7, 8, 12, 15, 19)),
        ),
        steps=12,
        density=0.6,
        brightness=0.76,
    ),
    "uplifting": Mood(
        "Bright major chords over a light pulse: for progress, people, good news.",
        key=48,
        chord_seconds=3.75,
        form="AABABB",
        progressions=(
            ((0, 7, 12, 14, 16), (-5, 7, 11, 14, 19), (-3, 7, 12, 16, 19), (-7, 9, 12, 16, 19)),
            ((-7, 9, 12, 16, 19), (0, 7, 12, 16, 19), (-5, 7, 11, 14, 19), (-3, 9, 12, 16, 19)),
            ((0, 7, 12, 16, 19), (-7, 9, 12, 14, 17), (-3, 9, 12, 14, 16), (-5, 7, 12, 14, 19)),
        ),
        steps=8,
        density=0.8,
        brightness=0.78,
        pulse=4,
    ),
    "tense": Mood(
        "Dark minor chords over a low heartbeat: for danger, conflict, a race against time.",
        key=45,
        chord_seconds=4.5,
        form="AABAB",
        progressions=(
            ((0, 7, 12, 14, 15), (-4, 8, 12, 15, 19), (-7, 8, 12, 17, 19), (1, 8, 12, 13, 17)),
            ((0, 7, 12, 15, 19), (0, 8, 12, 15, 17), (0, 8, 11, 14, 17), (0, 7, 12, 14, 19)),
            ((0, 7, 10, 14, 15), (-2, 5, 10, 14, 17), (-4, 8, 12, 14, 15), (-5, 7, 11, 14, 17)),
        ),
        steps=9,
        density=0.35,
        brightness=0.7,
        pulse=6,
    ),
}


def bed(mood: str, seed: str) -> Samples:
    """Play a bed of about 90 seconds: stereo, 48 kHz, about -23 LUFS.

    The last sample is followed by the first. The same mood and seed give the same music.

    Raises:
        UnknownNameError: There is no such mood.
    """
    if mood not in MOODS:
        raise UnknownNameError("mood", mood, MOODS)
    how = MOODS[mood]
    digest = hashlib.sha256(f"{mood}\n{seed}".encode()).digest()
    dice = np.random.default_rng(list(digest))
    key = how.key + int(dice.integers(-2, 3))
    first, second = dice.permutation(len(how.progressions))[:2]
    parts: dict[str, Progression] = {"A": how.progressions[first], "B": how.progressions[second]}
    chords: list[Chord] = [chord for part in how.form for chord in parts[part]]
    sound = np.zeros((round(how.chord_seconds * len(chords) * SAMPLE_RATE), 2), np.float32)
    _hold(sound, how, key, chords, dice)
    _strike(sound, how, key, chords, dice)
    sound = _in_a_room(sound, dice)
    power = np.square(sound).sum(axis=1).mean(dtype=np.float64)
    return sound * np.float32(10 ** (_LEVEL / 20) / np.sqrt(power))


def write(mood: str, seed: str, path: Path) -> None:
    """Write a bed as a WAV file (16-bit stereo), followed by its own first two seconds.

    Raises:
        UnknownNameError: There is no such mood.
    """
    sound = bed(mood, seed)
    sound = np.concatenate([sound, sound[: round(LAP * SAMPLE_RATE)]])
    # Not into the file itself: it is written whole or not at all.
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.rint(sound * 32_767).astype("<i2").tobytes())
    path.write_bytes(memory.getvalue())


def _hold(
    sound: Samples, how: Mood, key: int, chords: Sequence[Chord], dice: np.random.Generator
) -> None:
    """Add the pad and the held bass, each chord faded into the next."""
    step = len(sound) // len(chords)
    fade = min(step // 2, 2 * SAMPLE_RATE)
    # Sounds with nothing in common are faded at equal power.
    up = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade)
    level = np.ones(step - fade)
    shape: Samples = np.concatenate([up, level, up[::-1]]).astype(np.float32)
    pads: dict[Chord, Samples] = {}
    for number, chord in enumerate(chords):
        if chord not in pads:
            pad = _pad([key + note for note in chord[1:]], how.brightness, dice)
            bass = _pad([_low(key + chord[0])], 0.4, dice)
            pads[chord] = (pad + 0.6 * bass).astype(np.float32, copy=False)
        held = np.resize(pads[chord], (len(shape), 2))
        _add(sound, number * step - fade // 2, held * shape[:, None])


def _pad(notes: Sequence[int], brightness: float, dice: np.random.Generator) -> Samples:
    """Return a chord that many players hold: 5.5 s that loop, of power 1 in each channel.

    Nasca's PADsynth: every overtone is a band of the spectrum with random phases, wider the higher
    it is, so that it beats slowly as an ensemble does.
    """
    size = 1 << 18
    amount = np.zeros(size // 2 + 1)
    for note in notes:
        pitch = _hertz(note)
        for overtone in range(1, int(min(24, 5_000 // pitch)) + 1):
            centre = pitch * overtone * size / SAMPLE_RATE
            width = 0.006 * centre
            bins = np.arange(int(centre - 3 * width), int(centre + 3 * width) + 1)
            bell = np.exp(-0.5 * ((bins - centre) / width) ** 2) / np.sqrt(width)
            loud = brightness ** (overtone - 1) / np.sqrt(pitch * overtone)
            amount[bins] += bell * loud
    angle = dice.uniform(0, 2 * np.pi, len(amount))
    # Both sides agree on the bass, and less and less on what is above it.
    apart = np.minimum(1, np.arange(len(amount)) * SAMPLE_RATE / size / 400)
    sides = [angle + apart * dice.normal(0, 0.8, len(amount)) for _ in range(2)]
    spectrum = amount[:, None] * np.exp(1j * np.stack(sides, axis=1)).astype(np.complex64)
    sound = np.fft.irfft(spectrum, size, axis=0)
    pad: Samples = (sound / np.sqrt(np.mean(np.square(sound)))).astype(np.float32)
    return pad


def _strike(
    sound: Samples, how: Mood, key: int, chords: Sequence[Chord], dice: np.random.Generator
) -> None:
    """Add struck notes: a figure that returns with every chord, and the pulse in the bass."""
    step = len(sound) // len(chords)
    strings: dict[int, Samples] = {}

    def strike(note: int, at: float, strength: float, side: float) -> None:
        if note not in strings:
            strings[note] = _string(note)
        sides = strength * np.array([np.cos(side * np.pi / 2), np.sin(side * np.pi / 2)])
        # Nobody plays to the millisecond.
        early = dice.normal(0, 0.006) * SAMPLE_RATE
        _add(sound, round(at + early), strings[note][:, None] * sides.astype(np.float32))

    # Which step is struck first when there are few, and which of the chord's notes it is.
    order = dice.permutation(how.steps)
    figure = np.abs(np.cumsum(dice.choice([-1, 1, 1, 2], how.steps)) + dice.integers(0, 4))
    for number, chord in enumerate(chords):
        # Fewer notes at both ends of the piece than in its middle.
        height = 0.55 + 0.45 * np.sin(np.pi * (number + 0.5) / len(chords))
        struck = sorted(order[: round(how.density * height * how.steps)])
        for place in struck:
            note = chord[1 + figure[place] % (len(chord) - 1)]
            octave = 24 if dice.random() < 0.2 else 12
            at = (number + place / how.steps) * step
            strike(key + note + octave, at, dice.uniform(1.2, 2.2), dice.uniform(0.25, 0.75))
        for beat in range(how.pulse):
            at = (number + beat / how.pulse) * step
            strength = dice.uniform(1.5, 1.8) if beat == 0 else dice.uniform(0.9, 1.2)
            strike(_low(key + chord[0]), at, strength, 0.5)


def _string(note: int) -> Samples:
    """Return a soft piano note, dying away over three seconds."""
    at = np.arange(3 * SAMPLE_RATE, dtype=np.float32) / SAMPLE_RATE
    pitch = _hertz(note)
    sound = np.zeros_like(at)
    for overtone, loud in enumerate((1, 0.6, 0.35, 0.2, 0.12, 0.06), 1):
        # A stiff string's overtones are a little sharp, and the high ones die first.
        sharp = pitch * overtone * np.sqrt(1 + 0.0004 * overtone**2)
        if sharp < 8_000:
            decay = np.exp(-at * (1.4 + 0.7 * overtone))
            sound += loud * decay * np.sin(np.float32(2 * np.pi * sharp) * at)
    attack = np.minimum(1, at / 0.012)
    end = np.minimum(1, (at[-1] - at) / 0.2)
    softness = np.float32((200 / max(200, pitch)) ** 0.5)
    string: Samples = (sound * np.sin(np.pi / 2 * attack) ** 2 * end * softness).astype(np.float32)
    return string


def _in_a_room(sound: Samples, dice: np.random.Generator) -> Samples:
    """Add a hall, take out what is inaudible, harsh, or where voices are understood."""
    length = len(sound)
    at = np.arange(3 * SAMPLE_RATE, dtype=np.float32) / SAMPLE_RATE
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE).astype(np.float32)
    rumble = 1 / (1 + (35 / np.maximum(hertz, 1e-3)) ** 4)
    harsh = 1 / np.sqrt(1 + (hertz / 6_000) ** 4)
    # Four decibels less around 2.5 kHz, an octave wide on each side.
    octaves = np.log2(np.maximum(hertz, 1) / 2_500)
    voices = 10 ** (-4 / 20 * np.exp(-0.5 * octaves**2))
    colour = (rumble * harsh * voices).astype(np.float32)
    heard: list[Samples] = []
    for side in range(2):
        echoes = np.zeros(length, np.float32)
        tail = dice.standard_normal(len(at)).astype(np.float32) * np.exp(-at / 0.5)
        tail *= np.minimum(1, at / 0.03)
        echoes[: len(at)] = tail * (0.5 / np.sqrt(np.square(tail).sum()))
        echoes[0] += 1
        # The product of whole spectra is a convolution on the circle.
        spectrum = np.fft.rfft(sound[:, side]) * np.fft.rfft(echoes) * colour
        heard.append(np.fft.irfft(spectrum, length).astype(np.float32))
    return np.stack(heard, axis=1)


def _add(sound: Samples, at: int, part: Samples) -> None:
    """Add a part to the circle."""
    at %= len(sound)
    before_end = len(sound) - at
    sound[at : at + len(part)] += part[:before_end]
    if len(part) > before_end:
        sound[: len(part) - before_end] += part[before_end:]


def _low(note: int) -> int:
    """Return the note in the octave of a bass that small loudspeakers still play."""
    return 36 + note % 12


def _hertz(note: int) -> float:
    return 440 * 2 ** ((note - 69) / 12)
