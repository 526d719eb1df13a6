"""What each model takes, costs, and how long it lives: the dated table `pricing.toml`, read.

Every figure can be replaced: the functions take `overrides`, a mapping from a model's name to the
fields that differ, as in `{"gpt-image-2": {"price": {"output": "24"}}}`. A name that is not in the
table needs its kind too: `{"flux": {"kind": "images", "price": ...}}`.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field, ValidationError

from visionpulse.errors import BudgetExceededError, ConfigurationError, ModelUnavailableError
from visionpulse.models import Usage, Value
from visionpulse.protocols import Quote

ModelKind = Literal["prompts", "images", "speech"]
Dialect = Literal[
    "chat", "chat-reasoning", "dall-e", "gpt-image", "plain-image", "speech", "chat-audio"
]
Overrides = Mapping[str, Mapping[str, Any]]
Dollars = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]

WARNING_DAYS = 60
UNKNOWN = Quote(None, lambda _usage: None)
# Compatible servers call their models what they like: a name nobody knows is asked carefully.
_DIALECTS: Mapping[ModelKind, tuple[tuple[str, Dialect], ...]] = {
    "prompts": (("gpt-6", "chat-reasoning"), ("gpt-5", "chat-reasoning"), ("", "chat")),
    "images": (
        ("gpt-image", "gpt-image"),
        ("chatgpt-image", "gpt-image"),
        ("dall-e-3", "dall-e"),
        ("", "plain-image"),
    ),
    "speech": (("gpt-audio", "chat-audio"), ("", "speech")),
}


class Price(Value):
    """Dollars by unit; what is None or missing is unknown, never free."""

    input: Dollars | None = None
    """Per million tokens that are read."""
    output: Dollars | None = None
    """Per million tokens that are made."""
    characters: Dollars | None = None
    """Per million characters read aloud."""
    minute: Dollars | None = None
    """Per minute of speech."""
    pictures: Mapping[str, Dollars] = {}
    """Per picture, by `"size quality"`."""


class ModelRow(Value):
    """One model, as it was known on the day `as_of`."""

    name: str
    kind: ModelKind
    dialect: Dialect
    """Which parameters it takes."""
    ends: date | None = None
    """The day the vendor switches it off; None: not announced."""
    successor: str | None = None
    characters: int | None = None
    """The longest prompt or text."""
    output_tokens: int | None = None
    """The longest answer."""
    sizes: tuple[str, ...] = ()
    """The pictures it draws; empty: any size within the dialect's limits."""
    voices: tuple[str, ...] = ()
    """The voices it has; empty: unknown."""
    price: Price = Price()
    picture_tokens: Mapping[str, int] = {}
    """Tokens of a 1024x1024 picture, by quality."""
    as_of: date | None = None
    source: str = ""

    def retired(self, today: date) -> bool:
        """Whether the model is off. Its last day counts: nobody says at which hour."""
        return self.ends is not None and today >= self.ends

    def warning(self, today: date) -> str | None:
        """Say in words that the model ends within 60 days; None when it does not."""
        if self.ends is None or (self.ends - today).days >= WARNING_DAYS:
            return None
        then = f" Its successor is {self.successor}." if self.successor else ""
        ends = "was" if self.retired(today) else "will be"
        return f"{self.name} {ends} switched off on {self.ends}.{then}"


@cache
def _shipped() -> Mapping[str, ModelRow]:
    text = resources.files("visionpulse").joinpath("pricing.toml").read_text(encoding="utf-8")
    rows = (ModelRow.model_validate(entry) for entry in tomllib.loads(text)["model"])
    return {row.name: row for row in rows}


def table(overrides: Overrides | None = None) -> Mapping[str, ModelRow]:
    """Return all rows by name, in order of preference within each kind.

    Args:
        overrides: Fields that differ, by model; a new name needs `kind`.

    Raises:
        ConfigurationError: An override has a field or a value that makes no sense.
    """
    rows = dict(_shipped())
    for name, fields in (overrides or {}).items():
        try:
            rows[name] = ModelRow.model_validate(_merged(_known(rows, name, fields), fields))
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ConfigurationError(
                f"The price table's override of {name!r} cannot be used: {field}: {first['msg']}."
            ) from None
    return rows


