# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose multipath somebody else has set up: names that are in use stay, and what multipath reads is what we read."""

from __future__ import annotations

import json
import shlex

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.files import aliases_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.sections import parse_sections
from ansible_collections.lunworks.iscsi.tests.integration.harness import refused, settled, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.loop_target import LoopTarget
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played
from ansible_collections.lunworks.iscsi.tests.unit.foreign_multipath import (
    DROP_INS,
    GUIDES,
    MAIN,
    configurations,
    merged,
)

TARGET = "iqn.2026-01.com.example:foreign.multipath"
BATCH = 40  # documents that the real multipath reads
HERE = "/srv/foreign"
FRIENDLY = """\
! of the admin
defaults {
    user_friendly_names yes   ! as the how-to says
    find_multipaths no
    polling_interval 10
    no_path_retry queue
}
devices {
    device {
        vendor "LIO-ORG"
        product ".*"
        path_grouping_policy "failover"
        no_path_retry queue
    }
}
"""


@pytest.fixture(scope="module")
def target(storage, compute):
    """Two LUNs on a host whose admin likes names like mpatha; fstab mounts the first by that name."""
    clean(compute)
    compute.write(MAIN, FRIENDLY)
    compute.run("systemctl reset-failed multipathd; systemctl start multipathd")
    made = LoopTarget(storage, compute, TARGET)
    made.serve(db0=64, db1=64)
    made.log_in()
    settled(compute, "test $(ls /dev/mapper/mpath? | wc -l) = 2")
    name = name_of(compute, made.wwid("db0"))
    compute.run(
        f"mkfs.ext4 -q /dev/mapper/{name} && mkdir -p {HERE} && cp /etc/fstab /etc/fstab.before && "
        f"echo '/dev/mapper/{name} {HERE} ext4 _netdev,nofail 0 2' >>/etc/fstab && systemctl daemon-reload && mount {HERE}"
    )
    yield made
    compute.run(f"umount {HERE}; mv /etc/fstab.before /etc/fstab; systemctl daemon-reload", check=False)
    clean(compute)
    made.log_out()
    made.close()


def clean(compute):
    compute.run(
        "vgchange -an vg_foreign; systemctl stop multipathd multipathd.socket; multipath -F", check=False
    )
    compute.run(
        f"rm -rf /etc/multipath {MAIN} /run/systemd/system/multipathd.service.d; systemctl daemon-reload"
    )


def name_of(compute, wwid):
    return compute.run(f"cat /sys/class/block/$(basename $(readlink -f {stable(wwid)}))/dm/name").out.strip()


def stable(wwid):
    return f"/dev/disk/by-id/dm-uuid-mpath-{wwid}"


def queueing(compute):
    """What multipathd does for each map: its name, its queueing, its groups."""
    told = json.loads(compute.run("multipathd show maps json").out)["maps"]
    return {one["name"]: (one["queueing"], len(one["path_groups"])) for one in told}


def mounted(compute):
    return compute.run(f"findmnt -no SOURCE {HERE}", check=False).out.strip()


def test_a_role_leaves_names_and_settings_of_others_alone(lab, target, compute, tmp_path):
    names, source = queueing(compute), mounted(compute)
    play = [{"hosts": compute.name, "gather_facts": False, "roles": ["lunworks.iscsi.multipath"]}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play))
    assert played(lab, str(tmp_path / "play.yml"), hosts=[compute], multipath_install=False).changed()
    assert compute.read(MAIN) == FRIENDLY
    assert queueing(compute) == names and mounted(compute) == source
    drop_in = compute.read(f"{DROP_INS}/lunworks.conf")
    assert "recheck_wwid" in drop_in and "no_path_retry" not in drop_in and "LIO-ORG" not in drop_in
    succeeded(compute, compute.module("multipath_conf", state="absent"))


def test_a_name_that_fstab_uses_stays_and_one_that_nobody_uses_goes(target, compute):
    source, wwids = mounted(compute), [target.wwid(lun) for lun in ("db0", "db1")]
    name = source.rpartition("/")[2]
    asked = {"defaults": {"user_friendly_names": False}}
    refused(compute, "multipath_conf", f"would rename the map '{name}' ({wwids[0]}) to '{wwids[0]}'", **asked)
    refused(
        compute, "multipath_alias", "'/etc/fstab' names it", aliases=[{"wwid": wwids[0], "alias": "data"}]
    )
    # systemd unmounts it just so where fstab has the UUID: the mount itself knows the name.
    uuid = compute.run(f"blkid -o value -s UUID {source}").out.strip()
    compute.run(f"sed -i 's,^{source} ,UUID={uuid} ,' /etc/fstab && systemctl daemon-reload")
    refused(compute, "multipath_conf", f"is mounted on '{HERE}'", **asked)
    shut = compute.module("multipath_conf", check=True, blacklist={"devnode": "^sd[a-z]"})
    assert "since it is blacklisted by devnode '^sd[a-z]', and it is in use: /dev/dm-" in shut["msg"]
    kept = {"wwid": f"wwn-0x{wwids[0][1:].upper()}", "alias": name}
    assert succeeded(compute, compute.module("multipath_alias", aliases=[kept]))["changed"]
    ran = succeeded(compute, compute.module("multipath_conf", **asked))
    (renamed,) = [step for step in ran["steps"] if step.startswith("Rename")]
    assert renamed.endswith(f"to '{wwids[1]}'"), "only the one that nobody uses"
    assert mounted(compute) == source and name_of(compute, wwids[1]) == wwids[1]
    compute.run(f"echo goes on >{HERE}/file && sync")
    again = compute.module("multipath_conf", **asked)
    assert not again["changed"]


