# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look, want, plan, refuse, take, look again: the one sentence that every module is.

Check mode, diff mode, 'changed', failure reporting and the second look live here and nowhere else.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from itertools import groupby
from typing import Any, Callable, Iterable, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Secret, Step

NAMED = 3  # problems in one message


class Resource:
    """What a module converges. A state is any value with equality; None when the thing is not there."""

    def look(self, host: Host) -> Any:
        """The state that is. Mutates nothing."""
        raise NotImplementedError

    def want(self, seen: Any) -> Any:
        """The state that shall be; what the user left out is taken from 'seen'."""
        raise NotImplementedError

    def plan(self, seen: Any, want: Any) -> list[Step]:
        """The steps from one to the other. Pure; empty when nothing is to do."""
        raise NotImplementedError

    def refuse(self, seen: Any, steps: list[Step]) -> None:
        """Raise a Problem where the steps could hurt. Pure."""

    def changed(self, seen: Any, after: Any, steps: list[Step]) -> bool:
        """Whether the host is another one afterwards; a resource whose steps may find nothing to do compares."""
        return bool(steps)

    def notes(self, seen: Any, steps: list[Step]) -> Iterable[str]:
        """Warnings that go with the result."""
        return ()

    def show(self, state: Any) -> Any:
        """The state as people and templates get it: in the result and in the diff, without secrets."""
        return plain(state)


class Half(Exception):
    """Some steps were taken and some were not."""

    def __init__(self, taken: list[Step], left: list[Step], problems: list[str]) -> None:
        more = len(problems) - NAMED
        super().__init__(
            " ".join(problems[:NAMED] + ([f"And {more} more (see 'problems')."] if more > 0 else []))
        )
        self.taken, self.left, self.problems = taken, left, problems


def converge(
    module: AnsibleModule, make: Callable[[dict[str, Any]], Resource], host: Host | None = None
) -> None:
    """Bring the host to the wanted state, or in check mode say what that would take; ends the module."""
    _converge(module, lambda options: {"": make(options)}, host, lambda states: states[""])


def converge_in_turn(
    module: AnsibleModule,
    make: Callable[[dict[str, Any]], Mapping[str, Resource]],
    host: Host | None = None,
) -> None:
    """Several resources, each as it shall be before the next one is looked at; their states are told by name.

    A check run looks at all of them as they are now. What a later one would refuse is not asked there once an earlier one
    has something to do, since that may change the answer.
    """
    _converge(module, make, host, lambda states: states)


def _converge(
    module: AnsibleModule,
    make: Callable[[dict[str, Any]], Mapping[str, Resource]],
    host: Host | None,
    told: Callable[[dict[str, Any]], Any],
) -> None:
    host = Host() if host is None else host
    changed = False
    steps: list[Step] = []
    before: dict[str, Any] = {}
    shown: dict[str, Any] = {}
    try:
        for name, resource in make(module.params).items():
            seen = resource.look(host)
            want = resource.want(seen)
            own = resource.plan(seen, want)
            if not (module.check_mode and steps):
                resource.refuse(seen, own)
            for note in resource.notes(seen, own):
                module.warn(note)
            after = seen
            if own:
                after = want if module.check_mode else _act(resource, want, own, host)
            steps += own
            before[name], shown[name] = resource.show(seen), resource.show(after)
            changed = changed or resource.changed(seen, after, own)
    except Half as half:
        module.fail_json(
            msg=str(half),
            changed=changed or bool(half.taken),
            steps=[str(step) for step in steps + half.taken],
            steps_left=[str(step) for step in half.left],
            problems=half.problems,
        )
    except Problem as problem:
        done = {"changed": changed, "steps": [str(step) for step in steps]} if steps else {}
        module.fail_json(msg=str(problem), **done)
    result = {"changed": changed, "steps": [str(step) for step in steps], "state": told(shown)}
    if module._diff:
        result["diff"] = {"before": told(before), "after": told(shown)}
    module.exit_json(**result)


def tell(
    module: AnsibleModule,
    question: Callable[[dict[str, Any], Host], dict[str, Any]],
    host: Host | None = None,
) -> None:
    """Answer a question about the host; nothing is changed; ends the module."""
    try:
        answer = question(module.params, host or Host())
    except Problem as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(changed=False, **plain(answer))


def plain(value: Any) -> Any:
    """A state as lists and dictionaries, secrets masked."""
    if isinstance(value, Secret):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _act(resource: Resource, want: Any, steps: list[Step], host: Host) -> Any:
    _take(steps, host)
    try:
        after = resource.look(host)
        left = resource.plan(after, want)
    except Problem as problem:
        raise Half(steps, [], [f"All steps were taken, but the second look failed: {problem}"]) from problem
    if left:
        still = " ".join(f"{step}." for step in left)
        raise Half(
            steps, left, [f"All steps were taken, but the host still differs from what was wanted: {still}"]
        )
    return after


def _take(steps: list[Step], host: Host) -> None:
    taken: list[Step] = []
    for beside, group in groupby(steps, key=lambda step: type(step) if step.side_by_side else None):
        for batch in [list(group)] if beside else [[step] for step in group]:
            alone = len(batch) == 1
            outcomes = list(
                zip(batch, [batch[0].outcome(host)] if alone else type(batch[0]).together(batch, host))
            )
            taken += [step for step, problem in outcomes if problem is None]
            problems = [f"{step}: {problem}" for step, problem in outcomes if problem is not None]
            if problems:
                raise Half(taken, [step for step in steps if step not in taken], problems)
