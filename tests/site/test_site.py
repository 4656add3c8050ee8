# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site as tools/docs has built it: what a newcomer finds from the front page, and how it looks in a browser."""

from __future__ import annotations

from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ansible_collections.lunworks.iscsi.tests.unit.browser import resize, show, started
from ansible_collections.lunworks.iscsi.tests.unit.playbook_variables import PLAYBOOKS, settable

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / ".cache/docs/build/html"
FRONT = SITE / "index.html"
PAGES = [
    "index.html",
    "docsite/guide_first_san.html",
    "docsite/guide_multipath.html",
    "docsite/guide_playbooks.html",
    "docsite/playbook_report.html",
    "modules_compute.html",
    "nodes_module.html",
    "target_role.html",
]
# Each kind of link to a page of the reference, by what Ansible calls it.
KINDS = ("module", "role", "filter", "lookup", "test", "callback")
WINDOWS = [(wide, dark) for wide in (1280, 390) for dark in (False, True)]


class Page(HTMLParser):
    """The links in the text of a page and beside it, the places that links can name, terms that it explains, headings."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.places, self.inside = path, set(), []
        self.of_text, self.beside, self.terms, self.headings = [], [], [], []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.places.update(filter(None, (named.get("id"),)))
        self.inside.append(tag)
        if tag == "a" and named.get("href"):
            (self.of_text if "article" in self.inside else self.beside).append(named["href"])
        if tag == "dt":
            self.terms.append("")
        if tag in ("h1", "h2"):
            self.headings.append("")

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data):
        if "dt" in self.inside:
            self.terms[-1] += data
        if {"h1", "h2"} & set(self.inside):
            self.headings[-1] += data.strip("\n")

    def leads_to(self, links):
        """The pages of the site that one click on these links reaches."""
        local = (link.partition("#")[0] for link in links if "://" not in link)
        return {(self.path.parent / link).resolve() for link in local if link.endswith(".html")}


@lru_cache(maxsize=None)
def read(path: Path) -> Page:
    return Page(path)


@pytest.fixture(scope="module", autouse=True)
def built():
    assert FRONT.exists(), "tools/docs builds the site"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = started(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


def clicked(*paths):
    """The pages that a click in the text of one of these reaches; the navigation beside it has them too."""
    return set().union(*(read(path).leads_to(read(path).of_text) for path in paths))


def test_every_link_of_the_front_page_leads_somewhere():
    page = read(FRONT)
    local = [link for link in page.of_text + page.beside if "://" not in link]
    lost = []
    for link in local:
        path, _mark, place = link.partition("#")
        there = (SITE / path) if path else FRONT
        if not there.is_file() or place and place not in read(there).places:
            lost.append(link)
    assert len(local) > 100
    assert lost == []


@pytest.mark.parametrize(
    "title", ["Your first SAN", "Adopting an existing SAN", "Moving volume groups", "Safety guarantees"]
)
def test_a_newcomer_finds_a_guide_with_one_click(title):
    titles = [heading for path in clicked(FRONT) for heading in read(path).headings[:1]]
    assert [one for one in titles if one.startswith(title)]


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_variables_of_a_playbook_are_two_clicks_away(playbook):
    page = SITE / f"docsite/playbook_{playbook}.html"
    explained = {word for term in read(page).terms for word in term.replace(",", " ").split()}
    assert page in clicked(*clicked(FRONT))
    assert settable(playbook) <= explained


def test_the_navigation_has_every_module_and_role_and_no_plugin_that_only_our_playbooks_use():
    ours = {path.stem for kind in KINDS for path in SITE.glob(f"*_{kind}.html")}
    shown = {path.stem for path in read(FRONT).leads_to(read(FRONT).beside)} & ours
    modules = {f"{path.stem}_module" for path in (ROOT / "plugins/modules").glob("[!_]*.py")}
    roles = {f"{path.name}_role" for path in (ROOT / "roles").iterdir() if path.is_dir()}
    assert sorted((modules | roles) - shown) == []
    assert sorted(shown - modules - roles) == [
        "array_test",
        "duplicate_initiator_names_filter",
        "san_data_lookup",
        "san_faults_filter",
        "san_report_filter",
        "summary_callback",
        "to_initiator_name_filter",
    ]


@pytest.mark.parametrize(
    "page", ["lun_module", "nodes_module", "multipath_info_module", "to_initiator_name_filter"]
)
def test_examples_stand_right_after_the_synopsis(page):
    path = SITE / f"{page}.html"
    headings = [heading.strip("¶") for heading in read(path).headings]
    assert headings[1:3] == ["Synopsis", "Examples"]
    assert "ansible-galaxy collection install" not in path.read_text()  # the note that would be on every page


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_no_wider_than_its_window_and_its_text_stands_out(browser, page):
    show(browser, SITE / page)
    for wide, dark in WINDOWS:
        resize(browser, wide, dark=dark)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= wide
        paper, ink = (brightness(browser, what) for what in ("background-color", "color"))
        assert paper < 60 and ink > paper + 120 if dark else paper > 220 and ink < paper - 120


def brightness(browser, what):
    colour = browser.find_element("css selector", "body").value_of_css_property(what)
    return sum(float(part) for part in colour.partition("(")[2].strip(")").split(",")[:3]) / 3


@pytest.mark.parametrize("wide, dark", WINDOWS)
def test_one_drawing_is_seen_whole_and_can_be_read(browser, wide, dark):
    show(browser, FRONT, wide, dark=dark)
    (drawing,) = [one for one in browser.find_elements("css selector", "svg.san") if one.is_displayed()]
    assert drawing.rect["x"] >= 0
    assert drawing.rect["x"] + drawing.rect["width"] <= wide
    names = browser.execute_script(NAMES, drawing)
    assert names.count("Portal") == names.count("Session") == 2
    assert {
        "Backstore",
        "LUN",
        "Target (TPG)",
        "igroup (ACL)",
        "Multipath map",
        "PV",
        "VG",
        "LV",
        "Mount",
    } <= set(names)
    assert min(browser.execute_script(HEIGHTS, drawing)) >= 9
    assert browser.execute_script(BEYOND, drawing) == []
    assert drawing.accessible_name == "From backstore to mount"


NAMES = "return [...arguments[0].querySelectorAll('.name')].map(one => one.textContent)"
HEIGHTS = "return [...arguments[0].querySelectorAll('text')].map(one => one.getBoundingClientRect().height)"
# The texts that are wider than the box in which they stand.
BEYOND = """
return [...arguments[0].querySelectorAll('a')].filter(one => one.querySelector('.box')).flatMap(one => {
    const box = one.querySelector('.box').getBoundingClientRect()
    return [...one.querySelectorAll('text')].filter(text => text.getBoundingClientRect().width > box.width - 4)
        .map(text => text.textContent)
})
"""


def test_a_box_of_the_drawing_leads_to_its_page(browser):
    show(browser, FRONT)
    next(one for one in browser.find_elements("css selector", ".san-wide a") if "LUN" in one.text).click()
    assert "lun" in browser.current_url
    assert browser.find_element("css selector", "h1").text.startswith("lunworks.iscsi.lun module")
