"""The simulator's Midjourney bot, action by action."""

import io
import re
from collections.abc import AsyncIterator, Callable

import pytest
from PIL import Image
from tests.unit.simulator.recording import USER, BotSession, Recorder

from athena.simulator.bots.index import MIDJOURNEY, NIJI, commands_of
from athena.simulator.bots.midjourney import Midjourney
from athena.simulator.stage import Draft, Json

Open = Callable[..., BotSession]


@pytest.fixture
async def open_session() -> AsyncIterator[Open]:
    sessions: list[BotSession] = []

    def make(plan: str = "basic", seed: int = 7, speed: float = 1.0) -> BotSession:
        stage = Recorder()
        bot = Midjourney(stage, lambda _: plan, seed=seed, speed=speed)
        sessions.append(BotSession(stage, bot))
        return sessions[-1]

    yield make
    for session in sessions:
        await session.bot.close()


async def grid(session: BotSession, prompt: str = "a cat") -> Json:
    session.imagine(prompt)
    await session.finish()
    return session.jobs()[-1]


def ids(draft: Draft) -> list[str]:
    return [part.get("custom_id", part.get("url")) for row in draft.components
            for part in row["components"]]  # fmt: skip


def image(draft: Draft) -> Image.Image:
    drawn = Image.open(io.BytesIO(draft.drawings[0].draw()))
    drawn.load()
    return drawn


async def test_imagine_goes_through_all_forms(open_session: Open) -> None:
    session = open_session()
    job = await grid(session, "a cat --v 7")
    stage, name = session.stage, f"**a cat --v 7.0** - <@{USER}>"
    first, *steps = stage.drafts[:8]
    assert stage.acts[0] == ("respond", "100", f"{name} (Waiting to start)")
    assert ids(first) == [f"MJ::CancelJob::ByJobid::{job['id']}"]
    assert [draft.content for draft in steps] == [
        f"{name} ({n}%) (fast)" for n in (0, 15, 31, 46, 62, 78, 93)
    ]
    assert stage.whats()[:8] == ["respond"] + ["edit"] * 7
    assert sorted(stage.whats()[8:]) == ["delete", "post"]
    names = {drawn.filename for draft in steps for drawn in draft.drawings}
    assert names <= {f"{job['id']}_grid_0.webp"}


async def test_the_result_of_an_imagine(open_session: Open) -> None:
    session = open_session()
    job = await grid(session)
    (result,) = session.stage.messages.values()
    assert (result["call"], result["reply"]) == (job["interaction"], None)
    final = session.stage.drafts[-1]
    site = rf"( \[\(Open on website for full quality\)\]\(<\S+{job['id']}>\))?"
    assert re.fullmatch(rf"\*\*a cat --v 7\.0\*\* - <@{USER}>{site} \(fast\)", final.content)
    of = [f"MJ::JOB::{kind}::{n}::{job['id']}" for kind in ("upsample", "variation")
          for n in range(1, 5)]  # fmt: skip
    assert ids(final) == [*of[:4], f"MJ::JOB::reroll::0::{job['id']}::SOLO", *of[4:]]
    assert final.drawings[0].filename == f"ada_a_cat_{job['id']}.png"
    drawn = image(final)
    assert drawn.size == (2048, 2048)
    assert (drawn.info["Job"], drawn.info["Tile"]) == (job["id"], "0")


async def test_what_differs_from_job_to_job_is_seen(open_session: Open) -> None:
    session = open_session()
    for number in range(24):
        await grid(session, f"cat {number}")
    acts, drafts = session.stage.whats(), session.stage.drafts
    orders = {tuple(acts[n : n + 2]) for n in range(8, len(acts), 10)}
    assert orders == {("delete", "post"), ("post", "delete")}
    finals = [draft for draft in drafts if draft.content.endswith(">) (fast)")]
    assert 0 < len(finals) < 24
    steps = [draft for draft in drafts if "(31%)" in draft.content]
    assert {bool(draft.drawings) for draft in steps} == {True, False}


