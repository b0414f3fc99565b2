"""What `qwenport bench ocr` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from qwenport.cli.arguments import whole
from qwenport.evaluation.data_folders import DataKind

_Flag = Parameter(negative=())


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Documents:
    """Which documents are read."""

    data: Path | None = None
    """folder of SROIE or WildReceipt."""
    kind: DataKind | None = None
    """which of them; by default what the folder looks like."""
    limit: Annotated[int | None, whole(1, 1_000_000)] = None
    """the first so many documents alone."""
    only: Path | None = None
    """file that names the documents that are read, one a line, such as a held-out part."""
    rendered: Annotated[bool, _Flag] = False
    """documents made for it, whose whole truth is known: one of each layout for development."""
    frozen: Annotated[bool, _Flag] = False
    """the layouts that whoever wrote the rules never saw."""
    photo: Annotated[bool, _Flag] = False
    """as skewed, noisy photographs."""
    tables: Annotated[bool, _Flag] = False
    """tables instead of documents with fields."""
    dense: Annotated[bool, _Flag] = False
    """pages full of text, 1600 by 1200 pixels."""
    seed: Annotated[int, whole(0, 2**31)] = 1
    """other values and fonts for rendered documents."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reading:
    """How they are read."""

    workers: Annotated[int, whole(1, 64)] = 1
    """reading processes."""
    fast: Annotated[bool, _Flag] = False
    """the tiny model, which is pulled first: `qwenport models pull pp-ocrv6-tiny`."""
    cache: Path | None = None
    """folder that keeps recognised pages, so that changed rules are measured in seconds; holds the documents' text."""
