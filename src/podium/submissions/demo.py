"""The repositories of ``PODIUM_DEMO``: a new server counts them unasked, so that its home page has boards."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from podium.errors import BadAddress, BadSetting, Blocked, PodiumError
from podium.jobs.messages.queues import Queues
from podium.repositories.address import Address, parse_address
from podium.repositories.address_policy import AddressPolicy
from podium.repositories.store import queries
from podium.settings import Settings
from podium.storage.session import Database
from podium.submissions.submit import submit
from podium.textutil.mask import without_user_info

log = logging.getLogger(__name__)

_NEVER = 1e12
_LONGEST = 200


def demo_addresses(settings: Settings) -> list[Address]:
    """The setting's addresses, by the rules for what a client submits.

    Raises:
        BadSetting: one is not an address, or this server does not accept it.
    """
    policy = AddressPolicy(settings)
    addresses: dict[str, Address] = {}
    for text in settings.demo:
        try:
            address = parse_address(text, settings.github_server_url)
            policy.check(address)
        except BadAddress as error:
            named = without_user_info(text)[:_LONGEST]
            raise BadSetting(f"PODIUM_DEMO has the address {named!r}: {error.message}") from None
        addresses.setdefault(address.key, address)
    return list(addresses.values())


def submit_unknown(db: Database, queues: Queues, addresses: Sequence[Address]) -> None:
    """Submit the repositories that the database does not know; what it knows stays as it is, also a failure.

    Several processes may do so at once: the first one's row counts.
    """
    try:
        with db.read() as session:
            unknown = [
                address
                for address in addresses
                if queries.by_key(session, address.key) is None and queries.by_url(session, address.url) is None
            ]
        for address in unknown:
            with contextlib.suppress(Blocked):
                if submit(db, queues, address, refresh_after=_NEVER).is_new:
                    log.info("%s of PODIUM_DEMO is counted", address.url)
    except PodiumError as error:
        # The server is of use without them, and workers find what is saved.
        log.warning("the repositories of PODIUM_DEMO are not all submitted: %s", error.message)
