# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that loses packets of more than 1300 bytes, between NICs that send 1500: logins succeed and data hangs.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    given,
    initiator_of,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import (
    converges,
    locally,
    refused,
    same,
    settled,
    succeeded,
)
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import play, played, reported

NAME, NETWORK = "narrow", "san2"
TARGET = f"{IQN}:{NAME}"
PLAYBOOK = """
- hosts: compute
  gather_facts: false
  roles: [lunworks.iscsi.{}]
"""
SAN2 = "[Match]\nName={}\n\n[Network]\nAddress={}/24\nAddress={}/64\nIPv6AcceptRA=no\n\n[Link]\nRequiredForOnline=no\n"
FILE = "/etc/systemd/network/20-san2.network"
DROP_IN = f"{FILE}.d/90-lunworks-mtu.conf"
READING = "grep -q '^ *[1-9]' /sys/block/sd*/inflight"


def forward(lab, mtu):
    """Let the network forward packets of this size at most."""
    network = lab.networks[NETWORK]
    options = {"name": NETWORK, "ipv4": network.ipv4, "ipv6": network.ipv6, "mtu": mtu}
    told = locally("lab_network", lab=lab.place.name, **options)
    assert not told.get("failed"), told


@pytest.fixture(scope="module")
def narrow(lab, storage, compute):
    """The network is narrow, and one target is reached through it; networkd configures its NIC on the compute host."""
    forward(lab, 1300)
    lab.fresh(storage, compute)
    nic = compute.run(f"ip -o addr show to {compute.address(NETWORK)}").out.split()[1]
    compute.write(FILE, SAN2.format(nic, compute.address(NETWORK), compute.address(NETWORK, 6)))
    compute.run("systemctl enable --now systemd-networkd.service")
    settled(compute, f"networkctl status {nic} | grep -q 'State: routable (configured)'")
    with given(storage, compute, target(NAME, storage, compute, portals=portals_of(storage))):
        try:
            yield nic
        finally:
            forward(lab, 1500)
    lab.fresh(storage, compute)


def portals_of(storage):
    return [storage.address(NETWORK), f"[{storage.address(NETWORK, 6)}]"]


@pytest.fixture
def role(lab, storage, compute, narrow, tmp_path):
    """The role with its data, as a user runs it."""

    def run(*options, name="initiator", ok=True, **more):
        path = tmp_path / f"{name}.yml"
        path.write_text(PLAYBOOK.format(name))
        nodes = [{"target": TARGET, "portals": portals_of(storage)[:1]}]
        data = {"initiator_name": initiator_of(compute), "initiator_nodes": nodes, **more}
        return (played if ok else play)(lab, str(path), *options, hosts=[compute], **data)

    return run


def reads_all(compute):
    """The whole disk is read past the cache."""
    compute.run("udevadm settle --timeout=30", timeout=60)
    device = compute.run(
        "ls -d /sys/class/iscsi_session/session*/device/target*/*/block/* | head -1"
    ).out.rpartition("/")[2]
    ran = compute.run(f"timeout 60 dd if=/dev/{device.strip()} of=/dev/null bs=1M iflag=direct", timeout=90)
    assert "67108864 bytes" in ran.err, ran.err


def test_a_login_succeeds_and_data_hangs_until_the_network_takes_what_the_nics_send(
    lab, storage, compute, narrow
):
    node = {"target": TARGET, "portals": portals_of(storage)[:1], "logged_in": False}
    succeeded(compute, compute.module("nodes", nodes=[node]))
    compute.run(f"setsid iscsiadm -m node -T {TARGET} -l >/run/login 2>&1 </dev/null &")
    settled(compute, "grep -qx LOGGED_IN /sys/class/iscsi_session/session*/state", 30)
    settled(compute, READING, 30)
    waited = compute.run(f'timeout 8 sh -c "while {READING}; do sleep 0.2; done"', check=False)
    assert waited.rc == 124, "the read came back, although its data does not fit through the network"
    forward(lab, 1500)
    settled(compute, f"! {READING}", 90)
    reads_all(compute)
    succeeded(compute, compute.module("nodes", nodes=[{**node, "state": "absent"}]))
    forward(lab, 1300)


