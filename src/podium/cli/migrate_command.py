"""``podium migrate``: bring the database to the revision that this Podium needs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from podium.app.operations import migrate_database
from podium.cli import output
from podium.settings import Settings


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    migrate_database(Settings.from_environment(environment), to=options.to, check=options.check)
    if options.check:
        output.write("The database has exactly the tables that this Podium declares.\n")
    return 0
