"""All settings, read from the environment. A test compares them with ``docs/settings.md``.

A secret may also be in a file, which ``VARIABLE_FILE`` names, as secrets of Docker, Kubernetes and systemd are.
"""

from __future__ import annotations

import dataclasses
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from podium.errors import BadSetting
from podium.net import port_of

T = TypeVar("T")

# Characters: a shorter token can be guessed.
MIN_TOKEN = 16

# Seconds between two checks of a repository.
LEAST_REFRESH_INTERVAL, MOST_REFRESH_INTERVAL = 1, 366 * 86_400

POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")

_FROM_FILE = "_FILE"
# Bytes of a file with a secret.
_LARGEST_SECRET = 64 * 1024

_DAY = 86_400.0
_NEVER = 1e12

# What the system and both databases take as a number, and the seconds that a thread can wait.
_MOST = 10**15
_LONGEST_WAIT = 1e9
# Threads of one kind in a process.
_MOST_THREADS = 1000

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def _text(value: str) -> str:
    return value


def _file(value: str) -> str:
    """Absolute, because a child process may run in another folder."""
    try:
        return str(Path(value).expanduser().absolute())
    except RuntimeError:
        raise ValueError("must be the path of a file, and there is no such user") from None
    except FileNotFoundError:
        raise ValueError("is relative to the current folder, which was deleted") from None


def _words(value: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,]+", value) if word)


def _integer(least: int, most: int = _MOST) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not least <= number <= most:
            is_few = number < least and most == _MOST
            raise ValueError(f"must be {least} or more" if is_few else f"must be from {least} to {most:,}")
        return number

    return parse


def _duration(least: float, most: float = float("inf")) -> Callable[[str], float]:
    def parse(value: str) -> float:
        seconds = float(value)
        # NaN compares as False.
        if not least <= seconds <= most or seconds == float("inf"):
            bound = f"{least:g} or more" if most == float("inf") else f"from {least:g} to {most:,.0f}"
            raise ValueError(f"must be a number of seconds, {bound}")
        return seconds

    return parse


