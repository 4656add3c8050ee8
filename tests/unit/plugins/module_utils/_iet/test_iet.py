# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IET: what is written is what its daemon reads, and what others wrote stays byte for byte."""

from __future__ import annotations

import random
from functools import partial

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import Half, _take
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._iet.conf import sections_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._iet.info import tell_luns, tell_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import wwid_of_iet, wwid_of_scsi_id
from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.iet_host import ALLOW, CONF, PORTALS, IetHost
from ansible_collections.lunworks.iscsi.tests.unit.iet_reader import Altered, Died, allowed, read_conf
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of

T, OTHER = "iqn.2026-01.com.example:t", "iqn.2001-04.org.gentoo:iSCSI.test.disk1"
A, B = "iqn.2026-01.com.example:a", "iqn.2026-01.com.example:b"
SECRET = "a secret of sixteen".replace(" ", "-")
SEED = (
    "Target iqn.2026-01.com.example:t\n        Lun 0 Path=/dev/loop2,Type=fileio,ScsiId=42,ScsiSN=42424242\n"
)
LOOP = {"/dev/loop2": {"kind": "block", "rdev": 1794}, "/sys/class/block/loop2/size": "10240\n"}
OLD = f"""#The part before the colon is a name standard for iscsi
IncomingUser joe secretsecret12
Target {OTHER}
\tLun 0 Path=/srv/old.img,Type=fileio,IOMode=wt
\tAlias Test
\tMaxConnections 1
\t#InitialR2T Yes
\tmaxburstlength   0x40000 and more words

# the end
"""
GENTOO = "iqn.2001-04.org.gentoo:iSCSI.test.disk1"
WIKI = f"""#The part before the colon is a name standard for iscsi with your domain of course.
Target {GENTOO}
Lun 0 Path=/dev/hda5,Type=fileio
MaxConnections 1
#InitialR2T Yes
#ImmediateData No
#MaxBurstLength 262144
#HeaderDigest CRC32C
#Wthreads 8
"""
HDA5 = {"/dev/hda5": {"kind": "block", "rdev": 773}, "/sys/class/block/hda5/size": "10240\n"}
FILES = {"/srv/old.img": {"size": 1 << 20}, "/srv/a.img": {"size": 1 << 20}, "/srv/b.img": {"size": 1 << 20}}


def converge(host, door="targets", **options):
    """Look, want, plan, refuse, take, look again; the steps."""
    (resource,) = resources_of(door, {"provider": "iet", **options})
    seen = resource.look(host)
    want = resource.want(seen)
    steps = resource.plan(seen, want)
    resource.refuse(seen, want, steps)
    assert steps or seen == want
    _take(steps, host)
    after = resource.look(host)
    again = resource.again(after, want)
    assert resource.plan(after, again) == []
    assert after == again
    assert resource.plan(after, want) == []
    assert not any(SECRET in word for argv in host.argvs for word in argv), "a secret in a process list"
    assert not any(SECRET in str(step) for step in steps) and SECRET not in str(resource.show(after))
    return [str(step) for step in steps]


def lun(name="a", **more):
    return {"name": name, "path": f"/srv/{name}.img", **more}


def whole(**more):
    return {
        "name": T,
        "portals": ["192.0.2.1"],
        "luns": [lun()],
        "igroups": [{"name": "db", "initiators": [A], "luns": ["a"]}],
        **more,
    }


def conf_of(host):
    return read_conf(host.read(CONF).encode(errors="surrogateescape"), strict=(T,))[0]


def test_a_target_is_made_live_and_in_the_file_and_lets_in_whom_it_names():
    host = IetHost({CONF: OLD, ALLOW: "ALL ALL\n", PORTALS: "ALL ALL\n", **FILES})
    assert converge(host, targets=[whole()]) == [
        "Write who may log in to '/etc/iet/initiators.allow'",
        "Write where targets are offered to '/etc/iet/targets.allow'",
        "Write the targets to '/etc/iet/ietd.conf'",
        f"Create the target '{T}'",
        f"Serve the LUN 'a' as number 0 of '{T}'",
    ]
    assert host.read(CONF).startswith(OLD)
    assert conf_of(host)[T]["luns"][0]["path"] == "/srv/a.img"
    allow, portals = host.read(ALLOW).encode(), host.read(PORTALS).encode()
    assert allowed(allow, T, A) and not allowed(allow, T, B) and allowed(allow, OTHER, B)
    assert not allowed(allow, T, A.replace(".", "x", 1)), "a dot is a dot"
    assert allowed(portals, T, address="192.0.2.1") and not allowed(portals, T, address="192.0.2.2")
    assert host.live[T]["luns"] == conf_of(host)[T]["luns"]
    assert converge(host, targets=[whole()]) == []


