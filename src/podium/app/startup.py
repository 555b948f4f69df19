from __future__ import annotations

import contextlib
import resource

from podium.settings import Settings


def prepare_process(settings: Settings) -> None:
    """Log to standard error, without the settings' secrets, and raise the limit of open files to the hard one.

    Many systems start programs with 1,024 files, which a few hundred connections use up. Children inherit the limit.

    Raises:
        BadSetting: ``PODIUM_BOTS_FILE`` cannot be read; otherwise only the children would find out.
    """
    from podium.bots.tools import Bots
    from podium.telemetry import logs

    logs.configure(level=settings.log_level.upper(), format=settings.log_format, secrets=settings.secrets())
    Bots.from_files(settings.bots_files())
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems do not accept "unlimited" for it.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
