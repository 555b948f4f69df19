"""Changes of a repository's state and progress.

A transition takes the state it starts from, or a :class:`Repository` that the caller locked. Lease token and stage must
still match.
"""

from __future__ import annotations

from collections.abc import Collection

from podium.repositories.address import Address
from podium.repositories.fair_queue import SCHEDULED_FROM
from podium.repositories.model import Repository, State, WaitingCode
from podium.repositories.store import queries
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.session import Session

_UNFINISHED = "state IN ('pending', 'commits_processing', 'users_processing')"

_STILL_OURS = f"WHERE id = :id AND lease_token = :token AND {_UNFINISHED}"


def _ours(repository: Repository) -> dict[str, int]:
    return {"id": repository.id, "token": repository.lease_token}


# --- submitting


def insert(session: Session, address: Address, *, virtual_start: float, client_id: str | None) -> bool:
    """Save a new repository as pending; return False if its key or URL exists."""
    return bool(
        session.run(
            """INSERT INTO repository
                (key, url, host, owner, name, search_text, revision, parent_key, state, virtual_start, client_id,
                enqueued_at, created_at, updated_at)
            VALUES (:key, :url, :host, :owner, :name, :search_text, :revision, :parent_key, 'pending', :virtual_start,
                :client_id, {now}, {now}, {now})
            ON CONFLICT DO NOTHING""",
            key=address.key,
            url=address.url,
            host=address.host,
            owner=address.owner,
            name=address.name,
            search_text=address.search_text,
            revision=address.revision,
            parent_key=address.parent_key,
            virtual_start=virtual_start,
            client_id=client_id,
        )
    )


def correct_url(session: Session, key: str, url: str) -> bool:
    """Change the URL of a FAILED repository's key (with or without ``.git``), unless another repository has it."""
    return bool(
        session.run(
            """UPDATE repository SET url = :url
            WHERE key = :key AND state = 'failed' AND url <> :url
                AND NOT EXISTS (SELECT 1 FROM repository WHERE url = :url)""",
            key=key,
            url=url,
        )
    )


_RESTART = f"""
UPDATE repository SET state = 'pending', error = NULL, error_code = NULL, crashes = 0, attempts = 0,
    transient_attempts = 0, waiting_code = NULL, waiting_reason = NULL, progress = NULL, not_before = NULL,
    virtual_start = CASE WHEN :is_scheduled THEN {SCHEDULED_FROM} + {{now}} ELSE :virtual_start END,
    client_id = :client_id, is_recount = false, is_scheduled = :is_scheduled,
    enqueued_at = CASE WHEN :enqueued THEN {{now}} END, updated_at = {{now}}
"""


def restart(
    session: Session,
    repository_id: int,
    expected: State,
    *,
    virtual_start: float,
    client_id: str | None,
    is_scheduled: bool = False,
    enqueued: bool = True,
) -> bool:
    """Count a repository again. Its board stays readable.

    is_scheduled: the schedule asked, and no client: it is counted after what people submitted.
    enqueued: the caller enqueues it; otherwise the reconciler does.
    """
    return bool(
        session.run(
            f"{_RESTART} WHERE id = :id AND state = :expected",
            id=repository_id,
            expected=str(expected),
            virtual_start=virtual_start,
            client_id=client_id,
            is_scheduled=is_scheduled,
            enqueued=enqueued,
        )
    )


def restart_stale(
    session: Session, repository_id: int, *, age: float, virtual_start: float, client_id: str | None
) -> bool:
    """Count a COMPLETED repository again if its board, and a refresh that failed, are older than ``age`` seconds.

    Also if the refresh is to be tried again anyway, or if the repository is hidden.
    """
    return bool(
        session.run(
            f"""{_RESTART} WHERE id = :id AND name_taken_at IS NULL AND (state = 'completed' AND (
                    not_before IS NOT NULL
                    OR last_processed_at < {{now}} - :age AND coalesce(refresh_error_at, 0) < {{now}} - :age
                ) OR state IN ('completed', 'failed') AND hidden_at IS NOT NULL)""",
            id=repository_id,
            age=age,
            virtual_start=virtual_start,
            client_id=client_id,
            is_scheduled=False,
            enqueued=True,
        )
    )


