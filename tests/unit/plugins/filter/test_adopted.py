# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on hosts as inventory files, and what is said of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lunworks.iscsi.plugins.filter.adopted import adopted
from ansible_collections.lunworks.iscsi.plugins.filter.chap_faults import chap_faults
from ansible_collections.lunworks.iscsi.plugins.filter.san_faults import san_faults
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.options import LISTED_TARGET
from ansible_collections.lunworks.iscsi.tests.unit.adopt_facts import (
    NAME,
    PORTALS,
    TARGET,
    WWID,
    asked,
    configured,
    disk,
    group,
    igroup,
    lun,
    mount,
    record,
    served,
    session,
    target,
    used,
    volume,
)

ROLES = Path(__file__).resolve().parents[4] / "roles"
OTHER = "iqn.1993-08.org.debian:01:other"
CHAP = {"user": "hand", "mutual_user": ""}
STORE, DB = "group_vars/storage.yml", "host_vars/db.yml"


def written(facts):
    """The files, and the variables of each host as Ansible would read them."""
    told = adopted(facts)
    return told, {
        one["path"]: yaml.safe_load(one["text"]) for one in told["files"] if one["path"].endswith(".yml")
    }


def data_of(files, host):
    return files.get(f"host_vars/{host}.yml") or {}


def test_a_san_becomes_data_without_what_is_so_by_itself():
    told, files = written({"store": served(), "db": used()})
    assert data_of(files, "store") == {
        "target_targets": [
            {
                "name": TARGET,
                "portals": ["10.77.1.11", "10.77.2.11"],
                "luns": [
                    {"name": "data", "path": "/srv/hand/data.img", "size": "96m", "serial": lun()["serial"]}
                ],
                "igroups": [{"name": "db", "initiators": [NAME], "luns": ["data"]}],
            }
        ]
    }
    assert data_of(files, "db") == {
        "initiator_name": NAME,
        "initiator_login_timeout_at_boot": 120,
        "initiator_nodes": [{"target": TARGET, "portals": ["10.77.1.11", "10.77.2.11"]}],
        "multipath_presets": [],
        "multipath_fallbacks": {},
        "multipath_defaults": {"user_friendly_names": True},
        "volume_groups": [
            {
                "name": "vg_hand",
                "luns": [{"wwid": WWID}],
                "volumes": [
                    {
                        "name": "data",
                        "size": "48m",
                        "filesystem": "ext4",
                        "mount": "/srv/hand",
                        "mount_options": "_netdev,noatime",
                    }
                ],
            }
        ],
    }
    assert files["hosts.yml"] == {"storage": {"hosts": {"store": None}}, "compute": {"hosts": {"db": None}}}
    assert told["cannot"] == told["dangerous"] == told["changes"] == []


def facts_of(what, change):
    """The small SAN with one change."""
    return {"store": change if what == "store" else served(), "db": change if what == "db" else used()}


