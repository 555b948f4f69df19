"""Run git. Each process leads a process group, which ends with the work.

``--git-dir`` always names the repository, so no variable and no parent folder can replace it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from podium.errors import HistoryError
from podium.git import processes
from podium.git.environment import Profile, person_profile, server_profile
from podium.git.error_messages import translate
from podium.git.limits import Limits, Stop, TransferWatch, Watch, check_cpu_time
from podium.git.progress import Progress, ProgressReader

_KEPT_ERRORS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """``errors`` is the beginning of standard error."""

    code: int
    output: bytes
    errors: bytes


class Git:
    def __init__(self, profile: Profile, limits: Limits) -> None:
        self.limits = limits
        self._profile = profile

    @classmethod
    def for_server(cls, limits: Limits, *, search_path: str, protocols: Sequence[str] = ("https",)) -> Git:
        """For a server that clones addresses of strangers. ``search_path`` is as in ``PATH``."""
        idle = limits.idle_timeout if limits.idle_timeout is not None else 120.0
        return cls(server_profile(search_path=search_path, protocols=protocols, idle_timeout=idle), limits)

    @classmethod
    def for_person(cls, environment: Mapping[str, str], limits: Limits | None = None) -> Git:
        """For the command line: the user's own git and environment."""
        return cls(person_profile(environment), limits or Limits())

    def has_variable(self, name: str) -> bool:
        """Whether git's environment has a value for it."""
        return bool(self._profile.environment.get(name))

    def run(
        self,
        *words: str,
        repository: Path | None = None,
        folder: Path | None = None,
        variables: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        most: int = 64 << 20,
        transfers: bool = False,
        configuration: Sequence[str] = (),
        stop: Stop | None = None,
    ) -> Answer:
        """Run a command to its end, whatever its exit code.

        Args:
            words: put ``--end-of-options`` before any word from outside.
            repository: None: git searches from ``folder`` on.
            folder: None: ``repository``.
            most: bytes of output that are accepted.
            transfers: whether it may use the network.
            configuration: further ``name=value`` words.

        Raises:
            HistoryError: 'too-large' by time or output, 'git-missing', 'not-a-repository' (no such folder).
            Interrupted: ``stop`` was set.
        """
        output, errors = bytearray(), bytearray()

        def collect(data: bytes) -> None:
            output.extend(data)
            if len(output) > most:
                raise HistoryError("too-large", f"git {words[0]} printed more than Podium accepts for one repository.")

        environment = {**self._profile.variables(transfers=transfers), **(variables or {})}
        argv = self._argv(words, repository, configuration)
        own_group = not (transfers and self._profile.on_terminal)
        process = self._start(argv, environment, folder or repository, own_group=own_group)
        watch = Watch(self.limits, stop, idle=transfers)
        with processes.ended(process, own_group):
            processes.pump(process, stdin, {process.stdout: collect, process.stderr: _kept(errors)}, watch.check)
        check_cpu_time(process.returncode)
        return Answer(process.returncode, bytes(output), bytes(errors))

    def read(self, *words: str, repository: Path, stdin: bytes = b"", stop: Stop | None = None) -> bytes:
        """Return the output of a command that must succeed.

        Raises:
            HistoryError: as git's standard error says, or as :meth:`run`.
            Interrupted: ``stop`` was set.
        """
        answer = self.run(*words, repository=repository, stdin=stdin, stop=stop)
        if answer.code != 0:
            raise translate(answer.errors, words[0])
        return answer.output

    def line(self, *words: str, repository: Path) -> str | None:
        """The output of a command, without space around it; None if the command fails or prints nothing."""
        answer = self.run(*words, repository=repository)
        text = answer.output.decode("utf-8", "replace").strip()
        return text if answer.code == 0 and text else None

    def transfer(
        self,
        *words: str,
        repository: Path,
        progress: Progress,
        variables: Mapping[str, str] | None = None,
        configuration: Sequence[str] = (),
        ceiling: int | None = None,
        meanwhile: Callable[[], bool] | None = None,
        stop: Stop | None = None,
    ) -> bytes:
        """Fetch into ``repository`` within all limits; return the beginning of standard error.

        Args:
            words: the command, with ``--progress``.
            ceiling: bytes on disk, instead of the limit's.
            meanwhile: does other work in small steps; returns whether there is more to do at once.

        Raises:
            HistoryError: as git's standard error says, or the limit that was reached.
            Interrupted: ``stop`` was set.
        """
        reader = ProgressReader(progress)
        # In its own process group, a program that asks its user on the terminal is stopped.
        own_group = not self._profile.on_terminal
        argv = self._argv(words, repository, configuration)
        environment = {**self._profile.variables(transfers=True), **(variables or {})}
        process = self._start(argv, environment, repository, own_group=own_group)
        watch = TransferWatch(self.limits, stop, repository, process.pid, ceiling)

        def receive(data: bytes) -> None:
            watch.moved()
            reader.feed(data)

        with processes.ended(process, own_group):
            processes.pump(
                process,
                b"",
                {process.stdout: _kept(bytearray()), process.stderr: receive},
                watch.check,
                meanwhile=meanwhile,
            )
        errors = reader.close()
        check_cpu_time(process.returncode)
        if process.returncode != 0:
            raise translate(errors, words[0])
        watch.measure()
        return errors

    def stream(self, first: Sequence[str], second: Sequence[str], *, repository: Path) -> Pipeline:
        """Start ``first | second``; close it after use.

        Raises:
            HistoryError: one of them cannot be started.
        """
        # Without it, rev-list flushes each line.
        environment = {**self._profile.variables(transfers=False), "GIT_FLUSH": "0"}
        with contextlib.ExitStack() as stack:
            source = self._start(self._argv(first, repository), environment, repository)
            stack.enter_context(processes.ended(source))
            sink = self._start(self._argv(second, repository), environment, repository, stdin=source.stdout)
            stack.enter_context(processes.ended(sink))
            assert source.stdout  # noqa: S101 # a pipe
            source.stdout.close()
            return Pipeline(source, sink, stack.pop_all(), self.limits, first[0])

    def _argv(self, words: Sequence[str], repository: Path | None, configuration: Sequence[str] = ()) -> list[str]:
        where = [f"--git-dir={repository}"] if repository else []
        return ["git", *where, *self._profile.words(configuration), *words]

    def _start(
        self,
        argv: list[str],
        environment: Mapping[str, str],
        folder: Path | None,
        *,
        own_group: bool = True,
        stdin: IO[bytes] | None = None,
    ) -> processes.Process:
        try:
            return processes.start(
                argv,
                environment,
                folder,
                memory=self.limits.memory,
                cpu_seconds=self.limits.cpu_seconds,
                own_group=own_group,
                stdin=stdin,
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            if error.filename == "git":
                raise HistoryError(
                    "git-missing", "git is not installed here, or not on PATH: install it, then try again."
                ) from None
            if isinstance(error, PermissionError):
                raise HistoryError("not-readable", f"This user may not enter {error.filename}.") from None
            raise HistoryError("not-a-repository", "There is no git repository at this path.") from None
        except OSError as error:
            raise HistoryError("no-process", f"git cannot be started: {error.strerror}.", transient=True) from None


class Pipeline:
    def __init__(
        self,
        source: processes.Process,
        sink: processes.Process,
        stack: contextlib.ExitStack,
        limits: Limits,
        doing: str,
    ) -> None:
        self._source, self._sink = source, sink
        self._stack = stack
        self._limits = limits
        self._doing = doing

    def output(self, stop: Stop | None) -> Iterator[bytes]:
        """Yield the second command's output as it comes.

        Raises:
            HistoryError: one of them failed; 'corrupt' unless git gives a better reason.
            Interrupted: ``stop`` was set.
        """
        errors, output = bytearray(), bytearray()
        source, sink = self._source, self._sink
        assert source.stderr and sink.stdout and sink.stderr  # noqa: S101 # all are pipes
        watch = Watch(self._limits, stop)
        with selectors.DefaultSelector() as selector:
            selector.register(sink.stdout, selectors.EVENT_READ, output.extend)
            selector.register(source.stderr, selectors.EVENT_READ, _kept(errors))
            selector.register(sink.stderr, selectors.EVENT_READ, _kept(errors))
            while selector.get_map():
                for key, _ in selector.select(processes.TICK):
                    if data := os.read(key.fd, processes.CHUNK):
                        key.data(data)
                    else:
                        selector.unregister(key.fileobj)
                if len(output) >= processes.CHUNK // 2:
                    yield bytes(output)
                    output.clear()
                watch.check()
        yield bytes(output)
        if source.wait() or sink.wait():
            check_cpu_time(source.returncode)
            check_cpu_time(sink.returncode)
            raise _damage(bytes(errors), self._doing)

    def close(self) -> None:
        self._stack.close()


def _kept(errors: bytearray) -> Callable[[bytes], None]:
    return lambda data: errors.extend(data[: max(0, _KEPT_ERRORS - len(errors))])


def _damage(errors: bytes, doing: str) -> HistoryError:
    """A walk that fails for an unknown reason could not read the repository."""
    found = translate(errors, doing)
    if found.code in ("too-large", "disk-full", "corrupt"):
        return found
    return HistoryError("corrupt", f"The repository is damaged: {found.message}")