def test_a_second_igroup_grows_the_line_and_both_are_found_again():
    host = IetHost({ALLOW: "ALL ALL\n", **FILES})
    both = [lun(shared=True)]
    converge(host, targets=[whole(luns=both)])
    second = {"name": "web", "initiators": [B], "luns": ["a"]}
    converge(host, targets=[whole(luns=both, igroups=[second])])
    (told,) = tell_targets(host, T)["targets"]
    assert [(one["name"], one["initiators"]) for one in told["igroups"]] == [("db", [A]), ("web", [B])]
    assert converge(host, "igroup", target=T, name="db", state="absent")
    assert not allowed(host.read(ALLOW).encode(), T, A) and allowed(host.read(ALLOW).encode(), T, B)


def test_without_the_file_everybody_gets_in_and_goes_on_to_everywhere_else():
    host = IetHost({CONF: OLD, **FILES})
    converge(host, targets=[whole()])
    assert allowed(host.read(ALLOW).encode(), OTHER, B) and not allowed(host.read(ALLOW).encode(), T, B)


def test_the_seeds_own_example_is_read_and_kept():
    host = IetHost({CONF: SEED, ALLOW: "ALL ALL\n", PORTALS: "ALL ALL\n", **LOOP, **FILES})
    (told,) = tell_targets(host, T)["targets"]
    assert told["luns"][0]["serial"] == "42424242" and told["luns"][0]["wwid"] == wwid_of_scsi_id("42")
    assert told["open_to"] == ["ALL"] and tell_targets(host, T)["drift"] == []
    same = {
        "name": "lun0",
        "path": "/dev/loop2",
        "serial": "42424242",
        "attributes": {"ScsiId": "42", "Type": "fileio"},
    }
    assert converge(host, targets=[{"name": T, "luns": [same]}]) == []
    assert host.read(CONF) == SEED
    converge(
        host, targets=[{"name": T, "attributes": {"MaxSessions": 4}, "parameters": {"MaxConnections": 2}}]
    )
    assert host.read(CONF) == SEED + "\tMaxConnections 2\n\tMaxSessions 4\n"


def test_the_seeds_own_example_can_be_asked_for():
    link = {"/dev/disk/by-id/loop": {"link": "../../loop2"}}
    host = IetHost({**LOOP, **link, **FILES})
    data = {
        "name": "disk",
        "path": "/dev/disk/by-id/loop",
        "serial": "42424242",
        "attributes": {"ScsiId": "42", "Type": "fileio"},
    }
    converge(host, targets=[{"name": T, "portals": ["192.0.2.1"], "luns": [data]}])
    assert "Path=/dev/disk/by-id/loop,Type=fileio,ScsiId=42,ScsiSN=42424242\n" in host.read(CONF)


def test_the_file_of_the_gentoo_wiki_is_read_and_only_what_is_named_changes():
    host = IetHost({CONF: WIKI, **HDA5, **FILES})
    (told,) = tell_targets(host, GENTOO.lower())["targets"]
    assert (told["name"], told["luns"][0]["path"], told["enabled"]) == (GENTOO, "/dev/hda5", True)
    assert converge(host, targets=[{"name": GENTOO, "luns": [{"name": "lun0"}]}]) == []
    assert host.read(CONF) == WIKI
    converge(host, targets=[{"name": GENTOO, "parameters": {"InitialR2T": "No", "MaxConnections": 2}}])
    changed = WIKI.replace("MaxConnections 1", "\tMaxConnections 2")
    assert sorted(host.read(CONF).splitlines()) == sorted([*changed.splitlines(), "\tInitialR2T No"])


def test_a_wwid_is_what_udev_makes_of_the_designator():
    assert wwid_of_scsi_id("42") == "1" + "4945540000000000" + "3432" + "00" * 14
    assert wwid_of_iet("01234567-89ab-5cde-f012-3456789abcde") == wwid_of_scsi_id("0123456789ab5cde")


