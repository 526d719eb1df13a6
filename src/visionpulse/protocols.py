"""The seams. Any class with these methods plugs in: no base class, no registration.

Methods may be `def` or `async def`; plain ones are called in a thread.

A model (prompts, images, speech) may also have any of these; without them VisionPulse takes the
careful choice:

- `identity: str`: everything about the instance that changes what it answers. Without it nothing it
  makes is shared between videos.
- `provider: str`, `model: str`: names for messages, events and the cost report.
- `concurrency: int`: how many calls may be in flight at once. A `RateLimitError` lowers it for a
  while, and its `retry_after` rests all calls of the kind. Where an answer's `usage.allowance` (or
  an error's `allowance`) says what the vendor's headers say, nothing is begun while no requests are
  left, and more than `concurrency` may be in flight while many are.
- `parameters(request) -> Mapping`: the request as it is sent, after clamping: integers, strings,
  booleans, lists. It names the result in the ledger.
- `quote(request) -> Quote`: what the call costs. Without it the price is unknown.
- `check(request) -> None`: raise `InputError` or `ConfigurationError` for what cannot work. Called
  before money is spent, so it must be free and quick.
- `voices() -> Sequence[Voice]` (speech): the voices it has.
- `rewrite(request: RewriteRequest) -> Rewrite` (prompts): say a picture in other words, where a
  vendor refuses it or it names what is to be avoided.
- `write(request: ScriptRequest) -> Script` (prompts): write a narration about a topic.
- `most_scenes: int` (prompts): how many scenes one storyboard may have; more are asked for in
  several calls, and without it 40 at once.
- `warning: str | None`: what its users should know, such as its last day.
- `aclose()` or `close()`: called when a pipeline that made the model is closed.

`parameters`, `quote`, `check` and `voices` are plain `def`. The first three are given whichever
request is to be sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from visionpulse.models import (
    Artefact,
    CostLine,
    Framing,
    Grouping,
    Motion,
    Page,
    Picture,
    PictureRequest,
    Quality,
    Speech,
    SpeechRequest,
    Status,
    Storyboard,
    StoryboardRequest,
    Usage,
    Video,
)


@dataclass(frozen=True)
class Quote:
    """The price of one call in dollars, before and after; None is unknown, never free."""

    bound: Decimal | None
    """The most it can cost."""
    cost: Callable[[Usage | None], Decimal | None]
    """What it did cost, from the vendor's usage; without usage the likely price."""


FREE = Quote(Decimal(0), lambda _usage: Decimal(0))


@runtime_checkable
class PromptModel(Protocol):
    """Plans the film."""

    def storyboard(self, request: StoryboardRequest) -> Storyboard | Awaitable[Storyboard]:
        """Return scenes as ranges over the sentences, each with a picture prompt.

        The ranges cover every sentence once and in order. Raises ProviderError.
        """
        ...


@runtime_checkable
class ImageModel(Protocol):
    """Draws one picture."""

    def draw(self, request: PictureRequest) -> Picture | Awaitable[Picture]:
        """Return a picture; any size, the renderer fits it. Raises ProviderError."""
        ...


@runtime_checkable
class SpeechModel(Protocol):
    """Reads one piece of text aloud."""

    def speak(self, request: SpeechRequest) -> Speech | Awaitable[Speech]:
        """Return the spoken text. Raises ProviderError."""
        ...


class Stored(NamedTuple):
    """What a storage knows of an object without reading it."""

    key: str
    size: int
    modified: datetime


@runtime_checkable
class Storage(Protocol):
    """Keeps bytes under keys such as `objects/ab/ab12.png`: relative, `/` between the parts.

    A key is visible whole or not at all, whatever is killed. Every method raises StorageKeyError
    for a key that is not a plain path inside, and StorageError when the medium fails.
    """

    def put(self, key: str, source: bytes | Path) -> None:
        """Store bytes, or a copy of a file, durably; replaces what was there."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Open for reading. Raises ObjectNotFoundError."""
        ...

    def stat(self, key: str) -> Stored | None:
        """Describe an object; None if there is none."""
        ...

    def link(self, key: str, name: str) -> None:
        """Let `name` show the object `key` too, replacing what `name` showed."""
        ...

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is no error."""
        ...

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Yield all objects whose key begins with `prefix`."""
        ...

    def fetch(self, key: str, folder: Path) -> Path:
        """Return a local file with the object's bytes, not to be written to.

        A storage of local files returns its own; another downloads into `folder`.
        """
        ...

    def locate(self, key: str) -> str:
        """Return where a person finds the object: a path or a URL."""
        ...


