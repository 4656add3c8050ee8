# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, where, and what is left: said once, at its end."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: aggregate
short_description: Say at the end of a run what was changed on which host, what was refused, and what is left
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - After the recap each host is listed with the steps that the modules of this collection took there, and the tasks of other
    modules that changed something. In check mode these are the steps that a run would take.
  - A host that failed is listed with the message of its failure and the steps that were not taken.
  - Hosts with the same steps are listed together. Of more than 20 steps the first ones are listed and the others counted.
  - The lines of a report (C(lunworks.iscsi.report)) are printed as they are, where they are made.
  - The playbooks of this collection use it without any setting.
  - Nothing is printed where the output is JSON (C(stdout_callback=ansible.posix.json) or V(jsonl)).
notes:
  - In playbooks of your own it has to be enabled, as the example shows.
requirements:
  - in C(ansible.cfg) the line of the example, or the environment variable C(ANSIBLE_CALLBACKS_ENABLED), for your own playbooks
"""

EXAMPLES = r"""
ansible.cfg: |
  [defaults]
  callbacks_enabled = lunworks.iscsi.summary
"""

from collections import defaultdict
from typing import Any, Iterable, Iterator, Mapping

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase

MOST = 20  # sentences of one host
REPORT = "lunworks_report_lines"  # the fact of the playbook lunworks.iscsi.report
STOPPED = "stopped, since another host failed"


class CallbackModule(CallbackBase):
    """Collects what each task says it did."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "lunworks.iscsi.summary"
    CALLBACK_NEEDS_ENABLED = True

    printed = False  # it may be loaded twice: enabled, and beside the playbook
    reported: frozenset[str] = frozenset()  # tasks whose report was printed

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.done: dict[str, list[str]] = defaultdict(list)
        self.left: dict[str, list[str]] = defaultdict(list)
        self.said: dict[str, str] = {}
        self.check = bool(context.CLIARGS.get("check"))

    def v2_runner_on_ok(self, result: Any) -> None:
        self._take(result)
        lines = (result._result.get("ansible_facts") or {}).get(REPORT)
        if lines and result._task._uuid not in CallbackModule.reported and not _for_programs():
            CallbackModule.reported |= {result._task._uuid}
            for line in ["", *lines, ""]:
                self._display.display(_clean(str(line)))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        host = self._take(result)
        if not ignore_errors:
            self.said[host] = (
                f"failed: {'; '.join(_messages(result._result)) or result._task.get_name().strip()}"
            )

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self.said[result._host.get_name()] = "did not answer"

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if CallbackModule.printed or _for_programs():
            return
        CallbackModule.printed = True
        bad = {host: self.said.get(host, STOPPED) for host in {**stats.failures, **stats.dark}}
        lines = list(summary(sorted(stats.processed), self.done, bad, self.left, self.check))
        if lines:
            self._display.banner("SUMMARY (check run: nothing was changed)" if self.check else "SUMMARY")
            for line in lines:
                self._display.display(_clean(line))

    def _take(self, result: Any) -> str:
        """Note what this task did on its host, and on which other one when it was delegated."""
        host = str(result._host.get_name())
        there = result._result.get("_ansible_delegated_vars", {}).get("ansible_delegated_host", host)
        where = "" if there in (host, "localhost") else f" on {there}"
        if result._task.check_mode and not self.check:  # it only asked what a task would do
            return host
        for one in result._result.get("results") or [result._result]:
            if not isinstance(one, Mapping):
                continue
            if one.get("changed"):
                told = result._task.get_name().strip()
                self.done[host] += [f"{step}{where}" for step in one.get("steps") or [told]]
            self.left[host] += [f"{step}{where}" for step in one.get("steps_left") or []]
        return host


def _for_programs() -> bool:
    """Whether a program reads the output, and nothing may stand beside it."""
    return "json" in C.DEFAULT_STDOUT_CALLBACK


def summary(
    hosts: Iterable[str],
    done: Mapping[str, list[str]],
    bad: Mapping[str, str],
    left: Mapping[str, list[str]],
    check: bool,
) -> Iterator[str]:
    """The lines: hosts with the same outcome together, those that failed last, where eyes are."""
    outcomes: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for host in hosts:
        outcomes[tuple(_told(done.get(host, []), bad.get(host, ""), left.get(host, [])))].append(host)
    quiet = outcomes.pop((), [])
    if quiet:
        yield f"{', '.join(quiet)}: nothing to do" if check else f"{', '.join(quiet)}: nothing was changed"
    for told, names in sorted(outcomes.items(), key=lambda item: (_failed(item[1], bad), item[1])):
        yield f"{', '.join(names)}:"
        yield from told


def _failed(names: Iterable[str], bad: Mapping[str, str]) -> bool:
    return any(name in bad for name in names)


def _told(done: list[str], bad: str, left: list[str]) -> Iterator[str]:
    yield from _some([f"  - {step}" for step in done], "more steps")
    if bad:
        yield f"  {bad}"
    if left:
        yield "  not done:"
        yield from _some([f"  - {step}" for step in left], "more steps that were not taken")


def _some(lines: list[str], what: str) -> Iterator[str]:
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"  - and {len(lines) - MOST} {what}"


def _messages(result: Mapping[str, Any]) -> list[str]:
    """Why it failed, of each item that did."""
    items = [one for one in result.get("results") or [] if isinstance(one, Mapping)]
    # ansible-core 2.21 gives callbacks the items of a loop without 'failed'.
    failed = [one for one in items if one.get("failed", not one.get("changed") and not one.get("skipped"))]
    return [_message(one["msg"]) for one in failed or [result] if one.get("msg")]


def _message(msg: Any) -> str:
    """One sentence: what a task said as a list stands in full above."""
    if not isinstance(msg, list):
        return str(msg)
    return str(msg[0]) + (f" And {len(msg) - 1} more, listed above." if msg[1:] else "")


def _clean(text: str) -> str:
    """One line: what comes from a host neither begins another one nor moves the cursor."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "?" for char in text)
