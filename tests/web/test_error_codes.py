"""The tables of error codes have every code that the API can answer with."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import podium
from podium import errors
from podium.errors import HistoryError, PodiumError
from podium.git import error_messages
from podium.repositories.store.freshness import names
from podium.web.middleware import security_middleware
from podium.web.reference.error_codes import OF_REPOSITORIES, OF_REQUESTS, ErrorCode
from tests.support.web import open_site

SOURCE = Path(podium.__file__).parent
DOCS = SOURCE.parent.parent / "docs" / "errors.md"
# Errors of commands, of workers, and of readers that are gone.
NOT_ANSWERED = {
    *("bad-setting", "mailmap-file", "missing-dependency", "bad-backup", "cannot-listen", "output"),
    *("interrupted", "lease-lost", "no-database", "reader-gone"),
}
# What answers and rows have without an error of its own.
OTHERS = {
    *("ambiguous-length", "bad-request", "method-not-allowed", "not-ready", "request-timeout"),
    *re.findall(r'\b4\d\d,\s+"([a-z-]+)"', inspect.getsource(security_middleware)),
}
OF_ROWS = {"dropped", "failed", "internal", "replaced", "worker-crashed", names.TAKEN}


def codes(rows: tuple[ErrorCode, ...]) -> set[str]:
    assert len({row.code for row in rows}) == len(rows)
    return {row.code for row in rows}


def test_every_error_of_a_request_is_listed_with_its_status() -> None:
    found = {
        kind.code: kind.status
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, PodiumError) and not issubclass(kind, HistoryError)
    }
    assert codes(OF_REQUESTS) == set(found) - NOT_ANSWERED | OTHERS
    assert {row.code: row.status for row in OF_REQUESTS if row.code in found}.items() <= found.items()


def test_every_code_of_a_failed_repository_is_listed() -> None:
    found = {code for _, code, _ in error_messages._NAMED} | {row[1] for row in error_messages._TABLE}
    for path in SOURCE.rglob("*.py"):
        if "cli" in path.parts or "HistoryError(" not in (text := path.read_text()):
            continue
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(func=ast.Name("HistoryError"), args=[ast.Constant(value=code), *_]):
                    found.add(str(code))
    assert codes(OF_REPOSITORIES) == found | OF_ROWS


def test_the_page_and_the_docs_have_the_same_table(tmp_path: Path) -> None:
    lines = [line for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    rows = [*OF_REQUESTS, *OF_REPOSITORIES]
    assert lines == [f"| `{row.code}` | {row.status} | {row.meaning} | {row.advice} |" for row in rows]
    with open_site(tmp_path) as site:
        page = site.client().get("/docs").text
    assert all(f"<dt><code>{row.code}</code> {row.status}</dt>" in page for row in rows)


def test_a_body_that_is_too_large_has_one_code_in_every_python(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        answer = site.client().post("/refresh", content=b"x" * 100_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
