"""Which models a server has, and until when: `GET /v1/models`, which costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from visionpulse import loop
from visionpulse.pricing import ModelKind
from visionpulse.providers.openai.connection import Connection


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> date | None:
    try:
        day: date | None = read(value)
    except ValidationError:
        return None
    return day


class _Model(BaseModel):
    id: str
    shutdown_date: Annotated[date | None, WrapValidator(_or_none)] = None


class _Models(BaseModel):
    data: list[_Model]


def connect(
    kind: ModelKind, model: str | None, api_key: str | None, base_url: str | None, *, seconds: float
) -> Connection:
    """Return the way to a part's model, for questions that cost nothing.

    Raises:
        ConfigurationError: There is no usable key or address.
        ModelUnavailableError: OpenAI has switched the named model off.
    """
    return Connection(
        kind,
        model=model,
        api_key=api_key,
        base_url=base_url,
        timeout=seconds,
        today=None,
        overrides=None,
        pinned=False,
    )


def address(connection: Connection) -> str:
    """Return the name of a server, for people."""
    usual = connection.port in {80, 443}
    return connection.host if usual else f"{connection.host}:{connection.port}"


def served(connection: Connection) -> Mapping[str, date | None]:
    """Return the models of a server, each with its last day where one is announced.

    Raises:
        ProviderError: The server refuses the key, has no such list, or does not answer in time.
    """

    async def ask() -> _Models:
        try:
            answer = await connection.ask(lambda client: client.models.with_raw_response.list())
            return connection.read(_Models, answer)
        finally:
            await connection.aclose()

    return {model.id: model.shutdown_date for model in loop.run(ask).data}
