# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house (CONTRIBUTING.md), so that nobody has to remember them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOORS = sorted(path for path in (ROOT / "plugins/modules").glob("*.py") if path.stem != "__init__")
FLOOR = sorted(path for path in (ROOT / "plugins/module_utils").glob("*.py") if path.stem != "__init__")
ROLES = sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())

# Real systems: a file is NAME.py or NAME_<noun>.py. All other files are the ground floor.
SYSTEMS = ("open_iscsi", "lio", "tgt", "iet", "netbsd", "multipath", "lvm", "scsi", "sysctl", "uml")
# The storage doors take whichever of these the provider option names.
PROVIDERS = {"lio", "tgt", "iet", "netbsd"}
OURS = "ansible_collections.lunworks.iscsi.plugins."
# What touches the machine. host.py alone may, with its parts host_*.py, and the lab, which makes machines.
MACHINE = {"shutil", "subprocess", "tempfile", "glob", "fcntl", "socket", "pathlib", "io"}
# What of 'os' only calculates.
PURE = re.compile(
    r"os\.(major|minor|makedev|sep|stat_result|path\.(join|basename|dirname|normpath|isabs|split|relpath))"
)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=name_of)


def imports(path):
    """The full names of what a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def floor_imports(path):
    """The files of module_utils that a file imports, by name."""
    found = {
        name[len(OURS) :].split(".")[1] for name in imports(path) if name.startswith(OURS + "module_utils.")
    }
    return sorted(found)


def system_of(name):
    """The system that a file is about; multipathd is multipath's."""
    name = name.replace("multipathd", "multipath")
    return next((system for system in SYSTEMS if name == system or name.startswith(system + "_")), None)


def systems_of(path):
    return {system_of(name) for name in floor_imports(path)} - {None}


def logic_lines(path):
    """The lines on which a statement begins; texts, options and comments are not logic."""
    lines = set()
    for node in ast.walk(ast.parse(path.read_text())):
        text = isinstance(node, (ast.Expr, ast.Assign)) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not text:
            lines.add(node.lineno)
    return len(lines)


def test_the_action_group_lists_every_module():
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
    assert groups == {"all": [path.stem for path in DOORS]}


@each(DOORS)
def test_a_door_imports_no_other_door(path):
    assert [name for name in imports(path) if name.startswith(OURS + "modules")] == []


@each(DOORS)
def test_a_door_opens_on_one_system(path):
    systems = systems_of(path)
    assert len(systems - PROVIDERS) + bool(systems & PROVIDERS) <= 1, f"it imports {sorted(systems)}"


@each(FLOOR)
def test_a_system_imports_no_other_system_and_the_ground_floor_none(path):
    assert systems_of(path) <= {system_of(path.stem)} - {None}


@each([path for path in FLOOR if path.stem != "converge"])
def test_only_converge_knows_ansible_module(path):
    assert [name for name in imports(path) if name.startswith("ansible.module_utils.basic")] == []


@each(
    [
        path
        for path in DOORS + FLOOR
        if path.stem not in ("host", "host_disk", "host_file", "host_lock") and system_of(path.stem) != "uml"
    ]
)
def test_only_the_host_touches_the_machine(path):
    tree = ast.parse(path.read_text())
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and id(node) not in inner
    ]
    called = [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert [name for name in imports(path) if name.split(".")[0] in MACHINE or name.startswith("os.")] == []
    assert [name for name in used if name.startswith("os.") and not PURE.match(name)] == []
    assert "open" not in called


@each([path for path in DOORS + FLOOR if path.stem != "converge"])
def test_only_converge_knows_check_mode(path):
    asked = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("check_mode", "_diff")
    ]
    assert asked == []


@each(sorted((ROOT / "plugins").rglob("*.py")) + sorted((ROOT / "tests").rglob("*.py")))
def test_ansible_tests_pylint_finds_no_blank_name_and_no_assert_in_plugins(path):
    nodes = list(ast.walk(ast.parse(path.read_text())))
    assert [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == "_"] == []
    if path.relative_to(ROOT).parts[0] == "plugins":
        assert [node.lineno for node in nodes if isinstance(node, ast.Assert)] == []


@each(DOORS)
def test_a_door_is_small(path):
    assert logic_lines(path) <= 90


@each(FLOOR)
def test_a_system_file_is_small(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_begins_with_a_table_of_contents(role):
    assert len((role / "tasks/main.yml").read_text().splitlines()) <= 30


def licensed():
    """The files that carry the licence in their first lines: code, playbooks and everything else in YAML."""
    own = (
        "plugins",
        "roles",
        "playbooks",
        "extensions",
        "tests",
        "tools",
        "bench",
        "meta",
        "changelogs",
        "docs",
    )
    for path in sorted(path for top in own for path in (ROOT / top).rglob("*")):
        recorded = {"fixtures", "output", "__pycache__"} & set(path.parts)
        if path.is_file() and not recorded and path.name not in ("changelog.yaml", ".plugin-cache.yaml"):
            script = path.suffix == "" and path.read_bytes()[:2] == b"#!"
            if path.stat().st_size and (path.suffix in (".py", ".yml", ".yaml") or script):
                yield path


@each(list(licensed()))
def test_a_file_says_its_licence(path):
    head = path.read_text().splitlines()[:6]
    # REUSE-IgnoreStart
    assert "# Copyright: (c) 2026, The lunworks.iscsi authors" in head
    assert "# SPDX-License-Identifier: GPL-3.0-or-later" in head
    # REUSE-IgnoreEnd
