# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgt: what it is asked for, what it does on a tgtd that answers as the real one, and that every killed run heals."""

from __future__ import annotations

import copy
import json
import random

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._providers import provider
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.expected import found_label
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.boot import PROGRAM, drop_in_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.identity import wwid_of_tgt
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.info import tell_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.kept import file_of, parse, render
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.lun_info import tell_luns
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.others import look_others
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.tgtadm import (
    look_parameters,
    look_portals,
    look_system,
    look_targets,
    look_users,
    megabytes,
)
from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._block.test_pv_label import GROUP
from ansible_collections.lunworks.iscsi.tests.unit.pv_bytes import pv_bytes
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost
from ansible_collections.lunworks.iscsi.tests.unit.tgt_host import TgtHost

T, U = "iqn.2026-01.com.example:t", "iqn.2026-01.com.example:u"
WHO, NEXT = "iqn.2026-01.com.example:i", "iqn.2026-01.com.example:j"
SECRET, OTHER, THIRD = "a secret of 21 bytes.", "another one, of 24 bytes", "a third # secret, $(id)"
CHAP = {"user": "db", "secret": SECRET, "mutual_user": "st", "mutual_secret": OTHER}
TGT = provider("tgt")
SUITES = ("bookworm", "trixie")


def recorded(suite):
    """A host on which tgtadm answers what it did on a real one."""
    text = (RECORDED_OUTPUT / f"tgt-{suite}.txt").read_text()
    answers = dict(part.split("\n", 1) for part in text.split("$ ")[1:])
    return ScriptedHost(files={"/usr/sbin/tgtadm": ""}, runs=answers)


@pytest.mark.parametrize("suite", SUITES)
def test_what_tgtadm_printed_on_real_hosts_is_read(suite):
    host = recorded(suite)
    others, ours = look_targets(host)
    assert (others.name, others.addresses, others.names) == (
        "iqn.2026-01.com.example:others",
        ("192.0.2.1",),
        (),
    )
    assert [(lun.kind, lun.path) for lun in others.luns] == [
        ("controller", ""),
        ("disk", "/srv/others.img"),
    ]
    assert (ours.incoming, ours.outgoing, ours.ready, ours.driver) == (("db",), "store", True, "iscsi")
    assert [(lun.number, lun.megabytes, lun.odd, lun.half) for lun in ours.luns[1:]] == [
        (1, megabytes(64 << 20), "", False),
        (7, megabytes(32 << 20), "", False),
    ]
    assert [f"3{lun.identity}" for lun in ours.luns[1:]] == [wwid_of_tgt(lun.serial) for lun in ours.luns[1:]]
    assert len(ours.names) == 1 and ours.addresses == ()
    assert sorted((one.initiator, one.address[:8]) for one in ours.sessions) == [
        (ours.names[0], "10.77.1."),
        (ours.names[0], "10.77.2."),
    ]
    assert look_portals(host) == {Portal("0.0.0.0"), Portal("::")}
    assert look_users(host) == {"db", "store", "finder"}
    assert look_system(host) == (("finder", ""), False, False)
    assert look_parameters(host, ours)["MaxRecvDataSegmentLength"] == "8192"


def target(name=T, luns=("a", "b"), who=(WHO,), chap=None, **more):
    given = [one if isinstance(one, dict) else {"name": one} for one in luns]
    return {
        "name": name,
        "portals": ["192.0.2.1"],
        "luns": [{"path": f"/srv/luns/{name[-1]}{one['name']}.img", "size": "64m", **one} for one in given],
        "igroups": [
            {
                "name": "g",
                "initiators": list(who),
                "luns": [one["name"] for one in given],
                **({"chap": chap} if chap else {}),
            }
        ],
        **more,
    }


