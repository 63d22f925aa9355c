"""How `athena read` interprets messages: every form, and invalid input."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from athena.midjourney.explain import NotAMessage, explain
from athena.terminal.app import app

JOB = "0f3b1c9e-6a57-4f0e-9c1d-2b7e8a4d5c61"
CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "messages.jsonl"
FIXTURES = Path(__file__).with_name("forms.jsonl")


def lines(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("said", lines(FIXTURES) + lines(CORPUS))
def test_each_form_is_understood(said: dict[str, Any]) -> None:
    result = explain(said)
    wanted = {name: value for name, value in said["expected"].items() if value is not None}
    assert {name: result.get(name) for name in wanted} == wanted
    absent = {name for name, value in said["expected"].items() if value is None}
    assert not absent & result.keys()


PIECES = [
    "**", "** - ", "<@42>", "(fast)", "(31%)", "(Waiting to start)", " - ", "Variations by ",
    "Image #2 ", "\n", "-# Create, explore", "猫", "مرحبا", "🎨", "a cat", "--ar 3:2",
    "[(Open)](<x>)", "**a** - <@42> (31%) (fast)",
    "Upscaling image #1 with ", "Blocked", "1️⃣ ", "**seed** 1", "**Job ID**: " + JOB, "`", "\x00",
    "(", ")", "<", ">", "#", "_", "relaxed", "99999%", "(0%) (relaxed, stealth)", "You have",
    "Done! ", "Remix mode turned on", "MJ::JOB::upsample::1::" + JOB, "Your info - x", "‮",
]  # fmt: skip


def odd(dice: random.Random) -> str:
    if dice.random() < 0.001:
        return dice.choice(PIECES) * 3000
    return "".join(dice.choice(PIECES) for _ in range(dice.randrange(12)))


def message(dice: random.Random) -> dict[str, Any]:
    """A random message with the types that Discord uses."""
    embed = {
        "title": odd(dice),
        "description": odd(dice),
        "color": dice.choice([None, 16711680, 1]),
    }
    button = {"type": 2, "custom_id": odd(dice), "label": odd(dice), "style": dice.randrange(6)}
    return {
        "id": "1",
        "type": dice.choice([0, 19, 20]),
        "content": odd(dice),
        "flags": dice.choice([0, 64, 128]),
        "author": dice.choice([None, {"id": "1090660574196674713"}, {"id": "1"}]),
        "embeds": [embed] * dice.randrange(2),
        "components": [{"type": 1, "components": [button]}] * dice.randrange(2),
        "attachments": [{"id": "1", "filename": odd(dice), "url": odd(dice)}] * dice.randrange(2),
    }


def test_a_hundred_thousand_odd_messages_raise_nothing() -> None:
    dice = random.Random(7)
    states = {explain(message(dice))["state"] for _ in range(100_000)}
    assert states >= {"waiting", "progress", "done", "notice", "account_down", "failed", "unknown"}


@pytest.mark.parametrize(
    "said", [{}, {"expected": 1}, {"content": 5}, {"embeds": "x"}, {"id": "1"}]
)
def test_what_is_no_message_is_said_so(said: dict[str, Any]) -> None:
    with pytest.raises(NotAMessage):
        explain(said)


def test_the_command_reads_a_file_or_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    file.write_text('{"content": "**a 猫** - <@1> (31%) (fast)"}\n\n{"filename": "x.png"}\n')
    run = CliRunner().invoke
    wanted = (
        '{"action": "IMAGINE", "state": "progress", "prompt": "a 猫", "progress": 31, '
        '"mode": "fast"}\n{}\n'
    )
    result = run(app, ["read", str(file)])
    assert (result.exit_code, result.stdout) == (0, wanted)
    for arguments in (["read"], ["read", "-"]):
        result = run(app, arguments, input=file.read_text())
        assert (result.exit_code, result.stdout) == (0, wanted)


def test_lines_that_are_no_message_are_told_and_counted(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["read"], input='nonsense\n[1]\n{"content": "x"}\n')
    assert result.exit_code == 1
    out = [json.loads(line) for line in result.stdout.splitlines()]
    assert ["error" in each for each in out] == [True, True, False]
    assert "2" in result.stderr
    missing = CliRunner().invoke(app, ["read", str(tmp_path / "none.jsonl")])
    assert (missing.exit_code, "none.jsonl" in missing.stderr) == (2, True)
