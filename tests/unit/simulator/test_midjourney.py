"""What the stand-in's Midjourney does on the stage, act by act."""

import io
import re
from collections.abc import AsyncIterator, Callable

import pytest
from PIL import Image
from tests.unit.simulator.recording import USER, Evening, Recorder

from athena.simulator.bots.index import MIDJOURNEY, NIJI, commands_of
from athena.simulator.bots.midjourney import Midjourney
from athena.simulator.stage import Draft, Json

Open = Callable[..., Evening]


@pytest.fixture
async def open_evening() -> AsyncIterator[Open]:
    evenings: list[Evening] = []

    def make(plan: str = "basic", seed: int = 7, speed: float = 1.0) -> Evening:
        stage = Recorder()
        bot = Midjourney(stage, lambda _: plan, seed=seed, speed=speed)
        evenings.append(Evening(stage, bot))
        return evenings[-1]

    yield make
    for evening in evenings:
        await evening.bot.close()


async def grid(evening: Evening, prompt: str = "a cat") -> Json:
    evening.imagine(prompt)
    await evening.finish()
    return evening.jobs()[-1]


def ids(draft: Draft) -> list[str]:
    return [part.get("custom_id", part.get("url")) for row in draft.components
            for part in row["components"]]  # fmt: skip


def picture(draft: Draft) -> Image.Image:
    drawn = Image.open(io.BytesIO(draft.drawings[0].draw()))
    drawn.load()
    return drawn


async def test_imagine_goes_through_all_forms(open_evening: Open) -> None:
    evening = open_evening()
    job = await grid(evening, "a cat --v 7")
    stage, name = evening.stage, f"**a cat --v 7.0** - <@{USER}>"
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


async def test_the_result_of_an_imagine(open_evening: Open) -> None:
    evening = open_evening()
    job = await grid(evening)
    (result,) = evening.stage.messages.values()
    assert (result["call"], result["reply"]) == (job["interaction"], None)
    final = evening.stage.drafts[-1]
    site = rf"( \[\(Open on website for full quality\)\]\(<\S+{job['id']}>\))?"
    assert re.fullmatch(rf"\*\*a cat --v 7\.0\*\* - <@{USER}>{site} \(fast\)", final.content)
    of = [f"MJ::JOB::{kind}::{n}::{job['id']}" for kind in ("upsample", "variation")
          for n in range(1, 5)]  # fmt: skip
    assert ids(final) == [*of[:4], f"MJ::JOB::reroll::0::{job['id']}::SOLO", *of[4:]]
    assert final.drawings[0].filename == f"ada_a_cat_{job['id']}.png"
    drawn = picture(final)
    assert drawn.size == (2048, 2048)
    assert (drawn.info["Job"], drawn.info["Tile"]) == (job["id"], "0")


async def test_what_differs_from_job_to_job_is_seen(open_evening: Open) -> None:
    evening = open_evening()
    for number in range(24):
        await grid(evening, f"cat {number}")
    acts, drafts = evening.stage.whats(), evening.stage.drafts
    orders = {tuple(acts[n : n + 2]) for n in range(8, len(acts), 10)}
    assert orders == {("delete", "post"), ("post", "delete")}
    finals = [draft for draft in drafts if draft.content.endswith(">) (fast)")]
    assert 0 < len(finals) < 24
    steps = [draft for draft in drafts if "(31%)" in draft.content]
    assert {bool(draft.drawings) for draft in steps} == {True, False}


async def test_times_are_those_of_the_mode(open_evening: Open) -> None:
    for flag, low, high in (("", 15, 40.3), ("--turbo", 6, 12.3), ("--relax", 30, 120.3)):
        evening = open_evening()
        await grid(evening, f"a cat {flag}")
        assert low < evening.stage.clock.monotonic() < high
    evening = open_evening(speed=float("inf"))
    await grid(evening)
    assert evening.stage.clock.monotonic() == 0
    assert evening.stage.whats()[:8] == ["respond"] + ["edit"] * 7


