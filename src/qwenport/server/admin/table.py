"""The table of the admin API: every operation with its address, its permission and whose things it is about."""

from __future__ import annotations

from qwenport.accounts.errors import AccountNotFound, KeyNotFound, LimitNotFound, MemberNotFound, WorkspaceNotFound
from qwenport.accounts.roles import Permission as May
from qwenport.server.admin import account_operations as account
from qwenport.server.admin import book_operations as books
from qwenport.server.admin import house_operations as house
from qwenport.server.admin import key_operations as keys
from qwenport.server.admin import ledger_operations as ledger
from qwenport.server.admin import limit_operations as limits
from qwenport.server.admin import member_operations as members
from qwenport.server.admin import money_operations as money
from qwenport.server.admin import price_operations as prices
from qwenport.server.admin import rate_operations as rates
from qwenport.server.admin import upstream_operations as upstreams
from qwenport.server.admin import workspace_operations as workspaces
from qwenport.server.admin.operation import AdminOperation, ObjectOf, Place, Reach, operation
from qwenport.server.admin.owners import (
    owner_of_account,
    owner_of_call,
    owner_of_key,
    owner_of_limit,
    owner_of_member,
    owner_of_workspace,
)
from qwenport.server.admin.refusals import CallNotFound

ACCOUNT = ObjectOf(owner_of_account, AccountNotFound)
WORKSPACE = ObjectOf(owner_of_workspace, WorkspaceNotFound)
MEMBER = ObjectOf(owner_of_member, MemberNotFound)
KEY = ObjectOf(owner_of_key, KeyNotFound)
LIMIT = ObjectOf(owner_of_limit, LimitNotFound)
CALL = ObjectOf(owner_of_call, CallNotFound)

MOST_SHOWN_BYTES = 4 << 20
"""Of texts in which keys may stand."""
MOST_EXPORT_BYTES = 64 << 20
"""Of another's usage export."""

