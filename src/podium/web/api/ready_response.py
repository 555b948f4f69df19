"""The answer to ``GET /ready``, of the server and of workers."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse

from podium.monitoring.readiness import FoundProblem, Stops
from podium.web.api.error_responses import problem


def ready_response(problems: Sequence[FoundProblem], *, fatal: Stops, details: bool, spared: str = "") -> JSONResponse:
    """Status 503 if a problem stops as much as ``fatal``.

    Args:
        details: with messages that may name hosts and folders.
        spared: the code of a problem that stops less than it seems.
    """
    listed = [{"code": each.code, "message": each.message if details else each.summary} for each in problems]
    if any(each.stops >= fatal and each.code != spared for each in problems):
        detail = " ".join(each["message"] for each in listed)
        return problem(503, detail, "not-ready", problems=listed)
    return JSONResponse({"status": "degraded" if listed else "ready", "problems": listed})