def test_path_info_says_so_in_one_sentence_for_both_families(storage, compute, narrow):
    before = compute.fingerprint()
    ways = [{"portals": portals_of(storage)}, {"portals": [storage.address("san1")]}]
    told = succeeded(compute, compute.module("path_info", ways=ways))
    same(before, compute.fingerprint(), "path_info")
    (hanging,) = [one for one in told["faults"] if one["kind"] == "mtu_on_the_way"]
    four, six = sorted(f"{portal}:3260" for portal in portals_of(storage))
    assert hanging["text"] == (
        f"Packets of 1500 bytes, the MTU of '{narrow}', do not reach {four} and {six}; the largest that do have 1300 bytes: "
        "a login succeeds, and then data hangs."
    )
    found = {path["portal"]: (path["reachable"], path["largest"], path["fits"]) for path in told["paths"]}
    assert found[four] == found[six] == (True, 1300, False)
    # san1 has no portal of this target, so nothing is known of its MTU.
    assert found[f"{storage.address('san1')}:3260"] == (False, None, None)


def test_the_role_refuses_before_the_first_login_and_its_check_run_too(compute, narrow, role):
    before = compute.fingerprint()
    data = {"initiator_mtu": [{"nic": narrow, "mtu": 1500}]}
    for options in (["--check", "--diff"], []):
        ran = role(*options, ok=False, **data)
        assert ran.rc != 0
        assert f"Packets of 1500 bytes, the MTU of '{narrow}', do not reach" in ran.messages(), ran.messages()
        assert f"Set the MTU of '{narrow}' to 1300 (initiator_mtu)" in ran.messages()
        assert sessions(compute, NAME) == []
        if options:
            same(before, compute.fingerprint(), "the role's check run")
    assert compute.read(DROP_IN).endswith("[Link]\nMTUBytes=1500\n")


def test_with_the_mtu_of_the_way_it_works_and_a_second_run_changes_nothing(storage, compute, narrow, role):
    data = {"initiator_mtu": [{"nic": narrow, "mtu": 1300}]}
    others = compute.read(FILE)
    before = compute.fingerprint()
    checked = role("--check", "--diff", **data)
    same(before, compute.fingerprint(), "the role's check run")
    ran = role(**data)
    assert checked.changed() == ran.changed() != {}
    assert sessions(compute, NAME) == [f"{storage.address(NETWORK)}:3260"]
    reads_all(compute)
    after = compute.fingerprint()
    for options in (["--check", "--diff"], []):
        assert role(*options, **data).changed() == {}
    same(after, compute.fingerprint(), "the role's second run")
    assert (compute.read(FILE), compute.read(f"/sys/class/net/{narrow}/mtu")) == (others, "1300\n")


def test_sessions_keep_the_mtu_that_they_have_and_the_next_boot_is_prepared(compute, narrow):
    options = {"mtu": [{"nic": narrow, "mtu": 1400}]}
    told = succeeded(compute, compute.module("nic_mtu", **options))
    assert told["state"][narrow] == {
        "running": 1300,
        "at_boot": 1400,
        "configured_by": "systemd-networkd",
    }
    assert f"'{narrow}' keeps the MTU 1300 for now" in json.dumps(told["warnings"])
    assert not succeeded(compute, compute.module("nic_mtu", **options))["changed"]
    options = {"mtu": [{"nic": narrow, "mtu": 1300}]}
    assert succeeded(compute, compute.module("nic_mtu", **options))["changed"]
    reads_all(compute)


def test_it_is_the_same_after_a_reboot(lab, storage, compute, narrow, role):
    lab.reboot(compute)
    settled(compute, "grep -qx LOGGED_IN /sys/class/iscsi_session/session*/state", 60)
    assert compute.read(f"/sys/class/net/{narrow}/mtu") == "1300\n"
    reads_all(compute)
    assert role(initiator_mtu=[{"nic": narrow, "mtu": 1300}]).changed() == {}


