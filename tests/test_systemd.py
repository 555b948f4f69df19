"""deploy/systemd: the units, by what systemd has and by what Podium has."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_deploy import DEPLOY, OWN_SECRETS, lines_of, parsed, secret_files, settings_of, with_secrets

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
NAMES = [path.stem for path in UNITS]

# Settings of systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5) and systemd.resource-control(5).
KNOWN = {
    "Unit": "Description Wants After StartLimitIntervalSec",
    "Service": """Type ExecStart Restart RestartSec RestartPreventExitStatus TimeoutStopSec KillMode EnvironmentFile
        Environment LoadCredential DynamicUser StateDirectory StateDirectoryMode UMask WorkingDirectory ProtectSystem
        ProtectHome PrivateTmp PrivateDevices ProtectClock ProtectControlGroups ProtectHostname ProtectKernelLogs
        ProtectKernelModules ProtectKernelTunables ProtectProc NoNewPrivileges CapabilityBoundingSet AmbientCapabilities
        LockPersonality RestrictNamespaces RestrictRealtime RestrictSUIDSGID RestrictAddressFamilies
        SystemCallArchitectures SystemCallFilter SystemCallErrorNumber""",
    "Install": "WantedBy",
}


def read(path: Path) -> dict[str, dict[str, list[str]]]:
    """The values of each setting of each section."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text().splitlines():
        if section := re.fullmatch(r"\[(\w+)\]", line):
            settings = found.setdefault(section[1], {})
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            settings.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("path", UNITS, ids=NAMES)
def test_a_unit_has_settings_that_systemd_knows(path: Path) -> None:
    for section, settings in read(path).items():
        assert settings.keys() <= set(KNOWN[section].split())


@pytest.mark.parametrize("path", UNITS, ids=NAMES)
def test_a_unit_runs_podium_with_its_own_secrets_and_one_folder(path: Path, tmp_path: Path) -> None:
    service = read(path)["Service"]
    program, *words = shlex.split(service["ExecStart"][0])
    assert program == "/opt/podium/bin/podium"
    part = path.stem.removeprefix("podium-")
    options = parsed(words)
    variables = dict(each.split("=", 1) for each in service["Environment"])
    assert variables["PODIUM_DATA_DIR"] == f"%S/{service['StateDirectory'][0]}" == f"%S/{path.stem}"
    credentials = dict(each.split(":", 1) for each in service["LoadCredential"])
    assert all(source == f"/etc/podium/secrets/{name}" for name, source in credentials.items())
    named = {variable: value for variable, value in variables.items() if variable in secret_files()}
    assert sorted(named.values()) == sorted(f"%d/{name}" for name in credentials)
    settings = settings_of(with_secrets(lines_of(DEPLOY / "example.env") | variables, tmp_path))
    if part == "podium":
        assert not settings.uses_postgres and not settings.uses_redis
    else:
        assert {secret_files()[variable] for variable in named} <= OWN_SECRETS[part]
        assert settings.uses_postgres
        assert settings.uses_redis is (part != "migrate")
        assert getattr(options, "kind", part) == part
    for hardened in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "ProtectHome"):
        assert service[hardened] == ["yes"]
    assert service["ProtectSystem"] == ["strict"] and service["CapabilityBoundingSet"] == [""]


def test_workers_on_one_machine_have_ports_of_their_own() -> None:
    ports = [parsed(shlex.split(read(path)["Service"]["ExecStart"][0])[1:]) for path in UNITS]
    given = [options.port for options in ports if getattr(options, "kind", None)]
    assert len(set(given)) == len(given) == 2 and None not in given


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    podium = Path(sys.executable).parent / "podium"
    for path in UNITS:
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/podium/bin/podium", str(podium)))
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / path.name) for path in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    # It also reports what it does not know of the machine's own units.
    assert str(tmp_path) not in done.stdout + done.stderr, done.stderr
    assert not any(path.name in done.stderr for path in UNITS), done.stderr
