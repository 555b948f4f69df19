from __future__ import annotations

from podium.settings import Settings


def configure_log(settings: Settings) -> None:
    """Log to standard error, without the settings' secrets."""
    from podium.telemetry import logs

    logs.configure(level=settings.log_level.upper(), format=settings.log_format, secrets=settings.secrets())