async def test_the_mode_is_shown(open_evening: Open) -> None:
    evening = open_evening()
    await grid(evening, "a cat --relax --stealth")
    assert evening.stage.saying("** - <@42> (31%) (relaxed, stealth)")
    assert "relax" not in evening.jobs()[0]["prompt"]


async def test_u2_is_the_second_tile(open_evening: Open) -> None:
    evening = open_evening()
    parent = await grid(evening, "a cat --ar 3:2")
    whole = picture(evening.stage.drafts[-1])
    began = evening.stage.clock.monotonic()
    press = evening.press(f"MJ::JOB::upsample::2::{parent['id']}")
    await evening.finish()
    job = evening.jobs()[-1]
    assert 1 <= evening.stage.clock.monotonic() - began <= 3.3
    assert (job["parent"], job["index"], job["kind"]) == (parent["id"], 2, "upscale")
    assert job["id"] != parent["id"]
    final = evening.stage.saying("Image #2 <@")[-1]
    assert final.content == f"**a cat --ar 3:2 --v 7.0** - Image #2 <@{USER}>"
    tile = picture(final)
    wide, high = tile.size
    assert tile.tobytes() == whole.crop((wide, 0, 2 * wide, high)).tobytes()
    assert (tile.info["Tile"], tile.info["Parent"]) == ("2", parent["id"])
    result = [each for each in evening.stage.messages.values() if "Image #2" in each["content"]]
    assert [(each["reply"], each["call"]) for each in result] == [("pressed", press.id)]


async def test_a_single_picture_offers_what_its_model_can(open_evening: Open) -> None:
    evening = open_evening()
    for ratio, square in (("3:2", False), ("1:1", True)):
        parent = await grid(evening, f"a cat --ar {ratio} --v 6.1")
        evening.press(f"MJ::JOB::upsample::1::{parent['id']}")
        await evening.finish()
        job = evening.jobs()[-1]["id"]
        offered = ids(evening.stage.saying("Image #1 <@")[-1])
        assert f"MJ::JOB::upsample_v6r1_2x_subtle::1::{job}::SOLO" in offered
        assert (f"MJ::Outpaint::100::1::{job}::SOLO" in offered) is not square
        assert f"https://www.midjourney.com/jobs/{job}?index=0" in offered
        assert all(job in each for each in offered)


async def test_upscales_come_with_and_without_a_first_message(open_evening: Open) -> None:
    evening = open_evening()
    parent = await grid(evening)
    said = len(evening.stage.acts)
    for _ in range(12):
        evening.press(f"MJ::JOB::upsample::4::{parent['id']}")
        await evening.finish()
    firsts = {what for what in evening.stage.whats()[said:] if what in ("succeed", "respond")}
    assert firsts == {"succeed", "respond"}
    waiting = f"Upscaling image #4 with **a cat --v 7.0** - <@{USER}> (Waiting to start)"
    assert evening.stage.saying(waiting)


@pytest.mark.parametrize(
    ("button", "lead", "kind"),
    [
        ("variation::3::{}", "Making variations for image #3 with prompt ", "variation"),
        ("reroll::0::{}::SOLO", "Rerolling ", "reroll"),
    ],
)
async def test_new_grids_from_buttons(
    open_evening: Open, button: str, lead: str, kind: str
) -> None:
    evening = open_evening()
    parent = await grid(evening)
    before = picture(evening.stage.drafts[-1]).tobytes()
    evening.press("MJ::JOB::" + button.format(parent["id"]))
    await evening.finish()
    job = evening.jobs()[-1]
    assert (job["parent"], job["kind"]) == (parent["id"], kind)
    assert evening.stage.saying(f"{lead}**a cat --v 7.0** - <@{USER}> (Waiting to start)")
    final = evening.stage.drafts[-1]
    assert (" - Variations " in final.content) is (kind == "variation")
    assert f"MJ::JOB::reroll::0::{job['id']}::SOLO" in ids(final)
    after = picture(final)
    assert after.tobytes() != before
    assert after.info["Parent"] == parent["id"]


