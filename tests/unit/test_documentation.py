# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is documented is what is: options of modules, variables of roles."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.lunworks.iscsi.tests.unit.playbook_variables import PLAYBOOKS, overridable, settable

ROOT = Path(__file__).resolve().parents[2]
OURS = "ansible_collections.lunworks.iscsi.plugins"
DOORS = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py") if path.stem != "__init__")
ROLES = sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())
# What documentation and argument spec both say of an option.
SAID = ("type", "elements", "required", "default", "choices", "aliases")


def documented_options(door):
    module = importlib.import_module(f"{OURS}.modules.{door}")
    documentation = yaml.safe_load(module.DOCUMENTATION)
    options = {}
    for fragment in documentation.get("extends_documentation_fragment", []):
        options.update(fragment_options(fragment))
    options.update(documentation.get("options", {}))
    return options


def fragment_options(name):
    file, _dot, part = name.replace("lunworks.iscsi.", "").partition(".")
    fragment = importlib.import_module(f"{OURS}.doc_fragments.{file}").ModuleDocFragment
    text = getattr(fragment, (part or "documentation").upper())
    return yaml.safe_load(text).get("options", {})


def said(options, below):
    """The options as {name: what is said of it}, those below them too; 'below' is the key that they are under."""
    found = {}
    for name, option in options.items():
        entry = {key: option[key] for key in SAID if option.get(key) not in (None, False, [])}
        entry.setdefault("type", "str")
        entry["options"] = said(option.get(below) or {}, below)
        found[name] = entry
    return found


@pytest.mark.parametrize("door", DOORS)
def test_the_options_of_a_module_are_as_documented(door):
    module = importlib.import_module(f"{OURS}.modules.{door}")
    assert said(getattr(module, "SPEC", {}), "options") == said(documented_options(door), "suboptions")


def role_options(role):
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
    return {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}


def role_defaults(role):
    path = role / "defaults/main.yml"
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_default_of_a_role_is_documented(role):
    assert sorted(set(role_defaults(role)) - set(role_options(role))) == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_documented_default_of_a_role_is_the_real_one(role):
    defaults = role_defaults(role)
    documented = {
        name: option["default"] for name, option in role_options(role).items() if "default" in option
    }
    real = {name: defaults.get(name, "<not there>") for name in documented}
    assert {name: value for name, value in real.items() if not templated(value)} == {
        name: value for name, value in documented.items() if not templated(real[name])
    }


def templated(value):
    return isinstance(value, str) and "{{" in value


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_readme_of_a_role_names_every_variable(role):
    named = set(re.findall(r"\w+", (role / "README.md").read_text()))
    assert sorted(set(role_options(role)) - named) == []


def test_the_readme_shows_data_with_the_timers_that_the_report_asks_for():
    readme = (ROOT / "README.md").read_text()
    (use,) = re.findall(r"^```yaml\n(# inventory/hosts.yml\n.*?)^```", readme, re.M | re.S)
    assert (
        yaml.safe_load(use.partition("# inventory/host_vars/db-a.yml")[2])["initiator_preset"] == "multipath"
    )


def test_the_readme_names_every_module_role_and_playbook_and_no_other():
    readme = (ROOT / "README.md").read_text()
    tables = readme[readme.index("## What is in it") : readme.index("All modules support check mode")]
    named = {
        name for row in re.findall(r"^\|(.*?)\|", tables, re.M) for name in re.findall(r"`([\w.]+)`", row)
    }
    playbooks = {f"lunworks.iscsi.{path.stem}" for path in (ROOT / "playbooks").glob("*.yml")}
    assert named == playbooks | {role.name for role in ROLES} | set(DOORS)


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_page_of_a_playbook_has_its_variables_and_no_other(playbook):
    page = (ROOT / f"docs/docsite/rst/playbook_{playbook}.rst").read_text()
    terms = re.findall(r"^(``\w+``(?:, ``\w+``)*)$", page, re.M)
    documented = {name for term in terms for name in re.findall(r"\w+", term)}
    assert sorted(settable(playbook) - documented) == []
    assert sorted(documented - settable(playbook) - overridable(playbook)) == []


def test_the_variables_of_playbooks_are_found():
    assert settable("site") == {"allow_move"}
    assert {"vg", "from", "to", "storage"} <= settable("move_volume_group")
    assert settable("report") == {"report_format", "report_file", "report_since", "report_from"}


def test_guides_stand_in_one_order_in_the_readme_on_the_site_and_in_the_collection():
    sections = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text())["sections"]
    guides = [guide for section in sections for guide in section["toctree"]]
    readme = re.findall(r"^- \[.*\]\(docs/docsite/rst/(\w+)\.rst\)$", (ROOT / "README.md").read_text(), re.M)
    front = (ROOT / "docs/site/index.rst").read_text()
    assert guides == readme == re.findall(r"^ +docsite/(\w+)$", front, re.M)
    assert sorted(guides) == sorted(
        path.stem
        for path in (ROOT / "docs/docsite/rst").glob("*.rst")
        if not path.stem.startswith("playbook_")
    )
    assert [section["title"] for section in sections[:-1]] == re.findall(r":caption: (.*)", front)[:-1]


def test_the_readme_calls_a_guide_by_its_title():
    for title, file in re.findall(
        r"^- \[(.*)\]\((docs/docsite/rst/\w+\.rst)\)$", (ROOT / "README.md").read_text(), re.M
    ):
        assert f"\n{title}\n{'=' * len(title)}\n" in (ROOT / file).read_text(), file


def test_the_promises_of_the_readme_name_tests_that_exist():
    readme = (ROOT / "README.md").read_text()
    promises = readme[readme.index("## Six promises") : readme.index("## Guides")]
    rows = re.findall(r"^\| \*\*.*\| (.*) \|$", promises, re.M)
    tests = "".join(path.read_text() for path in (ROOT / "tests/integration").glob("test_*.py"))
    assert len(rows) == 6
    assert all(re.search(r"`test_\w+`", row) for row in rows)
    assert [name for name in re.findall(r"`(test_\w+)`", promises) if f"def {name}(" not in tests] == []


def test_the_links_of_the_readme_lead_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
