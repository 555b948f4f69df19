"""Settings: read once, each documented, secrets never repeated."""

from __future__ import annotations

import dataclasses
import os
import re
import threading
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from podium.errors import BadSetting
from podium.settings import Settings, unknown_variables

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"


def test_every_setting_stands_in_the_docs_with_its_default() -> None:
    rows = {line.split("|")[1].strip(): line for line in DOCS.read_text().splitlines() if line.startswith("| `")}
    variables = {f"`{field.metadata['variable']}`": field for field in dataclasses.fields(Settings)}
    assert rows.keys() == variables.keys()
    for variable, field in variables.items():
        assert field.metadata["doc"] in rows[variable], f"{variable}: the docs say something else"


def test_an_unset_or_empty_variable_gives_the_default() -> None:
    assert Settings.from_environment({}) == Settings.from_environment({"PORT": " "}) == Settings()


def test_values_are_read() -> None:
    settings = Settings.from_environment(
        {
            "PORT": "8080",
            "PODIUM_GIT_HOSTS": "https://gitlab.com, http://git.example:81/",
            "PODIUM_SHOW_EMAILS": "no",
            "PODIUM_MAX_REPOSITORY_BYTES": "2G",
            "PODIUM_LEASE_SECONDS": "2.5",
        }
    )
    assert settings.port == 8080
    assert settings.git_hosts == ("https://gitlab.com", "http://git.example:81")
    assert settings.show_emails is False
    assert settings.max_repository_bytes == 2_000_000_000
    assert settings.lease_seconds == 2.5


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PODIUM_SHOW_EMAILS", "perhaps"),
        ("PODIUM_LEASE_SECONDS", "nan"),
        ("PODIUM_LEASE_SECONDS", "-1"),
        ("PODIUM_GIT_IDLE_TIMEOUT", "0"),
        ("PODIUM_MAX_REPOSITORY_BYTES", "much"),
        ("PODIUM_GIT_HOSTS", "gitlab.com"),
        ("PODIUM_GIT_HOSTS", "https://user:secret@gitlab.com"),
        ("GITHUB_SERVER_URL", "ftp://github.example"),
        ("PODIUM_LOG_LEVEL", "loud"),
        ("DATABASE_URL", "mysql://root:secret@db/podium"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "podium.db"),
        ("PODIUM_GIT_HOSTS", "https://user:secret/word@gitlab.com"),
        ("REDIS_URL", "redis.example:6379"),
        ("REDIS_URL", "redis://:secret@host:port/1"),
        ("REDIS_URL", "redis://:secret/word@host/1"),
        ("REDIS_URL", "redis://:secret@host:99999/1"),
        ("REDIS_URL", "redis://:secret@host/one"),
        ("REDIS_URL", "redis://[::1/1"),
        ("REDIS_URL", "redis://:secret@.svc.example/1"),
        ("GITHUB_API_URL", f"https://{'secret' * 11}.example"),
        ("PODIUM_ADMIN_TOKEN", "secret-and-short"[:-1]),
        ("REDIS_HOST", "redis.example:6379"),
        ("REDIS_HOST", "redis://redis.example"),
        ("REDIS_HOST", ".svc.example"),
    ],
)
def test_a_value_that_cannot_be_read_names_its_variable_and_not_itself(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=variable) as error:
        Settings.from_environment({variable: value})
    assert "secret" not in error.value.message


@pytest.mark.parametrize("value", ["9" * 30, "9" * 5000, "1e300"])
def test_a_number_that_the_system_cannot_take_is_refused(value: str) -> None:
    for field in dataclasses.fields(Settings):
        variable = field.metadata["variable"]
        try:
            found = getattr(Settings.from_environment({variable: value}), field.name)
        except BadSetting as error:
            assert "must" in error.message and "digits" not in error.message
            continue
        # Ages, and times that are only compared, may be as long as the user likes.
        assert not isinstance(found, int) or found < 2**63, variable
        if field.name in ("lease_seconds", "reconcile_seconds", "git_idle_timeout"):
            assert found <= threading.TIMEOUT_MAX and found < 2**31, variable


