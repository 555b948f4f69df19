"""The findings of ``podium doctor``, and how they are printed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Literal

from podium.textutil.plural import plural
from podium.textutil.sanitize import clean

Level = Literal["ok", "warning", "problem"]


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    ``problem``: Podium does not work, or not for long, or not safely. ``warning``: it works, but the operator should
    know.
    """

    check: str
    level: Level
    detail: str
    advice: str = ""


def ok(check: str, detail: str) -> Finding:
    return Finding(check, "ok", detail)


def warning(check: str, detail: str, advice: str) -> Finding:
    return Finding(check, "warning", detail, advice)


def problem(check: str, detail: str, advice: str) -> Finding:
    return Finding(check, "problem", detail, advice)


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Whether there is no problem; warnings are allowed."""
    return all(finding.level != "problem" for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    document = {
        "healthy": is_healthy(findings),
        "findings": [
            {name: value for name, value in dataclasses.asdict(finding).items() if value or name != "advice"}
            for finding in findings
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def as_text(findings: Sequence[Finding]) -> str:
    widest = max(len(finding.check) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<7}  {finding.check:<{widest}}  {clean(finding.detail)}")
        if finding.advice:
            lines.append(f"{'':<{11 + widest}}→ {clean(finding.advice)}")
    counts = [plural(sum(f.level == level for f in findings), level) for level in ("problem", "warning")]
    return "\n".join([*lines, "", f"{', '.join(counts)}."]) + "\n"
