# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules on hosts that others have set up: what wants nothing new changes nothing, and a change touches its line alone.

tests/unit/others/SOURCE/expected.yml, 'host': what there is beside the files ('files', 'mounted' as {path: device}).
'calls': a list of 'module', 'options' and either nothing more (no step, nothing written), or 'refused' (a part of the
message), or 'file' with 'gone' and 'come' (the lines that differ, all other bytes of all files equal), or 'new' (a file that
is made, its text in 'come').
"""

from __future__ import annotations

import difflib
import importlib
import json
import re

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import plain
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.tests.unit.other_files import PLACE, expected_of, files_of, sources
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of
from ansible_collections.lunworks.iscsi.tests.unit.running_target import configfs_of
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

COMMAND = (
    "ExecStart={{ path={0} ; argv[]={1} ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; "
    "code=(null) ; status=0/0 }}\n"
)
STOPPED = "LoadState=loaded\nActiveState=inactive\nUnitFileState=enabled\nActiveEnterTimestampMonotonic=0\nControlGroup=\n"
ANSWERS = (  # no daemon runs, and multipath has nothing against any file
    (r"systemctl show .*\bopen-iscsi\.service", "login"),
    (r"systemctl show .*", STOPPED),
    (r"systemctl cat .*", ""),
    (r"unshare .*", ""),
    (r"multipath -t", ""),
    (r"dmesg", ""),
    (r"ip -json -details address show", "[]"),
)
CHANGING = (
    "systemctl daemon-reload",
    "systemctl restart",
    "systemctl enable",
    "systemctl start",
    "mount ",
    "umount ",
)
CHANGING += ("sync", "multipathd reconfigure", "iscsiadm -m node", "udevadm")
PRIVATE = ("/etc/iscsi/", "/etc/target/", "/etc/rtslib-fb-target/")  # 0600 as we want them; a mode is no line
LOGIN = "/etc/systemd/system/open-iscsi.service.d"
SAVED = ("/etc/target/saveconfig.json", "/etc/rtslib-fb-target/saveconfig.json")
BLOCK_SPECIAL = {"kind": "block", "bytes": b""}
QUESTIONS = ("initiator_info", "timers_info", "target_info", "lun_info")
MODULES = "ansible_collections.lunworks.iscsi.plugins.modules"


class OthersHost(ScriptedHost):
    """A host with the files of a source, on which no daemon runs."""

    def __init__(self, source, also):
        self.given = {path: text.decode(errors="surrogateescape") for path, text in files_of(source).items()}
        files = {
            path: {"text": text, "mode": 0o600} if path.startswith(PRIVATE) else text
            for path, text in self.given.items()
        }
        super().__init__({**self._around(also), **files, **also.get("files", {})}, changing=CHANGING)

    def _around(self, also):
        files = {
            "/run/systemd/system": {"kind": "directory"},
            "/proc/net/fib_trie": fib_trie(also.get("addresses", [])),
        }
        lines, ids = ["25 1 98:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"], {"": 25}
        for number, (path, device) in enumerate(also.get("mounted", {}).items()):
            files[device] = {**BLOCK_SPECIAL, "rdev": 253 * 256 + number}
            below = max((one for one in ids if path.startswith(f"{one}/")), key=len)
            ids[path] = 60 + number
            mount = f"{ids[path]} {ids[below]} 253:{number} / {path} rw"
            lines.append(f"{mount} - {also.get('type', 'ext4')} {device} rw\n")
        files["/proc/self/mountinfo"] = "".join(lines)
        for path in set(SAVED) & set(self.given):
            document = json.loads(self.given[path])
            files.update(configfs_of(document))
            devices = [one["dev"] for one in document["storage_objects"] if one.get("dev")]
            files.update({path: backing(path, number) for number, path in enumerate(devices)})
        for number, nic in enumerate(also.get("nics", {})):
            files[f"/sys/class/net/{nic}/address"] = (
                f"{also['nics'][nic] or f'52:54:00:00:00:{number:02x}'}\n"
            )
        return files

    def run(self, *argv, **how):
        line = " ".join(argv)
        for pattern, answer in ANSWERS:
            if re.fullmatch(pattern, line, re.S):
                self.runs.setdefault(line, login_unit(self.given) if answer == "login" else answer)
        return super().run(*argv, **how)

    def texts(self):
        """The files that are there now, as text."""
        return {
            path: self.read(path)
            for path in {*self.given, *written(self.did)}
            if self.files.get(path) is not None
        }


def backing(path, number):
    return (
        {**BLOCK_SPECIAL, "rdev": 254 * 256 + number}
        if path.startswith("/dev/")
        else {"size": 1 << 41, "dev": 9, "bytes": b""}
    )


def fib_trie(addresses):
    return "".join(f"  |-- {address}\n     /32 host LOCAL\n" for address in addresses)


def login_unit(given):
    """What systemd says of Debian's unit with the drop-ins of the source."""
    drop_ins = sorted(path for path in given if path.startswith(LOGIN))
    lines = [line for path in drop_ins for line in given[path].splitlines() if line.startswith("ExecStart=/")]
    commands = [line.partition("=")[2].replace('"', "") for line in lines]
    commands = commands or [
        "/sbin/iscsiadm -m node --loginall=automatic",
        "/lib/open-iscsi/activate-storage.sh",
    ]
    said = "".join(COMMAND.format(command.split()[0], command) for command in commands)
    said += f"FragmentPath=/usr/lib/systemd/system/open-iscsi.service\nDropInPaths={' '.join(drop_ins)}\n"
    return said + "Id=open-iscsi.service\nNames=open-iscsi.service iscsi.service\n" + STOPPED


