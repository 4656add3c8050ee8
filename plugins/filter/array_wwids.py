# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes that the collection of an array returns, as the WWIDs under which a host sees them."""

from __future__ import annotations

import re
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..module_utils._host import Problem
from ..module_utils._san.wwid import wwid

DOCUMENTATION = r"""
name: array_wwids
short_description: Convert the volumes that an array reports to WWIDs
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Converts what the collection of an array returns about its volumes to the WWIDs that C(multipath -ll) and udev show on a
    host, V(3) and the NAA identifier in lower case. Use it for C(wwid) in O(lunworks.iscsi.volume#role:main:volume_groups) and
    in O(lunworks.iscsi.target#role:main:target_targets) with O(lunworks.iscsi.target#role:main:target_provider=manual).
  - A volume without an identifier, or with one that is not of this array, is an error, since a wrong WWID would be waited for
    in vain or be another disk.
positional: _input, array
options:
  _input:
    description:
      - The volumes, as a list of dictionaries that each have a C(name), or as a dictionary of them by their names.
      - The C(volumes) of C(purestorage.flasharray.purefa_info), the records of C(storage/luns) of
        C(netapp.ontap.na_ontap_rest_info) or the results of C(na_ontap_lun_map), C(volume_details) of
        C(dellemc.powerstore.volume), the extents of the TrueNAS API, and the volumes of
        C(netapp_eseries.santricity.na_santricity_facts).
    type: raw
    required: true
  array:
    description:
      - The kind of array.
      - V(pure) has C(page83_naa), or a C(serial) behind C(624a9370).
      - V(ontap) has C(lun_naa_id), or a C(serial_number) of 12 characters whose bytes stand in hexadecimal behind C(600a0980).
        V(ontap_7mode) has the same behind C(60a98000).
      - V(powerstore) has C(wwn), C(naa.68ccf098) and more.
      - V(truenas) has C(naa), C(0x6589cfc) and more.
      - V(eseries) has C(wwn), C(worldWideName), or an C(id) that ends in it.
    type: str
    choices: [pure, ontap, ontap_7mode, powerstore, truenas, eseries]
    required: true
"""

EXAMPLES = r"""
- name: Ask the array
  purestorage.flasharray.purefa_info:
    gather_subset: [volumes]
  register: array
  delegate_to: localhost

- name: The WWID of one of its volumes
  ansible.builtin.debug:
    msg: "{{ (array.purefa_info.volumes | lunworks.iscsi.array_wwids('pure'))['db0'] }}"

- name: The WWIDs of the LUNs of an ONTAP cluster
  ansible.builtin.debug:
    msg: "{{ luns.ontap_info['storage/luns'].records | lunworks.iscsi.array_wwids('ontap') }}"
"""

RETURN = r"""
_value:
  description: The WWID of each volume by its name.
  type: dict
  sample: {db0: 3624a937038f97eb9ae6b49bb00011010, /vol/db/db1: 3600a0980383045372f5d4c5a70315474}
"""

Volume = Mapping[str, Any]


def _pure(volume: Volume) -> str:
    """REST serials are 24 hex digits, in capitals (purefa_info: page83_naa)."""
    return str(
        volume.get("page83_naa") or (f"naa.624a9370{volume['serial']}" if volume.get("serial") else "")
    )


def _ontap(prefix: str) -> Callable[[Volume], str]:
    def naa(volume: Volume) -> str:
        """A serial is 12 characters of ASCII (na_ontap_lun_map: lun_serial, lun_naa_id)."""
        serial = str(volume.get("serial_number") or volume.get("lun_serial") or "")
        if volume.get("lun_naa_id"):
            return str(volume["lun_naa_id"])
        return prefix + serial.encode().hex() if len(serial) == 12 else serial and f"the serial {serial}"

    return naa


def _eseries(volume: Volume) -> str:
    """An id is the kind of object in eight digits, and the WWN (na_santricity_facts: netapp_volumes)."""
    found = volume.get("wwn") or volume.get("worldWideName") or volume.get("world_wide_name")
    return str(found or re.sub(r"^02000000(?=6[0-9A-Fa-f]{31}$)", "", str(volume.get("id") or "")))


ARRAYS: dict[str, tuple[Callable[[Volume], str], str]] = {
    "pure": (_pure, r"3624a9370[0-9a-f]{24}"),
    "ontap": (_ontap("600a0980"), r"3600a0980[0-9a-f]{24}"),
    "ontap_7mode": (_ontap("60a98000"), r"360a98000[0-9a-f]{24}"),
    "powerstore": (lambda volume: str(volume.get("wwn") or ""), r"368ccf098[0-9a-f]{24}"),
    "truenas": (lambda volume: str(volume.get("naa") or ""), r"36589cfc[0-9a-f]{25}"),
    "eseries": (_eseries, r"36[0-9a-f]{31}"),
}


def array_wwids(volumes: Mapping[str, Volume] | Sequence[Volume], array: str) -> dict[str, str]:
    """The WWID of each volume by its name."""
    if array not in ARRAYS:
        raise AnsibleFilterError(f"The array '{array}' must be one of {', '.join(ARRAYS)}.")
    found: dict[str, str] = {}
    try:
        for name, volume in _named(volumes):
            known = _wwid(name, volume, array)
            if found.setdefault(name, known) != known:
                raise AnsibleFilterError(
                    f"Two volumes are called '{name}', with the WWIDs {found[name]} and {known}. Select those of one SVM, "
                    "host or array first."
                )
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            "The volumes must be a list of dictionaries with a name, or a dictionary of them by name, not "
            f"'{str(volumes)[:60]}'. Is that what the array's module returned?"
        ) from error
    return found


def _named(volumes: Mapping[str, Volume] | Sequence[Volume]) -> Iterator[tuple[str, Volume]]:
    if isinstance(volumes, Mapping):
        yield from volumes.items()
    else:
        for volume in volumes:
            yield volume.get("name") or volume["lun_path"], volume


def _wwid(name: str, volume: Volume, array: str) -> str:
    identifier, shape = ARRAYS[array]
    text = identifier(volume)
    try:
        known = wwid(text)
    except Problem:
        known = ""
    if not re.fullmatch(shape, known):
        raise AnsibleFilterError(
            f"The volume '{name}' has no identifier of the array '{array}': found is {repr(text) if text else 'none'}."
        )
    return known


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"array_wwids": array_wwids}