def test_only_the_lines_that_say_something_else_change():
    host = IetHost({CONF: OLD, ALLOW: "ALL ALL\n", PORTALS: "ALL ALL\n", **FILES})
    converge(host, targets=[{"name": OTHER, "parameters": {"MaxBurstLength": 65536}}])
    assert host.read(CONF) == OLD.replace(
        "\tmaxburstlength   0x40000 and more words\n", "\tMaxBurstLength 65536\n"
    )
    converge(host, targets=[{"name": OTHER, "luns": [{"name": "lun0", "write_back": True}]}])
    assert "\tLun 0 Path=/srv/old.img,Type=fileio,IOMode=wb\n" in host.read(CONF)
    converge(host, targets=[{"name": OTHER, "state": "absent"}])
    assert host.read(CONF) == OLD[: OLD.index("Target")] + "\t#InitialR2T Yes\n\n# the end\n"


def test_accounts_need_a_restart_and_no_secret_is_an_argument():
    host = IetHost({CONF: OLD, ALLOW: "ALL ALL\n", PORTALS: "ALL ALL\n", **FILES})
    chap = {"user": "db", "secret": SECRET, "mutual_user": "store", "mutual_secret": SECRET[::-1]}
    group = {"name": "db", "initiators": [A], "luns": ["a"], "chap": chap}
    assert converge(host, targets=[whole(igroups=[group])])[-1].startswith("Restart IET")
    assert host.live[T]["in"] == [("db", SECRET)] and host.live[T]["out"] == ("store", SECRET[::-1])
    assert host.files[CONF]["mode"] == 0o600
    assert converge(host, targets=[whole(igroups=[group])]) == []
    host.sessions.append((T, A, "192.0.2.9"))
    host.proc()
    other = {**group, "chap": {"user": "db", "secret": SECRET + "2"}}
    with pytest.raises(Problem, match="Logged in is 'iqn.2026-01.com.example:a' from 192.0.2.9"):
        converge(host, targets=[whole(igroups=[other])])
    none = {**group, "chap": {"user": "", "secret": ""}}
    converge(host, targets=[whole(igroups=[none])], force=True)
    assert host.live[T]["in"] == []


@pytest.mark.parametrize(
    "request_",
    [
        {"name": T, "state": "absent"},
        {"name": T, "luns": [{"name": "a", "state": "absent"}]},
        {"name": T, "luns": [{"name": "a", "read_only": True}]},
        {"name": T, "luns": [{"name": "a", "size": "2m"}]},
        {"name": T, "igroups": [{"name": "db", "state": "absent"}]},
    ],
)
def test_whoever_is_logged_in_loses_nothing_unless_it_is_forced(request_):
    host = IetHost({**FILES})
    converge(host, targets=[whole()])
    host.sessions.append((T, A, "192.0.2.9"))
    host.proc()
    host.did = []
    with pytest.raises(Problem, match="Logged in is"):
        converge(host, targets=[request_])
    assert host.did == []
    assert converge(host, targets=[request_], force=True)
    assert converge(host, targets=[request_]) == []


def test_a_file_that_somebody_changes_meanwhile_is_not_overwritten():
    host = IetHost({CONF: OLD, ALLOW: "ALL ALL\n", PORTALS: "ALL ALL\n", **FILES})
    (resource,) = resources_of("targets", {"provider": "iet", "targets": [whole()]})
    seen = resource.look(host)
    steps = resource.plan(seen, resource.want(seen))
    host.files[CONF] = OLD + "Target iqn.2026-01.com.example:new\n"
    with pytest.raises(Half, match="changed by somebody else"):
        _take(steps, host)
    assert host.read(CONF).endswith(":new\n")


@pytest.mark.parametrize(
    "more",
    [{"luns": [lun(size="2m")]}, {"igroups": [{"name": "db", "chap": {"user": "db", "secret": SECRET}}]}],
)
def test_whoever_logs_in_between_look_and_step_loses_nothing(more):
    host = IetHost({**FILES})
    converge(host, targets=[whole()])
    (resource,) = resources_of("targets", {"provider": "iet", "targets": [{"name": T, **more}]})
    seen = resource.look(host)
    steps = resource.plan(seen, resource.want(seen))
    host.sessions.append((T, A, "192.0.2.9"))
    host.proc()
    with pytest.raises(Half, match="Meanwhile 'iqn.2026-01.com.example:a' from 192.0.2.9 has logged in"):
        _take(steps, host)
    assert host.sessions


