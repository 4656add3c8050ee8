# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report in a real browser: faults first, details on a click, search, narrow, dark, print, many hosts."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.filter.san_report import san_report
from ansible_collections.lunworks.iscsi.tests.unit.plugins.filter.test_san_report import CUT, EVIL, HOSTILE
from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.reporting import recorded, reported

pytest.importorskip("selenium", reason="only the contributor's environment has it (requirements/dev.in)")

from ansible_collections.lunworks.iscsi.tests.unit.browser import show, started

DB0 = "lun 3600140500e0247a1964592da511314e2"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One for all; during the tests it has asked for nothing but files, and its own empty first page."""
    driver = started(tmp_path_factory.mktemp("profile"))
    yield driver
    messages = [json.loads(one["message"])["message"] for one in driver.get_log("performance")]
    asked = [
        one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"
    ]
    driver.quit()
    assert asked
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "chrome"}


@pytest.fixture
def page(browser, tmp_path):
    """Writes a page and opens it."""

    def opened(content, **window):
        file = tmp_path / "page.html"
        file.write_text(content)
        show(browser, file, **window)
        return lambda selector: [
            one for one in browser.find_elements("css selector", selector) if one.is_displayed()
        ]

    return opened


def cut(**window):
    return reported(CUT, format="html")["content"]


def colour(browser, selector, what="background-color"):
    return browser.find_element("css selector", selector).value_of_css_property(what)


def test_faults_stand_first_and_what_they_are_about_is_red(browser, page):
    seen = page(cut())
    (fault,) = seen("#faults li")
    assert fault.text.startswith("db-a The way to 10.77.1.11:3260 of 'store1' is down")
    top = [one.rect["y"] for one in (fault, seen("#hosts")[0], seen(".host")[0])]
    assert top == sorted(top)
    boxes = seen("svg .path.fault .box")
    assert len(boxes) == 2
    red = colour(browser, "#faults h2", "color")
    assert [box.value_of_css_property("stroke").replace("rgb(", "") for box in boxes] == [
        red.replace("rgba(", "").replace(", 1)", ")")
    ] * 2


def test_a_fault_of_no_single_host_marks_what_it_names_on_every_host_and_leads_there(browser, page):
    san = recorded()
    shared = (
        "The igroup 'db' of 'iqn.2026-01.com.example:store1.db' gives the LUNs 'db0' to 'db-a' and 'db-b'."
    )
    seen = page(san_report(san["answers"], san["data"], [shared], format="html")["content"])
    (fault,) = seen("#faults li")
    assert fault.rect["y"] < seen("#hosts")[0].rect["y"]
    marked = [one.get_attribute("aria-label").partition(",")[0] for one in seen("svg .thing.fault")]
    assert marked == ["LUN db0", "igroup db", "LUN db0"]
    assert [one.text.split("\n")[0] for one in seen("#hosts a.fault")] == ["store1", "db-a", "db-b"]
    fault.click()
    assert shared in seen("#details .why")[0].text


def test_it_is_drawn_from_left_to_right(page):
    seen = page(cut())
    columns = [
        {round(one.rect["x"]) for one in seen(f"#v1 svg .{kind} .box")}
        for kind in ("target", "lun", "path", "map", "group", "volume")
    ]
    assert all(len(column) == 1 for column in columns)
    left = [next(iter(column)) for column in columns]
    assert left == sorted(set(left))


def test_a_click_shows_details_with_wanted_beside_found(browser, page):
    seen = page(cut())
    assert not seen("#details")
    seen("#v1 svg .lun")[0].click()
    (details,) = seen("#details")
    assert details.text.startswith("×\ndb0\nLUN on db-a\nWanted Found\nName db0 db0")
    assert "Paths 2 1" in details.text
    assert [row.text for row in seen("#details tr.differs")] == ["Paths 2 1"]
    browser.switch_to.active_element.send_keys("\ue00c")  # Escape
    assert not seen("#details")


def test_a_click_on_a_fault_shows_what_it_is_about_and_the_keyboard_does_too(browser, page):
    seen = page(cut())
    (fault,) = seen("#faults li")
    fault.click()
    assert "The way to 10.77.1.11:3260" in seen("#details .why")[0].text
    seen("#details button")[0].click()
    assert not seen("#details")
    box = seen("#v1 svg .group")[0]
    browser.execute_script("arguments[0].focus()", box)
    browser.switch_to.active_element.send_keys("\ue007")  # Enter
    assert seen("#details h3")[0].text == "vg_db"


def test_search_leaves_what_it_finds(browser, page):
    seen = page(cut())
    seen("#search")[0].send_keys("3600140500e0247a")
    assert [one.text.split("\n")[0] for one in seen("#hosts a")] == ["db-a", "store1"]
    assert not seen("#v2")
    bright = browser.find_elements("css selector", "#v1 svg .thing:not(.dim) .name")
    assert [one.text for one in bright] == ["db0", "360014050…1314e2"]
    seen("#search")[0].clear()
    seen("#search")[0].send_keys("/srv/www")
    assert [one.text.split("\n")[0] for one in seen(".host h2")] == [
        "db-b compute · iqn.2026-01.com.example:db-b"
    ]
    assert not seen("#faults li")


def test_on_a_phone_it_is_a_list_that_fits(browser, page):
    seen = page(cut(), wide=390, high=800)
    assert not seen("svg")
    assert len(seen("#v1 .tree .path.fault")) == 2
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    seen("#v1 .tree .lun")[0].click()
    details = seen("#details")[0].rect
    assert (details["x"], details["width"]) == (0, 390)


def test_dark_is_dark_where_the_system_is_and_on_a_click(browser, page):
    seen = page(cut())
    light = colour(browser, "body")
    page(cut(), dark=True)
    dark = colour(browser, "body")
    brightness = [sum(map(int, one.strip("rgba()").split(",")[:3])) for one in (light, dark)]
    assert brightness[0] > 600
    assert brightness[1] < 150
    seen("#theme")[0].click()
    assert colour(browser, "body") == light
    seen("#theme")[0].click()
    assert colour(browser, "body") == dark


def test_print_has_the_drawing_and_nothing_to_click(browser, page):
    seen = page(cut(), wide=700, dark=True)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    assert len(seen(".host svg")) == 3
    assert not seen("#search")
    assert colour(browser, "body") == "rgba(255, 255, 255, 1)"


def test_many_hosts_have_an_overview_and_a_page_each(browser, page):
    san = recorded(CUT)
    answers = {f"db-{number:02}": san["answers"]["db-a" if number == 3 else "db-b"] for number in range(52)}
    seen = page(san_report(answers, {}, format="html")["content"])
    assert len(seen("#hosts a")) == 52
    assert not seen(".host")
    next(one for one in seen("#faults li[data-at]") if one.text.startswith("db-03")).click()
    (host,) = seen(".host")
    assert host.text.startswith("All hosts\ndb-03")
    assert seen("#details")


def test_what_hosts_say_harms_nothing(browser, page):
    seen = page(reported(HOSTILE, format="html")["content"])
    browser.execute_script("window.hit = () => { document.title = 'harmed'; }")
    for box in seen("#v1 svg .thing"):
        browser.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", box)
        assert (
            browser.execute_script("return document.querySelectorAll('#details script, #details img').length")
            == 0
        )
    names = browser.execute_script(
        "return JSON.parse(document.getElementById('data').textContent).views[1].things.map(t => t.name)"
    )
    assert EVIL in names
    assert "harmed" not in browser.title
    severe = [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]
    assert severe == []
