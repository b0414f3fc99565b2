"""`qwenport call`: one call, or a file of them, by the house's own client."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from qwenport.cli.arguments import AsJson, whole
from qwenport.cli.call_file import Row, add_line, answered_before, checked_rows, keep_answers
from qwenport.cli.call_price import CallPrice, Estimate, added
from qwenport.cli.chat import address, api_key
from qwenport.cli.context import CommandFailed, settings
from qwenport.cli.display import ERRORS, say, show_json
from qwenport.client.answer_folder import AnswerFolder
from qwenport.client.calls import CallRefused, Client, ClientMissing
from qwenport.client.faces import FACES, Answered, Message
from qwenport.core.secret import Secret
from qwenport.settings.settings import Settings

AtOnce = Annotated[int, whole(1, 256)]
Bound = Annotated[int, whole(1, 1_000_000)]
FaceName = Literal["openai", "dashscope", "anthropic"]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What is the same for every call of a command."""

    chosen: Settings
    face: str
    model: str
    system: str | None
    price: CallPrice
    cache: Path | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def client(self) -> Client:
        """Return the client."""
        face = FACES[self.face]
        try:
            answers = None if self.cache is None else AnswerFolder(self.cache)
        except OSError as error:
            raise CommandFailed(f"`{self.cache}` cannot hold answers: {error.strerror}") from error
        return Client(f"{address(self.chosen)}{face.base}", Secret(api_key(self.chosen)), face=face, answers=answers)

    def messages(self, text: str, images: tuple[Path, ...] = ()) -> list[Message]:
        """Return the messages of a question."""
        said: Any = text
        if images:
            pictures = [{"type": "image_url", "image_url": {"url": _data_url(path)}} for path in images]
            said = [*pictures, {"type": "text", "text": text}]
        first = [] if self.system is None else [{"role": "system", "content": self.system}]
        return [*first, {"role": "user", "content": said}]

    def conversation(self, row: Row) -> list[Message]:
        """Return the messages of a line."""
        return list(row.messages) or self.messages(row.text)

    def most(self, messages: list[Message]) -> Estimate:
        """Return what a call costs at most."""
        return self.price.most({"model": self.model, "messages": messages, **self.parameters})


def call(
    *words: str,
    model: str = "qwen-plus",
    face: FaceName = "openai",
    system: str | None = None,
    stream: Annotated[bool, Parameter(negative=())] = False,
    max_tokens: Bound | None = None,
    json_schema: Path | None = None,
    image: Annotated[tuple[Path, ...], Parameter(negative=())] = (),
    input: Path | None = None,
    output: Path | None = None,
    concurrency: AtOnce = 8,
    cache: Path | None = None,
    estimate: Annotated[bool, Parameter(negative=())] = False,
    currency: str = "CNY",
    json: AsJson = False,
) -> int:
    """Ask a model once, or for every line of a file; the server and the key are those of `qwenport chat`.

    A line of the input is `{"id": "…", "text": "…"}` or `{"id": "…", "messages": […]}`. A line of the output has the
    same id, and the answer with its usage and cost, or the error. Lines that an earlier run answered are not asked
    again, those that were refused are. Costs are by the catalog on this machine, without discounts.

    Args:
        words: the question.
        model: the model's name.
        face: the protocol that is spoken.
        system: the system message.
        stream: print the answer while it is made.
        max_tokens: the bound of the answer in tokens.
        json_schema: a file with the JSON Schema that the answer follows.
        image: a picture that the question is about.
        input: a file of lines of JSON, one call each.
        output: the file to which their answers are added.
        concurrency: how many calls of a file are made at the same time.
        cache: a folder in which answers are kept; exactly the same call is answered from there.
        estimate: tell what it costs at most, and send nothing.
        currency: the currency of the price list.
        json: print the whole answer as JSON.
    """
    chosen = settings()
    asking = Asking(
        chosen=chosen,
        face=face,
        model=model,
        system=system,
        price=CallPrice(chosen, model, currency),
        cache=cache,
        parameters={
            **({} if max_tokens is None else {"max_tokens": max_tokens}),
            **({} if json_schema is None else {"response_format": _shape(json_schema)}),
        },
    )
    try:
        if stream and cache is not None:
            raise CommandFailed("a stream is not kept: leave out `--stream` or `--cache`")
        if input is None and output is None:
            if not words:
                raise CommandFailed('there is no question: write `qwenport call "Who are you?"`, or name `--input`')
            messages = asking.messages(" ".join(words), image)
            if estimate:
                _show_estimate(asking.most(messages), json=json)
            else:
                asyncio.run(_once(asking, messages, stream=stream, json=json))
            return 0
        if input is None or words or image or stream or (output is None and not estimate):
            raise CommandFailed(
                "a file of calls needs `--input` and `--output`, and no question, `--image` or `--stream` beside them"
            )
        if estimate:
            _show_estimate(_most_of_all(asking, input, output), json=json)
            return 0
        return asyncio.run(_batch(asking, input, Path(output or ""), concurrency))
    except (ClientMissing, CallRefused) as error:
        raise CommandFailed(str(error)) from error