OPERATIONS: tuple[AdminOperation, ...] = (
    operation("GET", "/accounts", May.ACCOUNT_READ, Reach.OWN, account.list_accounts),
    operation("POST", "/accounts", May.ACCOUNT_TERMS, Reach.HOUSE, account.create_account, status=201, conflicts=True),
    operation("GET", "/accounts/{id}", May.ACCOUNT_READ, ACCOUNT, account.show_account, reads_books=True),
    operation("PATCH", "/accounts/{id}", May.ACCOUNT_WRITE, ACCOUNT, account.change_account, conflicts=True),
    operation("POST", "/accounts/{id}/suspend", May.ACCOUNT_TERMS, ACCOUNT, account.suspend_account, conflicts=True),
    operation("POST", "/accounts/{id}/resume", May.ACCOUNT_TERMS, ACCOUNT, account.resume_account, conflicts=True),
    operation("POST", "/accounts/{id}/arrears", May.ACCOUNT_TERMS, ACCOUNT, account.put_in_arrears, conflicts=True),
    operation(
        "POST",
        "/accounts/{id}/close",
        May.ACCOUNT_TERMS,
        ACCOUNT,
        account.close_account,
        reads_books=True,
        conflicts=True,
    ),
    operation("PUT", "/accounts/{id}/free-quota", May.ACCOUNT_TERMS, ACCOUNT, account.grant_free_quota, conflicts=True),
    operation(
        "PUT", "/accounts/{id}/free-tier-only", May.ACCOUNT_WRITE, ACCOUNT, account.set_free_tier_only, conflicts=True
    ),
    operation("PUT", "/accounts/{id}/discounts", May.ACCOUNT_TERMS, ACCOUNT, account.set_discounts, conflicts=True),
    operation("PUT", "/accounts/{id}/activation", May.ACCOUNT_TERMS, ACCOUNT, account.set_activation, conflicts=True),
    operation("POST", "/accounts/{id}/credit", May.MONEY_WRITE, ACCOUNT, money.credit, status=201, conflicts=True),
    operation("POST", "/accounts/{id}/debit", May.MONEY_WRITE, ACCOUNT, money.debit, status=201, conflicts=True),
    operation("GET", "/accounts/{id}/balance", May.MONEY_READ, ACCOUNT, money.show_balance, reads_books=True),
    operation("GET", "/accounts/{id}/entries", May.MONEY_READ, ACCOUNT, money.list_entries),
    operation(
        "GET",
        "/accounts/{id}/statement",
        May.MONEY_READ,
        ACCOUNT,
        money.show_statement,
        place=Place.ASIDE,
        reads_books=True,
        media_types=("text/csv",),
    ),
    operation("GET", "/accounts/{id}/workspaces", May.WORKSPACE_READ, ACCOUNT, workspaces.list_workspaces),
    operation(
        "POST",
        "/accounts/{id}/workspaces",
        May.WORKSPACE_WRITE,
        ACCOUNT,
        workspaces.create_workspace,
        status=201,
        conflicts=True,
    ),
    operation("PATCH", "/workspaces/{id}", May.WORKSPACE_WRITE, WORKSPACE, workspaces.rename_workspace, conflicts=True),
    operation(
        "DELETE", "/workspaces/{id}", May.WORKSPACE_WRITE, WORKSPACE, workspaces.delete_workspace, conflicts=True
    ),
    operation("GET", "/accounts/{id}/members", May.MEMBER_READ, ACCOUNT, members.list_members),
    operation(
        "POST", "/accounts/{id}/members", May.MEMBER_WRITE, ACCOUNT, members.add_member, status=201, conflicts=True
    ),
    operation("PATCH", "/members/{id}", May.MEMBER_WRITE, MEMBER, members.change_member, conflicts=True),
    operation("DELETE", "/members/{id}", May.MEMBER_WRITE, MEMBER, members.remove_member, conflicts=True),
    operation("POST", "/members/{id}/disable", May.MEMBER_WRITE, MEMBER, members.disable_member, conflicts=True),
    operation("POST", "/members/{id}/enable", May.MEMBER_WRITE, MEMBER, members.enable_member),
    operation("POST", "/members/{id}/rotate", May.MEMBER_WRITE, MEMBER, members.rotate_member, status=201),
    operation("GET", "/me", May.ACCOUNT_READ, Reach.HOUSE, members.show_me, place=Place.LOOP),
    operation("GET", "/keys", May.KEY_READ, Reach.OWN, keys.list_keys),
    operation("POST", "/keys", May.KEY_WRITE, Reach.OWN, keys.create_key, status=201, conflicts=True),
    operation("POST", "/keys/revoke", May.KEY_WRITE, Reach.OWN, keys.revoke_keys, largest_body_bytes=MOST_SHOWN_BYTES),
    operation("GET", "/keys/{id}", May.KEY_READ, KEY, keys.show_key),
    operation("PATCH", "/keys/{id}", May.KEY_WRITE, KEY, keys.change_key),
    operation("DELETE", "/keys/{id}", May.KEY_WRITE, KEY, keys.delete_key),
    operation("POST", "/keys/{id}/disable", May.KEY_WRITE, KEY, keys.disable_key),
    operation("POST", "/keys/{id}/enable", May.KEY_WRITE, KEY, keys.enable_key),
    operation("POST", "/keys/{id}/rotate", May.KEY_WRITE, KEY, keys.rotate_key, status=201, conflicts=True),
    operation("GET", "/limits", May.LIMIT_READ, Reach.OWN, limits.list_limits),
    operation("POST", "/limits", May.LIMIT_WRITE, Reach.OWN, limits.create_limit, status=201, conflicts=True),
    operation("POST", "/limits/apply-published", May.LEVEL_WRITE, Reach.HOUSE, limits.apply_published, status=201),
    operation("GET", "/limits/{id}", May.LIMIT_READ, LIMIT, limits.show_limit),
    operation("PATCH", "/limits/{id}", May.LIMIT_WRITE, LIMIT, limits.change_limit, conflicts=True),
    operation("DELETE", "/limits/{id}", May.LIMIT_WRITE, LIMIT, limits.delete_limit),
    operation("GET", "/levels", May.LEVEL_READ, Reach.HOUSE, limits.list_levels),
    operation("POST", "/levels", May.LEVEL_WRITE, Reach.HOUSE, limits.create_level, status=201, conflicts=True),
    operation("DELETE", "/levels/{name}", May.LEVEL_WRITE, Reach.HOUSE, limits.delete_level, conflicts=True),
    operation("GET", "/rates", May.RATE_READ, Reach.HOUSE, rates.list_rates),
    operation("PUT", "/rates", May.RATE_WRITE, Reach.HOUSE, rates.set_rate, conflicts=True),
    operation("GET", "/models", May.PRICE_READ, Reach.HOUSE, prices.list_models),
    operation("GET", "/models/{name}/price", May.PRICE_READ, Reach.OWN, prices.explain_price),
    operation("GET", "/usage", May.USAGE_READ, Reach.OWN, books.show_usage, place=Place.ASIDE, reads_books=True),
    operation("GET", "/calls", May.CALL_READ, Reach.OWN, books.list_calls, place=Place.ASIDE, reads_books=True),
    operation(
        "GET",
        "/calls/export",
        May.CALL_READ,
        Reach.OWN,
        books.export_calls,
        place=Place.ASIDE,
        reads_books=True,
        media_types=("text/csv", "application/x-ndjson"),
    ),
    operation("GET", "/calls/{id}", May.CALL_READ, CALL, books.show_call, place=Place.ASIDE, reads_books=True),
    operation("GET", "/calls/{id}/body", May.BODY_READ, CALL, books.show_body, place=Place.ASIDE, reads_books=True),
    operation(
        "GET", "/ledger/check", May.HOUSE_READ, Reach.HOUSE, ledger.check_ledger, place=Place.ASIDE, reads_books=True
    ),
    operation(
        "POST",
        "/ledger/refund",
        May.MONEY_WRITE,
        Reach.HOUSE,
        ledger.refund_call,
        status=201,
        reads_books=True,
        conflicts=True,
    ),
    operation(
        "POST",
        "/ledger/correct",
        May.MONEY_WRITE,
        Reach.HOUSE,
        ledger.correct_call,
        status=201,
        reads_books=True,
        conflicts=True,
    ),
    operation(
        "POST",
        "/ledger/reconcile",
        May.HOUSE_READ,
        Reach.HOUSE,
        ledger.reconcile_export,
        place=Place.ASIDE,
        reads_books=True,
        largest_body_bytes=MOST_EXPORT_BYTES,
    ),
    operation("GET", "/audit", May.AUDIT_READ, Reach.OWN, house.list_audit),
    operation("GET", "/status", May.HOUSE_READ, Reach.HOUSE, house.show_status, place=Place.LOOP),
    operation("GET", "/maintenance", May.HOUSE_READ, Reach.HOUSE, house.show_maintenance),
    operation("PUT", "/maintenance", May.HOUSE_WRITE, Reach.HOUSE, house.set_maintenance),
    operation("GET", "/upstreams", May.HOUSE_READ, Reach.HOUSE, upstreams.list_upstreams, place=Place.LOOP),
    operation(
        "POST",
        "/upstreams/{name}/check",
        May.HOUSE_WRITE,
        Reach.HOUSE,
        upstreams.check_upstream,
        place=Place.WAITING,
    ),
    operation(
        "POST",
        "/reload",
        May.HOUSE_WRITE,
        Reach.HOUSE,
        upstreams.reload_configuration,
        place=Place.WAITING,
        conflicts=True,
    ),
    operation("POST", "/retention", May.HOUSE_WRITE, Reach.HOUSE, house.retain_months, reads_books=True),
    operation("GET", "/openapi.json", May.ACCOUNT_READ, Reach.HOUSE, house.describe, place=Place.ASIDE),
)
"""Every operation, in the order in which they are described."""
