"""Translate the SQL of :mod:`podium.storage.session` for psycopg and PostgreSQL."""

from __future__ import annotations

import functools
import re

# Literals, quoted names and comments are kept as they are; '::' is a cast.
_TOKEN = re.compile(
    r"""(?P<kept> '(?:[^']|'')*' | "[^"]*" | --[^\n]* | ::)
    | :(?P<name>[a-z_][a-z0-9_]*) | (?P<positional>\?) | (?P<percent>%)
    | \{(?P<word>now|for_update|skip_locked|one_at_a_time|one_take_at_a_time|up_since)\}""",
    re.VERBOSE,
)

_WORDS = {
    # clock_timestamp() changes during a statement, which rules out an index.
    "now": "CAST(EXTRACT(EPOCH FROM statement_timestamp()) AS DOUBLE PRECISION)",
    "for_update": "FOR UPDATE",
    "skip_locked": "FOR UPDATE SKIP LOCKED",
    # Any numbers that nothing else in this database uses.
    "one_at_a_time": "pg_advisory_xact_lock(8060911)",
    "one_take_at_a_time": "pg_advisory_xact_lock(8060912)",
    "up_since": "CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) AS DOUBLE PRECISION)",
}


@functools.lru_cache(maxsize=512)
def translated(sql: str) -> str:
    return _TOKEN.sub(_translate, sql)


def _translate(match: re.Match[str]) -> str:
    if kept := match["kept"]:
        return kept.replace("%", "%%")
    if name := match["name"]:
        return f"%({name})s"
    if match["positional"]:
        return "%s"
    return "%%" if match["percent"] else _WORDS[match["word"]]
