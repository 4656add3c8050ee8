# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identifiers as the documentation of each array's collection shows them, and the WWIDs that hosts make of them."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.array_wwids import array_wwids


@pytest.mark.parametrize(
    "array, volume, wwid",
    [
        ("pure", {"page83_naa": "naa.624a937038F97EB9AE6B49BB00011010"}, "3624a937038f97eb9ae6b49bb00011010"),
        ("pure", {"serial": "38F97EB9AE6B49BB00011010", "size": 1}, "3624a937038f97eb9ae6b49bb00011010"),
        # the sample of na_ontap_lun_map, and the pairs that people asked NetApp about
        ("ontap", {"lun_naa_id": "600a0980383045372f5d4c5a70315474"}, "3600a0980383045372f5d4c5a70315474"),
        ("ontap", {"serial_number": "80E7/]LZp1Tt"}, "3600a0980383045372f5d4c5a70315474"),
        ("ontap", {"serial_number": "RLIta+DhqCVk"}, "3600a0980524c4974612b44687143566b"),
        ("ontap_7mode", {"serial_number": "P3Ku/JlVTFX3"}, "360a9800050334b752f4a6c5654465833"),
        ("ontap_7mode", {"lun_serial": "dedIK4onuuso"}, "360a98000646564494b346f6e7575736f"),
        ("powerstore", {"wwn": "naa.68ccf09800ac8ab0e2506d99bee29e40"}, "368ccf09800ac8ab0e2506d99bee29e40"),
        ("truenas", {"naa": "0x6589cfc00000033f74d0d84613b0caea"}, "36589cfc00000033f74d0d84613b0caea"),
        ("eseries", {"wwn": "600A098000A4B9D1000015FD5C8F7F9E"}, "3600a098000a4b9d1000015fd5c8f7f9e"),
        (
            "eseries",
            {"worldWideName": "60080E500029342600004AE8544B1F23"},
            "360080e500029342600004ae8544b1f23",
        ),
        ("eseries", {"id": "02000000600A098000AAC0C3000002C45A952BAA"}, "3600a098000aac0c3000002c45a952baa"),
    ],
)
def test_an_identifier_becomes_the_wwid_that_hosts_show(array, volume, wwid):
    assert array_wwids({"db0": volume}, array) == {"db0": wwid}
    assert array_wwids([{"name": "db0", **volume}], array) == {"db0": wwid}


def test_a_lun_of_ontap_has_its_path_as_its_name():
    luns = [{"lun_path": "/vol/db/db0", "lun_naa_id": "600a0980383045372f5d4c5a70315474"}]
    assert array_wwids(luns, "ontap") == {"/vol/db/db0": "3600a0980383045372f5d4c5a70315474"}


@pytest.mark.parametrize(
    "array, volume, said",
    [
        ("pure", {}, "found is none"),
        ("pure", {"serial": "38F97EB9"}, "found is 'naa.624a937038F97EB9'"),
        ("ontap", {"serial_number": "short"}, "found is 'the serial short'"),
        ("ontap", {"lun_naa_id": "60a9800050334b752f4a6c5654465833"}, "no identifier of the array 'ontap'"),
        (
            "powerstore",
            {"wwn": "naa.624a937038f97eb9ae6b49bb00011010"},
            "no identifier of the array 'powerstore'",
        ),
        ("truenas", {"naa": "0x6589cfc"}, "found is '0x6589cfc'"),
        (
            "eseries",
            {"id": "04000000600A098000A81B5D000002B45A953A61"},
            "no identifier of the array 'eseries'",
        ),
    ],
)
def test_what_is_not_of_this_array_is_refused(array, volume, said):
    with pytest.raises(AnsibleFilterError, match="The volume 'db0' has no identifier") as refused:
        array_wwids({"db0": volume}, array)
    assert said in str(refused.value)


def test_two_volumes_of_one_name_are_not_mixed_up():
    luns = [{"name": "/vol/db/l", "serial_number": serial} for serial in ("80E7/]LZp1Tt", "RLIta+DhqCVk")]
    with pytest.raises(AnsibleFilterError, match="Two volumes are called '/vol/db/l'"):
        array_wwids(luns, "ontap")
    assert len(array_wwids([luns[0], luns[0]], "ontap")) == 1


def test_another_form_and_another_array_are_refused():
    with pytest.raises(AnsibleFilterError, match="must be one of pure, ontap"):
        array_wwids({}, "md3000i")
    for volumes in (["db0"], [{"serial": "x"}], {"db0": "x"}):
        with pytest.raises(AnsibleFilterError, match="must be a list of dictionaries"):
            array_wwids(volumes, "pure")
