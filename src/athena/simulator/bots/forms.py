"""What the bot's messages look like: texts, button rows, embeds.

Source: contracts, midjourney-bot, sections 2, 3, 5 and 8.
"""

import re

from athena.simulator.stage import Json

_SECONDARY, _DANGER, _LINK = 2, 4, 5
_RED, _YELLOW = 16711680, 16776960


def waiting(lead: str, prompt: str, user_id: str) -> str:
    """`lead` is empty for a command, else e.g. `Rerolling `."""
    return f"{lead}**{prompt}** - <@{user_id}> (Waiting to start)"


def running(form: str, prompt: str, user_id: str, marks: str) -> str:
    return f"**{prompt}** - {form}<@{user_id}> {marks}"


def done(form: str, prompt: str, user_id: str, mode: str, website_job: str | None) -> str:
    """The final text; some carry a link to the website."""
    site = ""
    if website_job:
        link = f"https://midjourney.com/jobs/{website_job}"
        site = f" [(Open on website for full quality)](<{link}>)"
    return f"**{prompt}** - {form}<@{user_id}>{site} ({mode})"


def image_number(prompt: str, index: int, user_id: str) -> str:
    return f"**{prompt}** - Image #{index} <@{user_id}>"


def slug(prompt: str) -> str:
    """The words of a prompt as they stand in a file's name."""
    text = re.sub(r"<[^>]*>|--\S+(?: \S+)?", " ", prompt)
    return "_".join(re.findall(r"[^\W_]+", text))[:60] or "image"


def cancel_row(job: str) -> tuple[Json, ...]:
    return (_row(_button(f"MJ::CancelJob::ByJobid::{job}", "Cancel Job", style=_DANGER)),)


def grid_rows(job: str) -> tuple[Json, ...]:
    """U1 to U4 and reroll, V1 to V4."""
    upscale = [_button(f"MJ::JOB::upsample::{n}::{job}", f"U{n}") for n in range(1, 5)]
    reroll = _button(f"MJ::JOB::reroll::0::{job}::SOLO", emoji="🔄")
    vary = [_button(f"MJ::JOB::variation::{n}::{job}", f"V{n}") for n in range(1, 5)]
    return _row(*upscale, reroll), _row(*vary)


def single_rows(job: str, version: str, *, square: bool) -> tuple[Json, ...]:
    """What a picture taken from a grid offers."""
    upscaler = "v7_2x" if version.startswith("7") else "v6_2x"

    def solo(verb: str, label: str = "", emoji: str = "") -> Json:
        return _button(f"MJ::JOB::{verb}::1::{job}::SOLO", label, emoji)

    zooms = [
        _button(f"MJ::Outpaint::50::1::{job}::SOLO", "Zoom Out 2x", "🔍"),
        _button(f"MJ::Outpaint::75::1::{job}::SOLO", "Zoom Out 1.5x", "🔍"),
        _button(f"MJ::CustomZoom::{job}", "Custom Zoom", "🔍"),
    ]
    if not square:
        zooms.append(_button(f"MJ::Outpaint::100::1::{job}::SOLO", "Make Square", "↔️"))
    return (
        _row(
            solo(f"upsample_{upscaler}_subtle", "Upscale (Subtle)", "🎨"),
            solo(f"upsample_{upscaler}_creative", "Upscale (Creative)", "🎨"),
        ),
        _row(
            solo("low_variation", "Vary (Subtle)", "🪄"),
            solo("high_variation", "Vary (Strong)", "🪄"),
            _button(f"MJ::Inpaint::1::{job}::SOLO", "Vary (Region)", "🖌️"),
        ),
        _row(*zooms),
        _row(
            solo("pan_left", emoji="⬅️"),
            solo("pan_right", emoji="➡️"),
            solo("pan_up", emoji="⬆️"),
            solo("pan_down", emoji="⬇️"),
        ),
        _row(
            solo("animate_high", "Animate (High motion)", "🎬"),
            solo("animate_low", "Animate (Low motion)", "🎬"),
            _button(f"MJ::BOOKMARK::{job}", emoji="❤️"),
            _web(job),
        ),
    )


def notice(title: str, description: str, *, failed: bool = True) -> Json:
    """An embed in place of a job."""
    return {
        "type": "rich",
        "title": title,
        "description": description,
        "color": _RED if failed else _YELLOW,
    }


def _row(*buttons: Json) -> Json:
    return {"type": 1, "components": list(buttons)}


def _button(custom_id: str, label: str = "", emoji: str = "", style: int = _SECONDARY) -> Json:
    button: Json = {"type": 2, "style": style, "custom_id": custom_id}
    if label:
        button["label"] = label
    if emoji:
        button["emoji"] = {"name": emoji}
    return button


def _web(job: str) -> Json:
    url = f"https://www.midjourney.com/jobs/{job}?index=0"
    return {"type": 2, "style": _LINK, "label": "Web", "url": url}
