"""The data of the GitHub double: commits of a real repository, and a table of accounts."""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

_CO_AUTHOR = re.compile(rb"^co-authored-by:[ \t]*(.*?)[ \t]*<([^<>\n]*)>[ \t]*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Actor:
    """An author or co-author of a commit."""

    name: str
    email: str


@dataclass
class KnownAccount:
    """An account; tests may rename it while the double runs. A Bot has no GraphQL user."""

    id: int
    login: str
    name: str | None = None
    type: str = "User"


@dataclass
class Accounts:
    """Accounts by e-mail. :meth:`add` includes the account's noreply address."""

    by_email: dict[str, KnownAccount] = field(default_factory=dict)

    def add(self, account: KnownAccount, *emails: str) -> KnownAccount:
        self.by_email[f"{account.id}+{account.login}@users.noreply.github.com".lower()] = account
        for email in emails:
            self.by_email[email.lower()] = account
        return account

    def owner(self, email: str) -> KnownAccount | None:
        return self.by_email.get(email.lower())


class RealRepository:
    """Reads commits with one ``git cat-file --batch``, and lists them with ``git rev-list``."""

    def __init__(self, path: Path, database_id: int) -> None:
        self.path = path
        self.database_id = database_id
        self._lock = threading.Lock()
        self._cat: subprocess.Popen[bytes] | None = None
        self._objects: dict[str, tuple[str, bytes]] = {}

    def kind_of(self, oid: str) -> str | None:
        """``commit``, ``tree``, ``blob`` or ``tag``; None: no such object."""
        kind, _ = self._object(oid)
        return kind

    def actors(self, oid: str) -> list[Actor] | None:
        """The author, then the co-authors, each e-mail once; None: no such commit."""
        kind, body = self._object(oid)
        return _actors_of(body) if kind == "commit" else None

    def window(self, oid: str, count: int, skip: int) -> list[str] | None:
        done = subprocess.run(
            ["git", "-C", str(self.path), "rev-list", f"--max-count={count}", f"--skip={skip}", oid],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.split() if done.returncode == 0 else None

    def branch(self) -> str:
        """The name of the default branch, also of an empty repository."""
        return (self._git_folder / "HEAD").read_text().strip().removeprefix("ref: refs/heads/")

    def tip(self, branch: str) -> str | None:
        """The id of a branch's latest commit, read without a process, as tests ask for a thousand; None: no branch."""
        ref = f"refs/heads/{branch}"
        with contextlib.suppress(FileNotFoundError):
            return (self._git_folder / ref).read_text().strip()
        with contextlib.suppress(FileNotFoundError):
            for line in (self._git_folder / "packed-refs").read_text().splitlines():
                if line.endswith(f" {ref}"):
                    return line.split()[0]
        return None

    @property
    def _git_folder(self) -> Path:
        inside = self.path / ".git"
        return inside if inside.is_dir() else self.path

    def close(self) -> None:
        with self._lock:
            if self._cat is not None:
                assert self._cat.stdin and self._cat.stdout
                self._cat.stdin.close()
                self._cat.wait()
                self._cat.stdout.close()
                self._cat = None

    def _object(self, oid: str) -> tuple[str | None, bytes]:
        with self._lock:
            # One that is missing may be pushed.
            if (known := self._objects.get(oid)) is not None:
                return known
            if self._cat is None:
                command = ["git", "-C", str(self.path), "cat-file", "--batch"]
                self._cat = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert self._cat.stdin and self._cat.stdout
            self._cat.stdin.write(oid.encode() + b"\n")
            self._cat.stdin.flush()
            header = self._cat.stdout.readline().split()
            if len(header) != 3:
                return None, b""
            body = self._cat.stdout.read(int(header[2]) + 1)[:-1]
            self._objects[oid] = header[1].decode(), body
            return self._objects[oid]


def _actors_of(commit: bytes) -> list[Actor]:
    headers, _, message = commit.partition(b"\n\n")
    author = next(line for line in headers.split(b"\n") if line.startswith(b"author "))
    name, _, rest = author.removeprefix(b"author ").partition(b"<")
    email = rest.rpartition(b">")[0]
    last_paragraph = message.replace(b"\r\n", b"\n").rstrip().rpartition(b"\n\n")[2]
    found = [(name, email), *_CO_AUTHOR.findall(last_paragraph)]
    actors: dict[str, Actor] = {}
    for raw_name, raw_email in found:
        actor = Actor(raw_name.decode("utf-8", "replace").strip(), raw_email.decode("utf-8", "replace"))
        actors.setdefault(actor.email.lower(), actor)
    return list(actors.values())