def take_over(session: Session, repository_id: int, *, virtual_start: float, client_id: str | None) -> bool:
    """Give a client's turn to a repository that waits, or is counted, because the schedule asked for it."""
    return bool(
        session.run(
            """UPDATE repository SET is_scheduled = false, virtual_start = :virtual_start, client_id = :client_id,
                updated_at = {now}
            WHERE id = :id AND is_scheduled AND state IN ('pending', 'commits_processing')""",
            id=repository_id,
            virtual_start=virtual_start,
            client_id=client_id,
        )
    )


# --- counting again by new rules

_OUTDATED = """
SELECT id FROM repository
WHERE state = 'completed' AND host <> '' AND counting_version < :version
    AND coalesce(refresh_error_at, 0) < {now} - :again
    AND NOT EXISTS (SELECT 1 FROM pause WHERE pause.kind = 'host' AND pause.name = repository.host)
    AND NOT EXISTS (
        SELECT 1 FROM repository WHERE state IN ('pending', 'commits_processing') AND host <> ''
            AND coalesce(not_before, 0) <= {now}
    )
ORDER BY counting_version, id LIMIT 1
"""


def is_any_outdated(session: Session, *, version: int, again: float) -> bool:
    """Return whether :func:`restart_outdated` would find a repository."""
    return session.one(_OUTDATED, version=version, again=again) is not None


def restart_outdated(session: Session, *, version: int, again: float, virtual_start: float) -> int | None:
    """Count one repository again whose board an older version made, if no other waits to be counted; return its id.

    again: seconds until one is tried again whose count failed.
    """
    found: int | None = session.value(
        f"""UPDATE repository SET state = 'pending', is_recount = true, is_scheduled = false, error = NULL,
            error_code = NULL, crashes = 0, attempts = 0, progress = NULL, not_before = NULL,
            virtual_start = :virtual_start, client_id = NULL,
            enqueued_at = {{now}}, updated_at = {{now}}
        WHERE id = ({_OUTDATED} {{skip_locked}}) RETURNING id""",
        version=version,
        again=again,
        virtual_start=virtual_start,
    )
    return found


def void_count(session: Session, repository_id: int, count_id: int) -> bool:
    """Note that a count is damaged. It is counted again as one of an older version is."""
    return bool(
        session.run(
            "UPDATE repository SET counting_version = 0 WHERE id = :id AND count_id = :count",
            id=repository_id,
            count=count_id,
        )
    )


# --- retrying and dropping, for operators

_RETRY = """
UPDATE repository SET
    state = CASE WHEN state = 'failed' THEN 'pending' ELSE state END,
    progress = CASE WHEN state = 'failed' THEN NULL ELSE progress END,
    error = NULL, error_code = NULL, crashes = 0, attempts = 0, not_before = NULL, transient_attempts = 0,
    waiting_code = NULL, waiting_reason = NULL,
    enqueued_at = CASE WHEN :enqueued THEN {now} END, updated_at = {now}, virtual_start = :virtual_start + place,
    client_id = :client_id, is_recount = false, is_scheduled = false
"""


def try_now(session: Session, repository_id: int) -> bool:
    """Make a repository due now that waits for a try of its own, or for its host; return whether it did."""
    return bool(
        session.run(
            """UPDATE repository SET not_before = NULL, waiting_code = NULL, waiting_reason = NULL,
                transient_attempts = 0, enqueued_at = {now}, updated_at = {now}
            WHERE id = :id AND state IN ('pending', 'commits_processing') AND waiting_code IS NOT NULL""",
            id=repository_id,
        )
    )


