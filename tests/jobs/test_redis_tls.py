"""Redis over TLS: what works, and what each mistake is called."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from podium.errors import BadSetting, QueueError
from podium.jobs.messages.redis_broker import RedisBackend, connect
from podium.settings import Settings
from tests.support.tls import CERTIFICATES, tls_in_front_of
from tests.support.valkey import PASSWORD, Valkey

CA = str(CERTIFICATES / "ca.pem")


def check(valkey: Valkey, port: int, scheme: str = "rediss", ca: str = CA) -> str:
    """What is wrong with a Redis; '': nothing."""
    url = valkey.url.replace("redis://", f"{scheme}://").replace(f":{valkey.port}/", f":{port}/")
    client = connect(Settings(redis_url=url, redis_ca=ca), socket_connect_timeout=0.3, socket_timeout=0.3)
    with contextlib.closing(RedisBackend(client)) as backend:
        try:
            backend.check()
        except QueueError as error:
            return error.message
    return ""


def test_redis_over_tls_with_an_authority_of_ones_own(valkey: Valkey) -> None:
    with tls_in_front_of(valkey.port) as port:
        assert check(valkey, port) == ""
        named = Settings(redis_host="localhost", redis_port=port, redis_password=PASSWORD, redis_tls=True, redis_ca=CA)
        with connect(named) as client:
            assert client.ping()


@pytest.mark.parametrize(
    ("certificate", "ca", "words"),
    [
        ("here", "other-ca.pem", "unknown authority"),
        ("here", "", "unknown authority"),
        ("elsewhere", "ca.pem", "for another name"),
        ("expired", "ca.pem", "has expired"),
    ],
)
def test_a_certificate_that_is_not_accepted_says_why(valkey: Valkey, certificate: str, ca: str, words: str) -> None:
    with tls_in_front_of(valkey.port, certificate) as port:
        message = check(valkey, port, ca=str(CERTIFICATES / ca) if ca else "")
    assert "TLS" in message and words in message
    assert "PODIUM_REDIS_CA" in message or words != "unknown authority"


def test_a_client_without_tls_and_a_port_without_it_are_told_apart(valkey: Valkey) -> None:
    assert "check that it runs, and that this port speaks TLS" in check(valkey, valkey.port)
    with tls_in_front_of(valkey.port) as port:
        assert "write rediss://" in check(valkey, port, "redis", ca="")


def test_a_server_that_wants_a_certificate_of_its_clients_says_so(valkey: Valkey) -> None:
    with tls_in_front_of(valkey.port, asks_clients=True) as port:
        assert "ssl_certfile" in check(valkey, port)


def test_a_wrong_password_is_no_fault_of_tls(valkey: Valkey) -> None:
    with tls_in_front_of(valkey.port) as port:
        wrong = connect(Settings(redis_url=f"rediss://:wrong@127.0.0.1:{port}/0", redis_ca=CA))
        with contextlib.closing(RedisBackend(wrong)) as backend, pytest.raises(QueueError, match="REDIS_PASSWORD"):
            backend.check()


def test_a_file_without_authorities_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("nothing")
    for path, words in ((tmp_path / "ca", "no certificates"), (tmp_path / "none", "No such file")):
        with pytest.raises(BadSetting, match=words):
            connect(Settings(redis_url="rediss://h", redis_ca=str(path)))
    with pytest.raises(BadSetting, match="without TLS"):
        connect(Settings(redis_url="redis://h", redis_ca=CA))
