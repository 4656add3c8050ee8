# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary at the end of a run: as data, and of real runs."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.lunworks.iscsi.plugins.callback.summary import MOST, summary
from ansible_collections.lunworks.iscsi.tests.unit.playing import run_playbook


def lines(hosts, done=None, bad=None, left=None, check=False):
    return list(summary(hosts, done or {}, bad or {}, left or {}, check))


def test_hosts_with_the_same_steps_are_told_together_and_failures_last():
    same = ["Create the target 't'"]
    told = lines(
        ["a", "b", "c", "d", "e"],
        {"b": ["Log in"], "c": same, "e": same},
        {"b": "failed: 'vg' is in use."},
        {"b": ["Mount it"]},
    )
    assert told == [
        "a, d: nothing was changed",
        "c, e:",
        "  - Create the target 't'",
        "b:",
        "  - Log in",
        "  failed: 'vg' is in use.",
        "  not done:",
        "  - Mount it",
    ]


def test_a_check_run_with_nothing_to_do_says_so():
    assert lines(["a", "b"], check=True) == ["a, b: nothing to do"]
    assert lines(["a"]) == ["a: nothing was changed"]
    assert lines([]) == []


def test_many_steps_are_counted():
    told = lines(["a"], {"a": [str(number) for number in range(MOST + 3)]})
    assert told[-2:] == [f"  - {MOST - 1}", "  - and 3 more steps"]


PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Write a file
      ansible.builtin.copy: {content: "x", dest: "DIR/{{ inventory_hostname }}"}
      when: inventory_hostname != 'c'
    - name: A step of ours is told as its sentence
      ansible.builtin.command: "true"
      register: ran
      changed_when: inventory_hostname == 'b'
    - name: What is ignored is no failure
      ansible.builtin.fail: {msg: Ignored.}
      ignore_errors: true
    - name: Ask what a task would do
      ansible.builtin.copy: {content: "y", dest: "DIR/{{ inventory_hostname }}"}
      check_mode: true
      when: inventory_hostname == 'a' and not ansible_check_mode
    - name: Refuse
      ansible.builtin.fail: {msg: "{{ item }} is in use.\\n\\e[31mc"}
      loop: [b1, b2]
      when: inventory_hostname == 'b'
    - name: What nobody may see
      ansible.builtin.fail: {msg: 'open sesame, 12'}
      when: inventory_hostname == 'c'
      no_log: true
"""


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_a_run_ends_with_it(tmp_path, monkeypatch, check):
    monkeypatch.setenv("ANSIBLE_CALLBACKS_ENABLED", "lunworks.iscsi.summary")
    hosts = dict.fromkeys("abc", {"ansible_connection": "local"})
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    (tmp_path / "play.yml").write_text(PLAY.replace("DIR", str(tmp_path)))
    ran = run_playbook(tmp_path, "-i", str(tmp_path / "hosts.json"), str(tmp_path / "play.yml"), *check)
    told = ran.stdout[ran.stdout.index("SUMMARY") :]
    assert ("check run: nothing was changed" in told) == bool(check)
    assert "a:\n  - Write a file\n" in told and "Ask what" not in told
    ours = (
        [] if check else ["  - A step of ours is told as its sentence"]
    )  # commands are skipped in a check run
    assert (
        "\n".join(["b:", "  - Write a file", *ours, "  failed: b1 is in use. ?[31mc; b2 is in use. ?[31mc"])
        in told
    )
    assert "c:\n  failed: " in told and "open sesame" not in told and "Ignored" not in told


def refused(tmp_path):
    twice = {"initiator_name": "iqn.2026-01.com.example:a"}
    hosts = {"compute": {"hosts": {"a": twice, "b": twice}}}
    (tmp_path / "hosts.json").write_text(json.dumps(hosts))
    ran = run_playbook(tmp_path, "-i", str(tmp_path / "hosts.json"), "lunworks.iscsi.site", "--check")
    assert ran.returncode != 0
    return ran


def test_playbooks_of_the_collection_end_with_it_once(tmp_path, monkeypatch):
    monkeypatch.setenv("ANSIBLE_CALLBACKS_ENABLED", "lunworks.iscsi.summary")
    ran = refused(tmp_path)
    assert ran.stdout.count("SUMMARY (check run: nothing was changed)") == 1
    told = ran.stdout[ran.stdout.index("SUMMARY") :]
    assert told.count("iqn.2026-01.com.example:a") == 1


def test_json_stays_json(tmp_path, monkeypatch):
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "ansible.posix.json")
    assert "SUMMARY" not in refused(tmp_path).stdout


def report_of(tmp_path, *arguments):
    """The report of a SAN whose data contradicts itself, without asking anybody."""
    twice = {"initiator_name": "iqn.2026-01.com.example:a"}
    (tmp_path / "hosts.json").write_text(json.dumps({"compute": {"hosts": {"a": twice, "b": twice}}}))
    inventory = ["-i", str(tmp_path / "hosts.json"), "lunworks.iscsi.report", "-e", "report_from=data"]
    ran = run_playbook(tmp_path, *inventory, *arguments)
    assert ran.returncode == 2, ran.stdout
    return ran.stdout


@pytest.mark.parametrize("enabled", [False, True])
def test_the_lines_of_a_report_are_printed_as_they_are_once(tmp_path, monkeypatch, enabled):
    if enabled:
        monkeypatch.setenv("ANSIBLE_CALLBACKS_ENABLED", "lunworks.iscsi.summary")
    said = report_of(tmp_path)
    fault = "  The initiator name 'iqn.2026-01.com.example:a' is used by 'a' and 'b'; give each its own."
    place = r"( \(.*hosts\.json.*\))?"  # not every ansible-core knows it
    lines = rf"\n\n1 fault:\n{re.escape(fault)}{place}\n\na \(iqn.2026-01.com.example:a\)\n"
    assert len(re.findall(lines, said)) == 1, said
    assert said.index(fault) < said.index("Faults: 1. They stand above") < said.index("SUMMARY")


def test_a_report_in_json_is_json_on_the_screen_and_one_for_programs_stays_theirs(tmp_path, monkeypatch):
    said = report_of(tmp_path, "-e", "report_format=json")
    document = json.loads(said[said.index("\n{\n") : said.index("\n}\n") + 3])
    assert [one["text"][:19] for one in document["faults"]] == ["The initiator name "]
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "ansible.posix.json")
    assert "\n\n1 fault:\n" not in report_of(tmp_path)
