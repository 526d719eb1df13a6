"""A vendor on 127.0.0.1 that answers, counts and fails as OpenAI does.

In a test:

    with Vendor() as vendor:
        vendor.fail("rate_limit:0.1", "server_error", kind="images")
        OpenAIImages(model="dall-e-3", api_key=KEY, base_url=vendor.url)
        ...
        assert vendor.count("images", billed=True) == 6
        assert vendor.tally(key=KEY) == Decimal("0.24")

From other processes: `python -m tests.vendor --port 0` prints its base URL; GET /_calls tells what
it was asked, POST /_control takes {"fail": [names], "kind": ..., "times": ..., "latency": seconds,
"chaos": [probability, [names], seed], "forget": true}. The same request gets the same bytes, so
that a resumed film can be compared with an undisturbed one.

It keeps books: `call.dollars` is what a call is on the invoice with, `tally` their sum. What was
answered with 200 is billed, whatever became of it on the way; a fault that ends in `:billed`
(`hang:billed`, `server_error:billed`) bills what was begun.
"""

from __future__ import annotations

import argparse
import base64
import functools
import hashlib
import itertools
import json
import random
import re
import select
import socket
import struct
import threading
import time
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SCHEMA_FILE = Path(__file__).parent / "data" / "openai-requests.json"
SAMPLE_RATE = 24_000
SECONDS_PER_CHARACTER = 0.06
PATHS = {
    "/v1/chat/completions": "prompts",
    "/v1/images/generations": "images",
    "/v1/audio/speech": "speech",
}
CHAT_KINDS = {"storyboard": "prompts", "rewrite": "rewrite", "script": "script"}
"""What is asked of a chat model, by the name of the schema it has to answer in."""
SHUTDOWN_DATES = {
    "gpt-4o": "2027-01-14",
    "gpt-6-luna": None,
    "gpt-image-2": None,
    "tts-1": "2027-01-06",
    "tts-1-hd": "2027-01-06",
    "gpt-4o-mini-tts": "2027-01-06",
}

# The published prices, in dollars, written down here once more: books of the vendor's own.
TOKEN_PRICES = {
    # model: per million tokens in and out
    "gpt-4o": ("2.50", "10"),
    "gpt-6-luna": ("0.10", "0.50"),
    "gpt-4o-mini": ("0.15", "0.60"),
    "gpt-image-2": ("5", "30"),
    "gpt-image-2.5-flare": ("5", "30"),
}
PICTURE_PRICES = {
    ("1024x1024", "standard"): "0.040",
    ("1792x1024", "standard"): "0.080",
    ("1024x1792", "standard"): "0.080",
    ("1024x1024", "hd"): "0.080",
    ("1792x1024", "hd"): "0.120",
    ("1024x1792", "hd"): "0.120",
}
CHARACTER_PRICES = {"tts-1": "15", "tts-1-hd": "30"}  # per million
MINUTE_PRICES = {"gpt-4o-mini-tts": "0.015"}

