"""The tables as SQLAlchemy declares them, for migrations and tests (``podium migrate --check``).

Times of the service are floating-point seconds since the epoch, by the database's clock. Times of commits are whole
seconds.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from podium.storage import due_times

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite assigns ids only to a primary key that is exactly INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")
# Sorted by bytes, as in SQLite.
_ByBytes = Text().with_variant(Text(collation="C"), "postgresql")
_WAITS = text("state IN ('pending', 'commits_processing')")
_IS_REVISION = text("parent_key IS NOT NULL")
_IS_LISTED = text("host <> '' AND parent_key IS NULL")
_HAS_REASON = text("waiting_code IS NOT NULL")
_IS_HIDDEN = text("hidden_at IS NOT NULL")
_IS_UNDECIDED = text("taken_number IS NOT NULL")
_IS_TRIED_AGAIN = text("state = 'completed' AND not_before IS NOT NULL")
_IS_UNRESOLVED = text(
    "unresolved_reason IS NOT NULL AND coalesce(unresolved_code, '') <> 'final' AND state = 'completed' AND host <> ''"
)
_IS_CHECKED = text("check_at IS NOT NULL")
_HAS_NUMBER = text("host_number IS NOT NULL")
_IS_HOOKED = text("hook_due_at IS NOT NULL")
_IS_SLOW = text(due_times.QUEUED_SLOW)
_IS_HELD = text("lease_holder IS NOT NULL")
_IS_SUBMITTED = text("client_id IS NOT NULL")


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


repository = Table(
    "repository",
    metadata,
    Column("id", _Id, primary_key=True),
    # host/owner/name, in lower case if the host ignores case.
    Column("key", _ByBytes, nullable=False, unique=True),
    Column("url", _ByBytes, nullable=False, unique=True),
    # '' for a path on this machine, which only the command line may read.
    Column("host", _ByBytes, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    # Owner and name without case, accents and %-escapes.
    Column("search_text", _ByBytes, nullable=False, server_default=text("''")),
    # See repositories/model.py.
    Column("revision", Text),
    Column("parent_key", _ByBytes),
    Column("state", Text, nullable=False),
    Column("error", Text),
    Column("error_code", Text),
    # Why and when the last refresh failed, of a board that stays as it was.
    Column("refresh_error", Text),
    Column("refresh_error_at", Double),
    Column("total_commits", BigInteger),
    Column("merge_commits", BigInteger),
    _count("trimmed_commits"),
    # Size of its mirror when it was last counted.
    Column("clone_bytes", BigInteger),
    Column("unique_contributors", BigInteger),
    # See repositories/model.py.
    Column("next_ordinal", BigInteger, nullable=False, server_default=text("0")),
    # Ranked people under the default rules; NULL: not known since the last count.
    Column("people", BigInteger),
    Column("head", Text),
    # By the committer's clock; NULL: unknown.
    Column("head_committed_at", BigInteger),
    Column("branch", Text),
    # The commit A of a range A..B, whose history is left out.
    Column("base", Text),
    Column("counting_version", Integer),
    # See podium.clones.mailmaps.mailmap.Mailmaps.version; '': no mailmap, NULL: unknown.
    Column("mailmap", Text),
    # The valid count: the lease token under which its rows were written.
    _count("count_id"),
    # Root commits, separated by spaces: repositories that share a commit share a root. NULL: unknown.
    Column("roots", Text),
    # Incremented when commits are saved: older batches are void.
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("lease_holder", Text),
    Column("lease_until", Double),
    Column("lease_token", BigInteger, nullable=False, server_default="0"),
    Column("enqueued_at", Double),
    Column("not_before", Double),
    # See repositories/fair_queue.py.
    Column("virtual_start", Double, nullable=False, server_default="0"),
    Column("client_id", Text),
    # Its count made way for others: see jobs/overflow.py.
    Column("is_slow", Boolean, nullable=False, server_default=false()),
    # A new version of the rules of counting asked for this count.
    Column("is_recount", Boolean, nullable=False, server_default=false()),
    # Since the last progress.
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("progress", Text),
    # NULL: all e-mails were looked up.
    Column("unresolved_reason", Text),
    # See repositories/store/queue/unresolved.py.
    Column("unresolved_code", Text),
    Column("accounts_again_at", Double),
    Column("accounts_tries", Integer, nullable=False, server_default="0"),
    Column("last_attempt", Double),
    Column("last_processed_at", Double),
    Column("commits_processed_at", Double),
    Column("users_processed_at", Double),
    # Noted about once an hour. The least recently read board of a branch or tag makes way for another.
    Column("last_read_at", Double),
    # Why a pending one waits: a text for people, and a code.
    Column("waiting_reason", Text),
    Column("waiting_code", Text),
    # Tries since the last progress that met a temporary fault.
    Column("transient_attempts", Integer, nullable=False, server_default=text("0")),
    # Its host answered that it is private or does not exist: since when, the last such answer, and its error code.
    Column("gone_since", Double),
    Column("gone_checked_at", Double),
    Column("gone_code", Text),
    # Every reader gets "not found".
    Column("hidden_at", Double),
    # Its rows are being deleted.
    Column("forgotten_at", Double),
    # Its number at its host, which it keeps under another name; NULL: unknown.
    Column("host_number", Text),
    # When its host is asked next where it is and what its head is, and when it answered last.
    Column("check_at", Double),
    Column("checked_at", Double),
    # Seconds; 0: never, NULL: as the settings say.
    Column("refresh_every", Double),
    # When a push last started a count.
    Column("pushed_at", Double),
    # When the next count or check is due that a hook asked for; NULL: no hook waits.
    Column("hook_due_at", Double),
    # What is due is a question to the host, and not a count.
    Column("hook_wants_check", Boolean, nullable=False, server_default=false()),
    # Another repository has its name since then: its number.
    Column("name_taken_at", Double),
    Column("taken_number", Text),
    # The schedule asked for the count that waits or runs: people come first.
    Column("is_scheduled", Boolean, nullable=False, server_default=false()),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    CheckConstraint(
        "state IN ('pending', 'commits_processing', 'users_processing', 'completed', 'failed')", name="state"
    ),
    Index("ix_repository_state_enqueued_at", "state", "enqueued_at"),
    # What is due: see storage/due_times.py.
    Index(
        "ix_repository_due_at",
        text(due_times.DUE_AT),
        "id",
        sqlite_where=text(due_times.UNFINISHED),
        postgresql_where=text(due_times.UNFINISHED),
    ),
    Index(
        "ix_repository_quiet_since",
        "state",
        text(due_times.QUIET_SINCE),
        "id",
        sqlite_where=text(due_times.UNFINISHED),
        postgresql_where=text(due_times.UNFINISHED),
    ),
    Index("ix_repository_virtual_start", "virtual_start", "id", sqlite_where=_WAITS, postgresql_where=_WAITS),
    Index(
        "ix_repository_quick_now",
        *("virtual_start", "id"),
        sqlite_where=text(due_times.QUEUED_NOW),
        postgresql_where=text(due_times.QUEUED_NOW),
    ),
    # A query goes from host to host, past those that are at their limit of counts.
    Index(
        "ix_repository_quick_of_host",
        *("host", "virtual_start", "id"),
        sqlite_where=text(due_times.QUEUED_NOW),
        postgresql_where=text(due_times.QUEUED_NOW),
    ),
    Index("ix_repository_slow", "virtual_start", "id", sqlite_where=_IS_SLOW, postgresql_where=_IS_SLOW),
    Index("ix_repository_held", "host", sqlite_where=_IS_HELD, postgresql_where=_IS_HELD),
    Index(
        "ix_repository_queued_until",
        "not_before",
        sqlite_where=text(due_times.QUEUED_UNTIL),
        postgresql_where=text(due_times.QUEUED_UNTIL),
    ),
    Index("ix_repository_client_id", "client_id", sqlite_where=_IS_SUBMITTED, postgresql_where=_IS_SUBMITTED),
    Index("ix_repository_parent_key", "parent_key", sqlite_where=_IS_REVISION, postgresql_where=_IS_REVISION),
    # Holds all that a search reads.
    Index(
        "ix_repository_read",
        *("created_at", "id", "state", "host", "parent_key", "search_text", "hidden_at"),
        sqlite_where=_IS_LISTED,
        postgresql_where=_IS_LISTED,
    ),
    Index("ix_repository_state_counting_version", "state", "counting_version"),
    Index(
        "ix_repository_state_read",
        *("state", "created_at", "id", "host", "parent_key", "hidden_at"),
        sqlite_where=_IS_LISTED,
        postgresql_where=_IS_LISTED,
    ),
    # Those that wait for their host.
    Index("ix_repository_waiting", "host", sqlite_where=_HAS_REASON, postgresql_where=_HAS_REASON),
    Index("ix_repository_check_at", "check_at", sqlite_where=_IS_CHECKED, postgresql_where=_IS_CHECKED),
    Index(
        "ix_repository_unscheduled",
        "refresh_every",
        text(due_times.WANTED_AT),
        sqlite_where=text(due_times.UNSCHEDULED),
        postgresql_where=text(due_times.UNSCHEDULED),
    ),
    Index("ix_repository_host_number", "host", "host_number", sqlite_where=_HAS_NUMBER, postgresql_where=_HAS_NUMBER),
    Index("ix_repository_hook_due_at", "hook_due_at", sqlite_where=_IS_HOOKED, postgresql_where=_IS_HOOKED),
    # Those whose names others have.
    Index("ix_repository_undecided", "name_taken_at", sqlite_where=_IS_UNDECIDED, postgresql_where=_IS_UNDECIDED),
    # Boards whose refresh is tried again.
    Index(
        "ix_repository_tried_again",
        *("state", "not_before"),
        sqlite_where=_IS_TRIED_AGAIN,
        postgresql_where=_IS_TRIED_AGAIN,
    ),
    # The latest removal.
    Index("ix_repository_hidden_at", "hidden_at", sqlite_where=_IS_HIDDEN, postgresql_where=_IS_HIDDEN),
    Index(
        "ix_repository_failed",
        "updated_at",
        sqlite_where=text("state = 'failed'"),
        postgresql_where=text("state = 'failed'"),
    ),
    Index(
        "ix_repository_accounts_again_at",
        "accounts_again_at",
        sqlite_where=_IS_UNRESOLVED,
        postgresql_where=_IS_UNRESOLVED,
    ),
)

contributor = Table(
    "contributor",
    metadata,
    Column("id", _Id, primary_key=True),
    # Logins are renamed and reused.
    Column("host", _ByBytes, nullable=False),
    Column("account_id", BigInteger),
    Column("username", Text),
    Column("name", Text),
    Column("avatar_url", Text),
    Column("profile_url", Text),
    Column("is_bot", Boolean, nullable=False, server_default=false()),
    # NULL: known from an e-mail only.
    Column("enriched_at", Double),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("host", "account_id"),
    Index("ix_contributor_login", "host", text("lower(username)")),
)

repository_contributor = Table(
    "repository_contributor",
    metadata,
    Column("repository_id", ForeignKey("repository.id", ondelete="CASCADE"), primary_key=True),
    Column("contributor_id", ForeignKey("contributor.id", ondelete="CASCADE"), primary_key=True),
    _count("commit_count"),
    _count("merge_count"),
    Index("ix_repository_contributor_contributor_id", "contributor_id"),
)

# Boards join this table, so an e-mail that moves to another account moves on every board.
known_email = Table(
    "known_email",
    metadata,
    Column("host", _ByBytes, primary_key=True),
    Column("email", _ByBytes, primary_key=True),
    Column("contributor_id", ForeignKey("contributor.id", ondelete="CASCADE")),
    # 'noreply': the e-mail names the account; 'host': the host's answer; 'no-answer': it gave none, and is not asked
    # again at once.
    Column("source", Text, nullable=False),
    Column("known_at", Double, nullable=False),
    CheckConstraint("source IN ('noreply', 'host', 'no-answer')", name="source"),
    Index("ix_known_email_contributor_id", "contributor_id"),
)

commit_data = Table(
    "commit_data",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("repository_id", ForeignKey("repository.id", ondelete="CASCADE"), nullable=False),
    # Readers see the rows of the repository's valid count.
    _count("count_id"),
    Column("email", _ByBytes, nullable=False),
    Column("name", _ByBytes, nullable=False),
    # The mailmap's result, and the key that groups one identity's rows.
    Column("mailmap_email", _ByBytes, nullable=False),
    Column("mailmap_name", _ByBytes, nullable=False),
    Column("mailmap_identity", _ByBytes, nullable=False),
    # '': the identity is the person's own; 'repository', 'own': a mailmap of the repository or the operator made it.
    Column("mailmap_source", Text, nullable=False, server_default=text("''")),
    # Number of the person in the commit log of its count: given once, never reused.
    Column("ordinal", Integer, nullable=False),
    # A reviewer or a tester, for example, who is neither author nor co-author.
    Column("role_only", Boolean, nullable=False, server_default=false()),
    Column("kind", Text, nullable=False, server_default="human"),
    _count("commit_count"),
    _count("merge_count"),
    # Commits that a range leaves out, if their people were wanted: those that the person authored, and whether
    # others name the person as co-author.
    _count("base_commit_count"),
    _count("base_merge_count"),
    Column("base_named", Boolean, nullable=False, server_default=false()),
    Column("sample_sha", Text, nullable=False),
    # Its author date: the newest e-mails are looked up first.
    Column("sample_at", BigInteger),
    Column("sample_co_authors", Integer, nullable=False, server_default="0"),
    # An old commit, in case the host does not know the sample.
    Column("other_sha", Text),
    Column("processed", Boolean, nullable=False, server_default=false()),
    Column("batch", Integer),
    Column("claim_token", Text),
    Column("claim_until", Double),
    UniqueConstraint("repository_id", "count_id", "email", "name"),
    CheckConstraint("kind IN ('human', 'bot', 'agent')", name="kind"),
    Index(
        "ix_commit_data_unprocessed",
        "repository_id",
        "count_id",
        "batch",
        sqlite_where=text("NOT processed"),
        postgresql_where=text("NOT processed"),
    ),
    Index("ix_commit_data_email", "email"),
)

# Counts whose rows no reader sees: being written, abandoned or replaced.
hidden_count = Table(
    "hidden_count",
    metadata,
    Column("repository_id", ForeignKey("repository.id", ondelete="CASCADE"), primary_key=True),
    Column("count_id", BigInteger, primary_key=True, autoincrement=False),
)

# The commits of a count; podium.storage.commit_log describes the columns.
commit_log = Table(
    "commit_log",
    metadata,
    Column("repository_id", ForeignKey("repository.id", ondelete="CASCADE"), primary_key=True),
    Column("count_id", BigInteger, primary_key=True, autoincrement=False),
    Column("segment", Integer, primary_key=True, autoincrement=False),
    # '': all of history.
    Column("base_oid", Text, nullable=False),
    Column("head_oid", Text, nullable=False),
    Column("commits", Integer, nullable=False),
    # Dates are the Sundays of their weeks, and object ids are unknown.
    Column("is_coarse", Boolean, nullable=False),
    *(
        Column(name, LargeBinary, nullable=False)
        for name in ("authors", "dates", "named", "named_sets", "roles", "role_sets", "oids")
    ),
)

# Survives the budget in memory or Redis.
github_limit = Table(
    "github_limit",
    metadata,
    Column("key", Text, primary_key=True),
    Column("held_until", Double, nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("queues", Text, nullable=False),
    # JSON, such as the depth of queues in this process' memory.
    Column("report", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
)

# Hosts of git repositories that do not answer.
git_host = Table(
    "git_host",
    metadata,
    Column("host", _ByBytes, primary_key=True),
    # Faults in a row.
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("down_since", Double),
    Column("next_try_at", Double),
    Column("message", Text),
    # The repository that failed last, and the one that is tried while the others wait.
    Column("failed_repository_id", BigInteger),
    Column("probe_repository_id", BigInteger),
)

# Repositories that a worker cannot count, for a reason of its own.
worker_fault = Table(
    "worker_fault",
    metadata,
    Column("repository_id", ForeignKey("repository.id", ondelete="CASCADE"), primary_key=True),
    Column("worker_id", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("at", Double, nullable=False),
    # When that worker may try it once more; NULL: never.
    Column("try_again_at", Double),
)

# What administrators did. A forgotten person appears as a keyed hash.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", Double, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text),
)

# Keys that belong to the data, and so travel with them.
instance_secret = Table(
    "instance_secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# What is not counted or shown.
block = Table(
    "block",
    metadata,
    Column("kind", Text, primary_key=True),
    # For a person, a keyed hash of an e-mail, an account, a login or a name.
    Column("value", _ByBytes, primary_key=True),
    # The hashes of one person have the same subject.
    Column("subject", _ByBytes),
    # For a person, the last repository whose rows were compared; NULL: all were.
    Column("swept_to", BigInteger),
    Column("reason", Text),
    Column("at", Double, nullable=False),
    CheckConstraint("kind IN ('repository', 'owner', 'address', 'person')", name="kind"),
)

# An old name of a repository leads to it. So does a row that turned out to be the same repository, by its key and id.
former_name = Table(
    "former_name",
    metadata,
    Column("key", _ByBytes, primary_key=True),
    Column("repository_id", ForeignKey("repository.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("former_id", BigInteger, index=True),
    Column("at", Double, nullable=False),
)

# What an administrator stopped: the schedule (name ''), a host, or the refreshes of a repository (its id).
pause = Table(
    "pause",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", _ByBytes, primary_key=True),
    Column("at", Double, nullable=False),
    CheckConstraint("kind IN ('schedule', 'host', 'repository')", name="kind"),
)

# How many repositories of a host are counted at once.
host_limit = Table(
    "host_limit",
    metadata,
    Column("host", _ByBytes, primary_key=True),
    Column("at_once", Integer, nullable=False),
)

# The revisions whose Podium may work with this database, besides the one of the database.
compatible_revision = Table("compatible_revision", metadata, Column("revision", Text, primary_key=True))
