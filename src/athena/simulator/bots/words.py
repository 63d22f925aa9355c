"""The bot's text answers: describe, shorten, info, settings, seeds.

Source: contracts, midjourney-bot, section 7. The simulator's own images are described by the prompt
in their metadata, other images by their colours.
"""

import hashlib
import re
from io import BytesIO
from random import Random

from msgspec import Struct
from PIL import Image

from athena.simulator.bots import forms
from athena.simulator.bots.jobs import Job
from athena.simulator.stage import Draft, Json

_PLAN_HOURS = {"basic": 3.3, "standard": 15.0, "pro": 30.0, "mega": 60.0}
_MODELS = ("Midjourney Model V6.1", "Midjourney Model V7", "Midjourney Model V8")
_HUES = ("crimson", "amber", "golden", "emerald", "teal", "azure", "violet", "rose")
_STYLES = ("in the style of soft gouache", "shot on 35mm film", "as a matte painting",
           "with muted tones and fine grain")  # fmt: skip
_FILLERS = frozenset(
    ("a", "an", "the", "of", "in", "on", "at", "and", "or", "with", "to", "from", "by", "for", "is")
)  # fmt: skip
_MOST_SHORT = 5


class Preferences(Struct):
    """A user's settings at the bot."""

    mode: str = "fast"
    """fast, relaxed or turbo."""
    stealth: bool = False
    remix: bool = False
    model: str = "Midjourney Model V7"
    jobs: int = 0
    fast_minutes: float = 0.0

    def shown_mode(self, own: str | None, *, stealth: bool) -> str:
        """The mode of a job: as its prompt says, else as the user's settings say."""
        hidden = ", stealth" if stealth or self.stealth else ""
        return f"{own or self.mode}{hidden}"


# Describe and shorten


def prompts_for(image: bytes, turn: int) -> list[str]:
    """Four prompts for an image; each `turn` gives different ones."""
    subject = _said(image) or f"an image in {_hue(image)}"
    random = Random(hashlib.sha256(image).hexdigest() + str(turn))
    styles = random.sample(_STYLES, 4)
    return [f"{subject}, {_hue(image)} light, {style} --ar {_shape(image)}" for style in styles]


def described(prompts: list[str], image: Json | None) -> Draft:
    lines = "\n\n".join(f"{forms.sign(n)} {prompt}" for n, prompt in enumerate(prompts, 1))
    shown = {"image": image} if image else {}
    return Draft(
        embeds=(forms.embed("", lines, 3_092_790, **shown),), components=forms.describe_rows()
    )


