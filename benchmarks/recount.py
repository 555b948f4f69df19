"""A straightforward recount of a repository: every rule applied to every commit that ``git log`` prints.

It is slow and simple on purpose, and shares nothing with Podium but the list of bots and agents. git splits author
lines, decodes them and parses trailers. The mailmap is read here and compared with ``git check-mailmap``. No account is
looked up.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import subprocess
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from podium.bots.agent_products import product_at_start
from podium.bots.tools import Bots

# A name as written and an e-mail in ASCII lower case, as bytes.
Pair = tuple[bytes, bytes]

ROLES = ("reviewed", "tested", "acked", "signed_off", "reported", "suggested", "helped")
_ROLE_OF = {f"{role.replace('_', '-')}-by".encode(): role for role in ROLES}
_PERSON = re.compile(rb"([^<]*)<([^>]*)>")
_ACCOUNT = re.compile(rb"(?:([1-9][0-9]*)\+)?([a-z0-9_-]+(?:\[bot\])?)@users\.noreply\.github\.com")
_STROKES = str.maketrans("øłđħŧı", "oldhti")
_DAY = 86_400
_MOST_NAMED = 100
_ALWAYS = 2**70
# Names that stand for anyone, as found in the repositories that were compared.
_PLACEHOLDERS = ("your name", "john doe", "first last", "git user", "root user", "unknown unknown")

_TRAILERS = "%(trailers:only=true,unfold=true,separator=%x02,key_value_separator=%x03)"
_FORMAT = f"--format=%P%x01%an%x01%ae%x01%at%x01{_TRAILERS}"


@dataclasses.dataclass(frozen=True, slots=True)
class Commit:
    """``at`` is None if the date is odd; ``named`` are co-authors, and agents of ``Assisted-by`` and ``Generated-by``.

    An agent without an e-mail is named by its product.
    """

    author: Pair
    at: int | None
    is_merge: bool
    named: frozenset[Pair]
    roles: frozenset[tuple[str, Pair]]


def read_commits(repository: Path, latest: int) -> list[Commit]:
    """All commits of HEAD. Dates later than ``latest`` are odd."""
    argv = ["git", f"--git-dir={repository}", "--no-replace-objects", "-c", "i18n.logOutputEncoding=UTF-8"]
    argv += ["log", "-z", "--no-mailmap", _FORMAT, "HEAD"]
    output = subprocess.run(argv, check=True, stdout=subprocess.PIPE, env=_environment()).stdout
    return [_commit(record, latest) for record in output.split(b"\0") if record]


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def _commit(record: bytes, latest: int) -> Commit:
    parents, name, email, at, trailers = record.split(b"\x01", 4)
    author = (name.rstrip(), email.lower())
    when = int(at) if at and len(at) < 19 else None
    # In the order of the message, each once: a commit credits the first hundred.
    named: dict[Pair, None] = {}
    roles: dict[tuple[str, Pair], None] = {}
    for trailer in trailers.split(b"\x02"):
        key, _, value = trailer.partition(b"\x03")
        key = key.strip().lower()
        person = _person(value)
        if key == b"co-authored-by" and person and person[1].strip():
            named[person] = None
        elif key in (b"assisted-by", b"generated-by") and (agent := _agent(value.strip(), person)):
            named[agent] = None
        elif key in _ROLE_OF and person and person[1].strip():
            roles[_ROLE_OF[key], person] = None
    return Commit(
        author,
        when if when is not None and _DAY <= when <= latest else None,
        len(parents.split()) > 1,
        frozenset([*named][:_MOST_NAMED]),
        frozenset([*roles][:_MOST_NAMED]),
    )


def _person(value: bytes) -> Pair | None:
    found = _PERSON.match(value)
    return (found[1].strip(), found[2].lower()) if found else None


def _agent(value: bytes, person: Pair | None) -> Pair | None:
    if person and person[1].strip():
        return person if is_agent(person) else None
    text = value.decode("utf-8", "replace")
    agent_and_model = re.match(r"([^\s:][^:]*):(?!//)\S", text)
    name = product_at_start(text) or (agent_and_model[1] if agent_and_model else None)
    return (name.encode(), b"") if name else None


def is_agent(person: Pair) -> bool:
    return kind_of(person) == "agent"


@functools.cache
def product_of(person: Pair) -> str:
    return Bots().product(person[1].decode("utf-8", "replace"), person[0].decode("utf-8", "replace"))


@functools.cache
def kind_of(person: Pair) -> str:
    """ "human", "bot" or "agent". Only an agent has no e-mail among the people whom trailers name."""
    return Bots().kind_of(person[1].decode("utf-8", "replace"))


class Mailmap:
    """A ``.mailmap``, by https://git-scm.com/docs/gitmailmap."""

    def __init__(self, text: bytes) -> None:
        self.whole: dict[bytes, tuple[bytes | None, bytes | None]] = {}
        self.by_name: dict[tuple[bytes, bytes], tuple[bytes | None, bytes | None]] = {}
        for line in text.split(b"\n"):
            first = None if line.startswith(b"#") else _PERSON.match(line)
            if not first or not first[2]:
                continue
            name, email = first[1].strip() or None, first[2]
            second = _PERSON.match(line[first.end() :])
            if second is None:
                self._add(email, None, name, None)
            else:
                self._add(second[2], second[1].strip() or None, name, email)

    def _add(self, email: bytes, name: bytes | None, new_name: bytes | None, new_email: bytes | None) -> None:
        if name is not None:
            self.by_name[email.lower(), name.lower()] = (new_name, new_email)
            return
        before = self.whole.get(email.lower(), (None, None))
        self.whole[email.lower()] = (new_name or before[0], new_email or before[1])

    def entry(self, pair: Pair) -> tuple[bytes | None, bytes | None]:
        """The name and e-mail that it says; None for what it leaves."""
        name, email = pair
        return self.by_name.get((email, name.lower())) or self.whole.get(email, (None, None))

    def apply(self, pair: Pair) -> Pair:
        name, email = self.entry(pair)
        return name or pair[0], (email or pair[1]).lower()


