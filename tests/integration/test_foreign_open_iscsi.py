# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and targets of other people: the programs that are installed say what they read, and we read the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.initiator_name import (
    ALIAS,
    NAME,
    startable,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.file import config, first
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.unit_file import commands
from ansible_collections.lunworks.iscsi.tests.integration.given_target import initiator_of, portals_of
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, succeeded
from ansible_collections.lunworks.iscsi.tests.unit.foreign_lines import sysctl, texts
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._open_iscsi.test_foreign_open_iscsi import (
    KEYS,
    NUMBERS,
    SAID,
    SETTINGS,
    SYSCTL,
    UNIT,
    VALUES,
    WORDS,
)

NAS = "iqn.2000-01.com.synology:NAS02.default-target_1"
LIO = f"/sys/kernel/config/target/iscsi/{NAS}"
READ = [*WORDS, *NUMBERS, "node.session.auth.username"]
# Each takes the texts of files, and gives what was read of each.
DATABASE = """
import json, os, subprocess
ROOT = "/var/lib/iscsi" if os.path.isdir("/var/lib/iscsi") else "/etc/iscsi"
"""
ISCSIADM = """
CONF, NODE = "/etc/iscsi/iscsid.conf", ["iscsiadm", "-m", "node", "-T", "iqn.2026-01.com.example:x", "-p", "10.9.9.9,1"]
kept, found = open(CONF, "rb").read(), []
try:
    for text in json.loads(INPUT):
        open(CONF, "wb").write(text.encode(errors="surrogateescape"))
        subprocess.run([*NODE, "-o", "new"], stdout=-3, stderr=-3, check=True)
        path = ROOT + "/nodes/iqn.2026-01.com.example:x/10.9.9.9,3260,1/default"
        found.append(open(path, "rb").read().decode(errors="surrogateescape"))
        subprocess.run([*NODE, "-o", "delete"], stdout=-3, stderr=-3, check=True)
finally:
    open(CONF, "wb").write(kept)
print(json.dumps(found))
"""
RECORDS = """
PLACE, found = ROOT + "/nodes/iqn.2026-01.com.example:x/10.9.9.9,3260,1", []
os.makedirs(PLACE)
for text in json.loads(INPUT):
    open(PLACE + "/default", "wb").write(text.encode(errors="surrogateescape"))
    argv = ["iscsiadm", "-m", "node", "-T", "iqn.2026-01.com.example:x", "-p", "10.9.9.9,1", "-S"]
    shown = subprocess.run(argv, stdout=-1, stderr=-3).stdout
    found.append(shown.decode(errors="surrogateescape").replace(" = <empty>", " ="))
os.remove(PLACE + "/default")
os.rmdir(PLACE)
os.rmdir(os.path.dirname(PLACE))
print(json.dumps(found))
"""
ISCSID = """
import json, subprocess
found = []
for text in json.loads(INPUT):
    open("/tmp/foreign", "wb").write(text.encode(errors="surrogateescape"))
    argv = ["unshare", "-n", "/sbin/iscsid", "-f", "-d", "8", "-c", "/tmp/foreign", "-i", "/tmp/foreign"]
    daemon, said = subprocess.Popen(argv, stderr=-1, stdout=-3, start_new_session=True), {}
    for line in daemon.stderr:
        name, equals, value = line.decode(errors="surrogateescape").rstrip("\\n").partition("iscsid: ")[2].partition("=")
        if equals:
            said[name] = value
        if line.startswith(b"iscsid: Max file"):
            break
    while daemon.poll() is None:  # never killed: it may hold the lock of the database; before its loop it forgets a signal
        daemon.terminate()
        try:
            daemon.communicate(timeout=0.2)
        except subprocess.TimeoutExpired:
            pass
    found.append(said)
print(json.dumps(found))
"""
STARTS = """
import json, os, shutil, subprocess
NAMES, found = "/etc/iscsi/initiatorname.iscsi", []
shutil.copy2(NAMES, "/root/foreign.names")
for text in json.loads(INPUT):
    open(NAMES, "wb").write(text.encode(errors="surrogateescape"))
    ran = subprocess.run(["/lib/open-iscsi/startup-checks.sh"], stdout=-3, stderr=-3)
    kept = open(NAMES, "rb").read().decode(errors="surrogateescape") == text
    found.append(ran.returncode == 0 and kept)
shutil.move("/root/foreign.names", NAMES)
print(json.dumps(found))
"""
UNITS = """
import json, os, subprocess
texts, found = json.loads(INPUT), []
paths = ["/run/systemd/system/foreign-%d.service" % number for number in range(len(texts))]
for path, text in zip(paths, texts):
    open(path, "wb").write(text.encode(errors="surrogateescape"))
subprocess.run(["systemctl", "daemon-reload"], check=True)
names = [path.rpartition("/")[2] for path in paths]
shown = subprocess.run(["systemctl", "show", "-p", "Id,ExecStart", *names], stdout=-1, check=True).stdout.decode()
for part in shown.strip("\\n").split("\\n\\n"):
    found.append([line.split(" ")[1][5:] for line in part.split("\\n") if line.startswith("ExecStart=")])
for path in paths:
    os.remove(path)
subprocess.run(["systemctl", "daemon-reload"], check=True)
print(json.dumps(found))
"""
SYSCTLS = """
import json, subprocess
KEY, found = "/proc/sys/net/ipv4/conf/%s/rp_filter", []
def get():
    return [open(KEY % name).read().strip() for name in ("all", "default", "lo")]
before = get()
for text in json.loads(INPUT):
    open("/tmp/foreign.conf", "wb").write(text.encode(errors="surrogateescape"))
    for name in ("all", "default", "lo"):
        open(KEY % name, "w").write("0")
    subprocess.run(["/lib/systemd/systemd-sysctl", "/tmp/foreign.conf"], stdout=-3, stderr=-3)
    found.append(get())
for name, value in zip(("all", "default", "lo"), before):
    open(KEY % name, "w").write(value)
print(json.dumps(found))
"""


