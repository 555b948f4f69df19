"""Times of the service, as people and programs read them."""

from __future__ import annotations

import datetime


def iso(seconds: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC, to the second."""
    if seconds is None:
        return None
    moment = datetime.datetime.fromtimestamp(int(seconds), tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
