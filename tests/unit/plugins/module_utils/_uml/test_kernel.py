# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kernel lab hosts run: chosen by what is asked for, what is here, and this machine's CPU."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import kernel as uml_kernel
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.kernel import (
    Choice,
    Kernel,
    choose_kernel,
    refuse_full,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

CACHE = "/cache"
AMX = {
    "/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu avx512f amx_bf16 amx_tile amx_int8\n\nprocessor\t: 1\n"
}
PLAIN = {"/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu avx2\nmodel name\t: an amx_tile in a name\n"}
OWN = "/usr/bin/linux.uml"
HOME = "/cache/kernels/7.2.7-7.2um1"
FETCHED = {f"{HOME}/linux.uml": "", f"{HOME}/modules/7.2.7/modules.dep": ""}
SAYS = {f"{OWN} --version": "6.1.176\n", f"{HOME}/linux.uml --version": "7.2.7\n"}
CURRENT = Kernel("7.2.7", f"{HOME}/linux.uml", f"{HOME}/modules/7.2.7")


@pytest.fixture
def installed(monkeypatch):
    """The package user-mode-linux is there."""
    monkeypatch.setattr(uml_kernel.shutil, "which", lambda program, path: OWN)


@pytest.fixture
def bare(monkeypatch):
    """It is not."""
    monkeypatch.setattr(uml_kernel.shutil, "which", lambda program, path: None)


@pytest.mark.parametrize("cpu", [AMX, PLAIN])
def test_the_current_kernel_is_taken_whatever_the_cpu(cpu):
    assert choose_kernel(ScriptedHost({**cpu, **FETCHED}, SAYS), "current", CACHE) == Choice(CURRENT)


def test_the_current_kernel_is_fetched_where_it_is_not_yet(installed):
    assert choose_kernel(ScriptedHost(AMX, SAYS), "current", CACHE) == Choice(None)


def test_a_damaged_kernel_in_the_cache_is_fetched_again():
    host = ScriptedHost({**AMX, **FETCHED}, {f"{HOME}/linux.uml --version": "Segmentation fault"})
    assert choose_kernel(host, "current", CACHE) == Choice(None)


def test_the_newest_of_several_kernels_is_taken():
    newer = "/cache/kernels/7.10.1-7.10um1"
    files = {**PLAIN, **FETCHED, f"{newer}/linux.uml": "", "/cache/kernels/part.4711/linux.uml": ""}
    choice = choose_kernel(
        ScriptedHost(files, {**SAYS, f"{newer}/linux.uml --version": "7.10.1\n"}), "current", CACHE
    )
    assert choice.kernel == Kernel("7.10.1", f"{newer}/linux.uml")
    assert choice.note == "Lab hosts run Linux 7.10.1; the newest that this collection was tested on is 7.2."


def test_the_machines_own_kernel_is_taken_where_it_boots(installed):
    choice = choose_kernel(ScriptedHost(PLAIN, SAYS), "distribution", CACHE)
    assert choice == Choice(Kernel("6.1.176", OWN))


def test_the_machines_own_kernel_is_refused_where_it_would_panic(installed):
    with pytest.raises(Problem, match="6.1.176, which panics on a CPU with AMX.*Set 'kernel: current'"):
        choose_kernel(ScriptedHost(AMX, SAYS), "distribution", CACHE)


def test_of_two_kernels_the_one_that_boots_is_taken_and_named(installed):
    choice = choose_kernel(ScriptedHost({**AMX, **FETCHED}, SAYS), "distribution", CACHE)
    assert choice.kernel == CURRENT
    assert (
        "panics on a CPU with AMX" in choice.note and "run the current kernel, 7.2.7, instead" in choice.note
    )


def test_a_package_that_is_missing_is_named(bare):
    with pytest.raises(Problem, match="user-mode-linux is not installed here.*Set 'kernel: current'"):
        choose_kernel(ScriptedHost(PLAIN), "distribution", CACHE)


@pytest.mark.parametrize(
    "version, boots", [("6.12.99", False), ("6.13", True), ("6.13.1", True), ("7.0.0", True)]
)
def test_from_6_13_on_a_kernel_boots_with_amx(version, boots):
    assert (uml_kernel.boot_blocked_by(ScriptedHost(AMX), Kernel(version, "/k")) == "") == boots


@pytest.mark.parametrize("said", ["", "GNU bash, version 5.2.15\n", "7\n"])
def test_a_file_that_is_no_kernel_is_refused(said):
    host = ScriptedHost({**PLAIN, "/my/kernel": ""}, {"/my/kernel --version": said})
    with pytest.raises(Problem, match="'/my/kernel' is not a User Mode Linux kernel"):
        choose_kernel(host, "/my/kernel", CACHE)


def test_a_kernel_of_ones_own_has_its_modules_beside_it():
    files = {**AMX, "/my/kernel": "", "/my/modules/7.2.12/modules.dep": ""}
    choice = choose_kernel(ScriptedHost(files, {"/my/kernel --version": "7.2.12\n"}), "/my/kernel", CACHE)
    assert choice == Choice(Kernel("7.2.12", "/my/kernel", "/my/modules/7.2.12"))


def test_a_full_disk_is_said_before_anything_is_made(monkeypatch):
    host = ScriptedHost()
    monkeypatch.setattr(host, "room", lambda path: 100 << 20)
    with pytest.raises(Problem, match="takes 400 MiB in '/cache'; 100 MiB are free there"):
        refuse_full(host, "/cache", 400 << 20, "Fetching the lab's kernel")