def _known(rows: Mapping[str, ModelRow], name: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    if name in rows:
        return rows[name].model_dump()
    kind: Any = fields.get("kind")
    return stranger(name, kind).model_dump() if kind in _DIALECTS else {"name": name}


def _merged(known: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known with what differs, in the tables inside it too."""
    merged = {**known, **fields}
    for name, value in fields.items():
        before = known.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[name] = _merged({**before}, {**value})
    return merged


def corrections(given: Overrides | str | Path | None) -> Overrides:
    """Return overrides, which may be in a TOML file in the form of `pricing.toml`.

    Raises:
        ConfigurationError: The file cannot be read, or a field or a value makes no sense.
    """
    found: Any = _read(Path(given)) if isinstance(given, (str, Path)) else given or {}
    if not _is_table(found) or not all(map(_is_table, found.values())):
        raise ConfigurationError(
            "The prices are no table.",
            hint='For example: prices={"tts-1": {"price": {"characters": "15"}}}',
        )
    table(found)
    return cast("Overrides", found)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _read(file: Path) -> Overrides:
    try:
        entries = tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)["model"]
        return {entry.pop("name"): entry for entry in entries}
    except OSError as error:
        raise ConfigurationError(
            f"The prices in {str(file)!r} cannot be read: {error.strerror}.",
            hint="Correct prices= or VISIONPULSE_PRICES.",
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{str(file)!r} is no table of prices.",
            hint='It is a TOML file of [[model]] entries, each with its name = "..." and what '
            'differs, such as price = { characters = "15" }.',
        ) from error


def stranger(name: str, kind: ModelKind) -> ModelRow:
    """Return what can be said of a model that is not in the table."""
    dialect: Dialect = next(
        dialect for prefix, dialect in _DIALECTS[kind] if name.startswith(prefix)
    )
    sizes = ("1024x1024", "1792x1024", "1024x1792") if dialect == "dall-e" else ()
    return ModelRow(name=name, kind=kind, dialect=dialect, sizes=sizes)


def find(name: str, overrides: Overrides | None = None) -> ModelRow | None:
    """Return what is known of a model."""
    return table(overrides).get(name)


def preferred(kind: ModelKind, today: date, overrides: Overrides | None = None) -> ModelRow:
    """Return the model to use when none is named: the first of its kind that is not retired.

    Raises:
        ModelUnavailableError: All models in the table have ended.
    """
    for row in table(overrides).values():
        if row.kind == kind and not row.retired(today):
            return row
    raise ModelUnavailableError(
        f"Every model for {kind} that this version knows was retired before {today}.",
        hint="Update visionpulse, or name a model.",
    )


def unknown_price(provider: str, model: str, limit: str, **facts: Any) -> BudgetExceededError:
    """Return the error for a call that may cost anything, where a cap is to hold."""
    return BudgetExceededError(
        f"The price of {model} at {provider} is unknown, and there is a cap of {limit}.",
        hint=f"Say what it costs: Pipeline(prices={{{model!r}: {{'price': ...}}}}) or "
        "VISIONPULSE_PRICES; a model of your own needs a `quote` method. Or run without a cap.",
        code="unknown_price",
        **facts,
    )


def quote_prompts(row: ModelRow | None, *, text: str, output_tokens: int) -> Quote:
    """Return the price of a chat call.

    Args:
        row: The model; None is a model of unknown price.
        text: Everything that is sent, instructions and schema included.
        output_tokens: The limit that is sent with the call.
    """
    # No tokenizer makes more tokens than there are bytes; each message adds a few of its own.
    most = len(text.encode()) + 64
    return _by_tokens(row, (most, output_tokens), likely=(most // 4, output_tokens // 2))


def quote_picture(row: ModelRow | None, *, prompt: str, size: str, quality: str) -> Quote:
    """Return the price of one picture, size and quality as they are sent."""
    if row is None:
        return UNKNOWN
    if row.price.pictures:
        price = row.price.pictures.get(f"{size} {quality}")
        return Quote(price, lambda _usage: price)
    most = len(prompt.encode()) + 64
    square = row.picture_tokens.get(quality)
    if square is None:
        return _by_tokens(row, (most, None), likely=(most // 4, None))
    width, height = (int(side) for side in size.split("x"))
    likely = math.ceil(square * width * height / 1024**2)
    # Third parties' figures: a quarter more covers what large pictures were seen to cost.
    bound = math.ceil(max(likely, square) * 1.25)
    return _by_tokens(row, (most, bound), likely=(most // 4, likely))


def quote_speech(row: ModelRow | None, text: str) -> Quote:
    """Return the price of reading a text aloud."""
    if row is None:
        return UNKNOWN
    if row.price.characters is not None:
        price = row.price.characters * len(text) / 1_000_000
        return Quote(price, lambda _usage: price)
    if row.price.minute is None:
        return UNKNOWN
    second = row.price.minute / 60

    def cost(usage: Usage | None) -> Decimal:
        if usage is not None and usage.seconds is not None:
            return second * Decimal(str(usage.seconds))
        return second * len(text) / 14  # an easy reading pace, in characters a second

    # Half a second per byte: digits and signs are read as words, and what is read as several words
    # has several bytes.
    return Quote(second * (len(text.encode()) + 4) / 2, cost)


def _by_tokens(
    row: ModelRow | None, most: tuple[int, int | None], *, likely: tuple[int, int | None]
) -> Quote:
    if row is None or row.price.input is None or row.price.output is None:
        return UNKNOWN
    read, made = row.price.input / 1_000_000, row.price.output / 1_000_000

    def price(input_tokens: int, output_tokens: int | None) -> Decimal | None:
        return None if output_tokens is None else input_tokens * read + output_tokens * made

    def cost(usage: Usage | None) -> Decimal | None:
        if usage is None or usage.input_tokens is None or usage.output_tokens is None:
            return price(*likely)
        return price(usage.input_tokens, usage.output_tokens)

    return Quote(price(*most), cost)
