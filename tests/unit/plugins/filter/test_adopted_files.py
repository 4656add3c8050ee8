# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage software that only has files: what somebody wrote there becomes data, and that data changes no byte of it."""

from __future__ import annotations

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lunworks.iscsi.plugins.filter.adopted import adopted
from ansible_collections.lunworks.iscsi.plugins.module_utils._iet.info import tell_targets as tell_iet
from ansible_collections.lunworks.iscsi.plugins.module_utils._netbsd.info import tell_targets as tell_netbsd
from ansible_collections.lunworks.iscsi.plugins.module_utils._providers import provider
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.options import LISTED_TARGET
from ansible_collections.lunworks.iscsi.tests.unit.iet_host import IetHost
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._iet import test_iet as iet
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._netbsd import test_netbsd as netbsd

SECRET = "written-by-hand-12"
T, A, B = iet.T, iet.A, iet.B
ITEM_A, ITEM_B = (name.replace(".", "\\.") for name in (A, B))
TELL = {"iet": tell_iet, "netbsd": tell_netbsd}


def written(name, host):
    """The variables of a storage host, and what is said of it; its secrets are nowhere."""
    answer = TELL[name](host, None)
    told = adopted(
        {
            "store": {
                "storage": {"provider": name, "target_info": answer, "reason": "", "missing": [], "unit": {}},
                "compute": {},
            }
        }
    )
    texts = {one["path"]: one["text"] for one in told["files"]}
    assert SECRET not in "".join(texts.values()) + str(answer)
    data = yaml.safe_load(texts["host_vars/store.yml"])
    assert data["target_provider"] == name
    for one in data["target_targets"]:
        assert ArgumentSpecValidator(LISTED_TARGET).validate(one).error_messages == []
    return data["target_targets"], told


def agrees(name, host, path, told):
    """The role would change nothing."""
    before = host.read(path)
    resource = provider(name).resource(told["targets"]["store"])
    seen = resource.look(host)
    want = resource.want(seen)
    steps = [str(step) for step in resource.plan(seen, want)]
    resource.refuse(seen, want, [])
    assert steps == [] and seen == want and host.read(path) == before


def hand(conf, allow="", portals="ALL ALL\n", mode=0o600, **more):
    """A host of IET, its ietd.conf private or not."""
    files = {iet.CONF: {"text": conf, "mode": mode}, iet.ALLOW: allow, iet.PORTALS: portals}
    return IetHost({**files, **iet.LOOP, **iet.HDA5, **iet.FILES, **more})


BY_HAND = f"""# of 2006
Target {T}
        IncomingUser db {SECRET}
        Lun 0 Path=/srv/a.img,Type=fileio,IOMode=wb,ScsiId=42,ScsiSN=42424242
        Lun 7 Path=/srv/b.img,IOMode=ro,BlockSize=4096
        MaxBurstLength 524288
        NOPInterval 30
"""


def test_what_somebody_wrote_to_ietd_conf_becomes_data():
    host = hand(BY_HAND, f"{T} {ITEM_A}, {ITEM_B}\n", f"{T} 192.0.2.1\n")
    (target,), told = written("iet", host)
    chap = {"user": "db", "secret": "{{ vault_chap_db_secret }}"}
    assert target == {
        "name": T,
        "portals": ["192.0.2.1"],
        "attributes": {"NOPInterval": "30"},
        "parameters": {"MaxBurstLength": "524288"},
        "luns": [
            {
                "name": "lun0",
                "path": "/srv/a.img",
                "size": "1m",
                "serial": "42424242",
                "write_back": True,
                "shared": True,
                "attributes": {"ScsiId": "42"},
            },
            {
                "name": "lun7",
                "path": "/srv/b.img",
                "size": "1m",
                "number": 7,
                "block_size": 4096,
                "read_only": True,
                "shared": True,
            },
        ],
        "igroups": [
            {"name": A, "initiators": [A], "luns": ["lun0", "lun7"], "chap": chap},
            {"name": B, "initiators": [B], "luns": ["lun0", "lun7"], "chap": chap},
        ],
    }
    assert told["cannot"] == [] and any("vault_chap_db_secret" in one for one in told["decisions"])
    agrees("iet", host, iet.CONF, told)


@pytest.mark.parametrize(
    "conf", [iet.SEED, iet.WIKI, iet.OLD], ids=["ScsiId of the seed", "wiki", "with accounts"]
)
def test_files_of_the_seeds_become_data_that_changes_nothing(conf):
    host = hand(conf, "ALL ALL\n")
    (target,), told = written("iet", host)
    assert target["portals"] == ["[::]:3260"] and "igroups" not in target
    assert any(
        "lets in every initiator that reaches it (initiators.allow ALL)" in one for one in told["dangerous"]
    )
    agrees("iet", host, iet.CONF, told)


