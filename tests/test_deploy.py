"""deploy/: everything that can be known of it without a Docker engine or a cloud."""

from __future__ import annotations

import argparse
import copy
import fnmatch
import functools
import json
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from podium import __version__
from podium.cli.arguments import parser
from podium.settings import Settings
from tests.support import cloud_run
from tests.support.cli import Podium
from tests.support.server import serving
from tests.support.valkey import running_valkey

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
COMPOSE = DEPLOY / "compose.yaml"
CLOUD_RUN = sorted((DEPLOY / "cloud-run").glob("*.yaml"))
SCRIPTS = Path(sysconfig.get_path("scripts"))

# What a person fills in, in the YAML of the cloud and in compose's .env.
FILLED_IN = {
    "IMAGE": "podium",
    "PROJECT": "a-project",
    "HOST": "podium.example.org",
}
# What Secret Manager gives.
SECRETS = {"DATABASE_URL": "postgresql://u:p@h/d", "REDIS_URL": "redis://h"}
# Ours, of images that are not.
OF_OTHERS = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"}


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def filled(text: str) -> str:
    """With every ``${NAME}`` and ``${NAME:-default}`` as a person fills it in."""
    return re.sub(r"\$\{([A-Z_]+)(?::?-([^}]*))?\}", lambda match: FILLED_IN.get(match[1], match[2] or ""), text)


def secret_files() -> dict[str, str]:
    """The variables that name a file, and the secrets in it."""
    return {f"{variable}_FILE": variable for variable in secret_variables()}


def lines_of(path: Path) -> dict[str, str]:
    """The variables of a file of settings."""
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", path.read_text(), flags=re.MULTILINE))


