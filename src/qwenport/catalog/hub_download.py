"""One file of the Hugging Face Hub or of ModelScope, by the hub's own client library in a child process.

The libraries' own settings hold: `HF_ENDPOINT`, `HF_TOKEN`, `MODELSCOPE_ENDPOINT` (`MODELSCOPE_DOMAIN`),
`MODELSCOPE_API_TOKEN`, proxies and certificates. Telemetry and the look for newer versions are switched off.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from qwenport.catalog.download_child import NO_NETWORK, NO_ROOM, Child, run_child, tail
from qwenport.catalog.errors import (
    DiskFull,
    HubClientMissing,
    HubFileMissing,
    HubRefused,
    NetworkUnreachable,
    PullFailed,
)
from qwenport.catalog.progress import Progress
from qwenport.catalog.sources import Hub, HubSource

_SETTINGS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    # Its chunks lie in a cache of their own, so that a broken download could not be continued from the folder.
    "HF_HUB_DISABLE_XET": "1",
    "PYTHONIOENCODING": "utf-8",
}
_NAMES = {Hub.HUGGING_FACE: "the Hugging Face Hub", Hub.MODELSCOPE: "ModelScope"}
_TOKENS = {Hub.HUGGING_FACE: "HF_TOKEN", Hub.MODELSCOPE: "MODELSCOPE_API_TOKEN"}
_ENDPOINTS = {Hub.HUGGING_FACE: "HF_ENDPOINT", Hub.MODELSCOPE: "MODELSCOPE_ENDPOINT"}
_NO_CLIENT = re.compile(r"No module named '?(huggingface_hub|modelscope_hub)")
_REFUSED = re.compile(r"\b40[13]\b|GatedRepoError|AuthenticationError|PermissionDeniedError")
_MISSING = re.compile(
    r"\b404\b|\b(Remote)?EntryNotFoundError|RevisionNotFoundError|RepositoryNotFoundError|NotExistError"
)
_UNREACHED = re.compile(r"\bLocalEntryNotFoundError")  # how Hugging Face's client says that nobody answered
_TOKEN = re.compile(r"\b(hf_|ms-)[A-Za-z0-9-]{8,}")


def download_hub_file(source: HubSource, directory: Path, python: str, progress: Progress) -> Path:
    """Download the source's file into `directory` and return its path; what an earlier try left there is continued.

    Raises a `PullFailed` whose words say what to do.
    """
    directory.mkdir(exist_ok=True)
    stderr_path = directory / "hub.stderr"
    arguments = [source.hub.value, source.repository, source.member, source.revision, str(directory)]
    child = Child([python, "-m", "qwenport.catalog.hub_fetch", *arguments], {**os.environ, **_SETTINGS})
    progress.begin(f"Downloading {source.repository}/{source.member}", None)
    try:
        code = run_child(child, directory, stderr_path, progress)
    finally:
        progress.end()
    path = directory / source.member
    if code != 0 or not path.is_file():
        raise _failure(source, tail(stderr_path))
    return path


def _failure(source: HubSource, stderr: str) -> PullFailed:
    """Tell from the library's own words what went wrong."""
    # The name of the last error and its words; what led to it stands above and may name other addresses.
    lines = [_TOKEN.sub("***", line.strip()) for line in stderr.splitlines() if line.strip()]
    last = next(
        (line for line in reversed(lines) if re.match(r"[\w.]+(Error|Exception)\w*\b", line)), "it said nothing"
    )
    wanted, hub = f"{source.repository}/{source.member}", _NAMES[source.hub]
    said = "\n".join(lines[lines.index(last) :]) if last in lines else ""
    if _NO_CLIENT.search(stderr):
        return HubClientMissing(f"`{wanted}` needs the client of {hub}; install it by `pip install 'qwenport[hubs]'`")
    if NO_ROOM.search(stderr):
        return DiskFull(f"no room for `{wanted}`; free some space and pull again: what has come is kept")
    if _REFUSED.search(said):
        return HubRefused(
            f"{hub} does not give `{wanted}` to this caller: it does not exist there, or wants its terms accepted and "
            f"a token in `{_TOKENS[source.hub]}`. Its client says: {last}"
        )
    if _MISSING.search(said):
        return HubFileMissing(
            f"{hub} has no `{wanted}` at revision `{source.revision or 'main'}`; correct `source` in the model file. "
            f"Its client says: {last}"
        )
    if NO_NETWORK.search(said) or _UNREACHED.search(said):
        return NetworkUnreachable(
            f"{hub} could not be reached for `{wanted}`; check the network, a proxy (`HTTPS_PROXY`) or "
            f"`{_ENDPOINTS[source.hub]}`, and pull again: what has come is kept. Its client says: {last}"
        )
    return PullFailed(f"{hub} did not give `{wanted}`; pull again: what has come is kept. Its client says: {last}")
