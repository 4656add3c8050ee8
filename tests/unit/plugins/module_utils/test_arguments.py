# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import (
    Portal,
    address,
    in_units,
    iscsi_name,
    port,
    portal,
    size,
    unique,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._chap import NO_CHAP, chap
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid, wwid_of_lio


@pytest.mark.parametrize(
    "text, name",
    [
        ("iqn.2026-01.com.example", "iqn.2026-01.com.example"),
        ("iqn.2026-01.com.example:", None),
        ("iqn.1994-04.org.netbsd.iscsi-target:target0", "iqn.1994-04.org.netbsd.iscsi-target:target0"),
        ("IQN.2026-01.COM.Example:DB-A", "iqn.2026-01.com.example:db-a"),
        ("iqn.2026-00.com.example:x", None),
        ("iqn.26-01.com.example:x", None),
        ("iqn.2026-01.:x", None),
        ("iqn.2026-01.com.example:a b", None),
        ("iqn.2026-01.com.example:a_b", None),
        ("iqn.2026-01.com.example:" + "x" * 199, "iqn.2026-01.com.example:" + "x" * 199),
        ("iqn.2026-01.com.example:" + "x" * 200, None),
        ("eui.02004567a425678d", "eui.02004567a425678d"),
        ("eui.02004567a425678", None),
        ("eui.02004567a425678g", None),
        ("naa.52004567ba64678d", "naa.52004567ba64678d"),
        ("naa.62004567ba64678d0123456789abcdef", "naa.62004567ba64678d0123456789abcdef"),
        ("naa.62004567ba64678d01", None),
        ("example.com:x", None),
        ("", None),
    ],
)
def test_iscsi_names(text, name):
    if name is None:
        with pytest.raises(Problem, match="is not an iSCSI name"):
            iscsi_name(text)
    else:
        assert iscsi_name(text) == name


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("192.0.2.1", Portal("192.0.2.1", 3260)),
        ("192.0.2.1:860", Portal("192.0.2.1", 860)),
        ("2001:db8::1", Portal("2001:db8::1", 3260)),
        ("2001:0DB8:0::0001", Portal("2001:db8::1", 3260)),
        ("[2001:db8::1]", Portal("2001:db8::1", 3260)),
        ("[2001:db8::1]:3261", Portal("2001:db8::1", 3261)),
        ("[fe80::1%san1]:3260", Portal("fe80::1%san1", 3260)),
    ],
)
def test_portals(text, wanted):
    assert portal(text) == wanted
    assert portal(str(wanted)) == wanted


@pytest.mark.parametrize(
    "text",
    ["", "192.0.2", "192.0.2.256", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:iscsi", "[2001:db8::1", "store1", "2001:db8::g",
     "[192.0.2.1]:x", "fe80::1%", "2001:db8::1%eth0", "192.0.2.1:3260,1"],
)  # fmt: skip
def test_what_is_no_portal_is_refused(text):
    with pytest.raises(Problem, match="is not a portal"):
        portal(text)


def test_a_host_name_is_a_portal_only_where_names_are_allowed():
    assert portal("Store1.example.com:3261", names=True) == Portal("store1.example.com", 3261)
    with pytest.raises(Problem):
        portal("192.0.2.999", names=True)


def test_addresses_are_canonical():
    assert address("[FD00:0:0::1]") == "fd00::1"


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("512", 512),
        (4096, 4096),
        ("64k", 65536),
        ("10M", 10 << 20),
        ("40 GiB", 40 << 30),
        ("1.5t", 1536 << 30),
        ("1.1g", 1181116416),  # 1181116006.4 bytes: the next whole sector
        ("0.3p", 337769972052992),
        ("1.0000001k", 1536),
        (str(2**63 - 1), 2**63 - 1),
    ],
)
def test_sizes(text, wanted):
    assert size(text) == wanted


@pytest.mark.parametrize(
    "count, words", [(0, "0 bytes"), (4 << 20, "4 MiB"), (32107397120, "29.9 GiB"), (10 << 40, "10 TiB")]
)
def test_sizes_in_words(count, words):
    assert in_units(count) == words


