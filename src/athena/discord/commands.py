"""The commands of a server's bots, looked up where Discord lists them.

Ids and versions change whenever a bot's makers publish it anew, so none is ever written down. The
index is read once, and again when Discord refuses a version (contracts: discord-wire, section 3).
"""

import asyncio

from athena.discord.errors import UnknownCommand
from athena.discord.rest import Rest
from athena.discord.wire import Command


class CommandCatalogue:
    """The command index of one server; callers at the same time share one reading of it."""

    def __init__(self, rest: Rest, guild_id: str) -> None:
        self._rest = rest
        self._guild_id = guild_id
        self._commands: dict[tuple[str, str], Command] | None = None
        self._reading = asyncio.Lock()

    async def find(self, application_id: str, name: str) -> tuple[Command, str]:
        """A bot's command by the name that people type, and its sub-command if it has such a
        part: `prefer remix` is the command `prefer` with the part `remix`.

        Raises:
            UnknownCommand: the bot has none of that name here.
            DiscordError: the index could not be read.
        """
        commands = self._commands or await self._read(None)
        if command := commands.get((application_id, name)):
            return command, ""
        head, _, part = name.partition(" ")
        command = commands.get((application_id, head))
        if command and part and part in _parts(command):
            return command, part
        raise UnknownCommand(f"the bot {application_id} has no command /{name} in this server")

    async def refresh(self) -> None:
        """Read the index anew; what is known now is out of date."""
        await self._read(self._commands)

    async def _read(
        self, outdated: dict[tuple[str, str], Command] | None
    ) -> dict[tuple[str, str], Command]:
        async with self._reading:
            if self._commands is None or self._commands is outdated:
                index = await self._rest.command_index(self._guild_id)
                self._commands = {
                    (command.application_id, command.name): command
                    for command in index.application_commands
                }
            return self._commands


def _parts(command: Command) -> set[str]:
    """The names of a command's options, sub-commands among them."""
    return {str(each.get("name")) for each in command.options or () if isinstance(each, dict)}
