"""Every command and button of the bots, over real sockets."""

import base64
import re
from collections import deque

import pytest
from PIL import Image, ImageChops

from athena.simulator.bots.index import INSIGHT_FACE
from tests.simulated.asking import (
    button,
    download,
    grid_and_single,
    image,
    labels,
    mask,
    press,
    submit,
    text,
    tile,
)
from tests.simulated.conftest import Build, Json, System, account

# The graph of buttons

SHAPES = [re.compile(r"::[0-9a-f]{8}-[0-9a-f-]{27}"), re.compile(r"::[1-5](?=::|$)")]


def kind_of(custom_id: str, parent: Json) -> str:
    """The kind of a button: buttons with the same effect on the same kind of image count once."""
    for varying in SHAPES:
        custom_id = varying.sub("", custom_id)
    return f"{parent['action']}: {custom_id}"


async def test_every_button_leads_on_from_one_imagine(build: Build) -> None:
    system = await build(accounts=[account(core_size=12)])
    first = await submit(system, "submit/imagine", prompt="a lighthouse at dusk --ar 3:2")
    open_ends, pressed = deque([first]), dict[str, str]()
    while open_ends:
        task = open_ends.popleft()
        for each in task["buttons"]:
            custom_id = each["customId"]
            kind = kind_of(custom_id, task)
            if kind in pressed or custom_id.startswith("MJ::BOOKMARK::"):
                continue
            shown = await download(system, task)
            modal = {"maskBase64": text(mask(shown.size)), "prompt": ""}
            made = await press(system, task, custom_id, **modal)
            image = await download(system, made)
            pressed[kind] = made["action"]
            assert labels(image)["Parent"] == task["properties"]["messageHash"], kind
            assert labels(image)["Job"] == made["properties"]["messageHash"]
            if len(pressed) < 60:
                open_ends.append(made)
    verbs = {kind.partition(": ")[2] for kind in pressed}
    wanted = {
        "MJ::JOB::upsample", "MJ::JOB::variation", "MJ::JOB::reroll::0::SOLO",
        "MJ::JOB::upsample_v7_2x_subtle::SOLO", "MJ::JOB::upsample_v7_2x_creative::SOLO",
        "MJ::JOB::low_variation::SOLO", "MJ::JOB::high_variation::SOLO", "MJ::Inpaint::SOLO",
        "MJ::Outpaint::50::SOLO", "MJ::Outpaint::75::SOLO", "MJ::Outpaint::100::SOLO",
        "MJ::CustomZoom", "MJ::JOB::pan_left::SOLO", "MJ::JOB::pan_right::SOLO",
        "MJ::JOB::pan_up::SOLO", "MJ::JOB::pan_down::SOLO", "MJ::JOB::animate_high::SOLO",
        "MJ::JOB::animate_low::SOLO", "MJ::JOB::video_virtual_upscale",
        "MJ::JOB::animate_high_extend", "MJ::JOB::animate_low_extend",
    }  # fmt: skip
    assert wanted <= verbs


# What images show


def close(one: Image.Image, other: Image.Image) -> bool:
    """Whether two images are the same except for scaling."""
    small = [each.convert("RGB").resize((32, 32), Image.Resampling.BOX) for each in (one, other)]
    lightest = ImageChops.difference(*small).convert("L").getextrema()[1]
    return isinstance(lightest, int | float) and lightest < 12


