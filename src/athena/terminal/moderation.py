"""`athena moderation`: prompts that Midjourney rejected although the word list allowed them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.terminal.exits import Exit, fail

if TYPE_CHECKING:
    from athena.settings import Settings

app = typer.Typer(help="Review rejected prompts and manage blocked words.")

_DataDir = Annotated[Path | None, typer.Option(help="Folder of the database.")]


@app.command()
def report(
    data_dir: _DataDir = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List rejected prompts and the words they have in common.

    \b
    Examples:
      athena moderation report
      athena moderation add "severed head"
    """
    from datetime import UTC, datetime

    from athena.errors import StoreError
    from athena.midjourney.moderation import WordList, shared_words
    from athena.store.sqlite.reports import refused_prompts

    settings = _settings(data_dir)
    try:
        refused = refused_prompts(settings.data_dir)
    except StoreError as error:
        fail(Exit.FAILED, str(error))
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(refused).decode())
        return
    for each in refused:
        when = datetime.fromtimestamp(each.at / 1000, UTC)
        typer.echo(f"{when:%Y-%m-%d %H:%M}  task {each.task_id}\n  {each.prompt}\n  {each.said}\n")
    if not refused:
        typer.echo("No prompts rejected by Midjourney so far.")
    known = WordList(settings.banned_words_file, built_in=settings.prompts.built_in_words)
    shared = shared_words((each.prompt for each in refused), known)
    for word, count in shared:
        typer.echo(f"{word}: in {count} of them, not blocked")
    if shared:
        typer.echo("\nBlock a word with `athena moderation add WORD`.")


@app.command()
def add(
    word: Annotated[str, typer.Argument(help="Word or phrase to block.")],
    data_dir: _DataDir = None,
) -> None:
    """Block a word; takes effect immediately."""
    from athena.midjourney.moderation import add_word

    file = _settings(data_dir).banned_words_file
    try:
        add_word(file, word)
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    except OSError as error:
        fail(Exit.FAILED, f"{file}: {error.strerror}")
    typer.echo(f"Added to {file}.")


def _settings(data_dir: Path | None) -> Settings:
    from athena.terminal.configured import settings

    return settings(data_dir=data_dir)