def test_the_database_is_not_asked_without_a_pause() -> None:
    with pytest.raises(BadSetting, match="PODIUM_RECONCILE_SECONDS cannot be read: it must be a number of seconds, "):
        Settings.from_environment({"PODIUM_RECONCILE_SECONDS": "0"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REDIS_URL", "redis://host"),
        ("REDIS_URL", "rediss://user:p%2Fw@[::1]:6380/15"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
        ("REDIS_HOST", "redis.example"),
        ("REDIS_HOST", "::1"),
    ],
)
def test_a_redis_can_be_named_in_several_ways(variable: str, value: str) -> None:
    settings = Settings.from_environment({variable: value})
    assert settings.uses_redis and value in (settings.redis_url, settings.redis_host)


def test_every_secret_may_be_in_a_file(tmp_path: Path) -> None:
    secrets = {
        "DATABASE_URL": "postgresql://u:p@h/d",
        "PODIUM_COPY_TO": "postgresql://u:p@h/d",
        "REDIS_URL": "redis://:p@h/1",
        "REDIS_PASSWORD": "pass word",
        "PODIUM_ADMIN_TOKEN": "a" * 16,
    }
    declared = {field.metadata["variable"] for field in dataclasses.fields(Settings) if field.metadata["secret"]}
    text = DOCS.read_text()
    for variable in declared:
        assert f"`{variable}_FILE`" in text
        path = tmp_path / variable
        path.write_text(secrets.get(variable, "secret") + "\n")
        read = Settings.from_environment({f"{variable}_FILE": str(path)})
        assert read == Settings.from_environment({variable: path.read_text()}) != Settings()
    (tmp_path / "tokens").write_bytes("\ufeffone\r\ntwo\r\n".encode())
    assert Settings.from_environment({"GITHUB_TOKEN_FILE": str(tmp_path / "tokens")}).github_tokens == ("one", "two")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"secret" * 20_000, "is larger than 65,536 bytes"),
        (b"secret\xff", "is not text"),
        (b"secret\0", "is not text"),
        (b"secret of 16 and more\nsecret", "has more than one line"),
        (b"secret", "it must have 16 characters"),
    ],
)
def test_a_file_without_a_usable_secret_is_named_and_its_content_is_not(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSetting, match=re.escape(f"PODIUM_ADMIN_TOKEN_FILE ({path})")) as error:
        Settings.from_environment({"PODIUM_ADMIN_TOKEN_FILE": str(path)})
    assert words in error.value.message and "secret" not in error.value.message.replace("the secret", "")


@pytest.mark.parametrize("value", ["ghp_secret", "postgresql://u:secret@h/d", "secret" * 1_000])
def test_a_secret_in_place_of_its_file_is_not_repeated(value: str) -> None:
    with pytest.raises(BadSetting, match="GITHUB_TOKEN_FILE cannot be read") as error:
        Settings.from_environment({"GITHUB_TOKEN_FILE": value})
    assert "secret" not in error.value.message


def test_a_secret_in_a_folder_or_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(BadSetting, match="REDIS_PASSWORD_FILE"):
            Settings.from_environment({"REDIS_PASSWORD_FILE": str(path)})


def test_a_secret_is_in_the_variable_or_the_file(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="GITHUB_TOKEN and GITHUB_TOKEN_FILE are both set"):
        Settings.from_environment({"GITHUB_TOKEN": "secret", "GITHUB_TOKEN_FILE": str(tmp_path / "token")})
    # A variable that is not a secret has no file.
    assert Settings.from_environment({"PORT_FILE": "/nowhere"}) == Settings()


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("postgresql://podium@db.example:5433/podium?sslmode=require", "podium"),
        ("postgresql://podium:another@db.example/podium", "podium"),
        ("postgres://podium@one.example:1,two.example:2/podium?target_session_attrs=read-write", "podium"),
        ("postgresql://podium@/podium?host=/run/postgresql", "podium"),
        ("postgresql://db.example/podium", None),
    ],
)
def test_the_database_password_completes_the_url(url: str, user: str | None) -> None:
    settings = Settings.from_environment({"DATABASE_URL": url, "DATABASE_PASSWORD": "p@ss/w:rd %"})
    given, before = conninfo_to_dict(settings.database_url), conninfo_to_dict(url)
    assert given.pop("password") == "p@ss/w:rd %"
    assert given.get("user") == user
    before.pop("password", None)
    assert given == before
    child = settings.to_environment("database_url")
    assert Settings.from_environment(child).database_url == settings.database_url


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("PODIUM_ADMIN_TOKN", "PODIUM_ADMIN_TOKEN is the nearest"),
        ("PODIUM_MAX_COMMIT", "PODIUM_MAX_COMMITS is the nearest"),
        ("PODIUM_ADMIN_TOKEN_FIEL", "PODIUM_ADMIN_TOKEN_FILE is the nearest"),
        ("PODIUM_GITHUB_TOKEN", "write GITHUB_TOKEN"),
        ("PODIUM_DATABASE_URL_FILE", "write DATABASE_URL_FILE"),
        ("PODIUM_PORT", "write PORT"),
        ("podium_log_level", "write PODIUM_LOG_LEVEL"),
        ("PODIUM_DATA_DIR_FILE", "only secrets are read from files; write PODIUM_DATA_DIR"),
        ("PODIUM_ZZZZ_QQQQ", "docs/settings.md"),
    ],
)
def test_a_variable_that_is_no_setting_gets_the_nearest_right_name(variable: str, words: str) -> None:
    (line,) = unknown_variables({variable: "secret", "PODIUM_HOST": "::1", "PODIUM_ADMIN_TOKEN_FILE": "x", "HOME": "/"})
    assert line.startswith(f"{variable} is not a setting of Podium: ") and words in line
    assert "secret" not in line.replace("only secrets", "")