async def test_variations_have_two_forms(open_evening: Open) -> None:
    evening = open_evening()
    parent = await grid(evening)
    for _ in range(10):
        evening.press(f"MJ::JOB::variation::1::{parent['id']}")
        await evening.finish()
    assert evening.stage.saying(" - Variations (Strong) by <@42>")
    assert evening.stage.saying(" - Variations by <@42>")


async def test_cancel_stops_the_job_and_frees_its_slot(open_evening: Open) -> None:
    evening = open_evening()
    for number in range(4):
        evening.imagine(f"cat {number}")
    await evening.turn(8)
    first, *_, last = evening.jobs()
    press = evening.press(f"MJ::CancelJob::ByJobid::{first['id']}")
    await evening.turn(0.5)
    assert ("succeed", press.id, "") in evening.stage.acts
    (stopped,) = evening.stage.saying("(Stopped)")
    assert stopped.content == f"**{first['prompt']}** - <@{USER}> (Stopped)"
    assert not stopped.components
    assert evening.bot.state()["running"] == {USER: 3}
    assert evening.stage.saying(f"**{last['prompt']}** - <@{USER}> (Waiting to start)")
    await evening.finish()
    results = [draft for draft in evening.stage.drafts if draft.content.endswith("(fast)")
               and "%" not in draft.content]  # fmt: skip
    assert len(results) == 3


async def test_a_job_that_is_done_or_anothers_cannot_be_cancelled(open_evening: Open) -> None:
    evening = open_evening()
    evening.imagine()
    await evening.turn(3)
    job = evening.jobs()[0]["id"]
    evening.press(f"MJ::CancelJob::ByJobid::{job}", user="another")
    await evening.finish()
    evening.press(f"MJ::CancelJob::ByJobid::{job}")
    await evening.finish()
    refusals = evening.stage.saying("Job action restricted")
    assert [draft.ephemeral for draft in refusals] == [True, True]
    assert not evening.stage.saying("(Stopped)")


@pytest.mark.parametrize(
    ("plan", "flag", "slots"),
    [("basic", "", 3), ("standard", "", 3), ("pro", "", 12), ("mega", "", 12),
     ("pro", " --relax", 3)],
)  # fmt: skip
async def test_a_plan_gives_slots_and_ten_may_wait(
    open_evening: Open, plan: str, flag: str, slots: int
) -> None:
    evening = open_evening(plan)
    for number in range(slots + 11):
        evening.imagine(f"cat {number}{flag}")
    evening.imagine("of another user", user="other")
    await evening.turn(1)
    state = evening.bot.state()
    assert (state["running"], state["waiting"]) == (
        {USER: slots, "other": 1}, {USER: 10, "other": 0},
    )  # fmt: skip
    queued, full = evening.stage.saying("Job queued"), evening.stage.saying("Queue full")
    assert (len(queued), len(full)) == (10, 1)
    assert (queued[0].ephemeral, queued[0].embeds[0]["color"]) == (True, 16776960)
    await evening.finish()
    state = evening.bot.state()
    assert (state["made"], state["most_running"][USER]) == (slots + 11, slots)
    assert state["waiting"][USER] == state["running"][USER] == 0
    posts = [text for what, _, text in evening.stage.acts if what == "post"]
    assert sum(text.endswith((" (fast)", " (relaxed)")) for text in posts) == slots + 11
    assert sum(text.endswith("(Waiting to start)") for text in posts) == 10


