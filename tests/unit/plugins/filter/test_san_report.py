# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import html.parser
import json
import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.report_answers import report_answers
from ansible_collections.lunworks.iscsi.plugins.filter.san_report import san_report
from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.reporting import recorded, reported

CUT = {"answers/db-a/initiator/sessions/0/state": "FAILED"}
EVIL = "\"'><script>hit()</script><img src=x onerror=hit()>\x1b[2J\nfault {{ 7*7 }}"
HOSTILE = {
    "answers/store1/targets/targets/0/luns/0/name": EVIL,
    "answers/db-a/initiator/sessions/0/state": EVIL,
    "answers/db-a/groups/groups/0/logical_volumes/0/mounts": [EVIL],
    "data/store1/target_targets/0/luns/0/name": EVIL,
    "data/db-a/volume_groups/0/luns/0/name": EVIL,
}


def test_a_lun_has_its_name_and_what_stands_on_it():
    lines = reported()["lines"]
    assert lines[0] == "No faults."
    at = lines.index("db-a (iqn.2026-01.com.example:db-a)")
    assert lines[at + 1 : at + 6] == [
        "    target iqn.2026-01.com.example:store1.db: store1",
        "      LUN db0: 256 MiB, LUN number 0, WWID 3600140500e0247a1964592da511314e2",
        "        path 10.77.1.11:3260: sda",
        "        path 10.77.2.11:3260: sdc",
        "        map 3600140500e0247a1964592da511314e2: 2 of 2 paths, Worst stall 75 s",
    ]
    assert "      volume /srv/db: data, xfs, 320 MiB" in lines


def test_faults_stand_first_once_and_what_they_are_about_is_marked():
    lines = reported(CUT)["lines"]
    assert lines[0] == "1 fault:"
    assert lines[1].startswith("  db-a: The way to 10.77.1.11:3260")
    assert "!       path 10.77.1.11:3260: sda: session FAILED" in lines
    assert sum("FAILED" in line for line in lines) == 3  # the fault, and a path of each LUN


def test_a_host_that_does_not_answer_is_named_and_the_rest_is_there():
    answers = {"answers/db-b": {"initiator": {"unreachable": True, "msg": "No route"}}}
    lines = reported(answers)["lines"]
    assert any("'db-b' does not answer (No route)." in line for line in lines[:2])
    assert "db-b (iqn.2026-01.com.example:db-b) DOES NOT ANSWER" in lines
    assert "      volume /srv/db: data, xfs, 320 MiB" in lines
    assert not any(line.startswith("-") for line in lines)  # nobody knows whether it is missing


def test_connections_that_were_lost_stand_with_their_host_and_are_no_fault():
    lost = {"answers/db-a/timers/connection_errors": [{"text": f"A session: conn error 1022 once. {EVIL}"}]}
    lines = reported(lost)["lines"]
    assert lines[0] == "No faults."
    at = lines.index("db-a (iqn.2026-01.com.example:db-a)")
    assert lines[at + 1].startswith("    kernel: A session: conn error 1022 once.")
    assert '<p class="lost">A session: conn error 1022 once.' in reported(lost, format="html")["content"]
    assert "<script>hit()" not in reported(lost, format="html")["content"]


def test_wanted_stands_beside_found():
    things = {
        thing["key"]: {fact["name"]: fact for fact in thing["facts"]}
        for view in reported(CUT)["document"]["views"]
        for thing in view["things"]
        if view["host"] == "db-a"
    }
    lun = things["lun 3600140500e0247a1964592da511314e2"]
    assert lun["Paths"] == {"name": "Paths", "found": "1", "wanted": "2"}
    assert lun["Size"] == {"name": "Size", "found": "256 MiB", "wanted": "256 MiB"}
    assert things["volume vg_db/data"]["Mounted on"] == {
        "name": "Mounted on",
        "found": "/srv/db",
        "wanted": "/srv/db",
    }


