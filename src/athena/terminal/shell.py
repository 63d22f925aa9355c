"""`athena shell`: an interactive shell that takes input while tasks run.

The input is a prompt or a command. Tasks run in the background: a toolbar below the input shows
their progress, and results are printed above it. Typing is never disturbed.
"""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from msgspec import Struct

from athena.terminal import running
from athena.terminal.connections import connected
from athena.terminal.exits import Exit
from athena.terminal.making import submit
from athena.terminal.options import ConnectionOptions, JobOptions, with_options
from athena.terminal.states import state

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

    from athena.client import Athena, Result, Task

_HELP = """Type a prompt with Midjourney's parameters. Links and files are image prompts.
  u1 … u4, v1 … v4, r     upscale, vary or reroll the last image (u2 #3: the image of request 3)
  press BUTTON [#3]       any other button, by its label; `buttons` lists them
  zoom 1.5, pan left, animate low
  describe FILE, shorten WORDS, seed
  queue                   list running requests     cancel [#3]   cancel one
  say PROMPT              send text that would otherwise be read as a command
  help, quit              Ctrl-D quits too; running tasks continue"""

_PARAMETERS = {
    "--ar": ("1:1", "3:2", "2:3", "16:9", "9:16", "4:5", "7:4", "3:1"),
    "--chaos": ("0", "25", "50", "100"),
    "--niji": ("6", "7"),
    "--no": (),
    "--quality": ("0.5", "1", "2"),
    "--raw": (),
    "--repeat": (),
    "--seed": (),
    "--sref": ("random",),
    "--stop": (),
    "--stylize": ("0", "50", "100", "250", "750", "1000"),
    "--tile": (),
    "--v": ("6.1", "7", "8", "8.1"),
    "--weird": ("0", "250", "1000", "3000"),
    "--fast": (),
    "--relax": (),
    "--turbo": (),
}
_SHORT = {f"{verb}{number}" for verb in "uv" for number in range(1, 5)} | {"r"}
_MOST_LINES = 6

Ask = Callable[[], Awaitable["Task"]]


class Request(Struct):
    """One request of this shell."""

    number: int
    words: str
    began: float
    task: Task | None = None
    result: Result | None = None
    work: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self.work is not None and not self.work.done()

    def line(self) -> str:
        """Its progress."""
        seconds = time.monotonic() - self.began
        if self.task is None:
            return f"#{self.number} submitting    {seconds:4.0f} s  {self.words}"
        now = self.task.now
        return f"#{self.number} {state(now):<8} {now.percent:3d}% {seconds:4.0f} s  {self.words}"


@with_options(output=JobOptions, connection=ConnectionOptions)
def shell(*, connection: ConnectionOptions, output: JobOptions) -> None:
    """Interactive shell.

    \b
    Examples:
      athena shell
      athena shell --simulate --speed 5
    """
    running.run(_shell(connection, output))


async def _shell(connection: ConnectionOptions, output: JobOptions) -> Exit:
    async with connected(connection) as mj:
        await Shell(mj, output).run()
    return Exit.DONE


