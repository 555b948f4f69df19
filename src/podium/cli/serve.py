"""``podium serve``: the API, the page and, in the embedded default, both workers."""

from __future__ import annotations

import logging
import sys

from podium.app.startup import configure_log
from podium.net import is_loopback
from podium.settings import Settings


def serve(settings: Settings, *, workers: bool) -> int:
    """Serve until told to stop; give the exit code.

    Args:
        workers: work the queues off in this process too.

    Raises:
        PodiumError: the database, the data folder or the port cannot be used.
    """
    from podium.app.server_process import services
    from podium.web.server import run

    configure_log(settings)
    with services(settings, loopback=is_loopback(settings.host), workers=workers) as given:
        run(
            given,
            settings.host,
            settings.port,
            on_listening=lambda url: _announce(settings, url),
        )
    return 0


def _announce(settings: Settings, url: str) -> None:
    if settings.log_format == "json":
        # Whoever reads the log as JSON wants nothing else in it.
        logging.getLogger("podium").info("listening on %s", url)
    else:
        print(f"Podium: {url} (data in {settings.data_folder()})", file=sys.stderr)
