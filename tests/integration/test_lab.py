# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: its verbs do what they say, labs do not touch each other, and nothing is left of one."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import console as uml_console
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import host as uml_host
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import image as uml_image
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import kernel as uml_kernel
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import lab as uml_lab
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import network as uml_network
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.controller import NETNS, Controller, Lab
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.host import lab_host
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.kernel import CURRENT
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.lab import Wanted
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.mirror import Source, debian_source
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.ssh import ssh
from ansible_collections.lunworks.iscsi.tests.integration.harness import locally

COLLECTIONS = Path(__file__).absolute().parents[2] / ".cache/collections"
CACHE = uml_image.cache_directory()
ONE = Wanted(
    [uml_network.network_of("management", "10.77.0.0/24")],
    [lab_host(name="one", number=1, memory=256, disks=[64 << 20], networks=["management"])],
)
NONE = Wanted(ONE.networks, [])


@pytest.fixture
def controller():
    return Controller()


@pytest.fixture
def place(controller, tmp_path_factory):
    """Labs in a directory of their own, taken down whatever the test leaves."""
    root = f"/var/tmp/lunworks-lab-{os.getpid()}"
    yield lambda name: Lab(f"{name}-{os.getpid()}", root)
    for name in controller.list(root):
        uml_lab.down(controller, Lab(name, root))


def left(controller, lab):
    """What there still is of a lab."""
    things = [lab.directory, f"{NETNS}/{lab.namespace}"]
    return [thing for thing in things if controller.stat(thing)] + controller.processes(lab)


def state(controller, lab):
    """All that can change in a lab by a module: files, hosts, devices, kernels that run."""
    files = controller.run("find", lab.directory, "-type", "f", "-not", "-name", "*.log", ok=None).out
    devices = uml_network.devices(controller, lab, "link", "show")
    links = [(one["ifname"], one.get("master"), "UP" in one["flags"]) for one in devices]
    running = {one.session for one in controller.processes(lab)}
    return files, uml_host.look_hosts(controller, lab), links, running


def pings(host, address, count=1):
    return host.run(f"ping -c {count} -W 1 {address}", check=False, timeout=20 + count).rc == 0


