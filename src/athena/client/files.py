"""Writes images to files with descriptive names, and never overwrites a file.

A name comes from a template with these fields: `date` (of the task), `slug` (the prompt's first
words), `job8` (the job's first eight digits), `job`, `task`, `tile` (`grid`, or 1 to 4).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from msgspec import Struct

from athena.delivery.image_kinds import ImageKind, kind_of

if TYPE_CHECKING:
    from athena.client.server import Snapshot

TEMPLATE = "{date}_{slug}_{job8}_{tile}"
_FIELDS = frozenset({"date", "slug", "job8", "job", "task", "tile"})


class BadTemplate(ValueError):
    """The template is invalid; the message says why."""


class File(Struct, frozen=True):
    """An image and its file name, without the folder."""

    name: str
    data: bytes


def check(template: str) -> str:
    """Validate a template and return it.

    Raises:
        BadTemplate: it has an unknown field, or is malformed.
    """
    try:
        fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise BadTemplate(f"{template!r} is not a template: {error}") from error
    if unknown := fields - _FIELDS:
        known = ", ".join(sorted(_FIELDS))
        raise BadTemplate(
            f"{template!r}: unknown field {', '.join(sorted(unknown))}; fields are {known}"
        )
    if "tile" not in fields:
        raise BadTemplate(f"{template!r} needs {{tile}}, or all five files have the same name")
    return template


def stem(template: str, task: Snapshot, tile: str) -> str:
    """The file name for a tile of a task, without the extension."""
    moment = (task.finish_time or task.submit_time or 0) / 1000
    fields = {
        "date": f"{datetime.fromtimestamp(moment):%Y-%m-%d}",
        "slug": slug(task.prompt or task.final_prompt),
        "job8": task.job[:8] or task.id[-8:],
        "job": task.job or task.id,
        "task": task.id,
        "tile": tile,
    }
    return template.format(**fields)


def slug(prompt: str) -> str:
    """The prompt's first words, safe for a file name."""
    text = re.sub(r"https?://\S+|--.*", " ", prompt.lower())
    return "-".join(re.findall(r"\w+", text))[:40].rstrip("-") or "image"


def ending(data: bytes) -> str:
    """The ending of an image's file; that of PNG for what is none."""
    kind = kind_of(data) or ImageKind.PNG
    return ".jpg" if kind is ImageKind.JPEG else f".{kind}"


def write(folder: Path, files: Sequence[File]) -> list[Path]:
    """Write files, each under a name that is not in use.

    Raises:
        OSError: a file could not be written; the files before it were.
    """
    return [_write(folder / file.name, file.data) for file in files]


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    number, free = 2, path
    while True:
        try:
            with free.open("xb") as file:
                file.write(data)
        except FileExistsError:
            free = path.with_stem(f"{path.stem}-{number}")
            number += 1
        else:
            return free
