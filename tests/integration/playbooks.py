# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks of the collection, run against the lab as a user runs them, and what they said as data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, Lab

ROOT = Path(__file__).resolve().parents[2]
SAN = Path(__file__).resolve().parent / "san"
ENVIRONMENT = {
    **os.environ,
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
    "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    "ANSIBLE_HOME": str(ROOT / ".cache/ansible"),
}
LOCAL = {
    "ansible.builtin.assert",
    "ansible.builtin.include_vars",
    "ansible.builtin.set_fact",
    "ansible.builtin.debug",
}
LOCAL |= {
    "ansible.builtin.validate_argument_spec",
    "ansible.builtin.include_tasks",
    "ansible.builtin.include_role",
}


@dataclass(frozen=True)
class Played:
    """A playbook run that ended: its exit code, the result of each task on each host, and the counts."""

    rc: int
    results: list[tuple[str, str, dict[str, Any]]]  # host, task, result
    stats: dict[str, dict[str, int]]
    output: str

    def changed(self) -> dict[tuple[str, str], Any]:
        """What was (or would be) changed: host and task, with the sentences where the module says them."""
        return {
            (host, task): sentences(result) for host, task, result in self.results if result.get("changed")
        }

    def messages(self) -> str:
        """Why it failed."""
        return "\n".join(
            f"{host}: {task}: {result.get('msg')}"
            for host, task, result in self.results
            if result.get("failed") or result.get("unreachable")
        )

    def remote_tasks(self, host: str) -> list[str]:
        """The tasks that cost this host a round trip."""
        return [
            task
            for name, task, result in self.results
            if name == host and not result.get("skipped") and result.get("action") not in LOCAL
            for _round in result.get("results") or [None]
        ]


def sentences(result: dict[str, Any]) -> list[str]:
    """The steps that a module, or the rounds of a loop, told."""
    own = result.get("steps") or []
    return own + [
        step for each in result.get("results") or [] for step in sentences(each) if each.get("changed")
    ]


def command(
    lab: Lab,
    playbook: str,
    *options: str,
    hosts: list[Host],
    limit: list[Host] | None = None,
    variables: dict[str, Any],
) -> list[str]:
    """The command line that runs a playbook on an inventory of these hosts of the lab with the test SAN's data."""
    inventories = [f"{lab.inventory}/{host.name}.json" for host in hosts] + [str(SAN)]
    return [
        str(Path(sys.executable).parent / "ansible-playbook"),
        *(word for inventory in inventories for word in ("-i", inventory)),
        *(("--limit", ",".join(["localhost", *(host.name for host in limit)])) if limit else ()),
        *("-e", json.dumps(variables), *options, playbook),
    ]


def play(
    lab: Lab,
    playbook: str,
    *options: str,
    hosts: list[Host],
    limit: list[Host] | None = None,
    **variables: Any,
) -> Played:
    """Run a playbook as a user runs it."""
    ran = subprocess.run(
        command(lab, playbook, *options, hosts=hosts, limit=limit, variables=variables),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    return heard(ran.returncode, ran.stdout)


def heard(rc: int, output: str) -> Played:
    """What a run said."""
    try:
        told, _end = json.JSONDecoder().raw_decode(output, output.index("{\n"))
    except ValueError:
        raise AssertionError(f"The playbook ended with {rc}:\n{output}") from None
    results = [
        (host, task["task"]["name"], result)
        for one in told["plays"]
        for task in one["tasks"]
        for host, result in task["hosts"].items()
    ]
    return Played(rc, results, told["stats"], output)


def played(lab: Lab, playbook: str, *options: str, hosts: list[Host], **variables: Any) -> Played:
    """Run a playbook that must succeed."""
    ran = play(lab, playbook, *options, hosts=hosts, **variables)
    assert ran.rc == 0, ran.messages() or ran.output
    return ran


def reported(lab: Lab, *hosts: Host, **variables: Any) -> list[str]:
    """The lines of the report on these hosts; it says by its exit status whether the first of them is a fault."""
    ran = play(lab, "lunworks.iscsi.report", hosts=list(hosts), **variables)
    (lines,) = (
        result["ansible_facts"]["lunworks_report_lines"]
        for _host, task, result in ran.results
        if task == "Tell"
    )
    assert ran.rc == (0 if lines[0] == "No faults." else 2), ran.messages() or ran.output
    return [line.strip() for line in lines]
