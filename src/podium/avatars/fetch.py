"""Fetch one avatar, with bounds on bytes and time.

The request follows no redirect and carries no cookie and no token. A compressed response is refused: it could expand
to a huge one. httpx's client would do some of these, so only its transport is used.
"""

from __future__ import annotations

import asyncio
import functools
import re
from typing import TYPE_CHECKING

from podium import __version__
from podium.avatars.avatar_sources import AvatarRefused, AvatarSource, AvatarSources
from podium.avatars.image_type import AvatarImage, image_of

if TYPE_CHECKING:
    import ssl

    import httpx

MAX_BYTES = 512 * 1024

# Seconds; DEADLINE is for the whole fetch.
_CONNECT, _READ, DEADLINE = 3.0, 5.0, 10.0


@functools.cache
def _tls() -> ssl.SSLContext:
    # Reading all authorities takes longer than everything else about a transport.
    import httpx

    return httpx.create_ssl_context()


class NoAvatar(Exception):
    """The avatar could not be fetched.

    Attributes:
        transient: whether a retry may succeed.
        retry_after: in seconds.
    """

    def __init__(self, reason: str, *, transient: bool = False, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.transient = transient
        self.retry_after = retry_after


class AvatarFetcher:
    def __init__(self, sources: AvatarSources) -> None:
        self._sources = sources
        # One per origin: names that share an address must not share a TLS connection.
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}

    async def fetch(self, source: AvatarSource) -> AvatarImage:
        import httpx

        try:
            async with asyncio.timeout(DEADLINE):
                return await self._fetch(source)
        except TimeoutError:
            raise NoAvatar("the host took too long", transient=True) from None
        except (httpx.TransportError, OSError) as error:
            raise NoAvatar(f"the connection failed ({type(error).__name__})", transient=True) from error
        except httpx.InvalidURL:
            raise NoAvatar("its URL is not valid") from None
        except AvatarRefused as error:
            raise NoAvatar(str(error)) from error

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()

    async def _fetch(self, source: AvatarSource) -> AvatarImage:
        import httpx

        addresses = await asyncio.get_running_loop().run_in_executor(None, self._sources.addresses, source)
        for address in addresses[:-1]:
            try:
                return await self._fetch_from(address, source)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._fetch_from(addresses[-1], source)

    async def _fetch_from(self, address: str, source: AvatarSource) -> AvatarImage:
        import httpx

        if source.origin not in self._transports:
            self._transports[source.origin] = httpx.AsyncHTTPTransport(verify=_tls())
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
                # The certificate must be for the name, although the connection is to an address.
                "sni_hostname": source.host,
            },
        )
        response = await self._transports[source.origin].handle_async_request(request)
        try:
            return await _read(response)
        finally:
            await response.aclose()


async def _read(response: httpx.Response) -> AvatarImage:
    if response.status_code != 200:
        raise _failure(response)
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise NoAvatar("the answer is compressed")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise NoAvatar(f"the answer is longer than {MAX_BYTES} bytes")
    image = image_of(bytes(body))
    if image is None:
        raise NoAvatar("the answer is not an image")
    return image


def _failure(response: httpx.Response) -> NoAvatar:
    status = response.status_code
    header = response.headers.get("retry-after", "")
    retry_after = int(header) if re.fullmatch(r"[0-9]{1,6}", header) else None
    transient = status == 429 or status >= 500 or retry_after is not None
    return NoAvatar(f"the host answered {status}", transient=transient, retry_after=retry_after)
