"""Names of repositories: a repository keeps its row under another name, and the names that it had lead to it.

A family is a repository with its branches and tags. It is named, hidden and taken together. The table ``former_name``
keeps the keys that its rows had, and the ids of rows that were joined to them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from podium.repositories.address import Address
from podium.repositories.model import Repository
from podium.repositories.store.deletion import removal
from podium.repositories.store.freshness.due_checks import WAS_READ
from podium.repositories.store.queries import FAMILY, FAMILY_IN_ORDER, NOT_FORGOTTEN, SELECT, one
from podium.storage.session import Session

AS_PLANNED = -1.0

# The error of a count that is refused, and its reason.
TAKEN = "name-taken"
WHY_TAKEN = (
    "Another repository now has this name at its host. The board is frozen, unless the administrator of this server "
    "decides otherwise."
)

# No host begins with a tilde, so neither is a name that a client can give.
_MOVING = "~moving/"
# Begins the key of a joined row, whose own key became that of the row it was joined to.
_JOINED = "~joined/"
# A name that the repository had before another one got it: mirrors may still be kept under it.
_LEFT = "~left/"


def begin(session: Session) -> None:
    """Before rows are locked that get another name: such transactions and submissions run one at a time."""
    session.value("SELECT {one_at_a_time}")


def address_of(row: Repository) -> Address:
    """The address of a row's repository, without a revision."""
    return Address(
        host=row.host,
        owner=row.owner,
        name=row.name,
        key=row.repository_key,
        url=row.repository_url,
        clone_url=row.repository_url,
    )


def lock_families(session: Session, keys: Collection[str]) -> list[Repository]:
    """Lock the families of some repositories' keys, and return their rows, the oldest first.

    A transaction that may change a whole family locks it before any single row of it: two of them would wait for each
    other.
    """
    names = {f"k{place}": key for place, key in enumerate(sorted(set(keys)))}
    marks = ", ".join(f":{name}" for name in names)
    rows = session.all(
        f"""{SELECT} FROM repository WHERE {NOT_FORGOTTEN} AND (key IN ({marks}) OR parent_key IN ({marks}))
        ORDER BY id {{for_update}}""",
        **names,
    )
    return [Repository.from_row(row) for row in rows]


def keys_with_number(session: Session, host: str, number: str) -> list[str]:
    """The keys of repositories with this host id: more than one until they are joined."""
    rows = session.tuples(
        "SELECT DISTINCT coalesce(parent_key, key) FROM repository WHERE host = :host AND host_number = :number",
        host=host,
        number=number,
    )
    return sorted(key for (key,) in rows)


def key_taken_by(session: Session, host: str, number: str) -> str | None:
    """The key of a repository whose name another one has, which has this number."""
    found: str | None = session.value(
        """SELECT min(coalesce(parent_key, key)) FROM repository
        WHERE host = :host AND host_number IS NOT NULL AND taken_number = :number""",
        host=host,
        number=number,
    )
    return found


def number_of(session: Session, key: str) -> str | None:
    """The host id of the repository with this key, if it is known."""
    found: str | None = session.value(f"SELECT max(host_number) FROM repository WHERE {FAMILY}", family=key)
    return found


def is_any_numbered(session: Session, host: str) -> bool:
    """Whether the host id of a repository is known."""
    return bool(
        session.value(
            """SELECT EXISTS (SELECT 1 FROM repository WHERE host = :host AND host_number IS NOT NULL)""", host=host
        )
    )


def note_number(session: Session, key: str, number: str) -> None:
    session.run(
        f"""UPDATE repository SET host_number = :number
        WHERE {FAMILY_IN_ORDER % "coalesce(host_number, '') <> :number"}""",
        family=key,
        number=number,
    )


def note_checked(session: Session, repository_id: int, *, next_check_in: float | None) -> None:
    """Note that the host has answered.

    ``next_check_in``: seconds until it is asked again automatically; None: it is not; :data:`AS_PLANNED`: as before.
    """
    if next_check_in == AS_PLANNED:
        session.run("UPDATE repository SET checked_at = {now} WHERE id = :id", id=repository_id)
        return
    session.run(
        """UPDATE repository SET checked_at = {now}, check_at = {now} + :seconds
        WHERE id = :id AND forgotten_at IS NULL""",
        id=repository_id,
        seconds=next_check_in,
    )


