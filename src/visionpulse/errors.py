"""Every error VisionPulse raises on purpose.

VisionPulseError
├── InputError (ValueError)            what the caller gave cannot be used
│   ├── ScriptError                    the script: empty, too long, unspeakable
│   │   └── LanguageError              the voice cannot speak this script's language
│   └── UnknownNameError (LookupError) a style, voice, provider ... that is not there
├── ConfigurationError                 the set-up: no key, no such package, unusable folder
├── ProviderError                      a model's vendor did not deliver
│   ├── AuthenticationError            the key is wrong or may not do this
│   ├── QuotaError                     credit or a spending limit is used up
│   ├── RateLimitError                 too fast; later works
│   ├── ModelUnavailableError          the model is retired or unknown
│   ├── RefusedError                   moderation refused this text
│   │   └── ScriptRefusedError         the prompt model will not illustrate the script
│   ├── ProviderTimeoutError           no answer in time; it may have been billed
│   ├── ProviderConnectionError        the server could not be reached, or broke off
│   └── BadAnswerError                 an answer came and is not usable
├── BudgetExceededError                the next call could pass a cap of yours
├── DeadlineError                      the run's time for calls is over
├── RenderError                        the film could not be encoded
├── StorageError (OSError)             files: no space, no permission, damaged
│   ├── StorageKeyError (ValueError)   a key that points outside the storage
│   └── ObjectNotFoundError (KeyError) nothing is stored under this key
├── RepositoryError                    the database: damaged, locked, too new
│   └── VideoNotFoundError (KeyError)  no video has this id
└── JobError                           the run itself
    ├── VideoCancelledError            somebody cancelled the video
    ├── VideoBusyError                 another process is working on the video
    └── ClaimLostError                 this worker slept past its lease; another has the video

Catch `VisionPulseError` for all of it. Facts are attributes, so that programs need not read
messages: `error.code`, `error.retryable`, `error.stage`, `error.provider` ...
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visionpulse.models import Allowance, Usage


class VisionPulseError(Exception):
    """What happened, to what, and what to do next.

    Args:
        message: What happened and to what, in plain words, without secrets.
        hint: What to do next; some classes have one by default.
        code: A stable word for programs; each class has its own by default.
        retryable: Whether the same request may succeed later without a change.
        stage: The node it happened in, such as `"generate_images"`.
        scene: Number of the scene, from 0.
        video_id: The video it happened to; what it had made so far is kept.
    """

    default_code = "error"
    default_hint: str | None = None
    default_retryable = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        retryable: bool | None = None,
        stage: str | None = None,
        scene: int | None = None,
        video_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint: str | None = hint or self.default_hint
        self.code: str = code or self.default_code
        self.retryable: bool = self.default_retryable if retryable is None else retryable
        self.stage = stage
        self.scene = scene
        self.video_id = video_id

    def __str__(self) -> str:
        """Return the message and the hint."""
        return f"{self.message} {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep keyword facts when the error crosses a process."""
        return (_rebuild, (type(self), self.message, self.__dict__.copy()))


def _rebuild(kind: type[VisionPulseError], message: str, facts: dict[str, Any]) -> VisionPulseError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    error.__dict__.update(facts)
    return error


class InputError(VisionPulseError, ValueError):
    """What the caller gave cannot be used; nothing was started."""

    default_code = "invalid_input"


class ScriptError(InputError):
    """The script cannot become a video."""

    default_code = "invalid_script"


class LanguageError(ScriptError):
    """The chosen voice cannot speak the script's language."""

    default_code = "unsupported_language"


class UnknownNameError(InputError, LookupError):
    """A name that is not in the list; the nearest ones are offered.

    Args:
        what: What kind of name it is: `"style"`, `"voice"`, `"provider"`.
        name: The name that was given.
        known: All names that would do.
    """

    default_code = "unknown_name"

    def __init__(self, what: str, name: str, known: Iterable[str], **facts: Any) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
        meant = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        shown = name if len(name) <= 60 else name[:57] + "..."
        super().__init__(
            f"Unknown {what} {shown!r}.{meant} Known: {', '.join(names)}.",
            **facts,
        )
        self.what = what
        self.name = name
        self.nearest = near


class ConfigurationError(VisionPulseError):
    """The set-up has to be changed before anything can run."""

    default_code = "configuration"


