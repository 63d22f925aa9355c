"""The `/mj` contract, table by table, against a real server process.

Each row of the contract's tables is a row here. Tests that need a virtual clock or access to
internals are in tests/simulated.
"""

import base64
import http.server
import io
import json
import queue
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageDraw

import requests
from tests.contract.conftest import Json, Server


def png(colour: str = "teal", size: tuple[int, int] = (64, 64)) -> str:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def mask(size: tuple[int, int]) -> str:
    image = Image.new("L", size)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2, size[1] // 2), 255)
    out = io.BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


@pytest.fixture(scope="module")
def grid(server: Server) -> Json:
    return server.done("/mj/submit/imagine", {"prompt": "a lighthouse --ar 3:2"})


@pytest.fixture(scope="module")
def single(server: Server, grid: Json) -> Json:
    body = {"taskId": grid["id"], "customId": button(grid, "MJ::JOB::upsample::2")}
    return server.done("/mj/submit/action", body)


def button(task: Json, start: str) -> str:
    return next(str(b["customId"]) for b in task["buttons"] if b["customId"].startswith(start))


# Section 1: paths and modes

PREFIXES = [
    "/mj", "/mj-fast/mj", "/mj-turbo/mj", "/mj-relax/mj",
    "/mj-relay/mj", "/mj-origin/mj", "/mj-proxy/mj",
    *(f"/mj-{s}-{k}/mj" for s in ("fast", "turbo", "relax") for k in ("relay", "origin", "proxy")),
]  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
def test_1_every_path_under_every_prefix(server: Server, grid: Json, prefix: str) -> None:
    assert server.get(f"{prefix}/task/{grid['id']}/fetch")["id"] == grid["id"]
    assert server.post(f"{prefix}/submit/imagine", {"prompt": ""})["code"] == 4
    assert server.get(f"{prefix}/account/list")[0]["enable"] is True
    url = server.get(f"{prefix}/task/{grid['id']}/fetch")["imageUrl"]
    wanted = {"relay": server.url, "proxy": "https://img.example.com", "": server.simulator}
    kind = next((kind for kind in ("relay", "proxy") if kind in prefix), "")
    assert url.startswith(wanted[kind])


# Section 2: submit endpoints

SUBMITS: list[tuple[str, Json, str]] = [
    ("submit/imagine", {"prompt": "a cat", "base64Array": [png()]}, "IMAGINE"),
    ("submit/imagine", {"prompt": "a cat", "base64": "data:image/png;base64," + png()}, "IMAGINE"),
    ("submit/imagine", {"prompt": "a cat", "botType": "NIJI_JOURNEY"}, "IMAGINE"),
    ("submit/blend", {"base64Array": [png(), png("red")], "dimensions": "LANDSCAPE"}, "BLEND"),
    ("submit/describe", {"base64": png()}, "DESCRIBE"),
    ("submit/shorten", {"prompt": "a very cute cat on a red sofa"}, "SHORTEN"),
    ("submit/edits", {"prompt": "at night", "image": png(), "maskBase64": mask((64, 64))}, "EDIT"),
    (
        "submit/video",
        {"prompt": "a boat", "image": png(), "motion": "low", "batchSize": 2},
        "VIDEO",
    ),
    ("insight-face/swap", {"sourceBase64": png(), "targetBase64": png("red")}, "SWAP_FACE"),
]


@pytest.mark.parametrize(("path", "body", "action"), SUBMITS)
def test_2_submits(server: Server, path: str, body: Json, action: str) -> None:
    task = server.done(f"/mj/{path}", {**body, "state": "mine"})
    assert (task["action"], task["state"], task["progress"]) == (action, "mine", "100%")


def test_2_describe_by_link_and_show(server: Server, grid: Json) -> None:
    assert server.done("/mj/submit/describe", {"link": grid["imageUrl"]})["action"] == "DESCRIBE"
    for job in (grid["properties"]["messageHash"], grid["imageUrl"]):
        assert server.done("/mj/submit/show", {"jobId": job})["action"] == "SHOW"


