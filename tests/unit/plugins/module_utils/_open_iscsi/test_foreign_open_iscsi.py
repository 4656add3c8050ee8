# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The initiator's modules over files that others may have made, by hundreds; LUNWORKS_DOCUMENTS says how many.

The laws: a look is what the real program reads; a change changes no other line, and the real program reads it; a host that
is as wanted has nothing to do; and nothing ends in a traceback.
"""

from __future__ import annotations

import copy
import re

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.initiator_name import (
    CHECKS,
    look_initiator,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.initiator_name import (
    PATH as NAMES,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.iscsid_conf import PATH as CONF
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.iscsid_conf import in_force
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.file import config, first
from ansible_collections.lunworks.iscsi.tests.unit.documents import many
from ansible_collections.lunworks.iscsi.tests.unit.foreign_lines import (
    ENDS,
    cfg,
    exec_start,
    grep,
    idbm,
    others,
    sysctl,
    texts,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

IQN = "iqn.2026-01.com.example"
DAEMON = ["iscsid.safe_logout", "iscsid.startup"]
WORDS = {"node.startup": ("manual", "automatic", "onboot"), "node.session.auth.authmethod": ("None", "CHAP")}
NUMBERS = ["node.session.queue_depth", "node.session.nr_sessions", "node.session.timeo.replacement_timeout"]
OTHER = ["node.session.auth.username", "some.key.of.tomorrow"]
SETTINGS = st.sampled_from([*DAEMON, *WORDS, *NUMBERS, *OTHER])
VALUES = st.sampled_from(
    [
        "4",
        "064",
        "15s",
        "0x10",
        "-1",
        "",
        "many",
        "99999999999999999999999",
        "Yes",
        "No",
        "automatic",
        "onboot",
    ]
    + ["Manual", "CHAP", '"manual"', "a b", "db = x", "InitiatorName=x", f"{IQN}:old"]
)
WANTED = {
    "iscsid.safe_logout": ["Yes", "No"],
    "iscsid.startup": ["/bin/systemctl start iscsid.socket"],
    "node.startup": ["manual", "onboot"],
    "node.session.auth.authmethod": ["CHAP"],
    "node.session.queue_depth": ["4", "64"],
    "node.session.nr_sessions": ["1"],
    "node.session.timeo.replacement_timeout": ["-1", "15"],
    "node.session.auth.username": ["db", "x = y"],
}
CHANGE = st.sampled_from([(name, value) for name, values in WANTED.items() for value in values])
SHOW = "systemctl show -p ActiveState,ActiveEnterTimestampMonotonic,ControlGroup iscsid.service"
STOPPED = {SHOW: "ActiveState=inactive\nActiveEnterTimestampMonotonic=0\n"}


def read(text):
    """All settings of iscsid.conf by its two readers."""
    kept = {name: value for name, value in idbm(text, NUMBERS, WORDS).items() if name not in DAEMON}
    own = {name: cfg(text, name) for name in DAEMON}
    return {**kept, **{name: value for name, value in own.items() if value is not None}}


def converged(door, options, host):
    """The host after the module, or before it and the refusal; what is planned a second time is nothing."""
    before = copy.deepcopy(host.files)
    try:
        for resource in resources_of(door, options):
            seen = resource.look(host)
            want = resource.want(seen)
            steps = resource.plan(seen, want)
            resource.refuse(seen, want, steps)
            list(resource.notes(seen, steps))
            assert resource.plan(want, want) == []
            for step in steps:
                assert str(step)
                step.take(host)
            again = resource.look(host)
            assert resource.plan(again, resource.want(again)) == []
    except Problem as problem:
        assert host.files == before or host.did, problem
        return problem
    return None


def text_of(host, path):
    return "" if host.list(path) else host.read(path) or ""


@many
@given(texts(SETTINGS, VALUES))
def test_iscsid_conf_is_read_as_open_iscsi_reads_it(text):
    assert {name: in_force(text).get(name) for name in [*DAEMON, *WORDS, *NUMBERS, *OTHER]} == {
        name: read(text).get(name) for name in [*DAEMON, *WORDS, *NUMBERS, *OTHER]
    }


@many
@given(texts(SETTINGS, VALUES), CHANGE)
def test_a_setting_of_iscsid_conf_changes_and_nothing_else(text, change):
    name, value = change
    host = ScriptedHost({CONF: {"text": text, "mode": 0o600}}, STOPPED, changing=["systemctl restart"])
    refused = converged("iscsid_conf", {"settings": {name: value}}, host)
    after = text_of(host, CONF)
    if refused:
        assert "other lines of the file keep open-iscsi from reading it that way" in str(refused)
        return
    assert read(after)[name] == value
    assert others(after, name) == others(text, name)
    assert {**read(text), name: value} == read(after)
    assert (after == text) == (read(text).get(name) == value)


NAME, ALIAS = "InitiatorName", "InitiatorAlias"
KEYS = st.sampled_from([NAME, NAME, ALIAS, "GenerateName", "OldInitiatorName"])
SAID = st.sampled_from([f"{IQN}:old", f"{IQN}:new", f"{IQN}:NEW", "yes", "", "naa.5", "the db", "x # y"])


@many
@given(
    texts(KEYS, SAID),
    st.sampled_from([f"{IQN}:new", f"{IQN}:NEW"]),
    st.sampled_from([None, "", "db"]),
    st.booleans(),
)
def test_the_daemon_takes_the_name_that_was_asked_for(text, name, alias, debian):
    checks = {CHECKS: "#!/bin/sh\n"} if debian else {}
    host = ScriptedHost({NAMES: text, **checks}, STOPPED, changing=["systemctl restart"])
    assert (look_initiator(host).name, look_initiator(host).alias) == (cfg(text, NAME), cfg(text, ALIAS))
    refused = converged("initiator_name", {"name": name, "alias": alias}, host)
    after = text_of(host, NAMES)
    if refused:
        assert "keep open-iscsi from reading it that way" in str(refused)
        return
    assert cfg(after, NAME) == (name if cfg(text, NAME) == name else name.lower())
    assert cfg(after, ALIAS) == (cfg(text, ALIAS) if alias is None else alias or None)
    if debian:
        assert grep(r"InitiatorName=[^ \\tn]", after) and not grep("GenerateName=yes", after)
    kept = [line for line in others(text, NAME) if not line.startswith("GenerateName=yes")]
    assert [line for line in others("".join(kept), ALIAS) if line not in others(after, NAME)] == []


TARGETS = ("disk", "NAS_2")
FIELDS = st.sampled_from([*WORDS, *NUMBERS, *OTHER, "node.tpgt", "iface.mtu"])


@st.composite
def records(draw):
    """Node records of two targets: a file for each iface under a TPG, or one file as before 2.0-870."""
    found = {}
    for name in draw(st.lists(st.sampled_from(TARGETS), max_size=2, unique=True)):
        spelled = draw(st.sampled_from([name, name.lower(), name.upper()]))
        head = f"node.name = {IQN}:{spelled}\nnode.conn[0].address = 10.0.0.1\nnode.conn[0].port = 3260"
        tail = draw(st.sampled_from(["\n", " # usual\n", "\r\n", ""]))
        body = draw(texts(FIELDS, VALUES))
        body += "" if body.endswith("\n") else "\n"
        marks = draw(st.sampled_from([("", ""), ("# BEGIN RECORD 2.1.8\n", "# END RECORD\n")]))
        place = draw(
            st.sampled_from(["10.0.0.1,3260", "10.0.0.1,3260,1/default", "10.0.0.1,3260,1/.default.swp"])
        )
        path = f"/etc/iscsi/nodes/{IQN}:{spelled}/{place}"
        found[path] = {"text": marks[0] + body + head + tail + marks[1], "mode": 0o600}
    return found


@many
@given(records(), texts(SETTINGS, VALUES), st.sampled_from(TARGETS), CHANGE)
def test_a_record_says_what_was_asked_and_keeps_the_rest(found, conf, target, change):
    name, value = change
    name, value = (
        (name, value) if name in (*NUMBERS, "node.session.auth.username") else ("node.startup", "onboot")
    )
    given_ = {} if name in ("node.session.auth.username", "node.startup") else {name: value}
    node = {"target": f"{IQN}:{target}", "portals": ["10.0.0.1"], "settings": given_, "startup": "onboot"}
    host = ScriptedHost({CONF: conf, **found}, changing=["iscsiadm"])
    before = {path: dict(idbm(file["text"], NUMBERS, WORDS)) for path, file in found.items()}
    if converged("nodes", {"nodes": [node]}, host):
        return
    own = [path for path in host.files if f":{target.lower()}/" in path.lower() and text_of(host, path)]
    now = {path: idbm(text_of(host, path), NUMBERS, WORDS) for path in [*own, *before]}
    assert {**now[own[-1]], "node.startup": "onboot", **given_} in [now[path] for path in own]
    for path, said in before.items():
        whole = {"node.name", "node.conn[0].address"} <= set(said)
        changed = {**said, "node.startup": "onboot", **given_}
        text = found[path]["text"]
        if (
            "# BEGIN RECORD" not in text or "# END RECORD" in text
        ):  # else a crash left it, and it is recreated
            assert now[path] == (changed if path in own and whole else said)


IFACE = st.sampled_from(
    [
        "iface.net_ifacename",
        "iface.hwaddress",
        "iface.transport_name",
        "iface.initiatorname",
        "iface.mtu",
        "iface.vlan_id",
    ]
)
FIELD_VALUES = st.sampled_from(
    [
        "eth1",
        "eth9",
        "52:54:00:00:00:AA",
        "52:54:00:00:00:02",
        "tcp",
        "qedf2",
        "",
        f"{IQN}:RKE",
        "1500 # x",
        "default",
    ]
)


@many
@given(
    texts(IFACE, FIELD_VALUES),
    st.sampled_from([{"nic": "eth1"}, {"mac": "52:54:00:00:00:02"}, {"nic": ""}, {}]),
)
def test_an_iface_is_bound_as_asked_and_keeps_the_rest(text, asked):
    path = "/etc/iscsi/ifaces/san1"
    nics = {f"/sys/class/net/eth{n}/address": f"52:54:00:00:00:0{n}\n" for n in (1, 2)}
    host = ScriptedHost({path: {"text": text}, **nics})
    if converged("iface", {"name": "san1", **asked}, host):
        return
    fields = {"nic": "iface.net_ifacename", "mac": "iface.hwaddress"}
    numbers = ("iface.mtu", "iface.vlan_id")
    before, after = idbm(text, numbers), idbm(text_of(host, path), numbers)
    for option, value in asked.items():
        found = after.get(
            fields[option], ""
        )  # 'default' binds to nothing (usr/iface.c, iface_is_bound_by_netdev)
        assert ("" if found == "default" else found) == value
    kept = {name: value for name, value in before.items() if name not in map(fields.get, asked)}
    assert {**kept, **after} == after


KEY = "net.ipv4.conf.{}.rp_filter".format
SYSCTL = st.sampled_from(
    [
        KEY("eth1"),
        KEY("eth1"),
        KEY("all"),
        KEY("default"),
        KEY("*"),
        KEY("eth?"),
        "net.ipv4.*",
        "-" + KEY("eth1"),
    ]
    + [
        KEY("eth1").replace(".", "/"),
        "net.ipv4.conf.eth1/7.rp_filter",
        "-" + KEY("*"),
        "-" + KEY("all") + "#",
    ]
)
FILES = st.sampled_from(
    [
        "/etc/sysctl.d/10-a.conf",
        "/etc/sysctl.d/90-iscsi-rp-filter.conf",
        "/run/sysctl.d/99-z.conf",
        "/etc/sysctl.d/50 b.conf",
    ]
)
PROC = "/proc/sys/net/ipv4/conf/{}/rp_filter".format


def strict(files):
    """Whether an answer through the other interface is dropped after a boot (kernel: the higher of two)."""
    said = sysctl(files, [KEY(one).replace(".", "/") for one in ("eth1", "all", "default")])
    own, every, default = (said.get(KEY(one).replace(".", "/")) for one in ("eth1", "all", "default"))
    own, every, default = (
        int(one.split()[0]) if re.match(r"\d(\s|$)", one or "") else None for one in (own, every, default)
    )
    return max((default if own is None else own) or 0, every or 0) == 1


@many
@given(
    st.dictionaries(
        FILES, texts(SYSCTL, st.sampled_from(["0", "1", "2", "2 # loose", "", "many"])), max_size=3
    ),
    st.sampled_from(["0", "1", "2"]),
)
def test_the_next_boot_does_not_filter_strictly(files, running):
    procs = {PROC(one): "0\n" for one in ("all", "default")}
    host = ScriptedHost({**files, **procs, PROC("eth1"): running + "\n"})
    ours = "/etc/sysctl.d/90-iscsi-rp-filter.conf"
    refused = converged("rp_filter", {"interfaces": ["eth1"]}, host)
    if refused:
        assert "sets it again after" in str(refused) and (strict(files) or running == "1")
        return
    after = {path: text_of(host, path) for path in {*files, ours}}
    assert not strict(after) and host.read(PROC("eth1")).strip() != "1"
    spelled = re.compile(r"[ \t\r]*-?[ \t\r]*net[./]ipv4[./]conf[./]eth1[./]rp_filter[ \t\r]*(=|$)")
    for path, text in files.items():
        rest = [line for line in re.split("(?<=\n)", text) if line and not spelled.match(line)]
        assert after[path] == text or path == ours and not [line for line in rest if line not in after[path]]


LOGIN = st.sampled_from(
    [
        "/sbin/iscsiadm -m node --loginall=automatic",
        "-/usr/sbin/iscsiadm -m node -L automatic",
        "/sbin/iscsiadm -m node --loginall=automatic -W",
        "/sbin/iscsiadm -m node \\\n  # by hand\n  --loginall=automatic",
        '/bin/sh -c "sleep 1; /sbin/iscsiadm -m node --loginall=automatic"',
        '/bin/sh -c "/sbin/iscsiadm -m node -L all -W"',
        "/sbin/iscsiadm -m node -L all ; /bin/true",
        "/usr/bin/env A='b  c' %n $HOME",
        "",
    ]
)
PARTS = st.lists(LOGIN.map("ExecStart={}".format), max_size=3).flatmap(
    lambda starts: st.permutations(
        [*starts, "# ExecStart=", "[Unit]", "[Service]", "After=x \\", "Type=oneshot"]
    )
)
UNIT = st.builds(lambda lines, end: "[Service]\n" + end.join(lines) + end, PARTS, ENDS)
SHOW_UNIT = "systemctl show -p Id,LoadState,UnitFileState,ActiveState,FragmentPath,DropInPaths {}".format
FRAGMENT, PLACE = "/lib/systemd/system/open-iscsi.service", "/etc/systemd/system/open-iscsi.service.d"


@many
@given(
    UNIT,
    st.dictionaries(st.sampled_from(["00-wait.conf", "10-lunworks.conf", "override.conf"]), UNIT, max_size=2),
)
def test_a_boot_does_not_wait_and_what_others_made_runs_as_they_wrote_it(unit, others_):
    files = {FRAGMENT: unit, **{f"{PLACE}/{name}": text for name, text in others_.items()}}
    said = f"Id=open-iscsi.service\nLoadState=loaded\nFragmentPath={FRAGMENT}\nDropInPaths=\n"
    runs = {SHOW_UNIT("open-iscsi.service"): said, SHOW_UNIT("iscsi.service"): "LoadState=not-found\n"}
    host = ScriptedHost(files, runs, changing=["systemctl daemon-reload"])
    bare = [
        files[path]
        for path in sorted(files, key=lambda one: (one != FRAGMENT, one))
        if "lunworks" not in path
    ]
    if converged("login_unit", {"wait": False, "started": False}, host):
        return
    assert all(host.read(path) == text for path, text in files.items() if "lunworks" not in path)
    paths = sorted(path for path in host.files if path.startswith(PLACE))
    run = exec_start([host.read(FRAGMENT), *map(host.read, paths)])
    assert not [
        one for one in run if "iscsiadm" in one and re.search("--loginall|-L", one) and "-W" not in one
    ]
    if f"{PLACE}/10-lunworks.conf" in paths:
        assert [re.sub(" -W$", "", one) for one in run] == [
            re.sub(" -W$", "", one) for one in exec_start(bare)
        ]


def test_the_readers_of_this_test_are_not_ours():
    assert config("a=1\n") == idbm("a=1\n") == {}
    assert first("a = 1", "a") == cfg("a = 1", "a") == "1"
