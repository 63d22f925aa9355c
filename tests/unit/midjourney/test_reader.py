"""The bots' language, form by form, and against whatever a prompt may hold."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.discord import wire
from athena.midjourney import buttons, jobtext, notices, reader
from athena.midjourney.jobtext import JobState as State
from athena.tasks.bot_events import Finished, Notice, Progress, Unknown, Verdict, Waiting
from athena.tasks.model import Action

JOB = "0f3b1c9e-6a57-4f0e-9c1d-2b7e8a4d5c61"
USER = "<@1000000000000000001>"
SITE = f"[(Open on website for full quality)](<https://midjourney.com/jobs/{JOB}>)"

FORMS = [
    (f" - {USER} (Waiting to start)", Action.IMAGINE, State.WAITING, None, None),
    (f" - {USER} (31%) (fast)", Action.IMAGINE, State.PROGRESS, 31, "fast"),
    (f" - {USER} (fast 25%)", Action.IMAGINE, State.PROGRESS, 25, "fast"),
    (
        f" - {USER} (0%) (relaxed, stealth)",
        Action.IMAGINE,
        State.PROGRESS,
        0,
        "relaxed, stealth",
    ),
    (f" - {USER} (paused) (relaxed)", Action.IMAGINE, State.PROGRESS, None, "relaxed"),
    (f" - {USER} (Stopped)", Action.IMAGINE, State.STOPPED, None, None),
    (f" - {USER} (turbo)", Action.IMAGINE, State.DONE, None, "turbo"),
    (f" - {USER} {SITE} (fast)", Action.IMAGINE, State.DONE, None, "fast"),
    (f" - Variations by {USER} (46%) (fast)", Action.VARIATION, State.PROGRESS, 46, "fast"),
    (
        f" - Variations (Strong) by {USER} {SITE} (fast)",
        Action.VARIATION,
        State.DONE,
        None,
        "fast",
    ),
    (f" - Remix (Subtle) by {USER} (relaxed)", Action.VARIATION, State.DONE, None, "relaxed"),
    (f" - Image #3 {USER}", Action.UPSCALE, State.DONE, None, None),
    (f" - Upscaling (2x) by {USER} (62%) (fast)", Action.UPSCALE, State.PROGRESS, 62, "fast"),
    (f" - Zoom Out by {USER} (15%) (turbo)", Action.ZOOM, State.PROGRESS, 15, "turbo"),
    (f" - Pan Left by {USER} (relaxed)", Action.PAN, State.DONE, None, "relaxed"),
]

awkward = st.text(max_size=80) | st.sampled_from(
    [
        "",
        "a (very) odd [title] - with dashes - and *stars*",
        "sign that says **OPEN** --ar 1:1",
        f"quoting **a cat** - {USER} (fast)",
        "two lines\nof prompt",
        "价格 <@42> & مرحبا 🎨 ** - <@1> (99%)",
        "x" * 6000,
    ]
)


@pytest.mark.parametrize(("tail", "action", "state", "percent", "mode"), FORMS)
@given(prompt=awkward)
def test_the_last_matching_tail_decides_and_the_prompt_is_exact(
    tail: str, action: Action, state: State, percent: int | None, mode: str | None, prompt: str
) -> None:
    said = jobtext.read(f"**{prompt}**{tail}")
    assert said is not None
    assert said.prompt == prompt
    assert (said.action, said.state, said.percent, said.mode) == (action, state, percent, mode)


@pytest.mark.parametrize(
    ("lead", "action", "index"),
    [
        ("Making variations for image #3 with prompt ", Action.VARIATION, 3),
        ("Upscaling image #2 with ", Action.UPSCALE, 2),
        ("Rerolling ", Action.REROLL, None),
        ("Creating video with prompt ", Action.VIDEO, None),
    ],
)
def test_leads(lead: str, action: Action, index: int | None) -> None:
    said = jobtext.read(f"{lead}**a lighthouse** - {USER} (Waiting to start)")
    assert said is not None
    assert (said.action, said.index, said.state) == (action, index, State.WAITING)


def test_a_second_line_of_promotion_is_ignored() -> None:
    said = jobtext.read(
        f"**a cat** - {USER} (fast)\n-# Create, explore, and organize on [midjourney.com](<https://x>)"
    )
    assert said is not None
    assert (said.state, said.prompt) == (State.DONE, "a cat")


@given(st.text(max_size=300))
def test_nothing_raises(content: str) -> None:
    message = wire.Message(id="1", content=content, author=wire.User(id="936929561302675456"))
    assert reader.read(message) is not None


def message(content: str, **fields: object) -> wire.Message:
    author = wire.User(id="936929561302675456")
    whole = {"id": "600", "channel_id": "5", "content": content, **fields}
    return msgspec.structs.replace(msgspec.convert(whole, wire.Message), author=author)


PICTURE = {"id": "1", "filename": f"ada_a_cat_{JOB}.png", "url": "https://cdn/x.png"}


def test_done_without_an_image_is_not_finished() -> None:
    assert isinstance(reader.read(message(f"**a cat** - {USER} (fast)")), Progress)
    seen = reader.read(message(f"**a cat** - {USER} (fast)", attachments=[PICTURE]))
    assert isinstance(seen, Finished)
    assert seen.evidence.job == JOB


def test_the_cancel_button_tells_the_job_and_is_not_the_user_s() -> None:
    row = {"type": 1, "components": [{"type": 2, "custom_id": buttons.cancel_button(JOB)}]}
    seen = reader.read(message(f"**a cat** - {USER} (Waiting to start)", components=[row]))
    assert isinstance(seen, Waiting)
    assert seen.evidence.job == JOB
    assert seen.shown.buttons == ()


def test_an_unclear_mark_is_unknown_unless_the_result_is_there() -> None:
    text = f"**a cat** - {USER} (Developing)"
    assert isinstance(reader.read(message(text)), Unknown)
    row = {"type": 1, "components": [{"type": 2, "custom_id": f"MJ::JOB::upsample::1::{JOB}"}]}
    seen = reader.read(message(text, attachments=[PICTURE], components=[row]))
    assert isinstance(seen, Finished)


def test_others_messages() -> None:
    mine = reader.read(message(f"**a cat** - {USER} (31%) (fast)"), me="1000000000000000001")
    theirs = reader.read(message(f"**a cat** - {USER} (31%) (fast)"), me="7")
    assert mine is not None
    assert mine.evidence.own
    assert theirs is not None
    assert not theirs.evidence.own
    assert reader.read(wire.Message(id="1", author=wire.User(id="42"))) is None


@pytest.mark.parametrize(
    ("embed", "verdict"),
    [
        ({"title": "Invalid parameter"}, Verdict.FAILED),
        ({"title": "Banned prompt detected"}, Verdict.MODERATED),
        ({"title": "Slow Down!"}, Verdict.RETRY),
        ({"title": "Job queued", "color": 16776960}, Verdict.NOTICE),
        ({"title": "Credits exhausted"}, Verdict.ACCOUNT_DOWN),
        ({"title": "Action required to continue"}, Verdict.HUMAN_CHECK),
        ({"title": "Never seen before", "color": 16711680}, Verdict.FAILED),
        ({"title": "Your info - ada"}, None),
    ],
)
def test_notices(embed: dict[str, object], verdict: Verdict | None) -> None:
    assert notices.verdict_of(msgspec.convert(embed, wire.Embed)) is verdict
    seen = reader.read(message("", embeds=[embed]))
    assert isinstance(seen, Notice) is (verdict is not None)


@pytest.mark.parametrize(
    ("filename", "job"),
    [
        (f"maker_one_a_lighthouse_{JOB}.png", JOB),
        (f"u22.name_x_a_{JOB}.webp", JOB),
        (f"{JOB}_grid_0.webp", JOB),
        (f"{JOB}_2_step_14.jpeg", JOB),
        ("grid_0.webp", None),
    ],
)
def test_the_job_in_a_file_s_name(filename: str, job: str | None) -> None:
    assert reader.job_of_file(filename) == job


CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "messages.jsonl"
STATES = {State.STOPPED: "failed"}


if CORPUS.exists():

    @pytest.mark.parametrize("line", CORPUS.read_text("utf-8").splitlines())
    def test_the_shared_corpus(line: str) -> None:
        entry = json.loads(line)
        assert _understood(entry).items() >= _comparable(entry).items()


def _comparable(entry: dict[str, dict[str, object]]) -> dict[str, object]:
    expected = dict(entry["expected"])
    expected.pop("title", None)
    if expected.get("state") == "notice" and expected.get("action", "") is None:
        expected.pop("state")
    return expected


def _understood(entry: dict[str, str]) -> dict[str, object]:
    match entry["kind"]:
        case "content":
            said = jobtext.read(entry["content"])
            if said is None:
                return {"action": None, "prompt": None}
            state = STATES.get(said.state, said.state.value)
            return {
                "action": said.action.value,
                "state": state,
                "prompt": said.prompt,
                "progress": said.percent,
                "mode": said.mode,
                "index": said.index,
            }
        case "embed":
            verdict = notices.verdict_of(msgspec.convert(entry["embed"], wire.Embed))
            return {"state": verdict and verdict.value}
        case "filename":
            return {"job": reader.job_of_file(entry["filename"])}
        case _:
            meaning = buttons.meaning(entry["custom_id"])
            action = meaning.action and meaning.action.value
            return {"action": action, "modal": meaning.modal, "supported": meaning.supported}
