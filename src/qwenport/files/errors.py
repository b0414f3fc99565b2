"""Why the upload host takes no file; it speaks another protocol than the faces, so these stand outside their tree."""

from __future__ import annotations

from enum import StrEnum


class PolicyFault(StrEnum):
    """What is wrong with the leave that somebody shows."""

    UNKNOWN_KEY = "unknown_key"
    """The access key is none of this server's."""
    BAD_SIGNATURE = "bad_signature"
    EXPIRED = "expired"
    CONDITION = "condition"
    """The form is not what leave was given for."""


class PolicyRefused(Exception):
    """The form may not be posted; the message is safe to show."""

    def __init__(self, fault: PolicyFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
