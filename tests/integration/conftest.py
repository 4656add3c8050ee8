# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of a test run. Only the hosts that the chosen tests ask for are booted."""

from __future__ import annotations

import os
import time
import zlib
from typing import Iterator

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.tests.integration.harness import HOSTS, Host, Lab

BEGUN = time.monotonic()
FIRST = (
    "site",
    "targets",
    "nodes",
    "disk",
    "volume_group",
    "logical_volume",
    "mounts",
    "initiator_name",
    "iscsid_conf",
)
BOTH = ("test_site", "test_initiator_boot", "test_lab", "test_move")  # stories in which a distribution shows
SUITES = ("bookworm", "trixie")
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
        help="run a file in which no distribution shows on one suite only: one half of them on each",
    )
    group.addoption("--suites", default="bookworm,trixie", help="Debian suites to test on (default: both)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "suite" in metafunc.fixturenames:
        metafunc.parametrize("suite", metafunc.config.getoption("--suites").split(","), scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The whole chain first, then its parts from the bottom up; what is not named here comes after these."""
    if config.getoption("--spread"):
        left = [item for item in items if not elsewhere(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in left])
        items[:] = left
    names = [f"test_{name}" for name in FIRST]
    items.sort(key=lambda item: names.index(item.path.stem) if item.path.stem in names else len(names))


def elsewhere(item: pytest.Item) -> bool:
    """Whether a spread run leaves this test to another suite."""
    stem = item.path.stem
    suite = item.callspec.params.get("suite") if hasattr(item, "callspec") else None
    if suite is None:
        return SUITES[0] not in item.config.getoption("--suites").split(",")
    return stem not in BOTH and SUITES[zlib.crc32(stem.encode()) % len(SUITES)] != suite


def pytest_runtest_setup(item: pytest.Item) -> None:
    limit = item.config.getoption("--seconds")
    if limit and time.monotonic() - BEGUN > limit:
        pytest.skip(f"the {limit:g} seconds of this run are over")


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


@pytest.fixture(scope="session")
def long_story(request: pytest.FixtureRequest) -> None:
    """For stories that take many minutes."""
    if not request.config.getoption("--every-step"):
        pytest.skip("a long story: run with --every-step")
