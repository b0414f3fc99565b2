"""What an operation of the admin API is: where it lies, who may ask for it, what it takes and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Generic, Literal, TypeVar, get_type_hints

from qwenport.accounts.errors import NotFound
from qwenport.accounts.roles import Permission, Principal
from qwenport.server.admin.bodies import Body
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.owners import FindOwner
from qwenport.server.admin.queries import NoQuery, Query

Q = TypeVar("Q", bound=Query)
B = TypeVar("B", bound=Body | bytes | None)

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

SMALL_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[Q, B]):
    """One request, read and allowed: its query and its body reach no further than whoever asks may see."""

    principal: Principal
    id: str
    """What the address names; empty where it names nothing."""
    query: Q
    body: B

    @property
    def actor(self) -> str:
        """Return who is written into the audit log."""
        return self.principal.actor


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """The operation is about the one thing that its address names."""

    find: FindOwner
    missing: type[NotFound]
    """What is raised for one that is not there, and likewise for one of others."""


class Reach(Enum):
    """What an operation is about that names no one thing in its address."""

    HOUSE = auto()
    """What is the same for everybody, or the operator's; the permission alone decides."""
    OWN = auto()
    """Things of accounts, which the query or the body names: members are kept to their own account and workspace."""


Scope = ObjectOf | Reach


class Place(Enum):
    """Where a handler runs."""

    LOOP = auto()
    """On the event loop: it touches no database."""
    WAITING = auto()
    """On the event loop, as a coroutine: it waits for others than the database, and changes nothing there."""
    DATABASE = auto()
    """In the thread of short work."""
    ASIDE = auto()
    """In the thread of long reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """An answer that is no JSON."""

    content: bytes
    media_type: str
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """A long answer, made a block at a time in the thread of long reads while the client takes it."""

    blocks: Iterator[bytes]
    media_type: str
    file_name: str


Handler = Callable[[Desk, Asked[Any, Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminOperation:
    """One row of the table. What it takes, answers and is called comes from its handler's annotations and docstring."""

    method: Method
    path: str
    permission: Permission
    scope: Scope
    handler: Handler
    summary: str
    query: type[Query]
    body: type[Body | bytes] | None
    answers: Any
    """Type of the JSON of the answer, `Plain` or `Streamed`, or a union of them."""
    status: int
    place: Place
    reads_books: bool
    """Whether the books are brought up to the journals first."""
    conflicts: bool
    """Whether 409 is among its answers."""
    largest_body_bytes: int
    media_types: tuple[str, ...]
    """Of answers that are no JSON."""

    @property
    def changes(self) -> bool:
        """Tell whether something may be different afterwards, which is then put in force."""
        return self.method != "GET"

    @property
    def json_body(self) -> type[Body] | None:
        """Return the type of a body that is JSON."""
        return self.body if self.body is not None and issubclass(self.body, Body) else None

    @property
    def names_object(self) -> bool:
        """Tell whether the address names something."""
        return "{" in self.path


def operation(  # noqa: PLR0913 - one row of the table, each column by its name
    method: Method,
    path: str,
    permission: Permission,
    scope: Scope,
    handler: Handler,
    *,
    status: int = 200,
    place: Place = Place.DATABASE,
    reads_books: bool = False,
    conflicts: bool = False,
    largest_body_bytes: int = SMALL_BODY_BYTES,
    media_types: tuple[str, ...] = (),
) -> AdminOperation:
    """Return a row of the table; raises `TypeError` for one that would be open to whom it must not be."""
    hints = get_type_hints(handler)
    query, body = _asked_types(hints)
    made = AdminOperation(
        method=method,
        path=path,
        permission=permission,
        scope=scope,
        handler=handler,
        summary=(handler.__doc__ or "").strip(),
        query=query,
        body=None if body is type(None) else body,
        answers=hints["return"],
        status=status,
        place=place,
        reads_books=reads_books,
        conflicts=conflicts,
        largest_body_bytes=largest_body_bytes,
        media_types=media_types,
    )
    _refuse_unsafe(made)
    return made


def _asked_types(hints: Mapping[str, Any]) -> tuple[Any, Any]:
    # The second parameter, whatever it is called: where it is not needed its name begins with an underline.
    query, body = [*hints.values()][1].__args__
    return query, body


def _refuse_unsafe(made: AdminOperation) -> None:
    where = f"{made.method} {made.path}"
    if not isinstance(made.permission, Permission):
        raise TypeError(f"{where} names no permission")
    if not made.summary:
        raise TypeError(f"{where} does not say what it does: its handler has no docstring")
    if isinstance(made.scope, ObjectOf) and not made.names_object:
        raise TypeError(f"{where} is about one thing, but its address names none")
    if made.scope is Reach.OWN and not account_fields(made):
        raise TypeError(f"{where} is about things of accounts, but neither query nor body names an account")
    if made.method == "GET" and made.body is not None:
        raise TypeError(f"{where} takes a body, which GET has none of")
    if not issubclass(made.query, Query | NoQuery):
        raise TypeError(f"{where} takes a query that would let unknown names pass")


def account_fields(made: AdminOperation) -> tuple[str, ...]:
    """Return the fields of query and body that say whose things are meant."""
    in_query = made.query.__struct_fields__
    in_body = () if made.json_body is None else made.json_body.__struct_fields__
    return tuple(name for name in (*in_query, *in_body) if name in {"account", "account_id"})
