# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person must do on an array, and what of it the hosts do not see yet."""

from __future__ import annotations

from copy import deepcopy

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.manual_faults import manual_faults
from ansible_collections.lunworks.iscsi.plugins.filter.manual_steps import manual_steps
from ansible_collections.lunworks.iscsi.plugins.filter.san_faults import san_faults
from ansible_collections.lunworks.iscsi.tests.unit.playing import run_playbook

ARRAY = "iqn.1984-05.com.dell:powervault.MD3000i.6001c23000c9dcf5"
A, B = "iqn.2026-01.com.example:db-a", "iqn.2026-01.com.example:db-b"
DB0, DB1 = "36001c23000c9dcf5000002e84a6d3b11", "36001c23000c9dcf5000002e84a6d3b12"
GIB = 1 << 30
TARGET = {
    "name": ARRAY,
    "portals": ["192.168.130.101", "192.168.131.101"],
    "luns": [
        {"name": "db0", "size": "40g", "number": 0, "wwid": DB0},
        {"name": "db1", "size": "1.5g", "wwid": DB1},
        {"name": "new", "size": "10g"},
        {"name": "old", "state": "absent"},
    ],
    "igroups": [
        {
            "name": "db-a",
            "initiators": [A],
            "luns": ["db0", {"name": "db1", "number": 7, "read_only": True}],
            "chap": {
                "user": "db",
                "secret": "a secret of sixteen",
                "mutual_user": "md",
                "mutual_secret": "another secret",
            },
        },
        {"name": "db-b", "initiators": [B], "luns": ["new"]},
        {"name": "www", "state": "absent"},
    ],
}


def test_the_access_volume_of_an_md3000i_keeps_its_number():
    taken = {**TARGET, "luns": [{"name": "db0", "wwid": DB0}], "igroups": []}
    taken["igroups"] = [{"name": "db-a", "initiators": [A], "luns": [{"name": "db0", "number": 31}]}]
    found = san_faults({"md3000i": {"target_provider": "manual", "target_targets": [taken]}})
    assert len(found) == 1 and "LUN 31 is the array's own access volume" in found[0]
    other = {**taken, "name": "iqn.2000-01.com.synology:nas.target-1"}
    assert san_faults({"nas": {"target_provider": "manual", "target_targets": [other]}}) == []


def test_text_that_says_no_is_no():
    target = {**TARGET, "enabled": "no", "luns": [{**TARGET["luns"][0], "read_only": "false"}]}
    target["igroups"] = [{**TARGET["igroups"][0], "luns": ["db0"]}]
    steps = " ".join(manual_steps([target]))
    assert f"Let nobody log in to '{ARRAY}'" in steps and "read-only" not in steps


def test_the_list_has_every_object_of_the_data_and_no_secret():
    steps = manual_steps([TARGET])
    assert steps == [
        f"Serve the target '{ARRAY}' at '192.168.130.101:3260' and '192.168.131.101:3260'.",
        f"Remove the igroup 'www' of '{ARRAY}' with its maps.",
        f"Remove every map of the LUN 'old' of '{ARRAY}'. Delete it only if its data may be lost.",
        f"Keep the LUN 'db0' of 40 GiB (42949672960 bytes), which has the WWID {DB0}.",
        f"Keep the LUN 'db1' of 1.5 GiB (1610612736 bytes), which has the WWID {DB1}.",
        "Create the LUN 'new' of 10 GiB (10737418240 bytes), then write the WWID that the array shows into the data.",
        f"Make the igroup 'db-a' with the initiator '{A}', which proves itself by CHAP and the array too, as its chap in the "
        "data says.",
        f"Make the igroup 'db-b' with the initiator '{B}'.",
        f"On '{ARRAY}', map the LUN 'db0' of 40 GiB (42949672960 bytes) to the initiator '{A}' as LUN 0.",
        f"On '{ARRAY}', map the LUN 'db1' of 1.5 GiB (1610612736 bytes) to the initiator '{A}' as LUN 7, read-only.",
        f"On '{ARRAY}', map the LUN 'new' of 10 GiB (10737418240 bytes) to the initiator '{B}' under any free number.",
    ]
    assert "secret" not in " ".join(steps)