def test_a_host_on_which_ietd_does_not_run_gets_its_files():
    host = IetHost({**FILES}, runs=False)
    steps = converge(host, targets=[whole()])
    assert [step.partition(" to ")[0] for step in steps] == [
        "Write who may log in",
        "Write where targets are offered",
        "Write the targets",
    ]
    assert conf_of(host)[T]["luns"][0]["path"] == "/srv/a.img"


def test_what_an_interrupted_run_left_is_finished():
    for at in range(5):
        host = IetHost({CONF: OLD, ALLOW: "ALL ALL\n", PORTALS: "ALL ALL\n", **FILES})
        (resource,) = resources_of("targets", {"provider": "iet", "targets": [whole()]})
        seen = resource.look(host)
        steps = resource.plan(seen, resource.want(seen))
        _take(steps[:at], host)
        assert not allowed(host.read(ALLOW).encode(), T, B) or T not in host.live
        assert converge(host, targets=[whole()]) == [str(step) for step in steps[at:]]


ONE = f"Target {T}\n\tLun 0 Path=/srv/a.img,Type=fileio\n"


def open_host(allow="ALL ALL\n", conf=ONE, **files):
    return IetHost({CONF: conf, ALLOW: allow, PORTALS: "ALL ALL\n", **FILES, **files})


def web(*names, **more):
    return {"name": T, "igroups": [{"name": "web", "initiators": list(names), "luns": ["lun0"], **more}]}


@pytest.mark.parametrize("allow", ["ALL ALL\n", f"ALL ALL, {A}\n", f"{T} ALL\nALL none\n", f"{T} {B}, {A}\n"])
def test_an_igroup_that_is_not_there_goes_without_a_change(allow):
    host = open_host(allow)
    assert converge(host, "igroup", target=T, name="zz", state="absent") == []
    assert converge(host, targets=[{"name": T, "igroups": []}]) == []
    assert host.read(ALLOW) == allow
    converge(host, targets=[{"name": T, "igroups": []}], purge=True)
    assert not allowed(host.read(ALLOW).encode(), T, A), "with purge nobody is left"


def test_an_igroup_goes_and_the_target_stays_as_open_as_it_was():
    host = open_host(f"ALL ALL, {A}\n")
    converge(host, "igroup", target=T, name=A, state="absent")
    assert allowed(host.read(ALLOW).encode(), T, B)


@pytest.mark.parametrize("whose", ["ALL", T])
def test_addresses_of_others_stay(whose):
    host = open_host(f"{whose} {A}, 10.0.0.0/8\n")
    luns = [{"name": "lun0", "shared": True}]
    converge(host, targets=[{**web(B), "luns": luns}])
    assert allowed(host.read(ALLOW).encode(), T, "iqn.2026-01.com.example:x", "10.1.2.3")
    assert allowed(host.read(ALLOW).encode(), T, A) and allowed(host.read(ALLOW).encode(), T, B)
    converge(host, targets=[{**web(B), "luns": luns}], purge=True)
    assert not allowed(host.read(ALLOW).encode(), T, "iqn.2026-01.com.example:x", "10.1.2.3")


def test_what_a_line_for_all_lets_in_does_not_get_into_a_new_target():
    host = open_host("ALL 10.0.0.0/8\n")
    converge(
        host,
        targets=[
            whole(name=f"{T}2", luns=[lun("b")], igroups=[{"name": "db", "initiators": [A], "luns": ["b"]}])
        ],
    )
    assert not allowed(host.read(ALLOW).encode(), f"{T}2", "iqn.2026-01.com.example:x", "10.1.2.3")


@pytest.mark.parametrize("purge", [False, True])
def test_an_initiator_with_capitals_gets_in_as_it_is_spelled(purge):
    capitals = "iqn.2026-01.com.example:DB-A"
    for before in ("ALL ALL\n", f"ALL {capitals}\n", f"{T} {capitals.lower()}\n"):
        host = open_host(before)
        converge(host, targets=[web(capitals)], purge=purge)
        assert allowed(host.read(ALLOW).encode(), T, capitals), before
        assert converge(host, targets=[web(capitals)], purge=purge) == []
        lower = before.startswith(T) and not purge
        assert allowed(host.read(ALLOW).encode(), T, capitals.lower()) == lower, "others' entries stay"


