"""Folders of data that a user has."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from qwenport.evaluation.case import Case, DataUnreadable
from qwenport.evaluation.sroie import is_sroie, sroie_cases
from qwenport.evaluation.wildreceipt import is_wildreceipt, wildreceipt_cases


class DataKind(StrEnum):
    """A data set by its layout on disk."""

    SROIE = "sroie"
    WILDRECEIPT = "wildreceipt"


def kind_of(folder: Path) -> DataKind:
    """Return which data set a folder holds, by what is in it.

    Raises:
        DataUnreadable: none that is known.
    """
    if not folder.is_dir():
        raise DataUnreadable(f"{folder} is no folder")
    if is_wildreceipt(folder):
        return DataKind.WILDRECEIPT
    if is_sroie(folder):
        return DataKind.SROIE
    raise DataUnreadable(
        f"{folder} is no data set that is known: SROIE has folders img, box and key (or entities), WildReceipt has"
        " class_list.txt and test.txt"
    )


def folder_cases(folder: Path, kind: DataKind) -> Iterator[Case]:
    """Yield the documents of a folder.

    Raises:
        DataUnreadable: the folder or a file is not as the kind wants it.
    """
    return wildreceipt_cases(folder) if kind is DataKind.WILDRECEIPT else sroie_cases(folder)
