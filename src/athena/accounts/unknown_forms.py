"""Messages of an unknown form: counted, logged once per form, and stored for a bug report.

A form is the text without what varies: prompts, ids, numbers. The first
message of each is appended to a file of JSON lines, which `athena read` understands.
"""

import re
from collections import Counter
from pathlib import Path

import msgspec
import structlog

from athena.discord import wire

log = structlog.get_logger(__name__)

_MOST_FORMS = 500
_LONGEST = 200
_VARYING: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\*\*.*\*\*", re.DOTALL), "**…**"),
    (re.compile(r"<[^<>]*>"), "<…>"),
    (re.compile(r"https?://\S+"), "link"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}"), "job"),
    (re.compile(r"\d+"), "0"),
)


class UnknownForms:
    """The unknown forms; `file` stores an example of each, None stores none."""

    def __init__(self, file: Path | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._file = file

    def note(self, message: wire.Message) -> None:
        """Count a message that could not be read."""
        form = form_of(message)
        if form not in self.counts and len(self.counts) >= _MOST_FORMS:
            return
        self.counts[form] += 1
        if self.counts[form] == 1:
            log.warning("message.unknown_form", form=form)
            self._keep(message)

    def _keep(self, message: wire.Message) -> None:
        if self._file is None:
            return
        try:
            with self._file.open("ab") as lines:
                lines.write(msgspec.json.encode(message) + b"\n")
        except OSError as error:
            log.warning("message.form_not_saved", error=error.strerror)


def form_of(message: wire.Message) -> str:
    """The part of a message that is the same for all of its form."""
    titles = [embed.title for embed in message.embeds]
    buttons = [part.custom_id for row in message.components for part in row.components]
    text = " | ".join([message.content, *titles, *buttons[:3]])
    for varying, sign in _VARYING:
        text = varying.sub(sign, text)
    return text[:_LONGEST]