def retry(
    session: Session,
    repository_id: int,
    expected: State,
    *,
    virtual_start: float,
    client_id: str,
    enqueued: bool,
) -> bool:
    """Make a FAILED repository pending, or an unfinished one due now.

    enqueued: the caller enqueues it; otherwise the reconciler does.
    """
    return bool(
        session.run(
            f"{_RETRY} FROM (SELECT 0 AS place) AS first WHERE id = :id AND state = :expected AND state <> 'completed'",
            id=repository_id,
            expected=str(expected),
            virtual_start=virtual_start,
            client_id=client_id,
            enqueued=enqueued,
        )
    )


_RETRIED = f"(state = 'failed' OR state = 'pending' AND waiting_code = '{WaitingCode.OWN_TRY}')"
_RETRIED_OF_CODE = "state = 'failed' AND coalesce(error_code, '') = :error_code"


def retry_all(session: Session, *, virtual_start: float, client_id: str, error_code: str | None = None) -> list[int]:
    """Make every FAILED repository at an address pending, and due what waits for its own try of a host.

    They have successive virtual starts. ``error_code``: only those that failed with it.
    """
    rows = session.all(
        f"""{_RETRY} FROM (
            SELECT id AS number, ROW_NUMBER() OVER (ORDER BY id) - 1 AS place FROM repository
            WHERE {_RETRIED if error_code is None else _RETRIED_OF_CODE} AND host <> ''
        ) AS failed WHERE repository.id = failed.number RETURNING repository.id""",
        virtual_start=virtual_start,
        client_id=client_id,
        enqueued=False,
        **({} if error_code is None else {"error_code": error_code}),
    )
    return sorted(row["id"] for row in rows)


def drop(session: Session, repository_id: int, *, reason: str) -> bool:
    """Fail an unfinished repository and void its lease, so that its holder cannot save."""
    return bool(
        session.run(
            f"""UPDATE repository SET state = 'failed', error = :reason, error_code = 'dropped', progress = NULL,
                not_before = NULL, lease_holder = NULL, lease_until = NULL, lease_token = lease_token + 1,
                is_scheduled = false, waiting_code = NULL, waiting_reason = NULL, updated_at = {{now}}
            WHERE id = :id AND {_UNFINISHED}""",
            id=repository_id,
            reason=reason,
        )
    )


# --- the commit worker


def start_counting(session: Session, repository: Repository) -> bool:
    return bool(
        session.run(
            """UPDATE repository SET state = 'commits_processing', last_attempt = {now}, updated_at = {now},
                waiting_code = NULL, waiting_reason = NULL
            WHERE id = :id AND lease_token = :token AND state IN ('pending', 'commits_processing')""",
            **_ours(repository),
        )
    )


# Of a first count, if nothing else asks the host.
_IS_TO_BE_IDENTIFIED = (
    "(head IS NULL AND host <> '' AND parent_key IS NULL AND host_number IS NULL AND hook_due_at IS NULL)"
)


