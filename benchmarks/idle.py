"""Measure what idle worker processes cost: SQL statements, Redis commands and processor time per second.

python -m benchmarks.idle [FOLDER] [--processes N] [--seconds N]

FOLDER is another checkout of Podium (its ``src`` runs, with this environment's packages); by default this one.
PostgreSQL logs every statement, BEGIN and COMMIT are counted apart. Redis counts the commands of scripts, too.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.cli import clean_environment
from tests.support.postgres import running_postgres
from tests.support.processes import descendants
from tests.support.valkey import Valkey, running_valkey

_HERE = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
# Seconds until the first passes of all processes are over.
_SETTLE = 25.0


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=_HERE)
    parser.add_argument("--processes", type=int, default=6, help="half of them for each queue")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data, running_postgres() as postgres, running_valkey() as valkey:
        name = postgres.create()
        environment = clean_environment(
            PYTHONPATH=str(options.folder / "src"),
            PODIUM_DATA_DIR=data,
            DATABASE_URL=postgres.url(name),
            REDIS_URL=valkey.url,
        )
        podium = [sys.executable, "-m", "podium"]
        subprocess.run([*podium, "migrate"], env=environment, cwd=data, check=True, capture_output=True)
        postgres.ask("ALTER SYSTEM SET log_statement = 'all'; ")
        postgres.ask("SELECT pg_reload_conf()")
        each = str(options.processes // 2)
        workers = [
            subprocess.Popen([*podium, "worker", kind, "--processes", each], env=environment, cwd=data)
            for kind in ("commits", "users")
        ]
        try:
            time.sleep(_SETTLE)
            _report(postgres.log, valkey, [worker.pid for worker in workers], options.seconds)
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            for worker in workers:
                worker.wait()


def _report(log: Path, valkey: Valkey, parents: list[int], seconds: float) -> None:
    pids = [pid for parent in parents for pid in (parent, *descendants(parent))]
    before = (_statements(log), _commands(valkey), sum(map(_cpu_seconds, pids)), time.monotonic())
    time.sleep(seconds)
    after = (_statements(log), _commands(valkey), sum(map(_cpu_seconds, pids)), time.monotonic())
    took = after[3] - before[3]
    statements, bounds = (after[0][place] - before[0][place] for place in (0, 1))
    print(f"{len(pids)} processes, {took:.0f} s")
    print(f"SQL statements per second: {statements / took:.2f}, and {bounds / took:.2f} BEGIN and COMMIT")
    print(f"Redis commands per second: {(after[1] - before[1]) / took:.1f}")
    print(f"processor time: {100 * (after[2] - before[2]) / took:.2f} % of a core")


def _statements(log: Path) -> tuple[int, int]:
    """The statements that PostgreSQL has logged, and the bounds of transactions."""
    lines = [line.partition(": ")[2] for line in log.read_text(errors="replace").splitlines() if "LOG:  " in line]
    ran = [line for line in lines if line.lstrip().startswith(("statement:", "execute"))]
    bounds = sum(1 for line in ran if line.rpartition(": ")[2].strip().upper().startswith(("BEGIN", "COMMIT")))
    return len(ran) - bounds, bounds


def _commands(valkey: Valkey) -> int:
    with valkey.client() as client:
        return int(client.info("stats")["total_commands_processed"])


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


if __name__ == "__main__":
    main()
