# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users write, made into values: names, portals, sizes; each checked, each refused with a reason.

The documentation of these options is in the twin files under doc_fragments.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ._host import Problem

PORT = 3260  # RFC 7143 section 14: the well-known iSCSI port

# RFC 7143 section 4.2.7: at most 223 bytes of lower-case letters, digits, '-', '.' and ':'.
IQN = re.compile(r"iqn\.\d{4}-(0[1-9]|1[0-2])\.[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[a-z0-9.:-]+)?")
EUI = re.compile(r"eui\.[0-9a-f]{16}")
NAA = re.compile(r"naa\.(?:[0-9a-f]{16}|[0-9a-f]{32})")
LARGEST = (1 << 63) - 1  # bytes: off_t is signed (lseek(2))
LONGEST_NUMBER = 40  # characters
SECTOR = 512
# Names of targets as they are found: any case, and whatever appliances put behind the date ('_' is common).
TARGET = re.compile(
    r"(?:iqn\.\d{4}-(0[1-9]|1[0-2])\.[^\s/,]+|(?:eui|naa)\.[0-9a-f]{16}(?:[0-9a-f]{16})?)", re.IGNORECASE
)
NIC = re.compile(
    r"[^\s/:\x00-\x1f\x7f]{1,15}"
)  # the name of a network interface (net/core/dev.c, dev_valid_name)
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
ZONELESS = "a link-local address needs its zone, the network interface that leads there, like 'fe80::1%eth1'"
HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE
)


@dataclass(frozen=True, order=True)
class Portal:
    """Where a target listens: an address and a TCP port."""

    address: str
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def iscsi_name(text: str) -> str:
    """An iSCSI name (RFC 7143 section 4.2.7), in the lower case that it is compared in."""
    name = text.strip().lower()
    if len(name.encode()) <= 223 and (IQN.fullmatch(name) or EUI.fullmatch(name) or NAA.fullmatch(name)):
        return name
    raise Problem(
        f"'{text}' is not an iSCSI name. It must be iqn.YYYY-MM.reversed.domain[:anything] of lower-case letters, "
        f"digits, '-', '.' and ':' (at most 223 bytes), eui. and 16 hex digits, or naa. and 16 or 32 hex digits."
    )


def target_name(text: str) -> str:
    """The name of somebody's target as it is written: it is sent like this, since targets compare it byte by byte.

    Appliances put more into names than RFC 7143 lets them; what could not stand in the path of a record is refused.
    """
    name = str(text).strip()
    if TARGET.fullmatch(name) and one_line(name, 223):
        return name
    raise Problem(
        f"'{text}' is not an iSCSI name. It must be iqn.YYYY-MM.reversed.domain[:anything], eui. or naa. with hex digits, "
        f"without blanks, '/' and ',' (at most 223 bytes)."
    )


def target_key(text: str) -> str:
    """The name of somebody's target in the form in which names are compared (RFC 7143 section 4.2.7.2)."""
    return target_name(text).lower()


def one_line(text: str, longest: int) -> bool:
    """Whether a text can stand in a line of a file: no control character but tabs, at most so many bytes of UTF-8."""
    try:
        return len(text.encode()) <= longest and not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text)
    except UnicodeEncodeError:  # half a character
        return False


def address(text: str) -> str:
    """An IP address in its canonical form; a link-local IPv6 one may carry its zone (%eth0)."""
    inner = re.fullmatch(r"\[(.*)\]", text.strip())
    bare, percent, zone = (inner[1] if inner else text.strip()).partition("%")
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        raise Problem(f"'{text}' is not an IP address.") from None
    link_local = found.version == 6 and found.is_link_local
    if percent and not (link_local and NIC.fullmatch(zone) and not set(zone) & set("%,")):
        raise Problem(
            f"'{text}': only a link-local IPv6 address (fe80::...) has a zone, which is the name of a network "
            "interface."
        )
    return f"{found}{percent}{zone}"


def zoneless(where: Portal) -> bool:
    """Whether it is a link-local IPv6 address that does not say through which network interface (RFC 4007 section 6)."""
    try:
        return "%" not in where.address and ipaddress.IPv6Address(where.address).is_link_local
    except ValueError:
        return False


def by_name(where: Portal) -> bool:
    """Whether a host name stands for the address."""
    return HOST_NAME.fullmatch(where.address) is not None and not re.fullmatch(r"[\d.]+", where.address)


def port(value: Any) -> int:
    """A TCP port, 1 to 65535."""
    if re.fullmatch("[0-9]{1,5}", str(value)) and 1 <= int(value) <= 65535:
        return int(value)
    raise Problem(f"'{value}' is not a TCP port. It must be a number from 1 to 65535.")


def portal(text: str, names: bool = False) -> Portal:
    """A portal: ADDRESS, ADDRESS:PORT or [IPV6]:PORT; with 'names' a host name may stand for the address."""
    text = str(text).strip()
    match = re.fullmatch(r"(\[[^\]]+\]|[^:\[\]]+)(?::([^:]*))?", text)
    where, which = (match[1], match[2]) if match else (text, None)
    if not match and text.endswith(f":{PORT}"):
        raise Problem(f"'{text}' is not a portal: is {PORT} its port? Write [IPV6]:PORT or [IPV6].")
    try:
        number = PORT if which is None else port(which)
        found = Portal(where.lower(), number)
        return found if names and by_name(found) else Portal(address(where), number)
    except Problem as problem:
        raise Problem(f"'{text}' is not a portal (ADDRESS, ADDRESS:PORT or [IPV6]:PORT): {problem}") from None


def size(text: Any) -> int:
    """A size in bytes from a number with a binary unit: 512, 64k, 10m, 40g, 1t. A fraction is rounded up to whole sectors."""
    given = str(text).strip()
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgtp]?)(?:i?b)?", given.lower())
    amount = Fraction(match[1]) * UNITS[match[2]] if match and len(given) <= LONGEST_NUMBER else Fraction(0)
    if amount > LARGEST or len(given) > LONGEST_NUMBER:
        raise Problem(
            f"'{given[:LONGEST_NUMBER]}' is not a size: no disk or file has more than {LARGEST} bytes."
        )
    if amount < 1 or amount.denominator != 1 and not (match and match[2]):
        raise Problem(
            f"'{text}' is not a size. It must be a number with a unit, like 512m, 40g or 1.5t (binary units)."
        )
    return int(amount) if amount.denominator == 1 else -(-amount // SECTOR) * SECTOR


def in_units(count: int) -> str:
    """Bytes as people read them, exact where that is short: 4 MiB, 29.9 GiB."""
    unit = next((unit for unit in reversed(UNITS) if unit and count >= UNITS[unit]), "")
    amount = f"{count / (UNITS[unit]):.1f}".replace(".0", "")
    return f"{amount} {unit.upper()}iB" if unit else f"{count} bytes"


def truth(what: str, value: Any) -> bool | None:
    """True, false or nothing said, also as the text that a quoted word or a template leaves: "false" is false. What else it is is
    not shown, since secrets may stand beside it."""
    try:
        return None if value is None else bool(boolean(value))
    except TypeError:
        raise Problem(f"{what} must be true or false.") from None


def unique(what: str, names: list[str]) -> None:
    """A list that must not name a thing twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Problem(f"The {what} '{twice[0]}' is given more than once.")