def completed(one):
    """A target as a module hands it over: what is left out is None, and what has a default has it."""
    luns = [
        {"allocation": "sparse", "shared": False, "state": "present", **lun} for lun in one.get("luns") or []
    ]
    groups = [{"state": "present", **group} for group in one.get("igroups") or []]
    return {
        **one,
        **({"luns": luns} if "luns" in one else {}),
        **({"igroups": groups} if "igroups" in one else {}),
    }


def run(host, *targets, **scope):
    """The result of a run of the module targets."""
    host.process += 1
    try:
        resource = TGT.resource([completed(one) for one in targets], **scope)
    except Problem as problem:  # refused without a look at the host
        return {"failed": True, "msg": str(problem)}
    return killing.run(lambda: [resource], host)


def done(host, *targets, **scope):
    result = run(host, *targets, **scope)
    assert not result.get("failed"), result
    return result


def made(*targets, **host):
    there = TgtHost(**host)
    done(there, *targets)
    there.did.clear()
    return there


def logged_in(host, *who, tid=1):
    host.targets[tid]["sessions"] = dict(enumerate(who, 1))
    return host


def served(host):
    """What tgtd serves and what is kept, to compare."""
    kept = {path: host.read(path) for path in host.files if "lunworks" in path}
    return copy.deepcopy((host.targets, host.accounts, kept))


def test_a_target_is_made_and_a_second_run_finds_nothing():
    host = TgtHost()
    result = done(host, target(chap=CHAP))
    assert SECRET not in json.dumps(result) and OTHER not in json.dumps(result)
    one = host.targets[1]
    assert one["names"] == [WHO] and one["addresses"] == []
    assert (one["incoming"], one["outgoing"]) == (["db"], "st")
    assert host.accounts == {"db": SECRET, "st": OTHER}
    assert [(lun["path"], lun["cache"]) for lun in one["luns"].values()] == [
        ("/srv/luns/ta.img", False),
        ("/srv/luns/tb.img", False),
    ]
    assert f"3{one['luns'][1]['identity']}" == wwid_of_tgt(one["luns"][1]["serial"])
    assert host.files[file_of(T)]["mode"] == 0o600
    assert done(host, target(chap=CHAP))["steps"] == []


def test_what_is_kept_is_read_back_as_it_was():
    host = made(target(chap={**CHAP, "secret": 'sharp # /* << \\ " é $(id)'}))
    text = host.read(file_of(T))
    found = parse(text)
    assert found and render(found) == text
    assert next(one.chap for one in found.initiators.values()).secret.reveal() == 'sharp # /* << \\ " é $(id)'
    line = text.splitlines()[1]
    assert not any(part in line for part in ("/*", "<<")) and not line.endswith("\\")


def test_a_target_with_chap_names_no_initiator_to_tgt_admin_and_none_lets_everybody_in():
    host = made(target(chap=CHAP), target(U, luns=("c",), who=(NEXT,)))
    assert "initiator-name" not in host.read(file_of(T)).replace("#: ", "").partition("<target")[2]
    assert f"    initiator-name {NEXT}\n" in host.read(file_of(U))
    assert all("    initiator-address 255.255.255.255\n" in host.read(file_of(one)) for one in (T, U))
    assert "ExecStartPost=-" in host.read("/etc/systemd/system/tgt.service.d/50-lunworks.conf")


def test_a_stopped_tgtd_is_started_and_serves_what_is_kept():
    host = made(target(chap=CHAP))
    host.active, host.targets, host.accounts = False, {}, {}
    assert done(host, target(chap=CHAP))["steps"] == ["Start 'tgt.service', now and at boot"]
    assert host.targets[1]["names"] == [WHO]


