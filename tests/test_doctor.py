"""The doctor: what each part is made by, and what the servers say of keys and models."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from tests import vendor as vendors
from visionpulse import cli, doctor

KEY = "sk-Qz7Xw9Lm3Rt5Vb1Nc8Hd2Jf6"


@pytest.fixture
def diagnosis():
    """Runs `visionpulse doctor --json` with these variables; findings by name, and the code."""

    def look(*arguments: str, **variables: str):
        result = CliRunner().invoke(cli.app, ["doctor", "--json", *arguments], env=variables)
        assert KEY[:12] not in result.output
        findings = json.loads(result.stdout)
        return {each["name"]: each for each in findings}, result.exit_code

    return look


def ends(monkeypatch, model: str, days: int) -> str:
    """Have a vendor announce a model's last day, so many days from now."""
    day = (datetime.now(UTC).date() + timedelta(days=days)).isoformat()
    monkeypatch.setitem(vendors.SHUTDOWN_DATES, model, day)
    return day


def test_a_key_that_works_is_said_to(diagnosis, vendor):
    """With a key the vendor is asked once, for nothing that costs; each part has its model."""
    found, code = diagnosis(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=vendor.url)

    assert (found["OpenAI key"]["ok"], found["OpenAI key"]["detail"]) == (True, "works")
    for part, model in (("prompts", "gpt-4o"), ("images", "gpt-image-2"), ("speech", "tts-1")):
        assert found[part]["ok"]
        assert found[part]["detail"].startswith(f"{model} at 127.0.0.1:{vendor.port}")
    assert code == 0
    assert vendor.listings == [KEY]
    assert vendor.calls == []


def test_a_refused_key_is_one_finding(diagnosis, vendor):
    """The key is what is wrong, not the three parts; no piece of it is shown."""
    vendor.key = "another"

    found, code = diagnosis(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=vendor.url)

    assert [name for name, finding in found.items() if finding["ok"] is False] == ["OpenAI key"]
    assert "OPENAI_API_KEY" in found["OpenAI key"]["remedy"]
    assert code == 3


def test_a_model_s_last_days_are_told(diagnosis, vendor, monkeypatch):
    """Within 60 days the date and the successor are named; before that, nothing."""
    soon = ends(monkeypatch, "tts-1", 59)
    ends(monkeypatch, "gpt-4o", 60)

    found, code = diagnosis(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=vendor.url)

    assert f"tts-1 will be switched off on {soon}. Its successor is" in found["speech"]["detail"]
    assert "switched off" not in found["prompts"]["detail"]
    assert code == 0


def test_a_model_whose_day_has_come_is_a_cross(diagnosis, vendor, monkeypatch):
    """The server's own word counts: what ended yesterday cannot be used."""
    ends(monkeypatch, "gpt-4o", -1)

    found, code = diagnosis(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=vendor.url)

    assert found["prompts"]["ok"] is False
    assert "VISIONPULSE_PROMPT_MODEL" in found["prompts"]["remedy"]
    assert code == 3


def test_a_model_that_is_not_listed_is_doubtful(diagnosis, vendor):
    """A compatible server may have it under a longer name: a question mark, and no failure."""
    found, code = diagnosis(
        OPENAI_API_KEY=KEY, OPENAI_BASE_URL=vendor.url, VISIONPULSE_IMAGE_MODEL="flux"
    )

    assert found["images"]["ok"] is None
    assert "flux is not among the models" in found["images"]["detail"]
    assert code == 0


def test_each_part_shows_its_own_server(diagnosis, vendor):
    """A server of its own is asked with its own key; OpenAI's key stays away from it."""
    with vendors.Vendor(key="own") as own:
        found, code = diagnosis(
            OPENAI_API_KEY=KEY,
            OPENAI_BASE_URL=vendor.url,
            VISIONPULSE_IMAGE_BASE_URL=own.url,
            VISIONPULSE_IMAGE_API_KEY="own",
            VISIONPULSE_SPEECH_BASE_URL=own.url,
        )

    assert f":{own.port}" in found["images"]["detail"]
    assert found["images"]["ok"]
    assert (found["speech"]["ok"], code) == (False, 3)
    assert "VISIONPULSE_SPEECH_API_KEY" in found["speech"]["remedy"]
    assert vendor.listings == [KEY]
    assert KEY not in own.listings


@pytest.mark.parametrize("arguments", [("--offline",), ("--provider", "offline")])
def test_nobody_is_asked_when_told_so(diagnosis, vendor, arguments):
    """`--offline` asks no server, nor does a provider that has none."""
    found, code = diagnosis(*arguments, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=vendor.url)

    assert vendor.listings == []
    assert found["OpenAI key"]["detail"] == "set"
    assert code == 0


def test_a_server_that_does_not_answer_fails_nothing(diagnosis, monkeypatch):
    """After a short while the doctor goes on: a question mark, with the reason."""
    monkeypatch.setattr(doctor, "_PATIENCE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        began = time.monotonic()
        found, code = diagnosis(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=address)

    assert time.monotonic() - began < 10
    assert [found[part]["ok"] for part in ("prompts", "images", "speech")] == [None] * 3
    assert "no answer within 0.3 s" in found["prompts"]["detail"]
    assert (found["OpenAI key"]["detail"], code) == ("set", 0)


def test_a_server_without_a_list_fails_nothing(diagnosis, vendor):
    """Many compatible servers have no `/models`."""
    found, code = diagnosis(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=f"{vendor.origin}/elsewhere")

    assert found["speech"]["ok"] is None
    assert "it has no list of models" in found["speech"]["detail"]
    assert code == 0


def test_three_servers_need_no_openai_key(diagnosis, vendor):
    """With a server for each part `auto` uses them, and no key is missed."""
    addresses = {
        f"VISIONPULSE_{part}_BASE_URL": vendor.url for part in ("PROMPT", "IMAGE", "SPEECH")
    }

    found, code = diagnosis(**addresses)
    some, failed = diagnosis("--provider", "openai", VISIONPULSE_PROMPT_BASE_URL=vendor.url)

    assert "gpt-image-2 at" in found["images"]["detail"]
    assert (found["OpenAI key"]["ok"], code) == (True, 0)
    assert (some["OpenAI key"]["ok"], failed) == (False, 3)


def test_signs_tell_yes_no_and_unknown(vendor):
    """For people: a tick, a cross, and a question mark for what nobody knows."""
    told = CliRunner().invoke(
        cli.app,
        ["doctor"],
        env={
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": vendor.url,
            "VISIONPULSE_IMAGE_MODEL": "flux",
            "VISIONPULSE_SPEECH_BASE_URL": "http://127.0.0.1:9/v1",
        },
    )

    signs = {line.split()[1]: line[0] for line in told.stdout.splitlines()}
    assert (signs["prompts"], signs["images"], signs["speech"]) == ("✓", "?", "?")
    assert "VISIONPULSE_IMAGE_MODEL" in told.stdout
