# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps inside LIO's targets in configfs: portals, LUNs, initiators and their maps."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..._arguments import Portal
from ..._chap import NO_CHAP, Chap
from ..._host import Host, Problem
from ..._step import Step
from ..configfs import AUTH, portal_of
from ..configfs_node import ISCSI
from ..rdma import NEEDED
from .remove import drop

LINK = "lunworks"  # the name of our links; configfs cares only about what they point to


@dataclass(frozen=True)
class OnTarget(Step):
    """A step inside one target's portal group."""

    target: str
    tag: int

    @property
    def base(self) -> str:
        """The portal group's directory."""
        return f"{ISCSI}/{self.target}/tpgt_{self.tag}"


@dataclass(frozen=True)
class MakeTarget(OnTarget):
    """A new target with its settings, closed until all of it is there."""

    attributes: dict[str, str]
    parameters: dict[str, str]
    saved: frozenset[str] = frozenset()  # settings that this kernel may lack

    def __str__(self) -> str:
        return f"Make the target '{self.target}'"

    def take(self, host: Host) -> None:
        there = host.list(f"{ISCSI}/{self.target}")
        host.mkdir(self.base)
        try:
            for kind, settings in (("attrib", self.attributes), ("param", self.parameters)):
                for key, value in settings.items():
                    self._set(host, f"{self.base}/{kind}/{key}", value, key in self.saved)
        except Problem:
            host.rmdir(self.base)
            if not there:
                host.rmdir(f"{ISCSI}/{self.target}")
            raise

    def _set(self, host: Host, path: str, value: str, may_lack: bool) -> None:
        now = host.read(path)
        if (now or "").strip() != value and not (may_lack and now is None):
            host.poke(path, value or "\n")


@dataclass(frozen=True)
class SetTarget(OnTarget):
    """Change an attribute or a negotiated parameter."""

    kind: str
    key: str
    value: str

    def __str__(self) -> str:
        what = "attribute" if self.kind == "attrib" else "parameter"
        return f"Set the {what} {self.key} of '{self.target}' to '{self.value}'"

    def take(self, host: Host) -> None:
        host.poke(f"{self.base}/{self.kind}/{self.key}", self.value or "\n")


@dataclass(frozen=True)
class Enable(OnTarget):
    """Open the target for logins."""

    def __str__(self) -> str:
        return f"Enable the target '{self.target}'"

    def take(self, host: Host) -> None:
        host.poke(f"{self.base}/enable", "1")


@dataclass(frozen=True)
class Disable(OnTarget):
    """Close the target; every session ends."""

    def __str__(self) -> str:
        return f"Disable the target '{self.target}'"

    def take(self, host: Host) -> None:
        host.poke(f"{self.base}/enable", "0")


@dataclass(frozen=True)
class AddPortal(OnTarget):
    """Listen on an address: with TCP, and with iSER too, or not at all."""

    portal: Portal
    iser: bool = False

    def __str__(self) -> str:
        return f"Let '{self.target}' listen on {self.portal}" + (", with iSER too" if self.iser else "")

    def take(self, host: Host) -> None:
        place = f"{self.base}/np/{self.portal}"
        host.mkdir(place)
        if self.iser:
            try:
                SetIser(self.target, self.tag, self.portal, True).take(host)
            except Problem:
                host.rmdir(place)
                raise


@dataclass(frozen=True)
class SetIser(OnTarget):
    """Let a portal speak iSER beside TCP, or no longer. The kernel makes or removes a second listener for it and leaves that of
    TCP alone (Linux, iscsi_target_configfs.c, lio_target_np_driver_store)."""

    portal: Portal
    on: bool

    def __str__(self) -> str:
        how = "speak iSER too" if self.on else "no longer speak iSER"
        return f"Let the portal {self.portal} of '{self.target}' {how}"

    def take(self, host: Host) -> None:
        for name in host.list(f"{self.base}/np"):
            if portal_of(name) == self.portal:  # others may spell it otherwise
                self._set(host, f"{self.base}/np/{name}/iser")

    def _set(self, host: Host, path: str) -> None:
        try:
            host.poke(path, str(int(self.on)))
        except Problem as problem:
            raise Problem(
                f"The kernel refused: {self}. The portal is as it was. {NEEDED}: see the kernel's log (dmesg), or leave iser out "
                f"({problem})."
            ) from None


@dataclass(frozen=True)
class RemovePortal(OnTarget):
    """Stop listening on an address."""

    portal: Portal

    def __str__(self) -> str:
        return f"Let '{self.target}' no longer listen on {self.portal}"

    def take(self, host: Host) -> None:
        for name in host.list(f"{self.base}/np"):
            if portal_of(name) == self.portal:  # others may spell it otherwise
                host.rmdir(f"{self.base}/np/{name}")