def written(did):
    return [line.split()[1] for line in did if line.startswith("write ")]


CALLS = [
    pytest.param(source, expected_of(source).get("host", {}), call, id=f"{source}: {call['module']} {number}")
    for source in sources()
    for number, call in enumerate(expected_of(source)["calls"])
]


def test_there_are_many_and_each_says_what_it_is():
    assert len(sources()) >= 15
    assert sum(len(files_of(source)) for source in sources()) >= 60
    for source in sources():
        assert (PLACE / source / "README.md").read_text().count("\n") == 1
        assert expected_of(source)["calls"], f"nothing is expected of {source}"


@pytest.mark.parametrize("source, also, call", CALLS)
def test_only_what_is_named_changes(source, also, call):
    host = OthersHost(source, also)
    before = dict(host.given)
    if "refused" in call:
        with pytest.raises(Problem) as refused:
            converged(call, host)
        assert call["refused"] in str(refused.value)
        assert host.did == [] and host.texts() == before
        return
    steps = converged(call, host)
    if not {"file", "new"} & set(call):
        assert [str(step) for step in steps] == []
        assert host.did == []
    changed = {
        path: text for path, text in host.texts().items() if text != before.get(path) and not ours(path)
    }
    assert sorted(changed) == sorted(
        [call["file"]] if "file" in call else [call["new"]] if "new" in call else []
    )
    for path, text in changed.items():
        gone, come = differing(before.get(path, ""), text)
        assert gone == call.get("gone", [])
        assert come == call.get("come", [])


@pytest.mark.parametrize("source", sources())
def test_questions_are_answered_and_no_secret_is(source, monkeypatch):
    host = OthersHost(source, expected_of(source).get("host", {}))
    answers = {module: answer(module, host, monkeypatch) for module in QUESTIONS}
    assert answers["target_info"]["drift"] == [], "what runs is what is saved"
    assert answers["initiator_info"]["sessions"] == []
    for secret in expected_of(source).get("secrets", []):
        assert any(secret in text for text in host.given.values()), "it is in a file"
        assert secret not in json.dumps(answers)
    assert host.did == [] and host.texts() == host.given


def answer(name, host, monkeypatch):
    """What a module that only asks says."""
    module, said = importlib.import_module(f"{MODULES}.{name}"), []
    monkeypatch.setattr(module, "AnsibleModule", lambda spec, **_more: validated(spec))
    monkeypatch.setattr(module, "tell", lambda options, question: said.append(question(options, host)))
    module.main()
    return plain(said[0])


def validated(spec):
    return ArgumentSpecValidator(spec).validate({}).validated_parameters


def ours(path):
    """Files of locks, and the drop-in that tells the restore what to wait for: not others' files."""
    return path.startswith("/run/") or path.endswith("/50-lunworks.conf")


def differing(old, new):
    """The lines that went and those that came; an end that is no newline is shown."""
    lines = list(difflib.unified_diff(old.splitlines(True), new.splitlines(True), n=0))[2:]
    parts = ([line[1:] for line in lines if line.startswith(sign)] for sign in "-+")
    return tuple(
        [line[:-1] if line.endswith("\n") else f"{line}<no newline>" for line in part] for part in parts
    )


def converged(call, host):
    """The steps of a call, taken; looked at again, nothing is left."""
    taken = []
    for resource in resources_of(call["module"], call["options"]):
        seen = resource.look(host)
        want = resource.want(seen)
        steps = resource.plan(seen, want)
        resource.refuse(seen, want, steps)
        assert host.did == [], "a look changed the host"
        for step in steps:
            step.take(host)
        taken += steps
        if not call.get("once"):
            after = resource.look(host)
            assert [str(step) for step in resource.plan(after, resource.want(after))] == []
    return taken