async def _once(asking: Asking, messages: list[Message], *, stream: bool, json: bool) -> None:
    async with asking.client() as client:
        if stream:
            async with aclosing(client.stream(asking.model, messages, **asking.parameters)) as pieces:
                async for piece in pieces:
                    sys.stdout.write(piece)
                    sys.stdout.flush()
            sys.stdout.write("\n")
            return
        answered = await client.ask(asking.model, messages, **asking.parameters)
    if json:
        show_json(msgspec.to_builtins(answered) | asking.price.of(answered))
    else:
        sys.stdout.write(f"{answered.text}\n")


async def _batch(asking: Asking, source: Path, target: Path, concurrency: int) -> int:
    """Ask what is not answered yet; return the exit code, 1 where a call was refused."""
    answered = answered_before(target)
    # Every line is looked at before the first one is sent.
    deque(checked_rows(source, answered), maxlen=0)
    keep_answers(target)
    asked: dict[int, str] = {}

    def conversations() -> Iterator[list[Message]]:
        for place, row in enumerate(checked_rows(source, answered)):
            asked[place] = row.id
            yield asking.conversation(row)

    counts = {True: 0, False: 0}
    with target.open("ab") as output:
        async with (
            asking.client() as client,
            aclosing(
                client.ask_each(asking.model, conversations(), concurrency=concurrency, **asking.parameters)
            ) as answers,
        ):
            # In the order in which they come: one slow call must not keep the others off the disk.
            async for place, answer in answers:
                add_line(output, {"id": asked.pop(place), **_told(answer, asking.price)})
                counts[isinstance(answer, Answered)] += 1
        os.fsync(output.fileno())
    ERRORS.print(f"{counts[True]} answered, {counts[False]} refused, {len(answered)} answered before", markup=False)
    return 1 if counts[False] else 0


def _told(answer: Answered | CallRefused, price: CallPrice) -> dict[str, Any]:
    if isinstance(answer, CallRefused):
        return {"error": str(answer), "status": answer.status, "code": answer.code}
    return {"answer": msgspec.to_builtins(answer), **price.of(answer)}


def _most_of_all(asking: Asking, source: Path, target: Path | None) -> Estimate:
    total: Estimate | None = None
    for row in checked_rows(source, answered_before(target) if target else ()):
        total = added(total, asking.most(asking.conversation(row)))
    if total is None:
        raise CommandFailed(f"`{source}` holds no call that is not answered yet")
    return total


def _show_estimate(estimate: Estimate, *, json: bool) -> None:
    if json:
        content = msgspec.to_builtins(estimate)
        del content["cost_nanos"]
        show_json(content | {"cost": estimate.cost})
        return
    calls = "1 call" if estimate.calls == 1 else f"{estimate.calls:,} calls"
    say(
        f"{calls}, at most {estimate.input_tokens:,} tokens of input and {estimate.output_tokens:,} of output: at most "
        f"{estimate.cost} {estimate.currency} (price list {estimate.price_source})"
    )


def _data_url(path: Path) -> str:
    kind, _ = mimetypes.guess_type(path.name)
    if kind is None or not kind.startswith("image/"):
        raise CommandFailed(f"`{path}` is no picture by its name; rename it to end in .png, .jpg or .webp")
    try:
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    except OSError as error:
        raise CommandFailed(f"`{path}` cannot be read: {error.strerror}") from error


def _shape(path: Path) -> dict[str, Any]:
    try:
        schema = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError) as error:
        raise CommandFailed(f"`{path}` holds no JSON Schema: {error}") from error
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