@dataclass(frozen=True)
class OnInitiator(OnTarget):
    """A step for one initiator of a target."""

    initiator: str

    @property
    def acl(self) -> str:
        """The initiator's directory."""
        return f"{self.base}/acls/{self.initiator}"


@dataclass(frozen=True)
class AllowInitiator(OnInitiator):
    """Let an initiator log in; 'attributes' are those that were saved for it."""

    attributes: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"Allow the initiator '{self.initiator}' to log in to '{self.target}'"

    def take(self, host: Host) -> None:
        host.mkdir(self.acl)
        for key, value in self.attributes.items():
            if (host.read(f"{self.acl}/attrib/{key}") or value).strip() != value:
                host.poke(f"{self.acl}/attrib/{key}", value)


@dataclass(frozen=True)
class ForbidInitiator(OnInitiator):
    """No longer let an initiator log in; its session ends."""

    def __str__(self) -> str:
        return f"No longer allow the initiator '{self.initiator}' to log in to '{self.target}'"

    def take(self, host: Host) -> None:
        host.rmdir(self.acl)


@dataclass(frozen=True)
class SetIgroup(OnInitiator):
    """Put an initiator into an igroup: the tag of its ACL."""

    igroup: str

    def __str__(self) -> str:
        return f"Put the initiator '{self.initiator}' into the igroup '{self.igroup}' of '{self.target}'"

    def take(self, host: Host) -> None:
        host.poke(f"{self.acl}/tag", "NULL" if self.igroup == self.initiator else self.igroup)


@dataclass(frozen=True)
class SetChap(OnInitiator):
    """Write or clear an initiator's credentials. Only 'NULL' clears a field: any other text, also an empty one, counts as
    set, and with both mutual fields set the target insists on mutual CHAP (Linux, iscsi_target_configfs.c)."""

    chap: Chap | None

    def __str__(self) -> str:
        if self.chap is None:
            return f"Remove the CHAP credentials of '{self.initiator}' from '{self.target}'"
        mutual = ", both ways" if self.chap.mutual_user else ""
        return f"Set the CHAP credentials of '{self.initiator}' at '{self.target}' (user '{self.chap.user}'{mutual})"

    def take(self, host: Host) -> None:
        chap = self.chap or NO_CHAP
        texts = (chap.user, chap.secret.reveal(), chap.mutual_user, chap.mutual_secret.reveal())
        for key, text in zip(AUTH, texts):
            if text or (host.read(f"{self.acl}/auth/{key}") or "").strip() not in ("", "NULL"):
                host.poke(f"{self.acl}/auth/{key}", text or "NULL")


@dataclass(frozen=True)
class MapLun(OnInitiator):
    """Let an initiator see a LUN under a number of its own. One that may only read is never able to write, not even between
    two of these writes: another host may be using the LUN."""

    lun: str
    number: int
    tpg_number: int
    read_only: bool

    def __str__(self) -> str:
        how = ", read only" if self.read_only else ""
        return f"Map the LUN '{self.lun}' of '{self.target}' to '{self.initiator}' as LUN {self.number}{how}"

    def take(self, host: Host) -> None:
        born = f"{self.base}/attrib/prod_mode_write_protect"  # how new maps begin (target_core_fabric_configfs.c)
        host.mkdir(f"{self.acl}/lun_{self.number}")
        if self.read_only:
            host.poke(born, "1")
        host.symlink(f"{self.base}/lun/lun_{self.tpg_number}", f"{self.acl}/lun_{self.number}/{LINK}")
        if self.read_only:
            host.poke(f"{self.acl}/lun_{self.number}/write_protect", "1")
            host.poke(born, "0")


@dataclass(frozen=True)
class UnmapLun(OnInitiator):
    """An initiator no longer sees a LUN; a write in flight fails at once."""

    lun: str
    number: int

    def __str__(self) -> str:
        return f"Unmap the LUN '{self.lun}' of '{self.target}' from '{self.initiator}'"

    def take(self, host: Host) -> None:
        drop(host, f"{self.acl}/lun_{self.number}")


@dataclass(frozen=True)
class ProtectLun(OnInitiator):
    """Let an initiator only read a LUN, or write to it too."""

    lun: str
    number: int
    read_only: bool

    def __str__(self) -> str:
        how = "only read" if self.read_only else "write to"
        return f"Let '{self.initiator}' {how} the LUN '{self.lun}' of '{self.target}'"

    def take(self, host: Host) -> None:
        host.poke(f"{self.acl}/lun_{self.number}/write_protect", str(int(self.read_only)))
