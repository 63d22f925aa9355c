"""Bad input: the API's error codes, without delay, and nothing is stored."""

import base64
import io
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

from tests.simulated.conftest import Build, Json, System

UNKNOWN = "1111111111111111"


def stored(tmp_path: Path) -> int:
    with sqlite3.connect(tmp_path / "data" / "athena.db") as connection:
        return int(connection.execute("SELECT count(*) FROM tasks").fetchone()[0])


async def raw(system: System, path: str, body: bytes) -> tuple[int, Json]:
    headers = {"Content-Type": "application/json"}
    async with system.http.post(system.url + path, data=body, headers=headers) as answer:
        return answer.status, dict(await answer.json())


NO_PICTURE = base64.b64encode(b"this is no image").decode()


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        (b"not json", 400, 4, "参数错误"),
        (b"", 400, 4, "参数错误"),
        (b"[]", 200, 4, "参数错误"),
        (b"{}", 200, 4, "empty"),
        (b'{"prompt": ""}', 200, 4, "empty"),
        (b'{"prompt": 5}', 200, 4, "prompt"),
        (b'{"prompt": "a cat --ar 0:1"}', 200, 4, "--ar"),
        (b'{"prompt": "a nude"}', 200, 24, "敏感词"),
        (b'{"prompt": "x", "botType": "OTHER"}', 200, 4, "botType"),
        (b'{"prompt": "x", "base64Array": ["data:image/png;base64,%%%"]}', 200, 4, "base64Array"),
        (f'{{"prompt":"x","base64Array":["{NO_PICTURE}"]}}'.encode(), 200, 4, "image"),
        (b'{"prompt": "x", "notifyHook": "http://10.0.0.1/x"}', 200, 4, "IP address"),
        (b'{"prompt": "x", "notifyHook": "ftp://example.com"}', 200, 4, "http"),
        (b'{"prompt": "x", "state": "' + b"s" * 256 + b'"}', 200, 4, "state"),
    ],
)
async def test_bad_bodies(
    system: System, tmp_path: Path, body: bytes, status: int, code: int, says: str
) -> None:
    got_status, answer = await raw(system, "/mj/submit/imagine", body)
    assert (got_status, answer["code"], answer["result"]) == (status, code, None)
    assert says in answer["description"]
    assert stored(tmp_path) == 0


async def test_sixty_megabytes(system: System, tmp_path: Path) -> None:
    body = b'{"prompt": "x", "base64Array": ["' + b"A" * 60_000_000 + b'"]}'
    status, answer = await raw(system, "/mj/submit/imagine", body)
    assert (status, answer["code"]) == (413, 4)
    assert stored(tmp_path) == 0


async def test_unknown_tasks(system: System) -> None:
    for path, body in (
        ("/mj/submit/action", {"taskId": UNKNOWN, "customId": "MJ::JOB::upsample::1::x"}),
        ("/mj/submit/change", {"taskId": UNKNOWN, "action": "UPSCALE", "index": 1}),
        ("/mj/submit/simple-change", {"content": f"{UNKNOWN} U1"}),
        (f"/mj/task/{UNKNOWN}/cancel", {}),
    ):
        async with system.http.post(system.url + path, json=body) as answer:
            assert answer.status == 404
            assert (await answer.json())["code"] == 3
    async with system.http.get(f"{system.url}/mj/task/{UNKNOWN}/fetch") as answer:
        assert answer.status == 404
        assert (await answer.json())["code"] == 3


async def test_buttons_that_cannot_be_pressed(build: Build, tmp_path: Path) -> None:
    system = await build(speed=0.01)
    running = (await system.imagine("a cat"))["result"]
    body = {"taskId": running, "customId": "MJ::JOB::upsample::1::x"}
    answer = await system.post("/mj/submit/action", body)
    assert (answer["code"], answer["description"][:8]) == (4, "关联任务状态错误")
    for content in ("nonsense", f"{running} U5", f"{running}"):
        answer = await system.post("/mj/submit/simple-change", {"content": content})
        assert answer["code"] == 4
    assert stored(tmp_path) == 1


async def test_a_button_that_the_task_does_not_have(system: System) -> None:
    task = await system.ended((await system.imagine("a cat"))["result"])
    body = {"taskId": task["id"], "customId": "MJ::JOB::upsample::1::other"}
    assert (await system.post("/mj/submit/action", body))["code"] == 4
    body = {"taskId": task["id"], "action": "UPSCALE"}
    assert (await system.post("/mj/submit/change", body))["code"] == 4


async def test_english_on_request(system: System) -> None:
    answer = await system.post("/mj/submit/imagine", {}, **{"Accept-Language": "en-GB,en"})
    assert answer["description"] == "Validation error: the prompt is empty"


async def test_list_by_condition_leaves_unknown_ids_out(system: System) -> None:
    task_id = (await system.imagine("a cat"))["result"]
    async with system.http.post(
        f"{system.url}/mj/task/list-by-condition", json={"ids": [UNKNOWN, task_id]}
    ) as answer:
        assert [task["id"] for task in await answer.json()] == [task_id]


async def test_what_midjourney_refuses_is_the_reason(system: System) -> None:
    answer = await system.imagine("a cat --v nonsense")
    task = await system.ended(answer["result"])
    assert task["status"] == "FAILURE"
    assert task["failReason"].startswith("[Invalid parameter] ")


async def test_images_go_before_the_prompt_as_links(system: System) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    encoded = base64.b64encode(out.getvalue()).decode()
    for given in (encoded, f"data:image/jpeg;base64,{encoded}"):
        answer = await system.imagine("in this style", base64Array=[given])
        task = await system.ended(answer["result"])
        assert task["status"] == "SUCCESS", task["failReason"]
        assert task["properties"]["finalPrompt"].startswith("<https://s.mj.run/")
        assert task["prompt"] == "in this style"


async def test_the_secret(build: Build) -> None:
    system = await build(secret="open-sesame")
    for headers, status in (
        ({}, 401),
        ({"mj-api-secret": "wrong"}, 401),
        ({"mj-api-secret": "open-sesame"}, 200),
        ({"Authorization": "Bearer open-sesame"}, 200),
        ({"Authorization": "open-sesame"}, 200),
    ):
        async with system.http.post(
            f"{system.url}/mj/submit/imagine", json={"prompt": "a cat"}, headers=headers
        ) as answer:
            assert answer.status == status
            assert (await answer.json())["code"] == (1 if status == 200 else 9)


async def test_without_a_secret_other_sites_pages_are_kept_out(system: System) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        async with system.http.post(
            f"{system.url}/mj/submit/imagine", json={"prompt": "x"}, headers=headers
        ) as answer:
            assert answer.status == 401


async def test_the_api_page_needs_no_other_host(system: System) -> None:
    async with system.http.get(f"{system.url}/docs") as answer:
        page = await answer.text()
    assert "https://" not in page.split("SwaggerUIBundle", 1)[0]
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        async with system.http.get(f"{system.url}/docs/files/{name}") as answer:
            assert answer.status == 200
    async with system.http.get(f"{system.url}/openapi.json") as answer:
        described = await answer.json()
    assert described["openapi"].startswith("3.1")
    assert "/mj/submit/imagine" in described["paths"]


@pytest.mark.parametrize("moment", ["9" * 30, str(2**63), str(2**63 - 1), "-1", "soon"])
async def test_impossible_moments_are_refused(system: System, moment: str) -> None:
    for name in ("since", "until"):
        url = f"{system.url}/mj/task/search?{name}={moment}"
        async with system.http.get(url) as answer:
            assert answer.status == 400
            assert (await answer.json())["code"] == 4
