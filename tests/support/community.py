"""A repository of many people, and the table of accounts behind them: who is who is known beforehand."""

from __future__ import annotations

import dataclasses
import random
import subprocess
from collections import Counter
from pathlib import Path

from tests.support.github_history import Accounts, KnownAccount
from tests.support.repos import make_bare


@dataclasses.dataclass
class Person:
    """Somebody with names, e-mails, and perhaps an account."""

    names: tuple[str, ...]
    emails: tuple[str, ...]
    account: KnownAccount | None
    # Only ever named as a co-author.
    co_author: bool = False


@dataclasses.dataclass
class Community:
    """People, and what each of them did: commits by (person, e-mail)."""

    people: list[Person]
    accounts: Accounts
    authored: Counter[str] = dataclasses.field(default_factory=Counter)
    co_authored: Counter[str] = dataclasses.field(default_factory=Counter)

    def rows(self) -> Counter[str]:
        """What a board must show that ranks co-authored commits too: ``@login`` or e-mail → commits."""
        rows: Counter[str] = Counter()
        for person in self.people:
            for email in person.emails:
                key = f"@{person.account.login}" if person.account else email
                rows[key] += self.authored[email] + self.co_authored[email]
        return rows

    @property
    def emails(self) -> list[str]:
        return [email for person in self.people for email in person.emails]


def gather(size: int, *, first: int = 0) -> Community:
    """``size`` people of ten kinds, in turn; with another ``first``, other people."""
    people, accounts = [], Accounts()
    for n in range(first, first + size):
        account: KnownAccount | None = (owner := KnownAccount(10_000 + n, f"user{n}", f"User {n}"))
        names: tuple[str, ...] = (f"Name {n}",)
        emails: tuple[str, ...] = (f"p{n}@example.org",)
        co_author = False
        match n % 10:
            case 0:
                emails = (f"p{n}@work.example", f"p{n}@home.example")
            case 1:
                emails = (f"p{n}@example.org", f"{owner.id}+user{n}@users.noreply.github.com")
            case 2:
                co_author = True
            case 3:
                # Two people of one name, which is not a full name and so joins nothing; one has no account.
                names = ("Smith",)
            case 4:
                names, account = ("Smith",), None
            case 5:
                account = None
            case 6:
                names = (f"Name {n}", f"Nick {n}")
        people.append(Person(names, emails, account, co_author))
        if account is not None:
            accounts.add(account, *(email for email in emails if "noreply" not in email))
    return Community(people, accounts)


def build(folder: Path, community: Community, *, extra: int = 500, seed: int = 1) -> None:
    """Make the bare repository of a community: everybody's first commit, and ``extra`` more of a few."""
    dice = random.Random(seed)
    turns = [(person, email, name) for person in community.people for email in person.emails for name in person.names]
    authors = [turn for turn in turns if not turn[0].co_author]
    turns += [authors[min(int(dice.paretovariate(0.6)) - 1, len(authors) - 1)] for _ in range(extra)]
    dice.shuffle(turns)
    helper = next(person for person in community.people if not person.co_author)
    stream = bytearray()
    for number, (person, email, name) in enumerate(turns, start=1):
        author, author_name = (helper.emails[0], helper.names[0]) if person.co_author else (email, name)
        community.authored[author] += 1
        message = f"Change {number}\n"
        if person.co_author:
            community.co_authored[email] += 1
            message += f"\nTogether.\n\nCo-authored-by: {name} <{email}>\n"
        who = f"{author_name} <{author}> {1_500_000_000 + number * 1000} +0000".encode()
        data = message.encode()
        stream += b"commit refs/heads/main\nmark :%d\nauthor %s\ncommitter %s\n" % (number, who, who)
        stream += b"data %d\n%s\n" % (len(data), data)
        stream += b"from :%d\n" % (number - 1) if number > 1 else b""
        stream += b"\n"
    make_bare(folder)
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet"], input=bytes(stream), check=True)
    subprocess.run(["git", "-C", str(folder), "repack", "-adq"], check=True)
