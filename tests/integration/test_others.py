# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A booted host with the files of others: what a check run of its description plans is known and explained, step by step.

tests/unit/others/SOURCE/expected.yml, 'site': a list of 'module', 'options' and either 'steps' or 'refused' (a part of the
message), each with 'why'. What the roles give to a module is written out there. Of 'volume_group_info' the answer is the same
as with the distribution's own lvm.conf, or the group is 'hidden'.
"""

from __future__ import annotations

import io
import re
import shlex
import tarfile
from pathlib import Path

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import same
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played
from ansible_collections.lunworks.iscsi.tests.unit.other_files import expected_of, files_of, sources

COMPUTE = [source for source in sources() if "site" in expected_of(source)]
LONG_AGO = 1_000_000_000  # no daemon is behind them
KEPT = "/root/before-others.tar"
GROUP, IMAGE = "vg_others", "/var/tmp/others.img"
DATABASE = "/var/lib/iscsi"
UNITS = "/etc/systemd/"
MADE = ("/etc/multipath/bindings", "/etc/multipath/wwids")  # by multipathd


@pytest.fixture(scope="module")
def standing(compute):
    """A host with a volume group of its own, daemons stopped; afterwards as it was."""
    before = state(compute)
    compute.run(f"truncate -s 64M {IMAGE} && vgcreate -q {GROUP} $(losetup -f --show {IMAGE})")
    compute.run("systemctl stop iscsid.service multipathd.service multipathd.socket")
    yield compute
    compute.run(
        f"vgremove -qfy {GROUP} && losetup -d $(losetup -nO NAME -j {IMAGE}) &&"
        f" rm -f {IMAGE} /etc/lvm/backup/{GROUP} /etc/lvm/archive/{GROUP}*"
    )
    same(before, state(compute), "The test")


def state(compute):
    """What the test must leave as it was; LVM's directory for backups and drivers stay, and daemons start when somebody asks."""
    seen = compute.fingerprint()
    return {
        section: text for section, text in seen.items() if section not in ("lvm files", "units", "modules")
    }


@pytest.fixture(scope="module")
def usual(standing):
    """What the volume groups are with the distribution's own lvm.conf."""
    return standing.module("volume_group_info")


@pytest.fixture
def lay(standing):
    """Files of others onto the host, and its own ones back."""
    paths, made, reload = [], [], "true"
    newer = not standing.run(f"test -d {DATABASE}", check=False).rc

    def put(source):
        nonlocal reload
        files = {moved(path) if newer else path: text for path, text in files_of(source).items()}
        paths.extend(sorted({*files, *MADE}))
        if any(path.startswith((UNITS, "/etc/fstab")) for path in paths):
            reload = "systemctl daemon-reload"
        started = "true"
        if "/etc/multipath.conf" in paths:
            started = (
                "systemctl reset-failed multipathd.service || true; systemctl restart multipathd.service"
            )
        told = standing.run(
            f"set -e; cd /; for place in {quoted(above(paths))}; do [ -d $place ] || echo $place; done;"
            f" tar -cf {KEPT} $(ls -d {quoted(paths)} 2>/dev/null || true) /dev/null 2>/dev/null;"
            f" tar -xz; {reload}; {started}",
            stdin=packed(files),
        )
        made.extend(told.out.split())

    yield put
    standing.run(
        f"set -e; systemctl stop multipathd.service multipathd.socket; cd /; rm -f {quoted(paths)};"
        f" tar -xpf {KEPT} --exclude=dev/null; rm {KEPT}; {reload}; rmdir {quoted(made[::-1])} 2>/dev/null || true"
    )


def quoted(paths):
    return " ".join(map(shlex.quote, paths))


def above(paths):
    """All directories that these files are in, the outer ones first."""
    return sorted({str(place) for path in paths for place in Path(path).parents})


def moved(path):
    """Where a file of open-iscsi's database is on distributions that moved it, as their packages move it."""
    return re.sub(r"^/etc/iscsi/(?=(nodes|ifaces|send_targets|static|isns|fw)/)", f"{DATABASE}/", path)


def packed(files):
    """Files as an archive, of long ago."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path[1:])
            entry.size, entry.mtime = len(text), LONG_AGO
            tar.addfile(entry, io.BytesIO(text))
    return archive.getvalue()


@pytest.mark.parametrize("source", COMPUTE)
def test_every_difference_is_explained(standing, usual, lay, source):
    lay(source)
    before = standing.fingerprint()
    calls = expected_of(source)["site"]
    wrong = [found for call in calls for found in [unexpected(standing, usual, call)] if found]
    same(before, standing.fingerprint(), f"The check of a host with the files of '{source}'")
    assert not wrong, "\n".join(wrong)


def unexpected(host, usual, call):
    """What a check run says that is not expected; empty: nothing."""
    try:
        result = host.module(call["module"], check=True, **call["options"])
    except AssertionError as died:
        return str(died)
    assert call["why"].endswith("."), "each difference has a sentence"
    if "refused" in call:
        good = result.get("failed") and call["refused"] in result["msg"]
    elif call["module"] == "volume_group_info":
        good = result == ({**usual, "groups": []} if call.get("hidden") else usual)
    else:
        good = not result.get("failed") and result["steps"] == call["steps"]
    return (
        ""
        if good
        else f"{call['module']} {call['options']}: {result.get('msg') or result.get('steps') or result}"
    )


def test_the_whole_playbook_says_the_same(lab, standing, lay):
    lay("debian-package")
    before = standing.fingerprint()
    data = {"initiator_name": "iqn.1993-08.org.debian:01:5c7d9b21e0f4", "initiator_preset": "multipath"}
    none = {"initiator_nodes": [], "volume_groups": [], "volume_filesystems": []}
    told = played(lab, "lunworks.iscsi.site", "--check", "--diff", hosts=[standing], **data, **none)
    same(before, standing.fingerprint(), "site.yml --check on a host with the files of others")
    steps = [step for said in told.changed().values() for step in said]
    calls = {call["module"]: call for call in expected_of("debian-package")["site"]}
    modules = ("multipath_conf", "initiator_name", "iscsid_conf", "login_unit")
    assert steps == [step for module in modules for step in calls[module]["steps"]]
