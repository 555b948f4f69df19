"""Every error that Podium raises on purpose.

The message is one line for the user: what happened, and what to do. It never contains a secret: it is printed, sent
over HTTP and kept in the database. ``exit_code`` is 2 if the user can fix it, 130 for an interruption, else 1::

    PodiumError
    ├── BadSetting            an environment variable cannot be read, or settings do not go together
    ├── BadAddress            not an address of a repository that Podium accepts
    ├── BadMailmapFile        a file of the user's own mailmap cannot be used
    ├── BadRule               an unknown counting rule, window, page or option
    ├── MissingDependency     the command needs packages that are not installed
    ├── NotFound              no such repository, person or file
    ├── Conflict              the repository's state does not allow it
    ├── NotAuthenticated      the administrator's token is missing or wrong
    ├── BadSignature          a host's delivery is not signed with a secret of this server
    ├── BadDelivery           a signed delivery cannot be read
    ├── Forbidden             the client may not do this
    │   └── Blocked               the operator has blocked this repository, owner or address
    ├── TooManyRequests       the client exceeds its rate limit
    │   └── QueueFull         too much waits to be counted, of all clients
    ├── BoardTooLarge         the board would take more memory than it may
    ├── ReaderGone            the client disconnected before its answer was made
    ├── StorageError          the database cannot be used; its code says why
    │   ├── DatabaseAway      it does not answer, or accepts no connection
    │   ├── NoDatabaseYet     the database has not been created
    │   ├── WrongRevision     the database has another revision than this Podium needs
    │   └── DatabaseFault     the database answers with an error that Podium does not know
    ├── BadBackup             the file is not a backup of this revision, or it is damaged
    ├── BadCommitLog          the saved commits of a repository are damaged or incomplete
    ├── QueueError            the queue cannot be reached, or has no worker
    ├── CannotListen          the host or port of the server cannot be used
    ├── OutputError           standard output cannot be written
    ├── HistoryError          the history of the repository cannot be read
    │   └── UnknownHead       the remote's HEAD cannot be fetched by its name
    ├── LookupFault           GitHub cannot be reached, or answers with errors
    ├── Interrupted           the work was stopped (shutdown, Ctrl-C); it is released, not failed
    └── LeaseLost             another worker holds the repository now
"""

from __future__ import annotations


class PodiumError(Exception):
    """``transient``: the error may be gone on a retry, without a person."""

    code = "internal"
    status = 500
    exit_code = 1
    transient = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadSetting(PodiumError):
    code = "bad-setting"
    exit_code = 2


class BadAddress(PodiumError):
    code = "bad-address"
    status = 400
    exit_code = 2


class BadMailmapFile(PodiumError):
    code = "mailmap-file"
    exit_code = 2


class BadRule(PodiumError):
    code = "bad-rule"
    status = 400
    exit_code = 2


class MissingDependency(PodiumError):
    code = "missing-dependency"
    exit_code = 2

    @classmethod
    def from_import(cls, error: ModuleNotFoundError, command: str) -> MissingDependency:
        """Report that ``command`` fails because of ``error``.

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
    code = "not-found"
    status = 404
    exit_code = 2


class Conflict(PodiumError):
    code = "conflict"
    status = 409
    exit_code = 2


class NotAuthenticated(PodiumError):
    code = "unauthorized"
    status = 401
    exit_code = 2


class BadSignature(PodiumError):
    code = "bad-signature"
    status = 401
    exit_code = 2


class BadDelivery(PodiumError):
    code = "bad-delivery"
    status = 400
    exit_code = 2


class Forbidden(PodiumError):
    code = "forbidden"
    status = 403
    exit_code = 2


class Blocked(Forbidden):
    code = "blocked"


class TooManyRequests(PodiumError):
    """``retry_after`` is in seconds."""

    code = "too-many-requests"
    status = 429
    exit_code = 2

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BoardTooLarge(PodiumError):
    """Status 422: the request is valid, and sending it again does not help."""

    code = "board-too-large"
    status = 422
    exit_code = 2


class ReaderGone(PodiumError):
    """Nothing is sent, and the work for the answer ends."""

    code = "reader-gone"
    status = 499

    def __init__(self) -> None:
        super().__init__("The client disconnected before its answer was made.")


class QueueFull(TooManyRequests):
    code = "queue-full"
    status = 503


class StorageError(PodiumError):
    """``code`` identifies the cause."""

    code = "storage"
    status = 503
    exit_code = 2
    transient = True

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).code


class DatabaseAway(StorageError):
    """It is asked again later, by a few. ``retry_after`` is in seconds."""

    code = "database-away"
    retry_after = 5


class NoDatabaseYet(StorageError):
    code = "no-database"
    transient = False


class WrongRevision(StorageError):
    code = "wrong-revision"
    transient = False


class DatabaseFault(StorageError):
    exit_code = 1


class BadBackup(PodiumError):
    code = "bad-backup"
    exit_code = 2


class BadCommitLog(PodiumError):
    """The repository must be counted again."""

    code = "bad-commit-log"
    status = 503


class QueueError(PodiumError):
    code = "queue"
    status = 503
    exit_code = 2
    transient = True


class CannotListen(PodiumError):
    code = "cannot-listen"
    exit_code = 2


class OutputError(PodiumError):
    code = "output"
    exit_code = 2


_UNEXPLAINED = ("git-failed", "internal", "failed", "worker-crashed")


class HistoryError(PodiumError):
    """``code`` identifies the case."""

    status = 409

    def __init__(self, code: str, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.transient = transient
        # The user cannot fix what git or Podium does not explain.
        self.exit_code = 1 if code in _UNEXPLAINED and not transient else 2


class UnknownHead(HistoryError):
    """``git ls-remote`` has to be asked for the value of HEAD."""

    def __init__(self, cause: HistoryError) -> None:
        super().__init__(cause.code, cause.message, transient=cause.transient)


class LookupFault(PodiumError):
    code = "github"
    status = 503
    exit_code = 2


class Interrupted(PodiumError):
    code = "interrupted"
    exit_code = 130


class LeaseLost(PodiumError):
    """The result of this worker must not be saved."""

    code = "lease-lost"