@pytest.mark.parametrize(
    "variable, value, host, facts",
    [
        (
            "target_provider",
            "tgt",
            "store",
            {**served(), "storage": {**served()["storage"], "provider": "tgt"}},
        ),
        ("alias", "old", "store", served([target(alias="old")])),
        ("enabled", False, "store", served([target(enabled=False)])),
        (
            "attributes",
            {"login_timeout": "30"},
            "store",
            served([target(attributes={"login_timeout": "30"})]),
        ),
        (
            "parameters",
            {"MaxConnections": "4"},
            "store",
            served([target(parameters={"MaxConnections": "4"})]),
        ),
        ("number", 7, "store", served([target(luns=[lun(number=7)])])),
        ("block_size", 4096, "store", served([target(luns=[lun(block_size=4096)])])),
        ("write_back", True, "store", served([target(luns=[lun(write_back=True)])])),
        (
            "attributes",
            {"emulate_tpu": "1"},
            "store",
            served([target(luns=[lun(attributes={"emulate_tpu": "1"})])]),
        ),
        ("initiator_alias", "db one", "db", used(alias="db one")),
        (
            "initiator_settings",
            {"node.session.cmds_max": "1024"},
            "db",
            used(iscsid_conf={"node.session.cmds_max": "1024"}),
        ),
        ("startup", "onboot", "db", used(records=[record(startup="onboot")])),
        ("logged_in", False, "db", used(records=[record(logged_in=False)])),
        (
            "settings",
            {"node.session.queue_depth": "64"},
            "db",
            used(records=[record(settings={"node.session.queue_depth": "64"})]),
        ),
        ("ifaces", ["san1", "san2"], "db", used(records=[record(iface="san2"), record(iface="san1")])),
        (
            "initiator_login_timeout_at_boot",
            30,
            "db",
            used(records=[record(settings={"node.session.initial_login_retry_max": "2"})]),
        ),
        ("multipath", False, "db", used(sessions=[session(1, [disk(map=None)])])),
        ("paths", 1, "db", used(sessions=[session(1), session(2, state="FAILED")])),
        ("extent_size", "8m", "db", used(groups=[group(extent_size=8 << 20)])),
        ("autoactivation", False, "db", used(groups=[group(autoactivation=False)])),
        ("tags", ["prod"], "db", used(groups=[group(tags=["prod"])])),
        ("system_id", "db", "db", used(groups=[group(system_id="db")])),
        ("active", False, "db", used(groups=[group(logical_volumes=[volume(active=False)])])),
        (
            "multipath_aliases",
            [{"wwid": WWID, "alias": "db"}],
            "db",
            used(
                multipath={
                    "settings": {**configured()["settings"], "multipaths": [{"wwid": WWID, "alias": "db"}]}
                }
            ),
        ),
        (
            "multipath_multipaths",
            [{"wwid": WWID, "alias": "db", "no_path_retry": 3}],
            "db",
            used(
                multipath={
                    "settings": {
                        **configured()["settings"],
                        "multipaths": [{"wwid": WWID, "alias": "db", "no_path_retry": "3"}],
                    }
                }
            ),
        ),
        (
            "volume_filesystems",
            [{"wwid": WWID, "filesystem": "ext4", "mount": "/srv/hand", "mount_options": "_netdev,noatime"}],
            "db",
            used(groups=[], mounts=[mount(group="", volume="", wwid=WWID)]),
        ),
    ],
)
def test_what_somebody_has_set_is_written(variable, value, host, facts):
    told, files = written(facts_of(host, facts))
    assert value in list(values_of(data_of(files, host), variable)), told


def values_of(data, name):
    """Every value of a key, however deep."""
    for key, inner in data.items() if isinstance(data, dict) else []:
        if key == name:
            yield inner
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else []:
        yield from values_of(inner, name)


