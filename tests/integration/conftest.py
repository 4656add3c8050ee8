# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of a test run. Only the hosts that the chosen tests ask for are booted."""

from __future__ import annotations

import collections
import functools
import os
import re
import time
from pathlib import Path
from typing import Iterator

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.tests.integration.harness import HOSTS, SUITES, Host, Lab
from ansible_collections.lunworks.iscsi.tests.integration.own_disks import OwnDisks

BEGUN = time.monotonic()
FIRST = (
    "site",
    "targets",
    "nodes",
    "disk",
    "volume_group",
    "logical_volume",
    "mounts",
    "storm",
    "initiator_name",
    "iscsid_conf",
)
BOTH = ("test_site", "test_initiator_boot")  # stories in which a distribution shows
# Each runs one half of the rest in a spread run; a suite beyond them runs the stories alone.
HALVES = SUITES[:2]
LONG = {
    "test_storm": 30,
    "test_tgt_site": 10,
    "test_tgt_move": 10,
}  # files that take as long as so many tests
SHOWN: set[Path] = set()
ROLES = {"storage": "store", "compute": "db", "spare": "spare"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lab")
    group.addoption("--lab", default="test", help="the lab's name (default: test)")
    group.addoption(
        "--keep-lab", action="store_true", help="leave the lab up, and use it again in the next run"
    )
    group.addoption(
        "--every-step",
        action="store_true",
        help="long stories too: dead hosts, many groups, power and cables of every machine cut at every step (hours)",
    )
    group.addoption(
        "--seconds",
        type=float,
        default=0,
        help="skip what has not begun after so many seconds (default: never)",
    )
    group.addoption(
        "--spread",
        action="store_true",
        help="run what no distribution shows in on bookworm or trixie only, one half of the files on each; 'once' too",
    )
    group.addoption(
        "--queue",
        default="",
        metavar="DIRECTORY",
        help="take only files that no other run with this directory has taken: several runs share the work",
    )
    group.addoption("--suites", default=",".join(SUITES), help="Debian suites to test on (default: all)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "suite" in metafunc.fixturenames:
        metafunc.parametrize("suite", metafunc.config.getoption("--suites").split(","), scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The whole chain first, then its parts from the bottom up; what is not named here comes after these."""
    if config.getoption("--spread"):
        homes = spread(items)
        left = [
            item for item in items if homes[unit(item)] in (None, *config.getoption("--suites").split(","))
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in left])
        items[:] = left
    names = [f"test_{name}" for name in FIRST]
    items.sort(key=lambda item: names.index(item.path.stem) if item.path.stem in names else len(names))


def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """A file that another run with the same queue has taken is passed over, as if it were not there."""
    queue = item.config.getoption("--queue")
    return True if queue and not taken(Path(queue), item.path.stem) else None


@functools.lru_cache(maxsize=None)
def taken(queue: Path, name: str) -> bool:
    """Whether this run is the first to ask for a file."""
    queue.mkdir(parents=True, exist_ok=True)
    try:
        (queue / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def unit(item: pytest.Item) -> str:
    """What a spread run gives to one suite as a whole: a file, or in a story of all suites a test marked 'once'."""
    once = item.path.stem in BOTH and item.get_closest_marker("once")
    return f"{item.path.stem} {re.sub('|'.join(SUITES), '', item.name)}" if once else item.path.stem


def spread(items: list[pytest.Item]) -> dict[str, str | None]:
    """The suite of each unit, or None for all; the longest units (by their number of tests) first, to the one with less."""
    sizes = collections.Counter(unit(item) for item in items if "long_story" not in item.fixturenames)
    sizes.update({name: LONG[name] for name in LONG.keys() & sizes.keys()})
    loads = dict.fromkeys(HALVES, 0)
    homes: dict[str, str | None] = dict.fromkeys(map(unit, items), HALVES[0])
    for name, size in sorted(sizes.items(), key=lambda one: (-one[1], one[0])):
        homes[name] = None if name in BOTH else min(HALVES, key=lambda suite: loads[suite])
        if homes[name]:
            loads[homes[name]] += size
    return homes


def pytest_runtest_setup(item: pytest.Item) -> None:
    limit = item.config.getoption("--seconds")
    if limit and time.monotonic() - BEGUN > limit:
        pytest.skip(f"the {limit:g} seconds of this run are over")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure is shown with the last words of the hosts that the test had; a file's first one alone."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and item.path not in SHOWN:
        SHOWN.add(item.path)
        for role in ROLES:
            host = getattr(item, "funcargs", {}).get(role)
            if host:
                report.sections.append((f"the kernel of {host.name}", host.last_words()))


def needed(item: pytest.Item) -> set[str]:
    """The hosts that a test asks for, by its fixtures."""
    suite = item.callspec.params.get("suite") if hasattr(item, "callspec") else None
    return {f"{ROLES[name]}-{suite}" for name in ROLES if suite and name in getattr(item, "fixturenames", ())}


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The lab with all hosts booted that this run needs."""
    config = request.config
    keep = config.getoption("--keep-lab")
    lab = Lab(config.getoption("--lab"))
    names = set().union(*(needed(item) for item in request.session.items))
    try:
        lab.up([name for name in HOSTS if name in names], owner=None if keep else os.getpid())
    except Problem as problem:
        lab.down()
        pytest.exit(f"The lab does not come up: {problem}", returncode=3)
    yield lab
    if not keep:
        lab.down()


@pytest.fixture(scope="session")
def storage(lab: Lab, suite: str) -> Host:
    """The storage host of a suite."""
    return lab.host(f"store-{suite}")


@pytest.fixture(scope="session")
def compute(lab: Lab, suite: str) -> Host:
    """The compute host of a suite."""
    return lab.host(f"db-{suite}")


@pytest.fixture(scope="session")
def spare(lab: Lab, suite: str) -> Host:
    """A second compute host of a suite."""
    return lab.host(f"spare-{suite}")


@pytest.fixture
def disks(compute: Host) -> Iterator[OwnDisks]:
    """Empty disks of the compute host's own; whatever LVM made of them goes with them."""
    made = OwnDisks(compute)
    yield made
    compute.run(
        "umount /mnt/vg; dmsetup ls | grep ^vg_ | cut -f1 | xargs -r -n1 dmsetup remove --force;"
        " rm -f /etc/lvm/backup/vg_* /etc/lvm/archive/vg_*",
        check=False,
    )
    made.close()


@pytest.fixture(scope="session")
def long_story(request: pytest.FixtureRequest) -> None:
    """For stories that take many minutes."""
    if not request.config.getoption("--every-step"):
        pytest.skip("a long story: run with --every-step")