ERRORS: dict[str, tuple[int, str | None, str, str]] = {
    # fault: status, error.code, error.type, error.message
    "rate_limit": (429, "rate_limit_exceeded", "requests", "Rate limit reached."),
    "rate_limit_date": (429, "rate_limit_exceeded", "requests", "Rate limit reached."),
    "slow_down": (503, "slow_down", "server_error", "Slow down."),
    "insufficient_quota": (429, "insufficient_quota", "insufficient_quota", "Check your plan."),
    "credit_exhausted": (429, "credit_balance_exhausted", "billing", "No credit left."),
    "organization_spend_limit": (
        429,
        "organization_spend_limit_exceeded",
        "billing",
        "The organization's limit is reached.",
    ),
    "project_spend_limit": (
        429,
        "project_spend_limit_exceeded",
        "billing",
        "The project's limit is reached.",
    ),
    "organization_usage_limit": (
        429,
        "organization_usage_limit_exceeded",
        "billing",
        "The organization's limit is reached.",
    ),
    "billing_hard_limit": (400, "billing_hard_limit_reached", "billing", "Hard limit reached."),
    "invalid_key": (401, "invalid_api_key", "invalid_request_error", "Incorrect API key: {key}."),
    "forbidden": (403, None, "invalid_request_error", "Key {key} has no access."),
    "model_not_found": (404, "model_not_found", "invalid_request_error", "No such model."),
    "not_found": (404, None, "invalid_request_error", "Invalid URL."),
    "invalid_value": (400, "invalid_value", "invalid_request_error", "Invalid value: {key}."),
    "moderation": (400, "moderation_blocked", "image_generation_user_error", "Blocked: {key}."),
    "content_policy": (400, "content_policy_violation", "image_generation_user_error", "Blocked."),
    "moved": (307, None, "", "Elsewhere."),
    "server_error": (500, None, "server_error", "The server had an error. {key}"),
    "overloaded": (503, "server_is_overloaded", "server_error", "Overloaded."),
    "unavailable": (503, None, "server_error", "Unavailable."),
}
ODD = {
    "cut_before": "the connection is cut before any answer",
    "lost": "the work is done and billed, and the connection is cut before any answer",
    "cut_body": "the connection is cut in the middle of the answer",
    "html": "a gateway's page, with status 200",
    "malformed": "half a JSON document",
    "wrong_shape": "JSON of another shape",
    "drip": "a byte every 50 ms",
    "hang": "no answer until the caller gives up",
    "late": "an answer after `late:SECONDS`",
    "empty": "no pictures, no choices, no sound",
    "json_audio": "JSON in place of sound",
    "odd_pcm": "half a sample at the end of the sound",
    "silence": "sound of zeros",
    "other_words": "a chat model that speaks says something else",
    "wav": "a WAV file where raw samples were asked for",
    "broken_png": "a picture that stops half-way",
    "bomb": "a picture that claims 900 megapixels in a few hundred bytes",
    "not_png": "a picture that is a web page",
    "bad_base64": "a picture that is not base64",
    "url": "a picture as a URL; its download goes wrong with `:redirect`, `:drip`, `:endless`, "
    "`:missing`, `:cut` or `:gzip`; with `:http...` it is a URL of your own",
    "blank": "an answer of the language model with nothing in it",
    "refusal": "the language model declines",
    "length": "the answer stops at the token limit",
    "content_filter": "the answer stops at the content filter",
    "bad_json": "an answer of the language model that is not JSON",
    "bad_plan": "a plan that leaves the last sentence out",
    "empty_plan": "a plan without scenes",
}


@dataclass
class Call:
    """One request that costs money, and what became of it."""

    number: int
    kind: str
    path: str
    body: dict[str, Any]
    key: str = ""
    """Who asks."""
    fault: str | None = None
    status: int = 0
    billed: bool = False
    """The vendor did the work; it would be on the invoice."""
    tokens: tuple[int, int] = (0, 0)
    """Read and made, as they are counted."""
    dollars: Decimal | None = Decimal(0)
    """What it is on the invoice with; None: the vendor has no price for this model."""
    answered: bool = False
    """Every byte of the answer was handed to the network."""
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None

    def charge(self) -> None:
        """Put the work on the invoice, before anybody hears of it."""
        self.billed, self.dollars = True, price_of(self)


