"""Every notice of the contract, on demand (contracts: midjourney-bot, section 8).

A prompt that ends in `--notice "Slow Down!"`, or a call of the control endpoint, makes the bot
answer with that notice, in the way in which it is seen at Discord: most as an ephemeral message in
place of a job, some over the first message of a job that had begun, some as plain text. Another
way is asked for behind a bar: `--notice "Slow Down! | reply"`.
"""

from enum import StrEnum

from msgspec import Struct

from athena.simulator.bots import forms
from athena.simulator.stage import Draft

_RED, _DARK_RED, _YELLOW = 16711680, 15548997, 16776960


class Way(StrEnum):
    """How a notice comes."""

    FRESH = "fresh"
    """A new message, seen by its cause alone, in place of a job."""
    EDIT = "edit"
    """The job's first message becomes it."""
    REPLY = "reply"
    """A reply to the job's first message, which then goes."""
    PLAIN = "plain"
    """A new message of plain text."""
    PAGE = "page"
    """A page of the bot's own, which only a person can pass."""
    QUEUED = "queued"
    """A remark; the job comes later."""
    REMOVED = "removed"
    """No word: the job's message goes, and nothing comes."""


class Wish(Struct, frozen=True, kw_only=True):
    """A notice that somebody wants to see."""

    title: str
    description: str = ""
    color: int = _RED
    way: Way = Way.FRESH
    footer: str = ""
    asks: bool = False
    """It has buttons that only a person should press."""

    def draft(self) -> Draft:
        ephemeral = self.way in (Way.FRESH, Way.QUEUED)
        if self.way is Way.PLAIN:
            return Draft(content=f"**{self.title}**\n{self.description}", ephemeral=ephemeral)
        more = {"footer": {"text": self.footer}} if self.footer else {}
        embed = forms.embed(self.title, self.description, self.color, **more)
        rows = forms.appeal_rows("0f3b1c9e") if self.asks else ()
        return Draft(embeds=(embed,), components=rows, ephemeral=ephemeral)


_KNOWN = {
    wish.title.casefold(): wish
    for wish in (
        Wish(title="Invalid parameter", description="Unrecognized parameter(s): `--foo`"),
        Wish(title="Invalid prompt", description="The prompt cannot be understood."),
        Wish(title="Empty prompt", description="The prompt cannot be empty."),
        Wish(title="Invalid link", description="The link does not lead to an image.",
             way=Way.EDIT),
        Wish(title="Could not validate this link", description="Is it public?"),
        Wish(title="Failed to process your command", description="Please try again.",
             color=_DARK_RED),
        Wish(title="Internal error", description="Something broke on our side."),
        Wish(title="Sorry! Could not complete the job!", description="Please try again.",
             way=Way.REPLY),
        Wish(title="Sorry, something went wrong", description="The job is lost.", way=Way.EDIT),
        Wish(title="Duplicate images detected", description="Give different images."),
        Wish(title="Banned prompt", description="A word of it is not allowed.", way=Way.PLAIN),
        Wish(title="Banned prompt detected", description="The word `x` is not allowed here.",
             footer="decline-revise-1a2b"),
        Wish(title="Request cancelled due to output filters", way=Way.EDIT,
             description="The images are against the guidelines."),
        Wish(title="Request cancelled due to image filters", way=Way.REPLY,
             description="The image that was given is against the guidelines."),
        Wish(title="Action needed to continue", asks=True, color=_YELLOW,
             description="Our moderator thinks that this prompt may be against the guidelines."),
        Wish(title="Action required to continue", way=Way.PAGE,
             description="Please show that you are a person."),
        Wish(title="Job queued", color=_YELLOW, way=Way.QUEUED,
             description="Your job waits until one of your others is done."),
        Wish(title="Queue full", description="Please wait for a job to finish first."),
        Wish(title="Slow Down!", description="You have too many jobs already.", color=_YELLOW),
        Wish(title="Crowded channel", description="Try another channel.", way=Way.PLAIN),
        Wish(title="Job action restricted", description="This cannot be done again."),
        Wish(title="Failed to request upscale", description="This image was upscaled already."),
        Wish(title="Credits exhausted", description="You have used up your fast hours."),
        Wish(title="Subscription required", description="Please subscribe to make images."),
        Wish(title="Subscription paused", description="Resume it on the website."),
        Wish(title="Plan Cancelled", description="Your plan has ended."),
        Wish(title="Pending mod message", description="Please read it first."),
        Wish(title="Blocked", description="You are blocked for an hour.", way=Way.PLAIN),
        Wish(title="Tos not accepted", description="Accept the terms of service first."),
        Wish(title="You have been blocked from accessing Midjourney",
             description="This is for good."),
        Wish(title="Removed", way=Way.REMOVED),
    )
}  # fmt: skip


def known() -> list[str]:
    """The titles that can be asked for by name."""
    return [wish.title for wish in _KNOWN.values()]


def wish(text: str) -> Wish:
    """The notice of a title, in its usual way or in that behind a bar; unknown ones come in red.

    Raises:
        ValueError: no such way.
    """
    title, _, way = (part.strip() for part in text.strip(" \"'“”").partition("|"))
    found = _KNOWN.get(title.casefold(), Wish(title=title, description="As was asked for."))
    if not way:
        return found
    return Wish(
        title=found.title, description=found.description, color=found.color,
        way=Way(way), footer=found.footer, asks=found.asks,
    )  # fmt: skip
