"""The exit codes of every command; README has the same table."""

from __future__ import annotations

EXIT_CODES = {
    0: "success; also a server or worker that was stopped, and a reader that closed the pipe, such as `head`",
    1: (
        "any other error; also a problem that `podium doctor` found, and with `--drain` a repository that failed or "
        "cannot be counted"
    ),
    2: (
        "an error that you can fix: a wrong option, address, file or setting, an unreachable host, a full disk, a "
        "folder or file that cannot be written, a database or queue that refuses or cannot be reached"
    ),
    130: "interrupted by Ctrl-C or SIGTERM: what was saved stays, so run the command again to continue",
}
