"""Kill Podium two hundred times, and compare every board with the undisturbed run's, row by row.

    python -m benchmarks.chaos [--kills 200] [--repositories 50] [--seed 1]

PostgreSQL and Valkey from wheels, a git server and a GitHub on loopback, the API, two commit and two user workers as
real processes on default settings. Every second or two a random one of: SIGKILL of a worker or the API, SIGSTOP for
longer than the lease, FLUSHALL, Redis away for ten seconds, PostgreSQL restarted or crashed, connections cut, faults
of GitHub, a git server that stalls. Round after round, until as many processes were killed. Then one repository whose
worker is killed each time that it begins.
"""

from __future__ import annotations

import argparse
import collections
import statistics
import sys
import tempfile
from pathlib import Path

from tests.support import chaos


def main() -> int:
    """Run it; give the exit code: 1 where a board differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--repositories", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-chaos-") as folder:
        return _run(Path(folder), options.kills, options.repositories, options.seed)


def _run(folder: Path, kills: int, repositories: int, seed: int) -> int:
    rounds: list[chaos.Report] = []
    differing = 0
    with chaos.world(folder, repositories, seed) as world:
        expected, calm = chaos.undisturbed(world, folder / "undisturbed")
        print(f"undisturbed: {repositories} repositories in {calm:.0f} s", flush=True)
        while sum(report.kills for report in rounds) < kills:
            number = len(rounds)
            report = chaos.disturbed(world, folder / f"round-{number}", seed + number)
            rounds.append(report)
            different = sum(report.boards[view] != board for view, board in expected.items())
            differing += different
            print(
                f"round {number + 1}: {report.kills} kills and {sum(report.faults.values())} faults in "
                f"{report.took:.0f} s, {different} of {len(expected)} boards differ, queues empty; longest time "
                f"without progress {report.longest_silence:.0f} s",
                flush=True,
            )
        error, deaths, took = chaos.killer(world, folder / "killer")
    _print_table(rounds)
    print(f"\na repository that kills its worker each time: failed after {deaths} deaths and {took:.0f} s: {error}")
    return 1 if differing else 0


def _print_table(rounds: list[chaos.Report]) -> None:
    recovery: dict[str, list[float]] = collections.defaultdict(list)
    for report in rounds:
        for fault, seconds in report.recovery.items():
            recovery[fault] += seconds
    print(f"\n{sum(report.kills for report in rounds)} processes killed. Seconds until something was got done again:\n")
    print("| fault | times | median | 90 % | most |\n|---|---|---|---|---|")
    for fault, seconds in sorted(recovery.items()):
        ninety = statistics.quantiles(seconds, n=10)[-1] if len(seconds) > 1 else seconds[0]
        print(f"| {fault} | {len(seconds)} | {statistics.median(seconds):.1f} | {ninety:.1f} | {max(seconds):.1f} |")


if __name__ == "__main__":
    sys.exit(main())
