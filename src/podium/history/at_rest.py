"""The fast way over a repository that is at rest: commits read out of its packs, by several processes.

Where nothing but one history is there, as in a clone without trees, each commit is counted as it is read, and it is
proved at the end that they were that history. Elsewhere what was read waits until it is known which of it the head
reaches; the few commits that stand somewhere else are then looked up one by one.
"""

from __future__ import annotations

from collections.abc import Callable

from podium.git.command import Git
from podium.git.limits import Stop, Watch
from podium.history.closed_history import Proof
from podium.history.commit import parent_names
from podium.history.helpers import helping
from podium.history.packfile.reader import BadPack
from podium.history.packfiles import opened
from podium.history.parts import Parts, Queue, what_not_to_count
from podium.history.reach import Reach
from podium.history.reading import Reading
from podium.history.store import Store
from podium.history.survey import Survey
from podium.history.totals import Tally

# Commits that are looked up one by one; where more would be, git is no slower.
_MOST_LOOKED_UP = 20_000


class AnotherHistory(BadPack):
    """What was read is not the history alone that is counted, as it seemed to be."""


def count(git: Git, found: Survey, head: str, *, on_progress: Callable[[int, int], None], stop: Stop | None) -> Tally:
    """Count the commits that ``head`` reaches.

    ``on_progress`` is called with the number of commits so far, about, and of all, and may raise.

    Raises:
        BadPack: they cannot be read this way.
        AnotherHistory: they were to be a ``whole`` history, and prove not to be.
        HistoryError: it took longer than the limits allow.
        Interrupted: ``stop`` was set.
    """
    watch = Watch(git.limits, stop)
    reading = Reading(len(head), waits=not found.whole)
    known: Proof | Reach = Proof() if found.whole else Reach(head)
    with opened(found.packs, len(head) // 2) as packs, Queue(found.parts) as queue:

        def tell() -> None:
            watch.check()
            on_progress(found.entries * (queue.parts - queue.left()) // max(queue.parts, 1), found.entries)

        with helping(len(head), found, queue, on_part=known.add, memory=git.limits.memory) as helpers:
            parts = Parts(queue.source, packs, reading, tell)
            for seen in parts:
                known.add(0, *seen)
                for helper in helpers:
                    helper.hear()
            messages = [b""] * len(helpers)
            if isinstance(known, Reach):
                for helper in helpers:
                    helper.hear_parts(watch.check)
                beyond = _completed(known, head.encode(), reading, Store(found.objects, packs), watch.check)
                reading.settle(beyond, known.again[0])
                messages = [what_not_to_count(beyond, known.again[one]) for one in range(1, len(helpers) + 1)]
            told = [helper.hear_out(watch.check, said) for helper, said in zip(helpers, messages, strict=True)]
    for each in told:
        if each.counted:
            reading.tally.merge(*each.counted)
    read, bogus = parts.entries + sum(each.entries for each in told), reading.bogus + sum(each.bogus for each in told)
    if isinstance(known, Proof):
        fault = known.fault(head) if read == found.entries else "one holds another number of objects than it says"
        if fault:
            raise AnotherHistory(fault)
    if bogus:
        # git walks over none such, and says that the repository is damaged.
        raise BadPack(f"{bogus} commits are damaged")
    return reading.tally


def _completed(known: Reach, head: bytes, reading: Reading, store: Store, check: Callable[[], None]) -> set[bytes]:
    """Read what the head reaches and stands in none of the parts; give what was read and it does not reach."""
    looked_up = 0
    wanted = [] if head in known else [head]
    while True:
        while wanted:
            looked_up += len(wanted)
            if looked_up > _MOST_LOOKED_UP:
                raise BadPack("too many of its commits stand alone")
            seen = reading.add([store.commit(name) for name in wanted])
            if seen.names != wanted:
                raise BadPack("a commit has another name than its own")
            known.add(0, *seen)
            wanted = [name for name in dict.fromkeys(parent_names(seen.parents)) if name not in known]
            check()
        beyond = known.beyond()
        wanted = sorted(known.missing(beyond))
        if not wanted:
            return beyond
