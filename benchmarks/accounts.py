"""Looking 30,000 e-mails up at a double of GitHub that takes 200 ms to answer, in e-mails per second.

python -m benchmarks.accounts [--emails N] [--latency SECONDS] [--workers N]

The alternative is one search request an e-mail: GitHub allows 30 searches a minute
(https://docs.github.com/en/rest/search/search#rate-limit), whatever the latency, so its speed is known without waiting
for it: half an e-mail per second.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from podium import bootstrap
from podium.settings import Settings
from tests.support.community import Community, build, gather
from tests.support.github_double import GitHubDouble
from tests.support.resolving import desk

SEARCHES_PER_SECOND = 30 / 60


def main() -> None:
    """Measure, check that everybody was found, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emails", type=int, default=30_000)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--workers", type=int, default=Settings().user_workers)
    options = parser.parse_args()
    # Of ten people one has a noreply address besides, which needs no request, and one a second e-mail that does.
    community = gather(options.emails * 10 // 11)
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name:
        folder = Path(name) / "r.git"
        build(folder, community)
        seconds, requests = _resolved(folder, Path(name) / "data", community, options.latency, options.workers)
    emails = sum("noreply" not in email for email in community.emails)
    speed = emails / seconds
    print(f"{emails:,} e-mails, {options.latency * 1000:.0f} ms an answer, {options.workers} workers")
    print("| way | requests | e-mails per second | ratio |")
    print("|---|---|---|---|")
    print(f"| Podium | {requests} ({1000 * requests / emails:.1f} per 1,000) | {speed:,.0f} | |")
    print(
        f"| one search an e-mail, 30 a minute | {emails:,} | {SEARCHES_PER_SECOND} "
        f"| {speed / SEARCHES_PER_SECOND:,.0f} times slower |"
    )


def _resolved(folder: Path, data: Path, community: Community, latency: float, workers: int) -> tuple[float, int]:
    db = bootstrap.open_database(Settings(data_dir=str(data)))
    with GitHubDouble({"o/r": folder}, community.accounts, latency=latency) as double, desk(db, double) as podium:
        number = podium.count(folder)
        start = time.perf_counter()
        podium.resolve(number, workers=workers)
        seconds = time.perf_counter() - start
        if podium.rows(number) != dict(community.rows()):
            raise SystemExit("The board is not what the accounts say.")
    db.close()
    return seconds, double.asked()


if __name__ == "__main__":
    main()
