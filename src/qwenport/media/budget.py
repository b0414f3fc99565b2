"""The ceiling on the bytes that the images of one call may hold together."""

from __future__ import annotations

from qwenport.media.refusals import TOO_LARGE, refused


class ByteBudget:
    """Counts bytes before they are loaded."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._left = most_bytes

    def take(self, size_bytes: int) -> None:
        """Count bytes that are about to be loaded.

        Raises:
            ParameterInvalid: the call has no room for them.
        """
        if size_bytes > self._left:
            raise refused(f"{TOO_LARGE} (the images of one call may hold {self._most_bytes} bytes together)")
        self._left -= size_bytes