def test_data_alone_draws_what_would_be_and_finds_no_fault():
    san = recorded()
    made = san_report({}, san["data"], faults=["Two hosts have one name."], format="json")
    document = json.loads(made["content"])
    assert document == made["document"]
    assert made["faults"] == ["Two hosts have one name."]
    assert {thing["state"] for view in document["views"] for thing in view["things"]} == {"planned"}
    names = [
        thing["name"] for view in document["views"] if view["host"] == "db-a" for thing in view["things"]
    ]
    assert {"db0", "db1", "vg_db", "/srv/db", "10.77.1.11:3260"} <= set(names)
    assert "As the inventory wants it" in san_report({}, san["data"], format="html")["content"]


def test_what_changed_since_an_earlier_report():
    before = json.loads(reported(format="json")["content"])
    now = reported(CUT, since=before)
    assert now["lines"][0].startswith("new  db-a: The way to 10.77.1.11:3260 of 'store1' is down")
    assert "db-a: LUN db0: Paths was 2, is 1" in now["lines"]
    assert len(now["faults"]) == 1
    later = reported(CUT, since=now["document"])
    assert (later["faults"], later["lines"]) == ([], ["Nothing has changed since the last report."])
    back = reported(since=now["document"])
    assert back["lines"][0].startswith("gone db-a: The way to 10.77.1.11:3260")
    assert back["faults"] == []


def test_things_and_hosts_that_come_and_go_are_changes():
    less = reported({"answers/db-a/groups/groups": [], "data/db-a/volume_groups": []})["document"]
    less["views"] = [view for view in less["views"] if view["host"] != "db-b"]
    lines = reported(since=less)["lines"]
    assert "db-a: group vg_db: new" in lines
    assert "db-b: new in the report" in lines
    lines = reported({"answers/db-a/groups/groups": [], "data": {}}, since=reported()["document"])["lines"]
    assert "db-a: group vg_db: gone" in lines


@pytest.mark.parametrize("format", ["text", "json", "html", "mermaid"])
def test_no_secret_stands_in_any_format(format):
    assert "a secret of www" in json.dumps(recorded()["data"])
    assert "a secret of www" not in reported(format=format)["content"]
    assert "a secret of www" not in json.dumps(reported()["document"])


