# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has where nobody has set anything: such a setting is not written down."""

from __future__ import annotations

from typing import Any, Mapping

FIRST_NUMBER = {"tgt": 1}  # its LUN 0 is the controller
LIO_ALIAS = "LIO Target"  # Linux, drivers/target/iscsi/iscsi_target_parameters.h, INITIAL_TARGETALIAS
# drivers/target/iscsi/iscsi_target_core.h (TA_...); what decides who may log in follows from the igroups.
TARGET_ATTRIBUTES = {
    "default_cmdsn_depth": "64",
    "default_erl": "0",
    "demo_mode_discovery": "1",
    "fabric_prot_type": "0",
    "login_keys_workaround": "1",
    "login_timeout": "15",
    "netif_timeout": "2",
    "t10_pi": "0",
    "tpg_enabled_sendtargets": "1",
}
# iscsi_target_parameters.h, INITIAL_...
TARGET_PARAMETERS = {
    "DataDigest": "CRC32C,None",
    "DataPDUInOrder": "Yes",
    "DataSequenceInOrder": "Yes",
    "DefaultTime2Retain": "20",
    "DefaultTime2Wait": "2",
    "ErrorRecoveryLevel": "0",
    "FirstBurstLength": "65536",
    "HeaderDigest": "CRC32C,None",
    "ImmediateData": "Yes",
    "InitialR2T": "Yes",
    "MaxBurstLength": "262144",
    "MaxConnections": "1",
    "MaxOutstandingR2T": "1",
    "MaxRecvDataSegmentLength": "8192",
    "MaxXmitDataSegmentLength": "262144",
}
# drivers/target/target_core_base.h (DA_...). What the device behind a LUN decides (queue depth, discard) is not among these.
LUN_ATTRIBUTES = {
    "emulate_3pc": "1",
    "emulate_caw": "1",
    "emulate_fua_write": "1",
    "emulate_pr": "1",
    "emulate_rsoc": "1",
    "emulate_tas": "1",
    "emulate_tpu": "0",
    "emulate_tpws": "0",
    "emulate_ua_intlck_ctrl": "0",
    "enforce_pr_isids": "1",
    "force_pr_aptpl": "0",
}
# open-iscsi, etc/iscsid.conf: what packages ship.
ISCSID_CONF = {
    "node.leading_login": "No",
    "node.session.timeo.replacement_timeout": "120",
    "node.conn[0].timeo.login_timeout": "15",
    "node.conn[0].timeo.logout_timeout": "15",
    "node.conn[0].timeo.auth_timeout": "45",
    "node.conn[0].timeo.noop_out_interval": "5",
    "node.conn[0].timeo.noop_out_timeout": "5",
    "node.session.err_timeo.abort_timeout": "15",
    "node.session.err_timeo.lu_reset_timeout": "30",
    "node.session.err_timeo.tgt_reset_timeout": "30",
    "node.session.err_timeo.host_reset_timeout": "60",
    "node.session.initial_login_retry_max": "8",
    "node.session.cmds_max": "128",
    "node.session.queue_depth": "32",
    "node.session.nr_sessions": "1",
    "node.session.reopen_max": "0",
    "node.session.scan": "auto",
    "node.session.iscsi.FastAbort": "Yes",
    "node.session.iscsi.InitialR2T": "No",
    "node.session.iscsi.ImmediateData": "Yes",
    "node.session.iscsi.FirstBurstLength": "262144",
    "node.session.iscsi.MaxBurstLength": "16776192",
    "node.session.iscsi.MaxConnections": "1",
    "node.session.iscsi.MaxOutstandingR2T": "1",
    "node.session.iscsi.ERL": "0",
    "node.session.iscsi.DefaultTime2Retain": "0",
    "node.session.iscsi.DefaultTime2Wait": "2",
    "node.conn[0].iscsi.MaxRecvDataSegmentLength": "262144",
    "node.conn[0].iscsi.MaxXmitDataSegmentLength": "0",
    "node.conn[0].iscsi.HeaderDigest": "None",
    "node.conn[0].iscsi.DataDigest": "None",
    "discovery.sendtargets.iscsi.MaxRecvDataSegmentLength": "32768",
    "iscsid.safe_logout": "No",
}
# open-iscsi, usr/idbm.c and usr/iscsi_settings.h: what a new discovery record says beside iscsid.conf.
DISCOVERY = {
    "discovery.sendtargets.reopen_max": "5",
    "discovery.sendtargets.timeo.login_timeout": "15",
    "discovery.sendtargets.timeo.auth_timeout": "45",
    "discovery.sendtargets.timeo.active_timeout": "30",
    "discovery.sendtargets.iscsi.MaxRecvDataSegmentLength": "32768",
}
# Debian and RHEL set these otherwise than upstream does, and no host is told by its distribution here.
OF_DISTRIBUTIONS = (
    "iscsid.startup",
    "node.startup",
    "node.session.xmit_thread_priority",  # without effect since 2.1
    "node.session.auth.chap_algs",
    "iscsid.ipc_auth_uid",
)


def differing(found: Mapping[str, Any], defaults: Mapping[str, str]) -> dict[str, Any]:
    """Those of these settings that somebody has set."""
    return {key: found[key] for key in sorted(found) if key in defaults and str(found[key]) != defaults[key]}
