# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of an iface: what each may hold, and which transport does anything with it.

Names are those of usr/idbm_fields.h. Which of them iscsiadm reads depends on the address family (usr/idbm.c,
idbm_recinfo_iface), and while it reads a file it knows the family by the iface's name alone: one with 'ipv6' in it is IPv6
(usr/iface.c iface_get_iptype, libopeniscsiusr/idbm.c). A field of the other family makes 'iscsiadm -m iface -I' fail.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ..._arguments import NIC, address
from ..._host import Problem
from ..conf.settings import BYTES, Kind, named, setting

SWITCH = ("enable", "disable")  # usr/iface.c: any other word is not sent to the card
TEXT = 79  # ISCSI_MAX_STR_LEN is 80
BYTE, WORD, LONG = (0, 255), (0, 65535), (0, 2**31 - 1)

# The options of the module that are a field each, in the order in which a person thinks of them.
OPTIONS = {
    "nic": "iface.net_ifacename",
    "mac": "iface.hwaddress",
    "iface_num": "iface.iface_num",
    "address": "iface.ipaddress",
    "prefix": "iface.prefix_len",
    "subnet_mask": "iface.subnet_mask",
    "gateway": "iface.gateway",
    "vlan": "iface.vlan_id",
    "vlan_priority": "iface.vlan_priority",
    "mtu": "iface.mtu",
    "initiator_name": "iface.initiatorname",
    "transport": "iface.transport_name",
}
RANGES = {
    "prefix": (0, 128),
    "vlan": (0, 4094),
    "vlan_priority": (0, 7),
    "mtu": (576, 9216),
    "iface_num": (0, 255),
}


def _under(names: str, kind: Kind) -> dict[str, Kind]:
    return {f"iface.{name}": kind for name in names.split()}


ADDRESSES = {"iface.ipv6_linklocal": 6, "iface.ipv6_router": 6}
NETWORK: dict[str, Kind] = {
    **_under("state vlan_state", SWITCH),
    "iface.port": (1, 65535),
}
NETWORK4: dict[str, Kind] = {"iface.bootproto": ("static", "dhcp")}
NETWORK6: dict[str, Kind] = {
    "iface.ipv6_autocfg": ("nd", "dhcpv6", "disable"),
    **_under("linklocal_autocfg router_autocfg", ("auto", "disable")),
    **_under("ipv6_linklocal ipv6_router", TEXT),
}
FIRMWARE4: dict[str, Kind] = {
    **_under(
        "dhcp_dns dhcp_slp_da dhcp_alt_client_id_state dhcp_req_vendor_id_state dhcp_vendor_id_state dhcp_learn_iqn "
        "fragmentation gratuitous_arp incoming_forwarding tos_state",
        SWITCH,
    ),
    **_under("dhcp_alt_client_id dhcp_vendor_id", TEXT),
    **_under("tos ttl", BYTE),
}
FIRMWARE6: dict[str, Kind] = {
    **_under("gratuitous_neighbor_adv mld", SWITCH),
    **_under("hop_limit traffic_class dup_addr_detect_cnt", BYTE),
    "iface.flow_label": (0, 2**20 - 1),
    **_under("nd_reachable_tmo nd_rexmit_time nd_stale_tmo router_adv_link_mtu", LONG),
}
FIRMWARE: dict[str, Kind] = {
    **_under(
        "delayed_ack tcp_nagle tcp_wsf_state tcp_timestamp redirect header_digest data_digest immediate_data initial_r2t "
        "data_seq_inorder data_pdu_inorder chap_auth bidi_chap strict_login_compliance discovery_auth discovery_logout",
        SWITCH,
    ),
    **_under("tcp_wsf tcp_timer_scale", BYTE),
    "iface.def_task_mgmt_timeout": WORD,
    "iface.erl": (0, 2),
    **_under("max_receive_data_len first_burst_len max_burst_len", BYTES),
    "iface.max_outstanding_r2t": (1, 65535),
}
SETTINGS: dict[str, Kind] = {
    **NETWORK,
    **NETWORK4,
    **NETWORK6,
    **FIRMWARE,
    **FIRMWARE4,
    **FIRMWARE6,
}
ONLY_IPV4 = {**NETWORK4, **FIRMWARE4, "iface.subnet_mask": TEXT, "iface.gateway": TEXT}
ONLY_IPV6 = {**NETWORK6, **FIRMWARE6}

