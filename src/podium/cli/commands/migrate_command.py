"""``podium migrate``: migrate to the database revision that this Podium needs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from podium.app.operations import migrate_database
from podium.cli import output
from podium.settings import Settings


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    revision = migrate_database(Settings.from_environment(environment), to=options.to, check=options.check)
    if options.check:
        output.write("The database has exactly the tables that this Podium declares.\n")
    else:
        has_none = revision == "base"
        output.write(f"The database has {'no tables of Podium' if has_none else f'revision {revision}'}.\n")
    return 0
