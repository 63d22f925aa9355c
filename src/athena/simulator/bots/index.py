"""The bots' commands with the public ids and versions (contracts: midjourney-bot, section 1).

Every command is listed, as at Discord, even if the simulated bot does not implement it.
"""

from athena.simulator.config import stable_id
from athena.simulator.stage import Json

MIDJOURNEY = "936929561302675456"
NIJI = "1022952195194359889"
INSIGHT_FACE = "1090660574196674713"

_SUB_COMMAND, _STRING, _ATTACHMENT = 1, 3, 11


def _option(kind: int, name: str, *, required: bool = False, **more: object) -> Json:
    said = name.capitalize()
    return {"type": kind, "name": name, "description": said, "required": required, **more}


_PROMPT = _option(_STRING, "prompt", required=True)
_SHAPES = [
    {"name": name, "value": f"--ar {ratio}"}
    for name, ratio in (("Portrait", "2:3"), ("Square", "1:1"), ("Landscape", "3:2"))
]
_IMAGES = [_option(_ATTACHMENT, f"image{n}", required=n <= 2) for n in range(1, 6)]

_FACE = [
    _option(_STRING, "idname", required=True),
    _option(_ATTACHMENT, "image", required=True),
]

_OPTIONS: dict[str, list[Json]] = {
    "imagine": [_PROMPT],
    "blend": [*_IMAGES[:2], _option(_STRING, "dimensions", choices=_SHAPES), *_IMAGES[2:]],
    "describe": [_option(_ATTACHMENT, "image"), _option(_STRING, "link")],
    "shorten": [_PROMPT],
    "show": [_option(_STRING, "job_id", required=True)],
    "ask": [_option(_STRING, "question", required=True)],
    "prefer": [
        _option(_SUB_COMMAND, "remix"),
        _option(_SUB_COMMAND, "variability"),
        _option(_SUB_COMMAND, "suffix", options=[_option(_STRING, "new_value")]),
    ],
    "saveid": _FACE,
    "swapid": _FACE,
}

_UNSEEN = ("turbo", "stealth", "public", "prefer", "subscribe", "ask")
"""Commands whose public ids are not known; the simulator uses its own."""

_ENTRIES: dict[str, dict[str, tuple[str, str]]] = {
    MIDJOURNEY: {
        "imagine": ("938956540159881230", "1237876415471554623"),
        "blend": ("1062880104792997970", "1237876415471554624"),
        "describe": ("1092492867185950852", "1237876415471554625"),
        "shorten": ("1121575372539039774", "1247736572414001223"),
        "show": ("1169435442328911902", "1247736572414001224"),
        "info": ("972289487818334209", "1237876415735660565"),
        "fast": ("972289487818334212", "1237876415735660572"),
        "relax": ("972289487818334213", "1237876415735660573"),
        "settings": ("1000850743479255081", "1493662068581077053"),
    },
    NIJI: {
        "imagine": ("1023054140580057099", "1248805223892254774"),
        "blend": ("1061216934374424697", "1248805223892254775"),
        "describe": ("1092683500743831652", "1248805223892254776"),
        "shorten": ("1121575453916942376", "1248805223892254777"),
        "show": ("1023054140580057101", "1248805223892254781"),
        "info": ("1023054140580057102", "1248805223892254782"),
        "fast": ("1023054140580057107", "1248805223925940261"),
        "relax": ("1023054140634579024", "1248805223925940262"),
        "settings": ("1023054140634579025", "1493662157915684906"),
    },
}


def commands_of(application_id: str) -> tuple[Json, ...]:
    """A bot's part of the command index.

    Raises:
        KeyError: no bot has that id.
    """
    return tuple(
        {
            "id": command_id,
            "application_id": application_id,
            "version": version,
            "type": 1,
            "name": name,
            "description": f"/{name}",
            "options": _OPTIONS.get(name, []),
            "dm_permission": True,
            "integration_types": [0, 1],
        }
        for name, (command_id, version) in _entries(application_id).items()
    )


def _entries(application_id: str) -> dict[str, tuple[str, str]]:
    if application_id == INSIGHT_FACE:
        return _own(application_id, ("saveid", "swapid"))
    return {**_ENTRIES[application_id], **_own(application_id, _UNSEEN)}


def _own(application_id: str, names: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    return {name: (stable_id(application_id, name), "1237876415735660561") for name in names}
