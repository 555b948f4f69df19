"""Settings: read once, each documented, secrets never repeated."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from podium.errors import BadSetting
from podium.settings import Settings

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
        ("PODIUM_ADMIN_TOKEN", "secret-and-short"[:-1]),
        ("REDIS_HOST", "redis.example:6379"),
        ("REDIS_HOST", "redis://redis.example"),
    ],
)
def test_a_value_that_cannot_be_read_names_its_variable_and_not_itself(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=variable) as error:
        Settings.from_environment({variable: value})
    assert "secret" not in error.value.message


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


def test_a_child_process_gets_only_the_secrets_that_it_needs() -> None:
    settings = Settings(
        github_tokens=("t",), admin_token="a", database_url="postgresql://u:p@h/d", redis_url="redis://h"
    )
    variables = settings.to_environment("database_url")
    assert variables == {"DATABASE_URL": "postgresql://u:p@h/d", "PODIUM_ACCOUNT_MAX_AGE": "86400.0"}
    # The child knows how old an account may be, though not the token.
    assert Settings.from_environment(variables).account_age() == settings.account_age() < Settings().account_age()


def test_the_data_folder_follows_the_platform() -> None:
    assert Settings(data_dir="/x").sqlite_path() == Path("/x/podium.db")
    assert Settings(xdg_data_home="/y").data_folder() == Path("/y/podium")
    assert Settings(database_url="sqlite:////z/p.db").sqlite_path() == Path("/z/p.db")