class Elements(html.parser.HTMLParser):
    """The names of the elements of a page, and the event attributes of any of them."""

    def __init__(self, page):
        super().__init__()
        self.names, self.attributes = [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes |= {name for name, _value in attrs}


def test_what_hosts_say_is_text_in_a_page():
    page = reported(HOSTILE, format="html")["content"]
    plain = Elements(reported(CUT, format="html")["content"])
    found = Elements(page)
    assert set(found.names) == set(plain.names)
    assert found.names.count("script") == 2
    assert found.attributes == plain.attributes
    assert "hit()" in page
    assert "<script>hit" not in page
    assert "<img" not in page


def test_a_page_fetches_nothing():
    page = reported(CUT, format="html")["content"]
    assert re.findall(r"https?:|//[a-z]|@import|url\(", page) == []
    assert "default-src 'none'" in html.unescape(page)


def test_what_hosts_say_moves_no_cursor_and_begins_no_line():
    report = reported(HOSTILE)
    assert "\x1b" not in report["content"]
    assert not any(line.startswith("fault") for line in report["content"].splitlines())
    assert len(report["content"].splitlines()) == len(report["lines"])


def test_what_hosts_say_is_no_markup_of_a_chart():
    chart = reported(HOSTILE, format="mermaid")["content"]
    assert chart.startswith("flowchart LR\n")
    assert re.findall(r'\["[^"]*[<>](?!br>)', chart.replace("<br>", "")) == []
    assert "\x1b" not in chart
    nodes = set(re.findall(r"^    (\w+)\[", chart, re.M))
    ends = re.findall(r"^    (\w+) --> (\w+)$", chart, re.M)
    assert ends
    assert {one for both in ends for one in both} <= nodes


def test_more_than_fifty_hosts_have_a_page_each():
    san = recorded(CUT)
    answers = {f"db-{number:02}": san["answers"]["db-b"] for number in range(52)}
    page = san_report(answers, {}, format="html")["content"]
    assert '<body class="many">' in page
    assert page.count('<section class="host"') == page.count("data-view=") / 2 == 52
    assert '<body class="few">' in reported(format="html")["content"]


@pytest.mark.parametrize("change", ["ALL", "*", "192.168.0.0/24"])
def test_what_is_no_initiator_name_and_no_portal_is_shown_as_it_is(change):
    group = {"name": "g", "initiators": [change], "luns": []}
    target = {"name": "iqn.2026-01.com.example:t", "portals": ["store.example.com:3260"], "igroups": [group]}
    data = {"store1": {"target_targets": [target]}, "h": None}
    report = san_report({}, data)
    told = report["content"] + json.dumps(report["document"])
    assert change in told and "store.example.com:3260" in told
    assert san_report({"h": None}, data)["lines"]


def test_data_that_is_refused_costs_the_data_and_not_the_report():
    report = san_report({}, {"a": {"initiator_nodes": ["no dictionary"]}}, ["a: this is wrong"])
    assert report["faults"] and "a: this is wrong" in report["content"]
    assert san_report({}, {"a": {"initiator_name": "nobody"}})["faults"]


def test_what_is_no_answer_or_no_format_is_refused():
    with pytest.raises(AnsibleFilterError, match="must be the results of initiator_info"):
        san_report({"a": {"initiator": {"sessions": [{}]}}})
    with pytest.raises(AnsibleFilterError, match="must be one of text, json, html, mermaid"):
        san_report({}, format="pdf")
    with pytest.raises(AnsibleFilterError, match="an earlier report"):
        reported(since={"no": "report"})


def test_a_host_has_what_it_answered_and_nothing_of_what_it_was_not_asked():
    said = {"sessions": []}
    variables = {
        "a": {"lunworks_report_initiator": said, "lunworks_report_targets": {"skipped": True}, "secret": 1},
        "store": {},
    }
    assert report_answers(variables) == {"a": {"initiator": said}, "store": {}}


DB, WWW = "iqn.2026-01.com.example:store1.db", "iqn.2026-01.com.example:store1.www"
DB0 = "3600140500e0247a1964592da511314e2"


@pytest.mark.parametrize(
    "sentence, about",
    [
        (f"The target '{DB}' is used by 'store1' and 'store2'; give each its own.", [f"target {DB}"]),
        (f"The serial 'x' is used by '{DB} db0' and '{WWW} www'.", ["lun db0", "lun www"]),
        (f"The WWID '{DB0.upper()}' is used by two.", ["lun db0"]),
        (
            f"'db-a' wants the LUN 'db9' of '{DB}' for 'vg_db', but 'store1' declares no such LUN.",
            [f"target {DB}"],
        ),
        (
            f"The igroup 'db' of '{WWW}' has the LUN 'db9', which 'store1' does not declare.",
            [f"target {WWW}"],
        ),
        (
            "The initiator name 'iqn.2026-01.com.example:DB-B' is used by 'db-a' and 'db-b'.",
            ["initiator db-b"],
        ),
        ("Nothing of this 'it's a name' is here.", []),
    ],
)
def test_a_sentence_about_the_san_is_about_what_it_names(sentence, about):
    san = recorded()
    document = san_report(san["answers"], san["data"], [sentence])["document"]
    (fault,) = document["faults"]
    things = {thing["key"]: thing for view in document["views"] for thing in view["things"]}
    assert (
        list(dict.fromkeys(f"{things[key]['kind']} {things[key]['name']}" for key in fault["about"])) == about
    )
    assert all(things[key]["state"] == "fault" for key in fault["about"])