def test_chap_at_discovery_is_in_the_list_too():
    first, *rest = manual_steps([TARGET], discovery={"user": "scout", "secret": "a secret of sixteen"})
    assert first == "Ask for CHAP at discovery, as target_discovery_chap in the data says."
    assert rest == manual_steps([TARGET])
    assert manual_steps([], discovery={"user": "", "secret": ""}) == ["Ask for no CHAP at discovery."]
    with pytest.raises(AnsibleFilterError, match="discovery_chap: The CHAP secret has 5 bytes"):
        manual_steps([], discovery={"user": "scout", "secret": "short"})


def test_a_secret_in_the_place_of_the_user_is_not_in_the_list():
    chap = {"user": "a secret of sixteen", "secret": "iqn.2026-01.com.example:db-a"}
    group = {"name": "db-a", "initiators": [A], "luns": ["db0"], "chap": chap}
    assert chap["user"] not in " ".join(manual_steps([{**TARGET, "igroups": [group]}]))


def test_what_a_target_is_called_and_whether_it_is_open_and_igroups_whose_members_the_array_knows():
    luns = [{"name": "db0", "size": "40g", "wwid": DB0}]
    igroups = [{"name": "g", "luns": [{"name": "db0", "number": 3}], "chap": {"user": "", "secret": ""}}]
    for enabled, said in ((True, "Let initiators log in to"), (False, "Let nobody log in to")):
        steps = manual_steps(
            [{"name": ARRAY, "alias": "main", "enabled": enabled, "luns": luns, "igroups": igroups}]
        )
        assert steps[1] == f"Give the target '{ARRAY}' the alias 'main'."
        assert steps[2].startswith(f"{said} '{ARRAY}'")
        assert steps[4:] == [
            "Keep the igroup 'g' with the initiators that it has, and ask for no CHAP.",
            f"On '{ARRAY}', map the LUN 'db0' of 40 GiB (42949672960 bytes) to each initiator of the igroup 'g' as LUN 3.",
        ]


def test_a_target_that_goes_and_a_map_that_goes():
    assert manual_steps([{"name": ARRAY, "state": "absent"}]) == [
        f"Remove every map of the LUNs of the target '{ARRAY}', and the target if the array lets you."
    ]
    target = {**TARGET, "luns": TARGET["luns"][:1], "igroups": [deepcopy(TARGET["igroups"][0])]}
    target["igroups"][0]["luns"] = [{"name": "db0", "state": "absent"}]
    assert f"Remove the map of the LUN 'db0' of '{ARRAY}' to the igroup 'db-a'." in manual_steps([target])


@pytest.mark.parametrize(
    "change, said",
    [
        ({"name": "MD3000i"}, "'MD3000i' is not an iSCSI name"),
        ({"luns": TARGET["luns"][:1]}, "names the LUN 'db1', which the target does not have"),
        ({"luns": [{"name": "db0", "number": 7}, *TARGET["luns"][1:]]}, "'db0' and 'db1' both as LUN 7"),
        ({"luns": [{"name": "db0", "size": "big"}, *TARGET["luns"][1:]]}, "'big' is not a size"),
        ({"luns": [{"name": "db0", "wwid": "3600"}, *TARGET["luns"][1:]]}, "'3600' is not a WWID"),
        ({"luns": ["db0"]}, "not in the form"),
        (
            {"igroups": [{"name": "a", "chap": {"user": "a", "secret": "short"}}]},
            "The CHAP secret has 5 bytes",
        ),
    ],
)
def test_what_could_not_be_done_is_refused(change, said):
    with pytest.raises(AnsibleFilterError, match=said):
        manual_steps([{**TARGET, **change}])


def san(**more):
    nodes = [{"target": ARRAY, "portals": TARGET["portals"]}]
    return {
        "md": {"target_provider": "manual", "target_targets": [TARGET], **more},
        "a": {"initiator_name": A.upper(), "initiator_nodes": nodes},
        "b": {"initiator_name": B, "initiator_nodes": nodes},
    }