@pytest.mark.parametrize(
    "what, sentence, host, facts",
    [
        (
            "cannot",
            "'store': The backstore 'pscsi/tape'",
            "store",
            served(unmanaged=["The backstore 'pscsi/tape' is of the kind 'pscsi'."]),
        ),
        (
            "cannot",
            "'store' serves nothing that can be read: no LIO",
            "store",
            {
                "storage": {"provider": "lio", "target_info": None, "reason": "no LIO", "missing": []},
                "compute": {},
            },
        ),
        (
            "cannot",
            "has the LUN 'data' under several numbers",
            "store",
            served(
                [
                    target(
                        igroups=[
                            igroup(luns=[{"name": "data", "number": n, "read_only": False} for n in (0, 1)])
                        ]
                    )
                ]
            ),
        ),
        ("cannot", "session 1 with", "db", used(sessions=[session(1, recorded=False)])),
        (
            "cannot",
            "'vg_hand/data' is of the kind 'thin,sparse'",
            "db",
            used(groups=[group(logical_volumes=[volume(layout="thin,sparse")])]),
        ),
        (
            "cannot",
            "'vg_hand/data' holds 'swap'",
            "db",
            used(groups=[group(logical_volumes=[volume(filesystem="swap")])], mounts=[]),
        ),
        (
            "cannot",
            "has disks that are no LUNs of a session",
            "db",
            used(
                groups=[
                    group(
                        physical_volumes=[
                            {"device": "/dev/mapper/mpatha", "wwid": WWID},
                            {"device": "/dev/sdz", "wwid": None},
                        ]
                    )
                ]
            ),
        ),
        (
            "cannot",
            "'/srv/hand' is on a partition of the disk",
            "db",
            used(groups=[], mounts=[mount(group="", volume="", wwid=WWID, partition=True)]),
        ),
        ("cannot", "is mounted on '/srv/more' too", "db", used(mounts=[mount(), mount(path="/srv/more")])),
        (
            "cannot",
            "is used otherwise: /dev/dm-0 is used as swap",
            "db",
            used(groups=[], sessions=[session(1, [disk(users=["/dev/dm-0 is used as swap (/dev/dm-0)"])])]),
        ),
        (
            "dangerous",
            f"given to 'db' and '{OTHER}'",
            "store",
            served([target(igroups=[igroup(initiators=[NAME, OTHER])])]),
        ),
        (
            "dangerous",
            "is in demo mode: every initiator that reaches it gets every LUN, to read",
            "store",
            served([target(attributes={"generate_node_acls": "1"})]),
        ),
        (
            "dangerous",
            "to write",
            "store",
            served([target(attributes={"generate_node_acls": "1", "demo_mode_write_protect": "0"})]),
        ),
        (
            "dangerous",
            "'/etc/target/saveconfig.json' can have CHAP secrets in plain text",
            "store",
            served(exposed_files=["/etc/target/saveconfig.json"]),
        ),
        (
            "dangerous",
            f"Different disks have the WWID '{WWID}'",
            "store",
            served([target(luns=[lun(), lun(name="copy", number=1, path="/srv/copy.img")])]),
        ),
        (
            "dangerous",
            "has a CHAP secret in plain text, and everybody can read it",
            "db",
            used(exposed_files=["/etc/iscsi/iscsid.conf"]),
        ),
        (
            "dangerous",
            "it is stale, or a path is down",
            "db",
            used(records=[record(), record(PORTALS[1], logged_in=False)]),
        ),
        (
            "dangerous",
            "has 2 paths and no multipath map",
            "db",
            used(sessions=[session(1, [disk(1, map=None)]), session(2, [disk(2, map=None)])]),
        ),
        ("dangerous", "has one path", "db", used(sessions=[session(1)])),
        (
            "dangerous",
            "1 of the 2 paths of the disk",
            "db",
            used(sessions=[session(1), session(2, [disk(2, state="transport-offline")])]),
        ),
        ("dangerous", "bypass their map", "db", used(groups=[group(bypasses_multipath=True)])),
        (
            "dangerous",
            "fstab mounts '/srv/hand' ('vg_hand/data') without _netdev",
            "db",
            used(mounts=[mount(options="defaults")]),
        ),
        (
            "decisions",
            "is saved but not running",
            "store",
            served(drift=["The LUN 'old' is saved but not running."]),
        ),
        (
            "decisions",
            "serves '/dev/sdb' as the LUN 'data'",
            "store",
            served([target(luns=[lun(path="/dev/sdb")])]),
        ),
        (
            "decisions",
            "has no session, and none at boot",
            "db",
            used(records=[record(), record(PORTALS[1], startup="manual", logged_in=False)]),
        ),
        (
            "decisions",
            "has secrets (node.session.auth.password)",
            "db",
            used(iscsid_conf={"node.session.auth.password": "********"}),
        ),
        ("decisions", "the map 'mpatha'", "db", used()),
        (
            "decisions",
            "'vg_hand' is exported here and is not written",
            "db",
            used(groups=[group(state="exported")]),
        ),
        ("decisions", "is mounted and not in fstab", "db", used(mounts=[mount(in_fstab=False)])),
        ("decisions", "is in fstab and not mounted", "db", used(mounts=[mount(mounted=False)])),
        ("decisions", "is used by nothing", "db", used(groups=[], mounts=[])),
        ("changes", "start multipathd", "db", used(multipath={"running": False})),
        (
            "changes",
            "write a name that lasts into the line of '/srv/hand' ('/dev/sdb')",
            "db",
            used(groups=[], mounts=[mount(group="", volume="", wwid=WWID, device="/dev/sdb")]),
        ),
        ("changes", f"put '{WWID}' on multipath's list", "db", used(multipath={"listed_wwids": []})),
    ],
)
def test_what_people_must_know_is_said(what, sentence, host, facts):
    told, _files = written(facts_of(host, facts))
    assert any(sentence in one for one in told[what]), told[what]


