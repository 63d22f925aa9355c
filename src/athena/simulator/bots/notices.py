"""Every notice of the contract, on demand (contracts: midjourney-bot, section 8).

A prompt that ends in `--notice "Slow Down!"`, or a call of the control endpoint, makes the bot
answer with that notice, delivered as at Discord: most as an ephemeral message instead of a job,
some by editing the first message of a running job, some as plain text. The part after `|` selects
another
delivery: `--notice "Slow Down! | reply"`.
"""

from enum import StrEnum

from msgspec import Struct

from athena.simulator.bots import forms
from athena.simulator.stage import Draft

_RED, _DARK_RED, _YELLOW = 16711680, 15548997, 16776960


class Delivery(StrEnum):
    """How a notice is delivered."""

    FRESH = "fresh"
    """A new ephemeral message instead of a job."""
    EDIT = "edit"
    """The job's first message is edited."""
    REPLY = "reply"
    """A reply to the job's first message, which is then deleted."""
    PLAIN = "plain"
    """A new message of plain text."""
    PAGE = "page"
    """An iframe modal that only a person can complete."""
    QUEUED = "queued"
    """A notice before the job, which runs later."""
    REMOVED = "removed"
    """No notice: the job's message is deleted."""


class Notice(Struct, frozen=True, kw_only=True):
    """A notice to answer with."""

    title: str
    description: str = ""
    color: int = _RED
    delivery: Delivery = Delivery.FRESH
    footer: str = ""
    asks: bool = False
    """Whether it has buttons that only a person should press."""

    def draft(self) -> Draft:
        ephemeral = self.delivery in (Delivery.FRESH, Delivery.QUEUED)
        if self.delivery is Delivery.PLAIN:
            return Draft(content=f"**{self.title}**\n{self.description}", ephemeral=ephemeral)
        more = {"footer": {"text": self.footer}} if self.footer else {}
        embed = forms.embed(self.title, self.description, self.color, **more)
        rows = forms.appeal_rows("0f3b1c9e") if self.asks else ()
        return Draft(embeds=(embed,), components=rows, ephemeral=ephemeral)


_KNOWN = {
    notice.title.casefold(): notice
    for notice in (
        Notice(title="Invalid parameter", description="Unrecognized parameter(s): `--foo`"),
        Notice(title="Invalid prompt", description="The prompt cannot be understood."),
        Notice(title="Empty prompt", description="The prompt cannot be empty."),
        Notice(title="Invalid link", description="The link does not lead to an image.",
               delivery=Delivery.EDIT),
        Notice(title="Could not validate this link", description="Is it public?"),
        Notice(title="Failed to process your command", description="Please try again.",
               color=_DARK_RED),
        Notice(title="Internal error", description="Something broke on our side."),
        Notice(title="Sorry! Could not complete the job!", description="Please try again.",
               delivery=Delivery.REPLY),
        Notice(title="Sorry, something went wrong", description="The job is lost.",
               delivery=Delivery.EDIT),
        Notice(title="Duplicate images detected", description="Give different images."),
        Notice(title="Banned prompt", description="A word of it is not allowed.",
               delivery=Delivery.PLAIN),
        Notice(title="Banned prompt detected", description="The word `x` is not allowed here.",
               footer="decline-revise-1a2b"),
        Notice(title="Request cancelled due to output filters", delivery=Delivery.EDIT,
               description="The images are against the guidelines."),
        Notice(title="Request cancelled due to image filters", delivery=Delivery.REPLY,
               description="The image that was given is against the guidelines."),
        Notice(title="Action needed to continue", asks=True, color=_YELLOW,
               description="Our moderator thinks that this prompt may be against the guidelines."),
        Notice(title="Action required to continue", delivery=Delivery.PAGE,
               description="Please show that you are a person."),
        Notice(title="Job queued", color=_YELLOW, delivery=Delivery.QUEUED,
               description="Your job waits until one of your others is done."),
        Notice(title="Queue full", description="Please wait for a job to finish first."),
        Notice(title="Slow Down!", description="You have too many jobs already.", color=_YELLOW),
        Notice(title="Crowded channel", description="Try another channel.",
               delivery=Delivery.PLAIN),
        Notice(title="Job action restricted", description="This cannot be done again."),
        Notice(title="Failed to request upscale", description="This image was upscaled already."),
        Notice(title="Credits exhausted", description="You have used up your fast hours."),
        Notice(title="Subscription required", description="Please subscribe to make images."),
        Notice(title="Subscription paused", description="Resume it on the website."),
        Notice(title="Plan Cancelled", description="Your plan has ended."),
        Notice(title="Pending mod message", description="Please read it first."),
        Notice(title="Blocked", description="You are blocked for an hour.",
               delivery=Delivery.PLAIN),
        Notice(title="Tos not accepted", description="Accept the terms of service first."),
        Notice(title="You have been blocked from accessing Midjourney",
               description="This is for good."),
        Notice(title="Removed", delivery=Delivery.REMOVED),
    )
}  # fmt: skip


def known() -> list[str]:
    """The known titles."""
    return [notice.title for notice in _KNOWN.values()]


def parse(text: str) -> Notice:
    """The notice with a title, with its usual delivery or the one after `|`. Unknown titles are
    red.

    Raises:
        ValueError: the delivery is unknown.
    """
    title, _, way = (part.strip() for part in text.strip(" \"'“”").partition("|"))
    found = _KNOWN.get(title.casefold(), Notice(title=title, description="As requested."))
    if not way:
        return found
    return Notice(
        title=found.title, description=found.description, color=found.color,
        delivery=Delivery(way), footer=found.footer, asks=found.asks,
    )  # fmt: skip