def save_counted(
    session: Session,
    repository: Repository,
    *,
    head: str,
    head_committed_at: int | None,
    branch: str | None,
    base: str | None,
    mailmap: str,
    version: int,
    total: int,
    merges: int,
    trimmed: int,
    contributors: int,
    roots: Collection[str],
    next_ordinal: int,
    count_id: int,
) -> bool:
    """Move a counted repository to the user stage, as a new generation, if its head is the one before the count.

    After its first count the host is asked for its host id: see ``store/freshness/pushes.py``.
    """
    return bool(
        session.run(
            f"""UPDATE repository SET
                state = 'users_processing', head = :head, head_committed_at = :head_committed_at, branch = :branch,
                base = :base, mailmap = :mailmap, counting_version = :version, total_commits = :total,
                merge_commits = :merges, trimmed_commits = :trimmed, unique_contributors = :contributors,
                people = NULL, roots = :roots, next_ordinal = :next_ordinal, count_id = :count_id,
                generation = generation + 1, commits_processed_at = {{now}}, updated_at = {{now}},
                enqueued_at = {{now}},
                hook_due_at = CASE WHEN {_IS_TO_BE_IDENTIFIED} THEN {{now}} ELSE hook_due_at END,
                hook_wants_check = hook_wants_check OR {_IS_TO_BE_IDENTIFIED},
                error = NULL, error_code = NULL, refresh_error = NULL, refresh_error_at = NULL, is_slow = false,
                is_recount = false, is_scheduled = false, crashes = 0, attempts = 0, transient_attempts = 0,
                not_before = NULL, client_id = NULL, accounts_tries = 0, accounts_again_at = NULL
            WHERE id = :id AND lease_token = :token AND coalesce(head, '') = :old_head""",
            **_ours(repository),
            old_head=repository.head or "",
            head=head,
            head_committed_at=head_committed_at,
            branch=branch,
            base=base,
            mailmap=mailmap,
            version=version,
            total=total,
            merges=merges,
            trimmed=trimmed,
            contributors=contributors,
            next_ordinal=next_ordinal,
            roots=" ".join(roots),
            count_id=count_id,
        )
    )


def note_people(session: Session, repository_id: int, generation: int, people: int) -> None:
    """Note how many people the board of that generation ranks under the default rules."""
    session.run(
        "UPDATE repository SET people = :people WHERE id = :id AND generation = :generation AND state = 'completed'",
        id=repository_id,
        generation=generation,
        people=people,
    )


def save_clone_size(session: Session, repository_id: int, clone_bytes: int) -> None:
    session.run("UPDATE repository SET clone_bytes = :bytes WHERE id = :id", id=repository_id, bytes=clone_bytes)


# --- the user worker; the caller has locked the row


def resolve_again(session: Session, repository_id: int) -> bool:
    return bool(
        session.run(
            """UPDATE repository SET state = 'users_processing', generation = generation + 1, crashes = 0, attempts = 0,
                progress = NULL, not_before = NULL, enqueued_at = {now}, updated_at = {now}
            WHERE id = :id AND state = 'completed'""",
            id=repository_id,
        )
    )


def start_users(session: Session, repository_id: int, *, progress: str) -> None:
    """Start the user stage, and clear the reason for unresolved e-mails."""
    session.run(
        """UPDATE repository SET progress = :progress, unresolved_reason = NULL, unresolved_code = NULL
        WHERE id = :id""",
        id=repository_id,
        progress=progress,
    )


def note_users(session: Session, repository_id: int, *, progress: str, keep_waiting: bool) -> None:
    """Save the user stage's progress, and reset crashes and attempts.

    keep_waiting: keep ``not_before``, because another batch's limit is still in force.
    """
    session.run(
        """UPDATE repository SET progress = :progress, crashes = 0, attempts = 0,
            not_before = CASE WHEN :waits THEN not_before END, updated_at = {now}
        WHERE id = :id""",
        id=repository_id,
        progress=progress,
        waits=keep_waiting,
    )


def wait_for_limit(session: Session, repository_id: int, *, progress: str, delay: float) -> bool:
    return bool(
        session.run(
            """UPDATE repository SET progress = :progress, not_before = {now} + :delay, updated_at = {now}
            WHERE id = :id AND state = 'users_processing'""",
            id=repository_id,
            progress=progress,
            delay=delay,
        )
    )


def count_crash(session: Session, repository_id: int) -> int:
    """Count a crash; return the crashes since the last progress."""
    crashes: int = session.value(
        "UPDATE repository SET crashes = crashes + 1 WHERE id = :id AND state = 'users_processing' RETURNING crashes",
        id=repository_id,
    )
    return crashes