def test_on_the_command_line_only_limits_that_are_set_hold() -> None:
    settings = Settings.for_command_line({"PODIUM_MAX_PEOPLE": "7", "PODIUM_COUNT_MEMORY": " "})
    assert (settings.max_people, settings.count_memory, settings.count_cpu_seconds) == (7, 0, 0)
    assert settings.max_commits == 0
    assert Settings.from_environment({}).count_memory == 10**9


def test_a_child_process_gets_the_same_settings() -> None:
    settings = Settings(
        port=1,
        git_hosts=("https://a.example", "http://b.example:1"),
        show_emails=True,
        admin_token="t" * 16,
        data_dir="/x",
    )
    assert Settings.from_environment(settings.to_environment("admin_token")) == settings
    assert Settings().to_environment() == {}


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, 0),
        ({"GITHUB_TOKEN": "t", "DATABASE_URL": "postgresql://h/d"}, 0),
        ({"REDIS_URL": "redis://h"}, 86_400),
        ({"REDIS_HOST": "h"}, 86_400),
        ({"PODIUM_ALLOWED_HOSTS": "podium.example"}, 86_400),
        ({"PODIUM_TRUSTED_PROXIES": "10.0.0.0/8"}, 86_400),
        ({"REDIS_HOST": "h", "PODIUM_REFRESH_EVERY": "0"}, 0),
        ({"REDIS_HOST": "h", "PODIUM_REFRESH_EVERY": "auto"}, 86_400),
        ({"PODIUM_REFRESH_EVERY": "600"}, 600),
    ],
)
def test_boards_refresh_by_themselves_where_others_use_them(variables: dict[str, str], seconds: float) -> None:
    settings = Settings.from_environment(variables)
    assert settings.refresh_interval() == seconds
    # A child process does the same, without Redis' password.
    assert Settings.from_environment(settings.to_environment()).refresh_interval() == seconds


@pytest.mark.parametrize("value", ["-1", "0.5", "nan", "inf", "31622401", "daily"])
def test_an_interval_is_bounded(value: str) -> None:
    with pytest.raises(BadSetting, match=r"PODIUM_REFRESH_EVERY cannot be read: it must be"):
        Settings.from_environment({"PODIUM_REFRESH_EVERY": value})


def test_a_child_process_gets_only_the_secrets_that_it_needs() -> None:
    settings = Settings(
        github_tokens=("t",), admin_token="a", database_url="postgresql://u:p@h/d", redis_url="redis://h"
    )
    variables = settings.to_environment("database_url")
    assert variables == {
        "DATABASE_URL": "postgresql://u:p@h/d",
        "PODIUM_ACCOUNT_MAX_AGE": "86400.0",
        "PODIUM_REFRESH_EVERY": "86400.0",
    }
    # The child knows how old an account may be, though not the token.
    assert Settings.from_environment(variables).account_age() == settings.account_age() < Settings().account_age()


def test_the_data_folder_follows_the_platform() -> None:
    assert Settings(data_dir="/x").sqlite_path() == Path("/x/podium.db")
    assert Settings(xdg_data_home="/y").data_folder() == Path("/y/podium")
    assert Settings(database_url="sqlite:////z/p.db").sqlite_path() == Path("/z/p.db")


@pytest.mark.parametrize("folder", ["~/data", "data", "./data"])
def test_a_relative_folder_of_the_platform_is_ignored(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    settings = Settings.from_environment({"XDG_DATA_HOME": folder})
    assert settings.data_folder() == Path("/home/ada/.local/share/podium")
