"""`athena read`: how Athena interprets the bots' messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from athena.terminal.exits import Exit, fail


def read(
    file: Annotated[
        str, typer.Argument(help="File of JSON lines; `-` (the default) is standard input.")
    ] = "-",
) -> None:
    """Read Discord messages and print how Athena interprets each.

    A line is a complete message object, or part of one: {"content": …}, {"embed": …},
    {"filename": …} or {"custom_id": …}. For each, one JSON line is printed. Unknown forms have the
    state `unknown`: please report them.

    \b
    Examples:
      athena read messages.jsonl
      echo '{"content": "**a cat** - <@1> (31%) (fast)"}' | athena read
      athena read data/unknown-forms.jsonl
    """
    import json

    broken = 0
    try:
        with _opened(file) as lines:
            for explained in _explained(lines):
                broken += "error" in explained
                typer.echo(json.dumps(explained, ensure_ascii=False))
    except OSError as error:
        fail(Exit.USAGE, f"Cannot read {file}: {error.strerror}.")
    if broken:
        fail(Exit.FAILED, f"Invalid lines: {broken}.")


def _opened(file: str) -> Any:
    if file == "-":
        return nullcontext(typer.get_text_stream("stdin", encoding="utf-8", errors="replace"))
    return Path(file).open(encoding="utf-8", errors="replace")


def _explained(lines: IO[str]) -> Iterator[dict[str, Any]]:
    import json

    from athena.midjourney.explain import NotAMessage, explain

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            if not isinstance(said, dict):
                raise NotAMessage("not a JSON object")
            yield explain(said)
        except (NotAMessage, ValueError, RecursionError) as error:
            yield {"error": f"line {number}: {error}"}
