"""Every error that Podium raises on purpose.

The message is the one line that a user reads: what happened, and what to do about it. It never carries a secret: it is
printed on terminals, sent over HTTP and kept in the database. ``code`` is a stable word for programs, ``status`` the
HTTP status of the answer, ``exit_code`` the exit code of the command (2: the user can fix it; 1: otherwise)::

    PodiumError
    ├── BadSetting            an environment variable cannot be read, or settings do not go together
    ├── BadAddress            not an address of a repository that Podium accepts
    ├── BadRule               an unknown counting rule, window, page or option
    ├── MissingDependency     the command needs packages that are not installed
    ├── NotFound              no such repository, person or file
    ├── Conflict              the repository's state does not allow it
    ├── NotAuthenticated      the administrator's token is missing or wrong
    ├── Forbidden             the client may not do this
    ├── TooManyRequests       the client exceeds its rate limit
    ├── StorageError          the database cannot be reached, stays busy, or has no room
    │   ├── NoDatabaseYet     the database has not been created
    │   └── WrongRevision     the database has another revision than this Podium needs
    ├── QueueError            the queue cannot be reached, or has no worker
    ├── NotReady              the database or the queue cannot be used (GET /ready)
    ├── CannotListen          the host or port of the server cannot be used
    ├── OutputError           standard output cannot be written
    ├── HistoryError          the history of the repository cannot be read
    │   └── UnknownHead       the remote's HEAD cannot be fetched by its name
    ├── LookupFault           GitHub cannot be reached, or answers with errors
    ├── Interrupted           the work was told to stop; it is released, not failed
    └── LeaseLost             another worker holds the repository now
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
    """An environment variable cannot be read, or settings do not go together."""

    code = "bad-setting"
    exit_code = 2


class BadAddress(PodiumError):
    """Not an address of a repository that Podium accepts."""

    code = "bad-address"
    status = 400
    exit_code = 2


class BadRule(PodiumError):
    """An unknown counting rule, window, page or option."""

    code = "bad-rule"
    status = 400
    exit_code = 2


class MissingDependency(PodiumError):
    """The command needs packages that are not installed."""

    code = "missing-dependency"
    exit_code = 2

    @classmethod
    def from_import(cls, error: ModuleNotFoundError, command: str) -> MissingDependency:
        """The error to report when ``command`` fails because of ``error``.

        Raises:
            ModuleNotFoundError: the module is Podium's own.
        """
        package = (error.name or "podium").partition(".")[0]
        if package == "podium":
            raise error
        return cls(
            f"`{command}` needs the package {package}, which is not installed: "
            "run `pip install 'podium[server]'`, or `pip install '.[server]'` in a clone of Podium."
        )


class NotFound(PodiumError):
    """No such repository, person or file."""

    code = "not-found"
    status = 404
    exit_code = 2


class Conflict(PodiumError):
    """The repository's state does not allow it."""

    code = "conflict"
    status = 409
    exit_code = 2


class NotAuthenticated(PodiumError):
    """The administrator's token is missing or wrong."""

    code = "unauthorized"
    status = 401


class Forbidden(PodiumError):
    """The client may not do this."""

    code = "forbidden"
    status = 403
    exit_code = 2


class TooManyRequests(PodiumError):
    """The client exceeds its rate limit; ``retry_after`` is in seconds."""

    code = "too-many-requests"
    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageError(PodiumError):
    """The database cannot be reached, stays busy, or has no room."""

    code = "storage"
    status = 503


class NoDatabaseYet(StorageError):
    """The database has not been created."""

    code = "no-database"
    exit_code = 2


class WrongRevision(StorageError):
    """The database has another revision than this Podium needs."""

    code = "wrong-revision"
    exit_code = 2


class QueueError(PodiumError):
    """The queue cannot be reached, or has no worker."""

    code = "queue"
    status = 503


class NotReady(PodiumError):
    """The database or the queue cannot be used."""

    code = "not-ready"
    status = 503


class CannotListen(PodiumError):
    """The host or port of the server cannot be used."""

    code = "cannot-listen"
    exit_code = 2


class OutputError(PodiumError):
    """Standard output cannot be written."""

    code = "output"


class HistoryError(PodiumError):
    """The history of the repository cannot be read; ``code`` tells the cases apart.

    ``transient``: a retry may help (the network failed). Otherwise someone has to act first (the repository does not
    exist).
    """

    status = 409
    exit_code = 2

    def __init__(self, code: str, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.transient = transient


class UnknownHead(HistoryError):
    """The remote's HEAD cannot be fetched by its name; its value has to be asked for."""

    def __init__(self, cause: HistoryError) -> None:
        super().__init__(cause.code, cause.message, transient=cause.transient)


class LookupFault(PodiumError):
    """GitHub cannot be reached, or answers with errors again and again."""

    code = "github"
    status = 503


class Interrupted(PodiumError):
    """The work was told to stop (shutdown, Ctrl-C); it is released, not failed."""

    code = "interrupted"


class LeaseLost(PodiumError):
    """Another worker holds the repository now; the result of this one must not be saved."""

    code = "lease-lost"