def complete(session: Session, repository_id: int) -> bool:
    """Complete a repository if no e-mail is unprocessed."""
    return bool(
        session.run(
            f"""UPDATE repository SET state = 'completed', users_processed_at = {{now}}, last_processed_at = {{now}},
                progress = NULL, error = NULL, error_code = NULL, crashes = 0, attempts = 0, not_before = NULL,
                updated_at = {{now}}
            WHERE id = :id AND state = 'users_processing'
                AND NOT EXISTS (SELECT 1 FROM commit_data WHERE {OF_VALID_COUNT} AND NOT processed)""",
            id=repository_id,
        )
    )


def uncount_crash(session: Session, repository_id: int) -> None:
    """Take back a crash: the holder that was thought dead is alive."""
    session.run("UPDATE repository SET crashes = crashes - 1 WHERE id = :id AND crashes > 0", id=repository_id)


# --- errors (:mod:`podium.jobs.failures`)


def fail(session: Session, repository: Repository, *, code: str, reason: str) -> bool:
    return bool(
        session.run(
            f"""UPDATE repository SET state = 'failed', error = :reason, error_code = :code, progress = NULL,
                not_before = NULL, client_id = NULL, is_scheduled = false, waiting_code = NULL, waiting_reason = NULL,
                updated_at = {{now}}
            {_STILL_OURS}""",
            **_ours(repository),
            code=code,
            reason=reason,
        )
    )


def keep_board(session: Session, repository: Repository, *, reason: str) -> bool:
    """End a refresh that failed: the board stays as it was, with the reason. Return False if there is no board."""
    return bool(
        session.run(
            f"""UPDATE repository SET
                state = CASE WHEN EXISTS (SELECT 1 FROM commit_data WHERE {OF_VALID_COUNT} AND NOT processed)
                    THEN 'users_processing' ELSE 'completed' END,
                refresh_error = :reason, refresh_error_at = {{now}}, error = NULL, error_code = NULL, progress = NULL,
                last_processed_at = coalesce(last_processed_at, commits_processed_at),
                crashes = 0, attempts = 0, transient_attempts = 0, not_before = NULL, client_id = NULL,
                is_recount = false, is_scheduled = false, waiting_code = NULL, waiting_reason = NULL,
                updated_at = {{now}}
            {_STILL_OURS} AND head IS NOT NULL AND commits_processed_at IS NOT NULL""",
            **_ours(repository),
            reason=reason,
        )
    )


def retry_later(session: Session, repository: Repository, *, delay: float) -> bool:
    """Try again in ``delay`` seconds, as one more attempt."""
    return bool(
        session.run(
            f"""UPDATE repository SET attempts = attempts + 1, not_before = {{now}} + :delay, updated_at = {{now}}
            {_STILL_OURS}""",
            **_ours(repository),
            delay=delay,
        )
    )


def count_host_fault(session: Session, repository: Repository) -> bool:
    return bool(
        session.run(
            f"UPDATE repository SET transient_attempts = transient_attempts + 1 {_STILL_OURS}", **_ours(repository)
        )
    )


def hand_over(session: Session, repository: Repository, *, code: str, reason: str) -> bool:
    """Leave a repository to another worker, without counting an attempt."""
    return bool(
        session.run(
            f"""UPDATE repository SET state = 'pending', progress = NULL, not_before = NULL, waiting_code = :code,
                waiting_reason = :reason, enqueued_at = {{now}}, updated_at = {{now}}
            {_STILL_OURS}""",
            **_ours(repository),
            code=code,
            reason=reason,
        )
    )


def fail_waiting(session: Session, repository_id: int, *, code: str, reason: str) -> bool:
    """Fail a repository that no worker holds; a board stays as it was."""
    repository = queries.lock(session, repository_id)
    if repository is None:
        return False
    return keep_board(session, repository, reason=reason) or fail(session, repository, code=code, reason=reason)


def postpone(session: Session, repository: Repository, *, delay: float) -> bool:
    """Like :func:`retry_later`, but count no attempt."""
    return bool(
        session.run(
            f"UPDATE repository SET not_before = {{now}} + :delay, updated_at = {{now}} {_STILL_OURS}",
            **_ours(repository),
            delay=delay,
        )
    )