KILLED = {
    "a new target": ([], [target(chap=CHAP)]),
    "another initiator and another LUN": (
        [target()],
        [target(luns=("a", {"name": "b", "shared": True}, {"name": "c", "shared": True}), who=(WHO, NEXT))],
    ),
    "another secret of a user of two targets": (
        [target(chap=CHAP), target(U, luns=("c",), chap=CHAP)],
        [
            target(chap={**CHAP, "secret": THIRD}),
            target(U, luns=("c",), chap={**CHAP, "secret": THIRD}),
        ],
    ),
    "another user": ([target(chap=CHAP)], [target(chap={"user": "other", "secret": THIRD})]),
    "no CHAP any more": ([target(chap=CHAP)], [target(chap={"user": "", "secret": ""})]),
    "growth": ([target()], [target(luns=({"name": "a", "size": "128m"}, "b"))]),
    "a target that goes": ([target(chap=CHAP)], [{"name": T, "state": "absent"}]),
    "settings": (
        [target()],
        [target(luns=({"name": "a", "read_only": True}, {"name": "b", "write_back": True}), enabled=False)],
    ),
}


@pytest.mark.parametrize("name", KILLED)
def test_a_run_that_is_killed_at_any_change_is_healed_by_the_next(name):
    before, after = KILLED[name]
    whole = made(*before)
    done(whole, *after)
    wanted = served(whole)

    def resources():
        return [TGT.resource([completed(one) for one in after])]

    watched = killing.Mortal(made(*before))
    killing.run(resources, watched)
    assert watched.changing
    for end in [*watched.changing, watched.calls - 1]:
        host = made(*before)
        killing.healed(resources, host, end)
        assert served(host) == wanted, f"killed before call {end}"


def test_nothing_that_is_in_use_goes():
    host = logged_in(made(target(chap=CHAP)), WHO)
    before = served(host)
    for asked, scope in (
        ({"name": T, "state": "absent"}, {}),
        ({"name": T, "enabled": False}, {}),
        ({"name": T, "luns": [{"name": "a", "state": "absent"}]}, {}),
        ({"name": T, "luns": [{"name": "a", "number": 7}]}, {}),
        ({"name": T, "luns": [{"name": "a", "read_only": True}]}, {}),
        ({"name": T, "luns": [{"name": "a", "size": "128m"}]}, {}),
        ({"name": T, "igroups": [{"name": "g", "state": "absent"}]}, {}),
    ):
        result = run(host, asked, **scope)
        assert f"Logged in is '{WHO}' from 192.0.2.9" in result["msg"], (asked, result)
    assert "removed and served anew" in run(host, {"name": T, "luns": [{"name": "a", "size": "128m"}]})["msg"]
    assert run(host, purge=True, purge_targets=True)["msg"].startswith("Refused: Remove the target")
    assert served(host) == before


def test_force_ends_the_sessions_of_whom_is_shut_out():
    host = logged_in(made(target(luns=({"name": "a", "shared": True},), who=(WHO, NEXT))), WHO, NEXT)
    done(host, target(luns=("a",), who=(WHO,)), purge=True, force=True)
    assert (host.targets[1]["names"], host.targets[1]["sessions"]) == ([WHO], {1: WHO})
    done(host, {"name": T, "state": "absent"}, force=True)
    assert host.targets == {} and not [path for path in host.files if "lunworks" in path]


class Late(TgtHost):
    """Somebody logs in between the look and the first step."""

    def stat(self, path):
        return super().stat(path)

    def run(self, *argv, **options):
        if self.late and argv[0] == "tgtadm" and argv[6] == "portal":
            self.targets[1]["sessions"], self.late = {1: WHO}, False
        return super().run(*argv, **options)

    late = False


def test_who_logs_in_meanwhile_is_not_cut_off():
    host = Late()
    done(host, target())
    host.late = True
    result = run(host, {"name": T, "luns": [{"name": "a", "state": "absent"}]})
    assert "has logged in" in result["msg"] and 1 in host.targets[1]["luns"]


