"""Conversations: the system prompt, the messages, and whether calls of tools and their results belong together."""

from __future__ import annotations

from collections.abc import Sequence

from qwenport.core.content import Message, Role
from qwenport.faces.anthropic.content import missing, read_text, refusal, required
from qwenport.faces.anthropic.schema import Block, MessageParam
from qwenport.faces.anthropic.turns import begin_answer, empty_message, read_assistant_turn, read_user_turn
from qwenport.faces.pieces import check_pieces
from qwenport.faces.shown import shown


def read_conversation(system: str | Sequence[Block] | None, wire: Sequence[MessageParam] | None) -> tuple[Message, ...]:
    """Return the messages in the house's words; an assistant's message at the end is one that goes on.

    Raises:
        ParameterInvalid: there are no messages or too many, something in one is missing or not served, or calls of
            tools and their results do not belong together.
    """
    messages = required(wire, "messages")
    if not messages:
        raise refusal("messages", "at least one message is required")
    check_pieces(messages, "messages")
    conversation = _Conversation()
    conversation.add_system(read_text(system or "", "system"))
    for position, message in enumerate(messages):
        conversation.add(message, f"messages.{position}", is_last=position == len(messages) - 1)
    return conversation.close()


class _Conversation:
    """A conversation while it is read."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._waiting: set[str] = set()
        """Ids of the latest calls of tools whose results have not come yet."""
        self._calling_path = ""
        """Path of the message that made these calls."""

    def add(self, wire: MessageParam, path: str, *, is_last: bool) -> None:
        """Take in the next message."""
        role = required(wire.role, f"{path}.role")
        content = wire.content
        if content is None:
            raise missing(f"{path}.content")
        if role == "user":
            self._add_user(content, path)
        elif role == "assistant":
            self._add_assistant(content, path, is_last=is_last)
        elif role == "system":
            self.add_system(read_text(content, f"{path}.content"))
        else:
            raise refusal(f"{path}.role", f"'{shown(role)}' is not one of ['user', 'assistant', 'system']")

    def add_system(self, prompt: str) -> None:
        """Take in what the system says; nothing is no message."""
        self._require_results()
        if prompt:
            self._messages.append(Message(role=Role.SYSTEM, content=prompt))

    def close(self) -> tuple[Message, ...]:
        """Return the messages."""
        self._require_results()
        if all(message.role is Role.SYSTEM for message in self._messages):
            raise refusal("messages", "at least one message is required")
        return tuple(self._messages)

    def _add_user(self, content: str | Sequence[Block], path: str) -> None:
        turn = read_user_turn(content, path)
        for result in turn.results:
            self._take_result(result.tool_call_id, path)
        self._messages.extend(turn.results)
        if turn.said:
            self._require_results()
            self._messages.append(Message(role=Role.USER, content=turn.said))

    def _add_assistant(self, content: str | Sequence[Block], path: str, *, is_last: bool) -> None:
        self._require_results()
        message = read_assistant_turn(content, path)
        if not content and not is_last:
            raise empty_message(path)
        self._waiting = {call.id for call in message.tool_calls}
        self._calling_path = path
        if len(self._waiting) < len(message.tool_calls):
            raise refusal(path, "`tool_use` ids must be unique")
        begun = begin_answer(message, path) if is_last and not message.tool_calls else message
        if begun is not None:
            self._messages.append(begun)

    def _take_result(self, identity: str, path: str) -> None:
        if identity not in self._waiting:
            raise refusal(
                path,
                f"unexpected `tool_use_id` found in `tool_result` blocks: {shown(identity)}. Each `tool_result` block "
                "must have a corresponding `tool_use` block in the previous message.",
            )
        self._waiting.remove(identity)

    def _require_results(self) -> None:
        if self._waiting:
            missing = ", ".join(shown(identity) for identity in sorted(self._waiting))
            raise refusal(
                self._calling_path,
                f"`tool_use` ids were found without `tool_result` blocks immediately after: {missing}. Each `tool_use` "
                "block must have a corresponding `tool_result` block in the next message.",
            )
