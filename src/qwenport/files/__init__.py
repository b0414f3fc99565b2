"""What accounts store: files that are received to disk, kept with quotas, and found again by their owner alone.

`staging` receives one file, `folder` is the data directory's part of it, `limits` says how much, `names` what no name
holds, `grants` gives leave to post to the upload host, `store` puts them together, `desk` answers the faces' queries,
`responses` keeps answers, `clean_up` puts the folder in order at the start.
"""

from __future__ import annotations

from qwenport.files.clean_up import clean_up
from qwenport.files.desk import FileDesk
from qwenport.files.errors import PolicyFault, PolicyRefused
from qwenport.files.folder import FileFolder
from qwenport.files.grants import UploadGrants, UploadPermission
from qwenport.files.limits import FileLimits
from qwenport.files.staging import StagedFile
from qwenport.files.store import FileStore, NewFile, StoreParts
from qwenport.storage.file_rows import UploadOrigin

__all__ = [
    "FileDesk",
    "FileFolder",
    "FileLimits",
    "FileStore",
    "NewFile",
    "PolicyFault",
    "PolicyRefused",
    "StagedFile",
    "StoreParts",
    "UploadGrants",
    "UploadOrigin",
    "UploadPermission",
    "clean_up",
]