class Vendor:
    """OpenAI's API as far as VisionPulse uses it; a context manager.

    Args:
        port: 0 takes a free one.
        latency: Seconds until an answer, or seconds by kind.
        strict: Refuse (400), and list in `violations`, what OpenAI's published schema refuses.
        url_answers: Answer pictures as URLs, as some compatible servers do.
        key: The only key that is accepted; None takes any.
        retry_after: Seconds that a `rate_limit` asks to wait, unless `rate_limit:SECONDS` says so.
        forbidden: A word that moderation finds in the prompt of a picture.
        stubborn: Whether a prompt in other words still has the forbidden word.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        latency: float | Mapping[str, float] = 0.0,
        strict: bool = True,
        url_answers: bool = False,
        key: str | None = None,
        retry_after: float = 1,
        forbidden: str | None = None,
        stubborn: bool = False,
    ) -> None:
        self.latency = latency
        self.strict = strict
        self.url_answers = url_answers
        self.key = key
        self.retry_after = retry_after
        self.forbidden = forbidden
        self.stubborn = stubborn
        self.calls: list[Call] = []
        self.downloads: list[str] = []
        self.listings: list[str] = []
        """The keys that came with GET /v1/models."""
        self.violations: list[str] = []
        self.peak: Counter[str] = Counter()
        self.error_body: Any = None
        """What an error's body is, instead of OpenAI's."""
        self.fault: Callable[[Call], str | None] = lambda call: None
        self.headers: Callable[[Call], Mapping[str, str]] = lambda call: {}
        """What every answer says besides, such as how many requests are left."""
        self._queues: dict[str | None, deque[str]] = defaultdict(deque)
        self._in_flight: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._gate = threading.Event()
        self._gate.set()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), self)
        self.port: int = self._server.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/v1"

    def __enter__(self) -> Vendor:
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="vendor", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fail(self, *faults: str, kind: str | None = None, times: int = 1) -> None:
        """Queue faults: each one meets one of the next calls (of this kind)."""
        for fault in faults:
            name = fault.partition(":")[0]
            assert name in ERRORS or name in ODD, f"unknown fault {name}"
        with self._changed:
            self._queues[kind].extend([*faults] * times)

    def chaos(self, probability: float, faults: Sequence[str], seed: int = 0) -> None:
        """Let every call fail with this probability, by a seeded die."""
        die = random.Random(seed)

        def roll(_call: Call) -> str | None:
            return die.choice(faults) if die.random() < probability else None

        self.fault = roll

    def allow(self, most: int, kind: str, *, retry_after: float = 0.1) -> None:
        """Answer 429 to calls of a kind that come while so many others are in flight."""

        def crowded(call: Call) -> str | None:
            # Whatever was turned away is not being worked on.
            others = [each for each in self.calls if each.kind == kind and each.ended is None]
            working = sum(each.fault is None for each in others) - 1
            return f"rate_limit:{retry_after:g}" if call.kind == kind and working >= most else None

        self.fault = crowded

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every answer back while the block runs, or until `release`."""
        self._gate.clear()
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Let the answers go that are held back."""
        self._gate.set()

    def count(
        self, kind: str | None = None, *, billed: bool | None = None, key: str | None = None
    ) -> int:
        """Return how many calls there were, of a kind, billed or not, with a key."""
        with self._changed:
            return sum(
                (kind is None or call.kind == kind)
                and (billed is None or call.billed == billed)
                and (key is None or call.key == key)
                for call in self.calls
            )

    def tally(self, kind: str | None = None, *, key: str | None = None) -> Decimal:
        """Return what is on the invoice, for calls of a kind or with a key."""
        with self._changed:
            total = Decimal(0)
            for call in self.calls:
                if kind in {None, call.kind} and key in {None, call.key}:
                    assert call.dollars is not None, f"no price for {call.body['model']}"
                    total += call.dollars
            return total

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        """Return what was sent, in the order of arrival."""
        with self._changed:
            return [call.body for call in self.calls if call.kind == kind]

    def wait_for(self, calls: int, kind: str | None = None, *, timeout: float = 10) -> None:
        """Wait until so many calls have arrived (they need not be answered)."""

        def arrived() -> bool:
            return sum(kind is None or call.kind == kind for call in self.calls) >= calls

        with self._changed:
            assert self._changed.wait_for(arrived, timeout), f"only {len(self.calls)} calls came"

    def forget(self) -> None:
        """Drop the calls, the violations and the queued faults."""
        with self._changed:
            for each in (self.calls, self.violations, self.downloads, self.peak, self._queues):
                each.clear()
            self.fault = lambda call: None

    def state(self) -> dict[str, Any]:
        """Return everything as plain data; GET /_calls."""
        with self._changed:
            return {
                "calls": [asdict(call) for call in self.calls],
                "count": Counter(call.kind for call in self.calls),
                "billed": Counter(call.kind for call in self.calls if call.billed),
                "peak": self.peak,
                "violations": self.violations,
                "downloads": self.downloads,
            }

    def control(self, orders: dict[str, Any]) -> None:
        """Obey POST /_control."""
        if orders.get("forget"):
            self.forget()
        if "fail" in orders:
            self.fail(*orders["fail"], kind=orders.get("kind"), times=orders.get("times", 1))
        if "latency" in orders:
            self.latency = orders["latency"]
        if "chaos" in orders:
            self.chaos(*orders["chaos"])

    def receive(self, path: str, body: dict[str, Any], key: str) -> Call:
        """Count a call and decide its fate."""
        with self._changed:
            kind = "speech" if "audio" in body else PATHS[path]
            if kind == "prompts":
                asked = body.get("response_format", {}).get("json_schema", {}).get("name")
                kind = CHAT_KINDS.get(asked, kind)
            call = Call(len(self.calls) + 1, kind, path, body, key)
            self.calls.append(call)
            self._in_flight[call.kind] += 1
            self.peak[call.kind] = max(self.peak[call.kind], self._in_flight[call.kind])
            queue = self._queues[call.kind] or self._queues[None]
            call.fault = queue.popleft() if queue else self.fault(call)
            self._changed.notify_all()
        return call

    def finish(self, call: Call) -> None:
        """Write down that a call is over."""
        with self._changed:
            call.ended = time.monotonic()
            self._in_flight[call.kind] -= 1
            self._changed.notify_all()

    def wait(self, call: Call) -> None:
        """Be as slow as told, and no slower than `close`."""
        latency = self.latency
        self._closing.wait(latency.get(call.kind, 0) if isinstance(latency, Mapping) else latency)
        self._gate.wait()

    def sleep(self, seconds: float | None) -> bool:
        """Wait; return whether the vendor is still open."""
        return not self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], vendor: Vendor) -> None:
        super().__init__(address, _Handler)
        self.vendor = vendor
        self.connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: clients are killed in tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *args: Any) -> None:
        """Stay quiet."""

    @property
    def vendor(self) -> Vendor:
        return self.server.vendor

    def do_GET(self) -> None:
        if self.path == "/_calls":
            self._json(200, self.vendor.state())
        elif self.path == "/v1/models":
            self._models()
        elif self.path.startswith("/files/"):
            self._file(self.path)
        else:
            self._json(404, _error(None, "invalid_request_error", f"Invalid URL {self.path}"))

    def _models(self) -> None:
        key = self.headers.get("authorization", "").removeprefix("Bearer ")
        self.vendor.listings.append(key)
        if self.vendor.key not in {None, key}:
            told = f"Incorrect API key: {key[:8]}***{key[-4:]}."
            self._json(401, _error("invalid_api_key", "invalid_request_error", told))
        else:
            models = [_model(name) for name in SHUTDOWN_DATES]
            self._json(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/_control":
            self.vendor.control(json.loads(raw))
            self._json(200, {})
        elif self.path in PATHS:
            key = self.headers.get("authorization", "").removeprefix("Bearer ")
            call = self.vendor.receive(self.path, json.loads(raw), key)
            try:
                with suppress(OSError):
                    self._answer(call)
            finally:
                self.vendor.finish(call)
        else:
            self._json(404, _error(None, "invalid_request_error", f"Invalid URL {self.path}"))

    def _answer(self, call: Call) -> None:
        vendor, name = self.vendor, (call.fault or "").partition(":")[0]
        vendor.wait(call)
        key = call.key
        if vendor.key is not None and key != vendor.key:
            name = "invalid_key"
        if not key:
            return self._json(401, _error(None, "invalid_request_error", "No API key."), call)
        if vendor.strict and (complaints := violations(call.path, call.body)):
            vendor.violations.extend(f"{call.path}: {complaint}" for complaint in complaints)
            complaint = _error("invalid_request", "invalid_request_error", complaints[0])
            return self._json(400, complaint, call)
        if name == "late":
            vendor.sleep(float((call.fault or "").split(":")[1]))
        forbidden = vendor.forbidden and call.kind == "images"
        if forbidden and name in {"", "late"} and vendor.forbidden in call.body["prompt"]:
            name = "moderation"
        if (call.fault or "").endswith(":billed"):
            getattr(self, f"_{call.kind}")(call, "")
            call.charge()
        if name in ERRORS:
            return self._error(call, name, key)
        if name in {"cut_before", "hang"}:
            if name == "hang":
                self._until_left()
            self.close_connection = True
            return None
        status, content, kind = getattr(self, f"_{call.kind}")(call, name)
        call.charge()
        if name == "lost":
            self.close_connection = True
            return None
        if name == "html":
            return self._send(200, b"<!doctype html><title>Gateway</title>", "text/html", call)
        if name == "malformed":
            return self._send(200, b'{"created": 1, "data": [', "application/json", call)
        if name == "wrong_shape":
            return self._json(200, {"data": 5, "choices": {"message": 1}}, call)
        return self._send(status, content, kind, call, name)

    def _until_left(self) -> None:
        """Say nothing until the caller hangs up, or the vendor closes."""
        while self.vendor.sleep(0.05):
            if select.select([self.connection], [], [], 0)[0]:
                return

    def _error(self, call: Call, name: str, key: str) -> None:
        status, code, kind, message = ERRORS[name]
        headers = {}
        wait = (call.fault or "").partition(":")[2]
        if name == "rate_limit_date":
            headers["Retry-After"] = formatdate(time.time() + 30, usegmt=True)
        elif name in {"rate_limit", "slow_down", "overloaded"}:
            headers["Retry-After"] = wait or f"{self.vendor.retry_after:g}"
        # As OpenAI does: the first eight and the last four characters of the key.
        told = message.format(key=f"{key[:8]}{'*' * 20}{key[-4:]}")
        param = "model" if name == "model_not_found" else None
        body = self.vendor.error_body or _error(code, kind, told, param)
        if name == "moved":
            headers["Location"] = call.path
        self._json(status, body, call, headers)

    def _prompts(self, call: Call, fault: str) -> tuple[int, bytes, str]:
        return self._chat(call, fault, _plan(call.body["messages"][-1]["content"], fault))

    def _rewrite(self, call: Call, fault: str) -> tuple[int, bytes, str]:
        asked = call.body["messages"][-1]["content"]
        found = re.search(r"^Prompt: (.*)$", asked, re.MULTILINE)
        prompt = found[1] if found else ""
        if self.vendor.forbidden and not self.vendor.stubborn:
            prompt = prompt.replace(self.vendor.forbidden, "mist")
        told = "" if fault == "blank" else f"Seen from afar: {prompt}"
        return self._chat(call, fault, {"prompt": told})

    def _script(self, call: Call, fault: str) -> tuple[int, bytes, str]:
        topic = call.body["messages"][-1]["content"].removeprefix("Topic: ")
        told = "" if fault == "blank" else f"Listen. This is about {topic}. It ends here."
        return self._chat(call, fault, {"narration": told})

    def _chat(self, call: Call, fault: str, told: dict[str, Any]) -> tuple[int, bytes, str]:
        """Answer as a language model does, or does not."""
        asked = "\n".join(message["content"] for message in call.body["messages"])
        plan = json.dumps(told)
        message: dict[str, Any] = {"role": "assistant", "content": plan, "refusal": None}
        reason = "stop"
        if fault == "refusal":
            message |= {"content": None, "refusal": "I can't help with that."}
        elif fault in {"length", "content_filter"}:
            message["content"], reason = plan[: len(plan) // 2], fault
        elif fault == "bad_json":
            message["content"] = "Here is your answer: " + plan[:40]
        spent, made = call.tokens = len(asked) // 4, len(plan) // 4
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        answer = {
            "id": f"chatcmpl-{call.number}",
            "object": "chat.completion",
            "created": 1_795_000_000,
            "model": call.body["model"],
            "choices": [] if fault == "empty" else [choice],
            "usage": {
                "prompt_tokens": spent,
                "completion_tokens": made,
                "total_tokens": spent + made,
            },
        }
        return 200, json.dumps(answer).encode(), "application/json"

    def _images(self, call: Call, fault: str) -> tuple[int, bytes, str]:
        width, height = (int(side) for side in call.body.get("size", "1024x1024").split("x"))
        picture = picture_bytes(call.body["prompt"], width, height)
        if fault == "broken_png":
            picture = picture[: len(picture) // 2]
        elif fault == "bomb":
            picture = _bomb()
        elif fault == "not_png":
            picture = b"<html>403</html>"
        told: dict[str, Any] = {"b64_json": base64.b64encode(picture).decode()}
        if fault == "bad_base64":
            told = {"b64_json": "!!" + told["b64_json"]}
        if fault == "url" or self.vendor.url_answers:
            how = (call.fault or "").partition(":")[2]
            url = f"{self.vendor.origin}/files/{how or 'plain'}/{call.number}.png"
            told = {"url": how if how.startswith("http") else url}
        answer: dict[str, Any] = {"created": 1_795_000_000, "data": [told]}
        if call.body.get("model", "").startswith("gpt-image"):
            spent = len(call.body["prompt"]) // 4
            made = {"low": 196, "medium": 439, "high": 1756}.get(call.body.get("quality", ""), 439)
            call.tokens = spent, made
            answer |= {
                "background": "opaque",
                "output_format": "png",
                "quality": call.body.get("quality", "medium"),
                "size": f"{width}x{height}",
                "usage": {
                    "input_tokens": spent,
                    "input_tokens_details": {"text_tokens": spent, "image_tokens": 0},
                    "output_tokens": made,
                    "total_tokens": spent + made,
                },
            }
        elif call.body.get("model") == "dall-e-3":
            told["revised_prompt"] = "In detail: " + call.body["prompt"]
        if fault == "empty":
            answer["data"] = []
        return 200, json.dumps(answer).encode(), "application/json"

    def _speech(self, call: Call, fault: str) -> tuple[int, bytes, str]:
        if "audio" in call.body:
            return self._spoken_chat(call, fault)
        pcm = speech_bytes(call.body["input"], call.body["voice"])
        if fault == "empty":
            pcm = b""
        elif fault == "json_audio":
            return 200, b'{"error": {"message": "later"}}', "application/json"
        elif fault == "odd_pcm":
            pcm = pcm[:-1]
        elif fault == "silence":
            pcm = bytes(len(pcm))
        elif fault == "wav":
            pcm = b"RIFF\xff\xff\xff\xffWAVEfmt " + bytes(28) + pcm
        return 200, pcm, "audio/pcm"

    def _spoken_chat(self, call: Call, fault: str) -> tuple[int, bytes, str]:
        text = call.body["messages"][-1]["content"]
        said = "Sure! Here it is, nicely told." if fault == "other_words" else text
        pcm = speech_bytes(said, call.body["audio"]["voice"])
        audio = {
            "id": f"audio-{call.number}",
            "data": base64.b64encode(pcm).decode(),
            "expires_at": 1_795_000_000,
            "transcript": said,
        }
        message = {"role": "assistant", "content": None, "refusal": None, "audio": audio}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {
            "id": f"chatcmpl-{call.number}",
            "object": "chat.completion",
            "created": 1_795_000_000,
            "model": call.body["model"],
            "choices": [] if fault == "empty" else [choice],
        }
        return 200, json.dumps(answer).encode(), "application/json"

    def _file(self, path: str) -> None:
        """Serve a picture that was answered as a URL."""
        self.vendor.downloads.append(path)
        _, _, how, name = path.split("/", 3)
        number = int(name.removesuffix(".png"))
        body = self.vendor.calls[number - 1].body
        width, height = (int(side) for side in body.get("size", "1024x1024").split("x"))
        picture = picture_bytes(body["prompt"], width, height)
        with suppress(OSError):
            if how == "redirect":
                self._send(302, b"", "text/plain", headers={"Location": f"/files/plain/{name}"})
            elif how == "missing":
                self._json(404, {})
            elif how == "endless":
                self._head(200, "image/png", {"Transfer-Encoding": "chunked"})
                while self.vendor.sleep(0):
                    self.wfile.write(b"10000\r\n" + bytes(65_536) + b"\r\n")
            elif how == "gzip":
                squeezed = {"Content-Encoding": "gzip"}
                self._send(200, zlib.compress(picture, wbits=31), "image/png", headers=squeezed)
            else:
                fault = {"drip": "drip", "cut": "cut_body"}.get(how, "")
                self._send(200, picture, "image/png", fault=fault)

    def _json(
        self,
        status: int,
        answer: Any,
        call: Call | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        content = json.dumps(answer, default=str).encode()
        self._send(status, content, "application/json", call, headers=headers)

    def _head(self, status: int, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(
        self,
        status: int,
        content: bytes,
        kind: str,
        call: Call | None = None,
        fault: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        sent = {"Content-Length": str(len(content)), **(headers or {})}
        if call:
            sent["x-request-id"] = f"req_{call.number:06d}"
            sent |= self.vendor.headers(call)
            call.status = status
        self._head(status, kind, sent)
        if fault == "cut_body":
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        if fault == "drip":
            for at in range(len(content)):
                self.wfile.write(content[at : at + 1])
                self.wfile.flush()
                if not self.vendor.sleep(0.05):
                    return
        else:
            self.wfile.write(content)
        self.wfile.flush()
        if call:
            call.answered = True


def price_of(call: Call) -> Decimal | None:
    """Return what the vendor charges for a call that it has done the work of."""
    model, body = str(call.body.get("model")), call.body
    million = Decimal(1_000_000)
    if model in TOKEN_PRICES:
        read, made = (Decimal(price) for price in TOKEN_PRICES[model])
        return (call.tokens[0] * read + call.tokens[1] * made) / million
    if model == "dall-e-3":
        size, quality = body.get("size", "1024x1024"), body.get("quality", "standard")
        return Decimal(PICTURE_PRICES[size, quality])
    if model in CHARACTER_PRICES:
        return len(body["input"]) * Decimal(CHARACTER_PRICES[model]) / million
    if model in MINUTE_PRICES:
        length = len(speech_bytes(body["input"], body["voice"]))
        return Decimal(length) / (2 * SAMPLE_RATE * 60) * Decimal(MINUTE_PRICES[model])
    return None


def _error(code: str | None, kind: str, message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "type": kind, "message": message, "param": param}}


def _model(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": 1_700_000_000,
        "owned_by": "system",
        "shutdown_date": SHUTDOWN_DATES[name],
    }


def _plan(asked: str, fault: str) -> dict[str, Any]:
    """Plan over the numbered sentences, as a language model would."""
    sentences = re.findall(r"^\[\d+\] (.*)$", asked, re.MULTILINE)
    fixed = re.findall(r"^Scene \d+: sentences (\d+) to (\d+)$", asked, re.MULTILINE)
    if fixed:
        ranges = [(int(first), int(last)) for first, last in fixed]
    else:
        wanted = re.search(r"exactly (\d+) scene", asked)
        count = min(int(wanted[1]) if wanted else 1, len(sentences))
        edges = [round(index * len(sentences) / count) for index in range(count + 1)]
        ranges = [(first, end - 1) for first, end in itertools.pairwise(edges)]
    if fault == "bad_plan":
        ranges[-1] = (ranges[-1][0], ranges[-1][1] - 1)
    if fault in {"empty_plan", "blank"}:
        ranges = []
    scenes = [
        {"first": first, "last": last, "prompt": _prompt(sentences[first : last + 1])}
        for first, last in ranges
    ]
    bible = {
        "characters": [{"name": "keeper", "look": "The keeper is an old man in a grey coat."}],
        "palette": "grey and gold",
        "lens": "one lens, late afternoon light",
        "era": "the 1930s",
    }
    return {"bible": bible, "scenes": scenes}


def _prompt(sentences: Sequence[str]) -> str:
    return "A wide view: " + " ".join(" ".join(sentences).split()[:24])


def picture_bytes(seed: str, width: int, height: int) -> bytes:
    """Return a PNG of coloured fields, another one for every seed."""
    return _picture_bytes(hashlib.sha256(seed.encode()).digest(), width, height)


@functools.lru_cache(maxsize=64)
def _picture_bytes(seed: bytes, width: int, height: int) -> bytes:
    across = 12
    noise = hashlib.shake_256(seed).digest(16 * 3 + across * across)
    palette = bytes(64 + value % 160 for value in noise[: 16 * 3])
    cells = noise[16 * 3 :]
    rows = bytearray()
    edges = [index * height // across for index in range(across + 1)]
    columns = [index * width // across for index in range(across + 1)]
    for band in range(across):
        row = b"".join(
            bytes([cells[band * across + cell] % 16]) * (columns[cell + 1] - columns[cell])
            for cell in range(across)
        )
        rows += (b"\0" + row) * (edges[band + 1] - edges[band])
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", palette)
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 1))
        + _chunk(b"IEND", b"")
    )


def _bomb() -> bytes:
    """Return a small PNG that says it is 30,000 pixels wide and high."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def speech_bytes(text: str, voice: str) -> bytes:
    """Return PCM: a tone for every word, a rest for every space, 60 ms a character."""
    period = 80 + hashlib.sha256(voice.encode()).digest()[0] % 80
    ramp = [round(12_000 * (2 * abs(2 * at / period - 1) - 1)) for at in range(period)]
    wave = struct.pack(f"<{period}h", *ramp)
    per_character = round(SAMPLE_RATE * SECONDS_PER_CHARACTER)
    sound = bytearray()
    for part in re.findall(r"\s+|\S+", text):
        length = len(part) * per_character * 2
        sound += bytes(length) if part.isspace() else (wave * (length // len(wave) + 1))[:length]
    return bytes(sound)


@functools.cache
def _validator(path: str) -> Any:
    # Here, not above: jsonschema takes a while, and killed children need not wait for it.
    from jsonschema import Draft202012Validator

    pointer = path.replace("/", "~1")
    body = f"#/paths/{pointer}/post/requestBody/content/application~1json/schema"
    return Draft202012Validator({**json.loads(SCHEMA_FILE.read_text()), "$ref": body})


def violations(path: str, body: dict[str, Any]) -> list[str]:
    """Return what OpenAI would not accept: by its published schema, and by the model's dialect."""
    found = [
        f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:200]}"
        for error in _validator(path).iter_errors(body)
    ]
    model, kind = str(body.get("model", "")), PATHS[path]
    if kind == "images":
        found += _image_violations(model, body)
    if kind == "prompts" and model.startswith("gpt-6") and body.get("reasoning_effort") != "none":
        found += [
            f"{name}: not with reasoning" for name in ("temperature", "top_p") if name in body
        ]
    if kind == "speech" and model.startswith("tts-1") and "instructions" in body:
        found.append("instructions: not supported by this model")
    return found