class ProviderError(VisionPulseError):
    """A model's vendor did not deliver.

    Args:
        message: What happened; never the vendor's text as it came (it may hold part of the key).
        provider: Who was asked, such as `"openai"`.
        model: The model that was asked.
        status: HTTP status of the answer, if there was one.
        request_id: The vendor's number for the request, for their support.
        retry_after: Seconds the vendor asked to wait.
        allowance: What the vendor said about further calls.
        billed: Whether the attempt may have cost money: True, False, or None when nobody knows.
        usage: What the vendor says the attempt took, where it has said so.
        facts: As for `VisionPulseError`.
    """

    default_code = "provider_error"
    #: The job cannot go on with this provider, whatever the scene.
    stops_job = False

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        allowance: Allowance | None = None,
        billed: bool | None = False,
        usage: Usage | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.provider = provider
        self.model = model
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.allowance = allowance
        self.billed = billed
        self.usage = usage


class AuthenticationError(ProviderError):
    """The key is wrong, or may not do this."""

    default_code = "invalid_api_key"
    stops_job = True


class QuotaError(ProviderError):
    """Credit or a spending limit at the vendor is used up; waiting does not help."""

    default_code = "insufficient_quota"
    stops_job = True


class RateLimitError(ProviderError):
    """The vendor asks to slow down."""

    default_code = "rate_limit_exceeded"
    default_hint: str | None = "Try again in a while: nothing made so far is lost."
    default_retryable = True


class ModelUnavailableError(ProviderError):
    """The model is retired, or the vendor does not know it."""

    default_code = "model_not_found"
    stops_job = True


class RefusedError(ProviderError):
    """Moderation refused this text; the same text will be refused again."""

    default_code = "refused"


class ScriptRefusedError(RefusedError):
    """The prompt model will not illustrate this script at all."""

    default_code = "script_refused"


class ProviderTimeoutError(ProviderError):
    """No answer came in time. The vendor may have done, and billed, the work."""

    default_code = "timeout"
    default_hint: str | None = "It may have been billed all the same."
    default_retryable = True

    def __init__(self, message: str, *, billed: bool | None = None, **facts: Any) -> None:
        super().__init__(message, billed=billed, **facts)


class ProviderConnectionError(ProviderError):
    """The vendor's server could not be reached, broke off, or failed inside (5xx)."""

    default_code = "connection"
    default_hint: str | None = "Try again in a while: nothing made so far is lost."
    default_retryable = True


class BadAnswerError(ProviderError):
    """An answer came, was paid for, and cannot be used."""

    default_code = "bad_answer"
    default_hint: str | None = (
        "Try again: nothing made so far is lost. If it stays so, take another model."
    )
    default_retryable = True

    def __init__(self, message: str, *, billed: bool | None = True, **facts: Any) -> None:
        super().__init__(message, billed=billed, **facts)


class BudgetExceededError(VisionPulseError):
    """The next call could pass a cap. Everything bought so far is kept.

    Args:
        message: Which cap, how much is spent, how much the call could cost.
        spent: Dollars spent and reserved.
        cap: The cap in dollars.
        facts: As for `VisionPulseError`.
    """

    default_code = "budget_exceeded"

    def __init__(self, message: str, *, spent: str = "", cap: str = "", **facts: Any) -> None:
        super().__init__(message, **facts)
        self.spent = spent
        self.cap = cap


class DeadlineError(VisionPulseError):
    """The run's time for calls is over. Everything made so far is kept; `resume` makes the rest."""

    default_code = "deadline"
    default_retryable = True


class RenderError(VisionPulseError):
    """The film could not be encoded, or came out wrong."""

    default_code = "render_failed"


class StorageError(VisionPulseError, OSError):
    """A file could not be written, read or found."""

    default_code = "storage"


class StorageKeyError(StorageError, ValueError):
    """A key that is not a plain relative path inside the storage."""

    default_code = "invalid_key"


class ObjectNotFoundError(StorageError, KeyError):
    """Nothing is stored under this key."""

    default_code = "object_not_found"


class RepositoryError(VisionPulseError):
    """The database could not be used."""

    default_code = "database"


class VideoNotFoundError(RepositoryError, KeyError):
    """No video has this id."""

    default_code = "video_not_found"


class JobError(VisionPulseError):
    """The run itself could not go on."""

    default_code = "job"


class VideoCancelledError(JobError):
    """Somebody cancelled the video; `resume` goes on from where it stopped."""

    default_code = "cancelled"


class VideoBusyError(JobError):
    """Another process is working on the video.

    Args:
        message: Which video.
        owner: Who works on it, as it names itself.
        facts: As for `VisionPulseError`.
    """

    default_code = "busy"
    default_retryable = True

    def __init__(self, message: str, *, owner: str = "", **facts: Any) -> None:
        super().__init__(message, **facts)
        self.owner = owner


class ClaimLostError(JobError):
    """This worker slept past its lease, and another has taken the video."""

    default_code = "claim_lost"