async def test_times_are_those_of_the_mode(open_session: Open) -> None:
    for flag, low, high in (("", 15, 40.3), ("--turbo", 6, 12.3), ("--relax", 30, 120.3)):
        session = open_session()
        await grid(session, f"a cat {flag}")
        assert low < session.stage.clock.monotonic() < high
    session = open_session(speed=float("inf"))
    await grid(session)
    assert session.stage.clock.monotonic() == 0
    assert session.stage.whats()[:8] == ["respond"] + ["edit"] * 7


async def test_the_mode_is_shown(open_session: Open) -> None:
    session = open_session()
    await grid(session, "a cat --relax --stealth")
    assert session.stage.saying("** - <@42> (31%) (relaxed, stealth)")
    assert "relax" not in session.jobs()[0]["prompt"]


async def test_u2_is_the_second_tile(open_session: Open) -> None:
    session = open_session()
    parent = await grid(session, "a cat --ar 3:2")
    whole = image(session.stage.drafts[-1])
    began = session.stage.clock.monotonic()
    press = session.press(f"MJ::JOB::upsample::2::{parent['id']}")
    await session.finish()
    job = session.jobs()[-1]
    assert 1 <= session.stage.clock.monotonic() - began <= 3.3
    assert (job["parent"], job["index"], job["kind"]) == (parent["id"], 2, "upscale")
    assert job["id"] != parent["id"]
    final = session.stage.saying("Image #2 <@")[-1]
    assert final.content == f"**a cat --ar 3:2 --v 7.0** - Image #2 <@{USER}>"
    tile = image(final)
    wide, high = tile.size
    assert tile.tobytes() == whole.crop((wide, 0, 2 * wide, high)).tobytes()
    assert (tile.info["Tile"], tile.info["Parent"]) == ("2", parent["id"])
    result = [each for each in session.stage.messages.values() if "Image #2" in each["content"]]
    assert [(each["reply"], each["call"]) for each in result] == [("pressed", press.id)]


async def test_a_single_image_offers_what_its_model_can(open_session: Open) -> None:
    session = open_session()
    for ratio, square in (("3:2", False), ("1:1", True)):
        parent = await grid(session, f"a cat --ar {ratio} --v 6.1")
        session.press(f"MJ::JOB::upsample::1::{parent['id']}")
        await session.finish()
        job = session.jobs()[-1]["id"]
        offered = ids(session.stage.saying("Image #1 <@")[-1])
        assert f"MJ::JOB::upsample_v6r1_2x_subtle::1::{job}::SOLO" in offered
        assert (f"MJ::Outpaint::100::1::{job}::SOLO" in offered) is not square
        assert f"https://www.midjourney.com/jobs/{job}?index=0" in offered
        assert all(job in each for each in offered)


async def test_upscales_come_with_and_without_a_first_message(open_session: Open) -> None:
    session = open_session()
    parent = await grid(session)
    said = len(session.stage.acts)
    for _ in range(12):
        session.press(f"MJ::JOB::upsample::4::{parent['id']}")
        await session.finish()
    firsts = {what for what in session.stage.whats()[said:] if what in ("succeed", "respond")}
    assert firsts == {"succeed", "respond"}
    waiting = f"Upscaling image #4 with **a cat --v 7.0** - <@{USER}> (Waiting to start)"
    assert session.stage.saying(waiting)


@pytest.mark.parametrize(
    ("button", "lead", "kind"),
    [
        ("variation::3::{}", "Making variations for image #3 with prompt ", "variation"),
        ("reroll::0::{}::SOLO", "Rerolling ", "reroll"),
    ],
)
async def test_new_grids_from_buttons(
    open_session: Open, button: str, lead: str, kind: str
) -> None:
    session = open_session()
    parent = await grid(session)
    before = image(session.stage.drafts[-1]).tobytes()
    session.press("MJ::JOB::" + button.format(parent["id"]))
    await session.finish()
    job = session.jobs()[-1]
    assert (job["parent"], job["kind"]) == (parent["id"], kind)
    assert session.stage.saying(f"{lead}**a cat --v 7.0** - <@{USER}> (Waiting to start)")
    final = session.stage.drafts[-1]
    assert (" - Variations " in final.content) is (kind == "variation")
    assert f"MJ::JOB::reroll::0::{job['id']}::SOLO" in ids(final)
    after = image(final)
    assert after.tobytes() != before
    assert after.info["Parent"] == parent["id"]


