# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of variables and groups that nobody reads, and that are meant for those of this collection."""

from __future__ import annotations

import re
from typing import Any, Iterable, Iterator, Mapping, Sequence

from .fault import nearest

GROUPS = {"storage": ("target",), "compute": ("initiator", "volume", "multipath", "host_storage")}
GROUP_LIKE_OURS = 0.75
LIKE_OURS, SURELY_OURS = 0.8, 0.85  # how like a known name one is, behind the role's word and as a whole
SAME_KEYS, FEWEST_KEYS = 0.6, 3  # what part of an entry's keys must be ours, and how many


class Names:
    """The variables that are read, and those that look like them."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.options = schema["properties"]
        self.roles = tuple(schema["x-roles"])
        self.found: dict[str, str] = {}

    def meant(self, name: str, value: Any) -> str:
        """Why a variable of this name is taken for one of ours; '' if it is not."""
        if name in self.options or name.startswith("ansible_"):
            return ""
        if name not in self.found:
            self.found[name] = self._by_name(name)
        return self.found[name] or self._by_value(name, value)

    def _by_name(self, name: str) -> str:
        roles = [role for role in self.roles if name.startswith(f"{role}_")]
        if not roles:
            like = nearest(name, self.options, SURELY_OURS)
            return f"did you mean '{like}'?" if like else ""
        own = f"{max(roles, key=len)}_"  # others have such words too: what is behind them must be like ours
        behind = [option[len(own) :] for option in self.options if option.startswith(own)]
        like = nearest(name[len(own) :], behind, LIKE_OURS)
        return f"did you mean '{own}{like}'?" if like else ""

    def _by_value(self, name: str, value: Any) -> str:
        """'targets' with the entries of target_targets."""
        first = value[0] if isinstance(value, list) and value else None
        if not isinstance(first, Mapping) or not any(map(_is_iscsi_name, map(first.get, ("name", "target")))):
            return ""
        for role in self.roles:
            option = self.options.get(f"{role}_{name}", {"else": {}})
            keys = option["else"].get("items", {}).get("else", {}).get("properties", ())
            if sum(key in keys for key in first) >= max(FEWEST_KEYS, SAME_KEYS * len(first)):
                return f"did you mean '{role}_{name}'?"
        return ""

    def is_ours(self, name: str, roles: Iterable[str]) -> bool:
        """Whether a variable is one of these roles."""
        return name in self.options and any(name.startswith(f"{role}_") for role in roles)

    def outside(
        self, host: str, variables: Iterable[str], groups: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[str, str]]:
        """Variables of a host that is not in the group whose hosts have them, where that must be a mistake."""
        variables = list(variables)
        for group, roles in GROUPS.items():
            own = sorted(name for name in variables if self.is_ours(name, roles))
            if not own or host in groups.get(group, ()):
                continue
            mine = [
                name
                for name, hosts in groups.items()
                if host in hosts and name not in (*GROUPS, "all", "ungrouped")
            ]
            like = nearest(group, mine, GROUP_LIKE_OURS)
            if like:
                yield (
                    own[0],
                    f"the group '{like}' means nothing here, so nobody reads it; did you mean '{group}'?",
                )
            elif not any(groups.get(name) for name in GROUPS):
                yield own[0], f"no host is in the group '{group}', so nobody reads it"


def _is_iscsi_name(value: Any) -> bool:
    return isinstance(value, str) and value[:4].lower() in ("iqn.", "eui.", "naa.")


def is_read(name: str, variables: Iterable[Any]) -> bool:
    """Whether a template in these variables names this one."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(_in_template(word, value) for value in variables)


def _in_template(word: re.Pattern[str], value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_in_template(word, one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return any(_in_template(word, one) for one in value)
    return isinstance(value, str) and ("{{" in value or "{%" in value) and bool(word.search(value))