def make_due(session: Session, key: str, *, within: float) -> None:
    """Have the host asked about a repository within ``within`` seconds."""
    session.run(
        f"""UPDATE repository SET check_at = {{now}} + :within
        WHERE {FAMILY_IN_ORDER % "(check_at IS NULL OR check_at > {now} + :within)"}""",
        family=key,
        within=within,
    )


def was_checked(session: Session, repository_id: int, *, within: float) -> bool:
    """Whether the host has answered in the last ``within`` seconds."""
    return bool(
        session.value(
            "SELECT checked_at > {now} - :within FROM repository WHERE id = :id", id=repository_id, within=within
        )
    )


def note_unanswered(session: Session, repository_id: int, *, again_in: float) -> None:
    """Note that the host gave no answer: if it is asked automatically, it is asked again after ``again_in`` seconds.

    A board that was not read for long is not, unless its host has denied it.
    """
    session.run(
        f"""UPDATE repository SET check_at = CASE
            WHEN gone_since IS NOT NULL OR name_taken_at IS NOT NULL OR {WAS_READ} THEN {{now}} + :again END
        WHERE id = :id AND check_at IS NOT NULL""",
        id=repository_id,
        again=again_in,
    )


# --- a name that another repository has


def mark_taken(session: Session, key: str, number: str | None) -> bool:
    """Note that the repository with the host id ``number`` has the name now: the board stays as it is.

    Returns:
        False if that was noted before.
    """
    changed = session.run(
        f"""UPDATE repository SET name_taken_at = coalesce(name_taken_at, {{now}}), updated_at = {{now}},
            taken_number = :number
        WHERE {FAMILY_IN_ORDER % "(name_taken_at IS NULL OR coalesce(taken_number, :number) <> :number)"}""",
        family=key,
        number=number or "",
    )
    return changed > 0


def clear_taken(session: Session, key: str) -> None:
    session.run(
        f"""UPDATE repository SET name_taken_at = NULL, taken_number = NULL, updated_at = {{now}}
        WHERE {FAMILY_IN_ORDER % "name_taken_at IS NOT NULL"}""",
        family=key,
    )


def taken_number(session: Session, repository_id: int) -> str | None:
    """The number of the repository that has its name; None: it has it itself, or an administrator has decided."""
    found: str | None = session.value("SELECT taken_number FROM repository WHERE id = :id", id=repository_id)
    return found


def is_taken(session: Session, key: str) -> bool:
    """Whether another repository has the name: nothing is fetched for it."""
    return bool(
        session.value(
            f"SELECT EXISTS (SELECT 1 FROM repository WHERE {FAMILY} AND name_taken_at IS NOT NULL)", family=key
        )
    )


_UNDECIDED = f"""
name_taken_at IS NOT NULL AND taken_number IS NOT NULL AND {NOT_FORGOTTEN} AND NOT EXISTS (
    SELECT 1 FROM repository AS other
    WHERE other.key = repository.parent_key OR other.parent_key = repository.parent_key AND other.id < repository.id
)
"""


def undecided(session: Session, *, limit: int) -> list[Repository]:
    """Repositories whose names others have, and about which no administrator has decided; the latest first.

    One without a row of its own is shown by its oldest branch or tag.
    """
    rows = session.all(
        f"{SELECT} FROM repository WHERE {_UNDECIDED} ORDER BY name_taken_at DESC, id LIMIT :limit", limit=limit
    )
    return [Repository.from_row(row) for row in rows]


def count_undecided(session: Session) -> int:
    number: int = session.value(f"SELECT count(*) FROM repository WHERE {_UNDECIDED}")
    return number


def keep_as_it_is(session: Session, key: str) -> None:
    """An administrator has decided: the board stays, and its host is not asked any more."""
    session.run(
        f"""UPDATE repository SET taken_number = NULL, check_at = NULL, refresh_every = 0, updated_at = {{now}}
        WHERE {FAMILY}""",
        family=key,
    )


# --- another name


def move(
    session: Session, moves: Sequence[tuple[Sequence[Repository], Address]], *, keeps_old_names: bool = True
) -> None:
    """Give locked families other addresses, which no other row has when all have moved.

    Args:
        keeps_old_names: False: other repositories have the old names, so these lead nowhere.
    """
    if len(moves) > 1:
        # They exchange keys, which are unique after each statement.
        for rows, _ in moves:
            for row in rows:
                session.run(
                    "UPDATE repository SET key = :key, url = :key WHERE id = :id", id=row.id, key=f"{_MOVING}{row.id}"
                )
    for rows, address in moves:
        for row in rows:
            _move_row(session, row, address)
            _keep_name(session, row.key if keeps_old_names else f"{_LEFT}{row.id}/{row.key}", row.id)
        if keeps_old_names and rows and all(row.parent_key is not None for row in rows):
            _keep_name(session, rows[0].repository_key, rows[0].id)
    for rows, address in moves:
        # A present name comes first.
        session.executemany(
            "DELETE FROM former_name WHERE key = :key",
            [{"key": key} for key in sorted({address.key, *(_under(address.key, row) for row in rows)})],
        )


