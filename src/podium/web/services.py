"""The dependencies of the routes: what the composition root passes in, and what one application keeps.

A route declares the parameter ``context: ContextDep`` and finds the services as ``context.services``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Annotated, cast

from fastapi import Depends, Request

from podium.avatars.loader import AvatarLoader
from podium.jobs.queues import Queues
from podium.monitoring.inspector import Inspector
from podium.repositories.address import host_of
from podium.repositories.address_policy import AddressPolicy
from podium.repositories.fair_queue import ClientIds
from podium.repositories.listing import Totals
from podium.settings import Settings
from podium.storage.session import Database, Session
from podium.web.cache.boards import BoardCache
from podium.web.cache.memory import MemoryCache
from podium.web.cache.response_shortcut import Shortcuts
from podium.web.live.pubsub import PubSub
from podium.web.live.status import StatusView
from podium.web.middleware.rate_limit import SubmissionLimit
from podium.web.middleware.security_middleware import is_local
from podium.web.pages.rendering import Renderer


@dataclasses.dataclass(frozen=True)
class Services:
    """What :mod:`podium.app` passes to the web application.

    Attributes:
        loopback: whether the server is bound to an address that only this machine can reach.
        queue_ready: raises a ``PodiumError`` if the queue cannot be used.
        mark_stale: in a transaction that holds a repository's row, gives back to the user queue what must be asked; how
            many rows that were.
        metrics: the metrics of this process, in Prometheus' text format.
    """

    settings: Settings
    db: Database
    queues: Queues
    loopback: bool
    queue_ready: Callable[[], None]
    mark_stale: Callable[[Session, int], int]
    avatars: AvatarLoader
    inspector: Inspector
    metrics: Callable[[], bytes] = bytes


@dataclasses.dataclass(frozen=True)
class Context:
    """The services, and the objects that one application keeps for its lifetime."""

    services: Services
    policy: AddressPolicy
    submissions: SubmissionLimit
    client_ids: ClientIds
    totals: Totals
    renderer: Renderer
    github_host: str
    boards: BoardCache
    status: StatusView
    pubsub: PubSub
    shortcuts: Shortcuts

    @classmethod
    def of(cls, services: Services) -> Context:
        """Build the context from the services."""
        settings = services.settings
        renderer = Renderer()
        github_host = host_of(settings.github_server_url)
        boards = BoardCache(services.db, settings.github_server_url, MemoryCache(settings.board_cache_bytes))
        status = StatusView(renderer, github_host)
        return cls(
            services=services,
            policy=AddressPolicy(settings),
            submissions=SubmissionLimit(settings.submissions_per_minute),
            client_ids=ClientIds(),
            totals=Totals(),
            renderer=renderer,
            github_host=github_host,
            boards=boards,
            status=status,
            pubsub=PubSub(boards, status.event),
            shortcuts=Shortcuts(partial(is_local, settings=settings, loopback=services.loopback)),
        )


def context_of(request: Request) -> Context:
    """The context of the application that serves ``request``."""
    return cast(Context, request.app.state.context)


async def _context(request: Request) -> Context:
    # A coroutine: FastAPI would run a plain function in a thread, which costs more than the look-up.
    return context_of(request)


ContextDep = Annotated[Context, Depends(_context)]
