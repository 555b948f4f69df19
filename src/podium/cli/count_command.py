"""``podium _count``: the child process of a server that counts one repository."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Mapping

from podium.app.count_process import count_one
from podium.app.startup import configure_log
from podium.settings import Settings
from podium.workers.child import stop_with_parent


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = threading.Event()
    stop_with_parent(stop)
    settings = Settings.from_environment(environment)
    configure_log(settings)
    count_one(settings, options.repository_id, options.token, options.job, stop)
    return 0
