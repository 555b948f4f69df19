"""What a host said about one repository."""

from __future__ import annotations

import dataclasses

from podium.repositories.address import Address


@dataclasses.dataclass(frozen=True, slots=True)
class HostAnswer:
    """What is None was not said.

    number: at its host, which it keeps under another name.
    address: where it is now.
    head, branch: the oid and the name of the default branch.
    gone_code: why it cannot be read: 'missing' or 'taken-down' (:data:`podium.jobs.retry.GONE`).
    """

    number: str | None = None
    address: Address | None = None
    head: str | None = None
    branch: str | None = None
    gone_code: str | None = None
