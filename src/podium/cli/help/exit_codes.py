"""The exit codes of every command; README has the same table."""

from __future__ import annotations

EXIT_CODES = {
    0: "success, including a stopped server or worker and a reader that closes the pipe early, such as `head`",
    1: (
        "any other error, a problem found by `podium doctor`, or (with `--drain`) a repository that failed or "
        "cannot be counted"
    ),
    2: (
        "an error that you can fix: a wrong option, address, file or setting, an unreachable host, a full disk, a "
        "folder or file that cannot be written, a database or queue that refuses or cannot be reached"
    ),
    130: "interrupted by Ctrl-C or SIGTERM: saved work is kept; run the command again to continue",
}
