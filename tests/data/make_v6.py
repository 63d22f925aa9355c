"""Makes `tests/data/v6`: a data folder as version 6 of the database had it.

It ran once, with the store of commit 2ee8fe6, and does not run with a later one. The folder holds
something of everything that was kept then; `tasks.json` holds the tasks as they must come back.
"""

# mypy: ignore-errors

import asyncio
import shutil
from pathlib import Path

import msgspec
from athena.engine.roster import AccountRecord
from athena.engine.wishes import Accepted
from athena.http.preferences import Changed
from athena.store.records import Records
from athena.store.sealing import Seal
from athena.store.store import Claim, Store, day_of
from msgspec.structs import replace

from athena.store.tokens import Role, Token, digest
from athena.tasks.model import (
    Action,
    Button,
    Dialect,
    Failure,
    Images,
    Keys,
    Picture,
    Sending,
    Speed,
    Status,
    Task,
)  # fmt: skip
from athena.tasks.requests import Blend, Imagine, Press, Upload

FOLDER = Path(__file__).parent / "v6"
NOW = 1_700_000_000_000
ACCOUNT, OTHER = "111111111111111111", "222222222222222222"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


def _task(number: int, **fields: object) -> Task:
    prompt = str(fields.pop("prompt", f"a cat, number {number} --ar 16:9"))
    made = {
        "id": f"{NOW + number * 1000}{number:03}",
        "account": ACCOUNT,
        "request": Imagine(prompt=prompt),
        "action": Action.IMAGINE,
        "prompt": prompt,
        "description": f"/imagine {prompt}",
        "submitted_at": NOW + number * 1000,
        "token": "00aa11bb22cc",
    }
    return Task(**{**made, **fields})


def _sent(task: Task, **fields: object) -> Task:
    keys = Keys(nonce=f"9{task.id}", interaction=f"8{task.id}")
    values = {"sending": Sending.SENT, "started_at": task.submitted_at + 500, "keys": keys}
    return replace(task, **{**values, "revision": task.revision + 1, **fields})


async def _save(store: Store, before: Task, **fields: object) -> Task:
    after = replace(before, **{"revision": before.revision + 1, **fields})
    await store.save(before, after)
    return after


async def _ended(store: Store) -> list[Task]:
    picture = Picture(
        url="https://cdn.example/a.png?ex=1", id="5", filename="a.png", width=1024, height=1024,
        size=1234, content_type="image/png",
    )  # fmt: skip
    buttons = (Button(custom_id="MJ::JOB::upsample::1::abc", label="U1"),)
    success, failed, refused, cancelled, plain = (
        _task(
            1, prompt="夜晚的猫，霓虹灯 --v 6", hook="https://example.com/hook", speed=Speed.FAST
        ),
        _task(2, account=OTHER, state="mine", images=Images.RELAY),
        _task(3, prompt="something moderated"),
        _task(4, token=None),
        _task(5, dialect=Dialect.TRIGGER, trigger="1234567890", hook="https://example.com/two"),
    )
    for task in (success, failed, refused, cancelled, plain):
        await store.add(task)
    running = _sent(success, status=Status.IN_PROGRESS, progress=31)
    await store.save(success, running)
    done = await _save(
        store, running, status=Status.SUCCESS, progress=100, picture=picture, buttons=buttons,
        finished_at=NOW + 61_000, final_prompt="夜晚的猫，霓虹灯 --v 6.1", mode="fast",
        prompt_english="a cat at night, neon lights",
        keys=replace(running.keys, message="77", job="00000000-0000-4000-8000-000000000001"),
    )  # fmt: skip
    return [
        done,
        await _save(
            store, failed, status=Status.FAILURE, finished_at=NOW + 40_000,
            failure=Failure(reason="[Invalid parameter] `--foo` is none"),
        ),
        await _save(
            store, refused, status=Status.FAILURE, finished_at=NOW + 41_000,
            failure=Failure(reason="[Banned prompt detected] no", moderated=True),
        ),
        await _save(store, cancelled, status=Status.CANCEL, finished_at=NOW + 42_000),
        await _save(store, plain, status=Status.SUCCESS, finished_at=NOW + 43_000, picture=picture),
    ]  # fmt: skip


async def _unfinished(store: Store) -> list[Task]:
    uploads = [
        Upload(filename="one.png", content_type="image/png", data=PNG),
        Upload(filename="zwei ü.png", content_type="image/png", data=PNG[::-1]),
    ]
    waiting = _task(10, request=Blend(uploads=2), action=Action.BLEND, prompt="")
    await store.add(waiting, uploads)
    sent = _task(11, hook="https://example.com/hook")
    await store.add(sent)
    submitted = _sent(sent, status=Status.SUBMITTED, deadline=NOW + 311_000)
    await store.save(sent, submitted)
    begun = _task(12, account=OTHER, trigger="1234567890", dialect=Dialect.TRIGGER)
    await store.add(begun)
    running = _sent(begun, status=Status.IN_PROGRESS, progress=46, relaxed=True, patience=600_000)
    await store.save(begun, running)
    press = Press(parent=_task(1).id, message="77", custom_id="MJ::Inpaint::1::abc::SOLO")
    modal = _task(13, request=press, action=Action.ACTION, status=Status.MODAL)
    await store.add(modal, [Upload(filename="mask.webp", content_type="image/webp", data=PNG)])
    return [waiting, submitted, running, modal]


async def _rest(store: Store, task: Task) -> None:
    answer = msgspec.json.encode(Accepted(task=task, ahead=0, repeated=True))
    await store.keep_claim(Claim("00aa11bb22cc:key-1", NOW, "f" * 64, answer))
    links = msgspec.json.encode(["https://cdn.example/a.png"])
    await store.keep_claim(Claim("00aa11bb22cc:key-2", NOW + 1, "e" * 64, links))
    await store.keep_brought("a/one.png", ACCOUNT, NOW)
    store.save_seen(ACCOUNT, "1300000000000000000")
    store.save_seen(OTHER, "1300000000000000001")
    await store.written()


def _records() -> None:
    records = Records(FOLDER)
    token = Token(
        id="00aa11bb22cc", name="first", hash=digest("at-first"), role=Role.ADMIN,
        speed=Speed.RELAX, daily_limit=100, created_at=NOW,
    )  # fmt: skip
    records.put(token.id, token)
    other = Token(id="11aa11bb22cc", name="second", hash=digest("at-second"), created_at=NOW)
    records.put(other.id, other)
    settings = {"guild_id": "333", "channel_id": ACCOUNT, "core_size": 3, "remark": "kept"}
    sealed = Seal(FOLDER).close("a Discord token")
    records.put(ACCOUNT, AccountRecord(id=ACCOUNT, sealed_token=sealed, settings=settings))
    records.put("house", Changed(links=Images.PROXY))
    records.close()


async def main() -> None:
    """Create the data folder again."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    store = await Store.open(FOLDER)
    tasks = [*await _ended(store), *await _unfinished(store)]
    await _rest(store, tasks[0])
    assert await store.usage(day_of(NOW)) == {"00aa11bb22cc": 8}
    assert len(await store.deliveries()) == 4
    await store.close()
    _records()
    (FOLDER / "athena.lock").unlink()
    (FOLDER / "tasks.json").write_bytes(msgspec.json.format(msgspec.json.encode(tasks)))


if __name__ == "__main__":
    asyncio.run(main())
