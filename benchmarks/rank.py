"""``podium rank PATH`` against ``git shortlog -sne``, which does less, on the same treeless clones in turn.

python -m benchmarks.rank REPOSITORY…        # bare repositories; without any, a synthetic one of 100,000 commits
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import measure, synthetic


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name:
        work = Path(name)
        subjects = options.repositories or [_synthetic(work)]
        print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {options.runs} runs")
        print("| repository | commits | git shortlog -sne | podium rank | ratio (min-max) | peak memory |")
        print("|---|---|---|---|---|---|")
        for subject in subjects:
            print(_measured(subject, work, options.runs), flush=True)


def _synthetic(work: Path) -> Path:
    folder = work / "synthetic-100k.git"
    synthetic.build(folder, 100_000, 5_000)
    return folder


def _measured(subject: Path, work: Path, runs: int) -> str:
    clone = work / "clone.git"
    git_environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(
        [
            *("git", "clone", "--quiet", "--bare", "--filter=tree:0", "--single-branch", "--no-tags"),
            # A local upload-pack is given no configuration of ours in any other way.
            *("--upload-pack", "git -c uploadpack.allowFilter=true upload-pack"),
            *(subject.absolute().as_uri(), str(clone)),
        ],
        env=git_environment,
        check=True,
    )
    data = work / "data"
    environment = {**git_environment, "PODIUM_DATA_DIR": str(data)}
    rank = [sys.executable, "-m", "podium", "rank", "--no-identities", str(clone)]
    shortlog = ["git", "-C", str(clone), "-c", "mailmap.blob=", "shortlog", "-sne", "HEAD"]
    commits = subprocess.run(
        ["git", "-C", str(clone), "rev-list", "--count", "HEAD"], capture_output=True, check=True, text=True
    ).stdout.strip()
    ours, theirs = [], []
    _forget(environment)
    measure.run(rank, environment)
    for _ in range(runs):
        _forget(environment)
        ours.append(measure.run(rank, environment))
        theirs.append(measure.run(shortlog, git_environment))
    _forget(environment)
    peak = measure.run(rank, environment, watch_memory=True).peak_mb
    low, middle, high = measure.ratios(ours, theirs)
    shutil.rmtree(clone)
    shutil.rmtree(data)
    return (
        f"| {subject.stem} | {int(commits):,} | {statistics.median(run.seconds for run in theirs):.2f} s "
        f"| {statistics.median(run.seconds for run in ours):.2f} s | {middle:.2f} ({low:.2f}-{high:.2f}) "
        f"| {peak:.0f} MB |"
    )


def _forget(environment: dict[str, str]) -> None:
    """The database exists, but has never seen this repository: ranking again would count nothing."""
    script = (
        "import os; from podium import bootstrap; from podium.settings import Settings\n"
        "db = bootstrap.open_database(Settings.from_environment(os.environ))\n"
        "with db.write() as session:\n"
        "    session.run('DELETE FROM weekly_activity'); session.run('DELETE FROM repository')\n"
        "db.close()"
    )
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


if __name__ == "__main__":
    main()