def shorter(prompt: str) -> list[str]:
    """Shorter versions of a prompt."""
    text = re.sub(r"\s--.*", "", prompt)
    words = text.split()
    found: list[str] = []
    for keep in range(len(words), 0, -max(len(words) // _MOST_SHORT, 1)):
        matter = sorted(sorted(range(len(words)), key=lambda at: -_weight(words[at]))[:keep])
        found.append(" ".join(words[at] for at in matter))
    return list(dict.fromkeys(found[1:] or found))[:_MOST_SHORT]


def shortened(prompt: str, token: str) -> Draft:
    words = re.sub(r"\s--.*", "", prompt).split()
    tokens = ", ".join(f"**{w}**" if _weight(w) > 0.5 else f"~~{w}~~" for w in words)
    choices = shorter(prompt)
    listed = "\n\n".join(f"{forms.sign(n)} {text}" for n, text in enumerate(choices, 1))
    text = f"## Important tokens\n{tokens}\n## Shortened prompts\n{listed}"
    return Draft(
        embeds=(_shorten_embed(text),),
        components=forms.shorten_rows(token, len(choices), details=True),
    )


def weighed(prompt: str, token: str) -> Draft:
    """Show Details: every word with its weight and a bar."""
    words = re.sub(r"\s--.*", "", prompt).split()
    bars = "\n".join(
        f"**{word}** ({_weight(word):.2f}) {'█' * round(10 * _weight(word))}" for word in words
    )
    choices = shorter(prompt)
    listed = "\n\n".join(f"{forms.sign(n)} {text}" for n, text in enumerate(choices, 1))
    text = f"## Important tokens\n{bars}\n## Shortened prompts\n{listed}"
    return Draft(
        embeds=(_shorten_embed(text),),
        components=forms.shorten_rows(token, len(choices), details=False),
    )


def _shorten_embed(text: str) -> Json:
    footer = {"text": "Click on a button to imagine one of the shortened prompts"}
    return forms.embed("", text, 3_092_790, footer=footer)


def _weight(word: str) -> float:
    """0 to 1; small words weigh little."""
    if word.lower().strip(".,") in _FILLERS:
        return 0.05
    return 0.3 + 0.7 * (int(hashlib.sha256(word.lower().encode()).hexdigest()[:4], 16) / 0xFFFF)


def _said(image: bytes) -> str:
    """The prompt in the metadata of an image."""
    with Image.open(BytesIO(image)) as opened:
        text = opened.info.get("Prompt")
    return re.sub(r"<[^>]*>|\s--.*", "", text).strip() if isinstance(text, str) else ""


def _hue(image: bytes) -> str:
    with Image.open(BytesIO(image)) as opened:
        pixel = opened.convert("HSV").resize((1, 1)).getpixel((0, 0))
    hue = pixel[0] if isinstance(pixel, tuple) else 0
    return _HUES[int(hue) * len(_HUES) // 256]


def _shape(image: bytes) -> str:
    with Image.open(BytesIO(image)) as opened:
        wide, high = opened.size
    nearest = min(
        ((1, 1), (3, 2), (2, 3), (16, 9), (9, 16)), key=lambda r: abs(r[0] / r[1] - wide / high)
    )
    return f"{nearest[0]}:{nearest[1]}"


# The account


def info(name: str, plan: str, preferences: Preferences, running: int, waiting: int) -> Json:
    """The embed of `/info`."""
    total = _PLAN_HOURS[plan]
    left = max(total - preferences.fast_minutes / 60, 0)
    relaxed = preferences.mode == "relaxed"
    lines = {
        "Subscription": f"{plan.title()} (Active monthly, renews next on <t:1798761600>)",
        "Visibility mode": "Stealth" if preferences.stealth else "Public",
        "Job Mode": {"fast": "Fast", "relaxed": "Relaxed", "turbo": "Turbo"}[preferences.mode],
        "Fast Time Remaining": f"{left:.2f}/{total} hours ({left / total:.2%})",
        "Lifetime Usage": f"{preferences.jobs} images ({preferences.fast_minutes / 60:.2f} hours)",
        "Relaxed Usage": "0 images (0.00 hours)",
        "Queued Jobs (fast)": f"{0 if relaxed else waiting}",
        "Queued Jobs (relax)": f"{waiting if relaxed else 0}",
        "Running Jobs": str(running) if running else "None",
    }
    text = "\n".join(f"**{name}**: {value}" for name, value in lines.items())
    return forms.embed(f"Your info - {name}", text)


def settings(preferences: Preferences) -> Draft:
    """The panel of `/settings`."""
    models = {name: name == preferences.model for name in _MODELS}
    mode = preferences.mode
    rows = (
        (
            ("MJ::Settings::RemixMode", "Remix mode", preferences.remix),
            ("MJ::Settings::StealthMode", "Stealth mode", preferences.stealth),
            ("MJ::Settings::PublicMode", "Public mode", not preferences.stealth),
        ),
        (
            ("MJ::Settings::TurboMode", "Turbo mode", mode == "turbo"),
            ("MJ::Settings::FastMode", "Fast mode", mode == "fast"),
            ("MJ::Settings::RelaxMode", "Relax mode", mode == "relaxed"),
            ("MJ::Settings::Reset", "Reset Settings", False),
        ),
    )
    return Draft(
        content="Adjust your settings here. Current suffix: *none*",
        components=forms.settings_rows(models, rows),
        ephemeral=True,
    )


def turned(preferences: Preferences, switch: str) -> str:
    """Toggle a setting by its command or button; returns the bot's answer."""
    match switch:
        case "remix" | "MJ::Settings::RemixMode":
            preferences.remix = not preferences.remix
            onto = "on" if preferences.remix else "off"
            return f"Remix mode turned {onto}! {_REMIX[preferences.remix]}"
        case "stealth" | "MJ::Settings::StealthMode":
            preferences.stealth = True
            return "Done! Your future images will be stealth."
        case "public" | "MJ::Settings::PublicMode":
            preferences.stealth = False
            return "Done! Your future images will be public."
        case "fast" | "MJ::Settings::FastMode" | "MJ::Settings::Reset":
            preferences.mode = "fast"
            return "Done! Your jobs now consume fast-hours, but will start right away."
        case "turbo" | "MJ::Settings::TurboMode":
            preferences.mode = "turbo"
            return "Done! Your jobs now use turbo mode."
        case _:
            preferences.mode = "relaxed"
            return "Done! Your jobs now do not consume fast-hours, but might take a little longer."


_REMIX = {
    True: "Clicking the variation buttons will now give you a chance to edit your prompt! "
    "You can turn it back off by running this command again",
    False: "Variation buttons start at once again.",
}


def seed(job: Job) -> str:
    """The direct message that an envelope reaction causes."""
    text = f"**{job.prompt.shown}** - <@{job.call.user_id}>"
    return f"{text}\n**Job ID**: {job.id}\n**seed** {job.seed}"
