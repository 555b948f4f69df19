from __future__ import annotations

from podium.repositories.model import Repository


class Renamed(Exception):
    """A request names a repository by a former name; ``row`` has the present one."""

    def __init__(self, row: Repository) -> None:
        super().__init__(row.key)
        self.row = row