@pytest.mark.parametrize("text", ["", "-1g", "0", "ten", "10x", "1.5", "0.0001k", "g", "1e9", "٣g"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(Problem, match="is not a size. It must be"):
        size(text)


@pytest.mark.parametrize("text", ["9999999p", str(2**63), "8192p", "9" * 400, "1." + "3" * 400 + "g"])
def test_a_size_that_no_disk_can_have_is_refused_in_a_short_sentence(text):
    with pytest.raises(
        Problem, match="is not a size: no disk or file has more than 9223372036854775807"
    ) as refused:
        size(text)
    assert len(str(refused.value)) < 150


def test_a_port_of_many_digits_is_refused():
    with pytest.raises(Problem, match="is not a TCP port"):
        port("9" * 5000)


GOOD = {"user": "db", "secret": "twelve-bytes", "mutual_user": "store", "mutual_secret": "twelve-other"}


def test_chap_keeps_what_was_given():
    found = chap(GOOD)
    assert (found.user, found.secret.reveal(), found.mutual_user) == ("db", "twelve-bytes", "store")
    assert chap(None) is None


def test_an_empty_user_and_an_empty_secret_say_no_chap():
    assert chap({"user": "", "secret": "", "mutual_user": None, "mutual_secret": None}) == NO_CHAP


@pytest.mark.parametrize(
    "change, said",
    [
        ({"secret": "short"}, "The CHAP secret has 5 bytes; it must have 12 to 255"),
        ({"secret": "x" * 256}, "has 256 bytes"),
        ({"mutual_secret": "short"}, "The CHAP mutual_secret has 5 bytes"),
        ({"mutual_secret": "twelve-bytes"}, "are the same"),
        ({"secret": "twelve bytes\n"}, "white space"),
        ({"user": ""}, "user is empty"),
        ({"user": "a\nb"}, "white space"),
    ],
)
def test_chap_that_would_not_work_is_refused_without_showing_the_secret(change, said):
    with pytest.raises(Problem) as refused:
        chap({**GOOD, **change})
    assert said in str(refused.value)
    assert change.get("secret", "twelve-bytes") not in str(refused.value)


def test_a_chap_secret_that_yaml_takes_for_a_number_is_a_text():
    found = chap({"user": 7, "secret": 123456789012})
    assert (found.user, found.secret.reveal()) == ("7", "123456789012")


def test_a_thing_that_is_named_twice():
    unique("portal", ["a", "b"])
    with pytest.raises(Problem, match="The portal 'a' is given more than once"):
        unique("portal", ["a", "b", "a"])


def test_a_serial_belongs_to_its_target_and_lun_for_ever():
    serial = serial_of("iqn.2026-01.com.example:store1.db", "db0")
    assert serial == "00e0247a-1964-592d-a511-314e22f0e162"
    assert serial != serial_of("iqn.2026-01.com.example:store2.db", "db0")
    assert serial != serial_of("iqn.2026-01.com.example:store1.db", "db1")


def test_the_wwid_that_linux_shows_for_a_lio_serial():
    assert wwid_of_lio("2b9d0a3c-8e2f-4a51-9d7e-1c2b3a4d5e6f") == "360014052b9d0a3c8e2f4a519d7e1c2b3"
    assert wwid_of_lio("abc") == "36001405abc0000000000000000000000"


@pytest.mark.parametrize(
    "text, found",
    [
        ("3600601603E303800E35B350F68E3E411", "3600601603e303800e35b350f68e3e411"),  # an array's page
        ("600601603E303800E35B350F68E3E411", "3600601603e303800e35b350f68e3e411"),  # EMC, Pure, HPE: no '3'
        ("60:06:01:60:3E:30:38:00:E3:5B:35:0F:68:E3:E4:11", "3600601603e303800e35b350f68e3e411"),
        ("naa.600601603e303800e35b350f68e3e411", "3600601603e303800e35b350f68e3e411"),  # sysfs, VMware
        ("NAA.600601603E303800E35B350F68E3E411", "3600601603e303800e35b350f68e3e411"),
        ("0x600601603e303800e35b350f68e3e411", "3600601603e303800e35b350f68e3e411"),  # lsblk -o WWN
        ("wwn-0x600601603e303800e35b350f68e3e411", "3600601603e303800e35b350f68e3e411"),
        ("/dev/disk/by-id/wwn-0x600601603e303800e35b350f68e3e411", "3600601603e303800e35b350f68e3e411"),
        ("scsi-3600601603e303800e35b350f68e3e411", "3600601603e303800e35b350f68e3e411"),
        (
            "/dev/disk/by-id/dm-uuid-mpath-3600601603e303800e35b350f68e3e411",
            "3600601603e303800e35b350f68e3e411",
        ),
        (" 36001405db5c0a5d3c95d0a8b1ad1bb00 ", "36001405db5c0a5d3c95d0a8b1ad1bb00"),
        ("0x5000C500A1B2C3D4", "35000c500a1b2c3d4"),
        ("50:00:C5:00:A1:B2:C3:D4", "35000c500a1b2c3d4"),
        ("eui.00A0B8000012345E", "200a0b8000012345e"),
        ("200A0B8000012345E", "200a0b8000012345e"),
        ("eui.0025385971b0a1c30000000000000001", "20025385971b0a1c30000000000000001"),
        ("t10.ATA     Disk-1", "1ATA_Disk-1"),
        ("T10.NETBSD 0", "1NETBSD_0"),
        ("1NetBSD_iSCSI", "1NetBSD_iSCSI"),
        ("SIET_VIRTUAL-DISK_00010001", "SIET_VIRTUAL-DISK_00010001"),
        ("scsi-SIET_VIRTUAL-DISK_00010001", "SIET_VIRTUAL-DISK_00010001"),
        ("8iqn.2000-01.com.Example:x", "8iqn.2000-01.com.Example:x"),
    ],
)
def test_a_wwid_in_every_spelling_is_one_wwid(text, found):
    assert wwid(text) == found
    assert wwid(found) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sda",
        "/dev/sda",
        "36001405 2b9d",
        "/dev/mapper/mpatha",
        '36001405"2b9d',
        "36001405\n}",
        "3600601603e303800e35b350f68e3e41",
        "eui.",
        "naa.",
        "naa.60a980004271776346244a724e79edfx",
        "0x5000c500a1b2c3",
        "eui.0025385971b0a1cg",
        "3" * 200,
    ],
)
def test_what_is_no_wwid_is_refused(text):
    with pytest.raises(Problem, match="is not a WWID"):
        wwid(text)
