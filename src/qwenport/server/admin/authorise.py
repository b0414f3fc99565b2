"""Who may do what: decided on the matched operation, before its handler, and no where nothing says yes.

What belongs to others does not exist for a member: it is answered like an id that was never given out.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, structs

from qwenport.accounts.errors import AccountNotFound, KeyNotFound, NotFound, WorkspaceNotFound
from qwenport.accounts.roles import Principal
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import AdminOperation, ObjectOf, Reach
from qwenport.server.admin.owners import FindOwner, Owner, owner_of_key, owner_of_workspace
from qwenport.server.admin.refusals import Forbidden

LONGEST_ID = 200


def refuse_outright(operation: AdminOperation, principal: Principal) -> None:
    """Refuse, before anything is read or looked up, whoever may do this with nothing at all.

    Raises:
        Forbidden: the role does not allow it.
    """
    # Where the address names something, it must first be looked up: of others not even this may be told.
    if not isinstance(operation.scope, ObjectOf) and not principal.holds(operation.permission):
        raise Forbidden(operation.permission, principal)


def authorise_object(operation: AdminOperation, principal: Principal, desk: Desk, name: str) -> None:
    """Let through whoever may do this with the thing that the address names.

    Raises:
        NotFound: there is none, or it belongs to others.
        Forbidden: it is theirs, and the role does not allow this.
    """
    scope = operation.scope
    if isinstance(scope, ObjectOf):
        owner = _seen(principal, desk, name, scope.find, scope.missing)
        if not principal.may(operation.permission, owner.account_id, owner.workspace_id):
            raise Forbidden(operation.permission, principal)


def narrowed(operation: AdminOperation, principal: Principal, desk: Desk, asked: Any) -> Any:
    """Return a query or a body that reaches no further than whoever asks may see.

    The filters of a query are replaced; what a body names must be theirs.

    Raises:
        NotFound: the body names something of others.
        Forbidden: the body is about more than the role allows.
    """
    if operation.scope is not Reach.OWN or principal.is_operator or not isinstance(asked, Struct):
        return asked
    fields = asked.__struct_fields__
    if not fields:
        return asked
    if "account_id" in fields:
        return _own_body(operation, principal, desk, asked)
    forced: dict[str, object] = {"account": principal.account_id}
    if principal.workspace_id is not None and "workspace" in fields:
        forced["workspace"] = principal.workspace_id
    elif not principal.may(operation.permission, principal.account_id):
        raise Forbidden(operation.permission, principal)
    return structs.replace(asked, **{name: value for name, value in forced.items() if name in fields})


def _own_body(operation: AdminOperation, principal: Principal, desk: Desk, body: Any) -> Any:
    if body.account_id is not None and body.account_id != principal.account_id:
        raise AccountNotFound(body.account_id)
    forced: dict[str, object] = {"account_id": principal.account_id}
    workspace_id, key_id = getattr(body, "workspace_id", None), getattr(body, "key_id", None)
    if workspace_id is not None:
        _seen(principal, desk, workspace_id, owner_of_workspace, WorkspaceNotFound)
    if key_id is not None:
        workspace_id = _seen(principal, desk, key_id, owner_of_key, KeyNotFound).workspace_id
    elif "workspace_id" in body.__struct_fields__ and workspace_id is None:
        workspace_id = forced["workspace_id"] = principal.workspace_id
    if not principal.may(operation.permission, principal.account_id, workspace_id):
        raise Forbidden(operation.permission, principal)
    return structs.replace(body, **forced)


def _seen(principal: Principal, desk: Desk, name: str, find: FindOwner, missing: type[NotFound]) -> Owner:
    # Databases differ in what they say to a text that cannot be an id at all.
    if not name.isprintable() or len(name) > LONGEST_ID:
        raise missing(name)
    owner = find(desk, name)
    if not principal.sees(owner.account_id, owner.workspace_id):
        raise missing(name)
    return owner
