"""The child process that fetches one file of a hub by the hub's own client library.

A process of its own, because the libraries read their settings when they are imported, and cannot be interrupted.
Its arguments are the hub, the repository, the path of the file, the revision (or an empty text) and the folder that the
file is put into, where what is half done stays to be continued.
"""

from __future__ import annotations

import sys


def main(hub: str, repository: str, member: str, revision: str, folder: str) -> None:
    """Fetch the file; what a library raises ends the process with its name on standard error."""
    if hub == "hf":
        from huggingface_hub import hf_hub_download  # noqa: PLC0415 - an optional dependency

        hf_hub_download(repository, member, revision=revision or None, local_dir=folder)
    else:
        from modelscope_hub import HubApi  # noqa: PLC0415 - an optional dependency

        HubApi().download_file(repository, "model", member, revision=revision or None, local_dir=folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
