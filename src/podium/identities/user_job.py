"""The user job: one batch of e-mails is claimed, looked up, linked; the last one completes the repository."""

from __future__ import annotations

import dataclasses
import json
import logging
import uuid

from podium.errors import LeaseLost
from podium.identities.link import complete_if_done, save_answers
from podium.identities.lookup import Lookup, Wanted
from podium.jobs import batches, outcome
from podium.storage.session import Database, Row, Session

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class UserJob:
    """Resolves batches of e-mails. Safe to run twice, late, or in several processes at once."""

    db: Database
    lookup: Lookup
    github_host: str
    max_deaths: int
    max_attempts: int

    def run(self, repository_id: int, generation: int, batch: int) -> None:
        """Work off one batch, or as much of it as is still to be done.

        Raises:
            StorageError: the database did not answer; the claim runs out by itself.
        """
        token = uuid.uuid4().hex
        repository, rows = self._claim(repository_id, generation, batch, token)
        if repository is None:
            return
        wanted = list({row["email"]: Wanted(row["email"], row["sample_sha"]) for row in rows}.values())
        try:
            answers = self.lookup.accounts(repository, wanted) if wanted else {}
            with self.db.write() as session:
                if batches.lock(session, repository_id) is None:
                    return
                if rows and not batches.finish(session, repository_id, batch, token):
                    raise LeaseLost("Another worker has taken this batch over.")
                save_answers(session, answers, self.github_host)
                _note_progress(session, repository_id, len(wanted))
                complete_if_done(session, repository_id, self.github_host)
        except LeaseLost:
            log.info("repository %d: batch %d was taken over by another worker", repository_id, batch)
        except Exception as error:  # noqa: BLE001 - whatever stops a job becomes the repository's state, and is logged
            self._give_back(repository_id, batch, token, error)

    def _claim(self, repository_id: int, generation: int, batch: int, token: str) -> tuple[Row | None, list[Row]]:
        with self.db.write() as session:
            repository = batches.lock(session, repository_id)
            if (
                repository is None
                or repository["state"] != "users_processing"
                or repository["generation"] != generation
            ):
                return None, []
            rows, holder_died = batches.claim(session, repository_id, batch, token)
            if holder_died:
                deaths = repository["deaths"] + 1
                session.run("UPDATE repository SET deaths = :n WHERE id = :id", n=deaths, id=repository_id)
                if deaths >= self.max_deaths:
                    outcome.fail(session, repository_id, *outcome.died_too_often(deaths))
                    return None, []
        return repository, rows

    def _give_back(self, repository_id: int, batch: int, token: str, error: Exception) -> None:
        with self.db.write() as session:
            repository = batches.lock(session, repository_id)
            if repository is not None and repository["state"] == "users_processing":
                batches.release(session, repository_id, batch, token)
                outcome.record(session, repository_id, repository["attempts"], self.max_attempts, error)


def _note_progress(session: Session, repository_id: int, emails: int) -> None:
    """Say how far the repository is; a finished batch is progress, so the counts of faults start again."""
    known = session.value("SELECT progress FROM repository WHERE id = :id", id=repository_id)
    progress = json.loads(known) if known else {}
    progress |= {"stage": "users", "done": progress.get("done", 0) + emails, "waitingUntil": None}
    session.run(
        "UPDATE repository SET progress = :progress, deaths = 0, attempts = 0, updated_at = {now} WHERE id = :id",
        progress=json.dumps(progress),
        id=repository_id,
    )