def test_2_change_and_simple_change(server: Server, grid: Json) -> None:
    change = {"taskId": grid["id"], "action": "VARIATION", "index": 4}
    assert server.done("/mj/submit/change", change)["action"] == "VARIATION"
    simple = {"content": f"{grid['id']} U1"}
    assert server.done("/mj/submit/simple-change", simple)["action"] == "UPSCALE"


def test_2_upload_discord_images(server: Server) -> None:
    answer = server.post("/mj/submit/upload-discord-images", {"base64Array": [png(), png("red")]})
    assert (answer["code"], len(answer["result"])) == (1, 2)
    for link in answer["result"]:
        assert requests.get(link, timeout=30).headers["Content-Type"] == "image/png"


def test_2_swap_by_urls(server: Server) -> None:
    links = server.post("/mj/submit/upload-discord-images", {"base64Array": [png()] * 2})["result"]
    body = {"sourceUrl": links[0], "targetUrl": links[1]}
    assert server.done("/mj/insight-face/swap", body)["action"] == "SWAP_FACE"


@pytest.mark.parametrize("body", [b"not json", b"{", b""])
def test_2_what_is_no_json(server: Server, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    url = f"{server.url}/mj/submit/imagine"
    answer = requests.post(url, data=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (400, 4)


# Section 3: the response to a submit


def test_3_codes_1_and_22_with_their_words(server: Server) -> None:
    answers = [server.post("/mj/submit/imagine", {"prompt": f"cat {n}"}) for n in range(8)]
    codes = {answer["code"] for answer in answers}
    assert codes <= {1, 22}
    for answer in answers:
        assert re.fullmatch(r"\d{16}", answer["result"])
        assert answer["properties"]["discordInstanceId"]
        if answer["code"] == 1:
            assert answer["description"] == "提交成功"
        else:
            ahead = answer["properties"]["numberOfQueues"]
            assert answer["description"] == f"排队中，前面还有{ahead}个任务"
    for answer in answers:
        server.ended(answer["result"])


def test_3_code_23_is_a_full_queue(server: Server) -> None:
    account = server.get("/mj/account/list")[0]["id"]
    server.call("PUT", f"/mj/account/{account}/update", {"queueSize": 0, "coreSize": 1})
    try:
        answers = [server.post("/mj/submit/imagine", {"prompt": f"cat {n}"}) for n in range(5)]
        full = [answer for answer in answers if answer["code"] == 23]
        assert full
        assert full[0]["description"] == "队列已满，请稍后尝试"
        assert full[0]["result"] is None
        assert full[0]["properties"] == {"discordInstanceId": account}
        for answer in answers:
            if answer["result"]:
                server.ended(answer["result"])
    finally:
        server.call("PUT", f"/mj/account/{account}/update", {"queueSize": 100, "coreSize": 3})


REFUSED: list[tuple[str, Json, int, str]] = [
    ("submit/imagine", {"prompt": "a nude"}, 24, "可能包含敏感词"),
    ("submit/imagine", {"prompt": "a cat --ar 0:1"}, 4, "--ar"),
    ("submit/action", {"taskId": "1", "customId": "x"}, 3, "关联任务不存在"),
    ("submit/blend", {"base64Array": [png()]}, 4, "2 to 5"),
    ("submit/describe", {}, 4, "base64 or link"),
    ("submit/show", {"jobId": "x"}, 4, "jobId"),
    ("submit/imagine", {"prompt": "x", "state": "s" * 256}, 4, "state"),
    ("submit/imagine", {"prompt": "x", "notifyHook": "https://1.2.3.4/x"}, 4, "IP address"),
    ("submit/imagine", {"prompt": "x", "accountFilter": {"instanceId": "1"}}, 9, "accountFilter"),
]


@pytest.mark.parametrize(("path", "body", "code", "says"), REFUSED)
def test_3_refusals(server: Server, path: str, body: Json, code: int, says: str) -> None:
    answer = server.post(f"/mj/{path}", body)
    assert (answer["code"], answer["result"]) == (code, None)
    assert says in answer["description"]
    if code == 24:
        assert answer["properties"] == {"promptEn": "a nude", "bannedWord": "nude"}


def test_3_english_on_request(server: Server) -> None:
    english = {"Accept-Language": "en-US,en;q=0.9"}
    answer = server.post("/mj/submit/imagine", {"prompt": "a nude"}, **english)
    assert answer["description"].isascii()


# Section 4: actions


def test_4_actions_by_custom_id(server: Server, single: Json) -> None:
    for start, action in (
        ("MJ::JOB::upsample_", "UPSCALE"),
        ("MJ::JOB::low_variation", "VARIATION"),
        ("MJ::JOB::high_variation", "VARIATION"),
        ("MJ::JOB::pan_up", "PAN"),
        ("MJ::Outpaint::50", "ZOOM"),
        ("MJ::JOB::animate_low", "VIDEO"),
    ):
        body = {"taskId": single["id"], "customId": button(single, start)}
        assert server.done("/mj/submit/action", body)["action"] == action


def test_4_what_cannot_be_pressed(server: Server, single: Json) -> None:
    for custom_id in (button(single, "MJ::BOOKMARK"), "MJ::JOB::made::up"):
        body = {"taskId": single["id"], "customId": custom_id}
        assert server.post("/mj/submit/action", body)["code"] == 4
    running = server.post("/mj/submit/imagine", {"prompt": "a slow cat --relax"})["result"]
    early = server.post("/mj/submit/action", {"taskId": running, "customId": "x"})
    assert early["code"] == 4
    assert "关联任务状态错误" in early["description"]
    server.ended(running)


# Section 5: modals


def test_5_custom_zoom_and_region(server: Server, single: Json) -> None:
    size = single["imageWidth"], single["imageHeight"]
    for start, action, filled in (
        ("MJ::CustomZoom", "ZOOM", {"prompt": "a lighthouse --zoom 1.4"}),
        ("MJ::Inpaint", "VARIATION", {"prompt": "a boat", "maskBase64": mask(size)}),
    ):
        body = {"taskId": single["id"], "customId": button(single, start)}
        answer = server.post("/mj/submit/action", body)
        assert (answer["code"], answer["description"]) == (21, "窗口等待")
        assert answer["properties"]["finalPrompt"]
        assert answer["properties"]["remix"] is False
        assert server.get(f"/mj/task/{answer['result']}/fetch")["status"] == "MODAL"
        done = server.done("/mj/submit/modal", {"taskId": answer["result"], **filled})
        assert (done["id"], done["action"]) == (answer["result"], action)


# Section 6: the task

STRINGS = {"id", "action", "status", "description", "progress"}
MAY_BE_NULL = {"prompt", "promptEn", "state", "imageUrl", "failReason"}
NUMBERS = {"submitTime", "startTime", "finishTime", "imageWidth", "imageHeight"}
PROPERTIES = {
    "finalPrompt", "finalZhPrompt", "botType", "discordInstanceId", "discordChannelId",
    "messageId", "messageHash", "messageContent", "notifyHook", "nonce", "flags",
    "progressMessageId", "videoUrls",
}  # fmt: skip


def test_6_the_fields_of_a_task(server: Server, grid: Json) -> None:
    assert all(isinstance(grid[name], str) for name in STRINGS)
    assert all(grid[name] is None or isinstance(grid[name], str) for name in MAY_BE_NULL)
    assert all(grid[name] is None or isinstance(grid[name], int) for name in NUMBERS)
    assert grid.keys() == STRINGS | MAY_BE_NULL | NUMBERS | {"properties", "buttons"}
    assert grid["properties"].keys() >= PROPERTIES
    for each in grid["buttons"]:
        assert each.keys() == {"customId", "emoji", "label", "type", "style"}
    assert grid["submitTime"] <= grid["startTime"] <= grid["finishTime"]
    assert grid["description"] == "/imagine a lighthouse --ar 3:2"


def test_6_before_it_is_done(server: Server) -> None:
    task_id = server.post("/mj/submit/imagine", {"prompt": "a cat --relax"})["result"]
    task = server.get(f"/mj/task/{task_id}/fetch")
    assert task["status"] in ("NOT_START", "SUBMITTED", "IN_PROGRESS")
    assert (task["buttons"], task["finishTime"], task["failReason"]) == ([], None, None)
    server.ended(task_id)


# Section 7: task endpoints


def test_7_task_endpoints(server: Server, grid: Json) -> None:
    unknown = requests.get(f"{server.url}/mj/task/1/fetch", timeout=30)
    assert (unknown.status_code, unknown.json()["code"]) == (404, 3)
    for path in ("list-by-condition", "list-by-ids"):
        found = server.post(f"/mj/task/{path}", {"ids": [grid["id"], "1", grid["id"]]})
        assert [task["id"] for task in found] == [grid["id"]] * 2
    newest = server.get("/mj/task/list")
    assert grid["id"] in [task["id"] for task in newest]
    times = [task["submitTime"] for task in newest]
    assert times == sorted(times, reverse=True)
    task_id = server.post("/mj/submit/imagine", {"prompt": "a slow cat --relax"})["result"]
    assert task_id in [task["id"] for task in server.get("/mj/task/queue")]
    cancelled = server.post(f"/mj/task/{task_id}/cancel")
    assert (cancelled["id"], cancelled["status"]) == (task_id, "CANCEL")
    seed = server.get(f"/mj/task/{grid['id']}/image-seed")
    assert (seed["code"], seed["description"]) == (1, "成功")
    assert seed["result"].isdecimal()


# Section 10: callbacks


@pytest.fixture
def receiver() -> Iterator[tuple[str, "queue.Queue[Json]"]]:
    received: queue.Queue[Json] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://localhost:{listening.server_port}/hook", received
    listening.shutdown()


def test_10_callbacks(server: Server, receiver: tuple[str, "queue.Queue[Json]"]) -> None:
    url, received = receiver
    task_id = server.post("/mj/submit/imagine", {"prompt": "a cat", "notifyHook": url})["result"]
    seen = [received.get(timeout=30)]
    while seen[-1]["status"] != "SUCCESS":
        seen.append(received.get(timeout=30))
    assert {task["id"] for task in seen} == {task_id}
    assert seen[-1] == server.get(f"/mj/task/{task_id}/fetch")
    assert server.get(f"/mj/admin/task/{task_id}")["hook"]["url"] == url


# Section 11: typical clients


def test_11_a_web_client(server: Server) -> None:
    """Sends an empty secret, polls until 100 %, draws the buttons, presses one."""
    headers = {"mj-api-secret": ""}
    body: Json = {"prompt": "a cat", "base64Array": [], "notifyHook": "", "botType": None}
    answer = server.post("/mj/submit/imagine", body, **headers)
    assert answer["code"] == 1
    while (task := server.get(f"/mj/task/{answer['result']}/fetch", **headers))[
        "progress"
    ] != "100%":
        assert task["failReason"] is None
    assert {"U1", "V4"} <= {each["label"] for each in task["buttons"]}
    assert requests.get(task["imageUrl"], timeout=30).headers["Content-Type"] == "image/png"


def test_11_a_relay_product(server: Server) -> None:
    """Submits in a mode, polls all its tasks, 200 ids per call, reads the fields it needs."""
    answers = [server.post("/mj-turbo/mj/submit/imagine", {"prompt": f"cat {n}"}) for n in range(6)]
    assert all(isinstance(answer["result"], str) for answer in answers)
    ours = [answer["result"] for answer in answers]
    others = [str(n) for n in range(1, 195)]
    while True:
        found = server.post("/mj/task/list-by-condition", {"ids": ours + others})
        assert [task["id"] for task in found] == ours
        for task in found:
            assert task.keys() >= {
                "status", "progress", "failReason", "finishTime", "buttons", "properties",
            }  # fmt: skip
        if all(task["status"] == "SUCCESS" for task in found):
            break
    assert all("(turbo)" in task["properties"]["messageContent"] for task in found)
