"""The log: one place sets it up, for every process and every library in it.

Whoever writes uses the standard library's ``logging``; this module decides what a line looks like: ``console`` for a
person, ``json`` for a machine (one object a line, with the names that Cloud Logging, Loki and others know:
``time``, ``severity``, ``message``). A line of a job carries its queue, repository and id.
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

# A traceback of a statement with a thousand rows is not read to its end by anybody.
LONGEST = 16_000

# Libraries that tell of each request or statement; what goes wrong with those is told by whoever made them.
CHATTY = ("alembic", "httpx", "httpcore", "asyncio", "urllib3")


class _Formatter(logging.Formatter):
    """What both formats share: the message, redacted and bounded, the traceback, and the fields beside them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = secrets_of(secrets)

    def _message(self, record: logging.LogRecord) -> str:
        text = escape_controls(redact(record.getMessage(), self._secrets))
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"

    def _traceback(self, record: logging.LogRecord) -> list[str]:
        """The lines of the traceback; where it is too long its end is kept, in which the error stands."""
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
    """A line for a person: time, level, logger, message, fields; a traceback is indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in self._job().items())
        line = f"{self._time(record)} {record.levelname:<7} {record.name}: {self._message(record)}{fields}"
        # Indented: no text from outside can pass for a line of its own.
        return "\n    ".join([line, *self._traceback(record)])


class JsonFormatter(_Formatter):
    """One JSON object a line; a record's attribute ``fields`` adds what its message says in words."""

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
        # In ASCII: valid JSON whatever standard error is encoded in.
        return json.dumps(entry)


_FORMATTERS = {"console": ConsoleFormatter, "json": JsonFormatter}


def configure(*, level: str, format: str, secrets: Iterable[str] = ()) -> None:
    """Log to standard error; replaces whatever was set up before.

    Args:
        level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        format: ``console`` or ``json``.
        secrets: what must never be shown: passwords, tokens, URLs that may carry one.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[format](secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    # What nobody caught is a line of the log like any other.
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