def disk(lun, wwid, size=40 * GIB):
    return {"lun": lun, "wwid": f"naa.{wwid[1:]}", "size": size}


def answer(*disks, portals=("192.168.130.101:3260", "192.168.131.101:3260")):
    return {
        "sessions": [{"target": ARRAY.lower(), "portal": portal, "disks": list(disks)} for portal in portals]
    }


RIGHT = (disk(0, DB0), disk(7, DB1, 3 * GIB // 2))


def test_a_host_that_has_all_is_right_and_one_without_answer_is_not_judged():
    assert manual_faults(san(), {"a": answer(*RIGHT)}) == []
    assert manual_faults(san(target_provider="lio"), {"a": answer()}) == []


def one_path():
    found = answer(*RIGHT)
    found["sessions"][1]["disks"] = found["sessions"][1]["disks"][:1]
    return found


@pytest.mark.parametrize(
    "answered, said",
    [
        (
            answer(RIGHT[0], disk(9, DB1[:-1] + "f")),
            f"'a' has no disk with the WWID {DB1}, the LUN 'db1' of 'md': its sessions to '{ARRAY}' have LUN 0 with the WWID "
            f"{DB0} of 40 GiB (42949672960 bytes), LUN 9 with the WWID {DB1[:-1]}f of 40 GiB (42949672960 bytes). On 'md', map "
            f"the LUN 'db1' of 1.5 GiB (1610612736 bytes) to the initiator '{A}' as LUN 7, read-only; the host finds it when "
            "lunworks.iscsi.site runs again.",
        ),
        (
            answer(RIGHT[0], disk(7, DB1)),
            "'a' sees the LUN 'db1' of 'md' with '42949672960' bytes, and the data has 1610612736.",
        ),
        (answer(disk(4, DB0), RIGHT[1]), "'a' sees the LUN 'db0' of 'md' as LUN '4', and the data has 0."),
        (
            one_path(),
            "'a' sees the LUN 'db1' of 'md' at '192.168.130.101:3260', and not at '192.168.131.101:3260': it is not mapped "
            "there, or the session is not there or has not been scanned.",
        ),
    ],
    ids=["not mapped", "another size", "another number", "one path"],
)
def test_what_is_missing_is_said_with_what_is_to_do(answered, said):
    assert manual_faults(san(), {"a": answered}) == [said]


def test_a_host_without_a_session():
    faults = manual_faults(san(), {"a": answer(portals=())})
    assert len(faults) == 2 and all("it is not logged in there" in fault for fault in faults)


def test_a_lun_whose_wwid_nobody_wrote_down_is_shown_what_it_may_be():
    (fault,) = manual_faults(san(), {"b": answer(disk(3, DB1, 10 * GIB), disk(4, DB0))})
    assert "The LUN 'new' of 'md' has no wwid in the data, so 'b' cannot prove that it has it." in fault
    assert f"'b' has LUN 3 with the WWID {DB1} of 10 GiB (10737418240 bytes) of that size there." in fault
    assert DB0 not in fault


def test_the_role_lists_the_steps_without_a_connection(tmp_path):
    away = {"ansible_connection": "ssh", "ansible_ssh_executable": "/no/such/program"}
    hosts = {"storage": {"hosts": {"md": {**away, "target_provider": "manual", "target_targets": [TARGET]}}}}
    hosts["storage"]["vars"] = {"target_discovery_chap": {"user": "", "secret": ""}}
    play = {"hosts": "storage", "gather_facts": False, "roles": ["lunworks.iscsi.target"]}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    ran = run_playbook(tmp_path, "-i", str(tmp_path / "hosts.yml"), str(tmp_path / "play.yml"))
    assert ran.returncode == 0, ran.stdout
    assert f"On '{ARRAY}', map the LUN 'db0'" in ran.stdout and "Ask for no CHAP at discovery." in ran.stdout
    assert "a secret of sixteen" not in ran.stdout
