"""Commands one by one: what they print, for people and as JSON, and how they fail."""

import json
from pathlib import Path

import pytest

from tests.terminal.conftest import Desk, draw

SPEED = 100


def test_looking_at_tasks(desk: Desk) -> None:
    desk.athena("imagine", "a looked-for cat", "--out", "out")
    (line,) = desk.athena("tasks", "--search", "looked-for").stdout.splitlines()
    assert "done" in line
    (task,) = json.loads(desk.athena("tasks", "--search", "looked-for", "--json").stdout)
    shown = desk.athena("show", task["id"]).stdout
    assert "U1, U2" in shown
    assert json.loads(desk.athena("show", task["id"], "--json").stdout)["id"] == task["id"]
    saved = desk.athena("show", task["id"], "--save", "--out", "again").stdout.splitlines()
    assert len(saved) == 5
    assert desk.athena("open", task["id"], "--print").stdout.startswith("http")
    assert desk.athena("seed", task["id"]).stdout.strip().isdecimal()
    assert "done already" in desk.athena("cancel", task["id"], code=4).stderr
    assert desk.athena("tasks", "--status", "failed", "--search", "nothing").stdout == ""


def test_not_waiting_and_coming_back(desk: Desk) -> None:
    task_id = desk.athena("imagine", "a later cat", "--no-wait").stdout.strip()
    assert task_id.isdecimal()
    files = desk.athena("show", task_id, "--wait", "--out", "later").stdout.splitlines()
    assert len(files) == 5
    told = json.loads(desk.athena("imagine", "a cat", "--json", "--out", "later").stdout)
    assert told["status"] == "SUCCESS"
    assert len(told["files"]) == 5


def test_names_of_files(desk: Desk) -> None:
    wish = ("imagine", "a named cat", "--out", "out", "--name", "{slug}/{tile}")
    files = [Path(line).relative_to("out").as_posix() for line in
             desk.athena(*wish).stdout.splitlines()]  # fmt: skip
    assert files[0] == "a-named-cat/grid.png"
    assert (
        "no_such"
        in desk.athena("show", "last", "--save", "--name", "{no_such}{tile}", code=2).stderr
    )


def test_files_in_a_prompt_are_images(desk: Desk) -> None:
    draw(desk.folder / "sketch.png", "red")
    told = json.loads(desk.athena("imagine", "sketch.png in oil --ar 1:1", "--json").stdout)
    assert told["prompt"] == "in oil --ar 1:1"
    assert "s.mj.run" in told["words"]


def test_accounts(desk: Desk) -> None:
    assert "online" in desk.athena("accounts").stdout
    assert "fast hours" in desk.athena("info").stdout
    (account,) = json.loads(desk.athena("info", "--json").stdout)
    assert account["properties"]["plan"] == "Standard"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("pan", "last", "sideways"), "left, right, up or down"),
        (("zoom", "last", "3"), "from 1 to 2"),
        (("animate", "last", "wild"), "high or low"),
        (("blend", "one.png"), "Two to five"),
        (("swap", "nobody.png", "nothing.png"), "no file nobody.png"),
        (("video",), "Say what happens"),
        (("video", "waves", "--motion", "wild"), "low or high"),
        (("describe", "none.png"), "no file none.png"),
        (("region", "last", "none.png"), "no file none.png"),
        (("imagine", "x", "--name", "{job}"), "{tile}"),
    ],
)
def test_bad_wishes_are_told_at_once(desk: Desk, args: tuple[str, ...], said: str) -> None:
    assert said in desk.athena(*args, code=2).stderr


def test_a_failed_image_is_an_exit_code(desk: Desk) -> None:
    done = desk.athena("imagine", 'x --notice "Banned prompt detected"', code=1)
    assert "Banned prompt detected" in done.stderr
    assert "not found" in desk.athena("show", "1", code=4).stderr


def test_nothing_is_configured_and_nobody_is_there(desk: Desk) -> None:
    done = desk.athena("imagine", "x", code=3, ATHENA_SERVER_URL="http://127.0.0.1:9")
    assert "athena doctor" in done.stderr


def test_the_profile_names_a_server(desk: Desk) -> None:
    url = desk.server.url
    desk.athena("config", "init", "--server", url, typed="\n")
    profile = desk.folder / "profile.toml"
    assert profile.stat().st_mode & 0o777 == 0o600
    done = desk.athena("tasks", ATHENA_SERVER_URL="")
    assert done.returncode == 0
    assert "no-url" in desk.athena("config", "init", "--server", "no-url", code=2).stderr


def test_config_asks_and_writes(desk: Desk) -> None:
    typed = "my-token\nnonsense\n1100000000000000001\n1100000000000000201\n"
    done = desk.athena("config", "init", typed=typed)
    written = desk.folder / ".env"
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.read_text().splitlines() == [
        "GUILD_ID=1100000000000000001", "CHANNEL_ID=1100000000000000201", "USER_TOKEN=my-token",
    ]  # fmt: skip
    assert "Copy Server ID" in done.stdout
    assert "no id" in done.stdout
    assert "my-token" not in done.stdout + done.stderr
    assert "my-token" not in desk.athena("config", "show").stdout


def test_the_doctor(desk: Desk) -> None:
    well = desk.athena("doctor", "--simulate")
    assert "✗" not in well.stdout
    assert "Standard" in well.stdout
    ill = desk.athena("doctor", "--json", code=1)
    findings = {each["what"]: each for each in json.loads(ill.stdout)}
    assert findings["settings"]["mark"] == "bad"
    assert "config init" in findings["settings"]["advice"]


def test_the_doctor_finds_a_refused_token(desk: Desk) -> None:
    simulator = desk.server.simulator
    ways = {
        "ATHENA_DISCORD__API_URL": f"{simulator}/api/v9",
        "ATHENA_DISCORD__GATEWAY_URL": f"{simulator.replace('http', 'ws')}/gateway",
    }
    account = {"USER_TOKEN": "wrong-token", "GUILD_ID": "1" * 18, "CHANNEL_ID": "2" * 18}
    done = desk.athena("doctor", code=1, **ways, **account)
    assert "✗ " + "2" * 18 + ": token" in done.stdout
    assert "wrong-token" not in done.stdout + done.stderr


def test_the_shell_reads_a_pipe(desk: Desk) -> None:
    done = desk.athena("shell", "--out", "out", typed="help\nqueue\nu1\nquit\n")
    assert "upscale, vary or reroll" in done.stdout
    assert "Nothing is being made" in done.stdout
    assert "no image of this shell yet" in done.stdout


def test_completion_is_there(desk: Desk) -> None:
    done = desk.athena("--show-completion", "bash", code=None)
    assert "complete" in done.stdout + done.stderr