def with_secrets(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Variables whose files with secrets are in ``folder``, as they are where Podium runs."""
    values = {"DATABASE_URL": "postgresql://u:p@h/d", "REDIS_URL": "redis://h", "GITHUB_TOKEN": "token"}
    given = {name: value for name, value in variables.items() if name not in secret_files()}
    for name in secret_files().keys() & variables.keys():
        (folder / name).write_text(values.get(secret_files()[name], "0123456789abcdef") + "\n")
        given[name] = str(folder / name)
    return given


def settings_of(variables: Mapping[str, str]) -> Settings:
    """The settings that Podium reads from ``variables``, each of which must be one of its own."""
    known = {field.metadata["variable"] for field in Settings.__dataclass_fields__.values()}
    unknown = variables.keys() - known - secret_files().keys()
    assert not unknown, f"unknown to Podium: {unknown}"
    return Settings.from_environment(variables)


_parser = functools.cache(parser)


def parsed(words: list[str]) -> argparse.Namespace:
    """A command of Podium's, read by its own parser."""
    return _parser().parse_args(words)


def secret_variables() -> set[str]:
    return {f.metadata["variable"] for f in Settings.__dataclass_fields__.values() if f.metadata["secret"]}


# The image


Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions, each in one line."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.strip().partition(" ") for line in text.splitlines() if line.strip()]
    return [(word.upper(), rest.strip()) for word, _, rest in lines]


def stages() -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def last(word: str) -> str:
    return [rest for of, rest in stages()[-1] if of == word][-1]


def test_the_linter_finds_nothing() -> None:
    done = subprocess.run([SCRIPTS / "hadolint", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_build_stays_behind_and_nothing_runs_as_root() -> None:
    assert len(stages()) == 2
    assert [rest.split()[0] for word, rest in instructions() if word == "FROM"] == ["python:3.13-slim"] * 2
    assert "pip install" not in " ".join(rest for _, rest in stages()[-1])
    user, group = last("USER").split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert f"--owner={user}" in last("RUN")


def test_no_secret_is_baked_in() -> None:
    for word, rest in instructions():
        assert word != "ARG"
        if word == "ENV":
            names = {each.partition("=")[0] for each in shlex.split(rest)}
            assert not names & (secret_variables() | {"POSTGRES_PASSWORD"})


def test_the_image_starts_podium_and_its_settings_are_podiums() -> None:
    entry, command = json.loads(last("ENTRYPOINT")), json.loads(last("CMD"))
    assert entry[-1] == "podium"
    assert parsed([*entry[entry.index("podium") + 1 :], *command]).func == "commands.serve_command:run"
    variables = dict(each.split("=", 1) for each in shlex.split(last("ENV")))
    del variables["PYTHONUNBUFFERED"]
    settings = settings_of(variables)
    assert settings.data_dir == last("VOLUME") == last("WORKDIR")
    assert str(settings.port) == last("EXPOSE")
    assert "git" in last("RUN").split()


def ignored(path: str) -> bool:
    """Whether a file of the repository is kept out of the image's build (the last pattern that matches decides)."""
    out = False
    for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        parts = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
        plain = pattern.removeprefix("!").removeprefix("**/")
        names = parts + ([part.rpartition("/")[2] for part in parts] if "**/" in pattern else [])
        if any(fnmatch.fnmatchcase(name, plain) for name in names):
            out = not pattern.startswith("!")
    return out


def test_what_is_copied_is_enough_to_build_podium_and_nothing_else(tmp_path: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    sources = [
        word for of, rest in stages()[0] if of == "COPY" for word in rest.split()[:-1] if not word.startswith("--")
    ]
    for source in sources:
        files = [path for path in tracked if path == source or path.startswith(source + "/")]
        assert files, f"{source} is not there to be copied"
        for path in files:
            assert not ignored(path), path
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, tmp_path / path)
    for secret in ("deploy/.env", ".git/config", ".venv/bin/python", "data/podium.db", "tests/conftest.py"):
        assert ignored(secret)
    build = "import flit_core.buildapi as b; print(b.build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(tmp_path / done.stdout.strip()) as wheel:
        built = set(wheel.namelist())
    wanted = {path.removeprefix("src/") for path in tracked if path.startswith("src/podium/")}
    assert wanted <= built
    assert any(name.endswith("templates/board.html") for name in built)
    assert "requirements.txt" in sources


# The secrets of each part, and no others
OWN_SECRETS = {
    "api": {
        "DATABASE_URL",
        "DATABASE_PASSWORD",
        "REDIS_URL",
        "REDIS_PASSWORD",
        "PODIUM_ADMIN_TOKEN",
        "PODIUM_METRICS_TOKEN",
        "PODIUM_WEBHOOK_SECRETS",
    },
    "commits": {"DATABASE_URL", "DATABASE_PASSWORD", "REDIS_URL", "REDIS_PASSWORD", "PODIUM_METRICS_TOKEN"},
    "users": {
        "DATABASE_URL",
        "DATABASE_PASSWORD",
        "REDIS_URL",
        "REDIS_PASSWORD",
        "PODIUM_METRICS_TOKEN",
        "GITHUB_TOKEN",
    },
    "migrate": {"DATABASE_URL", "DATABASE_PASSWORD"},
}


def test_what_builds_podium_is_locked_with_hashes() -> None:
    locked = (ROOT / "requirements-build.txt").read_text()
    for requirement in tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]:
        assert requirement.replace("_", "-") + " \\\n    --hash=sha256:" in locked
    for path in ROOT.glob("requirements*.txt"):
        # No option, so no address of an index: the lock holds wherever packages come from.
        assert not re.search(r"^\s*-(?!-hash=sha256:)", path.read_text(), re.MULTILINE)
    for path in (ROOT / "Makefile", DOCKERFILE):
        text = re.sub(r"\\\n", " ", path.read_text())
        for command in re.findall(r"pip (?:install|wheel)\b[^\n&`]*", text):
            checked = "--require-hashes" in command or "--no-build-isolation" in command or "--no-index" in command
            assert checked or "uv" in command, command


# Compose


@pytest.fixture(scope="module")
def compose() -> Any:
    return load(COMPOSE)


def check_schema(name: str, path: Path) -> None:
    """Check a file as the command ``check-jsonschema`` does, which takes longest to start."""
    from check_jsonschema import main  # type: ignore[import-untyped]

    assert main(["--builtin-schema", name, str(path)], standalone_mode=False) == 0


def ours(compose: Any) -> dict[str, Any]:
    return {name: service for name, service in compose["services"].items() if service["image"] == "podium"}


def test_compose_is_what_the_specification_says() -> None:
    check_schema("vendor.compose-spec", COMPOSE)


def test_compose_has_every_part(compose: Any) -> None:
    commands = {name: parsed(service["command"]) for name, service in ours(compose).items()}
    assert commands.keys() == {"api", "commits", "users", "migrate"}
    assert commands["api"].func == "commands.serve_command:run"
    assert commands["migrate"].func == "commands.migrate_command:run"
    assert (commands["commits"].kind, commands["users"].kind) == ("commits", "users")


def test_composes_settings_are_podiums(compose: Any, tmp_path: Path) -> None:
    shared = lines_of(DEPLOY / "example.env")
    assert not {*secret_variables(), *secret_files()} & shared.keys()
    for name, service in ours(compose).items():
        # The order in which Compose reads them.
        variables = shared | {key: filled(str(value)) for key, value in service["environment"].items()}
        assert service["env_file"] == ["podium.env"]
        settings = settings_of(with_secrets(variables, tmp_path))
        assert settings.uses_postgres
        assert settings.uses_redis is (name != "migrate")
        assert settings.account_age() == 86_400.0


def test_each_part_of_compose_has_only_its_own_secrets_and_as_files(compose: Any) -> None:
    files = compose["secrets"]
    assert all(secret["file"] == f"secrets/{name}" for name, secret in files.items())
    for name, service in ours(compose).items():
        # The URL of the database has no password.
        assert secret_variables() & service["environment"].keys() == {"DATABASE_URL"}
        named = {key: filled(value) for key, value in service["environment"].items() if key in secret_files()}
        assert {secret_files()[key] for key in named} <= OWN_SECRETS[name]
        assert sorted(named.values()) == sorted(f"/run/secrets/{secret}" for secret in service["secrets"])
        assert set(service["secrets"]) <= files.keys()
    ignored_by_git = (ROOT / ".gitignore").read_text().split()
    assert {"/deploy/podium.env", "/deploy/secrets/"} <= set(ignored_by_git)


def test_every_deployment_can_receive_webhooks(compose: Any) -> None:
    of_files = [
        compose["services"]["api"]["environment"],
        *(
            path.read_text()
            for path in (DEPLOY / "systemd").glob("podium*.service")
            if "podium serve" in path.read_text()
        ),
        (DEPLOY / "kubernetes" / "api.yaml").read_text(),
    ]
    assert len(of_files) == 4
    assert all("PODIUM_WEBHOOK_SECRETS_FILE" in each for each in of_files)
    assert "PODIUM_WEBHOOK_SECRETS" in (DEPLOY / "cloud-run" / "api.service.yaml").read_text()


def test_an_empty_file_of_secrets_is_none(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("\n")
    (tmp_path / "empty").touch()
    for name in ("none", "empty"):
        files = {f"{variable}_FILE": str(tmp_path / name) for variable in ("PODIUM_WEBHOOK_SECRETS", "GITHUB_TOKEN")}
        settings = settings_of(files)
        assert (settings.webhook_secrets, settings.github_tokens) == ((), ())


def test_nothing_of_compose_starts_before_what_it_needs(compose: Any) -> None:
    for name in ("api", "commits", "users"):
        needs = ours(compose)[name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert needs["redis"]["condition"] == needs["postgres"]["condition"] == "service_healthy"
    for name, service in compose["services"].items():
        assert "healthcheck" in service or name == "migrate"


def test_compose_opens_one_port_and_keeps_data_in_named_volumes(compose: Any) -> None:
    services = compose["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["api"]
    port = filled(services["api"]["ports"][0])
    assert port == "127.0.0.1:3000:3000"
    assert port.endswith(services["api"]["environment"]["PORT"])
    assert compose["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis"):
        assert services[name]["networks"] == ["inside"]
    named = {volume.partition(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    assert named == compose["volumes"].keys()


def test_composes_secrets_are_in_no_environment_and_no_image(compose: Any) -> None:
    for name, service in compose["services"].items():
        assert "args" not in service.get("build", {})
        if name not in ours(compose):
            assert set(service.get("environment", {})) <= OF_OTHERS


def test_composes_redis_starts_by_its_command_line(compose: Any, tmp_path: Path) -> None:
    """The shell of the container, with a real server."""
    password = "4567abcd"
    service = compose["services"]["redis"]
    places = {"/data": "data", "/tmp": "tmp", "/run/secrets": "secrets", "/etc": "etc"}
    for folder in places.values():
        (tmp_path / folder).mkdir()

    def here(text: str) -> str:
        text = re.sub("|".join(places), lambda match: str(tmp_path / places[match[0]]), text)
        return text.replace("$$", "$")

    (tmp_path / "secrets" / "redis-password").write_text(password + "\n")
    (tmp_path / "etc" / "podium-redis.conf").write_text(here(compose["configs"]["redis"]["content"]))
    # The server prints the configuration that it would read.
    (tmp_path / "redis-server").write_text('#!/bin/sh\necho "$0 $@"; cat "$1"\n')
    (tmp_path / "redis-server").chmod(0o755)
    words = [here(word) for word in service["command"]]
    path = f"{tmp_path}:/usr/bin:/bin"
    printed = subprocess.run(words, env={"PATH": path}, capture_output=True, text=True, check=True).stdout
    command_line, _, content = printed.partition("\n")
    assert password not in command_line
    assert (tmp_path / "tmp" / "redis.conf").stat().st_mode & 0o077 == 0
    with running_valkey(content, password) as server, server.client() as client:
        options = client.config_get("maxmemory-policy", "appendonly", "dir")
    assert options == {"maxmemory-policy": "noeviction", "appendonly": "yes", "dir": str(tmp_path / "data")}


def test_the_health_check_of_compose_asks_a_real_server(compose: Any, tmp_path: Path) -> None:
    kind, *words = compose["services"]["api"]["healthcheck"]["test"]
    assert (kind, words[0]) == ("CMD", "python")
    assert ours(compose)["commits"]["healthcheck"] == ours(compose)["users"]["healthcheck"]
    with serving(Podium(tmp_path / "data")) as server:
        asked = [sys.executable, *words[1:]]
        assert subprocess.run(asked, env={"PORT": str(server.port)}, check=False).returncode == 0
    done = subprocess.run(asked, env={"PORT": str(server.port)}, capture_output=True, check=False)
    assert done.returncode != 0


# Cloud Run


@functools.cache
def documents() -> dict[str, Any]:
    return {path.name: YAML(typ="safe").load(filled(path.read_text())) for path in CLOUD_RUN}


@pytest.mark.parametrize("name", [path.name for path in CLOUD_RUN])
def test_cloud_run_takes_it(name: str) -> None:
    document = documents()[name]
    assert cloud_run.faults(document) == []
    assert name.endswith(f".{document['kind'].lower()}.yaml")


@pytest.mark.parametrize("name", [path.name for path in CLOUD_RUN])
def test_its_command_and_settings_are_podiums(name: str) -> None:
    document = documents()[name]
    container, *_ = cloud_run.pod(document)["containers"]
    options = parsed(container["args"])
    variables, secrets = {}, set()
    for each in container["env"]:
        if "valueFrom" in each:
            secrets.add(each["name"])
        variables[each["name"]] = each.get("value") or SECRETS.get(each["name"], "0123456789abcdef")
    settings = settings_of(variables)
    assert settings.uses_postgres
    assert secrets == secret_variables() & variables.keys()
    part = name.partition(".")[0]
    assert secrets <= OWN_SECRETS[part]
    assert cloud_run.pod(document)["serviceAccountName"] == f"podium-{part}@a-project.iam.gserviceaccount.com"
    assert part == "migrate" or settings.account_age() == 86_400.0
    if part in ("commits", "users"):
        assert settings.uses_redis
        assert options.kind == part
        # A job ends when nothing is left; a service never does.
        assert options.drain is (document["kind"] == "Job")
    if part == "commits":
        disk = cloud_run.size(cloud_run.pod(document)["volumes"][0]["emptyDir"]["sizeLimit"])
        assert settings.mirror_cache_bytes + options.processes * settings.max_repository_bytes <= disk
        memory = cloud_run.size(container["resources"]["limits"]["memory"])
        assert disk + options.processes * settings.git_memory < memory


def test_cloud_run_cuts_no_live_page_and_each_part_has_a_token_for_metrics() -> None:
    for name, document in documents().items():
        if name.endswith(".service.yaml"):
            variables = {each["name"] for each in cloud_run.pod(document)["containers"][0]["env"]}
            assert "PODIUM_METRICS_TOKEN" in variables
    api = cloud_run.pod(documents()["api.service.yaml"])
    assert (api["timeoutSeconds"], api["containerConcurrency"]) == (3600, 1000)


@pytest.mark.parametrize("part", ["commits", "users"])
def test_a_collector_beside_each_worker_scrapes_its_metrics(part: str, tmp_path: Path) -> None:
    """The worker's port answers only inside of its instance, so its metrics are read there."""
    worker, collector = cloud_run.pod(documents()[f"{part}.service.yaml"])["containers"]
    variables = {each["name"]: each for each in collector["env"]}
    token = {each["name"]: each for each in worker["env"]}["PODIUM_METRICS_TOKEN"]
    assert variables["PODIUM_METRICS_TOKEN"] == token
    assert collector["args"] == ["--config=env:COLLECTOR_CONFIG"]
    config = YAML(typ="safe").load(variables["COLLECTOR_CONFIG"]["value"])
    [scrape] = config["receivers"]["prometheus"]["config"]["scrape_configs"]
    assert scrape["authorization"] == {"credentials": "${env:PODIUM_METRICS_TOKEN}"}
    [target] = scrape["static_configs"]
    assert target == {"targets": [f"localhost:{worker['ports'][0]['containerPort']}"]}
    pipeline = config["service"]["pipelines"]["metrics"]
    assert {name: list(config[name]) for name in ("receivers", "processors", "exporters")} == pipeline


# The workflow


def test_the_workflow_is_what_github_takes_and_pins_what_it_runs() -> None:
    path = ROOT / ".github" / "workflows" / "image.yaml"
    check_schema("vendor.github-workflows", path)
    document = load(path)
    steps = document["jobs"]["image"]["steps"]
    for step in steps:
        assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        # What others write comes as a variable, never as text of the script.
        assert "${{" not in step.get("run", "")
    assert document["permissions"] == {"contents": "read"}
    check = next(step["run"] for step in steps if "package's version" in step.get("name", ""))
    for tag, status in ((f"v{__version__}", 0), ("v9.9.9", 1)):
        environment = {"GITHUB_REF_NAME": tag, "PATH": "/usr/bin:/bin"}
        assert subprocess.run(["sh", "-c", check], cwd=ROOT, env=environment, check=False).returncode == status


def test_there_is_a_service_and_a_job_for_both_workers() -> None:
    names = {path.name.removesuffix(".yaml") for path in CLOUD_RUN}
    assert {"commits.service", "commits.job", "users.service", "users.job"} <= names


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda spec: spec.update(hostNetwork=True), "hostNetwork: unknown"),
        (lambda spec: spec["containers"][0].pop("image"), "image: missing"),
        (lambda spec: spec["containers"][0].pop("name"), "name: missing"),
        (lambda spec: spec["containers"][0].pop("ports"), "exactly one"),
        (lambda spec: spec["containers"][0]["env"].append({"name": "PORT", "value": "1"}), "PORT is Cloud Run's own"),
        (lambda spec: spec["containers"][0]["env"].append({"name": "X"}), "needs one value"),
        (lambda spec: spec["containers"][0]["resources"]["limits"].update(memory="64Gi"), "more than"),
        (lambda spec: spec["containers"][0]["startupProbe"].update(failureThreshold=60), "240 s"),
        (lambda spec: spec["containers"][0]["livenessProbe"]["httpGet"].update(port=1), "another port"),
        (lambda spec: spec["volumes"][0]["emptyDir"].update(sizeLimit="8Gi"), "leave none"),
        (lambda spec: spec["containers"][0].pop("volumeMounts"), "are not the volumes"),
        (lambda spec: spec["containers"][0].update(args=[]), "something in it"),
        (lambda spec: spec.update(timeoutSeconds="60"), "is no int"),
    ],
)
def test_what_cloud_run_would_refuse_is_found(change: Any, fault: str) -> None:
    document = copy.deepcopy(documents()["commits.service.yaml"])
    change(cloud_run.pod(document))
    assert any(fault in found for found in cloud_run.faults(document))


# The page about it


def test_every_command_in_the_docs_is_one_that_podium_has() -> None:
    seen = 0
    for path in (
        ROOT / "docs" / "deploy.md",
        ROOT / "docs" / "operating.md",
        ROOT / "docs" / "rollback.md",
        DOCKERFILE,
        COMPOSE,
    ):
        for line in path.read_text().splitlines():
            for match in re.finditer(r"(?:\$ |`|run --rm (?:[a-z]+ )?)podium ([a-z][^`#|→]*)", line):
                words = shlex.split(match[1].split(" > ")[0].replace("[ID…]", "7").replace("[SECONDS]", "2"))
                parsed([word for word in words if word not in ("…", "ID")] + ["7"] * words.count("ID"))
                seen += 1
    assert seen > 10
