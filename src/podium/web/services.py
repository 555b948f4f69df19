"""The dependencies of the routes."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, cast

from fastapi import Depends, Request
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from starlette.types import Scope

from podium.avatars.loader import AvatarLoader
from podium.bots.tools import Bots
from podium.errors import TooManyRequests
from podium.forgetting.forget_repository import NOTHING_KEPT, Kept
from podium.jobs import worker_fault_rules
from podium.jobs.messages.queues import Queues
from podium.monitoring.inspector import Inspector
from podium.monitoring.readiness import Readiness
from podium.repositories.address import host_of
from podium.repositories.address_policy import AddressPolicy
from podium.repositories.listing import Totals
from podium.repositories.queue_places import QueuePlaces
from podium.settings import Settings
from podium.storage.session import Database, Session
from podium.submissions.capacity import Capacity
from podium.web.admin_sessions import EndedSessions, OneTimeCode
from podium.web.administration.doctor_report import DoctorReport, Findings
from podium.web.authentication import Credentials, is_administrator
from podium.web.cache.boards import BoardCache
from podium.web.cache.listing_cache import ListingCache
from podium.web.cache.response_shortcut import Shortcuts
from podium.web.cache.waiting_client import WaitingClient
from podium.web.client_ids import ClientIds
from podium.web.client_limits import ClientLimit, Counters
from podium.web.clients import client_of
from podium.web.live.pubsub import MAX_SUBSCRIBERS, PubSub
from podium.web.live.status import StatusView
from podium.web.middleware.stale_answers import StaleAnswers
from podium.web.origin import known_origin
from podium.web.pages.board_cards import BoardCards
from podium.web.pages.rendering import Renderer, shared_renderer
from podium.web.read_budget import LISTED, REFUSAL_DELAY, SMALL, ReadBudget
from podium.web.reference.api_reference import ApiReference
from podium.web.serving.connections import connection_limit
from podium.web.share.preview.fonts import Fonts
from podium.web.share.preview.typesetting import Typesetter
from podium.web.webhooks.delivery_body import DeliveryBodies
from podium.web.webhooks.webhook_secrets import WebhookSecrets
from podium.web.wrong_tokens import RefusalTimes


@dataclasses.dataclass(frozen=True)
class Services:
    """What :mod:`podium.app` passes to the web application.

    Attributes:
        loopback: whether only this machine can reach the server.
        readiness: what keeps this process from serving or working.
        stale_rows: the rows of a repository's count whose e-mails must be looked up again.
        metrics: in Prometheus' text format.
        counters: of what clients do, for limits.
        client_ids: names of clients, for the fair queue.
        code: of the link that makes a browser the administrator's.
        ended_sessions: of the administrator, signed out in any process.
        kept: what this machine keeps of repositories, besides the database.
        on_removal: called when any process may have removed a repository or a person.
        doctor: runs the checks of ``podium doctor``.
    """

    settings: Settings
    db: Database
    queues: Queues
    loopback: bool
    readiness: Readiness
    stale_rows: Callable[[Session, int, int], list[int]]
    avatars: AvatarLoader
    inspector: Inspector
    metrics: Callable[[], bytes] = bytes
    counters: Counters = dataclasses.field(default_factory=Counters)
    client_ids: ClientIds = dataclasses.field(default_factory=ClientIds)
    code: OneTimeCode | None = None
    ended_sessions: EndedSessions = dataclasses.field(default_factory=EndedSessions)
    kept: Kept = NOTHING_KEPT
    on_removal: list[Callable[[], None]] = dataclasses.field(default_factory=list)
    doctor: Callable[[], Findings] = list


@dataclasses.dataclass(frozen=True)
class Context:
    """The services, and what one application keeps."""

    services: Services
    policy: AddressPolicy
    submissions: ClientLimit
    capacity: Capacity
    email_lookups: ClientLimit
    read_budget: ReadBudget
    totals: Totals
    listings: ListingCache
    queue: QueuePlaces
    renderer: Renderer
    github_host: str
    boards: BoardCache
    status: StatusView
    pubsub: PubSub
    cards: BoardCards
    shortcuts: Shortcuts
    stale_answers: StaleAnswers
    credentials: Credentials
    typesetter: Typesetter
    reference: ApiReference
    doctor: DoctorReport
    refused_sign_ins: RefusalTimes
    webhook_secrets: WebhookSecrets
    delivery_bodies: DeliveryBodies
    refused_deliveries: RefusalTimes

    @classmethod
    def of(cls, services: Services) -> Context:
        settings = services.settings
        renderer = shared_renderer()
        github_host = host_of(settings.github_server_url)
        boards = BoardCache(
            services.db,
            settings.github_server_url,
            settings.board_cache_bytes,
            max_board_bytes=settings.max_board_bytes,
            bots=Bots.from_files(settings.bots_files()),
            refresh_after=settings.refresh_after,
        )
        queue = QueuePlaces(services.db, why_stopped=worker_fault_rules.why_stopped)
        status = StatusView(
            renderer,
            github_host,
            queue,
            boards.paused,
            refresh_after=settings.refresh_after,
            takes_pushes=bool(settings.webhook_secrets),
        )
        return cls(
            services=services,
            policy=AddressPolicy(settings),
            submissions=ClientLimit(
                services.counters,
                RateLimitItemPerMinute(settings.submissions_per_minute, namespace="submissions"),
                "submissions",
            ),
            capacity=Capacity(settings.max_waiting, settings.max_waiting_bytes),
            email_lookups=ClientLimit(
                services.counters,
                RateLimitItemPerHour(settings.email_lookups_per_hour, namespace="email-lookups"),
                "look-ups by e-mail",
                "This server hides e-mails: search by name or login.",
            ),
            read_budget=ReadBudget(settings.read_budget),
            totals=Totals(),
            listings=ListingCache(),
            queue=queue,
            renderer=renderer,
            github_host=github_host,
            boards=boards,
            status=status,
            pubsub=PubSub(
                boards,
                status.event,
                settings.live_connections_per_client,
                # The other half stays for requests.
                min(MAX_SUBSCRIBERS, connection_limit(settings.max_connections) // 2),
            ),
            cards=BoardCards(renderer, status),
            shortcuts=Shortcuts(partial(known_origin, settings=settings)),
            stale_answers=StaleAnswers(),
            credentials=Credentials(settings, services.code, services.ended_sessions),
            typesetter=Typesetter(Fonts()),
            reference=ApiReference(renderer),
            doctor=DoctorReport(services.doctor),
            refused_sign_ins=RefusalTimes(),
            webhook_secrets=WebhookSecrets(settings),
            delivery_bodies=DeliveryBodies(),
            refused_deliveries=RefusalTimes(),
        )

    def reader(self, request: Request) -> WaitingClient:
        return WaitingClient(client_of(request.scope), self.read_budget, request.receive)

    def origin(self, request: Request) -> str | None:
        """The server's origin, if it is known (:func:`podium.web.origin.known_origin`)."""
        return self.origin_of(request.scope, dict(request.scope["headers"]))

    def origin_of(self, scope: Scope, headers: Mapping[bytes, bytes]) -> str | None:
        return known_origin(scope, headers, self.services.settings)

    def drop_copies(self) -> None:
        """A repository or a person was removed: nothing of before is served while the database is away."""
        self.boards.drop_rows()
        self.stale_answers.drop()


def context_of(request: Request) -> Context:
    return cast(Context, request.app.state.context)


async def _context(request: Request) -> Context:
    # A coroutine: FastAPI would run a function in a thread, which costs more than the look-up.
    context = context_of(request)
    if not is_administrator(request.scope):
        return context
    return dataclasses.replace(context, boards=context.boards.without_answers())


async def spend_list(request: Request, rows: int) -> None:
    """Charge a client for a list of at most so many repositories.

    Raises:
        TooManyRequests: the client's budget is used up.
    """
    await _spend(request, SMALL + rows * LISTED)


async def _small_read(request: Request) -> None:
    await _spend(request, SMALL)


async def _spend(request: Request, milliseconds: float) -> None:
    try:
        context_of(request).read_budget.spend(client_of(request.scope), milliseconds)
    except TooManyRequests:
        await asyncio.sleep(REFUSAL_DELAY)
        raise


# A read that is made for each request, and costs little.
SmallRead = Depends(_small_read)
ContextDep = Annotated[Context, Depends(_context)]