def by_tgt(rules="", **changes):
    """A target of tgt, which knows neither attributes nor parameters of LIO."""
    attributes = {"initiator-address": rules} if rules else {}
    part = served(
        [target(attributes=attributes, parameters={"MaxConnections": "9"}, luns=[lun(number=1)], **changes)]
    )
    return {**part, "storage": {**part["storage"], "provider": "tgt"}}


def test_targets_of_tgt_have_their_own_first_number_and_no_settings_of_lio():
    _told, files = written({"store": by_tgt()})
    data = data_of(files, "store")
    assert data["target_provider"] == "tgt" and set(data["target_targets"][0]) == {
        "name",
        "portals",
        "luns",
        "igroups",
    }
    assert "number" not in data["target_targets"][0]["luns"][0]


def test_a_serial_that_the_modules_do_not_take_is_told_and_left_out():
    told, files = written({"store": served([target(luns=[lun(serial="beaf91")])])})
    assert "serial" not in data_of(files, "store")["target_targets"][0]["luns"][0]
    assert any("The serial 'beaf91' of the LUN 'data'" in one for one in told["cannot"])


@pytest.mark.parametrize(
    "rules, what, sentence",
    [
        ("ALL", "dangerous", "lets in every initiator that reaches it (initiator-address ALL)"),
        ("10.77.1.12", "cannot", "lets in by address (10.77.1.12)"),
    ],
)
def test_whom_tgt_lets_in_by_address_is_told(rules, what, sentence):
    told, files = written({"store": by_tgt(rules, igroups=[])})
    assert any(sentence in one for one in told[what])
    assert "igroups" not in data_of(files, "store")["target_targets"][0]


def test_a_target_that_a_file_of_somebody_else_defines_is_left_there():
    told, files = written({"store": by_tgt(defined_in="/etc/tgt/conf.d/hand.conf")})
    assert data_of(files, "store")["target_targets"] == [] and told["targets"]["store"] == []


def test_tgt_is_not_asked_about_chap_without_its_secret():
    told, files = written({"store": by_tgt(igroups=[igroup(chap=CHAP)])})
    assert (
        "chap" in data_of(files, "store")["target_targets"][0]["igroups"][0]
        and told["targets"]["store"] == []
    )


def test_what_site_refuses_is_told():
    other = used(name=OTHER, sessions=[session(1, initiator=OTHER), session(2, initiator=OTHER)])
    told, _files = written({"db": used(), "www": other})
    assert [
        one
        for one in told["decisions"]
        if one.startswith("site.yml refuses the data as it is written: The disk")
    ]


def test_secrets_have_the_same_name_on_both_sides_and_are_told():
    chap = {"node.session.auth.username": "hand", "node.session.auth.password": "********"}
    facts = {
        "store": served([target(igroups=[igroup(chap={"user": "hand", "mutual_user": "store"})])]),
        "db": used(records=[record(settings={**chap, "node.session.auth.username_in": "store"})]),
    }
    told, files = written(facts)
    ours = {
        "user": "hand",
        "secret": "{{ vault_chap_hand_secret }}",
        "mutual_user": "store",
        "mutual_secret": "{{ vault_chap_store_mutual_secret }}",
    }
    assert data_of(files, "store")["target_targets"][0]["igroups"][0]["chap"] == ours
    assert data_of(files, "db")["initiator_nodes"][0]["chap"] == ours
    assert [one for one in told["decisions"] if "vault_" in one] == [
        f"Put 'vault_chap_hand_secret' into a vault: the secret of the user 'hand' at the target '{TARGET}'. It is written "
        "nowhere, and site.yml cannot run without it.",
        f"Put 'vault_chap_store_mutual_secret' into a vault: the secret of the target's user 'store' at the target '{TARGET}'. "
        "It is written nowhere, and site.yml cannot run without it.",
    ]
    assert told["targets"]["store"][0]["igroups"] == [{"name": "db", "initiators": [NAME], "luns": ["data"]}]


