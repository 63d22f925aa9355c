"""The form of the bot's messages: texts, button rows, embeds.

Source: contracts, midjourney-bot, sections 2, 3 and 5 to 8.
"""

import re

from athena.simulator.stage import Json

_SECONDARY, _SUCCESS, _DANGER, _LINK = 2, 3, 4, 5
_RED, _YELLOW, _GREEN = 16711680, 16776960, 65280


def waiting(lead: str, form: str, prompt: str, user_id: str) -> str:
    """`lead` and `form` are empty for a command, else e.g. `Rerolling ` or `Pan Left by `."""
    return f"{lead}**{prompt}** - {form}<@{user_id}> (Waiting to start)"


def running(form: str, prompt: str, user_id: str, marks: str) -> str:
    return f"**{prompt}** - {form}<@{user_id}> {marks}"


def done(form: str, prompt: str, user_id: str, mode: str, website_job: str | None) -> str:
    """The final text; some have a link to the website."""
    site = ""
    if website_job:
        link = f"https://midjourney.com/jobs/{website_job}"
        site = f" [(Open on website for full quality)](<{link}>)"
    return f"**{prompt}** - {form}<@{user_id}>{site} ({mode})"


def image_number(prompt: str, index: int, user_id: str) -> str:
    return f"**{prompt}** - Image #{index} <@{user_id}>"


def slug(prompt: str) -> str:
    """The words of a prompt in the form used in file names."""
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
    """Buttons of an image upscaled from a grid; `version` is its model's, e.g. `7.0`, `niji 6`."""
    zooms = [
        _button(f"MJ::Outpaint::50::1::{job}::SOLO", "Zoom Out 2x", "🔍"),
        _button(f"MJ::Outpaint::75::1::{job}::SOLO", "Zoom Out 1.5x", "🔍"),
        _button(f"MJ::CustomZoom::{job}", "Custom Zoom", "🔍"),
    ]
    if not square:
        zooms.append(_button(f"MJ::Outpaint::100::1::{job}::SOLO", "Make Square", "↔️"))
    pans = [
        _solo(f"pan_{way}", job, emoji=sign)
        for way, sign in (("left", "⬅️"), ("right", "➡️"), ("up", "⬆️"), ("down", "⬇️"))
    ]
    enlarge = [_solo(verb, job, label, "🎨") for verb, label in _enlargers(version)]
    return (
        _row(*enlarge),
        _row(*_varies(job)),
        _row(*zooms),
        _row(*pans),
        _row(*_animates(job), *_keeps(job)),
    )


def enlarged_rows(job: str, version: str) -> tuple[Json, ...]:
    """Buttons of an image that was upscaled again."""
    redo = [_solo(verb, job, f"Redo {label}", "🎨") for verb, label in _enlargers(version)]
    return _row(*redo), _row(*_varies(job)), _row(*_animates(job), *_keeps(job))


def videos_rows(job: str, count: int) -> tuple[Json, ...]:
    """Buttons of a grid of videos."""
    takes = [
        _button(f"MJ::JOB::video_virtual_upscale::{n}::{job}", f"U{n}") for n in range(1, count + 1)
    ]
    return (_row(*takes, _button(f"MJ::JOB::reroll::0::{job}::SOLO", emoji="🔄")),)


def video_rows(job: str) -> tuple[Json, ...]:
    """Buttons of one video."""
    extends = [
        _button(f"MJ::JOB::animate_{way}_extend::1::{job}", f"Extend ({way.title()} motion)", "🎬")
        for way in ("high", "low")
    ]
    return _row(*extends), _row(*_keeps(job))


def describe_rows() -> tuple[Json, ...]:
    numbers = [_button(f"MJ::Job::PicReader::{n}", emoji=sign(n)) for n in range(1, 5)]
    retry = _button("MJ::Picread::Retry", emoji="🔄")
    return _row(*numbers, retry), _row(
        _button("MJ::Job::PicReader::all", "Imagine all", "🎉", style=_SUCCESS)
    )


