# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Echo requests of a given size."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils import _host_net
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Host, Problem


class Channel:
    """A raw socket that may not send, or that is answered."""

    def __init__(self, refused=0):
        self.refused, self.sent, self.told = refused, b"", False

    def __enter__(self):
        return self

    def __exit__(self, *_raised):
        pass

    def settimeout(self, seconds):
        assert seconds > 0

    def connect(self, where):
        assert where[0] == "192.0.2.1"

    def send(self, message):
        if self.refused:
            raise OSError(self.refused, os.strerror(self.refused))
        self.sent = message

    def recv(self, _most):
        if not self.told:
            self.told = True
            raise OSError(errno.EHOSTUNREACH, "what a router says of another packet")
        return bytes([0x45]) + bytes(19) + b"\0" + self.sent[1:]


@pytest.mark.parametrize("refused", [0, errno.EPERM, errno.EMSGSIZE, errno.ENETUNREACH])
def test_what_this_host_does_not_send_is_not_answered(monkeypatch, refused):
    monkeypatch.setattr(_host_net, "_echo_socket", lambda _family, _nic: Channel(refused))
    assert Host().echo("192.0.2.1", 1500, seconds=0.1) is not bool(refused)


def test_who_may_open_no_raw_socket_is_told_so(monkeypatch):
    def refuse(*_what):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(Problem, match="Cannot ping '192.0.2.1': Operation not permitted"):
        Host().echo("192.0.2.1", 1500)
