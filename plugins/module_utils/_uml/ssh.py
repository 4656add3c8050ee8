# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How ssh, Ansible and testinfra reach the hosts from outside of the lab's network namespace (ssh_config(5))."""

from __future__ import annotations

from .._host import Host
from .controller import Lab

NSPROXY = '''\
# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a connection inside a network namespace and hands it to ssh (ssh_config(5), ProxyUseFdpass)."""

import array
import ctypes
import os
import socket
import sys
import time

namespace, host, port = sys.argv[1:4]
with open("/run/netns/" + namespace, "rb") as handle:
    if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0x40000000):  # CLONE_NEWNET
        sys.exit("Cannot enter the network namespace " + namespace + ": " + os.strerror(ctypes.get_errno()))
end = time.monotonic() + 10
while True:  # the first seconds after power on answer "no route", then "refused"
    try:
        link = socket.create_connection((host, int(port)), timeout=3)
        break
    except OSError as error:
        if time.monotonic() > end:
            sys.exit("Cannot reach " + host + " port " + port + ": " + str(error))
        time.sleep(0.2)
link.settimeout(None)
passing = array.array("i", [link.fileno()])
socket.socket(fileno=os.dup(1)).sendmsg([b"\\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passing)])
'''


def write_ssh(controller: Host, lab: Lab, key: str) -> None:
    """The lab's ssh configuration and its door into the namespace."""
    controller.mkdir(f"{lab.directory}/ssh", 0o700)
    for path, text in ((f"{lab.directory}/nsproxy.py", NSPROXY), (lab.ssh_config, ssh_config(lab, key))):
        if controller.read(path) != text:
            controller.write(path, text)


def ssh_config(lab: Lab, key: str) -> str:
    """What holds for every host of the lab; each host adds its own address."""
    return f"""\
Include {lab.directory}/hosts/*/ssh_config
Host *
    User root
    IdentityFile {key}
    IdentitiesOnly yes
    BatchMode yes
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
    GSSAPIAuthentication no
    ConnectTimeout 20
    ServerAliveInterval 15
    ServerAliveCountMax 8
    ControlMaster auto
    ControlPersist 10m
    ControlPath {lab.directory}/ssh/%n
    ProxyCommand python3 {lab.directory}/nsproxy.py {lab.namespace} %h %p
    ProxyUseFdpass yes
"""


def ssh_stanza(name: str, address: str) -> str:
    """Where one host is."""
    return f"Host {name}\n    HostName {address}\n"


def ssh(lab: Lab, name: str) -> tuple[str, ...]:
    """The beginning of a command line that runs a command on a host."""
    return ("ssh", "-F", lab.ssh_config, name)
