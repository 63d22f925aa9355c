"""`athena token`: manages API tokens. Changes take effect on a running server immediately."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.terminal.exits import Exit, fail

if TYPE_CHECKING:
    from athena.store.record_kinds import Records

app = typer.Typer(help="Create, list and revoke API tokens.")

_DataDir = Annotated[Path | None, typer.Option(help="Folder of the database.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class _Mode(StrEnum):
    FAST = "fast"
    RELAX = "relax"
    TURBO = "turbo"


class _Images(StrEnum):
    ORIGIN = "origin"
    RELAY = "relay"
    PROXY = "proxy"


class _Role(StrEnum):
    READER = "reader"
    USER = "user"
    ADMIN = "admin"


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Label.")],
    role: Annotated[
        _Role,
        typer.Option(help="A reader has read-only access; an admin manages accounts and tokens."),
    ] = (_Role.USER),
    mode: Annotated[_Mode | None, typer.Option(help="Force this speed.")] = None,
    images: Annotated[_Images | None, typer.Option(help="Image link type.")] = None,
    images_host: Annotated[str | None, typer.Option(help="Host for proxy links.")] = None,
    rate: Annotated[int | None, typer.Option(min=1, help="Requests per minute.")] = None,
    daily_limit: Annotated[int | None, typer.Option(min=1, help="Tasks per day (UTC).")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Expires after N days.")] = None,
    data_dir: _DataDir = None,
    json: _Json = False,
) -> None:
    """Create a token. The secret is shown only once.

    \b
    Examples:
      athena token create --name shop --mode relax --images proxy
      athena token create --name me --role admin
    """
    from athena.store.tokens import TOKENS, new

    now = datetime.now(UTC)
    expires = round((now + timedelta(days=days)).timestamp() * 1000) if days else None
    token, secret = new(
        name, round(now.timestamp() * 1000), role=role, speed=mode.name if mode else None,
        image_links=images, image_host=images_host, rate=rate, daily_limit=daily_limit,
        expires_at=expires,
    )  # fmt: skip
    with _records(data_dir) as records:
        records.put(TOKENS, token.id, token)
    if json:
        _print({"id": token.id, "token": secret})
    else:
        typer.echo(secret)
        typer.echo(f"Created token {token.id}. Save the secret: it is not shown again.", err=True)


@app.command("list")
def show(data_dir: _DataDir = None, json: _Json = False) -> None:
    """List tokens, without secrets."""
    import msgspec

    from athena.store.tokens import TOKENS

    with _records(data_dir) as records:
        tokens = [msgspec.to_builtins(token) for token in records.all(TOKENS)]
    for token in tokens:
        del token["hash"]
        if not json:
            limits = (f"{k}={v}" for k, v in token.items() if v is not None and k not in _SHOWN)
            typer.echo(f"{token['id']}  {token['name']}  {token['role']}  {' '.join(limits)}")
    if json:
        _print(tokens)


@app.command()
def remove(
    token_id: Annotated[str, typer.Argument(help="Token id; see `athena token list`.")],
    data_dir: _DataDir = None,
) -> None:
    """Revoke a token."""
    from athena.store.tokens import TOKENS

    with _records(data_dir) as records:
        if not records.remove(TOKENS, token_id):
            fail(Exit.USAGE, f"No token {token_id}. See `athena token list`.")
    typer.echo(f"Revoked {token_id}.")


_SHOWN = ("id", "name", "role", "created_at")


@contextmanager
def _records(data_dir: Path | None) -> Iterator[Records]:
    from athena.errors import StoreError
    from athena.store.sqlite import SqliteRecords
    from athena.terminal.configured import settings

    try:
        records = SqliteRecords(settings(data_dir=data_dir).data_dir)
    except StoreError as error:
        fail(Exit.FAILED, str(error))
    try:
        yield records
    finally:
        records.close()


def _print(said: object) -> None:
    import json

    typer.echo(json.dumps(said))
