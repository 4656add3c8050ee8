# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of a host as the text of a YAML file, with comments that say where each was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import indent
from typing import Any, Iterable, Iterator, Mapping, Sequence

import yaml

WIDTH = 120
TEMPLATE = ("{{", "{%", "{#")


class Template(str):
    """A template of ours. Any other text is what a host says, and Ansible must not run it."""


@dataclass(frozen=True)
class Entry:
    """An entry of a list, and what is to be said of it."""

    value: Mapping[str, Any]
    comment: str = ""


@dataclass(frozen=True)
class Variable:
    """A variable of a role: a plain value, or a list of entries."""

    name: str
    value: Any
    comment: str = ""

    @property
    def plain(self) -> Any:
        """The value without comments."""
        listed = isinstance(self.value, tuple)
        return [dict(one.value) for one in self.value] if listed else self.value


@dataclass
class Findings:
    """What is written of a host, and what is said of it to people, a sentence each."""

    variables: list[Variable] = field(default_factory=list)
    cannot: list[str] = field(default_factory=list)  # what our data has no words for
    dangerous: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)  # what site.yml will still do, and why

    def add(self, other: Findings) -> Findings:
        """Both together."""
        for name in ("variables", "cannot", "dangerous", "decisions", "changes"):
            getattr(self, name).extend(getattr(other, name))
        return self


class _Dumper(yaml.SafeDumper):
    """Lists stand two columns inside of their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def text(self, value: str) -> Any:
        """What a host says may look like a template: whoever rules that host would then rule the controller."""
        unsafe = not isinstance(value, Template) and any(sign in value for sign in TEMPLATE)
        tag = "!unsafe" if unsafe else "tag:yaml.org,2002:str"
        return self.represent_scalar(tag, str(value), style="'" if unsafe else None)


_Dumper.add_multi_representer(str, _Dumper.text)
_Dumper.add_representer(str, _Dumper.text)


def text_of(variables: Iterable[Variable], head: str) -> str:
    """The text of a file with these variables."""
    blocks = ["---", *commented(head)]
    for one in variables:
        blocks += ["", *commented(one.comment), *_variable(one)]
    return "\n".join(blocks) + "\n"


def _variable(one: Variable) -> Iterator[str]:
    if not isinstance(one.value, tuple) or not one.value:
        yield dumped({one.name: one.plain})
        return
    yield f"{one.name}:"
    for entry in one.value:
        yield from (f"  {line}" for line in commented(entry.comment))
        yield indent(dumped([dict(entry.value)]), "  ")


def dumped(value: Any) -> str:
    """A value as YAML; what it holds is in one line where nothing is nested in that."""
    plain = isinstance(value, Mapping) and not any(isinstance(one, (Mapping, list)) for one in value.values())
    style = False if plain else None
    text = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=style, sort_keys=False, width=WIDTH, allow_unicode=True
    )
    return str(text).rstrip("\n")


def commented(text: str) -> Sequence[str]:
    """The lines of a comment."""
    return [f"# {printable(line)}".rstrip() for line in text.split("\n")] if text else []


def printable(text: str) -> str:
    """A text that stays in one line, whatever a host says: YAML ends lines at more characters than one."""
    return "".join(one if one.isprintable() else "?" for one in text)
