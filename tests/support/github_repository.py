"""Build small repositories for tests of the lookup."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.repos import make_bare


def build(folder: Path, commits: Sequence[tuple[str, str]]) -> list[str]:
    """Make a bare repository with a linear history of ``(author e-mail, message)``; return the ids, oldest first."""
    if not folder.exists():
        make_bare(folder)
    stream = bytearray()
    for number, (email, message) in enumerate(commits, start=1):
        person = f"P <{email}> {1_700_000_000 + number} +0000".encode()
        data = message.encode()
        stream += b"commit refs/heads/main\nmark :%d\nauthor %s\ncommitter %s\n" % (number, person, person)
        stream += b"data %d\n%s\n" % (len(data), data)
        stream += b"from :%d\n" % (number - 1) if number > 1 else b""
        stream += b"\n"
    marks = folder / "marks"
    command = ["git", "-C", str(folder), "fast-import", "--quiet", f"--export-marks={marks}"]
    subprocess.run(command, input=bytes(stream), check=True)
    # Lines of `:NUMBER ID`, in any order.
    ids = dict(line.split() for line in marks.read_text().splitlines())
    return [ids[f":{number}"] for number in range(1, len(commits) + 1)]


def together(*emails: str) -> str:
    """A commit message with a co-author per e-mail."""
    trailers = "\n".join(f"Co-authored-by: C <{email}>" for email in emails)
    return f"Work\n\nTogether.\n\n{trailers}\n"
