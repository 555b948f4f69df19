"""Measure the cost of a thousand watchers of one live board: the server's memory and CPU, and database reads.

python -m benchmarks.watchers [--watchers N] [--seconds S]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.site import served
from tests.support.web import Site, open_site


def main() -> None:
    """MetricsMiddleware, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name, open_site(Path(name)) as site:
        number = site.repository(state="commits_processing")
        with served(Path(name)) as (base, process):
            asyncio.run(_watch(site, number, base, process, options.watchers, options.seconds))


async def _watch(site: Site, number: int, base: str, process: int, watchers: int, seconds: float) -> None:
    host, port = urlsplit(base).hostname or "", urlsplit(base).port or 0
    memory = _memory(process)
    heard = [0] * watchers
    clients = [asyncio.create_task(_listen(host, port, number, heard, place)) for place in range(watchers)]
    while min(heard) < 1:
        await asyncio.sleep(0.1)
    heard[:] = [0] * watchers
    started, used, readings = time.monotonic(), _processor(process), _readings(base)
    steps = 0
    while time.monotonic() - started < seconds:
        steps += 1
        progress = f'{{"stage": "commits", "phase": "counting", "commits": {steps * 1000}}}'
        with site.db.write() as session:
            session.run("UPDATE repository SET progress = :p, updated_at = :n", p=progress, n=float(steps))
        await asyncio.sleep(0.5)
    took = time.monotonic() - started
    print("| watchers | events per second and watcher | memory per watcher | CPU | database reads per second |")
    print("|---|---|---|---|---|")
    print(
        f"| {watchers:,} | {min(heard) / took:.1f} | {(_memory(process) - memory) / watchers / 1000:.0f} kB "
        f"(server {_memory(process) / 1e6:.0f} MB) | {(_processor(process) - used) / took:.0%} of one core "
        f"| {(_readings(base) - readings) / took:.1f} |"
    )
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


async def _listen(host: str, port: int, number: int, heard: list[int], place: int) -> None:
    # A thousand connections at once overflow the listen queue.
    await asyncio.sleep(place * 0.002)
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET /events/{number} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    async for line in reader:
        heard[place] += line.startswith(b"data:")


def _memory(process: int) -> int:
    fields = Path(f"/proc/{process}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def _processor(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _readings(base: str) -> int:
    return int(httpx.get(f"{base}/bare/readings", trust_env=False).text)


if __name__ == "__main__":
    main()
