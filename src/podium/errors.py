"""What can go wrong, each with the one line a user reads.

Every error that Podium raises on purpose derives from :class:`PodiumError`. The message says what happened and
what to do about it, and never carries a secret: it is printed on terminals, sent over HTTP and kept in the
database. ``status`` is the HTTP status the web answers with, ``exit_code`` what the command line exits with
(2: the user can mend it, 1: otherwise), ``code`` a stable word for programs.
"""

from __future__ import annotations


class PodiumError(Exception):
    """The root of Podium's own errors."""

    code = "internal"
    status = 500
    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadSetting(PodiumError):
    """An environment variable that cannot be read."""

    code = "bad-setting"
    exit_code = 2


class BadAddress(PodiumError):
    """A repository address that Podium cannot or will not read."""

    code = "bad-address"
    status = 400
    exit_code = 2


class BadRule(PodiumError):
    """A counting rule, window or page that does not exist."""

    code = "bad-rule"
    status = 400
    exit_code = 2


class NotFound(PodiumError):
    """Nothing of that name is known here."""

    code = "not-found"
    status = 404
    exit_code = 2


class Conflict(PodiumError):
    """The repository is not in a state that allows this."""

    code = "conflict"
    status = 409
    exit_code = 2


class Forbidden(PodiumError):
    """The caller may not do this."""

    code = "forbidden"
    status = 403
    exit_code = 2


class TooManyRequests(PodiumError):
    """A client asked for more than its share; ``retry_after`` is in seconds."""

    code = "too-many-requests"
    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageError(PodiumError):
    """The database cannot be reached, is busy for too long, or has no room."""

    code = "storage"
    status = 503


class NoDatabaseYet(StorageError):
    """Nothing has made the database yet."""

    code = "no-database"
    exit_code = 2


class WrongRevision(StorageError):
    """The database has another revision than this Podium."""

    code = "wrong-revision"
    exit_code = 2


class QueueError(PodiumError):
    """The queue cannot be reached, or nobody works it off."""

    code = "queue"
    status = 503


class OutputError(PodiumError):
    """What was asked for cannot be written where it was asked for."""

    code = "output"


class HistoryError(PodiumError):
    """A repository whose history cannot be read.

    ``transient`` says whether trying again by itself may help (a network that stumbles) or not until somebody
    does something (a repository that does not exist). ``code`` tells the cases apart.
    """

    status = 409
    exit_code = 2

    def __init__(self, code: str, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.transient = transient


class LookupFault(PodiumError):
    """The host of the accounts stumbles: it cannot be reached, or answers with a fault again and again."""

    code = "github"
    status = 503


class Interrupted(PodiumError):
    """The work was told to stop (shutdown, Ctrl-C); it is handed back, not failed."""

    code = "interrupted"


class LeaseLost(PodiumError):
    """Another worker holds this repository now; what this one found must not be saved."""

    code = "lease-lost"
