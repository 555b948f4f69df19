"""Kill Podium 200 times and compare every board, row by row, with the board of an undisturbed run.

    python -m benchmarks.chaos [--kills 200] [--repositories 50] [--seed 1] [--outage 60]

PostgreSQL and Valkey come from wheels; a git server and a GitHub run on loopback; the API, two commit workers and two
user workers are real processes with default settings. Every second or two one random fault: SIGKILL of a worker or the
API, SIGSTOP past the lease, FLUSHALL, Redis down for ten seconds, PostgreSQL restarted or crashed, connections cut,
faults of GitHub, a stalled git server; and for a minute each: no git host, a full disk of one worker, a full Redis, a
read-only PostgreSQL, a refused token. Each round begins with these five. Meanwhile the host has pushes and renames, and
sends hooks: some are lost with the API, some are repeated, some are false. Rounds repeat until enough processes were
killed; each is compared with a run without faults on what the host has by then. At the end, one repository whose worker
is killed each time it starts. Nothing is retried by hand: a repository that fails, or a board that stays without
accounts, fails the run.

A full disk needs the right to mount a small file system; without it, that fault is left out, and the output says so.
"""

from __future__ import annotations

import argparse
import collections
import statistics
import sys
import tempfile
from pathlib import Path

from tests.support import chaos, fork_server

# What happens at the host in each round: pushes, renames, and hooks.
ACTS = 60


def main() -> int:
    """Run it; give the exit code: 1 where a board differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--repositories", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--outage", type=float, default=60, help="seconds of each outage")
    options = parser.parse_args()
    # A process that imports all of Podium again takes longer than the pause between two faults on a busy machine.
    with fork_server.forking(), tempfile.TemporaryDirectory(prefix="podium-chaos-") as folder:
        return _run(Path(folder), options.kills, options.repositories, options.seed, options.outage)


def _run(folder: Path, kills: int, repositories: int, seed: int, outage: float) -> int:
    rounds: list[chaos.Report] = []
    differing = 0
    with chaos.world(folder, repositories, seed) as world:
        while sum(report.kills for report in rounds) < kills:
            number = len(rounds)
            report = chaos.disturbed(
                world, folder / f"round-{number}", seed + number, outage=outage, play=chaos.OUTAGES, acts=ACTS
            )
            # The repositories as they are now.
            expected, calm = chaos.undisturbed(world, folder / f"undisturbed-{number}")
            print(f"undisturbed: {repositories} repositories in {calm:.0f} s", flush=True)
            if "disk full" not in report.faults:
                print("no small file system can be mounted here: no disk was full", flush=True)
            rounds.append(report)
            different = sum(report.boards[view] != board for view, board in expected.items())
            differing += different
            print(
                f"round {number + 1}: {report.kills} kills and {sum(report.faults.values())} faults beside "
                f"{', '.join(f'{times} of {act}' for act, times in report.acts.items())} in "
                f"{report.took:.0f} s, {different} of {len(expected)} boards differ, queues empty; longest time "
                f"without progress {report.longest_silence:.0f} s",
                flush=True,
            )
        error, deaths, took = chaos.killer(world, folder / "killer")
    _print_table(rounds)
    print(f"\na repository that crashes its worker each time: failed after {deaths} crashes and {took:.0f} s: {error}")
    return 1 if differing else 0


def _print_table(rounds: list[chaos.Report]) -> None:
    recovery: dict[str, list[float]] = collections.defaultdict(list)
    for report in rounds:
        for fault, seconds in report.recovery.items():
            recovery[fault] += seconds
    print(f"\n{sum(report.kills for report in rounds)} processes killed. Seconds from fault to progress:\n")
    print("| fault | times | median | 90 % | most |\n|---|---|---|---|---|")
    for fault, seconds in sorted(recovery.items()):
        ninety = statistics.quantiles(seconds, n=10)[-1] if len(seconds) > 1 else seconds[0]
        print(f"| {fault} | {len(seconds)} | {statistics.median(seconds):.1f} | {ninety:.1f} | {max(seconds):.1f} |")


if __name__ == "__main__":
    sys.exit(main())
