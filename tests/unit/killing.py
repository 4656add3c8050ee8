# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted host on which the module that uses it is killed at any of its calls that changes something.

No list says which calls those are: all calls of all methods of 'Host' are seen, and those that changed the host count.
"""

from __future__ import annotations

import copy
from concurrent.futures import Future

from ansible_collections.lunworks.iscsi.plugins.module_utils import _converge as converge
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Host


class Killed(BaseException):
    """The end of a process: no code catches it, and what it would do on its way out is not done either."""


class Ended(Exception):
    """A module told its result."""


class Module:
    """What 'converge' needs of an AnsibleModule."""

    check_mode = _diff = False

    def __init__(self, params):
        self.params = params

    def warn(self, text):
        """Warnings are not looked at."""

    def log(self, msg):
        """Nor is the journal."""

    def exit_json(self, **result):
        raise Ended(result)

    def fail_json(self, **result):
        raise Ended({"failed": True, **result})


def state_of(host):
    """All that a module can change on a scripted host."""
    return copy.deepcopy((host.files, host.runs, host.cards))


class Mortal(Host):
    """A scripted host. Before its call number 'end' the process is killed; 'changing' are the calls that changed it."""

    def __init__(self, host, end=None):
        self.host, self.end = host, end
        self.calls, self.changing, self.dead = 0, [], False

    def _called(self, name, given, named):
        self.dead = self.dead or self.calls == self.end
        if self.dead:
            raise Killed
        number, self.calls = self.calls, self.calls + 1
        before = None if self.end is not None else (repr(state_of(self.host)), len(self.host.did))
        answer = getattr(self.host, name)(*given, **named)
        if before and before != (repr(state_of(self.host)), len(self.host.did)):
            self.changing.append(number)
        return answer


def _forwarded(name):
    return lambda self, *given, **named: self._called(name, given, named)


for _name in [name for name in vars(Host) if not name.startswith("_")]:
    setattr(Mortal, _name, _forwarded(_name))


class InTurn:
    """A pool of threads that is none: one after the other, in the same order each time."""

    def __init__(self, workers=None):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        pass

    def map(self, act, things):
        return list(map(act, things))

    def submit(self, act, *given):
        future = Future()
        future.set_result(act(*given))
        return future


def run(resources, host):
    """The result of a module with these resources, made again each time; a killed one has none."""
    try:
        made = resources()
        converge._converge(Module({}), lambda _options: dict(enumerate(made)), host, lambda states: states)
    except Ended as ended:
        return ended.args[0]
    except Killed:
        return {}
    raise AssertionError("a module that does not end")


def points_of(resources, host):
    """The calls of an undisturbed run that changed the host, and one more: the end of the run. None: it does not end well."""
    watched = Mortal(host)
    result = run(resources, watched)
    after = state_of(host)
    if result.get("failed") or run(resources, host)["changed"]:
        return None
    assert state_of(host) == after, "a run that reports no change changes nothing"
    return [*watched.changing, watched.calls - 1] if watched.changing else []


def healed(resources, host, end):
    """Whether a run that is killed there, and another one, bring the host to where it shall be; what they did."""
    assert run(resources, Mortal(host, end)) == {}, "killed"
    host.process += 1
    result = run(resources, host)
    assert not result.get("failed"), f"{host.did}: {result['msg']}"
    return host.did
