# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing in the collection stops or restarts a service whose stop logs out sessions or takes maps away."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
YAML = sorted(
    path
    for top in ("roles", "playbooks", "examples", "extensions")
    for path in (ROOT / top).rglob("*.yml")
    if "argument_specs" not in path.name
)
CODE = sorted((ROOT / "plugins").rglob("*.py"))
# Their stop logs out every session (open-iscsi's unit files), ends the targets that are served, or leaves maps unwatched.
NEVER = re.compile(
    r"(?:open-)?iscsi(?:\.service)?|multipathd(?:\.service)?|(?:rtslib-fb-targetctl|target)(?:\.service)?"
)
SERVICES = {"service", "systemd", "systemd_service"}
COMMANDS = {"command", "shell", "raw", "script"}
ENDING = {"restarted", "stopped"}
VERBS = r"(?:restart|stop|try-restart|reload-or-restart|kill|isolate)"
LINE = re.compile(rf"(?:systemctl\s+(?:--\S+\s+)*{VERBS}|service)\s+([\w@.{{}}-]+)")


class Loader(yaml.SafeLoader):
    """Also Ansible's own tags."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def tasks(value):
    """Every mapping in a YAML document: a task is one of them, wherever it stands."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from tasks(item)


def ended(task):
    """The services that a task stops or restarts; '' where only a run would tell which."""
    for name, options in task.items():
        action = str(name).rpartition(".")[2]
        if action in SERVICES and isinstance(options, dict) and options.get("state") in ENDING:
            unit = str(options.get("name", ""))
            yield "" if "{{" in unit else unit
        if action in COMMANDS:
            yield from (found[1] for found in LINE.finditer(str(options)))


def told(text):
    return [unit for task in tasks(yaml.load(text, Loader)) for unit in ended(task)]


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_task_stops_or_restarts_what_sessions_hang_on(path):
    assert [unit for unit in told(path.read_text()) if not unit or NEVER.fullmatch(unit)] == []


def written(argument):
    """An argument as far as it is written out: of a text that a run completes only its ending, if that is an automount's."""
    if isinstance(argument, ast.JoinedStr):
        argument = argument.values[-1]
        return argument.value if isinstance(argument, ast.Constant) and argument.value == ".automount" else ""
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""


def commands(path):
    """The commands that Python code runs, as far as they are written out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            words = [word for word in map(written, node.args) if word]
            if words[:1] == ["systemctl"]:
                yield words


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_stops_or_restarts_what_sessions_hang_on(path):
    ending = [words for words in commands(path) if re.fullmatch(VERBS, "".join(words[1:2]))]
    assert [words for words in ending if len(words) < 3 or NEVER.fullmatch(words[-1])] == []


@pytest.mark.parametrize(
    "task, unit",
    [
        ("- ansible.builtin.service: {name: open-iscsi, state: restarted}", "open-iscsi"),
        ("- ansible.builtin.systemd_service: {name: iscsi.service, state: stopped}", "iscsi.service"),
        ("- block: [{ansible.builtin.command: systemctl --no-block restart iscsi}]", "iscsi"),
        ("- ansible.builtin.shell: {cmd: 'true && systemctl stop open-iscsi.service'}", "open-iscsi.service"),
        ("- handlers: [{service: {name: '{{ unit }}', state: restarted}}]", ""),
    ],
)
def test_the_look_out_sees_it_in_every_form(task, unit):
    assert told(task) == [unit]
    assert not unit or NEVER.fullmatch(unit)


def test_iscsid_alone_may_be_restarted():
    assert told("- ansible.builtin.service: {name: iscsid, state: restarted}") == ["iscsid"]
    assert not NEVER.fullmatch("iscsid") and not NEVER.fullmatch("iscsid.service")