class Claim(NamedTuple):
    """The right to work on a video until the lease ends."""

    video_id: str
    owner: str
    fence: int
    """Raised by every claim, cancel and delete; a write under an older one is refused."""
    attempt: int


@runtime_checkable
class VideoRepository(Protocol):
    """Keeps videos, and who works on them. Its clock decides about leases."""

    def insert(
        self,
        video: Video,
        *,
        owner: str | None = None,
        lease: float = 30,
        replacing: str | None = None,
    ) -> Claim | None:
        """Add a video, claimed at once if there is an owner; an idle one with its id is replaced.

        Raises VideoBusyError when somebody works on it, other than `replacing`: an owner known to
        be dead.
        """
        ...

    def get(self, video_id: str) -> Video:
        """Return a video. Raises VideoNotFoundError."""
        ...

    def list(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        status: Status | None = None,
        query: str | None = None,
    ) -> Page:
        """Return videos, newest first; `query` searches the titles. Raises InputError."""
        ...

    def claim(self, owner: str, *, lease: float = 30, video_id: str | None = None) -> Claim | None:
        """Take the oldest waiting or orphaned video (or this one), if there is one.

        A video saved as pending under a claim waits for a person, not for a worker.

        The fourth claim in a row that finds nothing newly made fails the video instead.
        """
        ...

    def heartbeat(self, claim: Claim, *, lease: float = 30, progress: float | None = None) -> None:
        """Keep a claim. Raises ClaimLostError."""
        ...

    def save(self, video: Video, claim: Claim) -> Video:
        """Replace the video under the claim; a finished status ends it. Raises ClaimLostError."""
        ...

    def cancel(self, video_id: str) -> Video:
        """Take the video from whoever works on it and mark it cancelled; a finished one stays."""
        ...

    def delete(self, video_id: str) -> bool:
        """Remove a video, its uses of artefacts, and any claim on it; False if there was none."""
        ...


class Use(NamedTuple):
    """For what an artefact is made or reused."""

    video_id: str
    scene_id: str | None = None
    take: int = 0
    scene: int | None = None
    """Number of the scene, for messages."""


class Caps(NamedTuple):
    """Limits in dollars; None: no limit."""

    video: Decimal | None = None
    day: Decimal | None = None


class CallRecord(NamedTuple):
    """One attempt at a model, as the ledger keeps it."""

    fingerprint: str
    kind: str
    provider: str
    model: str
    use: Use
    bound: Decimal | None


class Refusal(NamedTuple):
    """A vendor's refusal of a recipe, kept so that it is not asked again by accident."""

    code: str
    message: str
    provider: str | None
    model: str | None


