"""Log probabilities as both protocols write them."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.json import Encoder

from qwenport.core.events import TokenLogprob, TopToken

_ENCODE = Encoder().encode
_CONTENT = b'{"content":%b}'
_UNLIKELIEST = -9999.0
"""What the OpenAI protocol says for a token that is all but impossible; JSON has no word for minus infinity."""


def encode_logprobs(tokens: Iterable[TokenLogprob]) -> bytes:
    """Return the object `{"content":[…]}` that says how likely these tokens were."""
    return _CONTENT % encode_tokens(tokens)


def encode_tokens(tokens: Iterable[TokenLogprob]) -> bytes:
    """Return the array in it, which the Responses API has without the object around it."""
    return _ENCODE(
        [{**_describe(token), "top_logprobs": [_describe(other) for other in token.top]} for token in tokens]
    )


def finite(logprob: float) -> float:
    """Return what can be said of a log probability in JSON; what is no number becomes the least one, too."""
    return max(_UNLIKELIEST, logprob)


def _describe(token: TokenLogprob | TopToken) -> dict[str, object]:
    return {"token": token.token, "bytes": token.bytes, "logprob": finite(token.logprob)}
