"""Notices: the bot's messages about a request or an account instead of an image.

The title decides (contracts: midjourney-bot, section 8): that of an embed, or the first line of a
plain text. Of unknown embeds, a red one is a failure with Midjourney's own message, a yellow or
green one a remark that ends nothing; any other is no notice.
"""

import re

from msgspec import Struct

from athena.discord import wire
from athena.tasks.bot_events import Profile, Verdict

_RED = frozenset({16711680, 15548997})
_MILD = frozenset({16776960, 65280})

_TITLES: dict[Verdict, tuple[str, ...]] = {
    Verdict.FAILED: (
        "Invalid parameter",
        "Invalid prompt",
        "Empty prompt",
        "Invalid link",
        "Could not validate this link",
        "Failed to process your command",
        "Internal error",
        "Sorry! Could not complete the job!",
        "Sorry, something went wrong",
        "Duplicate images detected",
        "Job action restricted",
        "Failed to request upscale",
    ),
    Verdict.MODERATED: (
        "Banned prompt",
        "Banned prompt detected",
        "Request cancelled due to output filters",
        "Request cancelled due to image filters",
        "Action needed to continue",
    ),
    Verdict.HUMAN_CHECK: ("Action required to continue",),
    Verdict.NOTICE: ("Job queued",),
    Verdict.RETRY: ("Queue full", "Slow Down!", "Crowded channel"),
    Verdict.ACCOUNT_DOWN: (
        "Credits exhausted",
        "Subscription required",
        "Subscription paused",
        "Plan Cancelled",
        "Pending mod message",
        "Blocked",
        "Tos not accepted",
        "You have been blocked from accessing Midjourney",
    ),
}

EXHAUSTED = "Credits exhausted"
"""The only account notice that relaxed mode can avoid, if the owner allows it."""


class Said(Struct, frozen=True, kw_only=True):
    """A notice extracted from its message."""

    verdict: Verdict
    title: str
    description: str = ""
    profile: Profile | None = None
    """The account's settings in the notice."""


def is_exhausted(title: str) -> bool:
    """Whether a notice says that the plan's fast time is used up."""
    return _plain(title) == _plain(EXHAUSTED)


def of_embed(embed: wire.Embed) -> Said | None:
    """What the embed means, or None when it is no notice."""
    verdict = verdict_of(embed)
    if verdict is None:
        return None
    return Said(verdict=verdict, title=embed.title, description=embed.description)


def verdict_of(embed: wire.Embed) -> Verdict | None:
    """The verdict of an embed."""
    known = _VERDICTS.get(_plain(embed.title))
    if known is None and embed.title and embed.color in _RED:
        known = Verdict.FAILED
    if known in (Verdict.FAILED, None) and embed.footer and "decline-" in embed.footer.text:
        return Verdict.MODERATED
    if known is None and embed.title and embed.color in _MILD:
        return Verdict.NOTICE
    return known


def of_text(content: str) -> Said | None:
    """A plain-text notice: a known title at its start, or the answer of a switch or bookmark."""
    head = _MARKUP.sub("", content[:200]).lstrip()
    if found := _TITLED.match(head):
        title = found[0].strip()
        said = content.split(title, 1)[-1].lstrip("*_#: \n")
        return Said(verdict=_VERDICTS[_plain(title)], title=title, description=said)
    for form, profile in _SWITCHES:
        if form.search(head):
            return Said(verdict=Verdict.NOTICE, title="", description=content, profile=profile)
    return None


def _plain(title: str) -> str:
    """A title normalized for comparison."""
    return title.strip(" \t\r\n!.:*#🚫⚠️❌").casefold().replace("canceled", "cancelled")


_VERDICTS = {_plain(title): verdict for verdict, titles in _TITLES.items() for title in titles}

_MARKUP = re.compile(r"[*_#>`]+")
_TITLED = re.compile(
    r"(?:{})!*(?=[.:]|\s*\n|\s*\Z)".format(
        "|".join(re.escape(title) for title in sorted(_VERDICTS, key=len, reverse=True))
    ),
    re.IGNORECASE,
)

_SWITCHES: tuple[tuple[re.Pattern[str], Profile | None], ...] = (
    (re.compile(r"^You have successfully rated"), None),
    (re.compile(r"^Remix mode turned on"), Profile(remix=True)),
    (re.compile(r"^Remix mode turned off"), Profile(remix=False)),
    (re.compile(r"^Done! .*\bdo not consume fast[- ]hours"), Profile(mode="Relaxed")),
    (re.compile(r"^Done! .*\bturbo\b", re.IGNORECASE), Profile(mode="Turbo")),
    (re.compile(r"^Done! .*\bconsume fast[- ]hours"), Profile(mode="Fast")),
    (re.compile(r"^Done! .*\b(?:stealth|private)\b", re.IGNORECASE), Profile(visibility="Stealth")),
    (re.compile(r"^Done! .*\bpublic\b", re.IGNORECASE), Profile(visibility="Public")),
    (re.compile(r"^Done! "), None),
)
