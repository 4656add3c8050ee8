# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of 'host' that speaks through sockets: with other hosts, and with the kernel."""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import Callable

HEADERS = {socket.AF_INET: 20 + 8, socket.AF_INET6: 40 + 8}  # bytes of IP and ICMP (RFC 791, 792, 8200, 4443)
ECHO, REPLY = {socket.AF_INET: 8, socket.AF_INET6: 128}, {socket.AF_INET: 0, socket.AF_INET6: 129}
# linux/in.h, linux/in6.h; Python has no names for them. PROBE: never fragment, and do not heed what an earlier packet met
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, IPV6_DONTFRAG, PROBE = 10, 23, 62, 3


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


def echo_of(address: str, size: int, nic: str, seconds: float) -> bool:
    """What 'Host.echo' says."""
    try:
        where = socket.getaddrinfo(address, None, type=socket.SOCK_RAW)[0]
    except socket.gaierror:
        return False
    family, sought = where[0], where[4]
    mark = os.urandom(4)  # identifier and sequence number: the reply has them
    body = mark + bytes(max(size - HEADERS[family], 0))
    with _echo_socket(family, nic) as channel:
        try:
            channel.connect(
                sought
            )  # or its buffer fills with what others are answered: many are asked at once
            channel.send(_icmp(ECHO[family], body))
        except (
            OSError
        ):  # larger than this host's NIC sends (EMSGSIZE), no route, its firewall drops it (EPERM)
            return False
        return _replied(channel, family, mark, time.monotonic() + seconds)


def _replied(channel: socket.socket, family: socket.AddressFamily, mark: bytes, end: float) -> bool:
    """Whether the reply with this mark comes in time; others are answered all the time."""
    while time.monotonic() < end:
        channel.settimeout(max(end - time.monotonic(), 0.001))
        try:
            packet = channel.recv(1 << 16)
        except socket.timeout:
            return False
        except OSError:  # what a router says of any packet there: raw(7)
            continue
        said = packet[(packet[0] & 15) * 4 :] if family == socket.AF_INET else packet
        if said[:1] == bytes([REPLY[family]]) and said[4:8] == mark:
            return True
    return False


def _echo_socket(family: int, nic: str) -> socket.socket:
    """A raw socket whose packets are never fragmented: ip(7), ipv6(7)."""
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    channel = socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    try:
        if family == socket.AF_INET:
            channel.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PROBE)
        else:
            channel.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PROBE)
            channel.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
        if nic:
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, nic.encode())
    except BaseException:
        channel.close()
        raise
    return channel


def _icmp(kind: int, body: bytes) -> bytes:
    """A message with its checksum (RFC 1071); in that of IPv6 the kernel writes it again, with the addresses."""
    whole = struct.pack("!BBH", kind, 0, 0) + body
    padded = whole + bytes(len(whole) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBH", kind, 0, ~total & 0xFFFF) + body
