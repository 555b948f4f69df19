"""The memory that a board takes, estimated from counts in the database before anything of it is loaded."""

from __future__ import annotations

import dataclasses

from podium.errors import BoardTooLarge
from podium.repositories.model import Repository
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.commit_log.codec import HEADER_BYTES, content_bytes
from podium.storage.session import Session

# Bytes at the peak of loading, measured with Python 3.11: a person with an account, a character of e-mails and names, a
# commit, and a number in the sets of people whom commits name.
PERSON = 2_000
CHARACTER = 2
COMMIT = 100
NAMED = 100

_TEXTS = ("email", "name", "mailmap_email", "mailmap_name", "mailmap_identity")

# The limit bounds the query too.
_PEOPLE = f"""
SELECT COUNT(*) AS people, COALESCE(SUM(characters), 0) AS characters FROM (
    SELECT {" + ".join(f"LENGTH({column})" for column in _TEXTS)} AS characters
    FROM commit_data WHERE {OF_VALID_COUNT} LIMIT :most
) AS counted"""
# A number is four bytes of the content, whose length is in the header.
_NUMBER = 4
_LOG = f"""
SELECT commits, substr(named_sets, 1, {HEADER_BYTES}) AS named, substr(role_sets, 1, {HEADER_BYTES}) AS roles
FROM commit_log WHERE {OF_VALID_COUNT}"""


@dataclasses.dataclass(frozen=True, slots=True)
class BoardSize:
    """The estimate, in bytes; ``size`` is that of this value in a cache."""

    estimate: int
    size: int = 100


def board_size(session: Session, repository: Repository, max_bytes: int) -> BoardSize:
    """Estimate the memory of a repository's board; above ``max_bytes`` it may be estimated too low."""
    [people] = session.all(_PEOPLE, id=repository.id, most=max_bytes // PERSON + 1)
    segments = session.all(_LOG, id=repository.id)
    commits = sum(segment["commits"] for segment in segments)
    numbers = sum(content_bytes(segment[sets]) // _NUMBER for segment in segments for sets in ("named", "roles"))
    return BoardSize(
        PERSON * people["people"] + CHARACTER * int(people["characters"]) + COMMIT * commits + NAMED * numbers
    )


def check_board_size(size: BoardSize, max_bytes: int) -> None:
    """Refuse a board that would take more memory than it may.

    Raises:
        BoardTooLarge: it would.
    """
    if size.estimate > max_bytes:
        raise BoardTooLarge(
            f"This board is too large to be shown: it would take more than {max_bytes / 1e6:,.0f} MB of the server's "
            "memory. Its operator can raise PODIUM_MAX_BOARD_BYTES, or rank the repository with `podium rank`."
        )
