"""The query of a comparison: what is compared, and under which rules."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from typing import Literal

from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from podium.errors import BadRule
from podium.leaderboard.rules import Rules
from podium.web.api.query_parameters import RulesQuery

MOST = 6
# Characters of one value.
_LONGEST = 2000

Kind = Literal["repositories", "windows", "people"]


@dataclasses.dataclass(frozen=True, slots=True)
class CompareItem:
    """One of those that are compared.

    Attributes:
        repo: an address, as it was typed.
        rev: a branch or tag; "" for the default branch.
        window: as it was typed; "" if windows are not compared.
        person: a login or ``~N``; "" if people are not compared.
    """

    repo: str
    rev: str
    window: str = ""
    person: str = ""


class CompareQuery(RulesQuery):
    """Repositories; or windows or people of one."""

    # Links to the page get parameters of others, such as utm_source.
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)

    repo: list[str] = Field(
        [], description="A repository's address; given once for each. With one, `window`, `person` or `rev` follow."
    )
    rev: list[str] = Field(
        [], description="The branch or tag of the repository at the same place; empty: the default branch."
    )
    window: list[str] = Field(
        [],
        description="A window of the one repository: a date that names its days (`2024`, `last month`), or two with "
        "`..` between them (`2023-07..2024-06`).",
    )
    person: list[str] = Field([], description="A person of the one repository: a login, or `~N` (`person` of a row).")

    @classmethod
    def check_names(cls, given: Iterable[str]) -> None:
        """Raises RequestValidationError: there is no such parameter."""
        known = {field.alias or name for name, field in cls.model_fields.items()}
        unknown = [name for name in given if name not in known]
        if unknown:
            raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name)} for name in unknown])

    @property
    def kind(self) -> Kind:
        return "windows" if _given(self.window) else "people" if _given(self.person) else "repositories"

    def subjects(self) -> list[CompareItem]:
        """What is compared, each once.

        Raises:
            BadRule: they do not fit together, or are too many.
        """
        boards, windows, people = self._boards(), _given(self.window), _given(self.person)
        if windows and people:
            raise BadRule("Compare windows or people, not both: leave out window or person.")
        if (windows or people) and len(boards) != 1:
            raise BadRule("Windows and people of one repository are compared: give exactly one repo.")
        if windows and (self.since or self.until):
            raise BadRule("Give either window, or since and until.")
        found = [
            dataclasses.replace(board, window=window, person=person)
            for board in boards
            for window in windows or [""]
            for person in people or [""]
        ]
        if len(found) > MOST:
            raise BadRule(f"At most {MOST} are compared: leave out {len(found) - MOST}.")
        if any(len(part) > _LONGEST for each in found for part in dataclasses.astuple(each)):
            raise BadRule(f"A value has more than {_LONGEST:,} characters.")
        return found

    def rules_of(self, subject: CompareItem) -> Rules:
        """The rules, in the subject's window.

        Raises:
            BadRule: a value is not valid.
        """
        rules = self.rules()
        if not subject.window:
            return rules
        since, dots, until = (part.strip() for part in subject.window.partition(".."))
        window = Rules.parse(since=since or None, until=(until if dots else since) or None)
        if not window.windowed:
            raise BadRule("window is empty: write two dates with .. between them, such as 2023-07..2024-06.")
        return dataclasses.replace(rules, since=window.since, until=window.until)

    def _boards(self) -> list[CompareItem]:
        repos = [repo.strip() for repo in self.repo]
        only = repos[0] if len(set(filter(None, repos))) == 1 and repos[0] else ""
        found = []
        for repo, rev in itertools.zip_longest(repos, (rev.strip() for rev in self.rev), fillvalue=""):
            if rev and not repo and not only:
                raise BadRule("rev is given without its repo: give them in the same order.")
            if repo or rev:
                found.append(CompareItem(repo or only, rev))
        return list(dict.fromkeys(found))


def _given(values: list[str]) -> list[str]:
    return list(dict.fromkeys(value.strip() for value in values if value.strip()))
