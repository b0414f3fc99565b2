"""Operations on upstreams and on the configuration that they come from."""

from __future__ import annotations

import logging
from typing import Any

from qwenport.accounts.errors import Conflict
from qwenport.core.errors import StorageUnavailable
from qwenport.engines.engine import Condition
from qwenport.engines.upstream.place import AccountPace
from qwenport.routing.standing import TargetStanding
from qwenport.server.admin.answers import ReloadAnswer, UpstreamAnswer, UpstreamModelAnswer
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import NoQuery
from qwenport.server.admin.refusals import ConfigurationRefused, UpstreamUnknown
from qwenport.storage import audit_log_rows

_log = logging.getLogger(__name__)

_UNPACED = AccountPace(account="")


def list_upstreams(desk: Desk, _asked: Asked[NoQuery, None]) -> list[UpstreamAnswer]:
    """List the upstreams with how they and their models are."""
    found = desk.parts.upstreams.by_name
    return [_shown(desk, name, upstream.condition()) for name, upstream in sorted(found.items())]


async def check_upstream(desk: Desk, asked: Asked[NoQuery, None]) -> UpstreamAnswer:
    """Ask an upstream now whether it is well, without a call to a model."""
    upstream = desk.parts.upstreams.by_name.get(asked.id)
    if upstream is None:
        raise UpstreamUnknown(asked.id)
    return _shown(desk, asked.id, await upstream.probe())


async def reload_configuration(desk: Desk, asked: Asked[NoQuery, None]) -> ReloadAnswer:
    """Read `.env`, the configuration file and key files again, and put in force what can be without a restart."""
    if desk.parts.reload is None:
        raise Conflict("no server runs here; it reads the configuration when it starts")
    found = await desk.parts.reload()
    if found.error:
        raise ConfigurationRefused(f"the configuration stays as it was: {found.error}")
    answer = ReloadAnswer(changed=found.changed, needs_restart=found.needs_restart)
    try:
        await desk.parts.run(lambda: _note(desk, asked.actor, answer))
    except StorageUnavailable as error:  # it is in force already, and may be what mends an outage
        _log.warning("`%s` read the configuration again, which the audit log does not hold: %s", asked.actor, error)
    return answer


def _note(desk: Desk, actor: str, answer: ReloadAnswer) -> None:
    after: dict[str, Any] = {"changed": answer.changed, "needs_restart": answer.needs_restart}
    with desk.parts.database.write() as transaction:
        audit_log_rows.note(
            transaction,
            at=desk.now(),
            actor=actor,
            action="house.reload",
            object_kind="house",
            object_id="configuration",
            account_id="",
            before=None,
            after=after,
        )


def _shown(desk: Desk, name: str, condition: Condition) -> UpstreamAnswer:
    parts = desk.parts
    place = parts.upstreams.by_name[name].place
    pace = place.pace or _UNPACED
    return UpstreamAnswer(
        name=name,
        kind=place.kind,
        region=place.region,
        base_urls=place.base_urls,
        key_kind=parts.upstreams.key_kind(name).value,
        state=condition.state.value,
        reason=condition.reason,
        paced_as=pace.account,
        requests_per_minute=pace.requests_per_minute,
        tokens_per_minute=pace.tokens_per_minute,
        concurrency=pace.concurrency,
        models=tuple(_model(each) for each in parts.standing() if each.upstream == name),
    )


def _model(standing: TargetStanding) -> UpstreamModelAnswer:
    return UpstreamModelAnswer(
        model=standing.target.partition("/")[2],
        state=standing.state,
        breaker=standing.breaker,
        under_way=standing.under_way,
        waiting=standing.waiting,
        tries=standing.tries,
        failures=standing.failures,
        first_event_ms=standing.first_event_ms,
    )