def test_one_user_of_two_targets_has_two_secrets():
    second = f"{TARGET[:-1]}9"
    facts = {
        "store": served(
            [target(igroups=[igroup(chap=CHAP)]), target(name=second, igroups=[igroup(chap=CHAP)])]
        )
    }
    _told, files = written(facts)
    names = [one["igroups"][0]["chap"]["secret"] for one in data_of(files, "store")["target_targets"]]
    assert names == [
        "{{ vault_chap_hand_sn_4f3a1c2d5e6b_secret }}",
        "{{ vault_chap_hand_sn_4f3a1c2d5e69_secret }}",
    ]


def test_a_lun_at_two_hosts_is_told_and_neither_is_left_out():
    other = used(name=OTHER, sessions=[session(1, initiator=OTHER), session(2, initiator=OTHER)])
    told, files = written(
        {
            "store": served([target(igroups=[igroup(), igroup(name="www", initiators=[OTHER])])]),
            "db": used(),
            "www": other,
        }
    )
    assert any(f"The disk '{WWID}'" in one and "is at 'db' and at 'www'" in one for one in told["dangerous"])
    assert data_of(files, "store")["target_targets"][0]["luns"][0]["shared"] is True
    assert data_of(files, "db")["volume_groups"] == data_of(files, "www")["volume_groups"]


def test_names_that_two_hosts_give_are_told():
    told, _files = written({"db": used(), "clone": used()})
    assert any("is used by 'clone' and 'db'" in one for one in told["dangerous"])


def test_what_all_hosts_of_a_group_have_alike_stands_there_once():
    www = used(
        name=OTHER,
        multipath={"settings": {**configured()["settings"], "defaults": {"find_multipaths": "no"}}},
    )
    _told, files = written({"db": used(), "www": www})
    assert files["group_vars/compute.yml"] == {
        "initiator_login_timeout_at_boot": 120,
        "multipath_presets": [],
        "multipath_fallbacks": {},
    }
    assert data_of(files, "www")["multipath_defaults"] == {"find_multipaths": False}
    assert "multipath_presets" not in data_of(files, "www")


def test_a_host_that_says_nothing_is_told_and_not_written():
    told, files = written({"db": {"storage": {}, "compute": {}}})
    assert told["cannot"] == [
        "'db' did not answer, or not everything that was asked: nothing of it is written."
    ]
    assert list(files) == ["hosts.yml"]


@pytest.mark.parametrize(
    "facts", [{"store": served(), "db": used()}, {"store": served([target(luns=[lun(number=3)])])}]
)
def test_what_is_written_is_valid_data_without_contradictions(facts):
    _told, files = written(facts)
    hosts = {host: data_of(files, host) for host in facts}
    assert san_faults(hosts) == [] and chap_faults(hosts, required=False) == []
    known = {}
    for role in ("target", "initiator", "multipath", "volume"):
        spec = yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text())
        known.update(spec["argument_specs"]["main"]["options"])
    for data in hosts.values():
        assert set(data) <= set(known)
        checked = ArgumentSpecValidator({name: known[name] for name in data}).validate(data)
        assert checked.error_messages == []
        for one in data.get("target_targets", []):
            assert ArgumentSpecValidator(LISTED_TARGET).validate(one).error_messages == []


class Unsafe(str):
    """What Ansible never takes for a template."""


class Loader(yaml.SafeLoader):
    """Knows Ansible's tag for texts that are none."""


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))


@pytest.mark.parametrize("evil", ["{{ lookup('pipe', 'id') }}", "{% for x in y %}", "{# it's #}"])
def test_what_a_host_says_is_never_a_template(evil):
    facts = {
        "store": served([target(alias=evil, igroups=[igroup(chap={"user": evil, "mutual_user": ""})])]),
        "db": used(alias=evil, groups=[group(tags=[evil])], mounts=[mount(options=f"_netdev,x-{evil}")]),
    }
    texts = {one["path"]: one["text"] for one in adopted(facts)["files"]}
    for path in ("host_vars/store.yml", "host_vars/db.yml"):
        found = list(texts_of(yaml.load(texts[path], Loader)))
        said = [one for one in found if evil in one]
        assert said and all(isinstance(one, Unsafe) for one in said)
        ours = [one for one in found if "{" in one and one not in said]
        assert all(re.fullmatch(r"\{\{ vault_[a-z0-9_]+ \}\}", one) for one in ours)


