# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the project (CONTRIBUTING.md), so that nobody has to remember them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import graphlib
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
MODULES = sorted(path for path in (PLUGINS / "modules").glob("*.py") if path.stem != "__init__")
SHARED = sorted((PLUGINS / "module_utils").rglob("*.py"))
CONTROLLER = sorted((PLUGINS / "plugin_utils").rglob("*.py"))
ROLES = sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())

# A real system is a folder of module_utils. The other folders are what several systems share; the files beside them are the
# ground that all stand on.
SYSTEMS = {"_iet", "_lio", "_lvm", "_multipath", "_netbsd", "_open_iscsi", "_tgt", "_uml"}
BETWEEN = {"_block", "_fs", "_net", "_san", "_timers"}
# What the storage modules choose from: the storage software that stands behind _san/provider.py.
CHOICE = "_providers"
GROUND = {path.stem for path in SHARED if path.parent.name == "module_utils"} - {CHOICE}
# A module that holds two systems against each other looks at both.
JOINING = {"timers_info": {"_open_iscsi", "_multipath"}}
# What touches the machine. The host alone may, and the lab, which makes machines.
MACHINE = {"shutil", "subprocess", "tempfile", "glob", "fcntl", "socket", "pathlib", "io"}
HOST = {"_host", "_host_file", "_host_lock", "_host_net", "_direct_io"}
# On the controller, what reads the files of users: it has this name, and changes nothing.
READERS = [path for path in CONTROLLER if path.stem == "files"]
READING = re.compile(r"os\.(access|X_OK|listdir|path\.(isfile|isdir|getsize))")
WRITING = set(
    "chmod mkdir open rename replace rmdir symlink_to touch unlink write write_bytes write_text".split()
)
# What of 'os' only calculates.
PURE = re.compile(
    r"os\.(major|minor|makedev|sep|stat_result|path\.(join|basename|dirname|normpath|isabs|split|relpath))"
)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=name_of)


