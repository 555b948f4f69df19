"""What a host said about one repository, and why it said nothing."""

from __future__ import annotations

import dataclasses
import enum

from podium.repositories.address import Address


@dataclasses.dataclass(frozen=True, slots=True)
class HostAnswer:
    """What is None was not said.

    number: its host id, which it keeps under another name.
    address: where it is now.
    head, branch: the oid and the name of the default branch.
    gone_code: why it cannot be read: 'missing' or 'taken-down' (:data:`podium.jobs.retry.GONE`).
    is_readable: git has read it without credentials. An API may see what others do not, so its answer never says so.
    """

    number: str | None = None
    address: Address | None = None
    head: str | None = None
    branch: str | None = None
    gone_code: str | None = None
    is_readable: bool = False


class Unseen(enum.Enum):
    """Why an API says nothing about a repository.

    MISSING: it shows no such repository to all. SILENT: it did not answer. NO_API: the host has none.
    """

    MISSING = enum.auto()
    SILENT = enum.auto()
    NO_API = enum.auto()
