"""How loud a sound is, by ITU-R BS.1770-4, and the gain that keeps its peaks below a ceiling.

A sound is surveyed once, second by second: for every hop of 5 ms its K-weighted power and its true
peak. All decisions about levels are made on these few numbers, so that a film of an hour takes a
few megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import ceil, gcd, log10
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

HOPS = 200
"""Hops a second."""
SILENCE = -70.0
"""LUFS: the absolute gate of BS.1770, and what its meters say of silence."""
_CONTEXT = 0.04
"""Seconds of sound around a block that its spectrum needs at the block's edges."""
_OVERSAMPLING = 4
_Item = TypeVar("_Item")


class Survey(NamedTuple):
    """What is known of a sound: one number of each kind for every hop."""

    power: Samples
    """K-weighted, the sum of both channels; a mono sound is heard from both."""
    peak: Samples
    """The largest absolute value, between the samples too; full scale is 1."""


def survey(blocks: Iterable[Samples], rate: int) -> Survey:
    """Survey a sound.

    Args:
        blocks: One second each, mono, or stereo with a column for each channel.
        rate: Samples a second.
    """
    powers, peaks = [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
    for around, context in _in_context(blocks, rate):
        length, mono = len(around), around.ndim == 1
        sides = np.ascontiguousarray(around.T).reshape(-1, length)
        spectra = np.fft.rfft(sides)
        # A voice is brought up to its ceiling, and needs Annex 2's oversampling; music stays below.
        finer = _OVERSAMPLING if mono else 1
        loud = np.fft.irfft(spectra, length * finer) * finer if mono else sides
        peaks.append(_of_hops(np.maximum, np.abs(loud).max(axis=0), context * finer, rate * finer))
        weighted = np.fft.irfft(spectra * _k_weighting(length, rate), length)
        # Mean instead of sum, so that numbers of different rates compare.
        scale = np.float32((2 if mono else 1) * HOPS / rate)
        powers.append(_of_hops(np.add, np.square(weighted).sum(axis=0), context, rate) * scale)
    return Survey(np.concatenate(powers), np.concatenate(peaks))


def _of_hops(reduce: np.ufunc, values: Samples, first: int, rate: int) -> Samples:
    edges = np.arange(HOPS) * rate // HOPS
    hops: Samples = reduce.reduceat(values[first : first + rate], edges)
    return hops


def resampled(blocks: Iterable[Samples], rate: int, wanted: int) -> Iterator[Samples]:
    """Yield the same seconds of a mono sound at another rate; nothing is delayed."""
    if rate == wanted:
        yield from blocks
        return
    for around, context in _in_context(blocks, rate):
        length, first = len(around) * wanted // rate, context * wanted // rate
        sound = np.fft.irfft(np.fft.rfft(around), length) * (wanted / rate)
        yield sound[first : first + wanted].astype(np.float32)


def loudness(power: Samples) -> float:
    """Return the integrated loudness in LUFS of a survey's power; -70 for silence.

    Sound shorter than the meter's window of 0.4 s is measured as a whole.
    """
    windows = _windows(power, 4)
    windows = windows[windows > power_of(SILENCE)]
    if not len(windows):
        return SILENCE
    # The relative gate: 10 below the mean of what the absolute one lets through.
    return _lufs(windows[windows > windows.mean() / 10].mean())


def loudest_stretch(power: Samples) -> float:
    """Return the loudness in LUFS of the loudest three seconds."""
    return _lufs(_windows(power, 30).max())


def limited(peak: Samples, ceiling: float) -> Samples:
    """Return a gain for every edge of a hop, so that no peak passes the ceiling.

    The gain between two edges is a straight line. It begins to fall 15 ms before a peak.
    """
    needed = np.minimum(1, ceiling / np.maximum(peak, 1e-9))
    # An edge has a hop on either side. Two more of each are what smoothing looks at.
    around = np.pad(needed, 3, constant_values=1)
    least = np.lib.stride_tricks.sliding_window_view(around, 4).min(axis=1)
    return np.convolve(least, np.array([0.25, 0.5, 0.25]), "valid").astype(np.float32)


def decibels(ratio: float) -> float:
    """Return a ratio of amplitudes in decibels."""
    return 20 * log10(ratio)


def factor(gain: float) -> float:
    """Return decibels as a ratio of amplitudes."""
    return 10 ** (gain / 20)


def _lufs(power: float) -> float:
    return max(SILENCE, -0.691 + 10 * log10(power)) if power > 0 else SILENCE


def power_of(lufs: float) -> float:
    """Return the power of a survey that has this loudness."""
    return 10 ** ((lufs + 0.691) / 10)


def _windows(power: Samples, tenths: int) -> npt.NDArray[np.float64]:
    """Return the mean power of every window of so many tenths of a second."""
    step = HOPS // 10
    if len(power) < step * tenths:
        return np.array([power.mean(dtype=np.float64) if len(power) else 0.0])
    blocks = power[: len(power) // step * step].reshape(-1, step).mean(axis=1, dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(blocks)])
    means: npt.NDArray[np.float64] = np.maximum(0, (sums[tenths:] - sums[:-tenths]) / tenths)
    return means


def _in_context(blocks: Iterable[Samples], rate: int) -> Iterator[tuple[Samples, int]]:
    """Yield each block with the sound around it, faded out; and how many samples that is."""
    # As long in every rate up to 48 kHz as in this one.
    unit = rate // gcd(rate, 48_000)
    context = ceil(_CONTEXT * rate / unit) * unit
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(context) + 0.5) / context)).astype(np.float32)
    before = None
    for block, after in _with_next(blocks):
        if before is None:
            before = np.zeros_like(block)
        beyond = np.zeros_like(block) if after is None else after
        head, tail = before[-context:].T * ramp, beyond[:context].T * ramp[::-1]
        yield np.concatenate([head.T, block, tail.T]), context
        before = block


def _with_next(items: Iterable[_Item]) -> Iterator[tuple[_Item, _Item | None]]:
    known: list[_Item] = []
    for item in items:
        if known:
            yield known.pop(), item
        known.append(item)
    for item in known:
        yield item, None


@lru_cache(maxsize=8)
def _k_weighting(length: int, rate: int) -> Samples:
    """Return the gain of both filters of BS.1770-4, Annex 1, at every frequency of a spectrum."""
    hertz = np.minimum(np.arange(length // 2 + 1) * (rate / length), 24_000)
    back = np.exp(-2j * np.pi * hertz / 48_000)
    shelf = (1.53512485958697 - 2.69169618940638 * back + 1.19839281085285 * back**2) / (
        1 - 1.69065929318241 * back + 0.73248077421585 * back**2
    )
    highpass = (1 - back) ** 2 / (1 - 1.99004745483398 * back + 0.99007225036621 * back**2)
    gains: Samples = np.abs(shelf * highpass).astype(np.float32)
    return gains
