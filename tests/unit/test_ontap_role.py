# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role ontap by Ansible itself, with netapp.ontap, on the double of the API; what it plans is tested in test_ontap_plan.py.

The one compute host is a port of this machine on which nobody listens: what it would be asked to do is seen up to there.
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.tests.unit.ontap_double import PASSWORD, Filer
from ansible_collections.lunworks.iscsi.tests.unit.playing import need_collection, run_playbook

A = "iqn.2026-01.com.example:db-a"
SECRET, NEW = "a secret of sixteen", "a new secret of it"
LONG = "x" * 200  # longer than ONTAP takes it
SILENT = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}


def other_lun(number):
    """A LUN of somebody else."""
    name = f"/vol/san/other{number}"
    return {"name": name, "uuid": name, "serial_number": f"other{number:07d}", "space": {"size": 1 << 30}}


@pytest.fixture(name="filer", scope="module")
def new_filer(tmp_path_factory):
    need_collection("netapp.ontap")
    filer = Filer(tmp_path_factory.mktemp("filer"))
    filer.cluster.add_svm("svm1")
    filer.cluster.add_svm("svm2")
    for number in range(1100):  # more than a page
        filer.cluster.add("storage/luns", "svm1", **other_lun(number))
    yield filer
    filer.close()


def svm(filer, name, chap):
    """What the inventory says of an SVM."""
    target = {
        "name": filer.cluster.target_of(name),
        "portals": ["10.77.1.21"],
        "luns": [{"name": "db0", "size": "1g", "number": 3}],
        "igroups": [{"name": "db-a", "initiators": [A], "luns": ["db0"], "chap": chap}],
    }
    return {**filer.variables, "target_provider": "ontap", "ontap_volume": "san", "target_targets": [target]}


def inventory(filer, secret):
    name, chap = filer.cluster.target_of("svm1"), {"user": "db", "secret": secret}
    host = {
        **SILENT,
        "initiator_name": A,
        "initiator_nodes": [{"target": name, "portals": ["10.77.1.21"], "chap": chap}],
        "volume_groups": [{"name": "vg_db", "luns": [{"target": name, "name": "db0"}]}],
    }
    return {
        "storage": {"hosts": {"svm1": svm(filer, "svm1", chap)}},
        "compute": {"hosts": {"db-a": host}},
        "others": {"hosts": {"svm2": svm(filer, "svm2", {**chap, "secret": LONG})}},
    }


def run(tmp_path, filer, *arguments, secret=SECRET):
    (tmp_path / "hosts.json").write_text(json.dumps(inventory(filer, secret)))
    ran = run_playbook(tmp_path, "-i", str(tmp_path / "hosts.json"), *arguments, seconds=900)
    assert not any(text in ran.stdout for text in (SECRET, NEW, LONG, PASSWORD))
    return ran


def role(tmp_path, hosts, *plays):
    """A playbook that runs the role on hosts, before these plays."""
    play = {"hosts": hosts, "gather_facts": False, "roles": ["lunworks.iscsi.ontap"]}
    (tmp_path / "play.yml").write_text(json.dumps([play, *plays]))
    return str(tmp_path / "play.yml")


def recap(ran, host):
    (line,) = (line for line in ran.stdout.splitlines() if line.startswith(f"{host} "))
    return line.split(":", 1)[1]


def test_a_check_run_tells_the_steps_and_changes_nothing(tmp_path, filer):
    ran = run(tmp_path, filer, "lunworks.iscsi.site", "--check")
    assert ran.returncode == 0, ran.stdout
    assert "Map the LUN '/vol/san/db0' to the igroup 'db-a' as LUN 3." in ran.stdout
    assert "changed=1" in recap(ran, "svm1") and "changed=0" in recap(ran, "db-a")
    assert filer.cluster.calls == []


@pytest.fixture(name="converged", scope="module")
def converged_once(tmp_path_factory, filer):
    """The output of the role on two SVMs, the second of which fails, and of site after that."""
    book = role(tmp_path_factory.mktemp("book"), "svm1:svm2", {"import_playbook": "lunworks.iscsi.site"})
    ran = run(tmp_path_factory.mktemp("site"), filer, book, "-v")
    first, _again, site = ran.stdout.partition("PLAY [The inventory is right]")
    return first, site


def test_all_of_it_is_created(filer, converged):
    first, _site = converged
    assert [call[:2] for call in filer.cluster.calls if "svm2" not in str(call)] == [
        ("POST", "protocols/san/iscsi/credentials"),
        ("POST", "storage/luns"),
        ("POST", "protocols/san/igroups"),
        ("POST", "protocols/san/lun-maps"),
    ], first
    assert filer.cluster.secrets["svm1", A, "inbound"] == SECRET


def test_the_host_gets_the_wwid_in_the_same_run(filer, converged):
    _first, site = converged
    assert "fatal: [db-a]: UNREACHABLE!" in site and "fatal: [svm1]" not in site
    lun = filer.cluster.of("storage/luns", "svm1")[-1]
    named = site.split("TASK [LUNs of arrays are named by them]")[1].split("TASK [")[0]
    assert f'"wwid": "3600a0980{lun["serial_number"].encode().hex()}"' in named


def test_a_second_run_changes_nothing(converged):
    _first, site = converged
    assert "The SVM has all that the data says." in site and "changed: [svm1" not in site


def test_credentials_that_ontap_does_not_take_stop_the_run_before_anybody_has_access(filer, converged):
    first, _site = converged
    assert f"did not do this: Require CHAP of '{A}', as 'db'. ONTAP's errors: 5374900" in first
    assert filer.cluster.of("storage/luns", "svm2") == filer.cluster.of("protocols/san/igroups", "svm2") == []


@pytest.mark.usefixtures("converged")
def test_rotate_chap_writes_the_new_secret_of_the_same_user(tmp_path, filer):
    before = len(filer.cluster.calls)
    ran = run(tmp_path, filer, "lunworks.iscsi.rotate_chap", secret=NEW)
    assert "failed=0" in recap(ran, "svm1"), ran.stdout
    assert [call[0] for call in filer.cluster.calls[before:]] == ["PATCH"]
    assert filer.cluster.secrets["svm1", A, "inbound"] == NEW
    assert "The records have the new secrets" in ran.stdout


def test_without_netapp_ontap_the_role_says_how_to_install_it(tmp_path, filer, monkeypatch):
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_SCAN_SYS_PATH", "false")
    before = list(filer.cluster.calls)
    ran = run(tmp_path, filer, role(tmp_path, "svm1"))
    assert ran.returncode and "ansible-galaxy collection install netapp.ontap" in ran.stdout
    assert filer.cluster.calls == before
