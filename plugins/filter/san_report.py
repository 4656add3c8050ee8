# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands where: the storage of all hosts as text, JSON, one HTML file or a Mermaid chart, faults first."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..module_utils._host import Problem
from ..plugin_utils._report.changes import changes_of
from ..plugin_utils._report.mermaid import mermaid_of
from ..plugin_utils._report.model import Report
from ..plugin_utils._report.page import page_of
from ..plugin_utils._report.report import report_of
from ..plugin_utils._report.text import fault_line, text_of

DOCUMENTATION = r"""
name: san_report
short_description: Report the storage of hosts, from target to mount, faults first
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Puts the results of the info modules of all hosts together and compares them with each other and with the data of the
    inventory.
  - Used by the playbook C(lunworks.iscsi.report), which asks the hosts.
  - Without results it shows what the data would make.
positional: _input
options:
  _input:
    description:
      - The results by the names of the hosts. Of a compute host C(initiator), C(timers), C(groups) and C(paths), the results of
        M(lunworks.iscsi.initiator_info), M(lunworks.iscsi.timers_info), M(lunworks.iscsi.volume_group_info) and
        M(lunworks.iscsi.path_info); of a storage host C(targets), the result of M(lunworks.iscsi.target_info).
      - A result without what its module returns (the host was unreachable, or the module failed) is reported as a fault.
    type: dict
    required: true
  data:
    description: The data of the hosts by their names, as P(lunworks.iscsi.san_data#lookup) returns it under C(hosts).
    type: dict
    default: {}
  faults:
    description: Sentences about contradictions in the data, such as those of P(lunworks.iscsi.san_faults#filter).
    type: list
    elements: str
    default: []
  format:
    description: What to make of it.
    type: str
    choices: [text, json, html, mermaid]
    default: text
  since:
    description: An earlier report, as RV(_value.document). The text then has only what is different.
    type: dict
  made:
    description: When the hosts were asked, to be shown.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: What stands where
  ansible.builtin.debug:
    msg: "{{ ({inventory_hostname: {'initiator': answer}} | lunworks.iscsi.san_report).lines }}"

- name: A picture of what the inventory would make
  ansible.builtin.copy:
    content: "{{ ({} | lunworks.iscsi.san_report(data=san.hosts, format='html')).content }}"
    dest: san.html
    mode: "0600"
  delegate_to: localhost
  vars:
    san: "{{ query('lunworks.iscsi.san_data') | first }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
  contains:
    faults:
      description: One line for each fault, the gravest first; with O(since) only the new ones.
      type: list
      elements: str
    lines:
      description: The report, or with O(since) what is different, as lines of text.
      type: list
      elements: str
    content:
      description: The report in the format that was asked for.
      type: str
    document:
      description: The report as data.
      type: dict
"""

PARTS = Path(__file__).resolve().parent.parent / "plugin_utils/_report"


def san_report(
    answers: Mapping[str, Mapping[str, Any]],
    data: Mapping[str, Mapping[str, Any]] | None = None,
    faults: Sequence[str] = (),
    format: str = "text",
    since: Mapping[str, Any] | None = None,
    made: str = "",
) -> dict[str, Any]:
    """The report in one of its formats."""
    if format not in FORMATS:
        raise AnsibleFilterError(
            f"The format of a report is '{format}'; it must be one of {', '.join(FORMATS)}."
        )
    try:
        report = _report(
            {host: one or {} for host, one in answers.items()},
            {host: one or {} for host, one in (data or {}).items()},
            faults,
            made,
        )
        changes = changes_of(report, since) if since else None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnsibleFilterError(
            "The input must be the results of initiator_info, timers_info, volume_group_info, path_info and target_info by host, "
            f"and an earlier report must be one that was written as JSON: {error!r}"
        ) from error
    lines = changes.lines() if changes else text_of(report)
    return {
        "faults": [fault_line(fault).strip() for fault in (changes.new if changes else report.faults)],
        "lines": lines,
        "content": "\n".join(lines) + "\n" if format == "text" else FORMATS[format](report),
        "document": json.loads(FORMATS["json"](report)),
    }


def _report(answers: Mapping[str, Any], data: Mapping[str, Any], faults: Sequence[str], made: str) -> Report:
    try:
        return report_of(answers, data, faults, made)
    except Problem as problem:
        said = [*faults, f"The data of the inventory is not shown: {problem}"]
        return report_of(answers, {}, said, made)
    except (KeyError, TypeError, AttributeError, ValueError):
        if answers or not faults:
            raise
        return report_of({}, {}, faults, made)  # the faults say what form the data does not have


def _html(report: Report) -> str:
    return page_of(report, (PARTS / "page.css").read_text("utf-8"), (PARTS / "page.js").read_text("utf-8"))


FORMATS = {
    "text": lambda report: "\n".join(text_of(report)) + "\n",
    "json": lambda report: json.dumps(asdict(report), indent=1) + "\n",
    "html": _html,
    "mermaid": lambda report: "\n".join(mermaid_of(report)) + "\n",
}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"san_report": san_report}