def texts_of(data):
    """Every text, however deep."""
    inner = [*data, *data.values()] if isinstance(data, dict) else data if isinstance(data, list) else []
    for one in inner:
        yield from [one] if isinstance(one, str) else texts_of(one)


@pytest.mark.parametrize("end", ["\n", "\r", "\x85", "\u2028"])
def test_what_a_host_says_does_not_end_a_comment(end):
    evil = f"/srv/x{end}target_force: true"
    told, files = written(
        {
            "store": served([target(luns=[lun(path=evil, wwid=evil)])], saved=evil),
            "db": used(
                sessions=[session(1, target=evil)],
                groups=[],
                mounts=[mount(group="", volume="", wwid=WWID, device=evil)],
            ),
        }
    )
    assert set(data_of(files, "store")) == {"target_targets"} and "target_force" not in data_of(files, "db")
    (text,) = [one["text"] for one in told["files"] if one["path"] == "found.txt"]
    assert not any(line.startswith("target_force") for line in text.splitlines())


def test_comments_say_where_it_was_found():
    (text,) = [
        one["text"] for one in adopted({"store": served()})["files"] if one["path"] == "host_vars/store.yml"
    ]
    assert "# As it runs now; saved in /etc/target/saveconfig.json\ntarget_targets:\n" in text
    assert f"  # Logged in: {NAME}\n  # LUN 'data': WWID {WWID}\n  - name: {TARGET}\n" in text


SECOND = PORTALS[1]
ORIGIN = {
    "node.discovery_address": "10.77.1.11",
    "node.discovery_port": "3260",
    "node.discovery_type": "send_targets",
}
POLLED = {"use_discoveryd": "Yes", "discoveryd_poll_inval": "60"}