def milliseconds(host, address):
    """The round trip in the middle of five."""
    said = host.run(f"ping -c 5 -i 0.2 {address}").out
    times = sorted(float(word[5:]) for word in said.split() if word.startswith("time="))
    return times[len(times) // 2]


def test_a_power_cut_kills_the_host_and_keeps_its_disk(lab, compute):
    compute.run("echo kept > /root/kept && sync && echo lost > /run/lost")
    first = compute.read("/proc/sys/kernel/random/boot_id")
    lab.power_cut(compute)
    assert compute.run("true", check=False, timeout=60).rc == 255
    assert not uml_host.look_hosts(lab.controller, lab.place)[compute.name].powered_on
    lab.boot(compute)
    assert compute.read("/root/kept") == "kept\n"
    assert compute.run("test -e /run/lost", check=False).rc == 1
    assert compute.read("/proc/sys/kernel/random/boot_id") != first


def test_a_fresh_host_has_forgotten_everything(lab, storage):
    storage.run("touch /root/trace && echo data | dd of=/dev/ubdb conv=fsync status=none")
    name = storage.read("/etc/iscsi/initiatorname.iscsi")
    lab.fresh(storage)
    assert storage.run("test -e /root/trace", check=False).rc == 1
    assert storage.run("head -c 4 /dev/ubdb | tr -d '\\0' | wc -c").out.strip() == "0"
    assert storage.read("/etc/iscsi/initiatorname.iscsi") == name, (
        "a host keeps its name, as after an installation"
    )


def test_a_reboot_is_orderly(lab, compute):
    compute.run("echo kept > /root/kept")  # not synced: an orderly shutdown does that
    lab.reboot(compute)
    assert compute.read("/root/kept") == "kept\n"


@pytest.mark.parametrize("version", [4, 6])
def test_one_network_is_cut_and_healed_and_the_others_go_on(lab, storage, compute, version):
    there = {network: storage.address(network, version) for network in ("san1", "san2")}
    lab.link(compute, "san1", up=False)
    try:
        assert not pings(compute, there["san1"])
        assert pings(compute, there["san2"], count=5)
        # The card's queues fill up meanwhile: what is sent into a cut network must not break it for later.
        for end, other in ((compute, there["san1"]), (storage, compute.address("san1", version))):
            end.run(f"ping -q -c 500 -i 0.002 -w 3 -s 1400 {other}", check=False)
    finally:
        lab.link(compute, "san1", up=True)
    assert pings(compute, there["san1"], count=5)


def test_a_network_becomes_slow_and_fast_again(lab, storage, compute):
    fast = milliseconds(compute, storage.address("san1"))
    lab.delay(compute, "san1", 100)
    try:
        assert milliseconds(compute, storage.address("san1")) > fast + 80
        assert milliseconds(compute, storage.address("san2")) < fast + 80
    finally:
        lab.delay(compute, "san1")
    assert milliseconds(compute, storage.address("san1")) < fast + 80


def test_what_a_network_loses_is_lost(lab, storage, compute):
    lab.delay(compute, "san2", loss=100)
    try:
        assert not pings(compute, storage.address("san2"))
    finally:
        lab.delay(compute, "san2")
    assert pings(compute, storage.address("san2"), count=3)


def boot_id(controller, lab):
    return controller.run(*ssh(lab, "one"), "cat /proc/sys/kernel/random/boot_id").out


def test_two_labs_with_the_same_addresses_run_side_by_side_and_stay_as_they_are(controller, place):
    left_lab, right_lab = place("left"), place("right")
    for lab in (left_lab, right_lab):
        uml_lab.up(controller, lab, ONE, CACHE)
    ids = [boot_id(controller, lab) for lab in (left_lab, right_lab)]
    assert ids[0] != ids[1]
    uml_lab.up(controller, right_lab, ONE, CACHE)
    other = Wanted(ONE.networks, [lab_host(name="one", number=1, memory=512, networks=["management"])])
    with pytest.raises(Problem, match="made with memory 256.*; memory 512"):
        uml_lab.up(controller, right_lab, other, CACHE)
    uml_lab.down(controller, left_lab)
    assert left(controller, left_lab) == []
    assert boot_id(controller, right_lab) == ids[1]
    uml_lab.down(controller, right_lab)
    assert left(controller, right_lab) == []
    assert controller.stat(right_lab.root) is None, "with the last lab its directory is gone"


def test_the_lab_of_a_killed_run_is_cleaned_up_by_the_next_one(controller, place):
    stale = place("stale")
    program = f"""
import os, signal
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import host as uml_host
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import lab as uml_lab
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import network as uml_network
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.controller import Controller, Lab
host = uml_host.lab_host(name="one", number=1, memory=256, networks=["management"])
networks = [uml_network.network_of("management", "10.77.0.0/24")]
wanted = uml_lab.Wanted(networks, [host])
uml_lab.wait_for_host = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
uml_lab.up(Controller(), Lab({stale.name!r}, {stale.root!r}), wanted, {CACHE!r}, os.getpid())
"""
    killed = subprocess.run(
        [sys.executable, "-c", program], check=False, env={**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    )
    assert killed.returncode == -9
    assert controller.processes(stale), "the host of the killed run goes on"
    uml_lab.up(controller, place("next"), NONE, CACHE)
    assert left(controller, stale) == []


def test_a_lab_that_a_restart_of_the_machine_left_is_recreated(controller, place):
    lab, made = place("left"), uml_lab.Wanted([uml_network.network_of("san1", "10.77.1.0/24")], [])
    uml_lab.up(controller, lab, made, CACHE)
    for again in (made, None):
        controller.run("umount", "--lazy", f"{NETNS}/{lab.namespace}")  # its entry in /run/netns stays
        assert uml_network.look_networks(controller, lab) == {}
        if again:
            uml_lab.up(controller, lab, again, CACHE)
            assert list(uml_network.look_networks(controller, lab)) == ["san1"]
    uml_lab.down(controller, lab)
    assert left(controller, lab) == []


def test_a_lab_of_a_process_that_lives_is_nobody_elses(controller, place):
    lab = place("owned")
    uml_lab.up(controller, lab, NONE, CACHE, owner=os.getppid())
    with pytest.raises(Problem, match=f"belongs to process {os.getppid()}"):
        uml_lab.up(controller, lab, NONE, CACHE, owner=os.getpid())


def powered(controller, lab, kernel, image=None):
    """A host that nobody waits for: of a kernel, on an image that has no root file system or on one that does."""
    uml_lab.up(controller, lab, NONE, CACHE)
    networks = uml_network.look_networks(controller, lab)
    if image is None:
        image = f"{lab.directory}/no-root.img"
        controller.run("truncate", "--size=16M", image)
    uml_host.make_host(controller, lab, ONE.hosts[0], f"{CACHE}/key.img", kernel.program, networks)
    uml_host.power_on(controller, lab, uml_host.Seen(ONE.hosts[0], image, kernel.program), networks)


def test_a_kernel_that_panics_is_told_at_once_in_its_own_words(controller, place):
    lab, begun = place("broken"), time.monotonic()
    powered(controller, lab, uml_kernel.provide_kernel(controller, CURRENT, CACHE))
    with pytest.raises(
        Problem, match="'one'.*panicked: 'Kernel panic - not syncing: VFS: Unable to mount root"
    ):
        uml_host.wait_for_host(controller, lab, "one")
    assert time.monotonic() - begun < 60, "a host that is dead is not waited for"
    assert f"{lab.host_directory('one')}/console.log" in uml_console.obituary(controller, lab, "one", "")


def test_a_host_that_does_not_answer_ends_in_bounded_time_and_shows_its_console(controller, place):
    lab = place("silent")
    kernel = uml_kernel.provide_kernel(controller, CURRENT, CACHE)
    image = uml_image.make_image(controller, "bookworm", CACHE, kernel)
    powered(controller, lab, kernel, image.path)
    with pytest.raises(
        Problem, match=r"(?s)did not answer over ssh.*within 1 seconds.*last lines of its console \("
    ):
        uml_host.wait_for_host(controller, lab, "one", 1)


def test_an_old_kernel_on_a_new_cpu_is_refused_and_panics_if_it_is_started_all_the_same(controller, place):
    own = uml_kernel.look_own(controller)
    if own is None or not uml_kernel.boot_blocked_by(controller, own):
        pytest.skip("this machine has no kernel of its own, or one that boots on its CPU")
    lab, old = place("old"), lab_host(name="one", number=1, kernel=own.program, networks=["management"])
    with pytest.raises(Problem, match="panics on a CPU with AMX.*Set 'kernel: current'"):
        uml_lab.up(controller, lab, Wanted(ONE.networks, [old]), CACHE)
    assert left(controller, lab) == [], "it is said before anything is made"
    image = uml_image.make_image(
        controller, "bookworm", CACHE, uml_kernel.provide_kernel(controller, CURRENT, CACHE)
    )
    powered(controller, lab, own, image.path)
    with pytest.raises(Problem, match="panicked: .*Make the host with 'kernel: current'"):
        uml_host.wait_for_host(controller, lab, "one")


class Mirror(http.server.BaseHTTPRequestHandler):
    """A mirror that answers everything with a text that nobody signed."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Origin: Debian\nSuite: testing\n")

    def log_message(self, *_words):
        pass


@pytest.fixture
def forger():
    """The address of a mirror whose files are not signed."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/debian"
    server.shutdown()


@pytest.fixture
def small(controller, tmp_path_factory):
    """A file system of 8 MiB."""
    place = str(tmp_path_factory.mktemp("small"))
    controller.run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place)
    yield place
    controller.run("umount", place)


def kept(controller, cache):
    """What a failure left in a cache, but for the directories that are locks and the labs' key pair."""
    found = controller.run("find", cache, "-mindepth", "2", ok=None).out.splitlines()
    return [path for path in found if "/making/" not in path]


def test_a_kernel_that_cannot_be_fetched_leaves_nothing_behind(
    controller, tmp_path, forger, small, monkeypatch
):
    silent, own = "http://127.0.0.1:9/debian", debian_source(controller).mirror
    for mirror, cache, room, said in (
        (
            silent,
            tmp_path / "away",
            None,
            "Cannot fetch the lab's kernel from http://127.0.0.1:9.*Could not connect",
        ),
        (forger, tmp_path / "forged", None, "Cannot fetch the lab's kernel.*(not signed|isn't valid)"),
        (own, small, None, "takes 400 MiB in '.*'; [0-9] MiB are free there. Make room"),
        (own, small, 0, "Cannot fetch the lab's kernel.*(No space left|enough free space)"),
    ):
        monkeypatch.setattr(uml_kernel, "debian_source", lambda _host, mirror=mirror: Source(mirror))
        monkeypatch.setattr(uml_kernel, "ROOM", 400 << 20 if room is None else room)
        with pytest.raises(Problem, match=said):
            uml_kernel.provide_kernel(controller, CURRENT, str(cache))
        assert kept(controller, str(cache)) == []


def test_an_image_that_cannot_be_made_leaves_nothing_behind(controller, tmp_path, forger, small, monkeypatch):
    kernel = uml_kernel.provide_kernel(controller, CURRENT, CACHE)
    monkeypatch.setattr(uml_image, "debian_source", lambda _host: Source(forger))
    for cache, said in (
        (tmp_path / "forged", "Cannot make the image of trixie with packages from http.*: mmdebstrap ended"),
        (small, "Making the image of trixie takes 1400 MiB in '.*'; [0-9] MiB are free"),
    ):
        with pytest.raises(Problem, match=said):
            uml_image.make_image(controller, "trixie", str(cache), kernel)
        assert kept(controller, str(cache)) == []


def test_a_file_that_is_no_kernel_is_refused(controller):
    for path in ("/bin/true", "/etc/hostname", "/nowhere/linux"):
        with pytest.raises(Problem, match=f"'{path}' is not a User Mode Linux kernel"):
            uml_kernel.provide_kernel(controller, path, CACHE)


def test_the_modules_make_boot_cut_and_remove_a_host(controller, place):
    lab = place("modules")
    at = {"lab": lab.name, "directory": lab.root}
    made = {**at, "name": "one", "number": 1, "memory": 256, "disks": ["64m"], "networks": ["san1"]}
    story = [
        (
            "lab_network",
            {**at, "name": "san1", "ipv4": "10.77.1.0/24", "ipv6": "fd77:1::/64"},
            ["Make the network"],
        ),
        ("lab_host", made, ["Make the host", "Power on", "Wait until"]),
        (
            "lab_link",
            {**at, "host": "one", "network": "san1", "delay": 20, "loss": 0.5},
            ["Make packets"],
        ),
        ("lab_link", {**at, "host": "one", "network": "san1", "delay": 0, "loss": 0}, ["Make packets"]),
        ("lab_link", {**at, "host": "one", "network": "san1", "up": False}, ["Cut 'one' off"]),
        ("lab_link", {**at, "host": "one", "network": "san1", "up": True}, ["Connect 'one' to"]),
        (
            "lab_host",
            {**at, "name": "one", "state": "stopped", "power_cut": True},
            ["Cut the power of 'one'"],
        ),
        ("lab_host", {**at, "name": "one", "state": "absent"}, ["Remove the host 'one'"]),
        ("lab_network", {**at, "name": "san1", "state": "absent"}, ["Remove the network 'san1'"]),
        ("lab_network", {**at, "name": "other", "ipv4": "10.77.2.0/24"}, ["Make the network"]),
        ("lab_network", {**at, "state": "absent"}, [f"Remove the lab '{lab.name}', its networks other"]),
    ]
    for module, options, sentences in story:
        before = state(controller, lab)
        checked = locally(module, check=True, **options)
        assert before == state(controller, lab), f"the check of {module} changed something"
        ran = locally(module, **options)
        assert len(ran["steps"]) == len(sentences), ran
        assert all(step.startswith(part) for step, part in zip(ran["steps"], sentences)), ran
        assert checked["changed"] and ran["changed"] and ran["steps"] == checked["steps"]
        assert not locally(module, check=True, **options)["changed"]
        assert not locally(module, **options)["changed"]
    assert left(controller, lab) == []


def test_the_modules_refuse_what_would_hurt_or_cannot_be(controller, place):
    lab = place("refusals")
    at = {"lab": lab.name, "directory": lab.root}
    network = {**at, "name": "san1", "ipv4": "10.77.1.0/24"}
    host = {**at, "name": "one", "number": 1, "networks": ["san1"], "state": "stopped"}
    locally("lab_network", **network)
    locally("lab_host", **host)
    refusals = [
        ("lab_network", {**network, "state": "absent"}, "on it are one"),
        ("lab_network", {**network, "ipv4": "10.88.1.0/24"}, "on it are one"),
        ("lab_network", {**at, "state": "absent"}, "it has the hosts one"),
        (
            "lab_host",
            {**at, "name": "two", "number": 2, "networks": ["san1"], "kernel": "/bin/true"},
            "not a User Mode",
        ),
        ("lab_network", {**network, "name": "a-name-that-is-long"}, "is not a name for a network"),
        ("lab_network", {**network, "name": "san2", "ipv4": "10.77.2.1/24"}, "has host bits set"),
        ("lab_network", {**network, "name": "san2", "ipv4": "10.77.2.0/28"}, "of a /24"),
        ("lab_host", {**host, "memory": 512}, "made with memory 384; memory 512"),
        ("lab_host", {**at, "name": "two"}, "give its number and its networks"),
        ("lab_host", {**host, "name": "two"}, "has the number 1, which is that of 'one'"),
        ("lab_host", {**host, "name": "two", "number": 2, "networks": ["san9"]}, "which the lab"),
        ("lab_host", {**host, "name": "Two", "number": 2}, "is not a name for a host"),
        ("lab_host", {**host, "name": "two", "number": 201}, "not between 1 and 200"),
        ("lab_host", {**host, "name": "two", "number": 2, "disks": ["4x"]}, "'4x' is not a size"),
        ("lab_link", {**at, "host": "two", "network": "san1", "up": False}, "has no host 'two'; it has: one"),
        ("lab_link", {**at, "host": "one", "network": "san2", "up": False}, "is not on a network 'san2'"),
        ("lab_image", {"suite": "bookworm", "state": "absent", "directory": lab.root}, "it is used by 'one'"),
    ]
    for module, options, message in refusals:
        result = locally(module, **options)
        assert result.get("failed") and message in result["msg"], (module, options, result)
        assert "Traceback" not in str(result)
