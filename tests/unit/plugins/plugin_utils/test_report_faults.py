# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says first: tests/unit/plans/report/cases.yml."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
import yaml

from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.reporting import reported

CASES = yaml.safe_load((Path(__file__).parents[2] / "plans/report/cases.yml").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_report(case):
    faults = reported(case.get("but"))["faults"]
    assert len(faults) == case.get("faults", 1), faults
    if faults:
        text, _arrow, todo = faults[0].partition(" -> ")
        assert text.startswith(case["first"])
        assert case.get("todo", "") in todo


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_picture_says_the_same_first_and_marks_what_it_is_about(case):
    told = reported(case.get("but"), format="html")
    page, faults = told["content"], told["document"]["faults"]
    said = [unescape(one) for one in re.findall(r"<li[^>]*>(?:<b>[^<]*</b> )?<span>([^<]*)</span>", page)]
    assert said == [fault["text"] for fault in faults]
    marked = set(re.findall(r'<g class="thing \w+ (?:fault|missing)" data-at="([0-9.]+)"', page))
    leads = re.findall(r'<li data-at="([0-9.]+)"', page)
    assert len(leads) == sum(bool(fault["about"]) for fault in faults)
    assert set(leads) <= marked


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_fault_is_about_something_that_is_drawn(case):
    document = reported(case.get("but"))["document"]
    keys = {
        (host, thing["key"])
        for view in document["views"]
        for thing in view["things"]
        for host in (view["host"], "")
    }
    assert {(fault["host"], key) for fault in document["faults"] for key in fault["about"]} <= keys


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_a_report_is_compared_with_itself_has_not_changed(case):
    document = reported(case.get("but"))["document"]
    again = reported(case.get("but"), since=document)
    assert again["lines"] == ["Nothing has changed since the last report."]
    assert again["faults"] == []
