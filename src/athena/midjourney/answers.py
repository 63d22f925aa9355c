"""Text answers: of `/describe`, `/shorten`, `/info`, `/settings` and the envelope reaction.

Source: contracts, midjourney-bot, section 7. Forms vary, so each is recognised by one
distinctive mark and read field by field; missing fields are None.
"""

import re
from collections.abc import Iterator

from athena.discord import wire
from athena.midjourney import buttons
from athena.tasks.bot_events import Profile
from athena.tasks.model import Action

_SEED_JOB = re.compile(rf"\*\*Job ID:?\*\*:?\s*({buttons.JOB})", re.IGNORECASE)
_SEED = re.compile(r"\*\*seed:?\*\*:?\s*(\d{1,10})", re.IGNORECASE)
_FIELD = re.compile(r"^\*\*(?P<name>[^*\n]+?):?\*\*:?\s*(?P<value>[^\n]*)$", re.MULTILINE)
_HOURS = re.compile(r"([\d.]+)\s*/\s*([\d.]+)\s*hours")
_SETTINGS = "MJ::Settings::"
_ON = 3
"""The style of a button that is switched on."""

_CONCURRENT = {"basic": 3, "standard": 3, "pro": 12, "mega": 12}


def words_of(embed: wire.Embed) -> tuple[Action, str] | None:
    """The prompts of a describe or a shorten, exactly as the bot wrote them."""
    text = embed.description
    if "1️⃣" in text[:20]:
        return Action.DESCRIBE, text
    footer = embed.footer.text if embed.footer else ""
    if "Important tokens" in text or "Shortened prompts" in text or "shortened prompts" in footer:
        return Action.SHORTEN, text
    return None


def seed_of(content: str) -> tuple[str, str] | None:
    """A job and its seed."""
    job, seed = _SEED_JOB.search(content), _SEED.search(content)
    return (job[1], seed[1]) if job and seed else None


def info_of(embed: wire.Embed) -> Profile | None:
    """The profile in an answer to `/info`."""
    if not embed.title.startswith("Your info"):
        return None
    said = {found["name"].lower(): found["value"] for found in _FIELD.finditer(embed.description)}
    plan = said.get("subscription", "").partition(" ")[0] or None
    hours = _HOURS.search(said.get("fast time remaining", ""))
    return Profile(
        plan=plan,
        concurrent=_CONCURRENT.get((plan or "").lower()),
        renews=said.get("subscription"),
        fast_left=_number(hours[1]) if hours else None,
        fast_total=_number(hours[2]) if hours else None,
        mode=_mode(said.get("job mode", "")),
        visibility=said.get("visibility mode"),
        queued_fast=_count(said.get("queued jobs (fast)")),
        queued_relax=_count(said.get("queued jobs (relax)")),
        lifetime=said.get("lifetime usage"),
    )


def settings_of(message: wire.Message) -> Profile | None:
    """The profile in `/settings`: green buttons are on, the menu's default is the model."""
    parts = [part for row in message.components for part in row.components]
    if not any(part.custom_id.startswith(_SETTINGS) for part in parts):
        return None
    on = [_label(part) for part in parts if part.style == _ON]
    shown = {_label(part) for part in parts}
    modes = [mode for name in on if (mode := _mode(name))]
    seen = next((name for name in on if name.startswith(("stealth", "public"))), None)
    return Profile(
        remix=_switched("remix mode", on, shown),
        mode=modes[0] if modes else None,
        visibility=seen.split()[0].title() if seen else None,
        version=next(_chosen(parts), None),
    )


def _switched(name: str, on: list[str], shown: set[str]) -> bool | None:
    return name in on if name in shown else None


def _label(part: wire.Component) -> str:
    """A button's label without leading symbols, lower case."""
    return re.sub(r"^[^\w]+", "", part.label or "").strip().lower()


def _chosen(parts: list[wire.Component]) -> Iterator[str]:
    for part in parts:
        yield from (option.label for option in part.options if option.default)


def _mode(text: str) -> str | None:
    word = text.strip().lower().partition(" ")[0]
    return {"fast": "Fast", "relax": "Relaxed", "relaxed": "Relaxed", "turbo": "Turbo"}.get(word)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
