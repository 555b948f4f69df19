"""A TLS socket in front of a server that speaks none, as the Valkey of the tests.

``certificates/`` has the keys, which protect nothing: ``ca.pem`` signed ``here.pem`` (localhost, 127.0.0.1),
``elsewhere.pem`` (redis.example) and ``expired.pem``; ``other-ca.pem`` signed none.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

CERTIFICATES = Path(__file__).parent / "certificates"


@contextlib.contextmanager
def tls_in_front_of(port: int, certificate: str = "here", *, asks_clients: bool = False) -> Iterator[int]:
    """Yield the port.

    ``certificate``: of ``certificates/``. ``asks_clients``: whether they need a certificate too.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    if asks_clients:
        context.load_verify_locations(CERTIFICATES / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, context, port), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=_serve, args=(plain, context, port), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with plain, contextlib.suppress(OSError):
        plain.settimeout(10)
        with context.wrap_socket(plain, server_side=True) as client:
            _forward(client, port)


def _forward(client: ssl.SSLSocket, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as server:
        server.settimeout(10)
        # A command is answered before the next one: no need to watch both sides.
        while data := client.recv(65536):
            server.sendall(data)
            client.sendall(server.recv(65536))