class Shell:
    """One session of the interactive shell."""

    def __init__(self, mj: Athena, output: JobOptions) -> None:
        self._mj = mj
        self._output = output
        self._requests: list[Request] = []

    async def run(self) -> None:
        from prompt_toolkit.patch_stdout import patch_stdout

        session = _session(self._toolbar)
        print("Type a prompt, or `help`.")
        with patch_stdout():
            while True:
                try:
                    text = (await session.prompt_async("athena> ")).strip()
                except KeyboardInterrupt:
                    continue
                except EOFError:
                    break
                if text in ("quit", "exit"):
                    break
                if text:
                    await self._take(text)
        self._leave()

    # Commands

    async def _take(self, text: str) -> None:
        from athena.client import AthenaError

        words, number = _numbered(text)
        verb, _, rest = words.partition(" ")
        try:
            if await self._known(verb.lower(), rest.strip(), number):
                return
            prompt = rest if verb == "say" else text
            self._start(prompt, lambda: submit(self._mj, prompt))
        except (AthenaError, OSError, ValueError) as error:
            print(f"  {error}")

    async def _known(self, verb: str, rest: str, number: int | None) -> bool:
        """Run a command of the shell; False if the text is none."""
        if verb in _SHORT and not rest:
            self._press(number, verb, lambda it: it.press(verb))
            return True
        match verb, rest:
            case "help", "":
                print(_HELP)
            case "queue", "":
                self._show_queue()
            case "cancel", "":
                await self._cancel(number)
            case "buttons", "":
                print("  " + ", ".join(button.name for button in self._result(number).buttons))
            case "seed", "":
                print(f"  seed {await self._result(number).seed()}")
            case "press", name if name:
                self._press(number, name, lambda it: it.press(name))
            case "zoom", factor if _is_number(factor):
                self._press(number, f"zoom {factor}", lambda it: it.zoom(float(factor)))
            case "pan", ("left" | "right" | "up" | "down") as direction:
                self._press(number, f"pan {direction}", lambda it: it.pan(direction))
            case "animate", ("low" | "high") as motion:
                self._press(number, f"animate {motion}", lambda it: it.animate(motion))
            case "describe", given if given:
                self._describe(given)
            case "shorten", prompt if prompt:
                self._start(f"shorten {prompt}", lambda: self._mj.shorten(prompt))
            case _:
                return False
        return True

    def _press(
        self, number: int | None, name: str, press: Callable[[Result], Awaitable[Task]]
    ) -> None:
        result = self._result(number)
        words = (result.task.prompt or "")[:40]
        self._start(f"{name}: {words}", lambda: press(result))

    def _describe(self, given: str) -> None:
        if given.startswith(("http://", "https://")):
            self._start(f"describe {given}", lambda: self._mj.describe(given))
            return
        data = Path(*shlex.split(given)).expanduser().read_bytes()
        self._start(f"describe {given}", lambda: self._mj.describe(data))

    def _show_queue(self) -> None:
        waiting = [request.line() for request in self._requests if request.is_running]
        print("\n".join(f"  {line}" for line in waiting) or "  Idle.")

    async def _cancel(self, number: int | None) -> None:
        chosen = [r for r in self._requests if r.is_running and number in (None, r.number)]
        if not chosen:
            print("  Nothing to cancel.")
        for request in chosen[-1:]:
            if request.task:
                await request.task.cancel()

    # Requests

    def _result(self, number: int | None) -> Result:
        """The image of a request, or the last image."""
        from athena.client import AthenaError

        for request in reversed(self._requests):
            if request.result and number in (None, request.number):
                return request.result
        raise AthenaError(f"request #{number} has no image" if number else "no image yet")

    def _start(self, words: str, ask_for: Ask) -> None:
        request = Request(len(self._requests) + 1, words, time.monotonic())
        self._requests.append(request)
        request.work = asyncio.create_task(self._work(request, ask_for))

    async def _work(self, request: Request, ask_for: Ask) -> None:
        from athena.client import AthenaError

        try:
            request.task = await ask_for()
            request.result = await request.task
            print(f"  #{request.number} done  {request.words}\n{await self._saved(request.result)}")
        except (AthenaError, OSError) as error:
            print(f"  #{request.number} failed  {request.words}\n    {error}")

    async def _saved(self, result: Result) -> str:
        if result.task.action in ("DESCRIBE", "SHORTEN") or not result.url:
            return "\n".join(f"    {line}" for line in result.words.splitlines() if line)
        paths = await result.save(self._output.out, self._output.name)
        return "\n".join(f"    {path}" for path in paths)

    def _toolbar(self) -> str:
        """The text below the input."""
        lines = [request.line() for request in self._requests if request.is_running]
        hidden = len(lines) - _MOST_LINES
        more = [f"… and {hidden} more"] if hidden > 0 else []
        return "\n".join([*lines[:_MOST_LINES], *more]) or "Idle"

    def _leave(self) -> None:
        for request in self._requests:
            if request.is_running and request.work:
                request.work.cancel()
                if request.task:
                    typer.echo(
                        f"#{request.number} keeps running: athena show {request.task.id} --wait"
                    )


def _session(toolbar: Callable[[], str]) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.history import FileHistory

    folder = Path(typer.get_app_dir("athena"))
    folder.mkdir(parents=True, exist_ok=True)
    history = FileHistory(str(folder / "history"))
    return PromptSession(
        history=history,
        auto_suggest=AutoSuggestFromHistory(),
        completer=_completer(history.load_history_strings),
        complete_while_typing=False,
        bottom_toolbar=toolbar,
        refresh_interval=0.5,
    )


def _completer(past: Callable[[], Iterable[str]]) -> Completer:
    from prompt_toolkit.completion import Completer, Completion

    class Words(Completer):
        """Completes parameters and their values, and earlier prompts before them."""

        def get_completions(
            self, document: Document, complete_event: CompleteEvent
        ) -> Iterator[Completion]:
            text = document.text_before_cursor
            word = document.get_word_before_cursor(WORD=True)
            for fitting in suggestions(text, list(past())):
                begin = -len(word) if " --" in f" {text}" else -len(text)
                yield Completion(fitting, start_position=begin)

    return Words()


def suggestions(text: str, past: list[str]) -> list[str]:
    """Completions: names and values of parameters, or earlier prompts that start with the text."""
    before, _, word = text.rpartition(" ")
    named = before.rpartition(" ")[2]
    if named in _PARAMETERS and not word.startswith("--"):
        return [value for value in _PARAMETERS[named] if value.startswith(word)]
    if word.startswith("--"):
        return [name for name in _PARAMETERS if name.startswith(word)]
    if " --" in text:
        return []
    return [each for each in dict.fromkeys(past) if each.startswith(text) and each != text][:20]


def _numbered(text: str) -> tuple[str, int | None]:
    """The text without a trailing `#3`, and the number of that request."""
    words, sign, number = text.rpartition(" #")
    return (words, int(number)) if sign and number.isdecimal() else (text, None)


def _is_number(text: str) -> bool:
    try:
        return 1 <= float(text) <= 2
    except ValueError:
        return False
