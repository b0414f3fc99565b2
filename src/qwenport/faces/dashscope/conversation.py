"""What `input` says, as messages: the newer `messages`, the older `history`, and a prompt as the last word."""

from __future__ import annotations

from qwenport.core.content import Message
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.dashscope.schema import GenerationInput
from qwenport.faces.messages import WireMessage, read_messages
from qwenport.faces.pieces import check_pieces


def read_conversation(wire: GenerationInput) -> tuple[Message, ...]:
    """Return the messages; a prompt comes after them, as the official client appends it.

    Raises:
        ParameterInvalid: there are neither messages nor a prompt, or they are none.
    """
    if wire.prompt is None and wire.messages is None:
        words = 'Either "prompt" or "messages" must exist and cannot both be none'
        raise ParameterInvalid(words, parameter="messages")
    check_pieces(wire.history or (), "history")
    said = list(wire.messages) if wire.messages else _read_history(wire)
    # An empty prompt beside messages says nothing; alone it is refused as a message that says nothing.
    if wire.prompt is not None and (wire.prompt or not wire.messages):
        said.append(WireMessage(role="user", content=wire.prompt))
    return read_messages(said)


def _read_history(wire: GenerationInput) -> list[WireMessage]:
    turns = ((("user", turn.user), ("assistant", turn.bot)) for turn in wire.history or ())
    return [WireMessage(role=role, content=content) for turn in turns for role, content in turn if content]
