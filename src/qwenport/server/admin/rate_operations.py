"""Operations on exchange rates."""

from __future__ import annotations

from msgspec import structs

from qwenport.server.admin.answers import RateAnswer
from qwenport.server.admin.bodies import RateBody
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import NoQuery
from qwenport.storage.records import RateRecord


def list_rates(desk: Desk, _asked: Asked[NoQuery, None]) -> list[RateAnswer]:
    """List the exchange rates, those of a pair together."""
    return [_shown(rate) for rate in desk.rates.every()]


def set_rate(desk: Desk, asked: Asked[NoQuery, RateBody]) -> RateAnswer:
    """Set what one unit of a currency costs in another from a day on."""
    return _shown(desk.rates.put(asked.actor, RateRecord(**structs.asdict(asked.body))))


def _shown(rate: RateRecord) -> RateAnswer:
    return RateAnswer(**structs.asdict(rate))
