"""Find repositories at addresses: by words, owner and state."""

from __future__ import annotations

import dataclasses

from podium.repositories.model import COLUMNS, Repository, State
from podium.repositories.store.queries import SELECT
from podium.repositories.store.readers.readable import LISTED
from podium.storage.session import Session


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """Which repositories a list has. Branches and tags are in none.

    Attributes:
        states: empty: all.
        words: each is a part of owner and name, folded (:func:`podium.textutil.fold.fold`), or of the host, except of
            ``github_host``, which no title shows.
        prefix: of the key, up to a slash; '': any.
    """

    states: frozenset[State] = frozenset()
    words: tuple[str, ...] = ()
    prefix: str = ""
    github_host: str = "github.com"

    @property
    def condition(self) -> str:
        return " AND ".join([LISTED, *self._state(), *self._of_owner(), *self._of_words()])

    def _state(self) -> list[str]:
        others = frozenset(State) - self.states
        if not self.states or not others:
            return []
        if len(self.states) == 1:
            return ["state = :state"]
        # An index of dates then still gives the order.
        return [f"state <> '{state}'" for state in sorted(others)]

    def _of_owner(self) -> list[str]:
        # '0' follows '/'. A range uses the index of keys.
        return ["key >= :prefix AND key < :behind"] if self.prefix else []

    def _of_words(self) -> list[str]:
        return [
            f"(search_text LIKE :word{n} ESCAPE '!'"
            f" OR host <> :github_host AND host || '/' || search_text LIKE :word{n} ESCAPE '!')"
            for n in range(len(self.words))
        ]

    @property
    def parameters(self) -> dict[str, str]:
        found = {f"word{n}": f"%{_escaped(word)}%" for n, word in enumerate(self.words)}
        if self.words:
            found["github_host"] = self.github_host
        if len(self.states) == 1:
            found["state"] = str(*self.states)
        if self.prefix:
            found |= {"prefix": self.prefix, "behind": self.prefix[:-1] + "0"}
        return found


# The name itself, then names that begin so, then owners.
_PLACE = """CASE WHEN state = 'failed' THEN 4 WHEN '/' || search_text LIKE :named ESCAPE '!' THEN 0
    WHEN search_text LIKE :begins ESCAPE '!' THEN 1 WHEN search_text LIKE :owned ESCAPE '!' THEN 2 ELSE 3 END"""


def page(session: Session, chosen: Selection, *, limit: int, offset: int) -> list[Repository]:
    """Return one page: of a search the best matches first and failures last, else the newest first."""
    bounds = {"limit": limit, "offset": offset}
    if not chosen.words:
        rows = session.all(
            f"""{SELECT} FROM repository WHERE {chosen.condition}
            ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset""",
            **bounds,
            **chosen.parameters,
        )
        return [Repository.from_row(row) for row in rows]
    first = _escaped(chosen.words[0])
    # The inner query reads an index alone, and the outer one whole rows: only those of the page.
    rows = session.all(
        f"""SELECT {", ".join(f"repository.{column}" for column in COLUMNS)} FROM (
            SELECT id AS found, created_at AS added, {_PLACE} AS place FROM repository
            WHERE {chosen.condition} ORDER BY place, created_at DESC, id DESC LIMIT :limit OFFSET :offset
        ) AS page JOIN repository ON repository.id = found ORDER BY place, added DESC, found DESC""",
        named=f"%/{first}",
        begins=f"%/{first}%",
        owned=f"{first}%",
        **bounds,
        **chosen.parameters,
    )
    return [Repository.from_row(row) for row in rows]


# Newest boards that are looked at for the largest ones.
_RECENT = 30


def finished(session: Session, *, limit: int) -> list[Repository]:
    """Return the finished boards with the most people among the newest ones, none without people."""
    rows = session.all(
        f"""{SELECT} FROM (
            SELECT * FROM repository WHERE state = 'completed' AND {LISTED}
            ORDER BY created_at DESC, id DESC LIMIT :recent
        ) AS newest WHERE head IS NOT NULL AND unique_contributors > 0 AND coalesce(people, 1) > 0
        ORDER BY unique_contributors DESC, id LIMIT :limit""",
        recent=_RECENT,
        limit=limit,
    )
    return [Repository.from_row(row) for row in rows]


# Newest boards whose owners are counted, so that the cost does not grow with the boards.
_NEWEST = 200
# Of an index, so that no rows are read: what is stripped is any character of the name.
_OWNER = "rtrim(search_text, replace(search_text, '/', ''))"


def owners(session: Session, *, limit: int) -> list[Repository]:
    """Return a board of each of the owners with the most boards among the newest ones, those with most first."""
    rows = session.all(
        f"""{SELECT} FROM repository JOIN (
            SELECT max(id) AS latest, count(*) AS boards FROM (
                SELECT id, host, search_text FROM repository WHERE state <> '{State.FAILED}' AND {LISTED}
                ORDER BY created_at DESC, id DESC LIMIT :newest
            ) AS newest GROUP BY host, {_OWNER} ORDER BY boards DESC, latest DESC LIMIT :limit
        ) AS owner ON id = latest ORDER BY boards DESC, latest DESC""",
        newest=_NEWEST,
        limit=limit,
    )
    return [Repository.from_row(row) for row in rows]


def count(session: Session, chosen: Selection) -> int:
    number: int = session.value(f"SELECT count(*) FROM repository WHERE {chosen.condition}", **chosen.parameters)
    return number


def _escaped(word: str) -> str:
    for character in "!%_":
        word = word.replace(character, f"!{character}")
    return word
