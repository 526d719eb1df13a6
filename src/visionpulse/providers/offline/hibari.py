"""hibari-tts with two things its own interface lacks: word times, and a change of timbre."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from visionpulse.providers.offline.wording import written_out

Samples = npt.NDArray[np.float32]

SAMPLE_RATE = 24_000

# Inside the graph of the one model that ships: how many frames each phoneme lasts.
_DURATIONS = "/Cast_32_output_0"
# As in hibari itself, which splits nothing shorter: more at once and the model loses its way.
_MOST_PHONEMES = 400
_ONSET_SECONDS = 0.05
# The model's spectra have 601 rows up to 12 kHz; its pulses have no harmonics above 11 kHz.
_ROW_HERTZ = 20.0
_HIGHEST_HARMONIC_HERTZ = 11_000.0
_VOICED_HERTZ = 60.0
_CLAUSE = re.compile(r"(?<=[,;:—])\s+")


class Heard(NamedTuple):
    """A word as hibari reads it (`fifteen`, not `15`), in seconds from the start of the sound."""

    text: str
    start: float
    end: float


class _Chunk(NamedTuple):
    """Phonemes for one run of the model, and the words as spans over them."""

    phonemes: str
    words: list[tuple[str, int, int]]


class Hibari:
    """The model and its pronunciation rules; threads may share one.

    Args:
        durations: Tensor with the phonemes' lengths; where there is none there are no word times.
    """

    def __init__(self, durations: str = _DURATIONS) -> None:
        # onnxruntime reports to its maker unless told not to; offline means offline. It looks once,
        # when it is loaded, and its own switch comes too late for that.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        self._tts: Any = import_module("hibari").Hibari()
        self._dsp: Any = import_module("hibari.dsp")
        self._normalize: Any = import_module("hibari.g2p.normalize").normalize
        # Both are made on first use, which two threads could have at once.
        self._g2p: Any = self._tts.g2p
        _ = self._g2p.oov
        self.knows_times: bool = self._expose(durations)

    def _expose(self, durations: str) -> bool:
        runtime: Any = import_module("onnxruntime")
        options = runtime.SessionOptions()
        # One thread, so that sums are added up in the same order every time.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        model = Path(self._tts.model_path).read_bytes() + _output(durations)
        try:
            self._tts.sess = runtime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception:
            # Another export of the model; onnxruntime's errors have no class in common.
            return False
        return True

    def say(
        self, sentences: Iterable[str], pitch: float = 1, tract: float = 1
    ) -> tuple[Samples, list[Heard] | None]:
        """Speak sentences one after another.

        Args:
            sentences: English. (hibari would cut a text into them after each "Oct." and "U.S.")
            pitch: Factor of the fundamental frequency.
            tract: Factor of the formants.

        Returns:
            The sound at 24 kHz, full scale 1, and the words; None when their times are not known.
        """
        # The voice's breath is noise: always the same.
        noise = np.random.default_rng(0)
        sounds: list[Samples] = []
        heard: list[Heard] = []
        seconds = 0.0
        for chunk in self._chunks(sentences):
            # hibari's own numbering: 0 before and after, and what the model does not know left out.
            numbers = [self._tts.vocab.get(phoneme) for phoneme in chunk.phonemes]
            ids = [0, *(number for number in numbers if number is not None), 0]
            inputs = {
                "ids": np.asarray([ids], np.int64),
                "speed": np.asarray([1.0], np.float32),
            }
            outputs = self._tts.sess.run(None, inputs)
            *shapes, phase, f0 = (output[0] for output in outputs[:6])
            if pitch != 1:
                # Loudness and phase of the harmonics; between them the model says anything.
                shapes[:2] = [_between_harmonics(shape, f0) for shape in shapes[:2]]
            if tract != 1:
                shapes = [_stretched(shape, tract) for shape in shapes]
            sound: Samples = self._dsp.synth(*shapes, phase, f0 * pitch, noise)
            if self.knows_times:
                ends = np.concatenate([[0.0], np.cumsum(outputs[6].reshape(-1))])
                ends *= len(sound) / SAMPLE_RATE / ends[-1]
                # Where each phoneme is among the ids; one left out is where the next one is.
                known = np.cumsum([1, *(number is not None for number in numbers)])
                for word, first, last in chunk.words:
                    start, end = ends[known[first]], ends[known[last]]
                    if end <= start:
                        continue
                    # Measured: a word sounds 25 to 80 ms before its first phoneme, in the space.
                    spaced = chunk.phonemes[first - 1 : first] == " "
                    start = ends[known[first] - 1] if spaced else start - _ONSET_SECONDS
                    start = max(seconds + float(start), heard[-1].end if heard else 0.0)
                    heard.append(Heard(word, start, max(start, seconds + float(end))))
            sounds.append(sound)
            seconds += len(sound) / SAMPLE_RATE
        joined = np.concatenate(sounds) if sounds else np.zeros(0, np.float32)
        return joined, heard if self.knows_times else None

    def _chunks(self, sentences: Iterable[str]) -> Iterator[_Chunk]:
        for sentence in sentences:
            tokens = self._g2p.phonemize_tokens(
                self._g2p.tokenize(self._normalize(written_out(sentence)))
            )
            phonemes = ""
            words: list[tuple[str, int, int]] = []
            for token in tokens:
                start = len(phonemes)
                phonemes += token.phonemes or ""
                words.append((token.text, start, len(phonemes)))
                phonemes += " " if token.whitespace else ""
            for start, end in _runs(phonemes):
                inside = [
                    (word, max(first, start) - start, min(last, end) - start)
                    for word, first, last in words
                    if first < end and last > start
                ]
                yield _Chunk(phonemes[start:end], inside)


def _runs(phonemes: str) -> Iterator[tuple[int, int]]:
    """Cut a sentence's phonemes at clauses, as few times as will do."""
    start = len(phonemes) - len(phonemes.lstrip())
    end = len(phonemes.rstrip())
    if start >= end:
        return
    if end - start > _MOST_PHONEMES:
        gaps = [gap.span() for gap in _CLAUSE.finditer(phonemes, start, end)]
        for (before, after), (clause_end, _) in pairwise([*gaps, (end, end)]):
            if clause_end - start > _MOST_PHONEMES and before > start:
                yield start, before
                start = after
    yield start, end