BINDING = {"iface.net_ifacename", "iface.hwaddress", "iface.initiatorname", "iface.ipaddress"}
OWN_NETWORK = BINDING | set(OPTIONS.values()) | {*NETWORK, *NETWORK4, *NETWORK6}
# What each driver makes of the fields: tcp and iser use the kernel's network, cxgb3i and cxgb4i the network card's with an
# address of their own (usr/transport.c set_host_ip), bnx2i and qedi a network stack in iscsiuio, the others one in firmware.
KNOWN = {
    **dict.fromkeys(("tcp", "iser", "cxgb3i", "cxgb4i"), BINDING),
    **dict.fromkeys(("bnx2i", "qedi"), OWN_NETWORK),
    **dict.fromkeys(("be2iscsi", "qla4xxx", "ocs"), OWN_NETWORK | set(SETTINGS)),
}
TRANSPORTS = ("tcp", "iser", "bnx2i", "cxgb3i", "cxgb4i", "be2iscsi", "qla4xxx", "qedi", "ocs")
SOFTWARE = ("tcp", "iser")
FIRMWARE_NETWORK = ("be2iscsi", "qla4xxx", "ocs")  # whose settings iscsiadm -o apply brings to the card


def wanted_fields(options: dict[str, Any]) -> dict[str, str]:
    """The fields that the options of the module ask for, each checked."""
    fields = {
        OPTIONS[name]: option_value(name, options[name]) for name in OPTIONS if options.get(name) is not None
    }
    if options.get("vlan") is not None:
        fields["iface.vlan_state"] = "enable" if options["vlan"] else "disable"
    for name, value in named(options["settings"]).items():
        own = [option for option, field in OPTIONS.items() if field == name]
        if own:
            raise Problem(f"'{name}' has its own option, '{own[0]}'. Give it there, not in 'settings'.")
        fields[name] = field_value(name, value)
    return fields


def option_value(option: str, value: Any) -> str:
    """The value of an option as the field holds it; a Problem when it cannot be."""
    if option in RANGES:
        low, high = RANGES[option]
        if not low <= value <= high:
            raise Problem(f"The {option} {value} is out of range. It must be a number from {low} to {high}.")
        return str(value)
    text = str(value)
    if not text:
        return ""
    if option == "initiator_name":
        return text.strip()  # checked where it does not stand there so
    if option == "mac":
        return hardware_address(text)
    if option in ("subnet_mask", "gateway"):
        return _family(option, text, 4)
    if option == "nic" and not NIC.fullmatch(text):
        raise Problem(
            f"'{text}' is not a network interface. It must be a name like eth1, 1 to 15 characters."
        )
    return address(text) if option == "address" else text


def field_value(name: str, value: Any) -> str:
    """The value of any other field; a Problem when open-iscsi knows no such field or it cannot hold the value."""
    if str(value) == "" and name in SETTINGS:
        return ""
    if name in ADDRESSES:
        return _family(name, str(value), ADDRESSES[name])
    if isinstance(value, bool) and SETTINGS.get(name) == SWITCH:
        return "enable" if value else "disable"
    return setting(name, value, SETTINGS)


def hardware_address(text: str) -> str:
    """A hardware address in lower case."""
    if not re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", text.lower()):
        raise Problem(
            f"'{text}' is not a hardware address. It must be six pairs of hex digits, like 52:54:00:12:34:56."
        )
    return text.lower()


def _family(name: str, text: str, version: int) -> str:
    found = address(text)
    if ipaddress.ip_address(found.partition("%")[0]).version != version:
        raise Problem(f"The {name} '{text}' is not an IPv{version} address.")
    return found


def check_fields(name: str, transport: str, asked: dict[str, str]) -> None:
    """Fields that would do nothing, or that iscsiadm could not read again, are refused."""
    useless = [field for field in asked if asked[field] and field not in KNOWN.get(transport, asked)]
    useless = [field for field in useless if field != OPTIONS["transport"]]
    if useless:
        network = "its sessions use the kernel's network: set that on the network interface (a VLAN is one: nic eth1.7)"
        raise Problem(
            f"The iface '{name}' with the transport '{transport}' cannot have '{useless[0]}': "
            f"{network if transport in SOFTWARE else 'the driver ignores it'}."
        )
    where = asked.get("iface.ipaddress", "")
    six = "ipv6" in name
    if where and six and ":" not in where:
        raise Problem(f"The iface '{name}' is for IPv6, as its name says, and '{where}' is an IPv4 address.")
    if where and ":" in where and set(asked) & set(ONLY_IPV4):
        raise Problem(
            f"The iface '{name}' cannot have '{min(set(asked) & set(ONLY_IPV4))}' together with the IPv6 address '{where}'."
        )
    for family, own, right in (("IPv6", ONLY_IPV6, six), ("IPv4", ONLY_IPV4, not six)):
        found = [field for field in asked if asked[field] and field in own]
        if found and not right:
            raise Problem(
                f"The iface '{name}' cannot have '{found[0]}', which is for {family}: open-iscsi reads such fields only of "
                f"an iface {'with' if family == 'IPv6' else 'without'} 'ipv6' in its name. Choose another name."
            )
