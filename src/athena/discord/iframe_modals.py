"""A bot's own page inside Discord: the one call that its editor makes (discord-wire, section 7).

The page lives at the bot's host, not at Discord's: no token goes there, the page's own one-time
token says who asks.
"""

import base64

import msgspec

from athena.discord.errors import OutcomeUnknown, RequestRejected, UnknownObject
from athena.discord.identity import Endpoints
from athena.discord.transport import HttpRequest, Transport

_TIMEOUT = 60.0


async def submit_region(
    transport: Transport, endpoints: Endpoints, token: str, mask: bytes, prompt: str
) -> None:
    """Ask for a region to be redrawn: `mask` is an image, white where.

    Raises:
        UnknownObject: the page is not open any more.
        RequestRejected: the bot does not take it.
        OutcomeUnknown, Unreachable: as of every call.
    """
    body = {
        "customId": token,
        "mask": base64.b64encode(mask).decode(),
        "prompt": prompt,
        "full_prompt": None,
        "userId": "0",
        "username": "0",
    }
    request = HttpRequest(
        method="POST",
        url=f"{endpoints.apps_url}/inpaint/api/submit-job",
        headers={"Content-Type": "application/json"},
        body=msgspec.json.encode(body),
        timeout=_TIMEOUT,
    )
    _judge((await transport.exchange(request)).status)


def _judge(status: int) -> None:
    if status < 400:
        return
    if status in (401, 403, 404, 410):
        raise UnknownObject(f"the editor's page is not open any more ({status})")
    if status < 500:
        raise RequestRejected(f"the editor refused the region ({status})")
    raise OutcomeUnknown(f"the editor answered {status}")
