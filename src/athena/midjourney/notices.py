"""Notices: what the bot says about a request or an account instead of a picture.

The embed's title decides (contracts: midjourney-bot, section 8). A red embed that nobody knows is
a failure in Midjourney's own words; any other unknown embed is no notice.
"""

from athena.discord import wire
from athena.tasks.sightings import Verdict

_RED = frozenset({16711680, 15548997})

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


def _plain(title: str) -> str:
    return title.strip().rstrip("!.").casefold()


_VERDICTS = {_plain(title): verdict for verdict, titles in _TITLES.items() for title in titles}


def verdict(embed: wire.Embed) -> Verdict | None:
    """What the embed means, or None when it is no notice that we know."""
    known = _VERDICTS.get(_plain(embed.title))
    if known is None and embed.title and embed.color in _RED:
        known = Verdict.FAILED
    if known in (Verdict.FAILED, None) and embed.footer and "decline-" in embed.footer.text:
        return Verdict.MODERATED
    return known
