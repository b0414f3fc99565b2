"""The text model that chooses fields, asked as any caller asks: through the gate, in the books, on the caller's key."""

from __future__ import annotations

from contextlib import aclosing

from qwenport.core.call import Call, ChatInput, JsonSchema, Sampling
from qwenport.core.caller import Caller
from qwenport.core.content import Message, Role
from qwenport.core.events import Delta
from qwenport.core.ids import Ids
from qwenport.documents.field_question import Question
from qwenport.pipeline.serve import Parts, serve

OPERATION = "fields"
"""How such calls are named in the books, whose face is the house itself."""
_FACE = "house"


class TextModel:
    """Made before the pipeline that it asks through; `use` puts that in."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._parts: Parts | None = None

    def use(self, parts: Parts) -> None:
        """Ask through this pipeline from now on."""
        self._parts = parts

    async def ask(self, model: str, caller: Caller, question: Question) -> str:
        """Return the model's answer; raises what a call of the caller may raise."""
        if self._parts is None:
            raise RuntimeError("the pipeline was not put in")
        most_tokens = min(question.most_tokens, self._parts.resolve(model).max_output_tokens)
        call = Call(
            id=self._ids.request_id(),
            face=_FACE,
            operation=OPERATION,
            model=model,
            input=ChatInput(
                messages=(Message(role=Role.USER, content=question.prompt),),
                json=JsonSchema(name="fields", schema=question.shape, strict=True),
                thinking=False,
            ),
            sampling=Sampling(temperature=0.0, max_tokens=most_tokens),
        )
        async with aclosing(serve(caller, call, self._parts)) as events:
            return "".join([event.text async for event in events if isinstance(event, Delta)])