async def test_variations_have_two_forms(open_session: Open) -> None:
    session = open_session()
    parent = await grid(session)
    for _ in range(10):
        session.press(f"MJ::JOB::variation::1::{parent['id']}")
        await session.finish()
    assert session.stage.saying(" - Variations (Strong) by <@42>")
    assert session.stage.saying(" - Variations by <@42>")


async def test_cancel_stops_the_job_and_frees_its_slot(open_session: Open) -> None:
    session = open_session()
    for number in range(4):
        session.imagine(f"cat {number}")
    await session.turn(8)
    first, *_, last = session.jobs()
    press = session.press(f"MJ::CancelJob::ByJobid::{first['id']}")
    await session.turn(0.5)
    assert ("succeed", press.id, "") in session.stage.acts
    (stopped,) = session.stage.saying("(Stopped)")
    assert stopped.content == f"**{first['prompt']}** - <@{USER}> (Stopped)"
    assert not stopped.components
    assert session.bot.state()["running"] == {USER: 3}
    assert session.stage.saying(f"**{last['prompt']}** - <@{USER}> (Waiting to start)")
    await session.finish()
    results = [draft for draft in session.stage.drafts if draft.content.endswith("(fast)")
               and "%" not in draft.content]  # fmt: skip
    assert len(results) == 3


async def test_a_job_that_is_done_or_anothers_cannot_be_cancelled(open_session: Open) -> None:
    session = open_session()
    session.imagine()
    await session.turn(3)
    job = session.jobs()[0]["id"]
    session.press(f"MJ::CancelJob::ByJobid::{job}", user="another")
    await session.finish()
    session.press(f"MJ::CancelJob::ByJobid::{job}")
    await session.finish()
    refusals = session.stage.saying("Job action restricted")
    assert [draft.ephemeral for draft in refusals] == [True, True]
    assert not session.stage.saying("(Stopped)")


@pytest.mark.parametrize(
    ("plan", "flag", "slots"),
    [("basic", "", 3), ("standard", "", 3), ("pro", "", 12), ("mega", "", 12),
     ("pro", " --relax", 3)],
)  # fmt: skip
async def test_a_plan_gives_slots_and_ten_may_wait(
    open_session: Open, plan: str, flag: str, slots: int
) -> None:
    session = open_session(plan)
    for number in range(slots + 11):
        session.imagine(f"cat {number}{flag}")
    session.imagine("of another user", user="other")
    await session.turn(1)
    state = session.bot.state()
    assert (state["running"], state["waiting"]) == (
        {USER: slots, "other": 1}, {USER: 10, "other": 0},
    )  # fmt: skip
    queued, full = session.stage.saying("Job queued"), session.stage.saying("Queue full")
    assert (len(queued), len(full)) == (10, 1)
    assert (queued[0].ephemeral, queued[0].embeds[0]["color"]) == (True, 16776960)
    await session.finish()
    state = session.bot.state()
    assert (state["made"], state["most_running"][USER]) == (slots + 11, slots)
    assert state["waiting"][USER] == state["running"][USER] == 0
    posts = [text for what, _, text in session.stage.acts if what == "post"]
    assert sum(text.endswith((" (fast)", " (relaxed)")) for text in posts) == slots + 11
    assert sum(text.endswith("(Waiting to start)") for text in posts) == 10


async def test_fast_jobs_pass_relaxed_ones_that_wait(open_session: Open) -> None:
    session = open_session("pro")
    for number in range(4):
        session.imagine(f"slow {number} --relax")
    session.imagine("quick")
    await session.turn(1)
    assert session.bot.state()["running"] == {USER: 4}
    assert session.stage.saying("**quick --v 7.0** - <@42> (Waiting to start)")


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("", "Empty prompt"),
        ("a cat --ar 0:0", "Invalid parameter"),
        ("gore", "Banned prompt detected"),
    ],
)
async def test_a_refused_prompt_makes_no_job(open_session: Open, prompt: str, title: str) -> None:
    session = open_session()
    session.imagine(prompt)
    await session.finish()
    (said,) = session.stage.drafts
    assert (said.embeds[0]["title"], said.embeds[0]["color"]) == (title, 16711680)
    assert said.ephemeral
    assert session.bot.state()["made"] == 0