def drawn(strategy, count):
    """So many documents, the same in every run."""
    found = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(strategy)
    def collect(one):
        found.append(one)

    collect()
    return found


def asked(host, source, documents):
    ran = host.python(DATABASE + source, json.dumps(documents), timeout=120)
    assert ran.rc == 0, ran.err
    return json.loads(ran.out)


def test_iscsiadm_reads_iscsid_conf_as_we_do(compute):
    documents = ["", *drawn(texts(SETTINGS, VALUES), 60)]
    made = [config(record) for record in asked(compute, ISCSIADM, documents)]
    for text, record in zip(documents, made):
        said = config(text)
        assert {name: record.get(name) for name in READ} == {
            name: said.get(name, made[0].get(name)) for name in READ
        }, text


def test_iscsiadm_reads_records_as_we_do(compute):
    """A record with a name or a word that it does not know, 'iscsiadm -m node' does not read at all (libopeniscsiusr)."""
    ends = "\nnode.name = iqn.2026-01.com.example:x\nnode.tpgt = 1\nnode.conn[0].address = 10.9.9.9\nnode.conn[0].port = 3260\n"
    names = st.sampled_from([*NUMBERS, "node.session.auth.username"])
    values = VALUES.filter(
        lambda value: value != "-1" and len(value) < 20
    )  # whose numbers are wider, or not signed
    documents = [text + ends for text in ["", *drawn(texts(names, values), 60)]]
    made = [config(shown) for shown in asked(compute, RECORDS, documents)]
    whole = [(text, record) for text, record in zip(documents, made) if record]
    assert len(whole) > 30
    for text, record in whole:
        said = config(text)
        assert {name: record.get(name) for name in READ} == {
            name: said.get(name, made[0].get(name)) for name in READ
        }, text


def test_a_setting_of_tomorrow_does_not_hide_all_records(compute):
    node = {"target": "iqn.2026-01.com.example:x", "portals": ["10.9.9.9"]}
    tomorrow = {"settings": {"node.conn[0].tcp.congestion_control": "bbr"}}
    result = compute.module("nodes", nodes=[{**node, **tomorrow}])
    if result.get("failed"):
        assert "does not know 'node.conn[0].tcp.congestion_control'" in result["msg"], result
        succeeded(compute, compute.module("nodes", nodes=[node]))
    assert "10.9.9.9:3260,1 iqn.2026-01.com.example:x" in compute.run("iscsiadm -m node").out
    succeeded(compute, compute.module("nodes", nodes=[{**node, "state": "absent"}]))


def test_iscsid_reads_its_names_and_settings_as_we_do(compute):
    assert compute.run("iscsiadm -m session", check=False).rc == 21
    keys = st.one_of(KEYS, st.sampled_from(["iscsid.safe_logout", "iscsid.ipc_auth_uid"]))
    documents = drawn(texts(keys, SAID), 60)
    for text, said in zip(documents, asked(compute, ISCSID, documents)):
        assert said["InitiatorName"] in (
            first(text, NAME),
            "NOT SET" if first(text, NAME) is None else None,
        ), text
        assert said["InitiatorAlias"] == (first(text, ALIAS) or compute.name), text
        for name in ("iscsid.safe_logout", "iscsid.ipc_auth_uid"):
            assert said.get(name) == first(text, name), text


def test_the_start_of_the_daemon_takes_the_names_that_we_think(compute):
    documents = drawn(texts(KEYS, SAID), 60)
    assert [startable(text) for text in documents] == asked(compute, STARTS, documents)


def test_systemd_reads_commands_as_we_do(compute):
    documents = drawn(UNIT, 40)
    wanted = [[one.text.lstrip("-").split()[0] for one in commands([("/x", text)])] for text in documents]
    for text, run, ours in zip(documents, asked(compute, UNITS, documents), wanted):
        assert run == ours or " ; " in text or "\\;" in text, text