def _choice(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return value.lower()

    return parse


_number, _positive, _port, _seconds = _integer(0), _integer(1), _integer(0, 65535), _duration(0)
_threads = _integer(1, _MOST_THREADS)


def _bytes(value: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([kmgt]?)(?:i?b)?", value.lower())
    if not match:
        raise ValueError("must be a number of bytes, such as 500000000, 500M or 2G")
    number = int(match[1]) * _UNITS[match[2]]
    if number > _MOST:
        raise ValueError("must be at most 1000T bytes")
    return number


def _memory(value: str) -> int:
    number = _bytes(value)
    if 0 < number < 100 * 10**6:
        raise ValueError("must be 0, or 100M or more")
    return number


def _flag(value: str) -> bool:
    match value.lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off":
            return False
    raise ValueError("must be true or false")


def _optional_flag(value: str) -> bool | None:
    return None if value.lower() == "auto" else _flag(value)


def _seconds_or_zero(value: str) -> float:
    """Reads are noted about once an hour."""
    seconds = _seconds(value)
    if 0 < seconds < 7200:
        raise ValueError("must be 0, or 7200 or more")
    return seconds


def _refresh_interval(value: str) -> float | None:
    if value.lower() == "auto":
        return None
    seconds = _seconds(value)
    if seconds and not LEAST_REFRESH_INTERVAL <= seconds <= MOST_REFRESH_INTERVAL:
        raise ValueError(f"must be 0, or from {LEAST_REFRESH_INTERVAL} to {MOST_REFRESH_INTERVAL} seconds")
    return seconds


def _optional_seconds(value: str) -> float | None:
    return None if value.lower() == "auto" else _seconds(value)


def _origin(value: str) -> str:
    if _is_place(value, ".*"):
        parts = urlsplit(value)
        if parts.scheme in ("http", "https") and not (parts.username or parts.query or parts.fragment):
            return value.rstrip("/")
    raise ValueError("must be an address such as https://github.example.com, without a user or a query")


def _origins(value: str) -> tuple[str, ...]:
    return tuple(_origin(word) for word in _words(value))


def _contacts(value: str) -> tuple[str, ...]:
    if not all(re.fullmatch(r"(?:mailto:[!-~]+@|https://|tel:)[!-~]+", word) for word in _words(value)):
        raise ValueError("must be one or more addresses such as mailto:security@example.org or https://example.org/x")
    return _words(value)


def _database(value: str) -> str:
    if value.startswith("sqlite:///") and len(value) > len("sqlite:///"):
        return value
    if value.partition("://")[0] in POSTGRES and "://" in value:
        return value
    raise ValueError("must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE")


def _redis(value: str) -> str:
    if not re.match(r"(rediss?|unix)://.", value):
        raise ValueError("must be redis://HOST:PORT/DATABASE, or rediss:// for TLS")
    if not value.startswith("unix:") and not _is_place(value, r"/?[0-9]*"):
        raise ValueError(
            "must be redis://:PASSWORD@HOST:PORT/DATABASE with a number as DATABASE, and %XX for every character "
            "of the password that is neither a letter nor a digit"
        )
    return value


def _is_place(url: str, path: str) -> bool:
    try:
        parts = urlsplit(url)
        port_of(parts)
        return _is_host(parts.hostname or "") and re.fullmatch(path, parts.path) is not None
    except ValueError:
        # Not raised: the message of urlsplit repeats a part of the value.
        return False


def _is_host(name: str) -> bool:
    """Whether getaddrinfo() may be asked: it raises for `.example.org` and a part of 64 letters."""
    try:
        return bool(name.encode("idna"))
    except UnicodeError:
        return False


def _host(value: str) -> str:
    if "/" in value or value.count(":") == 1 or not _is_host(value):
        raise ValueError("must be a host's name or address alone; the port goes into REDIS_PORT")
    return value


def _tokens(value: str) -> tuple[str, ...]:
    if not all(re.fullmatch("[!-~]+", token) for token in _words(value)):
        raise ValueError("must be one or more tokens of ASCII characters, separated by spaces or commas")
    return _words(value)


def _long_token(value: str) -> str:
    if len(value) < MIN_TOKEN:
        raise ValueError(f"must have {MIN_TOKEN} characters or more (`openssl rand -hex 24` makes one)")
    return value


def _setting(variable: str, default: T, parse: Callable[[str], T], doc: str, *, secret: bool = False) -> T:
    """A field of :class:`Settings`. The value of a ``secret`` one is never shown."""
    metadata = {"variable": variable, "parse": parse, "doc": doc, "secret": secret}
    field: T = dataclasses.field(default=default, metadata=metadata, repr=not secret)
    return field


# 0: no limit.
_LIMITS_OF_A_COUNT = frozenset({"max_commits", "max_people", "count_memory", "count_cpu_seconds"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    # '': the platform's folder for a user's data; see data_folder().
    data_dir: str = _setting(
        "PODIUM_DATA_DIR",
        "",
        _text,
        "Folder for the embedded database and the mirrors. Empty: `$XDG_DATA_HOME/podium`, or `~/.local/share/podium`.",
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "",
        _database,
        "Database. Empty: SQLite in the data folder. Else `sqlite:///PATH`, or "
        "`postgresql://USER:PASSWORD@HOST/DATABASE` with any option of libpq (`?sslmode=require`).",
        secret=True,
    )
    database_password: str = _setting(
        "DATABASE_PASSWORD",
        "",
        _text,
        "PostgreSQL password, not URL-encoded; replaces any password in `DATABASE_URL`.",
        secret=True,
    )
    copy_to: str = _setting(
        "PODIUM_COPY_TO",
        "",
        _database,
        "Database that `podium copy` fills, written as `DATABASE_URL`. Nothing else reads it.",
        secret=True,
    )
    database_connections: int = _setting(
        "PODIUM_DATABASE_CONNECTIONS", 10, _positive, "Connections to PostgreSQL that one process may have."
    )
    redis_url: str = _setting(
        "REDIS_URL",
        "",
        _redis,
        "Redis or Valkey for the queues, with a database of its own: `redis://:PASSWORD@HOST:PORT/DATABASE`, "
        "`rediss://` for TLS. Empty, without `REDIS_HOST`: the queues are in the process.",
        secret=True,
    )
    redis_host: str = _setting("REDIS_HOST", "", _host, "Host of Redis, if `REDIS_URL` is empty.")
    redis_port: int = _setting("REDIS_PORT", 6379, _port, "Port of Redis.")
    redis_password: str = _setting(
        "REDIS_PASSWORD", "", _text, "Password of Redis, also if `REDIS_URL` has none.", secret=True
    )
    redis_tls: bool = _setting("REDIS_TLS", False, _flag, "Whether to use TLS with Redis.")
    redis_ca: str = _setting(
        "PODIUM_REDIS_CA",
        "",
        _file,
        "PEM file of the CA certificates to verify Redis's certificate with. Empty: the system's.",
    )
    host: str = _setting(
        "PODIUM_HOST", "127.0.0.1", _text, "Address that `podium serve`, and workers with a port, listen on."
    )
    port: int = _setting(
        "PORT", 3000, _port, "Port that `podium serve` listens on. Workers answer probes on it if it is set."
    )
    max_connections: int = _setting(
        "PODIUM_MAX_CONNECTIONS",
        10_000,
        _positive,
        "Connections to the server that may be open at a time, and at most three quarters of the open files "
        "(`ulimit -n`).",
    )
    request_timeout: float = _setting(
        "PODIUM_REQUEST_TIMEOUT",
        15.0,
        _duration(1),
        "Seconds in which a client must send the headers of a request, and again its body.",
    )
    response_timeout: float = _setting(
        "PODIUM_RESPONSE_TIMEOUT",
        60.0,
        _duration(1),
        "Seconds after which a connection is closed if its client reads nothing of the response.",
    )
    robots: bool = _setting(
        "PODIUM_ROBOTS",
        True,
        _flag,
        "Whether `/robots.txt` lets crawlers read pages, images and static files; `false` forbids everything.",
    )
    security_contact: tuple[str, ...] = _setting(
        "PODIUM_SECURITY_CONTACT",
        (),
        _contacts,
        "Where to report a vulnerability of this server, for `/.well-known/security.txt`: `mailto:` or `https://` "
        "addresses. Empty: there is no such file.",
    )
    github_server_url: str = _setting(
        "GITHUB_SERVER_URL", "https://github.com", _origin, "The GitHub whose repositories are accepted."
    )
    github_api_url: str = _setting("GITHUB_API_URL", "https://api.github.com", _origin, "Its REST API.")
    github_graphql_url: str = _setting(
        "GITHUB_GRAPHQL_URL", "https://api.github.com/graphql", _origin, "Its GraphQL API."
    )
    github_tokens: tuple[str, ...] = _setting(
        "GITHUB_TOKEN",
        (),
        _tokens,
        "Token for that GitHub, without any permission; several, separated by spaces or commas, are used in turn, each "
        "within its own limit. Empty: 60 requests an hour.",
        secret=True,
    )
    account_max_age: float | None = _setting(
        "PODIUM_ACCOUNT_MAX_AGE",
        None,
        _optional_seconds,
        "Age in seconds from which logins, names and avatars are looked up again when their board is refreshed. "
        "`auto`: a day with `GITHUB_TOKEN`, never without it.",
    )
    email_max_age: float = _setting(
        "PODIUM_EMAIL_MAX_AGE",
        30 * _DAY,
        _seconds,
        "The same for the account of an e-mail.",
    )
    unknown_email_max_age: float = _setting(
        "PODIUM_UNKNOWN_EMAIL_MAX_AGE",
        7 * _DAY,
        _seconds,
        "The same for an e-mail that belongs to no GitHub account.",
    )
    bots_file: str = _setting(
        "PODIUM_BOTS_FILE",
        "",
        _text,
        "File with further bots, one e-mail address or login per line; `!` before one removes it from the built-in "
        "list, `#` begins a comment. Read when a process starts.",
    )
    mailmap_file: str = _setting(
        "PODIUM_MAILMAP_FILE",
        "",
        _file,
        "A mailmap of your own, applied after each repository's; see [counting](counting.md#your-own-mailmap).",
    )
    git_hosts: tuple[str, ...] = _setting(
        "PODIUM_GIT_HOSTS",
        (),
        _origins,
        "Further git hosts that the server accepts, as origins: `https://gitlab.com`. "
        "Plain `http://` only if it is written here.",
    )
    private_git_hosts: tuple[str, ...] = _setting(
        "PODIUM_PRIVATE_GIT_HOSTS",
        (),
        _origins,
        "The same for hosts on a private network or on this machine: a name in `PODIUM_GIT_HOSTS` that resolves to "
        "a private address is refused.",
    )
    avatar_hosts: tuple[str, ...] = _setting(
        "PODIUM_AVATAR_HOSTS",
        (),
        _origins,
        "Further origins that avatars may be fetched from. Empty: "
        "`https://avatars.githubusercontent.com`, or the Enterprise Server's own name and `avatars.` before it.",
    )
    avatar_cache_bytes: int = _setting(
        "PODIUM_AVATAR_CACHE_BYTES",
        200 * 10**6,
        _bytes,
        "Disk space for avatars; the least recently used are deleted first.",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "PODIUM_ALLOWED_HOSTS",
        (),
        _words,
        "Names under which the server is reached (`Host` header), besides `localhost` and IP addresses.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        "PODIUM_TRUSTED_PROXIES",
        (),
        _words,
        "Addresses or networks of reverse proxies whose `X-Forwarded-*` headers are trusted.",
    )
    cors_origins: tuple[str, ...] = _setting(
        "PODIUM_CORS_ORIGINS",
        (),
        _origins,
        "Origins of other sites whose pages may call this API. Empty: none.",
    )
    demo: tuple[str, ...] = _setting(
        "PODIUM_DEMO",
        (),
        _words,
        "Repositories that the server counts when it starts and its database does not know them. Empty: none.",
    )
    admin_token: str = _setting(
        "PODIUM_ADMIN_TOKEN",
        "",
        _long_token,
        "Bearer token for the queues, refreshes and e-mail addresses, of 16 characters or more. Empty: `podium serve` "
        "without Redis makes one in its data folder; elsewhere these routes are closed.",
        secret=True,
    )
    metrics_token: str = _setting(
        "PODIUM_METRICS_TOKEN",
        "",
        _text,
        "Bearer token for `/metrics` only. Empty: `/metrics` needs the administrator's.",
        secret=True,
    )
    webhook_secrets: tuple[str, ...] = _setting(
        "PODIUM_WEBHOOK_SECRETS",
        (),
        _tokens,
        "Secrets of webhooks, separated by spaces or commas: each is accepted, so that one can be replaced "
        "([fresh boards](fresh.md#webhooks)). `HOST=SECRET` is one that speaks for a single host. Empty: there are no "
        "webhooks.",
        secret=True,
    )
    show_emails: bool | None = _setting(
        "PODIUM_SHOW_EMAILS",
        None,
        _optional_flag,
        "Whether API and files contain e-mail addresses: `true`, `false`, or `auto`: on the command line, and to the "
        "administrator.",
    )
    submissions_per_minute: int = _setting(
        "PODIUM_SUBMISSIONS_PER_MINUTE",
        60,
        _number,
        "How many submissions one client may make in a minute; 0: no limit.",
    )
    read_budget: int = _setting(
        "PODIUM_READ_BUDGET",
        6000,
        _number,
        "Milliseconds of CPU time per minute that each server process spends on what one client reads, if it is not "
        "ready-made: new windows, files, searches, explanations. 0: no limit. Clients on this machine have none.",
    )
    email_lookups_per_hour: int = _setting(
        "PODIUM_EMAIL_LOOKUPS_PER_HOUR",
        10,
        _number,
        "How many look-ups by e-mail one client may make in an hour where e-mails are hidden; 0: no limit.",
    )
    max_waiting: int = _setting(
        "PODIUM_MAX_WAITING",
        10_000,
        _number,
        "Repositories that may wait to be counted; beyond it new ones are refused for a while. 0: no limit.",
    )
    max_waiting_bytes: int = _setting(
        "PODIUM_MAX_WAITING_BYTES",
        10**12,
        _bytes,
        "The same for the size of their clones; one that was never counted counts as 100 MB.",
    )
    max_revisions: int = _setting(
        "PODIUM_MAX_REVISIONS",
        20,
        _number,
        "Boards of branches and tags that one repository may have; the least recently read makes way. 0: no limit.",
    )
    live_connections_per_client: int = _setting(
        "PODIUM_LIVE_CONNECTIONS_PER_CLIENT",
        100,
        _positive,
        "How many live pages one client may hold in each server process; further pages poll.",
    )
    unread_max_age: float = _setting(
        "PODIUM_UNREAD_MAX_AGE",
        0.0,
        _seconds_or_zero,
        "Seconds after which a board that was neither read nor submitted is deleted with its clone, two hours or more; "
        "never one of `PODIUM_DEMO`. 0: boards stay.",
    )
    refresh_after: float = _setting(
        "PODIUM_REFRESH_AFTER",
        3600.0,
        _seconds,
        "Age in seconds from which a completed board is counted again when it is submitted.",
    )
    refresh_every: float | None = _setting(
        "PODIUM_REFRESH_EVERY",
        None,
        _refresh_interval,
        "Seconds after which the host of a board is asked for new commits, if the board was read in the last 30 days; "
        "0: only of repositories with a `refreshEvery` of their own. `auto`: a day where Redis, `PODIUM_ALLOWED_HOSTS` "
        "or `PODIUM_TRUSTED_PROXIES` is set, elsewhere 0.",
    )
    refresh_per_host: int = _setting(
        "PODIUM_REFRESH_PER_HOST",
        120,
        _positive,
        "Scheduled checks per host and hour, where no `GITHUB_TOKEN` applies.",
    )
    commit_workers: int = _setting(
        "PODIUM_COMMIT_WORKERS", 2, _threads, "Repositories that one process counts at a time."
    )
    user_workers: int = _setting("PODIUM_USER_WORKERS", 4, _threads, "User batches that one process does at a time.")
    lease_seconds: float = _setting(
        "PODIUM_LEASE_SECONDS",
        15.0,
        _duration(1, _LONGEST_WAIT),
        "Seconds after which a lease that is not renewed expires, and another worker takes the repository.",
    )
    reconcile_seconds: float = _setting(
        "PODIUM_RECONCILE_SECONDS",
        3.0,
        _duration(0.1, _LONGEST_WAIT),
        "Seconds between two checks of the database for due work, 0.1 or more.",
    )
    long_job_seconds: float = _setting(
        "PODIUM_LONG_JOB_SECONDS",
        20.0,
        _seconds,
        "Seconds after which a count is slow. It moves off its worker thread, as many as there are threads, so that "
        "the next one can start, or makes way and is counted again later.",
    )
    slow_counts_per_client: int = _setting(
        "PODIUM_SLOW_COUNTS_PER_CLIENT",
        1,
        _positive,
        "Slow counts of one client that may run off their worker threads at a time.",
    )
    max_crashes: int = _setting(
        "PODIUM_MAX_CRASHES",
        5,
        _positive,
        "Workers that may crash over a repository, without progress, before it fails.",
    )
    max_attempts: int = _setting(
        "PODIUM_MAX_ATTEMPTS", 4, _positive, "Attempts at a repository after unexpected errors, before it fails."
    )
    counts_per_host: int = _setting(
        "PODIUM_COUNTS_PER_HOST",
        0,
        _number,
        "Repositories of one git host that all workers together count at once; 0: any number. "
        "`podium queue limit` sets another number for one host.",
    )
    git_timeout: float = _setting(
        "PODIUM_GIT_TIMEOUT", 7200.0, _seconds, "Seconds that one clone or fetch of the server may take; 0: no limit."
    )
    git_idle_timeout: float = _setting(
        "PODIUM_GIT_IDLE_TIMEOUT",
        120.0,
        _duration(1, _LONGEST_WAIT),
        "Seconds without progress after which a transfer is aborted, 1 or more.",
    )
    git_memory: int = _setting(
        "PODIUM_GIT_MEMORY", 4 * 10**9, _bytes, "Memory that one git process of the server may use; 0: no limit."
    )
    max_repository_bytes: int = _setting(
        "PODIUM_MAX_REPOSITORY_BYTES",
        10 * 10**9,
        _bytes,
        "Size on disk of the largest mirror that is accepted; 0: no limit.",
    )
    max_commits: int = _setting(
        "PODIUM_MAX_COMMITS", 10_000_000, _number, "Commits of the largest history that is accepted; 0: any number."
    )
    max_people: int = _setting(
        "PODIUM_MAX_PEOPLE",
        250_000,
        _number,
        "People (names with e-mails in authors and trailers) of the largest history that is accepted; 0: any number.",
    )
    count_memory: int = _setting(
        "PODIUM_COUNT_MEMORY",
        10**9,
        _memory,
        "Memory that a process may use to count one repository, besides git's: 100M or more; 0: no limit.",
    )
    count_cpu_seconds: int = _setting(
        "PODIUM_COUNT_CPU_SECONDS",
        600,
        _number,
        "Seconds of CPU time that one count may take, with its git processes; 0: no limit.",
    )
    mirror_cache_bytes: int = _setting(
        "PODIUM_MIRROR_CACHE_BYTES",
        20 * 10**9,
        _bytes,
        "Disk that all mirrors may use; the least recently used are deleted first.",
    )
    disk_reserve_bytes: int = _setting(
        "PODIUM_DISK_RESERVE_BYTES",
        500 * 10**6,
        _bytes,
        "Disk that must be free for each clone before it starts, and that clones leave free while they run.",
    )
    max_board_bytes: int = _setting(
        "PODIUM_MAX_BOARD_BYTES",
        10**9,
        _bytes,
        "Memory that one board may take while the server makes it, estimated from its people and commits; a "
        "larger one is refused. 0: no limit.",
    )
    board_cache_bytes: int = _setting(
        "PODIUM_BOARD_CACHE_BYTES",
        128 * 10**6,
        _bytes,
        "Memory of each server process for cached boards and their data.",
    )
    log_level: str = _setting(
        "PODIUM_LOG_LEVEL", "info", _choice("debug", "info", "warning", "error"), "debug, info, warning or error."
    )
    log_format: str = _setting(
        "PODIUM_LOG_FORMAT",
        "console",
        _choice("console", "json"),
        "`console`: lines for people; `json`: one object per line.",
    )
    # Not Podium's own settings, but the environment is read only here.
    search_path: str = _setting("PATH", "/usr/local/bin:/usr/bin:/bin", _text, "Where the server finds git.")
    xdg_data_home: str = _setting("XDG_DATA_HOME", "", _text, "Where the platform keeps a user's data.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from ``environment``; an empty variable counts as unset.

        Raises:
            BadSetting: a value cannot be read; the message names the variable and never repeats the value, which may be
                a secret.
        """
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            variable = field.metadata["variable"]
            raw, source = environment.get(variable, "").strip(), variable
            path = environment.get(variable + _FROM_FILE, "").strip() if field.metadata["secret"] else ""
            if path:
                # What is not written as a path may be the secret itself.
                source = f"{variable}{_FROM_FILE}" + (f" ({path})" if path.startswith(("/", ".", "~")) else "")
                if raw:
                    raise BadSetting(f"{variable} and {variable}{_FROM_FILE} are both set: unset one of them.")
                raw = _secret_in(path, source, lines=field.metadata["parse"] is _tokens)
            if not raw:
                continue
            try:
                values[field.name] = field.metadata["parse"](raw)
            except ValueError as error:
                raise BadSetting(f"{source} cannot be read: {_reason(error)}.") from None
        return cls(**values)._with_database_password()

    def _with_database_password(self) -> Settings:
        """Settings whose ``database_url`` has the password, because nothing else needs to know where it comes from."""
        scheme, _, rest = self.database_url.partition("://")
        if not (self.database_password and self.uses_postgres):
            return self
        place = re.split(r"[/?#]", rest, maxsplit=1)[0]
        user, _, hosts = place.rpartition("@")
        # Without a user, libpq takes PGUSER or the name of the process' user.
        user = f"{user.partition(':')[0]}:{quote(self.database_password, safe='')}"
        return dataclasses.replace(self, database_url=f"{scheme}://{user}@{hosts}{rest[len(place) :]}")

    @classmethod
    def for_command_line(cls, environment: Mapping[str, str]) -> Settings:
        """Like :meth:`from_environment`, but the limits of a count hold only if the user set them."""
        settings = cls.from_environment(environment)
        unset: dict[str, Any] = {
            field.name: 0
            for field in dataclasses.fields(cls)
            if field.name in _LIMITS_OF_A_COUNT and not environment.get(field.metadata["variable"], "").strip()
        }
        return dataclasses.replace(settings, **unset)

    def to_environment(self, *secrets: str) -> dict[str, str]:
        """The variables of these settings, for a child process; of the secret ones only those named."""
        values = dataclasses.replace(self, account_max_age=self.account_age()) if self.github_tokens else self
        # Whether Redis is set is known from a secret.
        values = dataclasses.replace(values, refresh_every=self.refresh_interval()) if self.uses_redis else values
        return {
            field.metadata["variable"]: _written(getattr(values, field.name))
            for field in dataclasses.fields(self)
            if getattr(values, field.name) != field.default and (field.name in secrets or not field.metadata["secret"])
        }

    def bots_files(self) -> tuple[Path, ...]:
        return (Path(self.bots_file),) if self.bots_file else ()

    def account_age(self) -> float:
        """Seconds after which an account is looked up again."""
        if self.account_max_age is not None:
            return self.account_max_age
        # The budget without a token is too small for second lookups.
        return _DAY if self.github_tokens else _NEVER

    def refresh_interval(self) -> float:
        """Seconds between two checks of a repository without an interval of its own; 0: it is not checked."""
        if self.refresh_every is not None:
            return self.refresh_every
        is_shared = self.uses_redis or self.allowed_hosts or self.trusted_proxies
        return _DAY if is_shared else 0.0

    def secrets(self) -> tuple[str, ...]:
        """Tokens, passwords, and URLs that may contain one."""
        values = [getattr(self, field.name) for field in dataclasses.fields(self) if field.metadata["secret"]]
        bound = tuple(text.partition("=")[2] for text in self.webhook_secrets)
        return tuple(
            text for value in (*values, bound) for text in ((value,) if isinstance(value, str) else value) if text
        )

    def data_folder(self) -> Path:
        """The folder for everything that Podium keeps on this machine.

        Raises:
            BadSetting: there is no such folder.
        """
        try:
            if self.data_dir:
                return Path(self.data_dir).expanduser().absolute()
            # The XDG Base Directory Specification has a relative path ignored.
            if Path(self.xdg_data_home).is_absolute():
                return Path(self.xdg_data_home) / "podium"
            return Path.home() / ".local" / "share" / "podium"
        except RuntimeError:
            raise BadSetting(
                "This user has no home folder for Podium's data: set PODIUM_DATA_DIR to a folder, or HOME."
            ) from None
        except FileNotFoundError:
            raise BadSetting(
                "PODIUM_DATA_DIR is relative to the current folder, which was deleted: change to another folder (cd)."
            ) from None

    @property
    def uses_postgres(self) -> bool:
        return self.database_url.partition("://")[0] in POSTGRES

    @property
    def uses_redis(self) -> bool:
        """Whether the queues are in Redis; else they are in the process."""
        return bool(self.redis_url or self.redis_host)

    def sqlite_path(self) -> Path:
        if not self.database_url:
            return self.data_folder() / "podium.db"
        return Path(self.database_url.removeprefix("sqlite:///")).absolute()


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return "auto" if value is None else str(value)


def _reason(error: ValueError) -> str:
    text = str(error)
    if "integer string conversion" in text:
        return f"it must be at most {_MOST:,}"
    return "it must be a number" if "invalid literal" in text or "could not convert" in text else "it " + text


def _secret_in(path: str, source: str, *, lines: bool) -> str:
    """The content of a file with a secret; no message repeats it.

    Args:
        lines: whether it may have several, or none.
    """
    try:
        # A pipe would wait for its writer for ever.
        descriptor = os.open(Path(path).expanduser(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            content = file.read(_LARGEST_SECRET + 1) if is_file else b""
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a path"
        raise BadSetting(f"{source} cannot be read ({reason}): name a file that this user can read.") from None
    if not is_file:
        raise BadSetting(f"{source} is not a regular file: name a file with the secret.")
    if len(content) > _LARGEST_SECRET:
        raise BadSetting(f"{source} is larger than {_LARGEST_SECRET:,} bytes: name a file with nothing but the secret.")
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise BadSetting(f"{source} is not text: write the secret in UTF-8.")
    if not text and not lines:
        raise BadSetting(f"{source} is empty: write the secret into it.")
    if not lines and len(text.splitlines()) > 1:
        raise BadSetting(f"{source} has more than one line: write nothing but the secret into it.")
    return text


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Name the variables that look like settings of Podium and are none, with the nearest right name.

    No value is repeated: a secret may have the wrong name.
    """
    known = {field.metadata["variable"]: field.metadata["secret"] for field in dataclasses.fields(Settings)}
    files = {variable + _FROM_FILE: variable for variable, secret in known.items() if secret}
    right = {**known, **files}
    return [
        f"{variable} is not a setting of Podium: {_advice(variable, right)}."
        for variable in sorted(environment)
        if variable.upper().startswith("PODIUM_") and variable not in right
    ]


def _advice(variable: str, right: Mapping[str, object]) -> str:
    import difflib

    name = variable.upper()
    bare = name.removeprefix("PODIUM_")
    if bare.removesuffix(_FROM_FILE) in right or name.removesuffix(_FROM_FILE) in right:
        if name in right or bare in right:
            return f"write {name if name in right else bare}"
        plain = name.removesuffix(_FROM_FILE)
        return f"only secrets are read from files; write {plain if plain in right else bare.removesuffix(_FROM_FILE)}"
    near = difflib.get_close_matches(name, right, n=1, cutoff=0.75) or difflib.get_close_matches(bare, right, n=1)
    return f"{near[0]} is the nearest" if near else "docs/settings.md lists them"
