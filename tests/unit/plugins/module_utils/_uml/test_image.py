# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: where packages come from, and what makes a new image."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import image as uml_image
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.image import (
    Image,
    MakeImage,
    RemoveImage,
    look_image,
    plan_image,
    refuse_image,
    wanted_image,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.kernel import FetchKernel, Kernel
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.mirror import (
    KEYRING,
    Source,
    apt_settings,
    complaints,
    debian_source,
    parse_sources,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

CACHE = "/cache"
KEY = {"/cache/id_ed25519.pub": "ssh-ed25519 AAAA lunworks-lab\n"}
KERNEL = Kernel("7.2.7", "/cache/kernels/7.2.7-7.2um1/linux.uml", "/cache/kernels/7.2.7-7.2um1/modules/7.2.7")
DEB822 = """Types: deb deb-src
# a snapshot, not used
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


@pytest.mark.parametrize(
    "text, found",
    [
        ("deb http://mirror.example/debian bookworm main\n", [Source("http://mirror.example/debian")]),
        (
            "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ bookworm contrib main\n",
            [Source("http://mirror.example/debian", "/k.gpg")],
        ),
        ("# deb http://mirror.example/debian bookworm main\n", []),
        ("deb-src http://mirror.example/debian bookworm main\n", []),
        ("deb http://packages.example/apt tool-bookworm stable\n", []),
        (
            DEB822,
            [
                Source("http://mirror.example/debian", "/usr/share/keyrings/debian-archive-keyring.gpg"),
                Source("http://mirror.example/debian-security"),
            ],
        ),
        ("Types: deb-src\nURIs: http://mirror.example/debian\nSuites: x\nComponents: main\n", []),
        ("", []),
    ],
)
def test_sources_are_read_in_both_formats(text, found):
    assert parse_sources(text) == found


def test_the_machines_own_debian_mirror_is_used():
    host = ScriptedHost(
        {
            KEYRING: "",
            "/etc/apt/sources.list.d/a-tool.list": "deb http://tool.example/apt stable main\n",
            "/etc/apt/sources.list.d/debian.sources": DEB822,
        }
    )
    assert debian_source(host).mirror == "http://mirror.example/debian"


def test_a_machine_that_is_not_debian_uses_debians_mirror():
    host = ScriptedHost(
        {KEYRING: "", "/etc/apt/sources.list": "deb http://archive.ubuntu.com/ubuntu noble main\n"}
    )
    assert debian_source(host) == Source("http://deb.debian.org/debian")


def test_without_debians_keys_nothing_is_fetched():
    with pytest.raises(Problem, match="Install the package debian-archive-keyring"):
        debian_source(ScriptedHost())


def test_a_suites_packages_must_be_signed():
    assert (
        Source("http://m/debian").line("forky")
        == f"deb [arch=amd64 signed-by={KEYRING}] http://m/debian forky main"
    )
    own = Source("http://m/debian", "/k.gpg").line("trixie")
    assert own == f"deb [arch=amd64 signed-by=/k.gpg,{KEYRING}] http://m/debian trixie main"


def test_the_mirror_is_reached_as_this_machine_reaches_it():
    dump = """Acquire::cdrom::mount "/media/cdrom/";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3128/";
Acquire::Check-Valid-Until "false";
Acquire::IndexTargets::deb::Packages::Optional "0";
"""
    host = ScriptedHost(runs={'apt-config dump --format %f "%v";%n Acquire': dump})
    assert apt_settings(host) == [
        'Acquire::http::Proxy "http://proxy.example:3128/"',
        'Acquire::Check-Valid-Until "false"',
    ]


def test_an_image_is_named_after_all_that_it_is_made_from(monkeypatch):
    host = ScriptedHost(KEY)
    image = wanted_image(host, "bookworm", CACHE, KERNEL)
    assert image.path.startswith("/cache/bookworm-") and image.path.endswith(".img")
    assert image.kernel == "7.2.7"
    assert wanted_image(host, "bookworm", CACHE, KERNEL) == image
    others = {
        wanted_image(host, "trixie", CACHE, KERNEL).path,
        wanted_image(ScriptedHost({"/cache/id_ed25519.pub": "another key"}), "bookworm", CACHE, KERNEL).path,
        wanted_image(host, "bookworm", CACHE, Kernel("6.12.1", "linux.uml", "/m/6.12.1")).path,
        wanted_image(host, "bookworm", CACHE, Kernel("7.2.7", "/own/linux")).path,
    }
    monkeypatch.setitem(uml_image.FILES, "/etc/hostname", "another\n")
    others.add(wanted_image(host, "bookworm", CACHE, KERNEL).path)
    assert len(others) == 5 and image.path not in others


def test_without_a_key_pair_or_a_kernel_there_is_no_image_yet():
    assert wanted_image(ScriptedHost(), "bookworm", CACHE, KERNEL) == Image("bookworm", "7.2.7", None)
    assert wanted_image(ScriptedHost(KEY), "bookworm", CACHE, None) == Image("bookworm", None, None)
    assert look_image(ScriptedHost(), "bookworm", CACHE, KERNEL) is None


def test_an_unknown_suite_is_refused():
    with pytest.raises(Problem, match="'buster' is not a Debian suite"):
        wanted_image(ScriptedHost(KEY), "buster", CACHE, KERNEL)


def test_an_image_is_made_once_and_removed_once():
    image = Image("trixie", "7.2.7", "/cache/trixie-1.img")
    make = MakeImage("trixie", CACHE, "current")
    assert plan_image(None, Image("trixie", "7.2.7", None), CACHE, "current") == [make]
    assert plan_image(None, Image("trixie", None, None), CACHE, "current") == [FetchKernel(CACHE), make]
    assert plan_image(image, Image("trixie", None, None), CACHE, "current") == []
    assert plan_image(image, None, CACHE, "current") == [RemoveImage(image)]
    assert plan_image(None, None, CACHE, "current") == []
    assert str(RemoveImage(image)) == "Remove the image of trixie, '/cache/trixie-1.img'"


def test_what_a_package_tool_complains_of_is_told_without_what_it_only_says():
    said = "I: running apt-get update...\nE: Release file is expired.\n   at line 3\nE: mmdebstrap failed to run\n"
    assert complaints(said) == "E: Release file is expired. E: mmdebstrap failed to run"
    assert complaints("killed\n") == "killed"


def test_an_image_with_hosts_on_it_stays():
    image = Image("trixie", "7.2.7", "/cache/trixie-1.img")
    with pytest.raises(Problem, match="it is used by 'db-a' of the lab 'lab'"):
        refuse_image(image, [RemoveImage(image)], ["'db-a' of the lab 'lab'"])
    refuse_image(image, [RemoveImage(image)], [])
    refuse_image(image, [], ["'db-a' of the lab 'lab'"])
