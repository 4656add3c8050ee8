# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents a move before any group is looked at."""

from __future__ import annotations

from ..model import VG_NAME, Refusal, Survey
from ..side import listed


def refuse_request(survey: Survey, groups: list[str]) -> None:
    """What can be said before the first group is looked at."""
    if not groups:
        raise Refusal("No volume group is named. Name it: -e vg=NAME[,NAME...].")
    for group in groups:
        if not VG_NAME.fullmatch(group):
            raise Refusal(f"'{group}' is not the name of a volume group (lvm(8): letters, digits, '+_.-').")
        if groups.count(group) > 1:
            raise Refusal(f"The volume group '{group}' is named more than once.")
    if survey.source == survey.destination:
        raise Refusal(f"'{survey.source}' is both the source and the destination.")
    _refuse_silence(survey)
    _refuse_initiators(survey)


def _refuse_silence(survey: Survey) -> None:
    if not survey.storages:
        raise Refusal(
            "No storage host is named (move_volume_group_storage). LUN access moves with the volume group."
        )
    for name, storage in survey.storages.items():
        if storage is None:
            raise Refusal(f"The storage host '{name}' does not answer. Nobody can move LUNs without it.")
    if survey.computer(survey.destination) is None:
        raise Refusal(f"The destination '{survey.destination}' does not answer.")
    if survey.dead and survey.computer(survey.source) is not None:
        raise Refusal(
            f"The source '{survey.source}' was declared dead, but answers. Leave move_volume_group_source_is_dead "
            "out: a live source lets go by itself, and nothing is lost."
        )


def _refuse_initiators(survey: Survey) -> None:
    names = {name: computer.initiator for name, computer in survey.hosts.items() if computer}
    for name, initiator in names.items():
        if not initiator:
            raise Refusal(f"'{name}' has no initiator name. Set it first (role lunworks.iscsi.initiator).")
    if len(set(names.values())) < len(names):
        raise Refusal(
            f"{listed(names)} have the same initiator name '{names[survey.destination]}': the storage host cannot tell "
            "them apart. Give each its own."
        )
