# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module ships to a host for each task, and what that costs there, beside ansible.builtin.ping.

The size is that of the program that Ansible sends. The time is that of this program on a lab host over ssh, pipelined, with an
option that no module has: it is unpacked, imported with all that it uses, and ends at its arguments, before any work.

    python -m bench.payload [--suite bookworm] [--modules mounts nodes targets] [--rounds 9]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from pathlib import Path

from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, module_loader
from ansible.template import Templar

init_plugin_loader()  # before anything of a collection is imported: Ansible's loader must be the one that finds it
from ansible_collections.lunworks.iscsi.tests.integration.harness import PLUGINS, Host, Lab

PING = "ansible.builtin.ping"


def program(name: str) -> bytes:
    """The program that Ansible sends for a task of this module."""
    found = module_loader.find_plugin_with_context(name)
    built = modify_module(
        module_name=found.resolved_fqcn,
        module_path=found.plugin_resolved_path,
        module_args={"no_such_option": True},
        templar=Templar(loader=DataLoader()),
        module_compression="ZIP_DEFLATED",
        task_vars={"ansible_python_interpreter": "/usr/bin/python3"},
    )
    return bytes(built.b_module_data)


def seconds(host: Host, sent: bytes) -> float:
    """How long it takes until the program has refused its arguments."""
    argv = ["ssh", "-F", host.lab.ssh_config, host.name, "/usr/bin/python3"]
    begun = time.monotonic()
    ran = subprocess.run(argv, input=sent, stdout=subprocess.PIPE, check=False, timeout=60)
    taken = time.monotonic() - begun
    assert b'"failed": true' in ran.stdout, ran.stdout
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--modules", nargs="+", default=["mounts", "nodes", "targets"])
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    ping = program(PING)
    for path in sorted(Path(PLUGINS, "modules").glob("*.py")):
        over = len(program(f"lunworks.iscsi.{path.stem}")) - len(ping)
        print(f"{path.stem:22}{over / 1000:6.1f} kB over ping")
    sent = {name: program(f"lunworks.iscsi.{name}") for name in given.modules}
    lab = Lab("bench")
    lab.up([f"db-{given.suite}"], owner=None)
    try:
        host = lab.host(f"db-{given.suite}")
        times: dict[str, list[float]] = {name: [] for name in [PING, *sent]}
        for _round in range(given.rounds):
            for name, what in {PING: ping, **sent}.items():
                times[name].append(seconds(host, what))
        for name, taken in times.items():
            ratio = statistics.median(own / base for own, base in zip(taken, times[PING]))
            print(
                f"{name:22}{statistics.median(taken):6.2f} s until its arguments are refused: {ratio:.2f} x ping"
            )
    finally:
        lab.down()


if __name__ == "__main__":
    main()
