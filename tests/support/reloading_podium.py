"""`podium serve --reload` that watches the folder ``WATCHED`` instead of Podium's own source."""

from __future__ import annotations

import os
from pathlib import Path

from podium import cli
from podium.cli import reload


def main() -> int:
    reload._SOURCE = Path(os.environ["WATCHED"])
    return cli.main()
