# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a move on the storage hosts: who has access to the LUNs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_standing import Standing, listed
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_step import (
    OnStorage,
    in_igroup,
    lun_maps,
    luns_on,
    say_luns,
)


class Serve(OnStorage):
    """A storage host that came back without all of its maps: what is saved is what shall run."""

    name = "serve"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.source.running != one.source.saved == one.wwids and not one.exported

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, source=replace(one.source, running=one.source.running | luns_on(one, host)))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"give {say_luns(one, host)} to '{one.source.host}' again, as it is saved, but does not run since a restart"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"targets": lun_maps(one, host, one.source)}


class Admit(OnStorage):
    """An igroup for the destination, without a LUN yet, so that it can log in before the service stops."""

    name = "admit"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(one.destination.outsider)

    @classmethod
    def hosts(cls, one: Standing) -> list[str]:
        return sorted({storage for storage, lun in one.luns if lun.target in one.destination.outsider})

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        served = {lun.target for storage, lun in one.luns if host in ("", storage)}
        return replace(one, destination=replace(one.destination, outsider=one.destination.outsider - served))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        igroups = {dict(one.destination.igroups)[target] for target in one.destination.outsider}
        return f"let the initiator '{one.destination.initiator}' into the igroup {listed(igroups)}"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        own = {lun.target for storage, lun in one.luns if storage == host} & one.destination.outsider
        return {"targets": [in_igroup(target, one.destination, []) for target in sorted(own)]}


class Unmap(OnStorage):
    """The fence: from here on the source cannot write, whatever runs there."""

    name = "unmap"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.source.may_write()

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        gone = luns_on(one, host)
        return replace(
            one,
            source=replace(one.source, running=one.source.running - gone, saved=one.source.saved - gone),
        )

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"unmap {say_luns(one, host)} from '{one.source.host}' ({one.source.initiator}), running and saved"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"targets": lun_maps(one, host, one.source, state="absent")}


class Map(OnStorage):
    name = "map"

    @staticmethod
    def due(one: Standing) -> bool:
        return not one.has_arrived()

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        come = luns_on(one, host)
        side = one.destination
        return replace(one, destination=replace(side, running=side.running | come, saved=side.saved | come))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"map {say_luns(one, host)} to '{one.destination.host}' ({one.destination.initiator}), running and saved"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"targets": lun_maps(one, host, one.destination)}