@runtime_checkable
class LedgerStore(Protocol):
    """Keeps the ledger's facts: artefacts, uses, calls, claims; each write is one transaction."""

    def find(self, fingerprint: str) -> Artefact | Refusal | None:
        """Return what is recorded under a fingerprint."""
        ...

    def reuse(self, fingerprint: str, use: Use, still_there: Callable[[Artefact], bool]) -> bool:
        """Record a use of a recorded artefact, if `still_there` (asked in the transaction)."""
        ...

    def take(self, fingerprint: str, owner: str, *, lease: float) -> bool:
        """Claim the making; False when another owner's claim is alive, or it is recorded by now."""
        ...

    def keep(self, fingerprint: str, owner: str, *, lease: float) -> bool:
        """Extend the claim; False when it was lost."""
        ...

    def release(self, fingerprint: str, owner: str) -> None:
        """Give the claim up."""
        ...

    def record(
        self,
        artefact: Artefact,
        use: Use,
        owner: str,
        still_there: Callable[[Artefact], bool],
    ) -> bool:
        """Record an artefact and its use, and give the claim up; False if its object has gone."""
        ...

    def refuse(self, fingerprint: str, kind: str, refusal: Refusal, owner: str) -> None:
        """Record a refusal, and give the claim up."""
        ...

    def forget(self, fingerprint: str, damaged: Callable[[Artefact], bool] | None = None) -> None:
        """Drop an artefact or a refusal; uses and calls stay.

        With `damaged`, only an artefact for which it says so, asked inside the transaction.
        """
        ...

    def reserve(self, call: CallRecord, caps: Caps) -> int:
        """Add an attempt at its upper bound, if every cap allows it. Returns its number.

        Raises BudgetExceededError; an unknown price under a cap is one too.
        """
        ...

    def settle(
        self,
        call: int,
        *,
        outcome: str,
        cost: Decimal | None,
        usage: Usage | None,
        seconds: float,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Write down how an attempt ended: `ok`, `bad`, `failed` or `unknown`."""
        ...

    def spent(self, video_id: str) -> Decimal | None:
        """Return the dollars settled and reserved for a video; None when a price is unknown."""
        ...

    def costs(
        self, by: Grouping, since: date | None = None, until: date | None = None
    ) -> Sequence[CostLine]:
        """Return what was spent from one day (UTC) to another, both included, to the billionth.

        Days are in order, videos in that of their first call, models in that of provider and name.
        A store that keeps videos too gives their titles. Calls that were reserved at nothing and
        cost nothing are left out.
        """
        ...

    def used(self, video_id: str) -> Sequence[tuple[Use, Artefact]]:
        """Return what a video uses."""
        ...

    def sweep(self, *, unused_seconds: float, discard: Callable[[Artefact], None]) -> int:
        """Drop artefacts unused for so long, discarding their objects inside the transaction."""
        ...

    def discard_unknown(self, keys: Sequence[str], discard: Callable[[str], None]) -> int:
        """Discard, inside the transaction, those objects that no artefact names."""
        ...


@dataclass(frozen=True)
class Move:
    """One still and the camera's way over it, `frames` long in all."""

    picture: Path
    sha256: str
    motion: Motion
    frames: int


@dataclass(frozen=True)
class Font:
    """A font file, and the family by which captions ask for it."""

    family: str
    path: Path
    sha256: str


@dataclass(frozen=True)
class Subtitle:
    """What stands written on the picture from one frame to another."""

    first: int
    end: int
    """The first frame without it."""
    text: str
    r"""As in an Advanced SubStation Alpha event: `\N` for a new line, `{\fnInter}` for a font."""


@dataclass(frozen=True)
class Piece:
    """A stretch of film that is encoded by itself: one still, or a crossfade of two."""

    width: int
    height: int
    fps: int
    frames: int
    still: Move
    offset: int
    """The piece's first frame is this frame of `still`'s move."""
    into: Move | None = None
    """The still that is faded in over the whole piece, from its move's frame 0."""
    framing: Framing = "fill"
    quality: Quality = "standard"
    subtitles: tuple[Subtitle, ...] = ()
    """In frames of the piece, in order, not overlapping."""
    fonts: tuple[Font, ...] = ()
    """Every font the subtitles ask for."""


@dataclass(frozen=True)
class Soundtrack:
    """Sentences at sample positions: the sound of the film, `samples` long."""

    sample_rate: int
    samples: int
    cues: tuple[tuple[int, Path], ...]
    """First sample and WAV file (16-bit mono) of each sentence."""
    music: Path | None = None
    """Any sound file: looped to the film's length, ducked under the voice, faded at both ends."""


@dataclass(frozen=True)
class Tags:
    """What the container says of the film."""

    title: str
    language: str
    chapters: tuple[tuple[float, float, str], ...] = ()
    """Start, end in seconds, and name."""
    comment: str = ""
    captions: tuple[tuple[float, float, str], ...] = ()
    """Start, end in seconds, and text: they become a track that viewers can switch on."""


@runtime_checkable
class Renderer(Protocol):
    """Turns stills and sound into a film file, piece by piece. Same input, same bytes."""

    identity: str
    """Encoder and build; part of every film piece's name in the ledger."""

    def encode(self, piece: Piece, out: Path) -> Awaitable[None] | None:
        """Write a piece as an MP4 of H.264 that begins with a key frame. Raises RenderError."""
        ...

    def mix(self, soundtrack: Soundtrack, out: Path) -> Awaitable[None] | None:
        """Write the sound at -16 LUFS; `.m4a` is AAC for the film, `.mp3` for people.

        Raises RenderError.
        """
        ...

    def join(
        self, pieces: Sequence[Path], sound: Path, out: Path, tags: Tags
    ) -> Awaitable[None] | None:
        """Write the film from its pieces, encoding nothing again. Raises RenderError."""
        ...

    def poster(self, piece: Piece, out: Path) -> Awaitable[None] | None:
        """Write the piece's middle frame, without subtitles, as a JPEG. Raises RenderError."""
        ...

    def decode(self, sound: Path, out: Path) -> Awaitable[None] | None:
        """Write any sound file as a WAV file (16-bit mono). Raises RenderError."""
        ...

    def check(
        self, film: Path, *, width: int, height: int, fps: int, seconds: float
    ) -> Awaitable[None] | None:
        """Look at a finished film: streams, size, length, not black, not silent.

        Raises RenderError that says what is wrong.
        """
        ...


@runtime_checkable
class JobQueue(Protocol):
    """Wakes a worker. The videos table is the truth; a wake-up may be lost or doubled."""

    def wake(self, video_id: str) -> None:
        """Tell some worker that this video waits."""
        ...

    def close(self) -> None:
        """Stop the workers this queue has started; their videos stay resumable."""
        ...
