"""Fetching one picture: one request, bounded in bytes and time, that carries nothing but the address.

No redirect is followed, no cookie kept, no token sent, no compression undone: a picture gains nothing by it, and a
small answer could unpack to a huge one. httpx's transport is used without its client, which would do some of these.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from podium import __version__
from podium.avatars.allowed_origins import Refused, Source, Sources
from podium.avatars.image_type import Face, face_of

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 512 * 1024

# Seconds for one connection, for each wait for a part of the answer, and for everything together.
_CONNECT, _READ, DEADLINE = 3.0, 5.0, 10.0


class NoFace(Exception):
    """There is no picture to be had.

    Attributes:
        busy: whether that may soon be otherwise: the host stumbled, or asked for patience.
        pause: seconds for which the host asked to be left alone, or None.
    """

    def __init__(self, reason: str, *, busy: bool = False, pause: int | None = None) -> None:
        super().__init__(reason)
        self.busy = busy
        self.pause = pause


class Fetcher:
    """Fetches pictures, on one event loop."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        # One for each origin: names that share an address must not share a connection, whose certificate is one's.
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}

    async def fetch(self, source: Source) -> Face:
        """The picture at ``source``.

        Raises:
            NoFace: the host has none, does not answer as it should, or must not be asked.
        """
        import httpx

        try:
            async with asyncio.timeout(DEADLINE):
                return await self._fetch(source)
        except TimeoutError:
            raise NoFace("the host took too long", busy=True) from None
        except (httpx.TransportError, OSError) as error:
            raise NoFace(f"the connection failed ({type(error).__name__})", busy=True) from error
        except httpx.InvalidURL:
            raise NoFace("it is no address") from None
        except Refused as error:
            raise NoFace(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        for transport in self._transports.values():
            await transport.aclose()

    async def _fetch(self, source: Source) -> Face:
        import httpx

        addresses = await asyncio.get_running_loop().run_in_executor(None, self._sources.addresses, source)
        for address in addresses[:-1]:
            try:
                return await self._from(address, source)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._from(addresses[-1], source)

    async def _from(self, address: str, source: Source) -> Face:
        import httpx

        if source.origin not in self._transports:
            self._transports[source.origin] = httpx.AsyncHTTPTransport()
        request = httpx.Request(
            "GET",
            httpx.URL(source.url).copy_with(host=address),
            headers={
                "Host": httpx.URL(source.url).netloc.decode("ascii"),
                "User-Agent": f"podium/{__version__}",
                "Accept": "image/png, image/jpeg, image/gif, image/webp",
                "Accept-Encoding": "identity",
            },
            extensions={
                "timeout": {"connect": _CONNECT, "read": _READ, "write": _READ, "pool": DEADLINE},
                # The certificate must be the name's, whatever address was connected to.
                "sni_hostname": source.host,
            },
        )
        response = await self._transports[source.origin].handle_async_request(request)
        try:
            return await _read(response)
        finally:
            await response.aclose()


async def _read(response: httpx.Response) -> Face:
    if response.status_code != 200:
        raise _refusal(response)
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise NoFace("the answer is compressed")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise NoFace(f"the answer is longer than {MAX_BYTES} bytes")
    face = face_of(bytes(body))
    if face is None:
        raise NoFace("the answer is no image")
    return face


def _refusal(response: httpx.Response) -> NoFace:
    status = response.status_code
    asked = response.headers.get("retry-after", "")
    pause = int(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else None
    if status == 429 or status >= 500 or pause is not None:
        return NoFace(f"the host answered {status}", busy=True, pause=pause)
    return NoFace(f"the host answered {status}")
