# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see in their editor, by the language server that it runs (docs/docsite/rst/guide_inventory.rst)."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.editor.language_server import ROOT, LanguageServer

MODELINE = "# yaml-language-server: $schema=../../../meta/inventory.schema.json\n"
GROUP_VARS = ROOT / "examples/demo/group_vars"
VAULTED = """
initiator_nodes:
  - target: iqn.2026-01.com.example:t
    chap:
      user: db
      secret: !vault |
        $ANSIBLE_VAULT;1.1;AES256
        3031
"""
SPARSE = """
target_targets:
  - name: iqn.2026-01.com.example:t
    portals:
    luns: [{name: a, size: 10g}]
    igroups: [{name: g, luns: [a]}]
"""
EXAMPLES = sorted((ROOT / "examples/demo").glob("*_vars/*.yml"))


@pytest.fixture(scope="module")
def server():
    found = LanguageServer()
    yield found
    found.close()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_have_their_schema_and_are_right(server, path):
    text = path.read_text()
    assert MODELINE in text
    assert server.diagnostics(path.parent, text) == []
    assert server.diagnostics(path.parent, f"{text}\nvolume_paths: many\n") != []


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "volume_groups:\n  - name: vg\n    luns: []\n    volumes:\n      - {name: data, sise: 1g}\n",
            "Property sise is not allowed.",
        ),
        ("volume_groups:\n  - name: vg\n", 'Missing property "luns".'),
        ("initiator_nodes: iqn.2026-01.com.example:t\n", 'Incorrect type. Expected "array".'),
        ("initiator_preset: multpath\n", "Value is not accepted."),
        (
            "target_targets:\n  - name: iqn.2026-01.com.example:t\n    igroups: [{name: g, luns: [{nmae: a}]}]\n",
            "nmae is not allowed",
        ),
    ],
)
def test_a_mistake_is_underlined(server, text, said):
    (found,) = [one for one in server.diagnostics(GROUP_VARS, MODELINE + text) if said in one]
    assert said in found


@pytest.mark.parametrize(
    "text",
    [
        'volume_groups: "{{ san_groups if inventory_hostname == owner else [] }}"\n',
        'host_storage_paths: "{{ paths }}"\ninitiator_disk_links: yes\ninitiator_purge: "{{ purge }}"\n',
        VAULTED,
        SPARSE,
        "san_portals: [10.77.1.11]\n",
    ],
)
def test_what_is_right_is_not_underlined(server, text):
    assert server.diagnostics(GROUP_VARS, MODELINE + text) == []


@pytest.mark.parametrize(
    "text, offered",
    [
        ("ini|", {"initiator_nodes", "initiator_name", "initiator_preset"}),
        ("volume_groups:\n  - na|", {"name", "luns", "volumes", "extent_size"}),
        (
            "volume_groups:\n  - name: vg\n    volumes:\n      - name: data\n        fi|",
            {"size", "filesystem", "mount", "mount_options"},
        ),
        (
            "target_targets:\n  - name: iqn.2026-01.com.example:t\n    luns:\n      - name: a\n        s|",
            {"size", "path", "serial"},
        ),
        ("initiator_preset: |", {"multipath", "direct", "root_on_iscsi"}),
        ("volume_filesystems:\n  - filesystem: |", {"ext4", "xfs"}),
    ],
)
def test_what_may_stand_there_is_offered(server, text, offered):
    assert offered <= server.completions(GROUP_VARS, MODELINE + text)