def _image_violations(model: str, body: dict[str, Any]) -> list[str]:
    found = []
    size, quality = str(body.get("size", "1024x1024")), body.get("quality")
    if model.startswith("gpt-image"):
        found += [
            f"{name}: unknown parameter" for name in ("response_format", "style") if name in body
        ]
        width, height = (int(side) for side in size.split("x"))
        if (
            width % 16
            or height % 16
            or not 1 / 3 <= width / height <= 3
            or max(width, height) > 3840
        ):
            found.append(f"size: {size}")
        if quality not in {None, "low", "medium", "high", "auto"}:
            found.append(f"quality: {quality}")
        if len(body.get("prompt", "")) > 32_000:
            found.append("prompt: too long")
    elif model == "dall-e-3":
        if size not in {"1024x1024", "1792x1024", "1024x1792"}:
            found.append(f"size: {size}")
        if quality not in {None, "standard", "hd"}:
            found.append(f"quality: {quality}")
        if len(body.get("prompt", "")) > 4000:
            found.append("prompt: too long")
    return found


def main() -> None:
    """Serve until interrupted; the first line on standard output is the base URL."""
    parser = argparse.ArgumentParser(description="A vendor like OpenAI on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--lenient", action="store_true")
    parser.add_argument("--fail", action="append", default=[], metavar="FAULT")
    options = parser.parse_args()
    with Vendor(port=options.port, latency=options.latency, strict=not options.lenient) as vendor:
        vendor.fail(*options.fail)
        print(vendor.url, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
