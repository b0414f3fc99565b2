"""What is refused for now: a limit is used up."""

from __future__ import annotations

from enum import StrEnum

from qwenport.core.errors.root import Refused


class Throttled(Refused):
    """A limit is used up for now."""

    code = "throttled"
    words = "Requests throttling triggered."


class RateExceeded(Throttled):
    """Too many requests in a window."""

    code = "rate_exceeded"
    words = "Requests rate limit exceeded, please try again later."


class BurstExceeded(Throttled):
    """Requests came too close together."""

    code = "burst_exceeded"
    words = (
        "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale "
        "requests more smoothly over time."
    )


class QuotaExceeded(Throttled):
    """The tokens or the money of a window are used up."""

    code = "quota_exceeded"
    words = "Allocated quota exceeded, please increase your quota limit."


class FreeQuotaExceeded(Throttled):
    """The free quota is used up, and the model cannot be paid for."""

    code = "free_quota_exceeded"
    words = "Free allocated quota exceeded."


class ConcurrencyExceeded(Throttled):
    """Too many calls at the same time."""

    code = "concurrency_exceeded"
    words = "Too many requests in route. Try again later."


class Bill(StrEnum):
    """What is wrong with a purchase, by Model Studio's code for it."""

    NOT_PURCHASED = "CommodityNotPurchased"
    PREPAID_OVERDUE = "PrepaidBillOverdue"
    POSTPAID_OVERDUE = "PostpaidBillOverdue"


class UpstreamThrottled(Throttled):
    """The upstream's own limits are used up for now, and no other engine could take the call in time."""

    code = "upstream_throttled"


class BillUnpaid(Throttled):
    """A purchase is missing, or its bill is overdue."""

    code = "bill_unpaid"

    def __init__(self, bill: Bill) -> None:
        super().__init__(
            {
                Bill.NOT_PURCHASED: "Commodity has not purchased yet.",
                Bill.PREPAID_OVERDUE: "The prepaid bill is overdue.",
                Bill.POSTPAID_OVERDUE: "The postpaid bill is overdue.",
            }[bill]
        )
        self.bill = bill
