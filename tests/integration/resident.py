# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a lab host: a Python that has imported what a module needs, and forks for each one asked for.

Starting Python and importing costs more on a lab host than most modules. Its arguments are where to import from.
Requests come as lines of JSON: {"imports": [...], "source": "...", "input": "..."}; answers are lines of JSON:
{"rc", "out", "err"}.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback

sys.path[:0] = sys.argv[1:]

# Loaded once here, so that no child has to. pylint: disable=unused-import
import concurrent.futures  # noqa: F401
import importlib
import ipaddress  # noqa: F401
import runpy  # noqa: F401
import subprocess  # noqa: F401
import uuid  # noqa: F401

from ansible.module_utils import basic  # noqa: F401


def run(asked):
    """In the child: the source as a program of its own; its exit code."""
    try:
        exec(
            compile(asked["source"], "asked", "exec"),
            {"__name__": "__main__", "INPUT": asked["input"].encode()},
        )
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def answer(asked):
    for name in asked["imports"]:
        importlib.import_module(name)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            code = run(asked)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        status = os.waitpid(child, 0)[1]
        told = {"rc": os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)}
        for name, file in (("out", out), ("err", err)):
            file.seek(0)
            told[name] = file.read().decode(errors="replace")
        return told


for line in sys.stdin.buffer:
    sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
    sys.stdout.flush()
