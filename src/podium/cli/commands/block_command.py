"""``podium block``: show, add and remove what is refused."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

from podium.app.operations import installation
from podium.audit import audit_log
from podium.blocks import block_list
from podium.blocks.block_list import BlockKind
from podium.cli import output
from podium.errors import NotFound
from podium.settings import Settings
from podium.textutil.sanitize import clean, escape_json
from podium.textutil.table import text_table
from podium.timeutil import iso_time, readable_time

_LONGEST = 60


def show(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    with installation(Settings.from_environment(environment)) as installed, installed.db.read() as session:
        found = block_list.blocks(session)
    if options.json:
        entries = [
            {"kind": each.kind, "value": each.value, "reason": each.reason, "at": iso_time(each.at)} for each in found
        ]
        output.write(escape_json(json.dumps(entries, indent=2, ensure_ascii=False)) + "\n")
        return 0
    if not found:
        output.write("Nothing is blocked.\n")
        return 0
    rows = [[each.kind, clean(each.value), readable_time(each.at)[:16], clean(each.reason or "")] for each in found]
    output.write(text_table(["Kind", "Blocked", "Since (UTC)", "Reason"], rows) + "\n")
    return 0


def add(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Block something.

    Raises:
        BadAddress, BadRule: it cannot be read.
    """
    settings = Settings.from_environment(environment)
    kind = BlockKind(options.kind)
    value = block_list.value_of(kind, options.value, settings.github_server_url)
    with installation(settings) as installed, installed.db.write() as session:
        is_new = block_list.add(session, kind, value, reason=options.reason)
        if is_new:
            audit_log.record(session, audit_log.command_line(), f"block {kind}", value, options.reason)
    output.write(f"The {kind} {clean(value)} {'is' if is_new else 'was already'} blocked.\n")
    return 0


def remove(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Remove a block.

    Raises:
        BadAddress, BadRule, NotFound: it cannot be read, or is not blocked.
    """
    settings = Settings.from_environment(environment)
    kind = BlockKind(options.kind)
    value = block_list.value_of(kind, options.value, settings.github_server_url)
    with installation(settings) as installed, installed.db.write() as session:
        if not block_list.remove(session, kind, value):
            raise NotFound(f"The {kind} {value} is not blocked: `podium block list` shows what is.")
        audit_log.record(session, audit_log.command_line(), f"unblock {kind}", value)
    output.write(f"The {kind} {clean(value)} is accepted again.\n")
    return 0