async def test_fast_jobs_pass_relaxed_ones_that_wait(open_evening: Open) -> None:
    evening = open_evening("pro")
    for number in range(4):
        evening.imagine(f"slow {number} --relax")
    evening.imagine("quick")
    await evening.turn(1)
    assert evening.bot.state()["running"] == {USER: 4}
    assert evening.stage.saying("**quick --v 7.0** - <@42> (Waiting to start)")


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("", "Empty prompt"),
        ("a cat --ar 0:0", "Invalid parameter"),
        ("gore", "Banned prompt detected"),
    ],
)
async def test_a_refused_prompt_makes_no_job(open_evening: Open, prompt: str, title: str) -> None:
    evening = open_evening()
    evening.imagine(prompt)
    await evening.finish()
    (said,) = evening.stage.drafts
    assert (said.embeds[0]["title"], said.embeds[0]["color"]) == (title, 16711680)
    assert said.ephemeral
    assert evening.bot.state()["made"] == 0


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
    open_evening: Open, model: str, upscalers: list[str]
) -> None:
    evening = open_evening()
    parent = await grid(evening, f"a cat {model}")
    evening.press(f"MJ::JOB::upsample::1::{parent['id']}")
    await evening.finish()
    job = evening.jobs()[-1]["id"]
    offered = ids(evening.stage.saying("Image #1 <@")[-1])
    assert offered[:2] == [f"MJ::JOB::{each}::1::{job}::SOLO" for each in upscalers]


async def test_what_is_not_played_is_refused(open_evening: Open) -> None:
    evening = open_evening()
    await grid(evening)
    evening.press("MJ::RATE::x")
    evening.press("MJ::JOB::upsample::1::00000000-0000-4000-8000-000000000000")
    call = evening.call(2, name="subscribe")
    await evening.finish()
    titles = [draft.embeds[0]["title"] for draft in evening.stage.drafts if draft.embeds]
    assert sorted(titles) == ["Internal error", "Job action restricted"]
    assert ("fail", call.id, "0") in evening.stage.acts


async def test_the_same_seed_plays_the_same_evening(open_evening: Open) -> None:
    def acts(evening: Evening) -> list[tuple[str, str, str]]:
        return evening.stage.acts

    evenings = [open_evening(), open_evening(), open_evening(seed=8)]
    for evening in evenings:
        for number in range(5):
            evening.imagine(f"cat {number}")
        await evening.finish()
    first, same, other = evenings
    assert acts(first) == acts(same)
    assert first.jobs() == same.jobs()
    assert {job["id"] for job in first.jobs()}.isdisjoint(job["id"] for job in other.jobs())
    drawn = [evening.stage.drafts[-1].drawings[0].draw() for evening in evenings]
    assert drawn[0] == drawn[1] != drawn[2]


async def test_job_ids_do_not_depend_on_the_speed(open_evening: Open) -> None:
    slow, instant = open_evening(), open_evening(speed=float("inf"))
    for evening in (slow, instant):
        await grid(evening)
        await grid(evening, "a dog")
    assert [job["id"] for job in slow.jobs()] == [job["id"] for job in instant.jobs()]


async def test_a_job_that_fails_frees_its_slot(
    open_evening: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = open_evening()

    def broken(*_: object) -> None:
        raise RuntimeError("the stage is broken")

    monkeypatch.setattr(evening.stage, "edit", broken)
    evening.imagine()
    await evening.finish()
    assert evening.bot.state()["running"] == {USER: 0}


async def test_closing_ends_every_job_and_starts_no_other(open_evening: Open) -> None:
    evening = open_evening()
    for number in range(6):
        evening.imagine(f"cat {number}")
    await evening.turn(2)
    said = len(evening.stage.acts)
    await evening.bot.close()
    await evening.finish()
    assert len(evening.stage.acts) == said


def test_the_command_index() -> None:
    index = {entry["name"]: entry for entry in commands_of(MIDJOURNEY)}
    imagine = index["imagine"]
    assert (imagine["id"], imagine["version"]) == ("938956540159881230", "1237876415471554623")
    assert [option["name"] for option in imagine["options"]] == ["prompt"]
    required = [o["name"] for o in index["blend"]["options"] if o["required"]]
    assert required == ["image1", "image2"]
    entries = [*index.values(), *commands_of(NIJI)]
    assert len({entry["id"] for entry in entries}) == len(entries) == 30