async def test_zoom_and_pan_hold_the_old_image(system: System) -> None:
    single, old = await grid_and_single(system, "a lighthouse at dusk")
    half = await press(system, single, button(single, "MJ::Outpaint::50"))
    wide, high = old.size
    for number in range(1, 5):
        zoomed = tile(await download(system, half), number)
        assert zoomed.size == old.size
        inner = zoomed.crop((wide // 4, high // 4, wide * 3 // 4, high * 3 // 4))
        assert close(inner, old)
        assert not close(zoomed, old)
    panned = await press(system, single, button(single, "MJ::JOB::pan_left"))
    wider = tile(await download(system, panned), 1)
    assert wider.width > wider.height
    assert close(wider.crop((wider.width // 3, 0, wider.width, wider.height)), old)


async def test_a_region_is_redrawn_only_inside_its_mask(system: System) -> None:
    single, old = await grid_and_single(system, "a lighthouse at dusk")
    region = await press(
        system, single, button(single, "MJ::Inpaint"),
        prompt="a red boat", maskBase64=text(mask(old.size)),
    )  # fmt: skip
    assert region["action"] == "VARIATION"
    assert region["properties"]["finalPrompt"].startswith("a red boat")
    new = tile(await download(system, region), 1)
    changed = ImageChops.difference(new, old.convert("RGB")).getbbox()
    wide, high = old.size
    assert changed is not None
    assert changed[0] >= wide // 4
    assert changed[1] >= high // 4
    assert changed[2] <= wide // 2 + 1
    assert changed[3] <= high // 2 + 1


# Commands


async def test_blend(system: System) -> None:
    given = [text(image("red")), base64.b64encode(image("blue")).decode()]
    task = await submit(system, "submit/blend", base64Array=given, dimensions="PORTRAIT")
    assert (task["action"], task["description"]) == ("BLEND", f"/blend {task['id']} 2")
    shown = await download(system, task)
    assert shown.height > shown.width
    assert len(task["buttons"]) == 9
    for wrong in ([given[0]], given * 3):
        answer = await system.post("/mj/submit/blend", {"base64Array": wrong})
        assert answer["code"] == 4


async def test_describe_an_image_then_a_link_then_imagine_what_was_found(system: System) -> None:
    single, _ = await grid_and_single(system, "a lighthouse at dusk")
    for body in ({"base64": text(image())}, {"link": single["imageUrl"]}):
        task = await submit(system, "submit/describe", **body)
        assert task["action"] == "DESCRIBE"
        prompts = task["properties"]["finalPrompt"].split("\n\n")
        assert [line[0] for line in prompts] == ["1", "2", "3", "4"]
        assert task["imageUrl"]
    assert "lighthouse" in prompts[0]
    retried = await press(system, task, "MJ::Picread::Retry")
    assert retried["action"] == "DESCRIBE"
    answer = await system.post(
        "/mj/submit/action", {"taskId": task["id"], "customId": "MJ::Job::PicReader::2"}
    )
    assert answer["code"] == 21
    assert answer["properties"]["finalPrompt"] == prompts[1].partition(" ")[2]
    made = await press(system, task, "MJ::Job::PicReader::3")
    assert made["action"] == "IMAGINE"
    assert made["properties"]["finalPrompt"].startswith("a lighthouse at dusk")
    refused = await system.post(
        "/mj/submit/action", {"taskId": task["id"], "customId": "MJ::Job::PicReader::all"}
    )
    assert refused["code"] == 4


async def test_shorten_with_its_details_and_a_choice(system: System) -> None:
    task = await submit(system, "submit/shorten", prompt="a very cute cat sleeping on the sofa")
    final = task["properties"]["finalPrompt"]
    assert "## Important tokens" in final
    assert "## Shortened prompts" in final
    details = await press(system, task, button(task, "MJ::Job::PromptAnalyzerExtended"))
    assert details["action"] == "SHORTEN"
    assert "█" in details["properties"]["finalPrompt"]
    made = await press(system, task, button(task, "MJ::Job::PromptAnalyzer::1"))
    assert made["action"] == "IMAGINE"
    assert "cat" in made["properties"]["finalPrompt"]


async def test_show_brings_a_job_back(system: System) -> None:
    first = await submit(system, "submit/imagine", prompt="a lighthouse")
    job = first["properties"]["messageHash"]
    for given in (job, first["imageUrl"]):
        shown = await submit(system, "submit/show", jobId=given)
        assert (shown["action"], shown["properties"]["messageHash"]) == ("SHOW", job)
        assert len(shown["buttons"]) == 9
    upscaled = await press(system, shown, button(shown, "MJ::JOB::upsample::1"))
    assert upscaled["action"] == "UPSCALE"
    assert (await system.post("/mj/submit/show", {"jobId": "nothing"}))["code"] == 4
    unknown = await system.post("/mj/submit/show", {"jobId": job.replace(job[0], "0", 1)[::-1]})
    assert unknown["code"] == 4


@pytest.mark.parametrize(
    ("body", "frames_differ"),
    [
        ({"prompt": "a small boat", "motion": "low", "batchSize": 1}, True),
        ({"image": text(image()), "endImage": text(image("red")), "loop": True}, True),
    ],
)
async def test_video(system: System, body: Json, frames_differ: bool) -> None:
    task = await submit(system, "submit/video", **body)
    assert task["action"] == "VIDEO"
    video = await download(system, task)
    assert video.format == "WEBP"
    assert video.n_frames > 5  # type: ignore[attr-defined]
    first = video.convert("RGB")
    video.seek(video.n_frames // 2)  # type: ignore[attr-defined]
    assert (first.tobytes() != video.convert("RGB").tobytes()) is frames_differ
    assert task["properties"]["videoUrls"] == [task["imageUrl"]]


async def test_a_video_is_extended_from_its_grid_and_alone(system: System) -> None:
    videos = await submit(system, "submit/video", prompt="a small boat", motion="high")
    body = {"action": "extend", "taskId": videos["id"], "index": 2, "motion": "low"}
    extended = await submit(system, "submit/video", **body)
    assert extended["action"] == "VIDEO"
    taken, made = system.jobs()[-2:]
    assert (taken["kind"], taken["index"], made["parent"]) == ("video_upscale", 3, taken["id"])
    alone = await press(system, videos, button(videos, "MJ::JOB::video_virtual_upscale::1"))
    again = await submit(system, "submit/video", action="extend", taskId=alone["id"])
    assert system.jobs()[-1]["parent"] == alone["properties"]["messageHash"]
    assert again["properties"]["videoUrls"]
    still = await submit(system, "submit/imagine", prompt="a boat")
    refused = await system.post("/mj/submit/video", {"action": "extend", "taskId": still["id"]})
    assert refused["code"] == 4


async def test_edits_with_and_without_a_mask(system: System) -> None:
    given = image("red", (256, 256))
    plain = await submit(system, "submit/edits", prompt="make it night", image=text(given))
    masked = await submit(
        system, "submit/edits", prompt="a boat", image=text(given), maskBase64=text(mask((64, 64)))
    )
    for task in (plain, masked):
        assert task["action"] == "EDIT"
        mean = (await download(system, task)).convert("RGB").resize((1, 1)).getpixel((0, 0))
        assert isinstance(mean, tuple)
        assert mean[0] > max(mean[1:])
    black = await system.post(
        "/mj/submit/edits",
        {"prompt": "x", "image": text(given), "maskBase64": text(image("black"))},
    )
    assert black["code"] == 4
    assert "mask" in black["description"]


async def test_swap_face(system: System) -> None:
    source, target = text(image("red", (200, 200))), text(image("blue", (300, 200)))
    task = await submit(system, "insight-face/swap", sourceBase64=source, targetBase64=target)
    assert (task["action"], task["properties"]["botType"]) == ("SWAP_FACE", "INSIGHT_FACE")
    shown = (await download(system, task)).convert("RGB")
    assert shown.size == (300, 200)
    middle, corner = shown.getpixel((150, 100)), shown.getpixel((2, 2))
    assert isinstance(middle, tuple)
    assert isinstance(corner, tuple)
    assert middle[0] > middle[2]
    assert corner[2] > corner[0]
    state = system.simulator.world.players[INSIGHT_FACE].state()
    assert (state["faces"], state["made"]) == (1, 1)
    assert (await system.post("/mj/insight-face/swap", {"sourceBase64": "x"}))["code"] == 4


async def test_niji(system: System) -> None:
    task = await submit(system, "submit/imagine", prompt="a fox", botType="NIJI_JOURNEY")
    assert task["properties"]["botType"] == "NIJI_JOURNEY"
    assert "--niji 6" in task["properties"]["finalPrompt"]
    single = await press(system, task, button(task, "MJ::JOB::upsample::1"))
    assert single["properties"]["botType"] == "NIJI_JOURNEY"


async def test_seeds(system: System) -> None:
    task = await submit(system, "submit/imagine", prompt="a cat --seed 42")
    for _ in range(2):
        async with system.http.get(f"{system.url}/mj/task/{task['id']}/image-seed") as answer:
            body = await answer.json()
        assert (body["code"], body["result"]) == (1, "42")
    assert (await system.fetch(task["id"]))["properties"]["imageSeed"] == "42"
    async with system.http.get(f"{system.url}/mj/task/1/image-seed") as answer:
        assert (await answer.json())["code"] == 3
