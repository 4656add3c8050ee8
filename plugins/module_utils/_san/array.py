# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What arrays that a role sets up from the controller have in common: no module reads them, and the role tells their WWIDs."""

from __future__ import annotations

from typing import Any, Callable, Iterator, Mapping, NoReturn

from .._host import Problem
from .provider import Ability, Provider

Data = Mapping[str, Any]
Faults = Callable[[Data], Iterator[str]]


def array(name: str, what: str, check: Callable[[Data], None], lacks: dict[Ability, str]) -> Provider:
    """The provider of this name, whose role has it too; 'what' it is called in a sentence."""

    def by_role(*_options: Any, **_scope: Any) -> NoReturn:
        raise Problem(
            f"{what} (provider: {name}) is set up by the role lunworks.iscsi.{name} from the controller, so no module reads or "
            "changes it."
        )

    return Provider(
        name=name,
        converged=by_role,
        targets=by_role,
        luns=by_role,
        wwid=_assigned,
        on_host=False,
        role=name,
        check=check,
        tells_wwids=True,
        sets_chap=True,
        lacks=lacks,
    )


def check_parts(target: Data, of_target: Faults, of_lun: Faults, of_group: Faults) -> None:
    """Raise a Problem for the first of these faults, with its place in the data."""
    here = f"target '{target['name']}'"
    for fault in of_target(target):
        raise Problem(f"{here}: {fault}")
    for lun in target.get("luns") or []:
        for fault in of_lun(lun):
            raise Problem(f"{here}, LUN '{lun['name']}': {fault}")
    for group in target.get("igroups") or []:
        for fault in of_group(group):
            raise Problem(f"{here}, igroup '{group['name']}': {fault}")


def _assigned(_serial: str) -> str:
    """The array chooses it: the role tells the WWIDs of its LUNs."""
    return ""