_CARRY = """
UPDATE repository SET
    hook_due_at = CASE WHEN hook_due_at IS NULL OR due_at < hook_due_at THEN due_at ELSE hook_due_at END,
    hook_wants_check = hook_wants_check OR wants_check,
    pushed_at = CASE WHEN pushed_at IS NULL OR pushed > pushed_at THEN pushed ELSE pushed_at END,
    refresh_every = coalesce(refresh_every, every)
FROM (
    SELECT hook_due_at AS due_at, hook_wants_check AS wants_check, pushed_at AS pushed, refresh_every AS every
    FROM repository WHERE id = :joined
) AS joined WHERE id = :kept
"""


def join(session: Session, kept: Repository, joined: Repository) -> None:
    """Let a locked row lead to another one of the same repository and revision; its own rows are deleted in steps.

    A worker that holds it saves nothing. What hooks and administrators asked for it holds for the other one.
    """
    session.run(_CARRY, kept=kept.id, joined=joined.id)
    session.run(
        """INSERT INTO pause (kind, name, at) SELECT kind, :kept, at FROM pause
        WHERE kind = 'repository' AND name = :joined ON CONFLICT (kind, name) DO NOTHING""",
        kept=str(kept.id),
        joined=str(joined.id),
    )
    session.run(
        "UPDATE former_name SET repository_id = :kept WHERE repository_id = :joined", kept=kept.id, joined=joined.id
    )
    _keep_name(session, joined.key, kept.id)
    _keep_name(session, f"{_JOINED}{joined.id}", kept.id, former_id=joined.id)
    removal.mark(session, joined)


def _move_row(session: Session, row: Repository, address: Address) -> None:
    session.run(
        """UPDATE repository SET key = :key, url = :url, owner = :owner, name = :name, search_text = :search_text,
            parent_key = :parent_key, updated_at = {now}
        WHERE id = :id""",
        id=row.id,
        key=_under(address.key, row),
        url=_under(address.url, row),
        owner=address.owner,
        name=address.name,
        search_text=address.search_text,
        parent_key=None if row.parent_key is None else address.key,
    )


def _under(text: str, row: Repository) -> str:
    """``text``, a key or URL of a repository, with the revision of a row."""
    return text if row.parent_key is None else f"{text}#{row.key.partition('#')[2]}"


def _keep_name(session: Session, key: str, repository_id: int, *, former_id: int | None = None) -> None:
    session.run(
        """INSERT INTO former_name (key, repository_id, former_id, at) VALUES (:key, :id, :former, {now})
        ON CONFLICT (key) DO UPDATE SET repository_id = :id, former_id = :former, at = {now}""",
        key=key,
        id=repository_id,
        former=former_id,
    )


# --- where a former name leads


def present_address(session: Session, address: Address) -> Address:
    """The address under which a repository or revision is now: another one only for a former name."""
    found = _successor(session, address.parent_key or address.key)
    if found is None:
        return address
    present = address_of(found)
    return present if address.revision is None else present.at_revision(address.revision)


def present_key(session: Session, key: str) -> str:
    """The key under which a repository or revision is now: another one only for a former name."""
    repository_key, mark, revision = key.partition("#")
    found = _successor(session, key) if mark else None
    if found is not None:
        return found.key
    found = _successor(session, repository_key)
    return key if found is None else f"{found.repository_key}{mark}{revision}"


def present_id(session: Session, former_id: int) -> int | None:
    """The id of the row to which one with this id was joined."""
    found: int | None = session.value("SELECT repository_id FROM former_name WHERE former_id = :id", id=former_id)
    return found


