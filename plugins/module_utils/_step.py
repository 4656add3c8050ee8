# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step of a plan, what came of several, and a text that nobody may see."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, Sequence, TypeVar

from ._host import Host, Problem

S = TypeVar("S")
SOME = 16  # slow steps at once
NAMED = 3  # problems in one message


class Partly(Problem):
    """A step went wrong on its way: something was changed."""


class Half(Exception):
    """Some steps were taken and some were not; 'partly': one of these was begun."""

    def __init__(
        self, taken: list[Step], left: list[Step], problems: list[str], partly: bool = False
    ) -> None:
        more = len(problems) - NAMED
        super().__init__(
            " ".join(problems[:NAMED] + ([f"And {more} more (see 'problems')."] if more > 0 else []))
        )
        self.taken, self.left, self.problems = taken, left, problems
        self.changed = bool(taken) or partly


@dataclass(frozen=True)
class Step:
    """One change. Says itself as one plain sentence (imperative, no full stop, never a secret) and takes itself."""

    side_by_side = 0  # a class may say how many neighbours of its type are taken at the same time; True: some

    def __str__(self) -> str:
        raise NotImplementedError

    def take(self, host: Host) -> None:
        """Make the change; raise a Problem when it did not happen, a Partly when some of it did."""
        raise NotImplementedError

    def outcome(self, host: Host) -> Exception | None:
        """Take it; what went wrong, if anything did."""
        return _tried(lambda: self.take(host))

    @classmethod
    def together(cls, steps: Sequence[Step], host: Host) -> list[Exception | None]:
        """Take neighbours of this type at the same time; the outcome of each."""
        return cls.each(lambda step: step.take(host), steps)

    @classmethod
    def each(cls, act: Callable[[S], None], steps: Sequence[S]) -> list[Exception | None]:
        """Do this for each of them, as many at a time as the class says; the outcome of each."""
        at_once = cls.side_by_side if cls.side_by_side > 1 else SOME
        with ThreadPoolExecutor(min(at_once, len(steps))) as pool:
            return list(pool.map(lambda step: _tried(lambda: act(step)), steps))


def _tried(act: Callable[[], None]) -> Exception | None:
    try:
        act()
    except (Problem, OSError) as problem:
        return problem
    return None


class Secret:
    """A CHAP secret: compared by value, shown to nobody. The text is asked for only where it is written."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the file or attribute that needs it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "(secret)"