def test_systemd_reads_sysctl_files_as_we_do(compute):
    drawn_ = drawn(texts(SYSCTL, st.sampled_from(["0", "1", "2", "2 # loose", "", "many"])), 60)
    documents = [text.replace("eth1", "lo").replace("eth?", "l?") for text in drawn_]
    names = [f"net/ipv4/conf/{name}/rp_filter" for name in ("all", "default", "lo")]
    for text, found in zip(documents, asked(compute, SYSCTLS, documents)):
        said = sysctl({"/x": text}, names)
        numbers = [said.get(name, "0").split(" ")[0] for name in names]
        assert [number if number in "012" and number else "0" for number in numbers] == found, text


@pytest.fixture
def nas(storage, compute):
    """A target with capitals in its name, as appliances have it: everybody may log in, and it has no LUN."""
    portal = portals_of(storage)[0]
    storage.run(
        f"modprobe iscsi_target_mod; mkdir -p {LIO}/tpgt_1/np/{portal}:3260; cd {LIO}/tpgt_1;"
        " echo 0 >attrib/authentication; echo 1 >attrib/generate_node_acls; echo 1 >enable"
    )
    yield portal
    compute.module("nodes", nodes=[{"target": NAS, "state": "absent"}])
    storage.run(f"cd /; echo 0 >{LIO}/tpgt_1/enable; rmdir {LIO}/tpgt_1/np/* {LIO}/tpgt_1 {LIO}")


def test_a_target_with_capitals_in_its_name_is_used_under_its_name(compute, storage, nas):
    node = {"target": NAS.lower(), "portals": [nas]}
    compute.run("systemctl start iscsid.service")
    root = compute.run("test -d /var/lib/iscsi && echo /var/lib/iscsi || echo /etc/iscsi").out.strip()
    old = f"{root}/nodes/{NAS.lower()}/{nas},3260,1/default"
    text = (
        f"node.name = {NAS.lower()}\nnode.tpgt = 1\nnode.conn[0].address = {nas}\nnode.conn[0].port = 3260\n"
    )
    compute.write(
        old, f"# BEGIN RECORD 2.1.8\n{text}# END RECORD\n", 0o600
    )  # as earlier versions of ours wrote it
    ran = converges(compute, "nodes", {"nodes": [{**node, "logged_in": True}]})
    assert f"Log in to '{NAS}' at {nas}:3260" in ran["steps"]
    assert NAS in compute.run("cat /sys/class/iscsi_session/*/targetname").out.split()
    converges(compute, "nodes", {"nodes": [{"target": NAS, "state": "absent"}]})
    assert NAS.lower() not in compute.run(f"ls {root}/nodes", check=False).out.lower()
    found = succeeded(compute, compute.module("discovery", portals=[nas]))
    assert NAS in [one["target"] for one in found["state"]["targets"]]
    assert succeeded(compute, compute.module("nodes", nodes=[{**node, "logged_in": True}]))["changed"]
    succeeded(compute, compute.module("discovery", portals=[nas], state="absent"))


def test_a_login_without_an_igroup_is_told_so(compute, storage, nas):
    """The portal tells its targets to everybody (demo_mode_discovery), and lets nobody in."""
    storage.run(
        f"echo 0 >{LIO}/tpgt_1/attrib/generate_node_acls; echo 1 >{LIO}/tpgt_1/attrib/demo_mode_discovery"
    )
    result = compute.module("nodes", nodes=[{"target": NAS, "portals": [nas], "logged_in": True}])
    assert result.get("failed") and "does not let this initiator in" in result["msg"], result
    assert "This host is 'iqn." in result["msg"] and "in time" not in result["msg"]


def test_the_login_unit_of_somebody_else_is_left_alone(compute):
    place = "/etc/systemd/system/open-iscsi.service.d"
    shell = '/bin/sh -c "sleep 1; /sbin/iscsiadm -m node --loginall=automatic"'
    try:
        for name, command in (
            ("00-wait", shell),
            ("override", "/sbin/iscsiadm -m node --loginall=automatic"),
        ):
            compute.write(f"{place}/{name}.conf", f"[Service]\nExecStart=\nExecStart={command}\n")
            result = compute.module("login_unit", wait=False)
            assert f"'{place}/{name}.conf' makes it run '{command}'" in result["msg"], result
            assert compute.run(f"ls {place}").out.split() == [f"{name}.conf"]
            compute.run(f"rm {place}/{name}.conf")
        compute.run("systemctl mask open-iscsi.service iscsid.service")
        name = f"{initiator_of(compute)}x"
        assert "iscsid.service is masked" in compute.module("initiator_name", name=name)["msg"]
        assert name not in compute.read("/etc/iscsi/initiatorname.iscsi")
        assert "'open-iscsi.service' is masked" in compute.module("login_unit", enabled=True)["msg"]
    finally:
        compute.run(
            f"systemctl unmask open-iscsi.service iscsid.service; rm -rf {place}; systemctl daemon-reload"
        )
