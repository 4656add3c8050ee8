# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look, want, plan, refuse, take, look again: the one sentence that every module is.

Check mode, diff mode, 'changed', failure reporting and the second look live here and nowhere else.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass
from itertools import groupby
from typing import Any, Callable, Iterable, Iterator, Mapping

from ansible.module_utils.basic import AnsibleModule

from ._diff import states_diff, told_diff
from ._host import Host, Problem
from ._step import NAMED, Half, Partly, Secret, Step

LONGEST = 100  # characters of a value in a message
STATES = 2  # -vv: with --diff the states too
LINE = 1000  # characters of a line in the host's journal


class Resource:
    """What a module converges. A state is any value with equality; None when the thing is not there."""

    locks: tuple[str, ...] = ()  # files that are locked from the first look to the last one

    def heal(self, host: Host) -> None:
        """Clear what a run of ours that was killed has left and nobody wants, before the first look; not in check mode."""

    def look(self, host: Host) -> Any:
        """The state that is. Mutates nothing."""
        raise NotImplementedError

    def look_again(self, host: Host, before: Any) -> Any:
        """The state once the steps were taken. A resource that looks more briefly then has what it needs in 'before'."""
        return self.look(host)

    def want(self, seen: Any) -> Any:
        """The state that shall be; what the user left out is taken from 'seen'."""
        raise NotImplementedError

    def plan(self, seen: Any, want: Any) -> list[Step]:
        """The steps from one to the other. Pure; empty when nothing is to do."""
        raise NotImplementedError

    def refuse(self, seen: Any, want: Any, steps: list[Step]) -> None:
        """Raise a Problem where what is wanted, or a step towards it, could hurt. Pure."""

    def again(self, after: Any, want: Any) -> Any:
        """What shall be, asked again once the steps were taken: a host that is as asked for is what it shall be.

        A resource that does something at each call (a new login, a scan) says here what that must have led to.
        """
        return self.want(after)

    def changed(self, seen: Any, after: Any, steps: list[Step]) -> bool:
        """Whether the host is another one afterwards; a resource whose steps may find nothing to do compares."""
        return bool(steps)

    def notes(self, seen: Any, steps: list[Step]) -> Iterable[str]:
        """Warnings that go with the result."""
        return ()

    def show(self, state: Any) -> Any:
        """The state as people and templates get it: in the result and in the diff, without secrets."""
        return plain(state)

    def texts(self, state: Any) -> dict[str, str]:
        """The text files of this state that the diff shows, by path: what is asked for in them, without secrets."""
        return {}


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
    old: dict[str, str] = {}
    new: dict[str, str] = {}
    try:
        resources = make(module.params)
        with _locked(module, host, resources.values()):
            for name, resource in resources.items():
                seen = resource.look(host)
                want = resource.want(seen)
                own = resource.plan(seen, want)
                if not (module.check_mode and steps):
                    resource.refuse(seen, want, own)
                    if not own:
                        _compare(resource, seen, want, "The host")
                for note in resource.notes(seen, own):
                    module.warn(note)
                after = seen
                if own:
                    after = want if module.check_mode else _act(module, resource, seen, want, own, host)
                steps += own
                before[name], shown[name] = resource.show(seen), resource.show(after)
                old.update(resource.texts(seen))
                new.update(resource.texts(after))
                changed = changed or resource.changed(seen, after, own)
    except Half as half:
        module.fail_json(
            msg=str(half),
            changed=changed or half.changed,
            steps=[str(step) for step in steps + half.taken],
            steps_left=[str(step) for step in half.left],
            problems=half.problems,
        )
    except Problem as problem:
        done = {"changed": changed, "steps": [str(step) for step in steps]} if steps else {}
        module.fail_json(msg=str(problem), **done)
    result = {"changed": changed, "steps": [str(step) for step in steps], "state": told(shown)}
    if module._diff:
        result["diff"] = told_diff(result["steps"], old, new)
        if module._verbosity >= STATES:
            result["diff"] += [states_diff(told(before), told(shown))]
    module.exit_json(**result)


