"""The body of a delivery: read within bounds, and decoded."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from urllib.parse import parse_qs
from weakref import WeakValueDictionary

from fastapi import Request

from podium.errors import BadDelivery, TooManyRequests
from podium.web.clients import ClientNetwork, client_of

# Bytes of the largest delivery: GitHub sends no larger one.
MAX_DELIVERY = 25 * 1024 * 1024
# Bytes from which a delivery is large, and how many of those are in memory at a time.
LARGE, MOST_LARGE = 64 * 1024, 4
# Seconds that a large one waits for its turn.
_PATIENCE = 5.0
# Seconds that the rest of a large one may take to arrive: hosts wait no longer for an answer.
_MOST_SECONDS = 10.0
# Values of a payload, counted by their commas: each takes memory when it is decoded.
_MOST_VALUES = 2_000_000
# Bytes and fields of a form; hosts send one field. That of Gitea is decoded before its signature is checked.
MAX_FORM, _MOST_FIELDS = 1024 * 1024, 10

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


class DeliveryBodies:
    """Reads bodies. A few large ones at a time, so that many senders cannot fill the memory. For one event loop.

    A network has one large one at a time, and a few seconds for it: its signature cannot be checked before all of it is
    here.
    """

    def __init__(self) -> None:
        self._large = asyncio.Semaphore(MOST_LARGE)
        # Each is there while a delivery of its network is read.
        self._networks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The body, for the duration of a ``with`` block. Its length is bounded by the middleware.

        Raises:
            TooManyRequests: too many large ones are being read.
            BadDelivery: a large one takes too long to arrive.
        """
        chunks: list[bytes] = []
        seen = 0
        async with contextlib.AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(None) as deadline:
                    async for chunk in request.stream():
                        chunks.append(chunk)
                        seen += len(chunk)
                        if seen > LARGE and deadline.when() is None:
                            await self._wait(turn, client_of(request.scope))
                            deadline.reschedule(asyncio.get_running_loop().time() + _MOST_SECONDS)
            except TimeoutError:
                raise BadDelivery(f"The delivery took longer than {_MOST_SECONDS:.0f} seconds to arrive.") from None
            yield b"".join(chunks)

    async def _wait(self, turn: contextlib.AsyncExitStack, client: ClientNetwork) -> None:
        network = client.wider_key or client.key
        lock = self._networks.get(network)
        if lock is None:
            lock = self._networks[network] = asyncio.Lock()
        try:
            async with asyncio.timeout(_PATIENCE):
                await turn.enter_async_context(lock)
                await turn.enter_async_context(self._large)
        except TimeoutError:
            raise TooManyRequests("Too many large deliveries arrive at this moment: send it again later.", 60) from None


def is_form(content_type: str) -> bool:
    return _media_type(content_type) == _FORM


def check_type(content_type: str, encoding: str) -> None:
    """Refuse what no host sends.

    Raises:
        BadDelivery: it is neither JSON nor a form, or compressed.
    """
    if encoding.strip().lower() not in ("", "identity"):
        raise BadDelivery("The delivery is compressed: send it without Content-Encoding.")
    if _media_type(content_type) not in (_JSON, _FORM, ""):
        raise BadDelivery(f"The delivery is neither JSON nor a form: choose {_JSON} as the webhook's content type.")


def form_payload(body: bytes) -> bytes:
    """The field ``payload`` of a form.

    Raises:
        BadDelivery: there is none, or the form is too large.
    """
    if len(body) > MAX_FORM:
        raise BadDelivery(f"The form is larger than {MAX_FORM} bytes: choose {_JSON} as the webhook's content type.")
    try:
        fields = parse_qs(body, max_num_fields=_MOST_FIELDS)
    except ValueError:
        fields = {}
    values = fields.get(b"payload", [])
    if len(values) != 1:
        raise BadDelivery("The form has no field payload, or several.")
    return values[0]


_DECODING = threading.Lock()


def decode(payload: bytes) -> object:
    """Decode JSON. Large ones one at a time.

    Raises:
        BadDelivery: it is no JSON in UTF-8, or nested too deep.
    """
    with _DECODING if len(payload) > LARGE else contextlib.nullcontext():
        if payload.count(b",") > _MOST_VALUES:
            raise BadDelivery("The payload has too many values.")
        try:
            return json.loads(payload.decode("utf-8-sig"), parse_constant=_refuse)
        except UnicodeDecodeError:
            raise BadDelivery("The payload is not UTF-8.") from None
        except RecursionError:
            raise BadDelivery("The payload is nested too deep.") from None
        except ValueError:
            raise BadDelivery("The payload is not JSON, or has a number that is too long.") from None


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
