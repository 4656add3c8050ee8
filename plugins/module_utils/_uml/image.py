# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root disks that lab hosts boot from: made once for a Debian suite by mmdebstrap(1), kept, never written again.

An image's name carries a hash of all that it was made from, so a change of any of it makes a new image.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Callable, Sequence

from .._host import Host, Problem
from .._step import Step
from .controller import Controller, controller_of
from .kernel import FetchKernel, Kernel, provide_kernel, refuse_full
from .mirror import apt_settings, complaints, debian_source

FORMAT = 2  # raise it when 'bake' changes in a way that its inputs do not show
SUITES = ("bookworm", "trixie", "forky")
SIZE = "4G"
ROOM = 1400 << 20  # bytes that making an image takes
PART = "part."  # what a maker works on; left behind only by one that was killed
PATIENCE = ('Acquire::Retries "2"', 'Acquire::http::Timeout "20"', 'Acquire::https::Timeout "20"')
PACKAGES = (
    "systemd systemd-sysv udev dbus openssh-server python3 python3-apt iproute2 iputils-ping kmod procps "
    "open-iscsi open-isns-server targetcli-fb tgt lvm2 thin-provisioning-tools multipath-tools "
    "e2fsprogs xfsprogs parted sg3-utils lsscsi ifupdown network-manager"
).split()
# Off until a role or a test wants them, and what only disturbs short-lived hosts.
DISABLED = (
    "tgt.service isnsd.service isnsd.socket multipathd.service multipathd.socket "
    "networking.service NetworkManager.service NetworkManager-wait-online.service NetworkManager-dispatcher.service"
).split()
MASKED = (
    "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service "
    "fstrim.timer man-db.timer getty@tty1.service console-getty.service systemd-pstore.service "
    "systemd-timesyncd.service systemd-networkd-wait-online.service systemd-logind.service systemd-binfmt.service"
).split()
# The package open-isns-server wants this name when it is configured; 'bake' takes it away again.
NAME_HOOK = 'mkdir -p "$1/etc/iscsi" && echo InitiatorName=iqn.1993-08.org.debian:01:image >"$1/etc/iscsi/initiatorname.iscsi"'
IDENTITY_UNIT = """\
# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
[Unit]
Description=Addresses and names of this lab host, from the kernel's command line
DefaultDependencies=no
After=local-fs.target systemd-tmpfiles-setup.service
Before=network-pre.target network.target sysinit.target
Wants=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-identity

[Install]
WantedBy=sysinit.target
"""
# This kernel has 600 terminals that nobody uses; telling udev of them takes a third of the boot.
TRIGGER = """\
[Service]
ExecStart=
ExecStart=-udevadm trigger --type=all --action=add --subsystem-nomatch=tty --prioritized-subsystem=module,block,net
"""
IDENTITY = """\
#!/bin/sh
# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The kernel's command line says lab.address=DEVICE,ADDRESS/LENGTH for each address of this host, and lab.single=DEVICE where TCP
# must send frames one by one: bundles of them (GSO) pass a bridge whatever its MTU is.
set -eu
read -r line </proc/cmdline
{
    echo link set lo up
    for word in $line; do
        case $word in
        lab.address=*)
            value=${word#lab.address=}
            echo "link set ${value%%,*} up"
            echo "address replace ${value#*,} dev ${value%%,*} nodad"
            ;;
        lab.single=*) echo "link set ${word#lab.single=} gso_max_segs 1" ;;
        esac
    done
} | ip -batch -
# A name of its own at the first boot, as Debian's installation gives one; later whatever it was set to.
if [ ! -e /etc/iscsi/initiatorname.iscsi ]; then
    read -r id </etc/machine-id
    umask 077
    printf 'InitiatorName=iqn.1993-08.org.debian:01:%.12s\\n' "$id" >/etc/iscsi/initiatorname.iscsi
fi
"""
FILES = {
    "/etc/fstab": "/dev/ubda / ext4 defaults 0 0\n",
    "/etc/hostname": "lab\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "/etc/machine-id": "",
    "/etc/default/locale": "LANG=C\n",
    "/etc/apt/sources.list": "",
    "/etc/ssh/sshd_config.d/lab.conf": "UseDNS no\nMaxSessions 100\nMaxStartups 100\n",
    "/etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n",
    "/etc/systemd/system/systemd-udev-trigger.service.d/lab.conf": TRIGGER,
    "/etc/systemd/system/lab-identity.service": IDENTITY_UNIT,
    "/usr/local/sbin/lab-identity": IDENTITY,
}


@dataclass(frozen=True)
class Image:
    """A root disk to boot from: of which suite, for which kernel, and where it is kept."""

    suite: str
    kernel: str | None  # its version; None: not fetched yet
    path: str | None  # None: not known before the kernel is there and the labs' key pair is made


@dataclass(frozen=True)
class MakeImage(Step):
    """The suite's packages, baked, in a file system."""

    suite: str
    cache: str
    kernel: str  # as the user asked for it

    def __str__(self) -> str:
        return f"Make the image of {self.suite}"

    def take(self, host: Host) -> None:
        controller = controller_of(host)
        make_image(controller, self.suite, self.cache, provide_kernel(controller, self.kernel, self.cache))


@dataclass(frozen=True)
class RemoveImage(Step):
    """Delete the file."""

    image: Image

    def __str__(self) -> str:
        return f"Remove the image of {self.image.suite}, '{self.image.path}'"

    def take(self, host: Host) -> None:
        host.remove(str(self.image.path))