def test_an_entry_of_others_with_capitals_stays():
    capitals = "iqn.2026-01.com.example:DB-A"
    host = open_host(f"{T} {capitals}\n")
    converge(host, targets=[{**web(B), "luns": [{"name": "lun0", "shared": True}]}])
    assert allowed(host.read(ALLOW).encode(), T, capitals) and allowed(host.read(ALLOW).encode(), T, B)
    (told,) = tell_targets(host, T)["targets"]
    assert told["open_to"] == []
    converge(host, targets=[web(capitals.lower())], purge=True)
    assert allowed(host.read(ALLOW).encode(), T, capitals) and not allowed(host.read(ALLOW).encode(), T, B)


def test_accounts_of_others_stay_unless_it_is_purged():
    two = ONE + f"\tIncomingUser joe {SECRET}\n\tIncomingUser jim {SECRET}2\n"
    host = open_host(f"{T} {A}\n", two)
    chap = {"user": "joe", "secret": SECRET}
    assert all("Restart" not in step for step in converge(host, targets=[web(A, chap=chap)]))
    assert host.read(CONF) == two
    converge(host, targets=[web(A, chap={"user": "jim", "secret": SECRET[::-1]})])
    assert host.live[T]["in"] == [("joe", SECRET), ("jim", SECRET[::-1])]
    for other in ({"user": "bob", "secret": SECRET}, {"user": "", "secret": ""}):
        with pytest.raises(Problem, match="has several accounts: 'joe', 'jim'. Name one of these"):
            converge(host, targets=[web(A, chap=other)])
    converge(host, targets=[web(A, chap=chap)], purge=True)
    assert host.live[T]["in"] == [("joe", SECRET)]


U = "iqn.2026-01.com.example:u"
NEXT = f"Target {U}\n\tLun 0 Path=/srv/b.img,Type=fileio\n\tMaxConnections 2\n\tIncomingUser joe {SECRET}\n"
CHAP = {"user": "db", "secret": SECRET}


