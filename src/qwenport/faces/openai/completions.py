"""From the body of `completions` to a call: a text that the model goes on with, or a gap that it fills.

Models of Model Studio that fill gaps take the marks of the gap in the prompt itself, as its guide to the Completions
API has it; `suffix` says the same in OpenAI's words. Unknown fields are ignored, as production ignores them.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from qwenport.core.call import Call, PromptInput, Sampling
from qwenport.core.errors import ModelMissing, ParameterInvalid
from qwenport.faces.body import read_body
from qwenport.faces.description import Description
from qwenport.faces.face import CallOperation, Cards, Exchange, Operation, Request
from qwenport.faces.openai.answers import Completion
from qwenport.faces.openai.completions_encode import StreamedTextCompletion, TextCompletion, WholeTextCompletion
from qwenport.faces.openai.schema import StreamOptions
from qwenport.faces.parameters import WireParameters, read_sampling
from qwenport.faces.stop import WireStop

_NO_PROMPT = PromptInput(prompt="")


class CompletionRequest(Struct, frozen=True, kw_only=True):
    """The body; null is the same as absent."""

    model: str | None = None
    prompt: str | list[str | int | list[int]] | None = None
    suffix: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: WireStop | None = None
    n: int | None = None
    best_of: int | None = None
    logprobs: int | None = None
    echo: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None


_DECODER = Decoder(CompletionRequest)


def decode_completion(request: Request, cards: Cards) -> Exchange:  # noqa: ARG001 - every operation gets the cards
    """Return the call and its encoder.

    Raises:
        BodyNotJson, ModelMissing, ParameterInvalid: the body cannot be understood. What is wrong with its content is
        left in the call, because the model and the right to use it are looked at first.
    """
    body = read_body(_DECODER, request.body)
    call = _read_call(body, request)
    echo = call.input.prompt if body.echo and isinstance(call.input, PromptInput) else ""
    completion = TextCompletion.of(call, request.received_at, echo=echo)
    if not call.streams:
        return Exchange(call=call, answer=WholeTextCompletion(completion))
    include_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    return Exchange(call=call, answer=StreamedTextCompletion(completion, include_usage=include_usage))


def completion_operations(prefix: str) -> tuple[Operation, ...]:
    """Return the operation below an address prefix."""
    description = Description(
        summary="Go on with a text, or fill a gap in it",
        body=CompletionRequest,
        required=("model", "prompt"),
        example={"model": "qwen-coder-turbo", "prompt": "def add(a, b):", "max_tokens": 32},
        answer=Completion,
        piece=Completion,
    )
    return (
        CallOperation(
            name="completions",
            method="POST",
            path=f"{prefix}/completions",
            decode=decode_completion,
            description=description,
        ),
    )


def _read_call(body: CompletionRequest, request: Request) -> Call:
    if not body.model:
        raise ModelMissing
    bare = Call(
        id=request.id,
        face="openai",
        operation="completions",
        model=body.model,
        input=_NO_PROMPT,
        streams=bool(body.stream),
    )
    try:
        asked = PromptInput(prompt=_read_prompt(body.prompt), suffix=body.suffix or "")
        sampling = _read_sampling(body)
    except ParameterInvalid as refusal:
        return replace(bare, refusal=refusal)
    return replace(bare, input=asked, sampling=sampling)


def _read_prompt(wire: str | list[str | int | list[int]] | None) -> str:
    if wire is None:
        raise _refusal("'prompt' is a required property", "prompt")
    texts = [wire] if isinstance(wire, str) else wire
    if not texts:
        raise _refusal("[] is too short - 'prompt'", "prompt")
    if not all(isinstance(text, str) for text in texts):
        # They would be those of the vocabulary that the caller believes to be behind the name.
        raise _refusal("The prompt parameter does not support token ids, send it as text.", "prompt")
    if len(texts) > 1:
        raise _refusal("The prompt parameter supports one text in each call.", "prompt")
    prompt = str(texts[0])
    if not prompt:
        raise _refusal("'' is too short - 'prompt'", "prompt")
    return prompt


def _read_sampling(body: CompletionRequest) -> Sampling:
    if body.echo and body.logprobs is not None:
        raise _refusal("The echo parameter is not supported together with logprobs.", "echo")
    if body.best_of is not None and body.best_of != (body.n or 1):
        raise _refusal("The best_of parameter is not supported by this model.", "best_of")
    sampling = read_sampling(
        WireParameters(
            temperature=body.temperature,
            top_p=body.top_p,
            top_k=body.top_k,
            repetition_penalty=body.repetition_penalty,
            presence_penalty=body.presence_penalty,
            seed=body.seed,
            max_tokens=body.max_tokens,
            stop=body.stop,
            n=body.n,
        )
    )
    # A number in this operation, where a chat has a switch and a number beside it.
    return replace(sampling, logprobs=body.logprobs)


def _refusal(words: str, parameter: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter=parameter)