def read_mailmap(repository: Path) -> bytes:
    """The ``.mailmap`` of HEAD."""
    argv = ["git", f"--git-dir={repository}", "cat-file", "blob", "HEAD:.mailmap"]
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout


def differs_from_git(repository: Path, mailmap: Mailmap, pairs: Iterable[Pair]) -> list[Pair]:
    """The people whom ``git check-mailmap`` maps in another way."""
    asked = [pair for pair in pairs if not set(b"<>\n\0") & set(pair[0] + pair[1]) and pair[1].strip()]
    argv = ["git", f"--git-dir={repository}", "-c", "mailmap.blob=HEAD:.mailmap", "check-mailmap", "--stdin"]
    lines = b"".join(b"%s <%s>\n" % pair for pair in asked)
    answer = subprocess.run(argv, input=lines, stdout=subprocess.PIPE, check=True, env=_environment()).stdout
    found = answer.split(b"\n")[:-1]
    assert len(found) == len(asked)
    return [pair for pair, line in zip(asked, found, strict=True) if _person(line) != mailmap.apply(pair)]


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a board: the people of each, the row of each person, and "human", "bot" or "agent"."""

    members: list[list[Pair]]
    of: dict[Pair, int]
    kinds: list[str]


class Recount:
    """The commits of a repository, and its people.

    Args:
        latest: later dates, in seconds, are odd.

    Attributes:
        unlike_git: the people whom ``git check-mailmap`` maps in another way.
    """

    def __init__(self, repository: Path, latest: int) -> None:
        self.commits = read_commits(repository, latest)
        self.mailmap = Mailmap(read_mailmap(repository))
        self.authored = Counter(commit.author for commit in self.commits)
        self.unmerged = Counter(commit.author for commit in self.commits if not commit.is_merge)
        people = {pair for commit in self.commits for pair in commit.named}
        self.agents = {pair for pair in people if not pair[1]}
        people |= {pair for commit in self.commits for _, pair in commit.roles}
        self.people = sorted(people | self.authored.keys(), key=lambda pair: (pair[1], pair[0]))
        self.unlike_git = differs_from_git(repository, self.mailmap, self.people)
        self._names_at: dict[bytes, set[bytes]] = defaultdict(set)
        for pair in self.people:
            if name := self.mailmap.entry(pair)[0]:
                self._names_at[self.mailmap.apply(pair)[1]].add(name)

    def rows(self, *, mailmap: bool, names: bool, accounts: bool = True) -> Rows:
        """Join people by the mailmap's identity, the account in a noreply address, the e-mail, the full name."""
        by_identity: dict[Pair, list[Pair]] = defaultdict(list)
        for pair in self.people:
            by_identity[self._identity(pair, mailmap=mailmap)].append(pair)
        numbers = self._accounts() if accounts else {}
        groups: dict[Pair | int, list[Pair]] = defaultdict(list)
        tools: dict[Pair | int, bool] = {}
        for identity, people in by_identity.items():
            is_tool = self._is_tool(people, mailmap=mailmap)
            own = [pair for pair in people if self._is_listed(pair) == is_tool]
            account = self._main_account(own, numbers, mailmap=mailmap)
            key = identity if account is None else account
            groups[key] += people
            tools[key] = tools.get(key, True) and is_tool
        kinds = {key: self._kind(people, is_tool=tools[key]) for key, people in groups.items()}
        if names:
            groups, kinds = self._joined_by_name(groups, kinds, mailmap=mailmap)
        members = list(groups.values())
        of = {pair: row for row, people in enumerate(members) for pair in people}
        return Rows(members, of, [kinds[key] for key in groups])

    def _identity(self, pair: Pair, *, mailmap: bool) -> Pair:
        name, email = self.mailmap.apply(pair) if mailmap else pair
        if not email.strip():
            return name, b""
        shared = self._names_at.get(email, set()) if mailmap else set()
        return (name if len(shared) > 1 and name in shared else b""), email

    def _is_listed(self, pair: Pair) -> bool:
        return kind_of(pair) != "human" or pair in self.agents

    def _is_target(self, pair: Pair, *, mailmap: bool) -> bool:
        return not mailmap or self.mailmap.apply(pair)[1] == pair[1]

    def _is_tool(self, people: list[Pair], *, mailmap: bool) -> bool:
        at_home = (pair for pair in people if self._is_target(pair, mailmap=mailmap))
        return any(map(self._is_listed, at_home)) or all(map(self._is_listed, people))

    def _kind(self, people: list[Pair], *, is_tool: bool) -> str:
        if not is_tool:
            return "human"
        return "agent" if any(is_agent(pair) or pair in self.agents for pair in people) else "bot"

    def _accounts(self) -> dict[bytes, int]:
        """The account of each noreply address; an App's address without a number has the number of its login."""
        emails = {email: found for _, email in self.people if (found := _ACCOUNT.fullmatch(email))}
        numbers = {found[2]: int(found[1]) for found in emails.values() if found[1]}
        return {
            email: int(found[1]) if found[1] else numbers[found[2]]
            for email, found in emails.items()
            if found[1] or (found[2].endswith(b"[bot]") and found[2] in numbers)
        }

    def _main_account(self, people: list[Pair], accounts: dict[bytes, int], *, mailmap: bool) -> int | None:
        commits: Counter[int] = Counter()
        for pair in people:
            account = accounts.get(pair[1])
            if account is not None and self._is_target(pair, mailmap=mailmap):
                return account
            if account is not None:
                commits[account] += self.authored[pair]
        return max(commits, key=commits.__getitem__, default=None)

    def _joined_by_name(
        self, groups: dict[Pair | int, list[Pair]], kinds: dict[Pair | int, str], *, mailmap: bool
    ) -> tuple[dict[Pair | int, list[Pair]], dict[Pair | int, str]]:
        """Of the rows of one kind and name, those without an account join the only account, or each other.

        An account bears the names of the rows that it consists of.
        """
        bearers: dict[tuple[str, str], list[Pair | int]] = defaultdict(list)
        for key, people in groups.items():
            names = {full_name(name) for name in self._shown_names(people, mailmap=mailmap)}
            for name in names - {None}:
                assert name is not None
                bearers[kinds[key], name].append(key)
        into = {key: key for key in groups}
        for keys in bearers.values():
            apart = [key for key in keys if isinstance(key, int)]
            free = [key for key in keys if not isinstance(key, int)]
            for key in free:
                into[key] = apart[0] if len(apart) == 1 else free[0]
        joined: dict[Pair | int, list[Pair]] = defaultdict(list)
        for key, people in groups.items():
            joined[into[key]] += people
        return joined, kinds

    def _shown_names(self, people: list[Pair], *, mailmap: bool) -> set[bytes]:
        """The name of most commits, of each identity."""
        by_identity: dict[Pair, list[Pair]] = defaultdict(list)
        for pair in people:
            by_identity[self._identity(pair, mailmap=mailmap)].append(pair)
        shown = [min(members, key=self._by_commits) for members in by_identity.values()]
        return {self.mailmap.apply(pair)[0] if mailmap else pair[0] for pair in shown}

    def _by_commits(self, pair: Pair) -> tuple[int, int, Pair]:
        return -self.unmerged[pair], -self.authored[pair], pair[::-1]

    def counts(self, rows: Rows, since: int | None = None, until: int | None = None) -> list[Counter[str]]:
        """What each row did in a window: from ``since`` to before ``until``. Odd dates are in none.

        Merges are counted apart: their keys begin with ``merge``.
        """
        found: list[Counter[str]] = [Counter() for _ in rows.members]
        for commit in self._within(since, until):
            kind = "merge " if commit.is_merge else ""
            author = rows.of[commit.author]
            found[author][f"{kind}commits"] += 1
            named = {rows.of[pair] for pair in commit.named}
            found[author][f"{kind}ai"] += any(rows.kinds[row] == "agent" for row in named | {author})
            for row in named - {author}:
                found[row][f"{kind}co-authored"] += 1
            for role, row in {(role, rows.of[pair]) for role, pair in commit.roles}:
                found[row][f"{kind}{role}"] += 1
        return found

    def agent_counts(self, rows: Rows, since: int | None, until: int | None, *, merges: bool) -> Counter[str]:
        """In how many commits each AI product is the author or named."""
        found: Counter[str] = Counter()
        for commit in self._within(since, until):
            if merges or not commit.is_merge:
                people = (commit.author, *commit.named)
                found.update({product_of(pair) for pair in people if rows.kinds[rows.of[pair]] == "agent"})
        return found

    def _within(self, since: int | None, until: int | None) -> Iterator[Commit]:
        low, high = -_ALWAYS if since is None else since, _ALWAYS if until is None else until
        for commit in self.commits:
            if (since is None and until is None) or (commit.at is not None and low <= commit.at < high):
                yield commit


def full_name(name: bytes) -> str | None:
    """A name of two words or more, without case and accents; None if it is none."""
    text = unicodedata.normalize("NFKD", name.decode("utf-8", "replace"))
    words = "".join(c for c in text if not unicodedata.combining(c)).casefold().translate(_STROKES).split()
    key = " ".join(words)
    return None if len(words) < 2 or "@" in key or key in _PLACEHOLDERS else key
