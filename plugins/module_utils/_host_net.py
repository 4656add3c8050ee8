# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of 'host' that speaks through sockets: with other hosts, and with the kernel."""

from __future__ import annotations

import socket
import time
from typing import Callable


def dial_tcp(address: str, port: int, nic: str, seconds: float) -> socket.socket:
    """What 'Host.dial' says."""
    family, kind, _protocol, _canonical, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    connection = socket.socket(family, kind)
    try:
        connection.settimeout(seconds)
        if nic:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, nic.encode())
        connection.connect(where)
    except BaseException:
        connection.close()
        raise
    return connection


def ask_netlink(
    protocol: int, message: bytes, takes: Callable[[bytes], bool], group: int, seconds: float
) -> bytes | None:
    """What 'Host.netlink' says; None: there was no such answer in time."""
    end = time.monotonic() + seconds
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as channel:
            channel.bind((0, group))
            channel.settimeout(seconds)
            channel.sendto(message, (0, 0))
            while time.monotonic() < end:
                answer = channel.recv(1 << 16)
                if takes(answer):
                    return answer
    except socket.timeout:
        pass
    return None


def ask_unix(path: str, message: bytes, seconds: float) -> bytes:
    """What 'Host.dialogue' says."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(seconds)
        channel.connect(path)
        channel.sendall(message)
        return b"".join(iter(lambda: channel.recv(1 << 16), b""))
