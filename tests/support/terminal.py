"""Commands and what they show, as a document has them, and a terminal that types them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

_SECTION = re.compile(r"^#{2,} (.*)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "the command has ended with"


@dataclasses.dataclass(frozen=True)
class Typed:
    """A command, and the lines that the document shows below it."""

    command: str
    shown: str


def blocks(document: str, section: str, kind: str) -> list[str]:
    """What stands between ```kind and ``` in the section whose heading begins with ``section``."""
    pieces = _SECTION.split(document)
    (text,) = (body for head, body in zip(pieces[1::2], pieces[2::2], strict=True) if head.startswith(section))
    return [body for name, body in _BLOCK.findall(text) if name == kind]


def typed(document: str, section: str) -> list[Typed]:
    """The commands of a section's ```console blocks: ``$ `` begins one, ``> `` goes on with it."""
    found: list[Typed] = []
    for line in "".join(blocks(document, section, "console")).splitlines():
        if line.startswith("$ "):
            found.append(Typed(line[2:], ""))
        elif line.startswith("> ") and not found[-1].shown:
            found[-1] = Typed(f"{found[-1].command}\n{line[2:]}", "")
        else:
            found[-1] = Typed(found[-1].command, f"{found[-1].shown}{line}\n")
    return found


class Terminal:
    """A shell that commands are typed into, with the working directory ``folder``; see :func:`terminal`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], screen: IO[str]) -> None:
        self._screen = screen
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=screen,
            encoding="utf-8",
            # A terminal sends Ctrl-C to everything that it runs.
            start_new_session=True,
        )

    def type(self, command: str) -> None:
        """Type a command, and do not wait for its end."""
        assert self._shell.stdin
        # The shell itself outlives Ctrl-C, as one that a person types into does.
        self._shell.stdin.write(f"trap : INT\n{command}\necho; echo {_END} $?\n")
        self._shell.stdin.flush()

    def result(self) -> tuple[int, str]:
        """Wait for the end of the command that was typed; its exit code and what it showed."""
        assert self._shell.stdout
        shown = ""
        for line in self._shell.stdout:
            if line.startswith(_END):
                return int(line.removeprefix(_END)), shown.removesuffix("\n")
            shown += line
        raise AssertionError(f"the shell ended: {self.said()}")

    def run(self, command: str) -> str:
        """Type a command that must succeed, and wait for its end; what it showed."""
        self.type(command)
        code, shown = self.result()
        assert code == 0, f"{command}: {code}: {shown}{self.said()}"
        return shown

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit code of the command that ran."""
        os.killpg(self._shell.pid, signal.SIGINT)
        return self.result()[0]

    def said(self) -> str:
        """What came to standard error."""
        return Path(self._screen.name).read_text()

    def close(self) -> None:
        """Close the window: whatever runs in it is told to end."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGTERM)
        assert self._shell.stdin and self._shell.stdout
        self._shell.stdin.close()
        self._shell.stdout.read()
        self._shell.stdout.close()
        self._shell.wait()


@contextlib.contextmanager
def terminal(folder: Path, name: str, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """A terminal for the length of a ``with`` block; its standard error goes to a file of that name."""
    with (folder / f"{name}.screen").open("w") as screen:
        opened = Terminal(folder, environment, screen)
        try:
            yield opened
        finally:
            opened.close()
