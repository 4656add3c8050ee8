# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that a user can set for a playbook with -e, as its tasks read them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Iterator

import jinja2
import jinja2.meta
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
# Ansible's own, beside those whose names begin with 'ansible_'.
ANSIBLES = {"groups", "hostvars", "inventory_hostname", "item", "lookup", "now", "query"}
# Keys whose value is an expression without braces.
BARE = {"when", "that", "failed_when", "changed_when", "until"}


class Anything(dict):  # type: ignore[type-arg]
    """Filters and tests of every name, since only Ansible knows which there are."""

    def __contains__(self, _name: object) -> bool:
        return True

    def get(self, _name: object, _default: object = None) -> Any:
        return lambda *_arguments: None

    __getitem__ = get


TEMPLATES = jinja2.Environment()
TEMPLATES.filters = TEMPLATES.tests = Anything()


def plays_of(playbook: str) -> list[dict[str, Any]]:
    """Those that it imports too."""
    plays = []
    for play in yaml.safe_load((ROOT / f"playbooks/{playbook}.yml").read_text()):
        imported = play.get("ansible.builtin.import_playbook")
        plays += plays_of(imported.partition(".")[0]) if imported else [play]
    return plays


def settable(playbook: str) -> set[str]:
    """The variables that it reads, and that neither it nor the inventory gives: each must be documented."""
    read = {name for name in read_in(plays_of(playbook)) if not name.startswith("ansible_")}
    return read - set(given_in(plays_of(playbook))) - ANSIBLES - variables_of_roles()


def overridable(playbook: str) -> set[str]:
    """What -e can replace beside these: the variables of roles, and those of the plays themselves."""
    return variables_of_roles() | set(given_in(plays_of(playbook)))


def read_in(entry: Any, key: str = "") -> Iterator[str]:
    if isinstance(entry, dict):
        for name, value in entry.items():
            yield from read_in(value, name)
    elif isinstance(entry, list):
        for value in entry:
            yield from read_in(value, key)
    elif isinstance(entry, str):
        text = "{{ " + entry + " }}" if key in BARE and "{{" not in entry else entry
        yield from jinja2.meta.find_undeclared_variables(TEMPLATES.parse(text))


def given_in(entry: Any) -> Iterator[str]:
    """What has a value by vars, set_fact, register, or as the variable of a loop."""
    if isinstance(entry, dict):
        for name, value in entry.items():
            if name in ("vars", "ansible.builtin.set_fact"):
                yield from value
            elif name in ("register", "loop_var"):
                yield value
            yield from given_in(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from given_in(value)


@lru_cache(maxsize=None)
def variables_of_roles() -> frozenset[str]:
    """Those of the inventory, and those that roles have of their own, such as the names of packages."""
    files = [*ROOT.glob("roles/*/defaults/main.yml"), *ROOT.glob("roles/*/vars/*.yml")]
    own = {name for path in files for name in yaml.safe_load(path.read_text()) or {}}
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        for spec in yaml.safe_load(path.read_text())["argument_specs"].values():
            own.update(spec.get("options") or {})
    return frozenset(own)
