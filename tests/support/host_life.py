"""What happens at a host while Podium is in trouble: pushes, renames, and deliveries of its hooks, true and false."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable

from tests.support import github_hooks
from tests.support.delivery import Delivery, send
from tests.support.hosted import Hosted, Hosting
from tests.support.repos import chain

SECRET = "a-secret-of-these-hooks"


class HostLife:
    """Plays so many acts at random, one after the other, and sends what the host would send, to ``server_url``.

    What is not received is lost, as GitHub's is: only the schedule finds it.
    """

    def __init__(self, hosting: Hosting, server_url: str, seed: int, acts: int) -> None:
        self.played: Counter[str] = Counter()
        self._hosting = hosting
        self._server_url = server_url
        self._dice = random.Random(seed)
        self._acts = acts
        self._sent: list[Delivery] = []
        self._stop = threading.Event()

    def run(self) -> None:
        kinds: dict[str, Callable[[Hosted], Delivery | None]] = {
            "push": self._push,
            "rename": self._rename,
            "replay": lambda _: self._dice.choice(self._sent) if self._sent else None,
            "false end": lambda hosted: github_hooks.event("deleted", hosted, SECRET),
        }
        for _ in range(self._acts):
            kind = self._dice.choices(list(kinds), [6, 1, 2, 1])[0]
            sent = kinds[kind](self._dice.choice(list(self._hosting)))
            self.played[kind] += 1
            if sent is not None:
                self._sent.append(sent)
                with contextlib.suppress(OSError):
                    send(self._server_url, sent)
            if self._stop.wait(self._dice.uniform(0.2, 1.2)):
                return

    def end(self) -> None:
        self._stop.set()

    def _push(self, hosted: Hosted) -> Delivery:
        head = hosted.head or ""
        author = (hosted.real.actors(head) or [])[0]
        chain(hosted.real.path, [f"{author.name} <{author.email}> 1700000000 +0000".encode()], [head])
        return github_hooks.push(hosted, SECRET)

    def _rename(self, hosted: Hosted) -> Delivery:
        old = hosted.name
        self._hosting.rename(hosted.full_name, f"{hosted.owner}/{old.partition('-')[0]}-{self.played.total()}")
        return github_hooks.renamed(hosted, old, SECRET)