def all_of(session: Session, name: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The keys that a repository has and had, and its host ids with their host.

    Args:
        name: one of its keys, in lower case.
    """
    rows = session.tuples(
        """SELECT DISTINCT coalesce(parent_key, key), host, host_number, id FROM repository
        WHERE host <> '' AND forgotten_at IS NULL AND (lower(key) = :name OR lower(parent_key) = :name
            OR id IN (SELECT repository_id FROM former_name WHERE lower(key) = :name))""",
        name=name,
    )
    keys = [key for key, *_ in rows]
    for *_, number in rows:
        found = session.tuples(
            "SELECT key FROM former_name WHERE repository_id = :id AND key NOT LIKE '~%' AND key NOT LIKE '%#%'",
            id=number,
        )
        keys += [key for (key,) in found]
    return sorted(set(keys)), sorted({(host, number) for _, host, number, _ in rows if number is not None})


# Seconds for which it is believed that a former name still leads to the repository, and until a submission that gives
# it has the host asked again.
_CONFIRMED, _ASKED = 86_400.0, 3600.0


def unconfirmed(session: Session, repository_ids: Sequence[int]) -> set[int]:
    """Those of some repositories that have a former name about which the host was not asked for a day."""
    if not repository_ids:
        return set()
    marks = {f"i{place}": number for place, number in enumerate(repository_ids)}
    rows = session.tuples(
        f"""SELECT DISTINCT repository_id FROM former_name WHERE at < {{now}} - :age
            AND repository_id IN ({", ".join(f":{name}" for name in marks)})
            AND key NOT LIKE '~%' AND key NOT LIKE '%#%'""",
        age=_CONFIRMED,
        **marks,
    )
    return {number for (number,) in rows}


def unconfirmed_keys(session: Session, repository_id: int, *, limit: int) -> list[str]:
    """The former names of such a repository, the newest first."""
    rows = session.tuples(
        """SELECT key FROM former_name WHERE repository_id = :id AND at < {now} - :age
            AND key NOT LIKE '~%' AND key NOT LIKE '%#%' ORDER BY at DESC, key LIMIT :limit""",
        id=repository_id,
        age=_CONFIRMED,
        limit=limit,
    )
    return [key for (key,) in rows]


def confirm(session: Session, repository_id: int, keys: Sequence[str]) -> None:
    """Note that the host was asked about some of the former names of a repository."""
    session.executemany(
        "UPDATE former_name SET at = {now} WHERE repository_id = :id AND key = :key",
        [{"id": repository_id, "key": key} for key in sorted(keys)],
    )


def free_name(session: Session, key: str) -> None:
    """Let a former name lead nowhere: another repository has it. Mirrors that are kept under it stay known."""
    rows = session.tuples(
        "SELECT key, repository_id FROM former_name WHERE key = :key OR key >= :first AND key < :behind",
        key=key,
        first=f"{key}#",
        behind=f"{key}$",
    )
    for former, number in rows:
        _keep_name(session, f"{_LEFT}{number}/{former}", number)
        session.run("DELETE FROM former_name WHERE key = :key", key=former)


def ask_about_name(session: Session, key: str, present_key: str) -> None:
    """A client has given a former name: have the host asked whether it is another repository's by now."""
    if session.run("UPDATE former_name SET at = 0 WHERE key = :key AND at < {now} - :age", key=key, age=_ASKED):
        make_due(session, present_key, within=0.0)


def mirror_owner(session: Session, key: str) -> tuple[list[int], list[str]]:
    """The ids of a family, also of rows joined to it, and the keys under which mirrors of it may be kept."""
    rows = session.tuples(
        """SELECT r.id, f.former_id, f.key FROM repository r LEFT JOIN former_name f ON f.repository_id = r.id
        WHERE r.key = :family OR r.parent_key = :family ORDER BY f.at DESC""",
        family=key,
    )
    ids = {number for row in rows for number in row[:2] if number is not None}
    keys = [_bare(former) for *_, former in rows if former is not None and not former.startswith(_JOINED)]
    return sorted(ids), list(dict.fromkeys(keys))


def former_keys_after(session: Session, last: str, *, limit: int) -> list[tuple[str, str]]:
    """The next former names, and the keys under which mirrors may be kept for them."""
    rows = session.tuples(
        "SELECT key FROM former_name WHERE key > :last ORDER BY key LIMIT :limit", last=last, limit=limit
    )
    return [(key, _bare(key)) for (key,) in rows]


def _bare(key: str) -> str:
    """A repository's key, of a former name."""
    return (key.removeprefix(_LEFT).partition("/")[2] if key.startswith(_LEFT) else key).partition("#")[0]


def _successor(session: Session, key: str) -> Repository | None:
    return one(
        session,
        f"""{SELECT} FROM repository WHERE {NOT_FORGOTTEN}
            AND id = (SELECT repository_id FROM former_name WHERE key = :key)""",
        key=key,
    )
