"""The paths of Discord's REST API that we use.

A route is a method and a path with named parameters. Its name, without their values, is its
rate-limit class; its major parameter (a channel or a guild) splits that class, as Discord counts
each of them by itself.
"""

from urllib.parse import quote

from msgspec import Struct


class CompiledRoute(Struct, frozen=True):
    """A route with its parameters filled in."""

    route: "Route"
    path: str
    major: str


class Route(Struct, frozen=True):
    """`major` names the parameter that splits the rate limit; empty: none does."""

    method: str
    template: str
    major: str = ""

    @property
    def name(self) -> str:
        """The rate-limit class, such as `GET /channels/{channel}/messages`."""
        return f"{self.method} {self.template}"

    def compile(self, **parameters: str) -> CompiledRoute:
        """Fill in the parameters, quoted for a path; what is quoted already stays as it is.

        Raises:
            KeyError: one is missing.
        """
        quoted = {name: quote(value, safe="%") for name, value in parameters.items()}
        path = self.template.format_map(quoted)
        return CompiledRoute(self, path, parameters[self.major] if self.major else "")


GET_ME = Route("GET", "/users/@me")
GET_GATEWAY = Route("GET", "/gateway")
GET_COMMAND_INDEX = Route("GET", "/guilds/{guild}/application-command-index", "guild")
GET_MESSAGES = Route("GET", "/channels/{channel}/messages", "channel")
GET_MESSAGE = Route("GET", "/channels/{channel}/messages/{message}", "channel")
POST_INTERACTION = Route("POST", "/interactions")
POST_MESSAGE = Route("POST", "/channels/{channel}/messages", "channel")
POST_ATTACHMENTS = Route("POST", "/channels/{channel}/attachments", "channel")
POST_CHANNEL = Route("POST", "/users/@me/channels")
POST_REFRESH_URLS = Route("POST", "/attachments/refresh-urls")
PUT_REACTION = Route(
    "PUT", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me", "channel"
)
