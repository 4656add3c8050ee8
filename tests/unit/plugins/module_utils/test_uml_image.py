# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: where packages come from, and what makes a new image."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils import uml_image
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml_image import (
    Image,
    MakeImage,
    RemoveImage,
    Source,
    debian_source,
    image_path,
    look_image,
    parse_sources,
    plan_image,
    refuse_image,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

CACHE = "/cache"
KEY = {"/cache/id_ed25519.pub": "ssh-ed25519 AAAA lunworks-lab\n"}
VERSION = {"linux.uml --version": "6.1.176\n"}
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
            "/etc/apt/sources.list.d/a-tool.list": "deb http://tool.example/apt stable main\n",
            "/etc/apt/sources.list.d/debian.sources": DEB822,
        }
    )
    assert debian_source(host).mirror == "http://mirror.example/debian"


def test_a_machine_that_is_not_debian_uses_debians_mirror():
    host = ScriptedHost({"/etc/apt/sources.list": "deb http://archive.ubuntu.com/ubuntu noble main\n"})
    assert debian_source(host) == Source("http://deb.debian.org/debian")


def test_an_image_is_named_after_all_that_it_is_made_from(monkeypatch):
    host = ScriptedHost(KEY, VERSION)
    path = image_path(host, "bookworm", CACHE)
    assert path.startswith("/cache/bookworm-") and path.endswith(".img")
    assert image_path(host, "bookworm", CACHE) == path
    others = {
        image_path(host, "trixie", CACHE),
        image_path(ScriptedHost({"/cache/id_ed25519.pub": "another key"}, VERSION), "bookworm", CACHE),
        image_path(ScriptedHost(KEY, {"linux.uml --version": "6.12.1\n"}), "bookworm", CACHE),
    }
    monkeypatch.setitem(uml_image.FILES, "/etc/hostname", "another\n")
    others.add(image_path(host, "bookworm", CACHE))
    assert len(others) == 4 and path not in others


def test_without_a_key_pair_there_is_no_image_yet():
    host = ScriptedHost({}, VERSION)
    assert image_path(host, "bookworm", CACHE) is None
    assert look_image(host, "bookworm", CACHE) is None


def test_an_unknown_suite_is_refused():
    with pytest.raises(Problem, match="'buster' is not a Debian suite"):
        image_path(ScriptedHost(KEY, VERSION), "buster", CACHE)


def test_an_image_is_made_once_and_removed_once():
    image = Image("trixie", "/cache/trixie-1.img")
    assert plan_image(None, Image("trixie", None), CACHE) == [MakeImage("trixie", CACHE)]
    assert plan_image(image, image, CACHE) == []
    assert plan_image(image, None, CACHE) == [RemoveImage(image)]
    assert plan_image(None, None, CACHE) == []
    assert str(RemoveImage(image)) == "Remove the image of trixie, '/cache/trixie-1.img'"


def test_an_image_with_hosts_on_it_stays():
    image = Image("trixie", "/cache/trixie-1.img")
    with pytest.raises(Problem, match="on it stands 'db-a' of the lab 'lab'"):
        refuse_image(image, [RemoveImage(image)], ["'db-a' of the lab 'lab'"])
    refuse_image(image, [RemoveImage(image)], [])
    refuse_image(image, [], ["'db-a' of the lab 'lab'"])
