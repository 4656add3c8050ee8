# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only door to the machine: commands, files, kernel attributes, time."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Iterator, Sequence, TypeVar

from . import _direct_io, _host_lock
from ._host_file import PLACES, aside_name, clear, replace_file, why
from ._host_net import ask_netlink, ask_unix, dial_tcp, echo_of

T = TypeVar("T")
GONE = (FileNotFoundError, NotADirectoryError, ProcessLookupError)  # the last: a process that has just ended
Connection = socket.socket
ENVIRONMENT = {
    "LC_ALL": "C",
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}


class Problem(Exception):
    """What a person is told: what was wanted, what was found, what to do."""


class Late(Problem):
    """A command did not end within its time."""


@dataclass(frozen=True)
class Ran:
    """A command that ended: its exit code and what it printed."""

    rc: int
    out: str
    err: str


def lines_of(text: str | None) -> list[str]:
    """The lines of a text as the programs see them that read it: they end at a line feed and nowhere else.

    str.splitlines() also ends them at form feeds, U+0085, U+2028 and others, which stand within the lines of people.
    """
    found = (text or "").split("\n")
    return found if found[-1] else found[:-1]


class Host:
    """This machine. Tests replace it whole, and nothing else."""

    def run(self, *argv: str, ok: Sequence[int] | None = (0,), timeout: float = 60, stdin: str = "") -> Ran:
        """Run a command, never through a shell. An exit code outside 'ok' is a Problem (ok=None: none is)."""
        try:
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function # run_command has no time limit
                argv,
                env=ENVIRONMENT,
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise Problem(f"Cannot run '{argv[0]}': {error.strerror}. Is its package installed?") from error
        except ValueError as error:
            raise Problem(f"Cannot run '{argv[0]}': {why(error, argv[0])}.") from error
        try:
            out, err = process.communicate(stdin.encode(errors="surrogateescape"), timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)  # not waited for: a task in D state never dies
            raise Late(f"'{' '.join(argv)}' did not end within {timeout:g} seconds.") from error
        ran = Ran(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
        if ok is not None and ran.rc not in ok:
            said = " ".join((ran.err.strip() or ran.out.strip()).split())
            raise Problem(f"'{' '.join(argv)}' failed with exit code {ran.rc}: {said}")
        return ran

    def read(self, path: str) -> str | None:
        """The text of a file; None when it is not there. What is no UTF-8 in it comes back as it was by 'write'."""

        def act() -> str:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                parts = list(iter(lambda: os.read(handle, 1 << 20), b""))
            finally:
                os.close(handle)
            return b"".join(parts).decode(errors="surrogateescape")

        return self._ask("read", path, act, None)

    def block(self, path: str, offset: int, size: int, seconds: float | None = None) -> bytes:
        """Bytes of a disk or file past the page cache: what is on it, not what this host remembers of it; within a time."""
        try:
            if seconds is not None:
                return _direct_io.read_within(path, offset, size, seconds)
            return _direct_io.read_direct(path, offset, size)
        except (OSError, ValueError) as error:
            raise Problem(f"Cannot read {size} bytes at {offset} of '{path}': {why(error, path)}.") from error

    def list(self, path: str) -> list[str]:
        """The names in a directory, sorted; empty when it is not there."""
        return self._ask("list", path, lambda: sorted(os.listdir(path)), [])

    def stat(self, path: str) -> os.stat_result | None:
        """What stat(2) says of a path, links followed; None when it is not there."""
        return self._ask("look at", path, lambda: os.stat(path), None)

    def room(self, path: str) -> int | None:
        """Bytes that root can still write to the file system of a path; None when it is not there (statvfs(3))."""
        told = self._ask("look at the file system of", path, lambda: os.statvfs(path), None)
        return told.f_bfree * told.f_frsize if told else None

    def real(self, path: str) -> str:
        """The path with every link followed, there or not."""
        return self._ask("follow", path, lambda: os.path.realpath(path), path)

    def link(self, path: str) -> str | None:
        """What a symbolic link says; None when it is not there or no link."""

        def act() -> str | None:
            try:
                return os.readlink(path)
            except OSError as error:
                if error.errno != errno.EINVAL:  # it is no link: readlink(2)
                    raise
                return None

        return self._ask("follow", path, act, None)

    def write(self, path: str, text: str, mode: int | None = None, directory: str = "") -> None:
        """Replace a file whole or not at all: written aside, synced, renamed. A link stays, and its file is replaced.

        A mode of None keeps the mode that is there (0644 for a new file); owner, SELinux label and ACL are kept. It is
        written aside in its own directory, or in another one of the same file system, where others read all of its own.
        """
        self._do("write", path, lambda: replace_file(path, text, mode, directory))

    def aside(self, name: str) -> str:
        """A path for a file that is needed while this process runs; 'tidy' knows it."""
        return f"/run/{aside_name(name)}"

    def tidy(self) -> None:
        """Remove what runs of this collection that were killed were writing."""
        for place in PLACES:
            clear(place)

    def extend(self, path: str, size: int, full: bool = False) -> None:
        """Make a file (0600) or let it grow to a size in bytes, sparse or with all its blocks; what is in it stays."""

        def act() -> None:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if full:
                    os.posix_fallocate(handle, 0, size)
                elif os.fstat(handle).st_size < size:
                    os.ftruncate(handle, size)
            finally:
                os.close(handle)

        self._do(f"give {size} bytes to", path, act)

    def poke(self, path: str, text: str) -> None:
        """Write a kernel attribute (configfs, sysfs, /proc) in place."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(handle, text.encode(errors="surrogateescape"))
            finally:
                os.close(handle)
        except (OSError, ValueError) as error:
            raise Problem(f"The kernel refused to set '{path}': {why(error, path)}.") from error

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        """Make a directory, its parents too; fine when it is there."""
        self._do("make the directory", path, lambda: os.makedirs(path, mode, exist_ok=True))

    def rmdir(self, path: str) -> None:
        """Remove an empty directory (in configfs: the object itself)."""
        self._do("remove", path, lambda: os.rmdir(path))

    def remove(self, path: str) -> None:
        """Remove a file or a link."""
        self._do("remove", path, lambda: os.unlink(path))

    def symlink(self, target: str, path: str) -> None:
        """Make a symbolic link at 'path'."""
        self._do("link", path, lambda: os.symlink(target, path))

    def hard_link(self, path: str, name: str) -> bool:
        """Give a file a second name; False when that name is taken (a lock that works on every file system)."""

        def act() -> bool:
            try:
                os.link(path, name)
            except FileExistsError:
                return False
            return True

        return self._do("link", path, act)

    @contextmanager
    def lock(self, path: str, seconds: float = _host_lock.PATIENCE) -> Iterator[None]:
        """Hold the lock of a file (flock(2)), which is made where it is not there; it ends with this process at the latest."""
        handle = self._do("open", path, lambda: _host_lock.open_lock(path))
        try:
            if not self.until(lambda: _host_lock.take_lock(handle), seconds, 0.05):
                raise Problem(_host_lock.locked(handle, path, seconds))
            yield
        finally:
            os.close(handle)

    def chmod(self, path: str, mode: int) -> None:
        """Set the permission bits of a path."""
        self._do("set the mode of", path, lambda: os.chmod(path, mode))

    def dial(self, address: str, port: int, nic: str = "", seconds: float = 5) -> Connection:
        """A TCP connection there, through this network interface if one is named; an OSError when there is none."""
        return dial_tcp(address, port, nic, seconds)

    def unreachable(self, address: str, port: int, nic: str = "", seconds: float = 5) -> str:
        """Why nothing accepts a TCP connection there; empty: it does."""
        try:
            self.dial(address, port, nic, seconds).close()
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def echo(self, address: str, size: int, nic: str = "", seconds: float = 1) -> bool:
        """Whether a packet of this size (bytes with its IP header) that nobody may fragment is answered (ICMP echo)."""
        return self._do("ping", address, lambda: echo_of(address, size, nic, seconds))

    def netlink(
        self,
        protocol: int,
        message: bytes,
        takes: Callable[[bytes], bool],
        group: int = 0,
        seconds: float = 15,
    ) -> bytes:
        """Send a netlink message to the kernel; the first message from it that 'takes' says is the answer.

        A group is a multicast group (its bit) that the answer may come to.
        """
        try:
            answer = ask_netlink(protocol, message, takes, group, seconds)
        except OSError as error:
            raise Problem(f"Cannot ask the kernel (netlink {protocol}): {error.strerror}.") from error
        if answer is not None:
            return answer
        raise Late(f"The kernel did not answer (netlink {protocol}) within {seconds:g} seconds.")

    def dialogue(self, path: str, message: bytes, seconds: float = 15) -> bytes:
        """Send a message to a daemon's socket; all that it answers until it ends the connection, empty when it does not."""
        try:
            return ask_unix(path, message, seconds)
        except OSError:
            return b""

    def scsi(self, asked: Sequence[tuple[str, bytes, int]], seconds: float = 10) -> Sequence[bytes | None]:
        """What devices answer to SCSI commands that only read: (device, command, length of the answer) each.

        b"" where the device refused the command, None where it did not answer in time. A device on a dead path can hold
        its caller for minutes, so a child asks, and is left behind when the time is over.
        """
        return _direct_io.ask_scsi(asked, seconds)

    def until(self, test: Callable[[], T], seconds: float, every: float = 0.2) -> T:
        """Ask again and again until the answer is true or the time is over; the last answer."""
        end = time.monotonic() + seconds
        while True:
            answer = test()
            if answer or time.monotonic() >= end:
                return answer
            time.sleep(every)

    def booted(self) -> float:
        """When this boot began, in seconds since the epoch: what monotonic kernel times count from."""
        return time.time() - time.monotonic()

    def _ask(self, verb: str, path: str, act: Callable[[], T], gone: T) -> T:
        try:
            return act()
        except GONE:
            return gone
        except (OSError, ValueError) as error:
            raise Problem(f"Cannot {verb} '{path}': {why(error, path)}.") from error

    def _do(self, verb: str, path: str, act: Callable[[], T]) -> T:
        try:
            return act()
        except (OSError, ValueError) as error:
            raise Problem(f"Cannot {verb} '{path}': {why(error, path)}.") from error
