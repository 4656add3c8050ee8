# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of 'host' that speaks with disks below the file system: SCSI commands that only read, and direct reads."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import select
import signal
import struct
import time
from array import array
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Sequence

PAGE = 4096
SG_IO = 0x2285  # scsi/sg.h
SG_IO_HEADER = struct.Struct("@iiBBHIPPPIIiPBBBBHHiII")
FROM_DEVICE = -3
UNIT_ATTENTION = 6


def ask_scsi(asked: Sequence[tuple[str, bytes, int]], seconds: float) -> Sequence[bytes | None]:
    """What 'Host.scsi' says."""
    said, _whole = _child_says(lambda answers: _ask(asked, answers), seconds)
    lines = (line.split(b" ", 1) for line in said.split(b"\n")[:-1])
    answers = {int(number): bytes.fromhex(text.decode()) for number, text in lines}
    return [answers.get(number) for number in range(len(asked))]


def read_direct(path: str, offset: int, size: int) -> bytes:
    """Bytes from a disk or file, by O_DIRECT (open(2)), which wants offset, size and memory aligned."""
    begin, end = offset // PAGE * PAGE, -(-(offset + size) // PAGE) * PAGE
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECT)
    with open(handle, "rb", buffering=0) as disk, mmap.mmap(-1, end - begin) as memory:
        disk.seek(begin)
        count = disk.readinto(memory) or 0
        return memory[offset - begin : min(count, offset - begin + size)]


def read_within(path: str, offset: int, size: int, seconds: float) -> bytes:
    """The same, by a child: whoever reads a device on a dead path may never come back."""

    def read(answer: int) -> None:
        try:
            said = b"%d " % 0 + read_direct(path, offset, size)
        except (OSError, ValueError) as error:
            said = b"%d " % (getattr(error, "errno", None) or errno.EINVAL)
        with open(answer, "wb", closefd=False) as pipe:
            pipe.write(said)

    said, whole = _child_says(read, seconds)
    code, _blank, data = said.partition(b" ")
    if not whole or not code:
        raise OSError(
            errno.ETIMEDOUT,
            f"no answer within {seconds:g} seconds, as from a disk that has lost all its paths",
        )
    if int(code):
        raise OSError(int(code), os.strerror(int(code)))
    return data


def _child_says(act: Callable[[int], None], seconds: float) -> tuple[bytes, bool]:
    """What a child writes into the pipe that it is given, and whether it has come to its end in time."""
    mine, theirs = os.pipe()
    child = os.fork()
    if not child:
        _alone(act, theirs)
    os.close(theirs)
    end, said, whole = time.monotonic() + seconds, b"", False
    while not whole and select.select([mine], [], [], max(0.0, end - time.monotonic()))[0]:
        more = os.read(mine, 1 << 16)
        said, whole = said + more, not more
    os.close(mine)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0 if whole else os.WNOHANG)  # else not waited for: a task in D state never dies
    return said, whole


def _alone(act: Callable[[int], None], answers: int) -> None:
    """The child. Whoever waits for the end of our output, or for a lock of ours, shall not wait for it. Does not return."""
    try:
        os.setsid()
        for handle in {int(name) for name in os.listdir("/proc/self/fd")} - {answers}:
            with contextlib.suppress(OSError):
                os.close(handle)
        act(answers)
    finally:
        os._exit(0)


def _ask(asked: Sequence[tuple[str, bytes, int]], answers: int) -> None:
    """Each device in a thread, an answer a line as soon as it is there."""
    numbers: dict[str, list[int]] = {}
    for number, (device, _count, _length) in enumerate(asked):
        numbers.setdefault(device, []).append(number)

    def questions_to(device: str) -> None:
        for number in numbers[device]:
            answer = _sg_io(*asked[number])
            if answer is not None:
                os.write(answers, b"%d %s\n" % (number, answer.hex().encode()))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(questions_to, numbers))


def _sg_io(device: str, command: bytes, length: int) -> bytes | None:
    data, sense, sent = (array("B", bytes(size)) for size in (length, 32, 0))
    sent.frombytes(command)
    where = [part.buffer_info()[0] for part in (data, sent, sense)]
    try:
        handle = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for _try in range(4):  # a unit attention is news that comes once, instead of the answer
            header = bytearray(
                SG_IO_HEADER.pack(ord("S"), FROM_DEVICE, len(command), 32, 0, length, *where, 5000, *[0] * 12)
            )
            fcntl.ioctl(handle, SG_IO, header, True)
            status, on_host, left = (SG_IO_HEADER.unpack(header)[field] for field in (13, 17, 19))
            if on_host or status not in (0, 2):
                return None
            if not status:
                return bytes(data)[: length - left]
            if sense[2] & 15 != UNIT_ATTENTION:
                return b""
    except OSError:
        return None
    finally:
        os.close(handle)
    return None