REFUSED = {
    "number 0": ({**target(luns=({"name": "a", "number": 0},))}, "cannot be number 0"),
    "a LUN for some": (
        target(luns=("a", "b"), igroups=[{"name": "g", "initiators": [WHO], "luns": ["a"]}]),
        "asks for LUNs of a target that only some of its initiators see. tgt does not have that",
    ),
    "two igroups unsaid": (
        target(
            luns=("a",),
            igroups=[
                {"name": "g", "initiators": [WHO], "luns": ["a"]},
                {"name": "h", "initiators": [NEXT], "luns": ["a"]},
            ],
        ),
        "would be in several igroups",
    ),
    "a number for some": (
        target(
            luns=("a",), igroups=[{"name": "g", "initiators": [WHO], "luns": [{"name": "a", "number": 9}]}]
        ),
        "asks for a LUN number that only some initiators see. tgt does not have that",
    ),
    "read-only for some": (
        target(
            luns=("a",),
            igroups=[{"name": "g", "initiators": [WHO], "luns": [{"name": "a", "read_only": True}]}],
        ),
        "set read_only on the LUN itself",
    ),
    "CHAP for some": (
        target(
            luns=({"name": "a", "shared": True},),
            igroups=[
                {"name": "g", "initiators": [WHO], "luns": ["a"], "chap": CHAP},
                {"name": "h", "initiators": [NEXT], "luns": ["a"]},
            ],
        ),
        "CHAP credentials that differ",
    ),
    "an alias": (target(alias="x"), "no alias"),
    "an attribute": (target(attributes={"login_timeout": 5}), "no attribute 'login_timeout'"),
    "an attribute of a LUN": (
        target(luns=({"name": "a", "attributes": {"emulate_tpu": 1}},)),
        "no attribute",
    ),
    "an unknown parameter": (target(parameters={"Banana": "1"}), "no parameter 'Banana'"),
    "a value out of range": (target(parameters={"MaxBurstLength": 5}), "is not a value"),
    "another port": (target(portals=["192.0.2.1:3261"]), "an option of its start"),
    "a foreign address": (target(portals=["192.0.2.99"]), "has no address 192.0.2.99"),
    "a path for the shell": (target(luns=({"name": "a", "path": "/srv/luns/a $(id)"},)), "to a shell"),
    "a long serial": (target(luns=({"name": "a", "serial": "x" * 40},)), "tgt keeps 36"),
    "one file twice": (
        target(luns=({"name": "a", "path": "/srv/luns/x"}, {"name": "b", "path": "/srv/luns/x"})),
        "would be behind two LUNs",
    ),
    "one identity twice": (
        target(luns=({"name": "a", "serial": "abcdef12-34"}, {"name": "b", "serial": "abcdef1234"})),
        "would have one WWID",
    ),
    "one user both ways": (target(chap={**CHAP, "mutual_user": "db"}), "one secret for a user"),
    "a user with a comma": (target(chap={"user": "a,b", "secret": SECRET}), "tells users apart"),
    "an igroup without LUNs": (
        target(luns=("a",), igroups=[{"name": "g", "initiators": [WHO]}]),
        "would not have the LUN 'a'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tgt_cannot_do_is_refused_with_the_reason(name):
    asked, said = REFUSED[name]
    host = TgtHost()
    try:
        result = run(host, asked)
    except Problem as problem:
        result = {"msg": str(problem)}
    assert said in result.get("msg", ""), result
    assert host.targets == {} and host.did == []


def test_chap_needs_a_service_that_lets_initiators_in_after_a_boot():
    host = TgtHost(files={"/lib/systemd/system/tgt.service": None})
    assert "has no unit tgt.service or tgtd.service" in run(host, target(chap=CHAP))["msg"]
    assert done(host, target())["changed"]


def test_one_secret_for_a_user_on_the_whole_host():
    host = made(target(chap=CHAP), target(U, luns=("c",), chap=CHAP))
    result = run(host, target(chap={**CHAP, "secret": THIRD}))
    assert f"would have two secrets: at '{T}' and at '{U}'" in result["msg"] and "  " not in result["msg"]
    stranger = TgtHost(
        targets={1: {"name": U, "incoming": ["db"], "names": [NEXT]}}, accounts={"db": "not ours to know"}
    )
    assert "not managed here" in run(stranger, target(chap=CHAP))["msg"]
    assert stranger.accounts == {"db": "not ours to know"} and stranger.did == []


def test_chap_is_not_turned_on_under_a_session_and_a_new_secret_leaves_it():
    host = logged_in(made(target()), WHO)
    assert "would ask for CHAP from now on" in run(host, target(chap=CHAP))["msg"]
    host = logged_in(made(target(chap=CHAP)), WHO)
    result = done(host, target(chap={**CHAP, "secret": THIRD}))
    assert result["steps"][0] == f"Set the CHAP credentials of '{T}' (user 'db', both ways)"
    assert host.accounts["db"] == THIRD and host.targets[1]["sessions"] == {1: WHO}


def test_a_failed_change_of_accounts_leaves_the_target_closed_and_says_so():
    host = made(target(chap=CHAP))
    host.fails = "bind --mode account"
    result = run(host, target(chap={**CHAP, "secret": THIRD}))
    assert "nobody can log in" in result["msg"] and host.targets[1]["names"] == []
    done(host, target(chap={**CHAP, "secret": THIRD}))
    assert host.targets[1]["names"] == [WHO] and host.accounts["db"] == THIRD


def test_no_secret_goes_to_a_tgtd_that_logs_it_or_that_answers_otherwise():
    host = TgtHost()
    host.debug = True
    assert "debug: on" in run(host, target(chap=CHAP))["msg"] and host.accounts == {}
    assert (host.did, host.targets) == ([], {}), "it is refused before anything is made"
    host.debug = False
    host.dialogue = lambda path, message, seconds=15: b""
    assert "no CHAP secret was sent" in run(host, target(chap=CHAP))["msg"] and host.accounts == {}
    assert host.targets[1]["names"] == []


def test_a_gap_before_an_account_is_never_made():
    """tgtd 1.0.85 to 1.0.97 dies of it at the next look; by hand somebody has added a second user."""
    host = made(target(chap=CHAP))
    host.accounts["hand"] = "of somebody"
    host.targets[1]["incoming"] = ["hand", "db"]
    done(host, target(chap=CHAP))
    assert [one for one in host.targets[1]["incoming"] if one] == ["db"]


def test_a_lun_that_cannot_be_served_anew_is_served_as_it_was():
    host = made(target())
    host.fails = "path=/srv/luns/ta.img"
    result = run(host, target(luns=({"name": "a", "size": "128m"}, "b")))
    assert "What was served before is served again." in result["msg"]
    assert host.targets[1]["luns"][1]["online"]


def test_what_is_lost_is_brought_back_and_what_was_done_by_hand_is_told():
    host = made(target())
    del host.targets[1]["luns"][2]
    told = tell_targets(host, None)
    assert f"The LUN 'b' of '{T}' is saved, but does not run." in told["drift"]
    assert done(host, {"name": T})["steps"] == [f"Serve '/srv/luns/tb.img' as the LUN 'b', number 2 of '{T}'"]
    assert tell_targets(host, None)["drift"] == []
    host.files[file_of(T)]["text"] += "# by hand\n"
    assert "was changed by hand" in " ".join(tell_targets(host, None)["drift"])


def test_a_file_that_is_gone_does_not_come_back_empty():
    host = made(target())
    del host.files["/srv/luns/ta.img"]
    assert "which is not there now" in run(host, target())["msg"]
    assert "/srv/luns/ta.img" not in host.files


OTHERS = f"""\
# by hand
include /etc/tgt/conf.d/*.conf
default-driver iscsi
<target {U}>
    backing-store /srv/others.img
</target>
"""


def test_what_others_wrote_is_shown_and_left_alone():
    host = TgtHost(
        files={"/etc/tgt/targets.conf": OTHERS, "/etc/tgt/conf.d/mine.conf": f'<target "{U}2">\n</target>\n'},
        targets={
            1: {"name": U, "addresses": ["ALL"], "luns": {1: {"path": "/srv/others.img", "size": 1 << 26}}}
        },
    )
    assert look_others(host) == ({U: "/etc/tgt/targets.conf", f"{U}2": "/etc/tgt/conf.d/mine.conf"}, True, "")
    done(host, target())
    host.did.clear()
    for asked, scope in (
        ({"name": U, "state": "absent"}, {}),
        ({"name": U}, {}),
        (target(), {"purge_targets": True}),
    ):
        result = run(host, asked, **scope)
        assert "is defined in '/etc/tgt/targets.conf'" in result["msg"], result
    assert host.did == [] and host.read("/etc/tgt/targets.conf") == OTHERS
    told = tell_targets(host, None)
    assert [one["name"] for one in told["targets"]] == [T, U] and told["drift"] == []
    assert (
        told["unmanaged"][0]
        == f"The target '{U}' is defined in '/etc/tgt/targets.conf' and is changed there alone."
    )
    assert told["targets"][1]["luns"][0]["wwid"] == "360000000000000000e00000000010001"


def test_files_that_would_not_be_read_at_boot_are_not_written():
    host = TgtHost(files={"/etc/tgt/targets.conf": "default-driver iscsi\n"})
    assert "does not include '/etc/tgt/conf.d/*.conf'" in run(host, target())["msg"]
    assert host.did == []


def test_a_target_made_by_hand_is_taken_over_with_its_identity_and_closed_where_igroups_say_who():
    host = TgtHost(
        files={"/srv/hand.img": {"size": 1 << 26}},
        targets={
            3: {"name": T, "addresses": ["ALL"], "luns": {1: {"path": "/srv/hand.img", "size": 1 << 26}}}
        },
    )
    done(host, {"name": T})
    assert "initiator-address ALL" in host.read(file_of(T)), "as open as it was"
    assert "scsi_id IET     00010001" in host.read(file_of(T))
    done(host, {"name": T, "igroups": [{"name": "g", "initiators": [WHO], "luns": ["lun1"]}]})
    assert (host.targets[3]["addresses"], host.targets[3]["names"]) == ([], [WHO])
    logged_in(host, "iqn.2026-01.com.example:stranger", tid=3)
    host.targets[3]["addresses"] = ["ALL"]
    assert "Logged in is" in run(host, {"name": T, "igroups": [{"name": "g", "initiators": [WHO]}]})["msg"]


def test_tgtd_is_not_started_where_the_port_is_taken():
    lio = "/sys/kernel/config/target/iscsi/iqn.2026-01.com.example:lio"
    tcp = "head\n   0: 00000000:0CBC 00000000:0000 0A 0 0 0 0 0\n"
    host = TgtHost(active=False, files={"/proc/net/tcp": tcp, f"{lio}/tpgt_1/enable": "1"})
    said = run(host, target())["msg"]
    assert "listens on 0.0.0.0:3260" in said and "serves iqn.2026-01.com.example:lio" in said
    assert host.did == []


def test_who_has_which_lun_is_told_as_of_lio():
    host = made(target(chap=CHAP))
    for name in ("ta", "tb"):
        host.files[f"/srv/luns/{name}.img"]["bytes"] = bytes(4096)
    told = tell_luns(host, False)
    assert told["targets"] == [
        {
            "name": T,
            "enabled": True,
            "portals": ["0.0.0.0:3260", "[::]:3260"],
            "igroups": [{"name": "g", "initiators": [WHO], "chap": True}],
        }
    ]
    assert [(one["name"], one["initiators"], one["saved_initiators"]) for one in told["luns"]] == [
        ("a", [WHO], [WHO]),
        ("b", [WHO], [WHO]),
    ]


def test_a_target_changes_hands_only_while_the_label_is_as_expected():
    host = made(target(luns=("a",)))
    lun = host.files["/srv/luns/ta.img"]
    lun["bytes"] = pv_bytes(GROUP.format(7, ""))
    there = found_label(host, "/srv/luns/ta.img")
    expected = {"target": T, "lun": "a", "group_uuid": there.uuid, "exported": None, "seqno": there.seqno}
    asked = target(luns=("a",), who=(NEXT,))
    result = run(host, asked, purge=True, expected=[{**expected, "seqno": there.seqno + 1}])
    assert "with the sequence number" in result["msg"] and host.targets[1]["names"] == [WHO]

    class Changing(TgtHost):
        """Somebody writes to the LUN when its initiator is shut out."""

        def _target_unbind(self, options):
            self.files["/srv/luns/ta.img"]["bytes"] = bytes(4096)
            return super()._target_unbind(options)

    host.__class__ = Changing
    result = run(host, asked, purge=True, expected=[expected])
    assert "found: no PV" in result["msg"] and "What was served before is served again." in result["msg"]
    assert host.targets[1]["names"] == [WHO]
    host.__class__, lun["bytes"] = TgtHost, pv_bytes(GROUP.format(7, ""))
    done(host, asked, purge=True, expected=[expected])
    assert host.targets[1]["names"] == [NEXT]


def anything(chance):
    """A request for one of two targets, sound or not."""
    names = chance.sample(["a", "b", "c"], chance.randint(1, 3))
    luns = [
        {
            "name": name,
            "shared": True,
            **({"number": chance.randint(0, 4)} if chance.random() < 0.2 else {}),
            **({"read_only": chance.random() < 0.5} if chance.random() < 0.3 else {}),
            **({"size": chance.choice(["64m", "128m"])} if chance.random() < 0.4 else {}),
        }
        for name in names
    ]
    chap = chance.choice(
        [None, CHAP, {**CHAP, "secret": THIRD}, {"user": "x", "secret": THIRD}, {"user": "", "secret": ""}]
    )
    asked = target(
        chance.choice([T, U]), luns=luns, who=chance.sample([WHO, NEXT], chance.randint(1, 2)), chap=chap
    )
    if chance.random() < 0.2:
        asked = {"name": asked["name"], "state": "absent"}
    return [asked], {"purge": chance.random() < 0.5}


def reach(host):
    """Who is logged in, and what he has under which number."""
    return {
        (one["name"], who): {number: lun["path"] for number, lun in one["luns"].items()}
        for one in host.targets.values()
        for who in one["sessions"].values()
    }


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_asked_in_turn_is_done_whole_or_refused_and_nobody_loses_a_disk(seed):
    chance = random.Random(seed)
    host = TgtHost()
    outcomes = set()
    for _turn in range(8):
        targets, scope = anything(chance)
        before, had = served(host), reach(host)
        result = run(host, *targets, **scope)
        outcomes.add(bool(result.get("failed")))
        if result.get("failed"):
            assert served(host) == before, result["msg"]
        else:
            assert run(host, *targets, **scope)["steps"] == []
            assert tell_targets(host, None)["drift"] == []
        for session, luns in had.items():
            assert luns.items() <= reach(host)[session].items()
        for one in host.targets.values():
            one["sessions"] = {1: one["names"][0]} if one["names"] and chance.random() < 0.3 else {}
    assert False in outcomes


def test_nops_are_set_live_and_by_our_program_after_a_start():
    given = {**target(), "parameters": {"nop_interval": 10, "nop_count": 3, "InitialR2T": "No"}}
    host = made(given)
    shown = host.targets[1]["parameters"]
    assert (shown["nop_interval"], shown["nop_count"]) == ("10", "3")
    (file,) = [host.read(path) for path in host.files if path.startswith("/etc/tgt/conf.d/")]
    assert "    InitialR2T No\n" in file and "    nop" not in file
    assert f"ExecStartPost=-/usr/bin/env python3 {PROGRAM}" in host.read(drop_in_of("tgt.service"))
    assert '"nop_interval"' in host.read(PROGRAM)
    assert not done(host, given)["changed"]
    refused = run(host, {"name": T, "parameters": {"nop_count": -1}})["msg"]
    assert "'-1' is not a value for the parameter 'nop_count'" in refused
