# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root disks that lab hosts boot from: made once for a Debian suite by debootstrap(8), kept, never written again.

An image's name carries a hash of all that it was made from, so a change of any of it makes a new image.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml import Controller, controller_of

KERNEL = "linux.uml"
MODULES = "/usr/lib/uml/modules"
FORMAT = 1  # raise it when 'bake' changes in a way that its inputs do not show
SUITES = ("bookworm", "trixie")
SIZE = "4G"
PART = "part."  # what a maker works on; left behind only by one that was killed
MIRROR = "http://deb.debian.org/debian"
PACKAGES = (
    "systemd systemd-sysv udev dbus openssh-server python3 python3-apt iproute2 iputils-ping kmod procps "
    "open-iscsi open-isns-server targetcli-fb tgt lvm2 thin-provisioning-tools multipath-tools "
    "e2fsprogs xfsprogs parted sg3-utils lsscsi"
).split()
# Off until a role or a test wants them, and what only disturbs short-lived hosts.
DISABLED = ("tgt.service", "isnsd.service", "isnsd.socket", "multipathd.service", "multipathd.socket")
MASKED = (
    "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service "
    "fstrim.timer man-db.timer getty@tty1.service console-getty.service systemd-pstore.service "
    "systemd-timesyncd.service systemd-networkd-wait-online.service systemd-logind.service systemd-binfmt.service"
).split()
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
# The kernel's command line says lab.address=DEVICE,ADDRESS/LENGTH for each address of this host.
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
    """A root disk to boot from: of which suite, and where it is kept."""

    suite: str
    path: str | None  # None: not known before the labs' key pair is made


@dataclass(frozen=True)
class MakeImage(Step):
    """Debootstrap, bake, and make the file system."""

    suite: str
    cache: str

    def __str__(self) -> str:
        return f"Make the image of {self.suite}"

    def take(self, host: Host) -> None:
        make_image(controller_of(host), self.suite, self.cache)


@dataclass(frozen=True)
class RemoveImage(Step):
    """Delete the file."""

    image: Image

    def __str__(self) -> str:
        return f"Remove the image of {self.image.suite}, '{self.image.path}'"

    def take(self, host: Host) -> None:
        host.remove(str(self.image.path))


@dataclass(frozen=True)
class Source:
    """Where a suite's packages come from: a mirror, and the keys that sign it."""

    mirror: str
    keyring: str | None = None


def cache_directory() -> str:
    """Where images and the labs' ssh key are kept: below XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return f"{base}/lunworks-iscsi/images"


def private_key(cache: str) -> str:
    """The ssh key that opens every lab host; its public half is in the images."""
    return f"{cache}/id_ed25519"


def look_image(controller: Host, suite: str, cache: str) -> Image | None:
    """The image of a suite as it would be made today; None when it has to be made."""
    path = image_path(controller, suite, cache)
    return Image(suite, path) if path and controller.stat(path) else None


def image_path(controller: Host, suite: str, cache: str) -> str | None:
    """The name of a suite's image; None before the first one, as long as there is no key pair."""
    if suite not in SUITES:
        raise Problem(
            f"'{suite}' is not a Debian suite that lab hosts boot from. Wanted is one of: {', '.join(SUITES)}."
        )
    public = controller.read(f"{private_key(cache)}.pub")
    if public is None:
        return None
    made_from = [FORMAT, suite, SIZE, PACKAGES, DISABLED, MASKED, FILES, kernel_version(controller), public]
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:12]
    return f"{cache}/{suite}-{key}.img"


def plan_image(seen: Image | None, want: Image | None, cache: str) -> list[Step]:
    """Made or removed; an image never changes."""
    if want is None:
        return [RemoveImage(seen)] if seen else []
    return [] if seen else [MakeImage(want.suite, cache)]


def refuse_image(seen: Image | None, steps: list[Step], users: list[str]) -> None:
    """The root disks of hosts stand on their image."""
    if seen and users and any(isinstance(step, RemoveImage) for step in steps):
        raise Problem(
            f"Cannot remove the image '{seen.path}': on it stands {', '.join(users)}. Remove the host first."
        )


