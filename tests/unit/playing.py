# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks run by Ansible itself on this machine, for what needs no host."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def need_collection(name: str) -> None:
    """A collection of another namespace, which the bundle in .cache/venv has. Only a plain ansible-core may lack it."""
    try:
        found = importlib.util.find_spec("ansible_collections." + name)
    except ModuleNotFoundError:  # not even its namespace
        found = None
    if found is None:
        assert ROOT / ".cache/venv" not in Path(sys.executable).parents, f"{name}: see requirements/dev.in"
        pytest.skip(f"{name} is not beside this ansible-core")


def run_playbook(tmp_path: Path, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """A run of ansible-playbook with this collection, errors among its output."""
    program = Path(sys.executable).parent / "ansible-playbook"
    if not program.exists():
        pytest.skip("ansible-playbook is not beside this Python")
    checkout = ROOT / ".cache/collections"
    staged = [path.parent for path in ROOT.parents if path.name == "ansible_collections"]
    (collections,) = [checkout] if checkout.exists() else staged
    return subprocess.run(
        [str(program), *arguments],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_HOME": str(tmp_path),
            "ANSIBLE_STDOUT_CALLBACK": os.environ.get("ANSIBLE_STDOUT_CALLBACK", "default"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
