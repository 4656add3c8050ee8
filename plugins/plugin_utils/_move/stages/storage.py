# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of a move on the storage hosts: who has access to the LUNs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..position import Standing
from ..side import Side, listed
from ..stage import OnStorage, expected, in_igroup, is_here, lun_maps, luns_on, say_luns, without


class Serve(OnStorage):
    """A storage host that came back without all of its maps: what is saved is what shall run."""

    name = "serve"

    @staticmethod
    def due(one: Standing) -> bool:
        lost = one.source.running != one.source.saved == one.wwids
        return lost and not one.exported and not one.destination.may_write()

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        own, side = luns_on(one, host), one.source
        return replace(one, source=replace(side, running=side.running | own, mapped=side.mapped | own))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"give {say_luns(one, host)} to '{one.source.host}' again, as it is saved but has not been running since a restart"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"targets": lun_maps(one, host, one.source)}


class Show(OnStorage):
    """The destination may read the LUNs while the source writes to them, so that it has its disks when the service stops.

    Only of a group that no host activates by itself: the destination shall not use what it sees.
    """

    name = "show"

    @staticmethod
    def due(one: Standing) -> bool:
        return is_here(one) and one.still and not one.whole and one.destination.mapped != one.wwids

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        come, side = luns_on(one, host), one.destination
        destination = replace(side, mapped=side.mapped | come, kept=side.kept | come)
        return Admit.taken(replace(one, destination=destination), host)

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return (
            f"map {say_luns(one, host)} to '{one.destination.host}' ({one.destination.initiator}), read-only"
        )

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"targets": lun_maps(one, host, one.destination, read_only=True, shared=True)}


class Admit(OnStorage):
    """An igroup for the destination, without a LUN yet, so that it can log in before the service stops; not where it would
    see all LUNs of a target.
    """

    name = "admit"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(Admit.lacking(one))

    @staticmethod
    def lacking(one: Standing) -> frozenset[str]:
        return one.destination.outsider - one.whole

    @classmethod
    def hosts(cls, one: Standing) -> list[str]:
        return sorted({storage for storage, lun in one.luns if lun.target in Admit.lacking(one)})

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        served = {
            lun.target
            for storage, lun in one.luns
            if host in ("", storage) and lun.target in Admit.lacking(one)
        }
        return replace(one, destination=replace(one.destination, outsider=one.destination.outsider - served))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        igroups = {dict(one.destination.igroups)[target] for target in Admit.lacking(one)}
        return f"add the initiator '{one.destination.initiator}' to the igroup {listed(igroups)}"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        own = {lun.target for storage, lun in one.luns if storage == host} & Admit.lacking(one)
        return {"targets": [in_igroup(target, one.destination, []) for target in sorted(own)]}


class Switch(OnStorage):
    """The fence, and only behind it the opening: from here on the source cannot write, whatever runs there.

    A source that answers may still read: it removes its maps in order once the service runs again. One that does not, and
    may come back at any time, loses the LUNs; so does every source where a target changes hands whole.
    """

    name = "switch"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.source.may_write() or not one.has_arrived()

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        own, side = luns_on(one, host), one.destination
        fenced = replace(one.source, running=one.source.running - own, saved=one.source.saved - own)
        opened = replace(
            side,
            running=side.running | own,
            saved=side.saved | own,
            mapped=side.mapped | own,
            kept=side.kept | own,
        )
        done = replace(one, source=fenced, destination=opened)
        outsider = one.destination.outsider - {lun.target for _storage, lun in one.luns if lun.wwid in own}
        done = replace(done, destination=replace(opened, outsider=outsider))
        lost = own & one.of_whole() if one.source.answers else own
        return replace(done, source=shut_out(done.source, lost))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        source, destination = one.source, one.destination
        own = say_luns(one, host)
        if one.whole & {lun.target for storage, lun in one.luns if storage == host}:
            return (
                f"shut '{source.host}' ({source.initiator}) out of the target of {own}, and once its sessions have ended let "
                f"'{destination.host}' ({destination.initiator}) in, running and saved"
            )
        fence = f"make {own} read-only for" if source.answers else f"unmap {own} from"
        return (
            f"{fence} '{source.host}' ({source.initiator}), and once that is done writable for '{destination.host}' "
            f"({destination.initiator}), running and saved"
        )

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        source, whole = one.source, one.of_whole()
        single = one.wwids - whole
        fence: dict[str, Any] = {"read_only": True} if source.answers else {"state": "absent"}
        fenced = lun_maps(one, host, source, only=(source.mapped | source.kept) & single, **fence)
        # One that does not answer may write until it is fenced.
        proved = expected(one, host, exported=True) if one.exported else []
        opened = lun_maps(one, host, one.destination, only=single, read_only=False, shared=True)
        handed = without(one, host, source) + lun_maps(one, host, one.destination, only=whole)
        return {
            "targets": fenced + opened + handed,
            "expected": proved,
            "rehearsed": [one.group] if handed else [],
        }


class Unmap(OnStorage):
    """Nothing is left of the source's access."""

    name = "unmap"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(one.source.mapped | one.source.kept)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, source=shut_out(one.source, luns_on(one, host)))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"unmap {say_luns(one, host)} from '{one.source.host}' ({one.source.initiator}), running and saved"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        proved = [] if one.exported else expected(one, host, exported=False)
        single = one.wwids - one.of_whole()
        maps = lun_maps(one, host, one.source, only=single, state="absent")
        return {"targets": maps + without(one, host, one.source), "expected": proved}


def shut_out(side: Side, wwids: frozenset[str]) -> Side:
    """A host without these LUNs."""
    return replace(
        side,
        running=side.running - wwids,
        saved=side.saved - wwids,
        mapped=side.mapped - wwids,
        kept=side.kept - wwids,
    )
