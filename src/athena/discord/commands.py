"""The commands of a server's bots, looked up where Discord lists them.

Ids and versions change whenever a bot's makers publish a new version, so none is ever written down.
The index is read once, and again when Discord refuses a version (contracts: discord-wire, section
3).

A bot's commands are the same in every server, and a process may serve a thousand servers. So what
was read is shared: catalogues that list the same versions of a bot's commands hold one object.
"""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias
from weakref import WeakValueDictionary

from athena.discord.errors import UnknownCommand
from athena.discord.rest import Rest
from athena.discord.wire import Command


class ApplicationCommands:
    """One application's commands by their names."""

    __slots__ = ("__weakref__", "by_name")

    def __init__(self, by_name: Mapping[str, Command]) -> None:
        self.by_name = by_name


_Catalogue: TypeAlias = dict[str, ApplicationCommands]
_Versions: TypeAlias = tuple[tuple[str, str, str], ...]

_shared: WeakValueDictionary[_Versions, ApplicationCommands] = WeakValueDictionary()


class CommandCatalogue:
    """The command index of one server; callers at the same time share one reading of it."""

    def __init__(self, rest: Rest, guild_id: str) -> None:
        self._rest = rest
        self._guild_id = guild_id
        self._applications: _Catalogue | None = None
        self._reading = asyncio.Lock()

    async def find(self, application_id: str, name: str) -> tuple[Command, str]:
        """A bot's command by the name that people type, and its sub-command if it has such a
        part: `prefer remix` is the command `prefer` with the part `remix`.

        Raises:
            UnknownCommand: the bot has none of that name here.
            DiscordError: the index could not be read.
        """
        applications = self._applications or await self._read(None)
        commands = applications[application_id].by_name if application_id in applications else {}
        if command := commands.get(name):
            return command, ""
        head, _, part = name.partition(" ")
        command = commands.get(head)
        if command and part and part in _parts(command):
            return command, part
        raise UnknownCommand(f"the bot {application_id} has no command /{name} in this server")

    async def refresh(self) -> None:
        """Read the index again; what is known now is out of date."""
        await self._read(self._applications)

    async def _read(self, outdated: _Catalogue | None) -> _Catalogue:
        async with self._reading:
            if self._applications is None or self._applications is outdated:
                index = await self._rest.command_index(self._guild_id)
                self._applications = _catalogue(index.application_commands)
            return self._applications


def _catalogue(commands: Iterable[Command]) -> _Catalogue:
    """Commands by their application; of two with one name the later counts."""
    of = attrgetter("application_id")
    return {app: _interned(tuple(own)) for app, own in groupby(sorted(commands, key=of), key=of)}


def _interned(commands: tuple[Command, ...]) -> ApplicationCommands:
    versions = tuple((each.id, each.version, each.name) for each in commands)
    known = _shared.get(versions)
    if known is None:
        by_name = {each.name: each for each in commands}
        known = _shared[versions] = ApplicationCommands(by_name)
    return known


def _parts(command: Command) -> set[str]:
    """The names of a command's options, sub-commands among them."""
    return {option.name for option in command.options or ()}