@pytest.mark.parametrize(
    "facts, entries",
    [
        ({"discovery": [asked(), asked(SECOND)]}, [{"portals": ["10.77.1.11", "10.77.2.11"]}]),
        ({"discovery": [asked("[fd00::1]:3260")]}, [{"portals": ["[fd00::1]:3260"]}]),
        ({"discovery": [asked("store:860")]}, [{"portals": ["store:860"]}]),
        ({"discovery": [asked("10.0.0.9:3205", "isns")]}, [{"type": "isns", "portals": ["10.0.0.9"]}]),
        ({"discovery": [asked("10.0.0.9:3260", "isns")]}, [{"type": "isns", "portals": ["10.0.0.9:3260"]}]),
        (
            {"discovery": [asked(**POLLED), asked(SECOND)]},
            [
                {"portals": ["10.77.1.11"], "use_discoveryd": True, "poll_interval": 60},
                {"portals": ["10.77.2.11"]},
            ],
        ),
        (
            {"discovery": [asked(reopen_max="2")]},
            [{"portals": ["10.77.1.11"], "settings": {"discovery.sendtargets.reopen_max": "2"}}],
        ),
        (
            {
                "discovery": [asked(**{"iscsi.MaxRecvDataSegmentLength": "65536"})],
                "iscsid_conf": {"discovery.sendtargets.iscsi.MaxRecvDataSegmentLength": "65536"},
            },
            [{"portals": ["10.77.1.11"]}],
        ),
        (
            {"discovery": [asked()], "records": [record(iface="san2", settings=ORIGIN), record(SECOND)]},
            [{"portals": ["10.77.1.11"], "ifaces": ["san2"]}],
        ),
    ],
    ids=["alike", "IPv6", "port", "iSNS", "iSNS port", "polled", "setting", "of iscsid.conf", "iface"],
)  # fmt: skip
def test_discovery_records_become_data(facts, entries):
    told, files = written({"db": used(**facts)})
    assert data_of(files, "db")["initiator_discovery"] == entries
    assert sum(len(one["portals"]) for one in told["discovery"]["db"]) == len(facts["discovery"])
    spec = yaml.safe_load((ROLES / "initiator/meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    listed = spec["options"]["initiator_discovery"]["options"]
    for one in entries:
        assert ArgumentSpecValidator(listed).validate(one).error_messages == []


def test_users_of_discovery_have_one_secret_on_both_sides():
    chap = {"auth.authmethod": "CHAP", "auth.username": "scout", "auth.password": "********"}
    there = {"user": "scout", "mutual_user": "store", "enforced": True}
    facts = {
        "store": served(discovery_chap=there),
        "db": used(
            discovery=[asked(**chap, **{"auth.username_in": "store", "auth.password_in": "********"})]
        ),
    }
    told, files = written(facts)
    ours = {
        "user": "scout",
        "secret": "{{ vault_chap_scout_secret }}",
        "mutual_user": "store",
        "mutual_secret": "{{ vault_chap_store_mutual_secret }}",
    }
    assert data_of(files, "db")["initiator_discovery"] == [{"portals": ["10.77.1.11"], "chap": ours}]
    assert data_of(files, "store")["target_discovery_chap"] == ours
    assert told["discovery"] == {"db": [{"portals": ["10.77.1.11"]}]}, "what is checked asks for no secret"


def test_a_discovery_that_site_would_end_at_is_not_written_and_what_it_would_record_is_told():
    facts = used(discovery=[asked(), asked(SECOND)])
    silent = "Cannot discover at 10.77.1.11:3260: it does not answer (No route to host)."
    facts["compute"]["discovery_checks"] = [
        {"msg": silent},
        {"steps": ["Record what 10.77.2.11:3260 offers: x"]},
    ]
    told, files = written({"db": facts})
    assert data_of(files, "db")["initiator_discovery"] == [{"portals": ["10.77.2.11"]}]
    (decision,) = [one for one in told["decisions"] if "discovery" in one]
    assert "10.77.1.11:3260 (sendtargets) stays and is not written" in decision and decision.endswith(silent)
    (change,) = told["changes"]
    assert change.startswith("'db': Record what 10.77.2.11:3260 offers: x: initiator_discovery is written")


def loose(nic="eth1", running=2, at_boot=2, file="/etc/sysctl.d/60-san.conf"):
    return {"nic": nic, "running": running, "at_boot": at_boot, "file": file}


def test_filters_that_somebody_loosened_become_data():
    filters = [loose(), loose("eth2", running=0, at_boot=0, file=None), loose("eth3", 1, 1)]
    told, files = written({"db": used(rp_filter=filters)})
    assert data_of(files, "db")["initiator_rp_filter_interfaces"] == ["eth1", "eth2"]
    assert told["rp_filter"] == {"db": ["eth1", "eth2"]} and told["changes"] == []
    (text,) = [one["text"] for one in told["files"] if one["path"] == "host_vars/db.yml"]
    assert "# eth1: /etc/sysctl.d/60-san.conf, eth2: set by hand until the next boot\n" in text


def test_what_is_loose_until_the_next_boot_only_is_told():
    facts = used(rp_filter=[loose(at_boot=1, file=None)])
    facts["compute"]["rp_filter_check"] = {
        "steps": ["Write 'x' with the loose reverse path filter of 'eth1'"]
    }
    told, _files = written({"db": facts})
    (change,) = told["changes"]
    assert change.startswith("'db': Write 'x' with the loose reverse path filter of 'eth1': ")
    facts["compute"]["rp_filter_check"] = {
        "msg": "Cannot loosen the reverse path filter of 'eth1' for good: 'y'"
    }
    told, files = written({"db": facts})
    assert "initiator_rp_filter_interfaces" not in data_of(files, "db") and told["changes"] == []
    assert any(
        "is not written, since site.yml would end there: Cannot loosen" in one for one in told["decisions"]
    )


def test_what_is_no_answer_is_refused():
    with pytest.raises(AnsibleFilterError, match="must be the answers of the info modules"):
        adopted({"db": {"compute": {"initiator_info": {"name": None}}}})
