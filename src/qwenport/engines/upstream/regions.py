"""Model Studio's regions and hosts, and which API keys each host takes.

https://www.alibabacloud.com/help/en/model-studio/base-url (read 2026-10-11): shared hosts take keys of any workspace of
their region, a workspace's own host takes keys of that workspace alone, trial hosts take keys of any workspace of
their region; keys are independent across regions. The six regions and the form of a workspace's host are also in
dashscope 2.0.2, `dashscope/v2/_config.py`, the form of a workspace's name in `dashscope/common/env.py`.
Hosts of plans: https://www.alibabacloud.com/help/zh/model-studio/token-plan-team-quickstart (read 2026-09-11) for
Beijing, https://github.com/diegosouzapw/OmniRoute/pull/10634 (2026-08-18) for Singapore.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

COMPATIBLE_PATH = "/compatible-mode/v1"
NATIVE_PATH = "/api/v1"
RERANK_PATH = "/compatible-api/v1"
PLAN_WORKSPACE = "token-plan"
"""What stands in the place of a workspace in the host of a token plan."""

_WORKSPACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?", re.ASCII)
_TRIAL_WORKSPACE = "trial"
_MAAS = re.compile(r"(?P<workspace>[a-z0-9_-]+)\.(?P<id>[a-z0-9-]+)\.maas\.aliyuncs\.com")


class Region(Struct, frozen=True, kw_only=True):
    """One region, by the name that price lists and routes use."""

    name: str
    id: str
    """As it stands in hosts of workspaces."""
    shared_host: str = ""
    """Empty where there are hosts of workspaces alone."""
    coding_host: str = ""
    """Of the coding plan, whose compatible face lies at `/v1`; empty where there is none."""


REGIONS: dict[str, Region] = {
    region.name: region
    for region in (
        Region(
            name="beijing",
            id="cn-beijing",
            shared_host="dashscope.aliyuncs.com",
            coding_host="coding.dashscope.aliyuncs.com",
        ),
        Region(
            name="singapore",
            id="ap-southeast-1",
            shared_host="dashscope-intl.aliyuncs.com",
            coding_host="coding-intl.dashscope.aliyuncs.com",
        ),
        Region(name="hongkong", id="cn-hongkong", shared_host="cn-hongkong.dashscope.aliyuncs.com"),
        Region(name="us", id="us-east-1", shared_host="dashscope-us.aliyuncs.com"),
        Region(name="frankfurt", id="eu-central-1"),
        Region(name="tokyo", id="ap-northeast-1"),
    )
}


class HostKind(StrEnum):
    """Which keys a host takes."""

    SHARED = "shared"
    """Keys of any workspace of its region."""
    WORKSPACE = "workspace"
    """Keys of its own workspace."""
    PLAN = "plan"
    """Keys of a coding or token plan alone."""
    OTHER = "other"
    """A host that is not known to be Model Studio's."""


class KnownHost(Struct, frozen=True):
    """What is known of a host."""

    kind: HostKind
    region: str = ""


def known_host(host: str) -> KnownHost:
    """Return what is known of a host; it is asked for by any name."""
    for region in REGIONS.values():
        if host == region.shared_host:
            return KnownHost(HostKind.SHARED, region.name)
        if host == region.coding_host:
            return KnownHost(HostKind.PLAN, region.name)
    own = _MAAS.fullmatch(host)
    by_id = {region.id: region.name for region in REGIONS.values()}
    if own is None or own["id"] not in by_id:
        return KnownHost(HostKind.OTHER)
    kinds = {PLAN_WORKSPACE: HostKind.PLAN, _TRIAL_WORKSPACE: HostKind.SHARED}
    return KnownHost(kinds.get(own["workspace"], HostKind.WORKSPACE), by_id[own["id"]])


def is_workspace(name: str) -> bool:
    """Tell whether a name can be that of a workspace: one label of a host, so that it cannot lead elsewhere."""
    return _WORKSPACE.fullmatch(name) is not None
