from __future__ import annotations

import contextlib
import logging
import resource
from collections.abc import Mapping

from podium.settings import Settings, unknown_variables


def prepare_process(settings: Settings, environment: Mapping[str, str] | None = None) -> None:
    """Log to standard error, without the settings' secrets, and raise the limit of open files to the hard one.

    Many systems start programs with 1,024 files, which a few hundred connections use up. Children inherit the limit.

    Args:
        environment: variables that may be mistakes, which are logged; None: a parent process has logged them.

    Raises:
        BadSetting: ``PODIUM_BOTS_FILE`` cannot be read; otherwise only the children would find out.
    """
    from podium.bots.tools import Bots
    from podium.telemetry import logs

    logs.configure(level=settings.log_level.upper(), format=settings.log_format, secrets=settings.secrets())
    for line in unknown_variables(environment or {}):
        logging.getLogger("podium").warning("%s", line)
    Bots.from_files(settings.bots_files())
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems do not accept "unlimited" for it.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
