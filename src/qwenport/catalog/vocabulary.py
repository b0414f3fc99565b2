"""Qwen's vocabulary: text to tokens and back, without a model.

The merges are those that the `dashscope` package ships as `qwen.tiktoken` and that DashScope's tokenization operation
counts by; later Qwen models add special tokens to the same merges
(https://github.com/QwenLM/Qwen/blob/main/tokenization_note.md).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import unicodedata
from collections.abc import Callable, Iterator, Sequence

import tiktoken

from qwenport.catalog.engine_model import PinnedFile, Weights
from qwenport.catalog.errors import WeightsError
from qwenport.catalog.weights import WeightsStore
from qwenport.core.caller import Caller
from qwenport.core.content import Message
from qwenport.core.errors import InputTooLong, ModelUnavailable
from qwenport.core.model_card import ModelCard
from qwenport.core.queries import Desk
from qwenport.core.tokens import CountTokens, Tokenize, Tokens

QWEN_VOCABULARY = PinnedFile(
    name="qwen-vocabulary",
    weights=Weights(
        source="pypi:dashscope==2.0.2/dashscope/resources/qwen.tiktoken",
        sha256="b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186",
        size_bytes=2_561_218,
        licence="Apache-2.0",
    ),
)
"""The file of the vocabulary, which is pulled as weights are."""

_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How text is cut before merging, as `dashscope.tokenizers.qwen_tokenizer` has it."""
_FIRST_SPECIAL = 151_643
_SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *(f"<|extra_{number}|>" for number in range(205)))
_LONGEST_PIECE = 10_000
"""Characters that are merged at once: the merging of one unbroken run takes more than linear time."""
_NORMALIZED_AT_ONCE = 256
"""Characters: one run of combining marks takes time that grows with its square, and no other thread runs meanwhile."""
_MOST_MARKS = 64
"""How many more are taken so that no mark is parted from what it stands on."""
_FIRST_MARK = "\u0300"
"""No character before it is ever composed with the one that it follows."""
_MOST_TOLD = 1 << 18
"""Tokens that are told one by one, each of which takes a hundred bytes of memory."""
_ENCODED_AT_ONCE = 2
"""Texts: the threads that encode them are those that files and images need as well."""


class Vocabulary:
    """Loaded when first asked for, in a thread: it takes half a second and 40 MB, which not every gateway needs."""

    def __init__(self, store: WeightsStore, resolve: Callable[[str], ModelCard]) -> None:
        """Read the file of `store`; `resolve` refuses names that are no model's."""
        self._store = store
        self._resolve = resolve
        self._loading = asyncio.Lock()
        self._encoding_slots = asyncio.Semaphore(_ENCODED_AT_ONCE)
        self._encoding: tiktoken.Encoding | None = None

    def desk(self) -> Desk:
        """Return the queries that are answered here."""
        return {Tokenize: self.tokenize, CountTokens: self.count}

    async def tokenize(self, caller: Caller, query: Tokenize) -> Tokens:  # noqa: ARG002 - every query has a caller
        """Return the tokens of a text, or of messages in Qwen's chat template.

        Raises:
            InputTooLong: they are more than the model reads, or than are told one by one.
        """
        most = min(self._resolve(query.model).max_input_tokens, _MOST_TOLD)
        encoding = await self._loaded()
        text = _in_template(query.messages) if query.messages else query.text
        async with self._encoding_slots:
            return await asyncio.to_thread(_tokens, encoding, text, most)

    async def count(self, caller: Caller, query: CountTokens) -> int:  # noqa: ARG002 - every query has a caller
        """Return how many tokens a conversation and its tools are, up to where the model would answer."""
        self._resolve(query.model)
        encoding = await self._loaded()
        tools = "".join(f"\n{tool.name} {tool.description} {tool.parameters.decode()}" for tool in query.tools)
        text = f"{_in_template(query.messages)}<|im_start|>assistant\n{tools}"
        async with self._encoding_slots:
            return await asyncio.to_thread(_count, encoding, text)

    async def text_of(self, tokens: Sequence[int]) -> str:
        """Return the text that tokens stand for; ids that are no token's are left out."""
        encoding = await self._loaded()
        known = [token for token in tokens if 0 <= token < encoding.n_vocab]
        return encoding.decode(known)

    async def _loaded(self) -> tiktoken.Encoding:
        async with self._loading:
            if self._encoding is None:
                self._encoding = await asyncio.to_thread(_load, self._store)
            return self._encoding


def _load(store: WeightsStore) -> tiktoken.Encoding:
    try:
        store.verify(QWEN_VOCABULARY)
        lines = store.path(QWEN_VOCABULARY).read_bytes().splitlines()
        ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
    except (WeightsError, OSError, ValueError, binascii.Error) as error:
        raise ModelUnavailable(
            "Qwen's vocabulary is not on this machine: run `qwenport models pull`", passes=False
        ) from error
    specials = {special: _FIRST_SPECIAL + number for number, special in enumerate(_SPECIALS)}
    return tiktoken.Encoding("qwen", pat_str=_PIECES, mergeable_ranks=ranks, special_tokens=specials)


def _tokens(encoding: tiktoken.Encoding, text: str, most: int) -> Tokens:
    ids: list[int] = []
    for some in _encoded(encoding, text):
        ids += some
        if len(ids) > most:
            raise InputTooLong(most)
    return Tokens(ids=tuple(ids), texts=_texts(encoding, ids))


def _count(encoding: tiktoken.Encoding, text: str) -> int:
    return sum(len(some) for some in _encoded(encoding, text))


def _encoded(encoding: tiktoken.Encoding, text: str) -> Iterator[list[int]]:
    """Yield the tokens of a text, some at a time."""
    for piece in _cut(text):
        yield encoding.encode("".join(_normalized(piece)), allowed_special="all")


def _normalized(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + _NORMALIZED_AT_ONCE
        last = min(end + _MOST_MARKS, len(text))
        while end < last and text[end] >= _FIRST_MARK:
            end += 1
        yield unicodedata.normalize("NFC", text[start:end])
        start = end


def _cut(text: str) -> Iterator[str]:
    """Cut a long text at line ends, and a line that is too long anywhere: a token or so more than without the cut."""
    start = 0
    while len(text) - start > _LONGEST_PIECE:
        line_end = text.rfind("\n", start, start + _LONGEST_PIECE) + 1
        end = line_end if line_end > start else start + _LONGEST_PIECE
        yield text[start:end]
        start = end
    yield text[start:]


def _texts(encoding: tiktoken.Encoding, ids: Sequence[int]) -> tuple[str, ...]:
    return tuple(piece.decode("utf-8", "replace") for piece in encoding.decode_tokens_bytes(ids))


def _in_template(messages: Sequence[Message]) -> str:
    return "".join(f"<|im_start|>{message.role}\n{_said(message)}<|im_end|>\n" for message in messages)


def _said(message: Message) -> str:
    calls = "".join(f"\n{call.name} {call.arguments}" for call in message.tool_calls)
    return f"{message.text}{calls}"