@pytest.mark.parametrize(
    "conf, allow, what, sentence",
    [
        (iet.OLD, "ALL ALL\n", "cannot", "Discovery asks for CHAP with accounts that are set up by hand: 'joe'."),
        (iet.OLD, "ALL ALL\n", "cannot", "'MaxBurstLength' of 'iqn.2001-04.org.gentoo:iSCSI.test.disk1' ('store') is '0x40000'"),
        (iet.WIKI, "ALL ALL\n", "decisions", "serves '/dev/hda5' as the LUN 'lun0'"),
        (f"iSNSServer 192.0.2.9\n{iet.SEED}", "ALL ALL\n", "cannot", "registered with an iSNS server"),
        (iet.SEED, f"{T} 192.0.2.0/24\n", "cannot", "lets in by address (192.0.2.0/24)"),
        (BY_HAND, "ALL ALL\n", "cannot", "asks for CHAP of 'db', and is given to no initiator by its name"),
        (
            f"Target {T}\n\tIncomingUser db {SECRET}\n\tIncomingUser web {SECRET}\n",
            f"{T} {ITEM_A}\n",
            "cannot",
            "has more CHAP accounts than that of its igroups: 'web'",
        ),
        (f"Target {T}\n\tOutgoingUser db {SECRET}\n", "", "cannot", "has an account to prove itself and asks for none"),
        (f"Target {T}\n\tLun 0 Type=nullio,Blocks=2048\n", "", "cannot", "The LUN number 0 of"),
        (f"Target {T}\n\tLun 0 Path=/srv/a.img,Blocks=512\n", "", "cannot", "has a size in '/etc/iet/ietd.conf'"),
        (f"Target {T}\n\tLun 0 Path=/srv/a.img,ScsiSN=beaf91\n", "", "cannot", "The serial 'beaf91' of the LUN 'lun0'"),
    ],
)  # fmt: skip
def test_what_the_data_cannot_say_of_iet_is_told(conf, allow, what, sentence):
    _targets, told = written("iet", hand(conf, allow))
    assert any(sentence in one for one in told[what]), told[what]


def test_networks_and_files_that_others_read_are_told():
    host = hand(
        BY_HAND, f"{T} {ITEM_A}\n", f"{T} 192.0.2.0/24\n", 0o644, **{"/etc/iet/initiators.deny": "ALL ALL\n"}
    )
    (target,), told = written("iet", host)
    assert "portals" not in target
    assert any("is shown at '192.0.2.0/24' by '/etc/iet/targets.allow'" in one for one in told["cannot"])
    assert any(
        "'/etc/iet/initiators.deny' is there: whom it does not deny gets in" in one for one in told["cannot"]
    )
    assert any("'/etc/iet/ietd.conf' can have CHAP secrets in plain text" in one for one in told["dangerous"])


def test_a_target_that_was_only_made_with_ietadm_is_left_there():
    host = hand(BY_HAND, f"{T} {ITEM_A}\n")
    host.live["iqn.2026-01.com.example:typed"] = {"tid": 9, "luns": {}, "keys": {}, "in": [], "out": None}
    host.proc()
    targets, told = written("iet", host)
    assert [one["name"] for one in targets] == [T]
    assert any(
        "':typed' was made with ietadm" in one.replace("iqn.2026-01.com.example", "")
        for one in told["cannot"]
    )
    agrees("iet", host, iet.CONF, told)


EXTENTS = {"/iscsi/extents/3": {"size": 100 << 30}}


def test_what_somebody_wrote_to_targets_of_netbsd_becomes_data():
    host = netbsd.NetbsdHost(
        netbsd.SEED, runs=True, **EXTENTS, **{netbsd.AUTHS: f"# of us\nman:chap:{SECRET}\n"}
    )
    targets, told = written("netbsd", host)
    assert targets == [
        {"name": f"{netbsd.DEFAULT}target0", "luns": [{"name": "lun0", "read_only": True}]},
        {
            "name": f"{netbsd.DEFAULT}target1",
            "luns": [{"name": "lun0", "path": "/iscsi/extents/3", "size": "100g", "read_only": True}],
        },
    ]
    for sentence in (
        "is the device 'device3' (RAID1 of ",
        "target1' is hidden from discovery outside of '127.0.0.0/8'",
        "'/etc/iscsi/auths' has 1 CHAP accounts",
    ):
        assert any(sentence in one for one in told["cannot"]), sentence
    assert sum("NetBSD's target enforces no access" in one for one in told["dangerous"]) == 2
    agrees("netbsd", host, netbsd.FILE, told)


def test_a_stripe_and_secrets_that_others_read_are_told():
    text = "extent0 /a 0 1MB\nextent1 /b 0 1MB\ndevice0 RAID0 extent0 extent1\ntarget0 rw device0 any\n"
    auths = {netbsd.AUTHS: {"text": f"man\\:of:chap:{SECRET}\n", "mode": 0o644}}
    _targets, told = written("netbsd", netbsd.NetbsdHost(text, **auths))
    assert any("a RAID0 of several members, where the target destroys data" in one for one in told["cannot"])
    assert any("'/etc/iscsi/auths' can have CHAP secrets" in one for one in told["dangerous"])
