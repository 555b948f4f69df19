"""Blocked repositories, owners and addresses.

Each is the beginning of a repository's identity (``host``, ``host/owner``, ``host/owner/name``), compared in lower case
and without %-escapes, so that another spelling of one address is blocked too. ``.git`` and branches are left out.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Collection, Iterator
from urllib.parse import unquote

from podium.errors import BadAddress, BadRule, Blocked
from podium.repositories.address import Address, host_of, parse_address
from podium.repositories.store.freshness import names
from podium.storage.session import Session
from podium.storage.transactions.steps import chunked

# Segments of an identity that are compared: no host has as many.
_MOST_SEGMENTS = 50
_LONGEST_REASON = 500
_PER_QUERY = 500


class BlockKind(enum.StrEnum):
    REPOSITORY = "repository"
    OWNER = "owner"
    ADDRESS = "address"
    PERSON = "person"


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """``value``: of a person a keyed hash."""

    kind: BlockKind
    value: str
    reason: str | None
    at: float


def check(session: Session, address: Address) -> None:
    """Raise Blocked if an operator has blocked ``address``; a path of this machine never is."""
    if address.host:
        check_key(session, address.parent_key or address.key)


def check_key(session: Session, key: str) -> None:
    """Like :func:`check`, for a :attr:`podium.repositories.model.Repository.repository_key`."""
    whole, *beginnings = _beginnings(key)
    names = {f"v{place}": value for place, value in enumerate(beginnings)}
    found = session.one(
        f"""SELECT kind, reason FROM block WHERE kind = 'repository' AND value = :whole
        OR kind IN ('owner', 'address') AND value IN ({", ".join(f":{name}" for name in ("whole", *names))})
        ORDER BY at LIMIT 1""",
        whole=whole,
        **names,
    )
    if found is not None:
        because = f" ({found['reason']})" if found["reason"] else ""
        raise Blocked(f"The operator of this server has blocked this {found['kind']}{because}: it is not counted.")


def blocked_among(session: Session, keys: Collection[str]) -> set[str]:
    """Return those of ``keys`` that are blocked."""
    beginnings = {key: list(_beginnings(key)) for key in keys}
    blocked: set[tuple[str, str]] = set()
    for some in chunked({one for all_of_it in beginnings.values() for one in all_of_it}, _PER_QUERY):
        names = {f"v{place}": value for place, value in enumerate(some)}
        marks = ", ".join(f":{name}" for name in names)
        blocked.update(
            session.tuples(
                f"""SELECT CASE WHEN kind = 'repository' THEN kind ELSE 'beginning' END, value FROM block
                WHERE kind IN ('repository', 'owner', 'address') AND value IN ({marks})""",
                **names,
            )
        )
    return {
        key
        for key, (whole, *others) in beginnings.items()
        if ("repository", whole) in blocked or any(("beginning", one) in blocked for one in (whole, *others))
    }


def value_of(kind: BlockKind, text: str, github_url: str) -> str:
    """Return what is compared.

    text: a repository's address; an owner as ``owner`` at GitHub or ``host/owner``; a host, or the beginning of a URL.

    Raises:
        BadAddress, BadRule: it is none.
    """
    text = text.strip()
    if kind is BlockKind.REPOSITORY:
        address = parse_address(text, github_url)
        return folded(address.parent_key or address.key)
    bare = folded(text.rpartition("://")[2].removeprefix("@").strip("/"))
    first, _, rest = bare.partition("/")
    if not first or not bare.isprintable() or " " in bare or "?" in bare or "#" in bare:
        what = "an account at GitHub, or host/owner" if kind is BlockKind.OWNER else "a host, or the beginning of a URL"
        raise BadRule(f"That is no {kind}: give {what}.")
    is_host = "." in first or ":" in first or first == "localhost"
    if kind is BlockKind.OWNER:
        if is_host and not rest:
            raise BadRule("That is a host: block it with `podium block add address`, or give host/owner.")
        return bare if is_host else f"{host_of(github_url)}/{bare}"
    if not is_host:
        raise BadAddress("That names no host: give a host such as git.example.org, or the beginning of a URL.")
    return bare.removesuffix(".git")


def add(session: Session, kind: BlockKind, value: str, *, reason: str | None = None) -> bool:
    """Block ``value``; return False if it was blocked before.

    A repository that is here is blocked under all its names, and by its host id: it cannot come back under
    another name.
    """
    reason = (reason or "").strip()[:_LONGEST_REASON] or None
    values = [value]
    if kind is BlockKind.REPOSITORY:
        keys, numbers = names.all_of(session, value)
        values += [folded(key) for key in keys] + [_numbered(host, number) for host, number in numbers]
    others = list(dict.fromkeys(values))[1:]
    is_new = _insert(session, kind, value, reason, subject=value if others else None)
    for other in others:
        _insert(session, kind, other, reason, subject=value)
    return is_new


def check_number(session: Session, host: str, number: str) -> None:
    """Raise Blocked if an operator has blocked the repository with this host id."""
    check_key(session, _numbered(host, number))


def is_any_numbered(session: Session, host: str) -> bool:
    """Whether an operator has blocked a repository of this host by its host id."""
    prefix = _numbered(host, "")
    found = session.one(
        "SELECT 1 AS one FROM block WHERE kind = 'repository' AND substr(value, 1, :length) = :prefix LIMIT 1",
        length=len(prefix),
        prefix=prefix,
    )
    return found is not None


def remove(session: Session, kind: BlockKind, value: str) -> bool:
    """Return False if it was not blocked. All names of a repository are taken back together."""
    return bool(
        session.run(
            """DELETE FROM block WHERE kind = :kind AND (value = :value
                OR subject = (SELECT subject FROM block WHERE kind = :kind AND value = :value))""",
            kind=kind.value,
            value=value,
        )
    )


def _insert(session: Session, kind: BlockKind, value: str, reason: str | None, *, subject: str | None) -> bool:
    return bool(
        session.run(
            """INSERT INTO block (kind, value, subject, reason, at) VALUES (:kind, :value, :subject, :reason, {now})
            ON CONFLICT DO NOTHING""",
            kind=kind.value,
            value=value,
            subject=subject,
            reason=reason,
        )
    )


def _numbered(host: str, number: str) -> str:
    # No name begins with it.
    return f"{host}/#{number}"


def blocks(session: Session, *, limit: int = 10_000) -> list[Block]:
    """All blocks, the newest first. Each forgotten person is one, with one of its hashes, and so are the names of a
    repository.
    """
    rows = session.tuples(
        """SELECT kind, coalesce(subject, value), max(reason), min(at) AS since FROM block
        GROUP BY kind, coalesce(subject, value) ORDER BY since DESC, kind, coalesce(subject, value) LIMIT :limit""",
        limit=limit,
    )
    return [Block(BlockKind(kind), value, reason, at) for kind, value, reason, at in rows]


def folded(key: str) -> str:
    """A repository's identity as it is compared."""
    return unquote(key).lower()


def _beginnings(key: str) -> Iterator[str]:
    """The whole identity first, then each beginning that ends at a segment; a host also without its port."""
    whole = folded(key)
    yield whole
    host, *segments = whole.split("/")
    bare = host.rstrip(".").rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host.rstrip(".")
    for end in range(min(len(segments), _MOST_SEGMENTS) + 1):
        for first in dict.fromkeys((host, bare)):
            yield "/".join((first, *segments[:end]))
