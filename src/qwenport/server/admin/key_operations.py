"""Operations on API keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from msgspec import UNSET, Struct, structs

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.keys import ChangeKey, CreateKey, KeyLimits, NewKey, needs_rotation
from qwenport.core.caller import BodyKeeping
from qwenport.core.ids import AccountId, KeyId
from qwenport.server.admin.answers import DeletedAnswer, KeyAnswer, NewKeyAnswer, RevokedAnswer
from qwenport.server.admin.bodies import (
    ChangeKeyBody,
    HoursBody,
    KeepingBody,
    NewKeyBody,
    RevokeBody,
    RotateBody,
)
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import KeysQuery, NoQuery
from qwenport.storage.key_rows import KeyFilter
from qwenport.storage.records import KeyHours, KeyRecord

_UNSHOWN = frozenset({"digest", "revision", "deleted"})


def list_keys(desk: Desk, asked: Asked[KeysQuery, None]) -> list[KeyAnswer]:
    """List the keys that were not deleted, in the order in which they were made; nobody knows the keys themselves."""
    query = asked.query
    wanted = KeyFilter(account_id=query.account, workspace_id=query.workspace, after=query.after, limit=query.limit)
    return [*_shown(desk, desk.keys.every(wanted))]


def create_key(desk: Desk, asked: Asked[NoQuery, NewKeyBody]) -> NewKeyAnswer:
    """Make a key, with limits of its own; this answer is the only one that holds it."""
    body = asked.body
    desk.require_models(body.models)
    wish = CreateKey(
        account_id=body.account_id,
        workspace_id=body.workspace_id,
        name=body.name,
        description=body.description,
        expires_at=body.expires_at,
        models=body.models,
        ip_ranges=body.ip_ranges,
        hours=_stored(body.hours, KeyHours),
        rotate_after_days=body.rotate_after_days,
        bodies=_stored(body.bodies, BodyKeeping),
        regions=body.regions,
        priority=body.priority,
        cache_s=body.cache_s,
        limits=KeyLimits(
            requests_per_minute=body.rpm,
            tokens_per_minute=body.tpm,
            concurrency=body.concurrency,
            daily_requests=body.daily_requests,
            monthly_spend=body.monthly_spend,
        ),
    )
    return _new(desk.keys.create(asked.actor, wish))


def show_key(desk: Desk, asked: Asked[NoQuery, None]) -> KeyAnswer:
    """Show a key without the key itself."""
    return _one(desk, desk.keys.find(KeyId(asked.id)))


def change_key(desk: Desk, asked: Asked[NoQuery, ChangeKeyBody]) -> KeyAnswer:
    """Change the settings of a key."""
    wish = structs.asdict(asked.body)
    if asked.body.models is not UNSET:
        known = desk.keys.find(KeyId(asked.id)).models
        desk.require_models(model for model in asked.body.models if model not in known)
    wish |= {"hours": _stored(wish["hours"], KeyHours), "bodies": _stored(wish["bodies"], BodyKeeping)}
    return _one(desk, desk.keys.change(asked.actor, KeyId(asked.id), ChangeKey(**wish)))


def delete_key(desk: Desk, asked: Asked[NoQuery, None]) -> DeletedAnswer:
    """Delete a key for good."""
    desk.keys.delete(asked.actor, KeyId(asked.id))
    return DeletedAnswer(id=asked.id)


def disable_key(desk: Desk, asked: Asked[NoQuery, None]) -> KeyAnswer:
    """Switch a key off."""
    return _one(desk, desk.keys.set_disabled(asked.actor, KeyId(asked.id), disabled=True))


def enable_key(desk: Desk, asked: Asked[NoQuery, None]) -> KeyAnswer:
    """Switch a key on again."""
    return _one(desk, desk.keys.set_disabled(asked.actor, KeyId(asked.id), disabled=False))


def rotate_key(desk: Desk, asked: Asked[NoQuery, RotateBody]) -> NewKeyAnswer:
    """Make a successor of a key, which stays valid for the overlap."""
    seconds = asked.body.overlap_s
    try:
        overlap = timedelta(seconds=seconds)
    except (OverflowError, ValueError) as error:
        raise SettingInvalid(f"the overlap of a rotation is `{seconds}` seconds; shorten it") from error
    return _new(desk.keys.rotate(asked.actor, KeyId(asked.id), overlap))


def revoke_keys(desk: Desk, asked: Asked[NoQuery, RevokeBody]) -> RevokedAnswer:
    """Switch off every key that stands in texts which others have seen; nothing of the texts is kept."""
    revoked = desk.keys.revoke_shown(asked.actor, asked.body.texts, account_id=asked.body.account_id)
    return RevokedAnswer(revoked=revoked.ids, unknown=revoked.unknown)


def _stored(given: object, kind: type[Struct]) -> Any:
    """Return what is stored for a part of a body; what is not set or cleared stays so."""
    return kind(**structs.asdict(given)) if isinstance(given, HoursBody | KeepingBody) else given


def _new(made: NewKey) -> NewKeyAnswer:
    return NewKeyAnswer(id=made.id, key=made.key.reveal())


def _one(desk: Desk, key: KeyRecord) -> KeyAnswer:
    return next(_shown(desk, [key]))


def _shown(desk: Desk, keys: Iterable[KeyRecord]) -> Iterator[KeyAnswer]:
    currencies: dict[AccountId, str] = {}
    now = desk.now()
    for key in keys:
        if key.account_id not in currencies:
            currencies[key.account_id] = desk.accounts.find(key.account_id).currency
        fields = {name: value for name, value in structs.asdict(key).items() if name not in _UNSHOWN}
        yield KeyAnswer(**fields, currency=currencies[key.account_id], needs_rotation=needs_rotation(key, now))
