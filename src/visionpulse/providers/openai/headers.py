"""What an answer's headers say about further calls: when to come back, and how many are left."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from visionpulse.models import Allowance

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def allowance(headers: Mapping[str, str]) -> Allowance | None:
    """Return how many requests are left and until when; None when nothing is said of it."""
    left = headers.get("x-ratelimit-remaining-requests", "")
    if not re.fullmatch(r"[0-9]{1,9}", left):
        return None
    reset = _duration(headers.get("x-ratelimit-reset-requests", ""))
    return Allowance(requests_left=int(left), reset_seconds=reset)


def _duration(said: str) -> float | None:
    """Return the seconds of `1s`, `6m0s`, `120ms`, or of a bare number, which some servers send."""
    parts = _PART.findall(said)
    if parts and "".join(number + unit for number, unit in parts) == said:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return float(said) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", said) else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a vendor asks to wait, given as milliseconds, seconds or an HTTP date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1)):
        said = headers.get(name, "")
        try:
            seconds = float(said) * unit
        except ValueError:
            try:
                seconds = parsedate_to_datetime(said).timestamp() - time.time()
            except (ValueError, OverflowError):
                continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None