def test_what_a_map_gets_for_a_setting_that_was_for_others_is_said(target, compute):
    asked = {"defaults": {"user_friendly_names": False}, "overrides": {"no_path_retry": 12}}
    ran = succeeded(compute, compute.module("multipath_conf", check=True, **asked))
    said = [step for step in ran["steps"] if "no_path_retry 12 instead of queue" in step]
    assert sorted(said) == sorted(
        f"Give the multipath map '{name}' no_path_retry 12 instead of queue" for name in queueing(compute)
    )


def test_aliases_behind_comment_signs_and_beside_other_files(target, compute):
    wwid = target.wwid("db1")
    compute.write(
        MAIN,
        f"{FRIENDLY}multipaths {{\n  multipath {{\n    wwid {wwid} ! old\n    alias data ! x\n  }}\n}}\n",
    )
    compute.run("multipathd reconfigure")
    settled(compute, "test -e /dev/mapper/data")
    for aliases, message in (
        ([{"wwid": target.wwid("db0"), "alias": "data"}], f"'{MAIN}' gives the alias 'data' to '{wwid}'"),
        ([{"wwid": wwid, "alias": "control"}], "device-mapper's own"),
    ):
        assert message in compute.module("multipath_alias", aliases=aliases)["msg"]
    assert not succeeded(
        compute, compute.module("multipath_alias", aliases=[{"wwid": wwid, "alias": "data"}])
    )["changed"]
    assert "duplicate" not in compute.run("multipath -ll 2>&1").out


def test_a_daemon_that_talks_much_has_loaded_its_files(target, compute):
    compute.run(
        "mkdir -p /run/systemd/system/multipathd.service.d && printf '[Service]\\nExecStart=\\n"
        "ExecStart=/sbin/multipathd -d -s -v3\\n' >/run/systemd/system/multipathd.service.d/debug.conf && "
        "systemctl daemon-reload && systemctl reset-failed multipathd; systemctl restart multipathd"
    )
    settled(compute, "multipathd show config | grep -q 'verbosity 3'")
    again = compute.module("multipath_conf", defaults={"user_friendly_names": False})
    assert not succeeded(compute, again)["changed"]


def test_the_real_multipath_reads_what_we_read(compute):
    documents = [{MAIN: text} for text in GUIDES]

    @settings(
        max_examples=BATCH,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(configurations)
    def collect(files):
        documents.append(files)

    collect()
    script = ["exec 2>/dev/null; mount -t tmpfs none /etc"]
    for files in documents:
        script.append(f"rm -rf {MAIN} /etc/multipath; mkdir -p {DROP_INS}; touch {MAIN}")
        for path, text in files.items():
            octal = "".join(f"\\0{byte:03o}" for byte in text.encode(errors="surrogateescape"))
            script.append(f"printf %b {shlex.quote(octal)} >{path}")
        script.append("multipath -t; echo; echo =====")
    told = compute.run("unshare --mount bash -s", stdin="\n".join(script), timeout=120).out.split("=====\n")
    assert len(told) == len(documents) + 1
    for files, text in zip(documents, told):
        real, theirs = parse_sections(text), merged(files)
        entries = {one.values["wwid"]: one.values for one in real.all("multipaths", "multipath")}
        assert set(entries) == set(theirs["multipaths"]), files
        ours = {}
        for path in sorted(files, key=lambda path: (path != MAIN, path)):
            ours.update(aliases_of(parse_sections(files[path])))
        for wwid, entry in entries.items():
            assert entry.get("alias") == theirs["multipaths"][wwid].get("alias"), files
            if list(ours.values()).count(ours.get(wwid)) == 1:
                assert entry.get("alias") == ours.get(wwid), files
        defaults = real.all("defaults")[0].values
        for keyword in ("alias_prefix", "path_selector", "prio_args"):
            if theirs["defaults"].get(keyword):
                assert defaults[keyword] == theirs["defaults"][keyword], files
        known = {
            (one.values.get("vendor"), one.values.get("product")) for one in real.all("devices", "device")
        }
        for entry in theirs["devices"]:
            pair = (entry.get("vendor"), entry.get("product"))
            assert pair in known or not all(pair), files
