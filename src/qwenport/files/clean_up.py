"""What a crash left half done in the folder of files: bytes without a row, rows without bytes, files coming in."""

from __future__ import annotations

from qwenport.files.folder import FileFolder
from qwenport.storage import file_rows
from qwenport.storage.database import Database


def clean_up(database: Database, folder: FileFolder, *, owns_rows: bool) -> None:
    """Put the folder in order and make its secret.

    Blocking, and for the start only: a file that is being kept just then would be taken for such a leftover. A
    database that other machines use too does not belong to this folder alone: rows without bytes stay there.

    Raises:
        StorageUnavailable: the disk or the database refuses.
    """
    folder.prepare()
    folder.remove_incoming()
    folder.secret()
    with database.write() as transaction:
        for account_id in folder.account_ids() | file_rows.account_ids(transaction):
            rows, files = file_rows.ids(transaction, account_id), folder.ids(account_id)
            if owns_rows:
                file_rows.remove(transaction, account_id, sorted(rows - files))
            folder.remove(account_id, files - rows)