def shorten_rows(token: str, count: int, *, details: bool) -> tuple[Json, ...]:
    numbers = [
        _button(f"MJ::Job::PromptAnalyzer::{n}::{token}", emoji=sign(n))
        for n in range(1, count + 1)
    ]
    more = _button(f"MJ::Job::PromptAnalyzerExtended::{token}", "Show Details")
    return (_row(*numbers), *((_row(more),) if details else ()))


def appeal_rows(token: str) -> tuple[Json, ...]:
    """Buttons of a moderation question."""
    return (
        _row(
            _button(f"MJ::Prompts::Appeal::{token}", "Appeal", style=_SUCCESS),
            _button(f"MJ::Prompts::Acknowledge::{token}", "Acknowledge", style=_DANGER),
        ),
    )


def settings_rows(
    models: dict[str, bool], switches: tuple[tuple[tuple[str, str, bool], ...], ...]
) -> tuple[Json, ...]:
    """The panel of `/settings`: a menu of models, rows of (custom_id, label, is on)."""
    options = [{"label": name, "value": name, "default": chosen} for name, chosen in models.items()]
    menu = {"type": 3, "custom_id": "MJ::Settings::VersionSelector", "options": options}
    rows = [
        _row(
            *(_button(each, label, style=_SUCCESS if on else _SECONDARY) for each, label, on in row)
        )
        for row in switches
    ]
    return (_row(menu), *rows)


def text_input(custom_id: str, label: str, value: str) -> Json:
    """The one input of a modal."""
    return {
        "type": 4,
        "custom_id": custom_id,
        "style": 2,
        "label": label,
        "value": value,
        "required": True,
        "min_length": 1,
        "max_length": 4000,
    }


def sign(number: int) -> str:
    """A number as an emoji."""
    return f"{number}\ufe0f\u20e3"


def _enlargers(version: str) -> tuple[tuple[str, str], ...]:
    """The upscalers of a model: verb and label."""
    if version.startswith("5"):
        return ("upsample_v5_2x", "Upscale (2x)"), ("upsample_v5_4x", "Upscale (4x)")
    if version.startswith(("1", "2", "3", "4")):
        return ("upsample_light", "Upscale (Light)"), ("upsample_beta", "Upscale (Beta)")
    family = {"6.0": "v6", "6.1": "v6r1", "7.0": "v7"}.get(version)
    if family is None:
        family = "v8" if version.startswith("8") else "v6r1"
    return tuple((f"upsample_{family}_2x_{way}", f"Upscale ({way.title()})")
                 for way in ("subtle", "creative"))  # fmt: skip


def _varies(job: str) -> list[Json]:
    return [
        _solo("low_variation", job, "Vary (Subtle)", "🪄"),
        _solo("high_variation", job, "Vary (Strong)", "🪄"),
        _button(f"MJ::Inpaint::1::{job}::SOLO", "Vary (Region)", "🖌️"),
    ]


def _animates(job: str) -> list[Json]:
    return [
        _solo("animate_high", job, "Animate (High motion)", "🎬"),
        _solo("animate_low", job, "Animate (Low motion)", "🎬"),
    ]


def _keeps(job: str) -> list[Json]:
    return [_button(f"MJ::BOOKMARK::{job}", emoji="❤️"), _web(job)]


def _solo(verb: str, job: str, label: str = "", emoji: str = "") -> Json:
    return _button(f"MJ::JOB::{verb}::1::{job}::SOLO", label, emoji)


def embed(title: str, description: str, color: int = _GREEN, **more: object) -> Json:
    return {"type": "rich", "title": title, "description": description, "color": color, **more}


def notice(title: str, description: str, *, failed: bool = True) -> Json:
    """An embed instead of a job."""
    return embed(title, description, _RED if failed else _YELLOW)


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
