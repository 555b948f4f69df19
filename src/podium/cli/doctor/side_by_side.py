"""Run checks side by side, so that one that hangs keeps no other waiting."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from podium.cli.doctor.findings import Finding, problem


@dataclasses.dataclass(frozen=True, slots=True)
class Examination:
    """One check of ``podium doctor``.

    Attributes:
        look: finds out. It catches the errors that it expects.
        late: the finding if it takes too long; None: a problem.
    """

    check: str
    look: Callable[[], Iterable[Finding]]
    late: Finding | None = None


class _Running:
    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._found: list[Finding] = []
        self._error: Exception | None = None
        # One that hangs does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name=f"doctor-{examination.check}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for finding in self._examination.look():
                self._found.append(finding)
        except Exception as error:  # noqa: BLE001 - raised by the waiting thread
            self._error = error

    def findings(self, ends: float, seconds: float) -> list[Finding]:
        """Wait until ``ends`` by the monotonic clock; what was found before stays."""
        self._thread.join(max(0.0, ends - time.monotonic()))
        is_late = self._thread.is_alive()
        if self._error is not None:
            raise self._error
        found = self._found[:]
        if is_late:
            found.append(self._examination.late or _late(self._examination.check, seconds))
        return found


def run(examinations: Sequence[Examination], seconds: float) -> list[Finding]:
    """Return all findings, in the order of ``examinations``, after ``seconds`` at the most."""
    ends = time.monotonic() + seconds
    running = [_Running(examination) for examination in examinations]
    return [finding for each in running for finding in each.findings(ends, seconds)]


def _late(check: str, seconds: float) -> Finding:
    return problem(
        check,
        f"It has not answered within {seconds:.1f} seconds.",
        "Check that it runs, and the network and the name server on the way; `--wait SECONDS` waits longer.",
    )
