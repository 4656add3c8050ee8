# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which targets others' files define, as Config::General reads them, and what is left alone where that is not known."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.info import tell_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.others import look_others
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    WHO,
    T,
    TgtHost,
    U,
    done,
    made,
    run,
    target,
)

OURS = "include /etc/tgt/conf.d/*.conf\n"
BLOCK = "  backing-store /srv/luns/x.img\n</target>\n"
DEFINE = {
    "a comment behind it": f"<target {T}>   # production, do not touch\n{BLOCK}",
    "a comment at once": f"<target {T}>#x\n{BLOCK}",
    "a comment of C before it": f"/* old */ <target {T}>\n{BLOCK}",
    "a line that goes on": f"<target \\\n    {T}>\n{BLOCK}",
    "an empty block": f"<target {T}/>\n",
    "spaces in the block": f"  <target   {T}  >\n{BLOCK}",
    "the kind in quotes": f'<"target" "{T}">\n{BLOCK}',
    "an include with a comment": "include /srv/t.conf # the storage team's\n",
    "an include with braces": "include /srv/{s,t}.conf\n",
    "an include of a directory with wildcards": "include /sr?/*.conf\n",
    "an optional include": "IncludeOptional /srv/t.conf\n",
    "an include in quotes": 'include "/srv/t.conf"\n',
}
NOT = {
    "a comment of C": f"/*\n<target {T}>\n{BLOCK}*/\n",
    "a here document": f"note <<END\n<target {T}>\nEND\n",
    "a block within another one": f"<x>\n<target {T}>\n{BLOCK}</x>\n",
    "an include within a block": "<x>\ninclude /srv/t.conf\n</x>\n",
    "a hidden file": "include /srv/hidden/*\n",
    "another case": f"<Target {T}>\n</Target>\n",
}
UNCLEAR = {
    "a block that does not end": "<x>\n",
    "an end without a block": "</x>\n",
    "a target without a name": f"<target>\n<{T}>\n</{T}>\n</target>\n",
    "an escaped name": "<target iqn\\#x>\n</target>\n",
    "an include with a backslash": "include /srv/\\t.conf\n",
    "an include with a set": "include /srv/[st].conf\n",
    "an include that Apache does not have": "<<include /srv/t.conf>>\n",
}


def host_of(text):
    files = {
        "/etc/tgt/targets.conf": OURS + text,
        "/srv/t.conf": f"<target {T}>\n{BLOCK}",
        "/srv/hidden/.t.conf": f"<target {T}>\n{BLOCK}",
        "/srv/luns/x.img": {"size": 64 << 20},
    }
    runs = {"name": T, "luns": {1: {"path": "/srv/luns/x.img", "size": 64 << 20}}, "addresses": ["ALL"]}
    return TgtHost(files=files, targets={1: runs})


@pytest.mark.parametrize("text", DEFINE.values(), ids=DEFINE)
def test_a_target_that_a_file_of_others_defines_is_found(text):
    host = host_of(text)
    targets, ours, unclear = look_others(host)
    assert (set(targets), ours, unclear) == ({T}, True, "")
    result = run(host, {"name": T, "igroups": [{"name": "g", "initiators": [WHO], "luns": ["lun1"]}]})
    assert "is defined in" in result["msg"] and host.did == []


@pytest.mark.parametrize("text", NOT.values(), ids=NOT)
def test_what_perl_takes_for_no_target_is_none(text):
    assert look_others(host_of(text)) == ({}, True, "")


@pytest.mark.parametrize("text", UNCLEAR.values(), ids=UNCLEAR)
def test_where_a_file_is_unclear_what_it_may_define_is_left_alone(text):
    host = host_of(text)
    for asked, scope in (
        ([{"name": T, "igroups": [{"name": "g", "initiators": [WHO], "luns": ["lun1"]}]}], {}),
        ([{"name": T, "state": "absent"}], {}),
        ([], {"purge_targets": True}),
    ):
        result = run(host, *asked, **scope)
        assert "'/etc/tgt/targets.conf', line " in result.get("msg", ""), result
    assert host.did == []
    assert any("'/etc/tgt/targets.conf', line " in one for one in tell_targets(host, None)["unmanaged"])
    host.targets.clear()
    done(host, target(U))
    assert [one["name"] for one in host.targets.values()] == [U]


def test_an_include_within_a_block_does_not_bring_our_files_back():
    host = made(target())
    host.files["/etc/tgt/targets.conf"] = f"<x>\n{OURS}</x>\n"
    assert "does not include" in run(host, target(luns=("a", "b", "c")))["msg"]


# As people write it, with all that a manual names: stores in one line and in blocks, in one target too, which tgt-admin reads
# only in part; accounts; a driver; comments of both kinds.
MIXED = f"""\
# the storage team's, do not touch
default-driver iscsi
ignore-errors yes
<target {T}>
  backing-store /srv/luns/x.img
  <backing-store /srv/luns/y.img>
    scsi_sn = 0042
    write-cache off   # since the power cut
  </backing-store>
  initiator-address 192.0.2.0/24
  incominguser them {"theirs".ljust(12, "x")}
</target>
<target iqn.2026-01.com.example:direct>
  direct-store /dev/sdb
  <direct-store /dev/sdc>
    lun 7
  </direct-store>
</target>
{OURS}"""


def test_a_file_with_blocks_of_all_kinds_is_read_and_stays_byte_for_byte():
    host = host_of("")
    host.files["/etc/tgt/targets.conf"] = MIXED
    others, included, unclear = look_others(host)
    assert set(others) == {T, "iqn.2026-01.com.example:direct"} and (included, unclear) == (True, "")
    told = tell_targets(host, None)
    assert [one["defined_in"] for one in told["targets"]] == ["/etc/tgt/targets.conf"]
    assert sum("is defined in '/etc/tgt/targets.conf'" in one for one in told["unmanaged"]) == 2
    assert "theirs" not in str(told) and told["exposed_files"] == ["/etc/tgt/targets.conf"]
    assert "it is left alone" in run(host, target(U), purge_targets=True)["msg"] and host.did == []
    done(host, target(U))
    assert host.read("/etc/tgt/targets.conf") == MIXED
    assert {one["name"] for one in host.targets.values()} == {T, U}, "what their file serves goes on"
    assert host.targets[1]["addresses"] == ["ALL"] and list(host.targets[1]["luns"]) == [1]
