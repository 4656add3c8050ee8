# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flashnodes: portals of targets that a card has in its flash memory and can log in to by itself.

Read from /sys/bus/iscsi_flashnode (drivers/scsi/scsi_transport_iscsi.c); usr/iscsi_sysfs.c says which attribute is which
parameter, usr/flashnode.c which of them can be set. No secret is among those: CHAP is the number of an entry in the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..._arguments import Portal
from ..._host import Host
from ..conf.settings import BYTES, Kind
from ..record import portal_of
from ..session import attribute

DEVICES = "/sys/bus/iscsi_flashnode/devices"
SESSION, CONNECTION = "flashnode.session.", "flashnode.conn[0]."
NAME, ADDRESS, PORT = f"{SESSION}targetname", f"{CONNECTION}ipaddress", f"{CONNECTION}port"
PORTAL_TYPE, BOOT = f"{SESSION}portal_type", f"{SESSION}is_boot_target"
BIT, BYTE, WORD, LONG = (0, 1), (0, 255), (0, 65535), (0, 2**31 - 1)
ALIAS = 223


def _under(prefix: str, names: str, kind: Kind) -> dict[str, Kind]:
    return {prefix + name: kind for name in names.split()}


# What can be set (usr/flashnode.c flashnode_build_config), beside what a flashnode is known by.
SETTINGS: dict[str, Kind] = {
    **_under(
        SESSION,
        "auto_snd_tgt_disable discovery_session entry_enable immediate_data initial_r2t data_seq_in_order data_pdu_in_order "
        "chap_auth_en discovery_logout_en bidi_chap_en discovery_auth_optional",
        BIT,
    ),
    f"{SESSION}erl": (0, 2),
    **_under(SESSION, "def_time2wait def_time2retain", (0, 3600)),
    **_under(SESSION, "max_outstanding_r2t", (1, 65535)),
    **_under(SESSION, "def_taskmgmt_tmo tpgt discovery_parent_idx chap_out_idx", WORD),
    **_under(SESSION, "first_burst_len max_burst_len", BYTES),
    f"{SESSION}targetalias": ALIAS,
    **_under(
        CONNECTION,
        "header_digest_en data_digest_en snack_req_en tcp_nagle_disable tcp_wsf_disable tcp_timestamp_en fragment_disable",
        BIT,
    ),
    **_under(CONNECTION, "tcp_timer_scale ipv4_tos ipv6_traffic_class", BYTE),
    **_under(CONNECTION, "keepalive_tmo local_port ipv6_flow_label", WORD),
    **_under(CONNECTION, "max_segment_size tcp_xmit_wsf tcp_recv_wsf", LONG),
    **_under(CONNECTION, "max_recv_dlength max_xmit_dlength", BYTES),
}
# What is only told; the names and secrets of CHAP are the table's.
TOLD = (
    *(SESSION + name for name in ("isid", "tsid", "chap_in_idx", "discovery_parent_type", "username")),
    *(CONNECTION + name for name in ("redirect_ipaddr", "link_local_ipv6", "is_fw_assigned_ipv6")),
    f"{CONNECTION}tcp_timestamp_stat",
    PORTAL_TYPE,
    BOOT,
)
# Parameters whose attribute has another name.
ATTRIBUTES = {
    "chap_auth_en": "chap_auth",
    "discovery_logout_en": "discovery_logout",
    "bidi_chap_en": "bidi_chap",
    "header_digest_en": "header_digest",
    "data_digest_en": "data_digest",
    "snack_req_en": "snack_req",
    "tcp_timestamp_en": "tcp_timestamp_enable",
}


@dataclass(frozen=True)
class Flashnode:
    """An entry in a card's flash memory."""

    index: int
    settings: dict[str, str]

    @property
    def portal(self) -> Portal:
        """Where it logs in."""
        port = self.settings.get(PORT, "")
        return portal_of(self.settings.get(ADDRESS, ""), port if port.isdecimal() else "0")

    @property
    def name(self) -> str:
        """What it is about, for people."""
        return f"'{self.settings.get(NAME, '')}' at {self.portal}"


def look_flashnodes(host: Host, number: int) -> list[Flashnode]:
    """The flashnodes of an iSCSI host, by their index."""
    prefix = f"flashnode_sess-{number}:"
    indexes = [int(entry[len(prefix) :]) for entry in host.list(DEVICES) if entry.startswith(prefix)]
    return [Flashnode(index, _settings(host, number, index)) for index in sorted(indexes)]


def _settings(host: Host, number: int, index: int) -> dict[str, str]:
    found = {}
    for name in (NAME, ADDRESS, PORT, *SETTINGS, *TOLD):
        kind, bare = (
            ("conn", name[len(CONNECTION) :])
            if name.startswith(CONNECTION)
            else ("sess", name[len(SESSION) :])
        )
        last = ":0" if kind == "conn" else ""
        place = f"{DEVICES}/flashnode_{kind}-{number}:{index}{last}/{ATTRIBUTES.get(bare, bare)}"
        if host.stat(place) is not None:
            found[name] = attribute(host, place)
    return found
