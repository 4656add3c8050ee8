# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a card with a network of its own has in force, beside what its iface says (iscsiadm(8), -m iface -o apply).

The kernel shows it in /sys/class/iscsi_iface (drivers/scsi/scsi_transport_iscsi.c); usr/iscsi_sysfs.c says which attribute
is which field.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ..._host import Host, Problem
from ..._step import Step
from ..offload.host import IFACES, find_host, sessions_of
from ..record import RecordId
from ..session import reason
from .bound import MAC, binding
from .fields import FIRMWARE_NETWORK, SETTINGS

PATIENCE = 30  # seconds for the firmware
# Fields whose attribute has another name; the others have their own.
ATTRIBUTES = {
    "subnet_mask": "subnet",
    "state": "enabled",
    "vlan_state": "vlan_enabled",
    "ipv6_autocfg": "ipaddr_autocfg",
    "ipv6_linklocal": "link_local_addr",
    "linklocal_autocfg": "link_local_autocfg",
    "ipv6_router": "router_addr",
    "delayed_ack": "delayed_ack_en",
    "tcp_nagle": "tcp_nagle_disable",
    "tcp_wsf_state": "tcp_wsf_disable",
    "tcp_timestamp": "tcp_timestamp_en",
    "redirect": "redirect_en",
    "def_task_mgmt_timeout": "def_taskmgmt_tmo",
    "data_seq_inorder": "data_seq_in_order",
    "data_pdu_inorder": "data_pdu_in_order",
    "max_receive_data_len": "max_recv_dlength",
    "dhcp_dns": "dhcp_dns_address_en",
    "dhcp_slp_da": "dhcp_slp_da_info_en",
    "dhcp_alt_client_id_state": "dhcp_alt_client_id_en",
    "dhcp_req_vendor_id_state": "dhcp_req_vendor_id_en",
    "dhcp_vendor_id_state": "dhcp_use_vendor_id_en",
    "dhcp_learn_iqn": "dhcp_learn_iqn_en",
    "fragmentation": "fragment_disable",
    "gratuitous_arp": "grat_arp_en",
    "incoming_forwarding": "incoming_forwarding_en",
    "tos_state": "tos_en",
    "gratuitous_neighbor_adv": "grat_neighbor_adv_en",
    "mld": "mld_en",
    "strict_login_compliance": "strict_login_comp_en",
    "discovery_auth": "discovery_auth_optional",
}
ADDRESSING = ("ipaddress", "subnet_mask", "gateway", "vlan_id", "vlan_priority", "mtu")
# What the card finds by itself, or does not use, is not compared.
OFF = {
    ("iface.bootproto", "dhcp"): ("iface.ipaddress", "iface.subnet_mask", "iface.gateway"),
    ("iface.ipv6_autocfg", "nd"): ("iface.ipaddress",),
    ("iface.ipv6_autocfg", "dhcpv6"): ("iface.ipaddress",),
    ("iface.linklocal_autocfg", "auto"): ("iface.ipv6_linklocal",),
    ("iface.router_autocfg", "auto"): ("iface.ipv6_router",),
    ("iface.vlan_state", "disable"): ("iface.vlan_id", "iface.vlan_priority"),
}


@dataclass(frozen=True)
class Card:
    """What is in force of the fields of an iface, and the sessions that a change would hit."""

    fields: dict[str, str]
    sessions: tuple[RecordId, ...] = ()


@dataclass(frozen=True)
class Apply(Step):
    """Bring the settings of an iface to its card."""

    name: str
    changes: dict[str, str]

    def __str__(self) -> str:
        said = ", ".join(f"{key} = {value}" for key, value in self.changes.items())
        return f"Apply the iface '{self.name}' to its card: {said}"

    def take(self, host: Host) -> None:
        ran = host.run("iscsiadm", "-m", "iface", "-I", self.name, "-o", "apply", ok=None, timeout=PATIENCE)
        if ran.rc:
            raise Problem(f"{reason(ran.rc, ran.err)}.")


def look_card(host: Host, name: str, fields: dict[str, str]) -> Card:
    """What the card of an iface has in force of the fields that the kernel shows."""
    mac, transport = binding(fields, MAC), fields.get("iface.transport_name", "tcp")
    if transport not in FIRMWARE_NETWORK:
        raise Problem(
            f"The iface '{name}' cannot be applied: a card with the transport '{transport}' gets its settings at each login. "
            f"Only {', '.join(FIRMWARE_NETWORK)} have their own network."
        )
    if not mac:
        raise Problem(f"The iface '{name}' cannot be applied: it names no card. Give 'mac'.")
    card = find_host(host, mac.lower())
    if card.number == 0:
        raise Problem(
            f"The iface '{name}' cannot be applied: its card is SCSI host 0, which iscsiadm takes for none (usr/iscsiadm.c). "
            f"Let another SCSI driver be loaded before this one."
        )
    family = 6 if "ipv6" in name or ":" in fields.get("iface.ipaddress", "") else 4
    place = f"{IFACES}/ipv{family}-iface-{card.number}-{fields.get('iface.iface_num') or 0}"
    if not host.list(place):
        raise Problem(f"{card} has no IPv{family} iface {place.rpartition('-')[2]}: there is no '{place}'.")
    live = {}
    for field in (*ADDRESSING, *(field[len("iface.") :] for field in SETTINGS)):
        text = host.read(f"{place}/{ATTRIBUTES.get(field, field)}")
        if text is not None:
            live[f"iface.{field}"] = text.strip()
    return Card(live, tuple(session.name for session in sessions_of(host, card.number)))


def differing(card: Card, fields: dict[str, str]) -> dict[str, str]:
    """The fields that are not in force; those that are empty, 0 or 'default' are not sent to the card (usr/iface.c)."""
    off = {name for (field, word), names in OFF.items() if fields.get(field) == word for name in names}
    return {
        name: value
        for name, value in fields.items()
        if value not in ("", "0", "default")
        and name in card.fields
        and name not in off
        and plain(card.fields[name]) != plain(value)
    }


def plain(text: str) -> str:
    """One spelling for each value: the kernel writes IPv6 addresses out, and 'static' for what is not automatic."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return "disable" if text == "static" else text