def test_report_and_check_say_first_that_the_mtu_is_too_large(lab, storage, compute, narrow, role):
    wanted = [{"nic": narrow, "mtu": 1300}]
    data = {"volume_groups": [], "volume_filesystems": [], "monitoring_textfile_directory": ""}
    role(name="monitoring", initiator_mtu=wanted, **data)
    check = "/usr/local/sbin/check_san"
    assert compute.run(check).out.startswith("SAN OK - 1 of 1 session")
    compute.run(f"ip link set {narrow} mtu 1500")
    try:
        said = compute.run(check, check=False)
        lines = reported(lab, storage, compute, initiator_mtu=wanted)
    finally:
        compute.run(f"ip link set {narrow} mtu 1300; rm -rf {check} /etc/lunworks")
    assert said.rc == 1
    first = said.out.split("; ")[1]
    assert first.startswith(
        f"the NIC '{narrow}' has the MTU 1500 and must have 1300: run lunworks.iscsi.site"
    ), said
    assert lines[1].startswith(
        f"{compute.name}: Packets of 1500 bytes, the MTU of '{narrow}', do not reach"
    ), lines[:4]
    assert "data hangs. -> Set the MTU of" in lines[1]


def test_a_nic_that_nothing_configures_is_refused_with_the_line_to_write(compute, narrow):
    other = compute.run(f"ip -o addr show to {compute.address('san1')}").out.split()[1]
    said = f'ACTION=="add", SUBSYSTEM=="net", KERNEL=="{other}", ATTR{{mtu}}="1400"'
    refused(compute, "nic_mtu", said, mtu=[{"nic": other, "mtu": 1400}])
    refused(compute, "nic_mtu", "its card takes 1500 bytes at most", mtu=[{"nic": narrow, "mtu": 9000}])
    assert not succeeded(compute, compute.module("nic_mtu", mtu=[{"nic": other, "mtu": 1500}]))["changed"]


INTERFACES = """\
auto {nic}
iface {nic} inet static
    pre-up ip address flush dev {nic}
    address {address}/24
"""
PROFILE = """\
[connection]
id=san
type=ethernet
interface-name={nic}
[ipv4]
method=manual
address1={address}/24
[ipv6]
method=disabled
"""
# The lab itself has given the NIC its address already, and NetworkManager leaves alone what others have configured.
BARE = "[Service]\nExecStartPre=/usr/sbin/ip address flush dev {nic}\nExecStartPre=/usr/sbin/ip link set {nic} down\n"
CONFIGURED = {
    "ifupdown": ("networking.service", {"/etc/network/interfaces": INTERFACES}),
    "NetworkManager": (
        "NetworkManager.service",
        {
            "/etc/NetworkManager/conf.d/10-lab.conf": "[keyfile]\nunmanaged-devices=*,except:interface-name:{nic}\n",
            "/etc/NetworkManager/system-connections/san.nmconnection": PROFILE,
            "/etc/systemd/system/NetworkManager.service.d/lab.conf": BARE,
        },
    ),
}


@pytest.mark.parametrize("by", CONFIGURED)
def test_what_configures_the_nic_sets_it_at_boot_until_it_shall_not_any_more(lab, compute, narrow, role, by):
    address = compute.address("san1")
    nic = compute.run(f"ip -o addr show to {address}").out.split()[1]
    mtu, there = f"/sys/class/net/{nic}/mtu", f"ip -o addr show to {address} | grep -q ' {nic} '"
    unit, files = CONFIGURED[by]
    for path, text in files.items():
        compute.run(f"mkdir -p {path.rpartition('/')[0]}")
        compute.write(path, text.format(nic=nic, address=address))
        compute.run(f"chmod 600 {path}")
    compute.run(f"systemctl daemon-reload; systemctl enable --now {unit}", timeout=120)
    settled(compute, there, 60)
    wanted = [{"nic": nic, "mtu": 1400}]
    role(initiator_mtu=wanted)
    told = succeeded(compute, compute.module("nic_mtu", mtu=wanted))
    assert told["state"][nic] == {"running": 1400, "at_boot": 1400, "configured_by": by}
    lab.reboot(compute)
    settled(compute, there, 60)
    assert compute.run(f"systemctl is-active {unit}").out == "active\n"
    assert compute.read(mtu) == "1400\n"
    assert role(initiator_mtu=wanted).changed() == {}
    converges(compute, "nic_mtu", {"mtu": [{"nic": nic, "state": "absent"}]})
    assert compute.read(mtu) == "1400\n"
    lab.reboot(compute)
    settled(compute, there, 60)
    assert compute.read(mtu) == "1500\n"
    compute.run(f"systemctl disable {unit}; rm {' '.join(files)}")
