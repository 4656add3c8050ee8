# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of an inventory as Ansible runs it: with files and lines, templates and vaults, and before any connection.

The hosts are ports of this machine on which nobody listens.
"""

from __future__ import annotations

import re

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.lunworks.iscsi.plugins.lookup import inventory_faults
from ansible_collections.lunworks.iscsi.tests.unit.inventories import CHAP, GROUPS, IQN, ROOT, san
from ansible_collections.lunworks.iscsi.tests.unit.playing import run_playbook

SILENT = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}
DB = f"{IQN}:store1.db"


def written(place, data):
    """An inventory of files, as people keep it."""
    groups = {name: {"hosts": dict.fromkeys(hosts)} for name, hosts in GROUPS.items() if name != "all"}
    (place / "host_vars").mkdir(parents=True)
    (place / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups, "vars": SILENT}}))
    for host, variables in data.items():
        text = variables if isinstance(variables, str) else yaml.safe_dump(variables, sort_keys=False)
        (place / "host_vars" / f"{host}.yml").write_text(text)
    return str(place)


def line_of(place, host, text):
    """Where a text stands in the variables of a host."""
    lines = (place / "host_vars" / f"{host}.yml").read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if text in line]
    return f"host_vars/{host}.yml:{number})"


def faults_of(inventory):
    """What the lookup says of an inventory as Ansible reads it, without a run of Ansible."""
    loader = DataLoader()
    known = InventoryManager(loader=loader, sources=[str(inventory)])
    manager = VariableManager(loader=loader, inventory=known)
    variables = {**manager.get_vars(), "hostvars": HostVars(known, manager, loader)}
    variables["ansible_inventory_sources"] = [str(inventory)]  # as the command line gives them
    templar = Templar(loader=loader, variables=variables)
    return inventory_faults.LookupModule(loader=loader, templar=templar).run([], variables)


def test_every_mistake_is_said_with_its_file_and_line_whatever_the_limit(tmp_path):
    data = san()
    data["db-a"]["volume_groups"][0]["volumes"][0]["filesystem"] = "xsf"
    data["store1"]["target_targets"][0]["igroups"][0]["initators"] = []
    data["db-b"]["initiator_node"] = []
    data["db-b"]["initiator_nodes"][0]["portals"] = "{{ no_such_variable }}"
    data["db-b"]["initiator_settings"] = {"node.session.queue_depth": "{{ ansible_facts.processor_vcpus }}"}
    place = tmp_path / "inventory"
    ran = run_playbook(tmp_path, "-i", written(place, data), "lunworks.iscsi.validate", "--limit", "store2")
    assert ran.returncode
    wanted = [
        (
            "store1",
            "there is no option 'initators'; did you mean 'initiators'?",
            line_of(place, "store1", "initators"),
        ),
        ("db-a", "must be one of ext4, xfs, not 'xsf'; did you mean 'xfs'?", line_of(place, "db-a", "xsf")),
        ("db-b", "cannot be read: ", line_of(place, "db-b", "no_such_variable")),
        (
            "db-b",
            "nobody reads this variable; did you mean 'initiator_nodes'?",
            line_of(place, "db-b", "initiator_node:"),
        ),
    ]
    said = re.findall(r'^ +"([\w-]+: .*)"', ran.stdout, re.M)
    assert len(said) == len(wanted)
    for host, what, where in wanted:
        assert [one for one in said if one.startswith(f"{host}: ") and what in one and one.endswith(where)], (
            what
        )
    assert "UNREACHABLE" not in ran.stdout and CHAP["secret"] not in ran.stdout
    assert re.search(r"\n  failed: [\w-]+: .* And 3 more, listed above\.\n", ran.stdout)


def test_what_is_wrong_between_hosts_is_said_with_each_line(tmp_path):
    data = san()
    data["db-a"]["volume_groups"][0]["luns"][1]["target"] = f"{IQN}:store1.bd"
    data["db-b"]["initiator_name"] = f"{IQN}:db-a"
    data["store1"]["target_targets"][0]["igroups"][0]["luns"].append("dbx")
    data["store1"]["target_targets"][0]["igroups"][0]["chap"]["secret"] = "quite another secret"
    said = faults_of(written(tmp_path, data))
    wanted = {
        "The initiator name": ["db-a", "db-b"],
        "has the LUN 'dbx'": ["store1"],
        f"'{IQN}:store1.bd'": ["db-a"],
        "do not have the same CHAP secret": ["db-a", "store1"],
    }
    for what, hosts in wanted.items():
        (one,) = [one for one in said if what in one]
        files = [re.escape(f"host_vars/{host}.yml:") + r"\d+" for host in hosts]
        assert re.search(r" \(\S*" + r", \S*".join(files) + r"\)$", one), one
    (typo,) = [one for one in said if "store1.bd" in one]
    lines = (tmp_path / "host_vars/db-a.yml").read_text().splitlines()
    assert "store1.bd" in lines[int(re.findall(r":(\d+)\)$", typo)[0]) - 1]


def test_what_ansible_leaves_out_of_files_is_said_with_the_line(tmp_path):
    data = san()
    portals = "nodeports: [10.77.1.12]\nnodeports: [10.77.1.12, 10.77.2.12]\n"
    data["db-b"]["initiator_nodes"][0]["portals"] = "{{ nodeports }}"
    data["db-b"] = f"ntp: 1\nntp: 2\n{portals}{yaml.safe_dump(data['db-b'])}"
    data["db-d"] = san()["db-a"]
    written(tmp_path, data)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/computes.yml").write_text("initiator_preset: multipath\n")
    groups = (tmp_path / "hosts.yml").read_text()
    (tmp_path / "hosts.yml").write_text(f"all: {{}}\n{groups}")
    again, nobody = "stands here again, so that what line", "so nobody reads this file; did you mean"
    assert [re.sub(r"'db-[ab]'|\(.*/", "", one) for one in faults_of(tmp_path)] == [
        f"nodeports: {again} 3 says is ignored. Make one of the two db-b.yml:4)",
        f"all: {again} 1 says is ignored. Make one of the two hosts.yml:2)",
        f"the inventory has no host 'db-d', {nobody} ? db-d.yml)",
        f"the inventory has no group 'computes', {nobody} 'compute'? computes.yml)",
    ]


@pytest.mark.parametrize("playbook", ["site", "rotate_chap", "rename_initiator"])
def test_what_makes_hosts_what_the_data_says_begins_with_it(playbook):
    first, *_others = yaml.safe_load((ROOT / f"playbooks/{playbook}.yml").read_text())
    assert first["ansible.builtin.import_playbook"] == "validate.yml"


def test_site_connects_to_no_host_where_something_is_wrong(tmp_path):
    data = san()
    data["db-a"]["volume_groups"][0]["volumes"][0]["sise"] = "1g"
    ran = run_playbook(tmp_path, "-i", written(tmp_path / "inventory", data), "lunworks.iscsi.site")
    assert ran.returncode and "there is no option 'sise'; did you mean 'size'?" in ran.stdout
    assert "UNREACHABLE" not in ran.stdout and ran.stdout.count("\nTASK [") == 2
    said, stopped = ran.stdout.find("there is no option 'sise'"), ran.stdout.find("fatal: ")
    assert said < stopped and "failed_when" not in ran.stdout and "listed above" not in ran.stdout


def test_a_vault_passes_closed_and_is_read_open_without_being_shown(tmp_path):
    text = VaultLib().encrypt("too short", VaultSecret(b"password")).decode()
    vault = "\n".join(f"          {line}" for line in text.splitlines())
    nodes = yaml.safe_dump([{"target": DB, "portals": ["10.77.1.11"]}], sort_keys=False)
    hush = f"hush: !vault |\n{vault}\n"  # used in a template, as a variable of a vault is
    chaps = {
        "db-a": f"  chap:\n    user: db\n    secret: !vault |\n{vault}\n",
        "db-b": "  chap: {user: db, secret: '{{ hush }}'}\n",
    }
    data = {
        host: f"{hush}initiator_name: {IQN}:{host}\ninitiator_nodes:\n{nodes}{chaps[host]}" for host in chaps
    }
    inventory = written(tmp_path / "inventory", data)
    validate = ("-i", inventory, "lunworks.iscsi.validate")
    closed = run_playbook(tmp_path, "-e", "initiator_node=x", *validate)
    assert closed.returncode == 0, closed.stdout
    (tmp_path / "password").write_text("password")
    opened = run_playbook(tmp_path, "--vault-password-file", str(tmp_path / "password"), *validate)
    wrong = re.findall(
        r'^ +"(db-.): .*: The CHAP secret has 9 bytes; it must have 12 to 255', opened.stdout, re.M
    )
    assert opened.returncode and wrong == ["db-a", "db-b"]
    assert "too short" not in opened.stdout


def test_what_ansible_says_of_a_template_is_not_shown_where_a_secret_may_be(tmp_path):
    chaps = ("{{ tab[hush] }}", "{{ hush | to_datetime }}", "{{ lookup('file', hush) }}", "{{ nowhere }}")
    nodes = [{"target": f"{DB}{n}", "chap": {"user": "db", "secret": one}} for n, one in enumerate(chaps)]
    data = {"db-a": {"hush": "HUSHSECRET123456", "tab": {}, "initiator_nodes": nodes}}
    said = faults_of(written(tmp_path, data))
    assert len(said) == 4 and all(one.startswith("db-a: initiator_nodes[") for one in said)
    assert sum(": cannot be read: its template cannot be filled in" in one for one in said) == 3
    assert sum("chap, secret: cannot be read: 'nowhere' is undefined" in one for one in said) == 1
    assert "HUSH" not in "".join(said)


@pytest.mark.parametrize(
    "host, variable, value",
    [
        ("store1", "target_discovery_chap", {"user": "scout", "secret": "{{ vault_scout }}"}),
        ("db-a", "initiator_secrets", {"discovery.sendtargets.auth.password": "{{ vault_scout }}"}),
        ("db-a", "multipath_aliases", "{{ vault_scout }}"),
    ],
)
def test_a_variable_that_nobody_defines_is_named_where_it_is_used(tmp_path, host, variable, value):
    data = san()
    data[host][variable] = value
    (said,) = faults_of(written(tmp_path, data))
    where = "".join(f", {key}" for key, one in value.items() if "vault" in one) if value != str(value) else ""
    assert said.startswith(f"{host}: {variable}{where}: cannot be read: 'vault_scout' is undefined (")
    assert said.endswith(line_of(tmp_path, host, "vault_scout"))


@pytest.mark.parametrize(
    "text",
    [
        "{{ ansible_processor_vcpus }}",
        "{{ ansible_facts.x.y }}",
        "{{ initiator_install }}",
        "{{ made_by_a_play }}",
        "{{ play_hosts | length }}",
    ],
)
def test_what_a_run_will_know_is_not_missing(tmp_path, text):
    data = san()
    data["db-a"]["initiator_settings"] = {"node.session.queue_depth": text}
    data["db-a"]["target_discovery_chap"] = {"user": "{{ of_another_group }}", "secret": "x"}
    assert faults_of(written(tmp_path, data)) == []


def test_what_is_omitted_is_left_out_and_a_file_that_is_no_yaml_is_named_with_its_line(tmp_path):
    data = san()
    data["store1"]["target_targets"][0]["luns"][0]["block_size"] = "{{ nowhere | default(omit) }}"
    data["db-a"]["initiator_alias"] = "{{ nowhere | default(omit) }}"
    inventory = written(tmp_path, data)
    assert faults_of(inventory) == []
    (tmp_path / "host_vars/db-b.yml").write_text("a: 1\nb: [{c: d\ne: 1\n")
    (said,) = faults_of(inventory)
    assert re.search(
        r"^The variables of the inventory cannot be read: .* \(.*host_vars/db-b.yml:[234]\)$", said
    )


@pytest.mark.parametrize(
    "option, said",
    [
        ("report_from=dta", "report_from is 'dta'; it must be one of hosts, data."),
        ("report_format=xml", "report_format is 'xml'; it must be one of text, json, html, mermaid."),
        ("report_from=data", "there is no option 'sise'; did you mean 'size'?"),
    ],
)
def test_a_report_refuses_what_it_does_not_know_and_says_what_validate_says(tmp_path, option, said):
    data = san()
    data["db-a"]["volume_groups"][0]["volumes"][0]["sise"] = "1g"
    ran = run_playbook(
        tmp_path, "-i", written(tmp_path / "inventory", data), "lunworks.iscsi.report", "-e", option
    )
    assert ran.returncode and said in ran.stdout
    assert "UNREACHABLE" not in ran.stdout and "No faults." not in ran.stdout


def test_the_inventories_of_this_project_are_right(tmp_path):
    assert faults_of(ROOT / "tests/integration/san") == []
    ran = run_playbook(tmp_path, "-i", str(ROOT / "examples/demo"), "lunworks.iscsi.validate")
    assert ran.returncode == 0 and "The inventory is right." in ran.stdout, ran.stdout


def test_templates_know_the_command_line_and_what_tasks_set_and_neither_is_a_mistake(tmp_path):
    data = san()
    groups = data["db-a"]["volume_groups"]
    data["db-a"]["volume_groups"] = "{{ groups_of_a if owner == 'db-a' and ready else [] }}"
    data["db-a"]["groups_of_a"] = groups
    book = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.set_fact": {"ready": True, "initiator_nods": []}}],
        },
        {"import_playbook": "lunworks.iscsi.validate"},
    ]
    (tmp_path / "book.yml").write_text(yaml.safe_dump(book))
    place = written(tmp_path / "inventory", data)
    ran = run_playbook(
        tmp_path, "-i", place, str(tmp_path / "book.yml"), "-e", "owner=db-a", "-e", "initiator_nods=x"
    )
    assert ran.returncode == 0 and "The inventory is right." in ran.stdout, ran.stdout


def test_a_library_that_is_missing_is_named_with_how_to_get_it(monkeypatch):
    monkeypatch.setattr(inventory_faults, "HAS_JSONSCHEMA", False)
    (said,) = inventory_faults.LookupModule().run([], variables={})
    assert "does not have the library jsonschema. Install it there (pip install jsonschema" in said