def imports(path):
    """The full names of what a file imports; of this collection beginning with 'plugins.'."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{name.name}" for name in node.names)


def parts_of(path):
    """The folders of module_utils, and the files beside them, that a file imports."""
    found = {name.split(".")[2] for name in imports(path) if name.startswith("plugins.module_utils.")}
    return found - {part_of(path)}


def part_of(path):
    """The folder of module_utils in which a file stands; a file of the ground is its own."""
    return path.relative_to(PLUGINS).with_suffix("").parts[1]


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
    assert groups == {"all": [path.stem for path in MODULES]}


@each(MODULES)
def test_a_module_imports_no_other_module(path):
    assert [name for name in imports(path) if name.startswith("plugins.modules")] == []


@each(MODULES)
def test_a_module_is_about_one_system(path):
    systems = (parts_of(path) & SYSTEMS) - JOINING.get(path.stem, set())
    assert len(systems) + (CHOICE in parts_of(path)) <= 1, f"it imports {sorted(systems)}"


def test_a_folder_is_a_system_or_shared_by_systems():
    assert {part_of(path) for path in SHARED} == SYSTEMS | BETWEEN | GROUND | {CHOICE}


@each([path for path in SHARED if part_of(path) != CHOICE])
def test_a_system_imports_no_other_the_ground_none_and_what_is_shared_none(path):
    allowed = GROUND if part_of(path) in GROUND else GROUND | BETWEEN
    assert parts_of(path) <= allowed


def test_folders_and_files_have_no_circle():
    """Neither between the folders, nor between files."""
    folders, files = {}, {}
    known = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SHARED}
    for path in SHARED:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        whole = {found if found in known else found.rpartition(".")[0] for found in imports(path)}
        files[name] = whole & known
        folders.setdefault(part_of(path), set()).update(parts_of(path))
    graphlib.TopologicalSorter(folders).prepare()
    graphlib.TopologicalSorter(files).prepare()


@each(sorted(set(PLUGINS.rglob("*.py")) - {path for path in SHARED if part_of(path) == "_uml"}))
def test_only_the_modules_of_the_lab_import_the_lab(path):
    assert path.stem.startswith("lab_") or not [name for name in imports(path) if "_uml" in name]


@each(sorted(PLUGINS.rglob("*.py")))
def test_plugins_import_each_other_by_relative_names(path):
    assert [name for name in imports(path) if name.startswith("ansible_collections")] == []


@each([path for path in SHARED if path.stem != "_converge"])
def test_only_converge_knows_ansible_module(path):
    assert [name for name in imports(path) if name.startswith("ansible.module_utils.basic")] == []


def of_os(path):
    """What a file uses of 'os', in full."""
    tree = ast.parse(path.read_text())
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and id(node) not in inner
    ]
    return [name for name in used if name.startswith("os.")]


def called(path):
    """The last names of what a file calls."""
    functions = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {ast.unparse(one).rpartition(".")[2] for one in functions}


def of_machine(path):
    """What a file imports of what touches the machine."""
    return [name for name in imports(path) if name.split(".")[0] in MACHINE or name.startswith("os.")]


@each(
    [
        path
        for path in MODULES + SHARED + CONTROLLER
        if path.stem not in HOST and path not in READERS and part_of(path) != "_uml"
    ]
)
def test_only_the_host_touches_the_machine(path):
    assert of_machine(path) == []
    assert [name for name in of_os(path) if not PURE.match(name)] == []
    assert "open" not in called(path)


@each(READERS)
def test_what_reads_the_files_of_users_changes_nothing(path):
    assert of_machine(path) == ["pathlib.Path"]
    assert [name for name in of_os(path) if not PURE.match(name) and not READING.fullmatch(name)] == []
    assert called(path) & WRITING == set()


@each([path for path in MODULES + SHARED if path.stem != "_converge"])
def test_only_converge_knows_check_mode(path):
    asked = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("check_mode", "_diff")
    ]
    assert asked == []


# ansible-test makes its environments in tests/output.
TESTS = sorted(
    path for path in (ROOT / "tests").rglob("*.py") if "output" not in path.relative_to(ROOT).parts
)


@each(sorted(PLUGINS.rglob("*.py")) + TESTS)
def test_ansible_tests_pylint_finds_no_blank_name_and_no_assert_in_plugins(path):
    nodes = list(ast.walk(ast.parse(path.read_text())))
    assert [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == "_"] == []
    if path.relative_to(ROOT).parts[0] == "plugins":
        assert [node.lineno for node in nodes if isinstance(node, ast.Assert)] == []


@each(MODULES)
def test_a_module_only_names_what_its_system_has(path):
    """What it converges, one after the other with 'resources', or what it answers; classes stand in module_utils."""
    tree = ast.parse(path.read_text())
    kinds = (ast.ClassDef, ast.FunctionDef)
    defined = [node.name for node in tree.body if isinstance(node, kinds)]
    assert defined in (["resource", "main"], ["resources", "main"], ["question", "main"])
    assert [node.name for node in ast.walk(tree) if isinstance(node, kinds)] == defined


@each(MODULES)
def test_a_module_is_small(path):
    assert logic_lines(path) <= 30


@each(SHARED)
def test_a_shared_file_is_small(path):
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


@each(sorted((ROOT / "tests/unit/plugins").rglob("test_*.py")))
def test_unit_tests_stand_in_a_folder_that_plugins_has(path):
    assert (ROOT / path.parent.relative_to(ROOT / "tests/unit")).is_dir()


def tasks(found):
    """Every mapping in a file of tasks or plays, however deep."""
    for one in found.values() if isinstance(found, dict) else found if isinstance(found, list) else []:
        yield from tasks(one)
    if isinstance(found, dict):
        yield found


@each(sorted([*(ROOT / "roles").glob("*/tasks/**/*.yml"), *(ROOT / "playbooks").glob("*.yml")]))
def test_roles_and_playbooks_say_which_storage_software(path):
    for module in ("targets", "target", "lun", "igroup", "lun_info", "target_info"):
        for task in tasks(yaml.safe_load(path.read_text())):
            assert "provider" in task.get(f"lunworks.iscsi.{module}", {"provider": ""}), module
