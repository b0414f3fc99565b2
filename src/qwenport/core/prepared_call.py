"""A call that was admitted and completed from its model card: what an engine gets."""

from __future__ import annotations

from msgspec import Struct

from qwenport.core.call import Call


class PreparedCall(Struct, frozen=True, kw_only=True):
    """A call whose sampling is filled in from the card and whose `max_tokens` is what the hold paid for.

    Images are fetched: every `ImagePart` has become a `Picture`, every `FilePart` text.
    """

    call: Call
    max_input_tokens: int
    """The card's bound on the prompt; the engine refuses by the smaller of this and its own context."""
    trace: tuple[tuple[str, str], ...] = ()
    """Header lines by which whoever is asked puts its work into the caller's trace; empty without traces."""
