# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a target refuses a login, asked of the target itself.

iscsiadm's exit codes cannot say: a target that knows no such name, or a name in another spelling, is asked again until the
time is over (8 or 11), and LIO refuses an initiator that is in no ACL as it refuses a wrong secret (24).
"""

from __future__ import annotations

from typing import Mapping

from .._chap import Chap
from .._host import Host
from .._step import Secret
from .conf.settings import Value, text_of
from .file import first
from .iface.bound import NIC, binding
from .record import RecordId
from .relogin.login_probe import SILENT, LoginProbe, probe_login

NAMES = "/etc/iscsi/initiatorname.iscsi"
INITIATOR = (
    "iface.initiatorname"  # how a record names the initiator, where it does not leave that to the host
)
AUTH = "node.session.auth"
PROOF = USER, PASSWORD, USER_IN, PASSWORD_IN = tuple(
    f"{AUTH}.{name}" for name in ("username", "password", "username_in", "password_in")
)


def probe_of(settings: Mapping[str, Value], name: RecordId, initiator: str) -> LoginProbe:
    """The login that open-iscsi would make with these settings."""
    secret, secret_in = (Secret(text_of(settings.get(key))) for key in (PASSWORD, PASSWORD_IN))
    user, user_in = (text_of(settings.get(key)) for key in (USER, USER_IN))
    return LoginProbe(
        initiator=text_of(settings.get(INITIATOR)) or initiator,
        target=name.written,
        portal=name.portal,
        nic=binding(settings, NIC),
        chap=Chap(user, secret, user_in, secret_in),
        hashes=text_of(settings.get(f"{AUTH}.chap_algs")) or "MD5",
    )


def why_refused(host: Host, settings: Mapping[str, Value], name: RecordId) -> str:
    """What the target says to the login of this record, as sentences; empty when it says nothing against it."""
    if text_of(settings.get("iface.transport_name")) not in ("", "tcp"):  # a card has a network of its own
        return ""
    probe = probe_of(settings, name, first(host.read(NAMES) or "", "InitiatorName") or "")
    refusal = probe_login(host, probe)
    if not refusal or SILENT in refusal:
        return ""
    return f"{refusal}{'' if refusal.endswith('?') else '.'} This host is '{probe.initiator}'."
