"""deploy/: everything that can be known of it without a Docker engine or a cloud."""

from __future__ import annotations

import argparse
import copy
import fnmatch
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
    "POSTGRES_PASSWORD": "0123abcd",
    "REDIS_PASSWORD": "4567abcd",
    "PODIUM_ADMIN_TOKEN": "0123456789abcdef",
    "GITHUB_TOKEN": "token",
}
# What Secret Manager gives.
SECRETS = {"DATABASE_URL": "postgresql://u:p@h/d", "REDIS_URL": "redis://h"}
# Ours, of images that are not.
OF_OTHERS = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE", "REDISCLI_AUTH"}


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def filled(text: str) -> str:
    """With every ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?why}`` as a person fills it in."""

    def value(match: re.Match[str]) -> str:
        given, word = FILLED_IN.get(match[1], ""), match[3] or ""
        if match[2] == ":+":
            return word if given else ""
        return given or (word if match[2] == ":-" else "")

    return re.sub(r"\$\{([A-Z_]+)(?:(:-|:\?|:\+)([^}]*))?\}", value, text)


def settings_of(variables: Mapping[str, str]) -> Settings:
    """The settings that Podium reads from ``variables``, each of which must be one of its own."""
    known = {field.metadata["variable"] for field in Settings.__dataclass_fields__.values()}
    assert variables.keys() <= known, f"unknown to Podium: {variables.keys() - known}"
    return Settings.from_environment(variables)


def parsed(words: list[str]) -> argparse.Namespace:
    """A command of Podium's, read by its own parser."""
    return parser().parse_args(words)


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
    assert parsed([*entry[entry.index("podium") + 1 :], *command]).func == "serve:run"
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
    "api": {"DATABASE_URL", "REDIS_URL", "REDIS_PASSWORD", "PODIUM_ADMIN_TOKEN", "PODIUM_METRICS_TOKEN"},
    "commits": {"DATABASE_URL", "REDIS_URL", "REDIS_PASSWORD", "PODIUM_METRICS_TOKEN"},
    "users": {"DATABASE_URL", "REDIS_URL", "REDIS_PASSWORD", "PODIUM_METRICS_TOKEN", "GITHUB_TOKEN"},
    "migrate": {"DATABASE_URL"},
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


def ours(compose: Any) -> dict[str, Any]:
    return {name: service for name, service in compose["services"].items() if service["image"] == "podium"}


def test_compose_is_what_the_specification_says() -> None:
    checker = [str(SCRIPTS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_has_every_part(compose: Any) -> None:
    commands = {name: parsed(service["command"]) for name, service in ours(compose).items()}
    assert commands.keys() == {"api", "commits", "users", "migrate"}
    assert commands["api"].func == "serve:run"
    assert commands["migrate"].func == "migrate_command:run"
    assert (commands["commits"].kind, commands["users"].kind) == ("commits", "users")


def test_composes_settings_are_podiums_and_its_secrets_are_filled_in(compose: Any) -> None:
    for name, service in ours(compose).items():
        variables = {name: filled(str(value)) for name, value in service["environment"].items()}
        settings = settings_of(variables)
        assert settings.uses_postgres
        assert settings.uses_redis is (name != "migrate")
        for variable in secret_variables() & service["environment"].keys():
            assert "${" in str(service["environment"][variable])
    text = COMPOSE.read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+)", text))
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (DEPLOY / "example.env").read_text(), flags=re.MULTILINE))
    assert set(example) <= asked
    assert not any(example.values())
    for name in re.findall(r"\$\{([A-Z_]+):\?", text):
        assert name in example


def test_each_part_of_compose_has_only_its_own_secrets(compose: Any) -> None:
    for name, service in ours(compose).items():
        assert secret_variables() & service["environment"].keys() <= OWN_SECRETS[name]
    ages = {
        name: settings_of({key: filled(str(value)) for key, value in service["environment"].items()}).account_age()
        for name, service in ours(compose).items()
        if name != "migrate"
    }
    assert set(ages.values()) == {86_400.0}


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


def test_composes_secrets_stand_on_no_command_line_and_in_no_image(compose: Any) -> None:
    for service in compose["services"].values():
        words = " ".join(map(str, [*service.get("command", ()), *service.get("healthcheck", {}).get("test", ())]))
        assert "${" not in words
        assert "PASSWORD" not in words
        assert "args" not in service.get("build", {})


def test_composes_other_services_are_configured_by_names_that_they_know(compose: Any) -> None:
    for name, service in compose["services"].items():
        if name not in ours(compose):
            assert set(service.get("environment", {})) <= OF_OTHERS


def test_composes_redis_starts_with_its_configuration(compose: Any, tmp_path: Path) -> None:
    """A real server reads the file that compose writes."""
    content = filled(compose["configs"]["redis"]["content"]).replace("dir /data", f"dir {tmp_path}")
    password = FILLED_IN["REDIS_PASSWORD"]
    assert f"requirepass {password}\n" in content
    with running_valkey(content, password) as server, server.client() as client:
        info = client.info("everything")
    assert info["maxmemory_policy"] == "noeviction"
    assert info["aof_enabled"] == 1


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


def documents() -> list[tuple[str, Any]]:
    return [(path.name, YAML(typ="safe").load(filled(path.read_text()))) for path in CLOUD_RUN]


@pytest.mark.parametrize(("name", "document"), documents(), ids=lambda value: value if isinstance(value, str) else "")
def test_cloud_run_takes_it(name: str, document: Any) -> None:
    assert cloud_run.faults(document) == []
    assert name.endswith(f".{document['kind'].lower()}.yaml")


@pytest.mark.parametrize(("name", "document"), documents(), ids=lambda value: value if isinstance(value, str) else "")
def test_its_command_and_settings_are_podiums(name: str, document: Any) -> None:
    [container] = cloud_run.pod(document)["containers"]
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


def test_there_is_a_service_and_a_job_for_both_workers() -> None:
    names = {path.name.removesuffix(".yaml") for path in CLOUD_RUN}
    assert {"commits.service", "commits.job", "users.service", "users.job"} <= names


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda spec: spec.update(hostNetwork=True), "hostNetwork: unknown"),
        (lambda spec: spec["containers"][0].pop("image"), "image: missing"),
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
    document = copy.deepcopy(dict(documents())["commits.service.yaml"])
    change(cloud_run.pod(document))
    assert any(fault in found for found in cloud_run.faults(document))


# The page about it


def test_every_command_in_the_docs_is_one_that_podium_has() -> None:
    seen = 0
    for path in (ROOT / "docs" / "deploy.md", ROOT / "docs" / "operating.md", DOCKERFILE, COMPOSE):
        for line in path.read_text().splitlines():
            for match in re.finditer(r"(?:\$ |`|run --rm (?:[a-z]+ )?)podium ([a-z][^`#|→]*)", line):
                words = shlex.split(match[1].split(" > ")[0].replace("[ID…]", "7").replace("[SECONDS]", "2"))
                parsed([word for word in words if word not in ("…", "ID")] + ["7"] * words.count("ID"))
                seen += 1
    assert seen > 10