@pytest.mark.parametrize(
    ("model", "upscalers"),
    [
        ("--v 4", ["upsample_light", "upsample_beta"]),
        ("--v 5.2", ["upsample_v5_2x", "upsample_v5_4x"]),
        ("--v 6", ["upsample_v6_2x_subtle", "upsample_v6_2x_creative"]),
        ("--v 6.1", ["upsample_v6r1_2x_subtle", "upsample_v6r1_2x_creative"]),
        ("--v 7", ["upsample_v7_2x_subtle", "upsample_v7_2x_creative"]),
        ("--v 8.1", ["upsample_v8_2x_subtle", "upsample_v8_2x_creative"]),
        ("--niji 6", ["upsample_v6r1_2x_subtle", "upsample_v6r1_2x_creative"]),
    ],
)
async def test_each_model_has_its_upscalers(
    open_session: Open, model: str, upscalers: list[str]
) -> None:
    session = open_session()
    parent = await grid(session, f"a cat {model}")
    session.press(f"MJ::JOB::upsample::1::{parent['id']}")
    await session.finish()
    job = session.jobs()[-1]["id"]
    offered = ids(session.stage.saying("Image #1 <@")[-1])
    assert offered[:2] == [f"MJ::JOB::{each}::1::{job}::SOLO" for each in upscalers]


async def test_what_is_not_played_is_refused(open_session: Open) -> None:
    session = open_session()
    await grid(session)
    session.press("MJ::RATE::x")
    session.press("MJ::JOB::upsample::1::00000000-0000-4000-8000-000000000000")
    call = session.call(2, name="subscribe")
    await session.finish()
    titles = [draft.embeds[0]["title"] for draft in session.stage.drafts if draft.embeds]
    assert sorted(titles) == ["Internal error", "Job action restricted"]
    assert ("fail", call.id, "0") in session.stage.acts


async def test_the_same_seed_plays_the_same_evening(open_session: Open) -> None:
    def acts(session: BotSession) -> list[tuple[str, str, str]]:
        return session.stage.acts

    sessions = [open_session(), open_session(), open_session(seed=8)]
    for session in sessions:
        for number in range(5):
            session.imagine(f"cat {number}")
        await session.finish()
    first, same, other = sessions
    assert acts(first) == acts(same)
    assert first.jobs() == same.jobs()
    assert {job["id"] for job in first.jobs()}.isdisjoint(job["id"] for job in other.jobs())
    drawn = [session.stage.drafts[-1].drawings[0].draw() for session in sessions]
    assert drawn[0] == drawn[1] != drawn[2]


async def test_job_ids_do_not_depend_on_the_speed(open_session: Open) -> None:
    slow, instant = open_session(), open_session(speed=float("inf"))
    for session in (slow, instant):
        await grid(session)
        await grid(session, "a dog")
    assert [job["id"] for job in slow.jobs()] == [job["id"] for job in instant.jobs()]


async def test_a_job_that_fails_frees_its_slot(
    open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_session()

    def broken(*_: object) -> None:
        raise RuntimeError("the stage is broken")

    monkeypatch.setattr(session.stage, "edit", broken)
    session.imagine()
    await session.finish()
    assert session.bot.state()["running"] == {USER: 0}


async def test_closing_ends_every_job_and_starts_no_other(open_session: Open) -> None:
    session = open_session()
    for number in range(6):
        session.imagine(f"cat {number}")
    await session.turn(2)
    said = len(session.stage.acts)
    await session.bot.close()
    await session.finish()
    assert len(session.stage.acts) == said


def test_the_command_index() -> None:
    index = {entry["name"]: entry for entry in commands_of(MIDJOURNEY)}
    imagine = index["imagine"]
    assert (imagine["id"], imagine["version"]) == ("938956540159881230", "1237876415471554623")
    assert [option["name"] for option in imagine["options"]] == ["prompt"]
    required = [o["name"] for o in index["blend"]["options"] if o["required"]]
    assert required == ["image1", "image2"]
    entries = [*index.values(), *commands_of(NIJI)]
    assert len({entry["id"] for entry in entries}) == len(entries) == 30