def cache_directory() -> str:
    """Where images and the labs' ssh key are kept: below XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return f"{base}/lunworks-iscsi/images"


def private_key(cache: str) -> str:
    """The ssh key that opens every lab host; its public half is in the images."""
    return f"{cache}/id_ed25519"


def look_image(controller: Host, suite: str, cache: str, kernel: Kernel | None) -> Image | None:
    """The image of a suite as it would be made today; None when it has to be made."""
    image = wanted_image(controller, suite, cache, kernel)
    return image if image.path and controller.stat(image.path) else None


def wanted_image(controller: Host, suite: str, cache: str, kernel: Kernel | None) -> Image:
    """The image of a suite; its path is not known before there are a kernel and the labs' key pair."""
    if suite not in SUITES:
        raise Problem(
            f"'{suite}' is not a Debian suite that lab hosts boot from. It must be one of: {', '.join(SUITES)}."
        )
    public = controller.read(f"{private_key(cache)}.pub")
    if public is None or kernel is None:
        return Image(suite, kernel.version if kernel else None, None)
    made_from = [FORMAT, suite, SIZE, PACKAGES, DISABLED, MASKED, FILES, kernel.version, public]
    made_from.append(kernel.modules is None)
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:12]
    return Image(suite, kernel.version, f"{cache}/{suite}-{key}.img")


def plan_image(seen: Image | None, want: Image | None, cache: str, kernel: str) -> list[Step]:
    """Made or removed; an image never changes. The kernel is as the user asked for it."""
    if want is None:
        return [RemoveImage(seen)] if seen else []
    if seen:
        return []
    fetch: list[Step] = [] if want.kernel else [FetchKernel(cache)]
    return [*fetch, MakeImage(want.suite, cache, kernel)]


def refuse_image(seen: Image | None, steps: list[Step], users: Sequence[str]) -> None:
    """The root disks of hosts stand on their image."""
    if seen and users and any(isinstance(step, RemoveImage) for step in steps):
        raise Problem(
            f"Cannot remove the image '{seen.path}': it is used by {', '.join(users)}. Remove the host first."
        )


def make_key(controller: Host, cache: str) -> None:
    """The labs' own key pair, once."""
    if controller.stat(private_key(cache)) is None:
        controller.mkdir(cache, 0o700)
        controller.run(
            "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lunworks-lab", "-f", private_key(cache)
        )


def make_image(
    controller: Controller,
    suite: str,
    cache: str,
    kernel: Kernel,
    say: Callable[[str], None] = lambda _: None,
) -> Image:
    """Make a suite's image unless it is there. A second maker waits for the first. Takes half a minute to two."""
    with controller.alone(cache):
        make_key(controller, cache)
    with controller.alone(f"{cache}/making/{suite}", lambda: say(f"waiting for another image of {suite}")):
        image = look_image(controller, suite, cache, kernel)
        if image is None:
            image = wanted_image(controller, suite, cache, kernel)
            say(f"making the image of {suite} for kernel {kernel.version}, half a minute or more")
            _build(controller, str(image.path), suite, kernel)
    return image


def _build(controller: Host, path: str, suite: str, kernel: Kernel) -> None:
    cache = os.path.dirname(path)
    refuse_full(controller, cache, ROOM, f"Making the image of {suite}")
    killed = [f"{cache}/{name}" for name in controller.list(cache) if name.startswith(f"{PART}{suite}.")]
    part, tree = f"{cache}/{PART}{suite}.img", f"{cache}/{PART}{suite}.tree"
    source = debian_source(controller)
    try:
        controller.run("rm", "-rf", *killed, timeout=300)
        # A mount namespace of its own: whatever is mounted in the tree is gone with it, even when it is killed.
        ran = controller.run(
            *("nice", "unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", f"--include={','.join(PACKAGES)}"),
            *(f"--aptopt={setting}" for setting in [*apt_settings(controller), *PATIENCE]),
            *(f"--essential-hook={NAME_HOOK}", suite, tree, source.line(suite)),
            ok=None,
            timeout=1800,
        )
        if ran.rc:
            raise Problem(f"mmdebstrap ended with exit code {ran.rc}: {complaints(ran.err)}")
        _bake(controller, tree, private_key(cache), kernel)
        controller.run("truncate", f"--size={SIZE}", part)
        controller.run("nice", "mkfs.ext4", "-q", "-L", "lab", "-d", tree, part, timeout=600)
        os.rename(part, path)
    except Problem as problem:
        raise Problem(
            f"Cannot make the image of {suite} with packages from {source.mirror}: {problem} Nothing of it was kept."
        ) from problem
    finally:
        controller.run("rm", "-rf", part, tree, ok=None, timeout=300)


def _bake(controller: Host, tree: str, key: str, kernel: Kernel) -> None:
    for path, text in FILES.items():
        controller.write(tree + path, text, 0o755 if "/sbin/" in path else 0o644)
    public = controller.read(f"{key}.pub") or ""
    controller.write(f"{tree}/root/.ssh/authorized_keys", public, 0o600)
    controller.chmod(f"{tree}/root/.ssh", 0o700)
    controller.mkdir(f"{tree}/usr/lib/modules")
    if kernel.modules:
        controller.run("cp", "-a", kernel.modules, f"{tree}/usr/lib/modules/{kernel.version}")
    junk = [
        "/var/cache/apt/archives",
        "/var/lib/apt/lists",
        "/var/log/journal",
        "/etc/iscsi/initiatorname.iscsi",
    ]
    controller.run("rm", "-rf", *(tree + path for path in junk))
    controller.run("chroot", tree, "systemctl", "--quiet", "mask", *MASKED)
    for unit in DISABLED:
        controller.run("chroot", tree, "systemctl", "--quiet", "disable", unit, ok=None)
    controller.run("chroot", tree, "systemctl", "--quiet", "enable", "lab-identity.service")
