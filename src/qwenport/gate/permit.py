"""What a call may ask: access to the model, the account's standing, then what the card knows of abilities and ranges.

The words are those of Model Studio's error page; callers match on them. Whether there is enough left for the call is
decided later, in one step with the taking; here only what is certain already is said, before anything about content.
"""

from __future__ import annotations

from collections.abc import Callable

from qwenport.core.call import Call, NativeInput
from qwenport.core.caller import AccountKind, AccountState, AccountTerms, Caller
from qwenport.core.clock import Clock
from qwenport.core.errors import AccessDenied, AccountInArrears, FreeTierExhausted, ModelDenied, ModelUnpurchased
from qwenport.core.ids import AccountId, GrantId
from qwenport.core.model_card import ModelCard
from qwenport.gate.abilities import check_abilities
from qwenport.gate.ranges import check_ranges

IsSpent = Callable[[AccountId, str, tuple[GrantId, str, int] | None], bool]
"""`Counters.is_spent`."""


# A member of an enumeration that is looked up in its class costs as much as a call does.
_ACTIVE, _PREPAID = AccountState.ACTIVE, AccountKind.PREPAID


# What a task costs is known when it ends, long after its call: no hold keeps a balance for it until then.
_NO_TASKS = (
    "Access denied. Asynchronous tasks are for accounts that are billed afterwards: the balance of a prepaid account "
    "cannot be held until a task ends. Call the service without `X-DashScope-Async`, where it answers at once."
)


class Permit:
    """Lets a call pass or refuses it; nothing was taken or run yet."""

    def __init__(self, is_spent: IsSpent, clock: Clock) -> None:
        """Ask `is_spent` for what is known of balances and free quotas."""
        self._is_spent = is_spent
        self._clock = clock

    def __call__(self, caller: Caller, card: ModelCard, call: Call) -> None:
        """Let a call pass or refuse it.

        Raises:
            ModelDenied: the key is restricted to other models.
            ModelUnpurchased: the account has switched the model off.
            AccessDenied: the account is suspended or closed.
            AccountInArrears: the account owes money.
            FreeTierExhausted: the account takes no paid calls, and has nothing left of its free quota.
            ModelNotServedHere: the model does another kind of work, or has another address.
            ParameterInvalid: the content is refused, or a parameter is out of range for this model.
        """
        if not caller.may_use(card.name):
            raise ModelDenied
        terms = caller.terms
        if terms.deactivated_models and card.name in terms.deactivated_models:
            raise ModelUnpurchased
        if terms.state is not _ACTIVE:
            raise AccountInArrears if terms.state is AccountState.IN_ARREARS else AccessDenied
        if terms.kind is _PREPAID and self._is_spent(caller.account_id, caller.currency, None):
            raise AccountInArrears
        if terms.free_tier_only and not card.costs_nothing and self._has_no_free_tier(caller, terms, card):
            raise FreeTierExhausted
        if call.refusal is not None:
            raise call.refusal
        check_abilities(call, card)
        if terms.kind is _PREPAID and not card.costs_nothing and _makes_task(call):
            raise AccessDenied(_NO_TASKS)
        check_ranges(call.sampling, card)

    def _has_no_free_tier(self, caller: Caller, terms: AccountTerms, card: ModelCard) -> bool:
        quota = terms.free_quota
        if quota is None or quota.until <= self._clock.now():
            return True
        return self._is_spent(caller.account_id, caller.currency, (quota.grant, card.name, quota.tokens))


def _makes_task(call: Call) -> bool:
    return isinstance(call.input, NativeInput) and call.input.is_asynchronous
