# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the portals that are offered get a record: by subnet, address family, and whether they are link-local."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Sequence, Tuple, Union

from ..._arguments import Portal
from ..._host import Problem

Networks = Tuple[Union[ipaddress.IPv4Network, ipaddress.IPv6Network], ...]
FAMILIES = {"ipv4": 4, "ipv6": 6}


@dataclass(frozen=True)
class Filter:
    """What a portal must be. The one that is made without options takes all but link-local ones."""

    subnets: Networks = ()  # empty: any
    excluded: Networks = ()
    families: tuple[str, ...] = tuple(FAMILIES)
    link_local: bool = False

    def objection(self, portal: Portal) -> str:
        """Why a portal is left out; empty when it is not."""
        try:
            address = ipaddress.ip_address(portal.address.partition("%")[0])
        except ValueError:  # a portal may be offered by its host name
            narrow = self.subnets or self.excluded or len(self.families) < len(FAMILIES)
            return "is a host name, whose addresses cannot be filtered" if narrow else ""
        if address.is_link_local and not self.link_local:
            return "is link-local"
        if address.version not in {FAMILIES[family] for family in self.families}:
            return f"is not of the families {', '.join(self.families)}"
        if self.subnets and not any(address in net for net in self.subnets):
            return f"is not in the subnets {', '.join(map(str, self.subnets))}"
        shut = [str(net) for net in self.excluded if address in net]
        return f"is in the excluded subnet {shut[0]}" if shut else ""


def networks(option: str, texts: Sequence[str]) -> Networks:
    """Subnets as users write them, ADDRESS/LENGTH."""
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(str(text).strip()))
        except ValueError as error:
            raise Problem(
                f"'{text}' in '{option}' is not a subnet (ADDRESS/LENGTH, like 10.77.1.0/24 or fd77:1::/64): {error}."
            ) from None
    return tuple(found)
