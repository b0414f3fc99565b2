"""The shared words: identifiers in the service's form, secrets that stay secret, errors that are safe to show."""

from __future__ import annotations

import pickle
import re
import time

import msgspec
import pytest

from qwenport.core.caller import AccountTerms, Caller
from qwenport.core.clock import SystemClock
from qwenport.core.errors import ModelUnavailable, Overloaded, QwenportError
from qwenport.core.ids import AccountId, KeyId, RandomIds, RequestId, moment_ms_of, workspace_of
from qwenport.core.secret import Secret
from qwenport.core.usage import Usage


def test_request_ids_are_uuids_whose_third_group_starts_with_nine() -> None:
    ids = {RandomIds().request_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-9[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", each) for each in ids)


def test_request_ids_say_when_they_were_made_and_sort_by_it() -> None:
    before = time.time_ns() // 1_000_000
    first = RandomIds().request_id()
    after = time.time_ns() // 1_000_000

    assert before <= moment_ms_of(first) <= after
    assert first[:13] <= RandomIds().request_id()[:13]


@pytest.mark.parametrize("text", ["", "no uuid at all", "chatcmpl-1"])
def test_what_is_no_uuid_says_no_moment(text: str) -> None:
    assert moment_ms_of(RequestId(text)) == 0


def test_ids_say_what_they_are() -> None:
    assert re.fullmatch(r"key-[0-9a-f]{12}", RandomIds().key_id())
    assert re.fullmatch(r"acc-[0-9a-f]{12}", RandomIds().account_id())
    assert re.fullmatch(r"ws-[0-9a-f]{12}", RandomIds().short_id("ws"))


def test_the_first_workspace_of_an_account_has_its_number() -> None:
    assert workspace_of(AccountId("acc-0123456789ab")) == "ws-0123456789ab"


def test_a_discount_of_one_model_goes_before_that_of_all() -> None:
    terms = AccountTerms(discounts=(("*", 900_000), ("qwen-max", 500_000)))

    assert [terms.rate_ppm(model) for model in ("qwen-max", "qwen-plus")] == [500_000, 900_000]
    assert AccountTerms().rate_ppm("qwen-max") == 1_000_000


def test_a_secret_shows_itself_in_no_common_way() -> None:
    secret = Secret("hush-hush")

    assert "hush" not in f"{secret} {secret!r} {[secret]} %s" % secret
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode({"secret": secret})
    assert secret.reveal() == "hush-hush"


@pytest.mark.parametrize("shown", ["", "hush", "hush-hush ", "h\u00fcsh", "\udcff"])
def test_a_secret_matches_only_itself(shown: str) -> None:
    secret = Secret("hush-hush")

    assert secret.matches("hush-hush")
    assert not secret.matches(shown)


def test_secrets_are_equal_where_their_values_are() -> None:
    assert Secret("hush-hush") == Secret("hush-hush")
    assert Secret("hush-hush") != Secret("hush")
    assert Secret("hush-hush") != "hush-hush"


def every_error_class(kind: type[QwenportError] = QwenportError) -> list[type[QwenportError]]:
    below = [each for each in kind.__subclasses__() if each.__module__ == QwenportError.__module__]
    return [kind, *(found for each in below for found in every_error_class(each))]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in every_error_class()]

    assert len(set(codes)) == len(codes)


def test_errors_that_pass_say_how_long_to_wait() -> None:
    assert (Overloaded().retry_after_s, ModelUnavailable("loading").retry_after_s) == (1, 5)


def test_a_key_without_a_list_of_models_may_use_all() -> None:
    anyone = Caller(key_id=KeyId("k"), account_id=AccountId("a"), currency="CNY")
    chosen = Caller(key_id=KeyId("k"), account_id=AccountId("a"), currency="CNY", models=("qwen-max",))

    assert (anyone.may_use("x"), chosen.may_use("qwen-max"), chosen.may_use("x")) == (True, True, False)


def test_the_machines_clock_is_aware_and_never_goes_back() -> None:
    clock = SystemClock()
    first = clock.monotonic()

    assert clock.now().utcoffset() is not None
    assert abs(clock.now().timestamp() - clock.timestamp()) < 60
    assert clock.monotonic() >= first


def test_the_total_is_input_and_output_together() -> None:
    assert Usage(input_tokens=3, output_tokens=4, cached_tokens=2).total_tokens == 7
