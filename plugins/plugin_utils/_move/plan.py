# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a move: ORDER, walked over where the groups stand. A stage that is done is not in it.

The plan takes each stage in thought ('taken') before it asks the next one, so it is whole before the first step, and a run
that was interrupted anywhere continues with exactly the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

from .position import Standing
from .stage import Stage
from .stages.destination import Attach, Await, Connect, Finish, HookAfter, Record, Start
from .stages.source import (
    Deactivate,
    Export,
    Forget,
    HookBefore,
    Leave,
    LetGo,
    LogOut,
    Mark,
    Reattach,
    Unmount,
)
from .stages.storage import Admit, Serve, Show, Switch, Unmap

# From 'export' to 'start' there is no service: all that can be done before or after stands there.
ORDER: tuple[type[Stage], ...] = (
    Serve,
    Reattach,
    Mark,
    Show,
    Admit,
    Record,
    Connect,
    Attach,
    HookBefore,
    Unmount,
    Deactivate,
    Export,
    LetGo,
    LogOut,
    Switch,
    Connect,
    Await,
    Start,
    HookAfter,
    Forget,
    Unmap,
    Finish,
    Leave,
)


@dataclass(frozen=True)
class Planned:
    """A step: one stage on one host, for all groups that need it."""

    stage: type[Stage]
    host: str
    standings: tuple[Standing, ...]

    def names(self) -> list[str]:
        """The names of the groups."""
        return [one.group for one in self.standings]

    def say(self) -> list[str]:
        """The step in sentences, one for each group."""
        return [f"On '{self.host}': {self.stage.say(one, self.host)}" for one in self.standings]

    def plain(self) -> dict[str, Any]:
        """The step for the role: its name, where, what it says, and what its tasks need, for all groups at once."""
        merged: dict[str, Any] = {"targets": []}
        for one in self.standings:
            for key, value in self.stage.arguments(one, self.host).items():
                if key == "targets":
                    merge_targets(merged[key], value)
                else:
                    own = merged.setdefault(key, [])
                    own += [item for item in value if item not in own]
        return {
            "name": self.stage.name,
            "host": self.host,
            "groups": self.names(),
            "say": self.say(),
            **merged,
        }


def merge_targets(into: list[dict[str, Any]], more: list[dict[str, Any]]) -> None:
    """The igroups and LUNs of several groups, each target and igroup named once."""
    for target in more:
        same = next((one for one in into if one["name"] == target["name"]), None)
        if same is None:
            into.append(target)
            continue
        for new in target["igroups"]:
            old = next((one for one in same["igroups"] if one["name"] == new["name"]), None)
            if old is None:
                same["igroups"].append(new)
            else:
                old["luns"] += [lun for lun in new["luns"] if lun not in old["luns"]]


def plan(standings: list[Standing], hooks: frozenset[str] = frozenset()) -> list[Planned]:
    """The steps that are left, in order. 'hooks' names the optional stages that a user gave something to do."""
    steps: list[Planned] = []
    for stage in ORDER:
        if stage.optional and stage.name not in hooks:
            continue
        due = [one for one in standings if stage.due(one)]
        steps += _by_host(stage, due)
        standings = [stage.taken(one) if one in due else one for one in standings]
    return steps


def walk(standings: list[Standing], planned: Planned) -> list[Standing]:
    """Where the groups stand after a step: what the unit tests walk through, and the next plan begins with."""
    return [planned.stage.taken(one, planned.host) if one in planned.standings else one for one in standings]


def _by_host(stage: type[Stage], due: list[Standing]) -> Iterator[Planned]:
    hosts = sorted({host for one in due for host in stage.hosts(one)})
    for host in hosts:
        yield Planned(stage, host, tuple(one for one in due if host in stage.hosts(one)))
