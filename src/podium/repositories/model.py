"""A repository and its state, as values."""

from __future__ import annotations

import dataclasses
import enum
from typing import Literal

from podium.storage.session import Row

# The version of the counting rules. A board of another version stays, and is counted again: totals of two versions must
# not be added.
COUNTING_VERSION = 4

Stage = Literal["commits", "users"]


class State(enum.StrEnum):
    """The states of a repository, in order of processing; FAILED can follow any of the first three."""

    PENDING = "pending"
    COMMITS_PROCESSING = "commits_processing"
    USERS_PROCESSING = "users_processing"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def stage(self) -> Stage | None:
        match self:
            case State.PENDING | State.COMMITS_PROCESSING:
                return "commits"
            case State.USERS_PROCESSING:
                return "users"
        return None

    @property
    def words(self) -> str:
        """For people, where ``value`` is for programs."""
        match self:
            case State.PENDING:
                return "waiting"
            case State.COMMITS_PROCESSING:
                return "counting"
            case State.USERS_PROCESSING:
                return "looking up accounts"
            case State.COMPLETED:
                return "done"
        return "failed"

    @property
    def is_unfinished(self) -> bool:
        return self.stage is not None


class WaitingCode(enum.StrEnum):
    """Why a repository waits for its host. One that waits after a fault of a worker has the code of that fault."""

    HOST_IS_DOWN = "host-down"
    HOST_IS_PAUSED = "host-paused"
    # It waits for its own next try.
    OWN_TRY = "host-fault"


# The error code of a repository without commits.
EMPTY = "empty"


@dataclasses.dataclass(frozen=True, slots=True)
class Repository:
    """One row of the table ``repository``. Times are seconds since the epoch, by the database's clock.

    key: identity (:attr:`podium.repositories.address.Address.key`).
    host: empty for a path of this machine, which only the command line reads.
    revision: the branch, tag or other revision that it counts; None: the default branch, or HEAD of a path.
    parent_key: of the repository whose revision it is, which need not have a row; None for the repository itself.
    trimmed_commits: commits beyond a limit, of which not all was read.
    people: ranked people under the default rules; None: not known since the last count.
    refresh_error, refresh_error_at: why and when the last refresh failed, if the board stays as it was before it.
    head, branch, counting_version, mailmap: the last counted commit, its branch, the version of the counting rules, and
        the blob of the applied mailmap ('': there is none; None: unknown).
    base: of a range A..B the commit A, whose history is left out; None: it is not a range.
    head_committed_at: when the head was committed, by the committer's clock; None: unknown.
    next_ordinal: the first number that no person of any count had; 0: only the rows tell.
    count_id: the valid count, whose rows readers see: the lease token under which they were written.
    generation: incremented by each saved count; batches of an older generation are void.
    lease_token: the fence (:mod:`podium.jobs.lease`).
    not_before: when the next try is due; None: now.
    is_recount: a new version of the rules of counting asked for this count, and no client. A failure leaves the board.
    is_slow: it is counted in an overflow slot only (:mod:`podium.jobs.overflow`).
    crashes, attempts: expired leases and errors since the last progress.
    unresolved_reason: why the accounts of some e-mails are missing.
    waiting_code, waiting_reason: why one that is not finished waits, or (code, see :class:`WaitingCode`) a refresh of
        a board.
    transient_attempts: tries since the last progress that ended with a fault of the host (:mod:`podium.jobs.retry`).
    gone_since, hidden_at: :mod:`podium.repositories.store.gone`.
    host_number: its host id, which it keeps under another name; None: unknown.
    check_at, checked_at: when its host is asked next where it is and what its head is, and when it answered last.
    refresh_every: seconds between two checks; 0: never, None: as the settings say.
    pushed_at: when a push last started a count.
    hook_due_at: when the next count or check is due that a hook asked for; None: no hook waits.
    hook_wants_check: what is due is a question to the host, and not a count.
    name_taken_at: since when another repository has its name.
    is_scheduled: the schedule asked for the count that waits or runs: people come first.
    """

    id: int
    key: str
    url: str
    host: str
    owner: str
    name: str
    revision: str | None
    parent_key: str | None
    state: State
    error: str | None
    error_code: str | None
    refresh_error: str | None
    refresh_error_at: float | None
    total_commits: int | None
    merge_commits: int | None
    trimmed_commits: int
    unique_contributors: int | None
    people: int | None
    head: str | None
    head_committed_at: int | None
    branch: str | None
    base: str | None
    counting_version: int | None
    mailmap: str | None
    next_ordinal: int
    count_id: int
    generation: int
    lease_holder: str | None
    lease_until: float | None
    lease_token: int
    enqueued_at: float | None
    not_before: float | None
    virtual_start: float
    is_recount: bool
    is_slow: bool
    crashes: int
    attempts: int
    progress: str | None
    unresolved_reason: str | None
    waiting_code: str | None
    waiting_reason: str | None
    transient_attempts: int
    gone_since: float | None
    hidden_at: float | None
    host_number: str | None
    check_at: float | None
    checked_at: float | None
    refresh_every: float | None
    pushed_at: float | None
    hook_due_at: float | None
    hook_wants_check: bool
    name_taken_at: float | None
    is_scheduled: bool
    last_processed_at: float | None
    commits_processed_at: float | None
    users_processed_at: float | None
    created_at: float
    updated_at: float

    @property
    def shown_state(self) -> str:
        """The state for people: ``empty`` instead of ``failed`` if the repository only has no commits yet."""
        return EMPTY if self.state == State.FAILED and self.error_code == EMPTY else self.state

    @classmethod
    def from_row(cls, row: Row) -> Repository:
        values = [row[column] for column in COLUMNS]
        values[_STATE] = State(values[_STATE])
        return cls(*values)

    @property
    def repository_key(self) -> str:
        """The key of the repository, also for its branches and tags: they share one mirror."""
        return self.parent_key or self.key

    @property
    def repository_url(self) -> str:
        """The URL of the repository, without a revision."""
        return self.url if self.revision is None else self.url.partition("#")[0]

    @property
    def counted_at(self) -> int:
        return int(self.commits_processed_at or 0)

    @property
    def has_board(self) -> bool:
        return self.commits_processed_at is not None and self.head is not None


COLUMNS = tuple(field.name for field in dataclasses.fields(Repository))
_STATE = COLUMNS.index("state")