def kernel_version(controller: Host) -> str:
    """The version of the User Mode Linux kernel of this machine."""
    return controller.run(KERNEL, "--version").out.strip()


def make_key(controller: Host, cache: str) -> None:
    """The labs' own key pair, once."""
    if controller.stat(private_key(cache)) is None:
        controller.mkdir(cache, 0o700)
        controller.run(
            "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lunworks-lab", "-f", private_key(cache)
        )


def make_image(controller: Controller, suite: str, cache: str) -> Image:
    """Make a suite's image unless it is there. A second maker waits for the first. Takes one to two minutes."""
    with controller.lock(cache):
        make_key(controller, cache)
        image = look_image(controller, suite, cache)
        if image is None:
            image = Image(suite, image_path(controller, suite, cache))
            _build(controller, suite, str(image.path), private_key(cache))
    return image


def _build(controller: Host, suite: str, path: str, key: str) -> None:
    cache = os.path.dirname(path)
    killed = [f"{cache}/{name}" for name in controller.list(cache) if name.startswith(PART)]
    controller.run("rm", "-rf", *killed, ok=None)
    part, tree = f"{cache}/{PART}{os.getpid()}.img", f"{cache}/{PART}{os.getpid()}"
    source = debian_source(controller)
    keyring = [f"--keyring={source.keyring}"] if source.keyring else []
    try:
        # A mount namespace of its own: whatever debootstrap mounts is gone with it, even when it is killed.
        controller.run(
            *("nice", "unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", *keyring),
            *(suite, tree, source.mirror),
            timeout=1800,
        )
        _bake(controller, tree, key)
        controller.run("truncate", f"--size={SIZE}", part)
        controller.run("nice", "mkfs.ext4", "-q", "-L", "lab", "-d", tree, part, timeout=600)
        os.rename(part, path)
    finally:
        controller.run("rm", "-rf", part, tree, timeout=300)


def _bake(controller: Host, tree: str, key: str) -> None:
    version = kernel_version(controller)
    for path, text in FILES.items():
        controller.write(tree + path, text, 0o755 if "/sbin/" in path else 0o644)
    public = controller.read(f"{key}.pub") or ""
    controller.write(f"{tree}/root/.ssh/authorized_keys", public, 0o600)
    controller.chmod(f"{tree}/root/.ssh", 0o700)
    controller.mkdir(f"{tree}/usr/lib/modules")
    controller.run("cp", "-a", f"{MODULES}/{version}", f"{tree}/usr/lib/modules/{version}")
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


def debian_source(controller: Host) -> Source:
    """The Debian mirror that this machine itself uses; Debian's own where it uses none (Ubuntu)."""
    texts = [controller.read("/etc/apt/sources.list") or ""]
    for name in controller.list("/etc/apt/sources.list.d"):
        texts.append(controller.read(f"/etc/apt/sources.list.d/{name}") or "")
    for text in texts:
        for source in parse_sources(text):
            if "debian" in source.mirror and "security" not in source.mirror:
                return source
    return Source(MIRROR)


def parse_sources(text: str) -> list[Source]:
    """The binary sources with a 'main' component of one file, in either format of sources.list(5)."""
    found = []
    for line in re.findall(r"(?m)^\s*deb\s+(.*)$", text):
        match = re.match(r"(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+\S+\s+(?P<components>.*)", line)
        if match and "main" in match["components"].split():
            keyring = re.search(r"signed-by=(/\S+)", match["options"] or "")
            found.append(Source(match["uri"].rstrip("/"), keyring and keyring[1]))
    for stanza in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n?", "", text)):
        fields = {key.lower(): value.split() for key, value in re.findall(r"(?m)^([\w-]+):(.*)$", stanza)}
        if "deb" in fields.get("types", []) and "main" in fields.get("components", []):
            keys = [path for path in fields.get("signed-by", []) if path.startswith("/")]
            found += [Source(uri.rstrip("/"), keys[0] if keys else None) for uri in fields.get("uris", [])]
    return found