@pytest.mark.parametrize(
    "old, new",
    [
        ("b.img", "old.img"),
        ("fileio", "fileio,IOMode=ro"),
        ("Connections 2", "Connections 3"),
        ("joe", "jim"),
        ("joe", "joe another-secret1\n\tIncomingUser jim"),
        (",Type=fileio\n", ",Type=fileio\n\tLun 1 Path=/srv/old.img,Type=fileio\n"),
        ("Target", "Target iqn.2026-01.com.example:v\nTarget"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_a_restart_does_not_switch_other_targets(old, new, force):
    host = open_host(f"{T} {A}\nALL ALL\n", ONE + NEXT)
    host.files[CONF] = ONE + NEXT.replace(old, new)
    other = "v" if ":v" in new else "u"
    with pytest.raises(Problem, match=f"would change how 'iqn.2026-01.com.example:{other}' is served"):
        converge(host, targets=[web(A, chap=CHAP)], force=force)
    host.start()
    converge(host, targets=[web(A, chap=CHAP)])
    assert host.live[T]["in"] == [("db", SECRET)]


def test_a_restart_does_not_switch_what_was_not_asked_for_of_its_own_target():
    host = open_host(f"{T} {A}\nALL ALL\n", ONE + "\tMaxConnections 2\n")
    host.files[CONF] = ONE + "\tMaxConnections 3\n"
    with pytest.raises(Problem, match=f"would change how '{T}' is served"):
        converge(host, targets=[web(A, chap=CHAP)])
    converge(host, targets=[{**web(A, chap=CHAP), "parameters": {"MaxConnections": 3}}])


def test_a_run_that_was_killed_on_its_way_to_a_restart_is_finished():
    request_ = {
        "targets": [web(A, B, chap={"user": "joe", "secret": SECRET}), {"name": U, "state": "absent"}]
    }
    resources = partial(resources_of, "targets", {"provider": "iet", **request_})
    points = killing.points_of(resources, open_host(conf=ONE + NEXT))
    assert len(points) > 3
    for end in points:
        host = open_host(conf=ONE + NEXT)
        assert killing.healed(resources, host, end)
        assert list(host.live) == [T] and host.live[T]["in"] == [("joe", SECRET)]
        assert killing.run(resources, host)["changed"] is False


def test_an_address_that_is_spelled_otherwise_is_the_same_one():
    own = f"{T} [2001:DB8:0:0::1]\n"
    inet6 = {"/proc/net/if_inet6": "20010db8000000000000000000000001 02 40 00 80 eth0\n"}
    host = open_host(**inet6)
    host.files[PORTALS] = own
    assert converge(host, targets=[{"name": T, "portals": ["[2001:db8::1]"]}]) == []
    assert host.read(PORTALS) == own
    assert tell_targets(host, T)["targets"][0]["portals"] == ["[2001:db8::1]:3260"]


def test_luns_are_told_with_who_has_them():
    host = IetHost({**FILES})
    converge(host, targets=[whole()])
    (found,) = tell_luns(host_with_bytes(host), False)["luns"]
    assert (found["name"], found["initiators"], found["saved_initiators"]) == ("a", [A], [A])


def host_with_bytes(host):
    host.files["/srv/a.img"] = {"size": 1 << 20, "bytes": bytes(1 << 20)}
    return host


# Inventories: what others may have written, and what somebody may ask for.
WORDS = ("Yes", "No")
ODD = ("", "# a comment\n", "\n", "#Target iqn.x\n", "  \t\n", "iSNSServer 192.0.2.7\n", "Unknown thing\n")


def others(random_):
    """An ietd.conf of others; none of it kills the daemon."""
    text = "".join(random_.choice(ODD) for _number in range(random_.randrange(3)))
    if random_.random() < 0.3:
        text += "IncomingUser  disco  secretsecret\n"
    for number in range(random_.randrange(4)):
        text += random_.choice(("Target", "target", " TARGET")) + f" iqn.2001-04.org.other:Disk{number}\n"
        for lun_ in range(random_.randrange(3)):
            text += f"{random_.choice(('  ', chr(9), ''))}Lun {lun_} Path=/srv/other-{number}-{lun_}.img,Type=fileio"
            text += random_.choice(("", ",ScsiId=x", ",IOMode=ro", ",Bogus=1", " and text")) + random_.choice(
                ("\n", "\r\n")
            )
        text += random_.choice(
            ("", "\tMaxBurstLength 99999999\n", "\tInitialR2T maybe\n", "Alias it\n", "Wthreads\n")
        )
        text += random_.choice(("", f"IncomingUser u{number} {SECRET[::-1]}\n"))
        text += random_.choice(ODD)
    return text


def requested(random_):
    """Targets as somebody may ask for them."""
    found = []
    for number in range(random_.randrange(1, 4)):
        names = [f"l{one}" for one in range(random_.randrange(4))]
        chap = random_.choice((None, {"user": f"u{number}", "secret": SECRET}))
        if chap and random_.random() < 0.5:
            chap = {**chap, "mutual_user": "#me", "mutual_secret": SECRET[::-1]}
        group = {"name": "db", "initiators": [A, B][: random_.randrange(1, 3)], "luns": names}
        found.append(
            {
                "name": f"{T}{number}",
                "portals": random_.choice((["192.0.2.1"], ["192.0.2.1", "192.0.2.2"], ["::"])),
                "luns": [
                    {
                        "name": name,
                        "path": f"/srv/{number}-{name}.img",
                        "size": f"{random_.randrange(1, 9)}m",
                        "number": random_.choice((None, at + 7)),
                        "read_only": random_.choice((None, True, False)),
                        "block_size": random_.choice((None, 512, 4096)),
                        "serial": f"{number:04}{at:04}" if random_.random() < 0.3 else None,
                    }
                    for at, name in enumerate(names)
                ],
                "igroups": [{**group, "chap": chap}] if random_.random() < 0.8 else None,
                "attributes": random_.choice(({}, {"Wthreads": 16}, {"MaxSessions": 4, "NOPInterval": 30})),
                "parameters": random_.choice(({}, {"MaxBurstLength": 65536, "HeaderDigest": "CRC32C,None"})),
            }
        )
    return found


# What a second request may be refused for: it is random, too.
RIGHTLY = (
    "cannot shrink",
    "is offered on every address",
    "shows every LUN",
    "for the same accounts",
    "have the same number",
)


def said(value):
    """What was asked for, without what was left out."""
    if isinstance(value, dict):
        return {key: said(one) for key, one in value.items() if one is not None}
    return [said(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("part", range(4))
def test_whatever_is_written_ietd_reads_as_it_was_asked_for(part):
    """2,000 inventories, some over files of others, each twice: made, and changed."""
    made = 0
    for seed in range(part * 500, part * 500 + 500):
        random_ = random.Random(seed)
        text = others(random_)
        allow = random_.choice((None, "ALL ALL\n", "", "# none\nALL 192.0.2.0/24\n"))
        host = IetHost(
            {CONF: text, ALLOW: allow, PORTALS: random_.choice((None, "ALL ALL\n"))}, runs=seed % 5 == 0
        )
        before = read_conf(text.encode())
        for first, asked in ((True, requested(random_)), (False, requested(random_))):
            asked = said(asked)
            try:
                converge(host, targets=asked, force=True, purge=random_.random() < 0.3 and not before[0])
            except Problem as problem:
                assert not first and any(why in str(problem) for why in RIGHTLY), (seed, problem)
                continue
            made += 1
            holds(host, asked, before, seed)
    assert made > 550


def holds(host, asked, before, seed):
    """What ietd reads: what was asked for, and what others wrote."""
    data = host.read(CONF).encode(errors="surrogateescape")
    names = [one["name"] for one in asked]
    targets, discovery = read_conf(data, strict=names)
    assert discovery == before[1], seed
    read = {one.name: one for one in sections_of(host.read(CONF))}
    assert set(read) == set(targets), seed
    assert all(set(one["luns"]) <= set(read[name].luns) for name, one in targets.items()), seed
    assert all(
        [(who.user, who.secret.reveal()) for who in read[name].accounts if who.key == "IncomingUser"]
        == one["in"]
        for name, one in targets.items()
    ), seed
    assert {name: one for name, one in targets.items() if name in before[0]} == before[0], seed
    for one in asked:
        found = targets[one["name"]]
        for lun_ in one["luns"]:
            (number,) = [at for at, each in found["luns"].items() if each["path"] == lun_["path"]]
            each = found["luns"][number]
            assert lun_.get("number") in (None, number)
            assert (each.get("iomode") == "ro") == bool(lun_.get("read_only")) or lun_.get(
                "read_only"
            ) is None, seed
            assert each.get("blocksize", "512") == str(
                lun_.get("block_size") or each.get("blocksize", "512")
            ), seed
            assert 0 < len(each["scsiid"]) <= 16 and 0 < len(each["scsisn"]) <= 32, seed
        for key, value in {**one["attributes"], **one["parameters"]}.items():
            assert str(found["keys"][key.lower()]) == str(value), seed
        for group in one.get("igroups", ()):
            chap = group.get("chap")
            if chap:
                assert found["in"] == [(chap["user"], chap["secret"])], seed
                assert found["out"] == (
                    (chap["mutual_user"], chap["mutual_secret"]) if "mutual_user" in chap else None
                )
            allow = host.read(ALLOW).encode()
            assert all(allowed(allow, one["name"], who) for who in group["initiators"]), seed
            assert not allowed(allow, one["name"], "iqn.2026-01.com.example:nobody"), seed
        portals = host.read(PORTALS)
        listens = portals.encode() if portals is not None else None
        wanted = ["192.0.2.1", "192.0.2.2"] if one["portals"] == ["::"] else one["portals"]
        assert all(allowed(listens, one["name"], address=where) for where in wanted), seed


@pytest.mark.parametrize("line", ["InitialR2T\n", "\tMaxConnections\n"])
def test_the_reader_knows_what_kills_the_daemon(line):
    with pytest.raises(Died):
        read_conf(f"Target {T}\n{line}".encode())
    with pytest.raises(Problem, match="segmentation fault"):
        converge(
            IetHost({CONF: f"Target {T}\n{line}"}, runs=False),
            targets=[{"name": T, "parameters": {"ImmediateData": "No"}}],
        )


@pytest.mark.parametrize(
    "text", [f"Target {T}\nAlias x\n", f"Target {T}\nMaxBurstLength 1\n", f"Target {T}\nLun 0 Path=/a b\n"]
)
def test_the_reader_knows_what_is_lost(text):
    with pytest.raises(Altered):
        read_conf(text.encode(), strict=(T,))
