"""``podium backup``, ``podium restore`` and ``podium copy``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from podium.app import backups
from podium.cli import output
from podium.settings import Settings
from podium.textutil.plural import plural

_NO_MIRRORS = "Mirrors are not in it: repositories are cloned again when they are counted next."


def backup(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    counts = backups.backup(Settings.from_environment(environment), options.file, force=options.force)
    message = (
        f"Saved {plural(counts['repository'], 'repository', 'repositories')}, {sum(counts.values()):,} rows in all. "
        + _NO_MIRRORS
    )
    if options.file == backups.STANDARD:
        output.say(message)
    else:
        output.write(f"{message}\n")
    return 0


def restore(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    saved = backups.restore(Settings.from_environment(environment), options.file, force=options.force)
    output.write(f"Restored {plural(saved, 'row')}. Start the server: it clones what it counts next.\n")
    return 0


def copy(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    saved = backups.copy(Settings.from_environment(environment), force=options.force)
    output.write(f"Copied {plural(saved, 'row')}. Set DATABASE_URL to the other database before the next start.\n")
    return 0