def _between_harmonics(shape: Samples, f0: Samples) -> Samples:
    """Draw lines from harmonic to harmonic, so that other harmonics can be read from them."""
    filled = shape.copy()
    hertz = np.arange(len(shape)) * _ROW_HERTZ
    for frame in np.flatnonzero(f0 > _VOICED_HERTZ):
        harmonics = np.arange(f0[frame], _HIGHEST_HARMONIC_HERTZ, f0[frame])
        values = np.interp(harmonics, hertz, shape[:, frame])
        filled[:, frame] = np.interp(hertz, harmonics, values)
    return filled


def _stretched(shape: Samples, factor: float) -> Samples:
    """Move what is at one frequency to `factor` times it; `shape` has a row for each."""
    rows = len(shape)
    source = np.clip(np.arange(rows) / factor, 0, rows - 1)
    low = source.astype(int)
    share = (source - low)[:, None].astype(np.float32)
    above = np.minimum(low + 1, rows - 1)
    return np.asarray(shape[low] * (1 - share) + shape[above] * share, np.float32)


def _output(tensor: str) -> bytes:
    """Return what makes a tensor of integers an output, when appended to a model file.

    Protobuf merges repeated messages, so this is ModelProto.graph(7).output(12), a ValueInfoProto
    with name(1) and type(2).tensor_type(1).elem_type(1) = INT64(7).
    """
    value = _field(1, tensor.encode()) + _field(2, _field(1, b"\x08\x07"))
    return _field(7, _field(12, value))


def _field(number: int, payload: bytes) -> bytes:
    length = len(payload)
    size = b""
    while length > 0x7F:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + payload


class _Loaded:
    """The one model of the process."""

    lock = Lock()
    model: Hibari | None = None


def load() -> Hibari:
    """Return the model, made on first use. Raises ImportError if a package is missing."""
    with _Loaded.lock:
        if _Loaded.model is None:
            _Loaded.model = Hibari()
        return _Loaded.model
