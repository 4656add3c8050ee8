# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SAN that somebody made by hand, in use, is written down as data, and site.yml agrees with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.lunworks.iscsi.tests.integration import by_hand
from ansible_collections.lunworks.iscsi.tests.integration.harness import same, settled
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import ENVIRONMENT, Played, heard

ADOPT, SITE = "lunworks.iscsi.adopt", "lunworks.iscsi.site"
FOUND = ("the data cannot say", "is dangerous", "needs a decision", "site.yml will still change, and why")
# What changes without a sentence of its own.
DAEMON = "lunworks.iscsi.multipath : The daemon runs now and after every boot"


def ran(lab, playbook, *options, hosts, place) -> Played:
    """A playbook that must succeed, on these hosts, with nothing of the test SAN's own data."""
    program = str(Path(sys.executable).parent / "ansible-playbook")
    inventories = [word for host in hosts for word in ("-i", f"{lab.inventory}/{host.name}.json")]
    done = subprocess.run(
        [program, *inventories, *options, playbook],
        cwd=place,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    told = heard(done.returncode, done.stdout)
    assert told.rc == 0, told.messages() or told.output
    return told


def lists(told: Played) -> list[str]:
    """What adopt said to people, a text for each list."""
    said = {task: result["msg"] for _host, task, result in told.results if "msg" in result}
    return [
        "\n".join([text] if isinstance(text, str) else text)
        for text in (said[f"What {name}"] for name in FOUND)
    ]


def texts(place: Path) -> dict[str, str]:
    return {str(file.relative_to(place)): file.read_text() for file in place.rglob("*") if file.is_file()}


@pytest.fixture
def wwids(lab, storage, compute):
    """Both hosts as a person has set them up."""
    lab.fresh(storage, compute)
    yield by_hand.make(storage, compute)
    lab.fresh(storage, compute)


def test_what_was_made_by_hand_becomes_data_that_site_agrees_with(lab, storage, compute, wwids, tmp_path):
    hosts, place = [storage, compute], tmp_path / "adopted"
    nic = by_hand.loosen(compute)
    before = {host.name: host.fingerprint() for host in hosts}
    told = ran(lab, ADOPT, hosts=hosts, place=tmp_path)
    for host in hosts:
        same(before[host.name], host.fingerprint(), f"adopt.yml on {host.name}")
    cannot, dangerous, decisions, changes = lists(told)
    assert cannot == "Nothing."
    for danger in (
        "'/srv/logs' ('/dev/mapper/logs') without _netdev",
        "has one path",
    ):
        assert danger in dangerous
    assert "Put 'vault_chap_hand_secret' into a vault" in decisions
    for secret in (by_hand.SECRET, by_hand.SCOUT):
        assert secret not in "".join(texts(place).values()) + told.output
    own = yaml.safe_load((place / f"host_vars/{compute.name}.yml").read_text())
    scout = {"user": "scout", "secret": "{{ vault_chap_scout_secret }}"}
    asked = [storage.address(network) for network in ("san1", "san2")]
    assert own["initiator_discovery"] == [{"portals": asked, "chap": scout}]
    assert own["initiator_rp_filter_interfaces"] == [nic]
    served = yaml.safe_load((place / f"host_vars/{storage.name}.yml").read_text())
    assert served["target_discovery_chap"] == scout
    assert own["multipath_aliases"] == [{"wwid": wwids["logs"], "alias": "logs"}]
    assert [one["luns"] for one in own["volume_groups"]] == [[{"wwid": wwids["data"]}]]
    compute.write("/run/writer.py", by_hand.WRITER)
    compute.run("rm -f /run/enough; setsid python3 /run/writer.py >/run/wrote 2>&1 </dev/null &")
    secrets = {"vault_chap_hand_secret": by_hand.SECRET, "vault_chap_scout_secret": by_hand.SCOUT}
    data = ("-i", str(place), "-e", json.dumps(secrets))
    checked = ran(lab, SITE, *data, "--check", "--diff", hosts=hosts, place=tmp_path)
    changed = checked.changed()
    assert changed.pop((compute.name, DAEMON)) == [] and f"'{compute.name}': enable multipathd" in changes
    steps = [f"'{host}': {step}" for (host, _task), many in changed.items() for step in many]
    assert [step for step in steps if step not in changes] == []
    assert len(steps) + 1 == len(changes.splitlines())
    ran(lab, SITE, *data, hosts=hosts, place=tmp_path)
    assert ran(lab, SITE, *data, "--check", "--diff", hosts=hosts, place=tmp_path).changed() == {}
    compute.run("touch /run/enough")
    settled(compute, "! pgrep -f [w]riter.py", 30)
    number, worst = compute.read("/run/wrote").split()
    assert int(number) > 50 and float(worst) < 3, compute.read("/run/wrote")
    # A file that is there stays, whatever it says.
    mine = place / f"host_vars/{storage.name}.yml"
    mine.write_text("target_targets: []  # of mine\n")
    kept = texts(place)
    again = ran(lab, ADOPT, "--limit", storage.name, hosts=hosts, place=tmp_path)
    assert texts(place) == kept
    assert "-target_targets: []  # of mine" in again.output or '"before": "target_targets: []' in again.output


@pytest.fixture
def by_tgt(lab, storage):
    """A storage host with tgt as a person has set it up."""
    lab.fresh(storage)
    by_hand.make_tgt(storage)
    yield storage
    lab.fresh(storage)


def test_targets_of_tgt_become_data_and_those_in_files_stay_there(lab, by_tgt, tmp_path):
    before, place = by_tgt.fingerprint(), tmp_path / "adopted"
    told = ran(lab, ADOPT, hosts=[by_tgt], place=tmp_path)
    same(before, by_tgt.fingerprint(), "adopt.yml on a host with tgt")
    cannot, dangerous, _decisions, changes = lists(told)
    assert (
        f"'{by_hand.FILED}' is defined in '{by_hand.FILE}'" in cannot
        and f"'{by_hand.FILE}' can have CHAP" in dangerous
    )
    assert by_hand.SECRET not in "".join(texts(place).values()) + told.output
    own = yaml.safe_load((place / f"host_vars/{by_tgt.name}.yml").read_text())
    assert own["target_provider"] == "tgt"
    (one,) = own["target_targets"]
    assert one["name"] == by_hand.LIVE and [group["initiators"] for group in one["igroups"]] == [
        [by_hand.INITIATOR]
    ]
    checked = ran(lab, SITE, "-i", str(place), "--check", "--diff", hosts=[by_tgt], place=tmp_path)
    steps = [f"'{host}': {step}" for (host, _task), many in checked.changed().items() for step in many]
    assert steps and [step for step in steps if step not in changes] == []


@pytest.mark.parametrize("provider", by_hand.OF_FILES)
def test_files_of_iet_and_netbsd_become_data_that_changes_no_byte(lab, storage, provider, tmp_path):
    lab.fresh(storage)
    by_hand.make_files(storage, provider)
    before, place = storage.fingerprint(), tmp_path / "adopted"
    named = ("-e", f"adopt_provider={provider}")
    told = ran(lab, ADOPT, *named, hosts=[storage], place=tmp_path)
    assert by_hand.SECRET not in "".join(texts(place).values()) + told.output
    own = yaml.safe_load((place / f"host_vars/{storage.name}.yml").read_text())
    assert own["target_provider"] == provider
    (one,) = own["target_targets"]
    (lun,) = one["luns"]
    assert (one["name"], lun["path"], lun["size"]) == (by_hand.FILED, "/srv/hand/filed.img", "32m")
    data = ("-i", str(place), "-e", f"vault_chap_hand_secret={by_hand.SECRET}")
    for options in (["--check", "--diff"], []):
        assert ran(lab, SITE, *data, *options, hosts=[storage], place=tmp_path).changed() == {}
        same(before, storage.fingerprint(), f"adopt.yml and site.yml {options} on a host with {provider}")
    lab.fresh(storage)
