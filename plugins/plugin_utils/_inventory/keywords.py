# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keywords of multipath.conf(5) in the variables of the role multipath that are misspelled, or in a section without them.

A keyword that is like none of these passes: a newer multipath may know it, and the host's own is asked before it is written.
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from .fault import Path, nearest

LIKE = 0.75
# multipath-tools 0.7 to 0.13, libmultipath/dict.c, init_keywords, with the deprecated ones.
ALL = set(
    """deferred_remove delay_wait_checks delay_watch_checks failback features flush_on_last_del ghost_delay max_sectors_kb
    no_path_retry path_grouping_policy path_selector pg_timeout prio prio_args purge_disconnected rr_min_io rr_min_io_rq rr_weight
    marginal_path_double_failed_time marginal_path_err_rate_threshold marginal_path_err_recheck_gap_time
    marginal_path_err_sample_time san_path_err_forget_rate san_path_err_recovery_time san_path_err_threshold skip_kpartx
    user_friendly_names""".split()
)
OF_MODELS = ALL | set(
    """alias_prefix all_tg_pt checker detect_checker detect_pgpolicy detect_pgpolicy_use_tpg detect_prio dev_loss_tmo eh_deadline
    fast_io_fail_tmo getuid_callout path_checker recheck_wwid retain_attached_hw_handler uid_attribute""".split()
)
DEFAULTS = OF_MODELS | set(
    """allow_usb_devices auto_resize bindings_file checker_timeout config_dir default_features default_getuid_callout
    default_path_checker default_path_grouping_policy default_selector default_uid_attribute disable_changed_wwids enable_foreign
    find_multipaths find_multipaths_timeout force_sync gid log_checker_err marginal_pathgroups max_fds max_polling_interval
    max_retries missing_uev_wait_timeout mode multipath_dir partition_delimiter polling_interval prkeys_file queue_without_daemon
    reassign_maps remove_retries reservation_key retrigger_delay retrigger_tries selector strict_timing udev_dir uid uid_attrs
    uxsock_timeout verbosity wwids_file""".split()
)
BLACKLIST = {"device", "devnode", "property", "protocol", "wwid"}
SECTIONS = {  # the variable, and what is in its section
    "multipath_defaults": DEFAULTS,
    "multipath_fallbacks": DEFAULTS,
    "multipath_blacklist": BLACKLIST,
    "multipath_blacklist_exceptions": BLACKLIST,
    "multipath_devices": OF_MODELS
    | {"hardware_handler", "product", "product_blacklist", "revision", "vendor", "vpd_vendor"},
    "multipath_multipaths": ALL | {"alias", "gid", "mode", "reservation_key", "uid", "wwid"},
    "multipath_overrides": OF_MODELS | {"protocol"},
}


def strange_keywords(values: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    """The place, what is wrong there, and the keyword; the variables have the right shape."""
    for variable, known in SECTIONS.items():
        for path, section in _sections(variable, values.get(variable)):
            for keyword in section:
                said = "" if keyword in known else _said(keyword, variable, known)
                if said:
                    yield path, f"multipath.conf(5) has no keyword '{keyword}' here; {said}", keyword


def _sections(variable: str, value: Any) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        yield (variable,), value
    elif isinstance(value, list):
        yield from (((variable, number), one) for number, one in enumerate(value) if isinstance(one, Mapping))


def _said(keyword: str, variable: str, known: set[str]) -> str:
    others = [name for name, keywords in SECTIONS.items() if keyword in keywords]
    if others:
        return f"it belongs in {others[0]}"
    like = nearest(keyword.lower().replace("-", "_"), known, LIKE)
    return f"did you mean '{like}'?" if like else ""
