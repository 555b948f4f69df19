"""Set up logging: ``console`` lines for people, ``json`` for machines.

The JSON field names (``time``, ``severity``, ``message``) are those of Cloud Logging, Loki and others.
"""

from __future__ import annotations

import datetime
import json
import logging
import sys
import threading
from collections.abc import Iterable
from typing import Any

from podium.telemetry.current_job import current
from podium.telemetry.redaction import redact, secrets_of
from podium.textutil.sanitize import escape_controls

# Characters of a message or traceback: an SQL statement with a thousand rows is too long to read.
LONGEST = 16_000

# Libraries that log every request or statement. Podium logs their errors itself.
CHATTY = ("alembic", "httpx", "httpcore", "asyncio", "urllib3")


class _Formatter(logging.Formatter):
    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = secrets_of(secrets)

    def _message(self, record: logging.LogRecord) -> str:
        text = escape_controls(redact(record.getMessage(), self._secrets))
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"

    def _traceback(self, record: logging.LogRecord) -> list[str]:
        text = self.formatException(record.exc_info) if record.exc_info else record.exc_text or ""
        text = redact(text, self._secrets)
        text = text if len(text) <= LONGEST else f"({len(text)} characters)…{text[-LONGEST:]}"
        return [escape_controls(line) for line in text.splitlines()]

    @staticmethod
    def _time(record: logging.LogRecord) -> str:
        moment = datetime.datetime.fromtimestamp(record.created, tz=datetime.UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @staticmethod
    def _job() -> dict[str, Any]:
        job = current()
        return {} if job is None else {"queue": job.queue, "repository": job.repository, "job": job.id}


class ConsoleFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in self._job().items())
        line = f"{self._time(record)} {record.levelname:<7} {record.name}: {self._message(record)}{fields}"
        # The indentation keeps text from outside from forging a line.
        return "\n    ".join([line, *self._traceback(record)])


class JsonFormatter(_Formatter):
    """One JSON object per line; a record's attribute ``fields`` adds values to it."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self._time(record),
            "severity": record.levelname,
            "logger": record.name,
            "message": self._message(record),
            "process": record.process,
            **self._job(),
            **getattr(record, "fields", {}),
        }
        if traceback := self._traceback(record):
            entry["exception"] = "\n".join(traceback)
        # ASCII is valid JSON in any encoding of standard error.
        return json.dumps(entry)


_FORMATTERS = {"console": ConsoleFormatter, "json": JsonFormatter}


def configure(*, level: str, format: str, secrets: Iterable[str] = ()) -> None:
    """Log to standard error, instead of any earlier configuration.

    Args:
        level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        secrets: values to hide: passwords, tokens, URLs with a password.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[format](secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("podium").critical("unexpected error: the process ends", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(hooked: threading.ExceptHookArgs) -> None:
    if hooked.exc_value is None or issubclass(hooked.exc_type, SystemExit):
        return
    name = hooked.thread.name if hooked.thread else "unknown"
    logging.getLogger("podium").critical(
        "unexpected error: the thread %s ends", name, exc_info=(hooked.exc_type, hooked.exc_value, hooked.exc_traceback)
    )
