"""Every command: its output as text and as JSON, and its errors."""

import json
from pathlib import Path

import pytest

from tests.terminal.conftest import Terminal, draw

SPEED = 100


def test_looking_at_tasks(terminal: Terminal) -> None:
    terminal.athena("imagine", "a looked-for cat", "--out", "out")
    (line,) = terminal.athena("tasks", "--search", "looked-for").stdout.splitlines()
    assert "done" in line
    (task,) = json.loads(terminal.athena("tasks", "--search", "looked-for", "--json").stdout)
    shown = terminal.athena("show", task["id"]).stdout
    assert "U1, U2" in shown
    assert json.loads(terminal.athena("show", task["id"], "--json").stdout)["id"] == task["id"]
    saved = terminal.athena("show", task["id"], "--save", "--out", "again").stdout.splitlines()
    assert len(saved) == 5
    assert terminal.athena("open", task["id"], "--print").stdout.startswith("http")
    assert terminal.athena("seed", task["id"]).stdout.strip().isdecimal()
    assert "already finished" in terminal.athena("cancel", task["id"], code=4).stderr
    assert terminal.athena("tasks", "--status", "failed", "--search", "nothing").stdout == ""


def test_detaching_and_resuming(terminal: Terminal) -> None:
    task_id = terminal.athena("imagine", "a later cat", "--no-wait").stdout.strip()
    assert task_id.isdecimal()
    files = terminal.athena("show", task_id, "--wait", "--out", "later").stdout.splitlines()
    assert len(files) == 5
    result = json.loads(terminal.athena("imagine", "a cat", "--json", "--out", "later").stdout)
    assert result["status"] == "SUCCESS"
    assert len(result["files"]) == 5


def test_names_of_files(terminal: Terminal) -> None:
    command = ("imagine", "a named cat", "--out", "out", "--name", "{slug}/{tile}")
    files = [Path(line).relative_to("out").as_posix() for line in
             terminal.athena(*command).stdout.splitlines()]  # fmt: skip
    assert files[0] == "a-named-cat/grid.png"
    assert (
        "no_such"
        in terminal.athena("show", "last", "--save", "--name", "{no_such}{tile}", code=2).stderr
    )


def test_files_in_a_prompt_are_images(terminal: Terminal) -> None:
    draw(terminal.folder / "sketch.png", "red")
    result = json.loads(terminal.athena("imagine", "sketch.png in oil --ar 1:1", "--json").stdout)
    assert result["prompt"] == "in oil --ar 1:1"
    assert "s.mj.run" in result["words"]


def test_accounts(terminal: Terminal) -> None:
    assert "online" in terminal.athena("accounts").stdout
    assert "fast hours" in terminal.athena("info").stdout
    (account,) = json.loads(terminal.athena("info", "--json").stdout)
    assert account["properties"]["plan"] == "Standard"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("pan", "last", "sideways"), "left, right, up or down"),
        (("zoom", "last", "3"), "from 1 to 2"),
        (("animate", "last", "wild"), "high or low"),
        (("blend", "one.png"), "Two to five"),
        (("swap", "missing.png", "nothing.png"), "No such file: missing.png"),
        (("video",), "Give a prompt"),
        (("video", "waves", "--motion", "wild"), "low or high"),
        (("describe", "none.png"), "No such file: none.png"),
        (("region", "last", "none.png"), "No such file: none.png"),
        (("imagine", "x", "--name", "{job}"), "{tile}"),
    ],
)
def test_invalid_arguments_are_reported_at_once(
    terminal: Terminal, args: tuple[str, ...], said: str
) -> None:
    assert said in terminal.athena(*args, code=2).stderr


def test_a_failed_image_is_an_exit_code(terminal: Terminal) -> None:
    done = terminal.athena("imagine", 'x --notice "Banned prompt detected"', code=1)
    assert "Banned prompt detected" in done.stderr
    assert "not found" in terminal.athena("show", "1", code=4).stderr


def test_nothing_is_configured_and_no_server_runs(terminal: Terminal) -> None:
    done = terminal.athena("imagine", "x", code=3, ATHENA_SERVER_URL="http://127.0.0.1:9")
    assert "athena doctor" in done.stderr


def test_the_profile_names_a_server(terminal: Terminal) -> None:
    url = terminal.server.url
    terminal.athena("config", "init", "--server", url, typed="\n")
    profile = terminal.folder / "profile.toml"
    assert profile.stat().st_mode & 0o777 == 0o600
    done = terminal.athena("tasks", ATHENA_SERVER_URL="")
    assert done.returncode == 0
    assert "no-url" in terminal.athena("config", "init", "--server", "no-url", code=2).stderr


def test_config_init(terminal: Terminal) -> None:
    typed = "my-token\nnonsense\n1100000000000000001\n1100000000000000201\n"
    done = terminal.athena("config", "init", typed=typed)
    written = terminal.folder / ".env"
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.read_text().splitlines() == [
        "GUILD_ID=1100000000000000001", "CHANNEL_ID=1100000000000000201", "USER_TOKEN=my-token",
    ]  # fmt: skip
    assert "Copy Server ID" in done.stdout
    assert "Invalid id" in done.stdout
    assert "my-token" not in done.stdout + done.stderr
    assert "my-token" not in terminal.athena("config", "show").stdout


def test_the_doctor(terminal: Terminal) -> None:
    well = terminal.athena("doctor", "--simulate")
    assert "✗" not in well.stdout
    assert "Standard" in well.stdout
    ill = terminal.athena("doctor", "--json", code=1)
    findings = {each["what"]: each for each in json.loads(ill.stdout)}
    assert findings["settings"]["mark"] == "bad"
    assert "config init" in findings["settings"]["advice"]


def test_the_doctor_finds_a_refused_token(terminal: Terminal) -> None:
    simulator = terminal.server.simulator
    ways = {
        "ATHENA_DISCORD__API_URL": f"{simulator}/api/v9",
        "ATHENA_DISCORD__GATEWAY_URL": f"{simulator.replace('http', 'ws')}/gateway",
    }
    account = {"USER_TOKEN": "wrong-token", "GUILD_ID": "1" * 18, "CHANNEL_ID": "2" * 18}
    done = terminal.athena("doctor", code=1, **ways, **account)
    assert "✗ " + "2" * 18 + ": token" in done.stdout
    assert "wrong-token" not in done.stdout + done.stderr


def test_the_shell_reads_standard_input(terminal: Terminal) -> None:
    done = terminal.athena("shell", "--out", "out", typed="help\nqueue\nu1\nquit\n")
    assert "upscale, vary or reroll" in done.stdout
    assert "Idle" in done.stdout
    assert "no image yet" in done.stdout


def test_completion_is_there(terminal: Terminal) -> None:
    done = terminal.athena("--show-completion", "bash", code=None)
    assert "complete" in done.stdout + done.stderr
