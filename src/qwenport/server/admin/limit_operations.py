"""Operations on limits, and on levels, the named bundles of them."""

from __future__ import annotations

from msgspec import structs

from qwenport.accounts.limit_settings import ChangeLimit, CreateLimit
from qwenport.accounts.limits import PublishedFor
from qwenport.core.ids import LimitId
from qwenport.core.limits import Unit
from qwenport.core.money import decimal_amount
from qwenport.server.admin.answers import DeletedAnswer, LevelAnswer, LimitAnswer
from qwenport.server.admin.bodies import ChangeLimitBody, LevelBody, NewLimitBody, PublishedLimitsBody
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import LimitsQuery, NoQuery
from qwenport.storage.limit_rows import LimitFilter
from qwenport.storage.records import LevelRecord, LimitRecord


def list_limits(desk: Desk, asked: Asked[LimitsQuery, None]) -> list[LimitAnswer]:
    """List limits, in the order in which they were made."""
    query = asked.query
    wanted = LimitFilter(
        account_id=query.account,
        workspace_id=query.workspace,
        key_id=query.key,
        level=query.level,
        model=query.model,
        unit=query.unit,
        after=query.after,
        limit=query.limit,
    )
    return [_shown(record) for record in desk.limits.every(wanted)]


def create_limit(desk: Desk, asked: Asked[NoQuery, NewLimitBody]) -> LimitAnswer:
    """Make a limit; members name a key or a workspace of theirs."""
    body = asked.body
    desk.require_models([body.model] if body.model else [])
    return _shown(desk.limits.create(asked.actor, CreateLimit(**structs.asdict(body))))


def show_limit(desk: Desk, asked: Asked[NoQuery, None]) -> LimitAnswer:
    """Show a limit."""
    return _shown(desk.limits.find(LimitId(asked.id)))


def change_limit(desk: Desk, asked: Asked[NoQuery, ChangeLimitBody]) -> LimitAnswer:
    """Change a limit from the version that was read; 409 where somebody else has changed it since."""
    wish = ChangeLimit(**structs.asdict(asked.body))
    return _shown(desk.limits.change(asked.actor, LimitId(asked.id), wish))


def delete_limit(desk: Desk, asked: Asked[NoQuery, None]) -> DeletedAnswer:
    """Delete a limit."""
    desk.limits.delete(asked.actor, LimitId(asked.id))
    return DeletedAnswer(id=asked.id)


def apply_published(desk: Desk, asked: Asked[NoQuery, PublishedLimitsBody]) -> list[LimitAnswer]:
    """Make the limits that Model Studio publishes for its models bind an account or a level."""
    body = asked.body
    wish = PublishedFor(region=body.region, account_id=body.account_id, level=body.level or "")
    return [_shown(record) for record in desk.limits.apply_published(asked.actor, desk.catalog.cards.values(), wish)]


def list_levels(desk: Desk, _asked: Asked[NoQuery, None]) -> list[LevelAnswer]:
    """List the levels."""
    return [_shown_level(level) for level in desk.levels.every()]


def create_level(desk: Desk, asked: Asked[NoQuery, LevelBody]) -> LevelAnswer:
    """Make a level."""
    return _shown_level(desk.levels.create(asked.actor, asked.body.name, asked.body.description))


def delete_level(desk: Desk, asked: Asked[NoQuery, None]) -> DeletedAnswer:
    """Delete a level that no account has."""
    desk.levels.delete(asked.actor, asked.id)
    return DeletedAnswer(id=asked.id)


def _shown(record: LimitRecord) -> LimitAnswer:
    fields = structs.asdict(record.limit)
    cap = record.limit.cap
    fields["cap"] = decimal_amount(cap) if record.limit.unit is Unit.MONEY else str(cap)
    return LimitAnswer(**fields, created_at=record.created_at)


def _shown_level(level: LevelRecord) -> LevelAnswer:
    return LevelAnswer(name=level.name, description=level.description, created_at=level.created_at)