@contextmanager
def _locked(module: AnsibleModule, host: Host, resources: Iterable[Resource]) -> Iterator[None]:
    """Under the locks of all, in one order for everybody. A check run writes nothing and needs none."""
    with ExitStack() as held:
        for path in sorted({path for resource in resources for path in resource.locks}):
            if not module.check_mode:
                held.enter_context(host.lock(path))
        if not module.check_mode:
            host.tidy()
            for resource in resources:
                resource.heal(host)
        yield


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


def _act(
    module: AnsibleModule, resource: Resource, seen: Any, want: Any, steps: list[Step], host: Host
) -> Any:
    _take(steps, host, lambda line: module.log(_journal(line)))
    left: list[Step] = []
    try:
        after = resource.look_again(host, seen)
        again = resource.again(after, want)
        left = resource.plan(after, again)
        if left:
            raise Problem(f"The host still differs from what was requested: {_sentences(left)}")
        resource.refuse(after, again, left)
        _compare(resource, after, again, "The host still")
        beside = resource.plan(after, want)
    except Problem as problem:
        raise Half(steps, left, [f"All steps were taken, and then this was found: {problem}"]) from problem
    if beside:
        module.warn(
            "During this run somebody else changed something here that was not requested, and it was left as it is now: "
            f"{'; '.join(_differences(resource, after, want, 'was'))}. No action is needed unless that change was unintended."
        )
    return after


def _compare(resource: Resource, seen: Any, want: Any, who: str) -> None:
    """What needs no step must be as wanted; where it is not, the planner has no answer, and that must not pass."""
    if seen == want:
        return
    raise Problem(
        f"{who} differs from what was requested, and no step of this module changes that: "
        f"{'; '.join(_differences(resource, seen, want, 'not'))}."
    )


def _differences(resource: Resource, one: Any, other: Any, how: str) -> list[str]:
    """Some of what differs, with both values where they are shown; 'how' stands between them."""
    shown = [
        f"{name} is {_short(ours)}, {how} {_short(theirs)}"
        for name, ours, theirs in differing(resource.show(one), resource.show(other))
    ]
    return (shown or [name for name, _ours, _theirs in differing(one, other)])[:NAMED]


def differing(seen: Any, want: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ: the names on the way there, and what is there in each."""
    ours, theirs = _parts(seen), _parts(want)
    if ours is None or theirs is None:
        if seen != want:
            yield at or "the state", seen, want
        return
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        yield from differing(ours.get(name), theirs.get(name), f"{at}.{name}" if at else str(name))


def _parts(value: Any) -> dict[Any, Any] | None:
    """What a value is made of, by name (a thing's first field is its name) or number; None: it is one thing."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value) if field.compare}
    if not isinstance(value, (list, tuple)):
        return value if isinstance(value, dict) else None
    names = [next(iter((_parts(one) or {}).values()), None) for one in value]
    named = all(isinstance(name, str) for name in names) and len({*names}) == len(names)
    return {f"'{name}'" if named else number: one for number, (name, one) in enumerate(zip(names, value))}


def _short(value: Any) -> str:
    text = repr(plain(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _sentences(steps: Iterable[Step]) -> str:
    return " ".join(f"{step}." for step in steps)


def _journal(line: str) -> str:
    """A line for the host's journal (syslog): printable, as AnsibleModule ends a run over half a character."""
    return f"lunworks.iscsi {''.join(one if one.isprintable() else ' ' for one in line)}"[:LINE]


def _take(steps: list[Step], host: Host, say: Callable[[str], None] = lambda _line: None) -> None:
    """Each step is said before it is taken: the last one that was said is where a host that stands still, or fell, was."""
    taken: list[Step] = []
    for beside, group in groupby(steps, key=lambda step: type(step) if step.side_by_side else None):
        for batch in [list(group)] if beside else [[step] for step in group]:
            for step in batch:
                say(f"step: {step}")
            alone = len(batch) == 1
            outcomes = list(
                zip(batch, [batch[0].outcome(host)] if alone else type(batch[0]).together(batch, host))
            )
            taken += [step for step, problem in outcomes if problem is None]
            problems = [f"{step}: {problem}" for step, problem in outcomes if problem is not None]
            for line in problems:
                say(f"failed: {line}")
            if problems:
                done = {id(step) for step in taken}  # two steps may be equal
                partly = any(isinstance(problem, Partly) for _step, problem in outcomes)
                raise Half(taken, [step for step in steps if id(step) not in done], problems, partly)
