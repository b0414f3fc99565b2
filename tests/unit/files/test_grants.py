"""Leave to post files: who signed it, until when, for what."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from qwenport.core.ids import AccountId
from qwenport.core.secret import Secret
from qwenport.core.stored_files import UploadGrant
from qwenport.files import FileFolder, PolicyFault, PolicyRefused, UploadGrants, UploadPermission
from qwenport.files.grants import LONGEST_KEY_BYTES
from qwenport.testing.clock import FakeClock

ME = AccountId("acc-1")


@pytest.fixture
def grants(clock: FakeClock) -> UploadGrants:
    return UploadGrants(Secret("one"), clock, upload_host="http://here/oss")


def give(grants: UploadGrants) -> UploadGrant:
    return grants.grant(ME, "qwen-vl-max", max_file_bytes=100, capacity_bytes=1000)


def form(grant: UploadGrant, **changes: str) -> dict[str, str]:
    """Return the fields that the official client sends."""
    return {
        "ossaccesskeyid": grant.access_key_id,
        "signature": grant.signature,
        "policy": grant.policy,
        "key": f"{grant.upload_dir}/猫 1.png",
        "x-oss-object-acl": "private",
        "x-oss-forbid-overwrite": "true",
    } | {name.replace("_", "-"): value for name, value in changes.items()}


def fault(grants: UploadGrants, fields: dict[str, str]) -> tuple[PolicyFault, str]:
    with pytest.raises(PolicyRefused) as refusal:
        grants.check(fields)
    return refusal.value.fault, refusal.value.message


def test_a_grant_names_a_folder_of_its_own_and_the_host(grants: UploadGrants) -> None:
    first, second = give(grants), give(grants)
    parts = first.upload_dir.split("/")

    assert (parts[0], len(parts[1]), parts[2], len(parts)) == ("dashscope-instant", 32, "2026-01-01", 4)
    assert "acc-1" not in first.upload_dir
    assert first.upload_dir != second.upload_dir
    assert (first.upload_host, first.expires_in_s, first.max_file_bytes, first.capacity_bytes) == (
        "http://here/oss",
        300,
        100,
        1000,
    )
    assert json.loads(base64.b64decode(first.policy)) == {
        "expiration": "2026-01-01T00:05:00Z",
        "conditions": [
            ["content-length-range", 0, 100],
            ["starts-with", "$key", first.upload_dir],
            ["eq", "$x-oss-object-acl", "private"],
            ["eq", "$x-oss-forbid-overwrite", "true"],
        ],
        "account": "acc-1",
        "model": "qwen-vl-max",
        "folder": first.upload_dir,
    }


def test_the_form_of_the_official_client_is_taken(grants: UploadGrants) -> None:
    grant = give(grants)

    assert grants.check(form(grant)) == UploadPermission(
        account_id=ME, model="qwen-vl-max", key=f"{grant.upload_dir}/猫 1.png"
    )


def test_a_grant_lasts_five_minutes(grants: UploadGrants, clock: FakeClock) -> None:
    grant = give(grants)
    clock.advance(299)
    grants.check(form(grant))
    clock.advance(1)

    assert fault(grants, form(grant)) == (PolicyFault.EXPIRED, "Invalid according to Policy: Policy expired.")


def test_a_policy_that_was_changed_or_signed_by_another_is_refused(grants: UploadGrants, clock: FakeClock) -> None:
    grant = give(grants)
    policy = json.loads(base64.b64decode(grant.policy)) | {"account": "acc-2"}
    changed = base64.b64encode(json.dumps(policy).encode()).decode()
    foreign = give(UploadGrants(Secret("another"), clock, upload_host=""))

    for fields in (form(grant, policy=changed), form(foreign), form(grant, signature=""), form(grant, signature="é")):
        assert fault(grants, fields)[0] is PolicyFault.BAD_SIGNATURE
    assert fault(grants, form(grant, ossaccesskeyid="LTAI"))[0] is PolicyFault.UNKNOWN_KEY


@pytest.mark.parametrize(
    "key",
    [
        lambda folder: folder,
        lambda folder: f"{folder}/",
        lambda folder: f"{folder}x/cat.png",
        lambda folder: f"other/{folder}/cat.png",
        lambda folder: f"{folder}/cat\n.png",
        lambda folder: f"{folder}/{'x' * LONGEST_KEY_BYTES}",
    ],
)
def test_a_key_outside_the_folder_or_of_odd_characters_is_refused(
    grants: UploadGrants, key: Callable[[str], str]
) -> None:
    grant = give(grants)
    words = f'Invalid according to Policy: Policy Condition failed: ["starts-with","$key","{grant.upload_dir}"]'

    assert fault(grants, form(grant, key=key(grant.upload_dir))) == (PolicyFault.CONDITION, words)


def test_what_is_posted_is_private_and_overwrites_nothing(grants: UploadGrants) -> None:
    grant = give(grants)
    open_to_all = form(grant, x_oss_object_acl="public-read")
    overwriting = form(grant, x_oss_forbid_overwrite="false")
    silent = {name: value for name, value in form(grant).items() if name != "x-oss-forbid-overwrite"}

    words = "Invalid according to Policy: Policy Condition failed: "
    assert fault(grants, open_to_all)[1] == f'{words}["eq","$x-oss-object-acl","private"]'
    assert (
        fault(grants, overwriting)[1] == fault(grants, silent)[1] == f'{words}["eq","$x-oss-forbid-overwrite","true"]'
    )


def test_the_secret_is_made_once_and_is_for_the_owner_alone(folder: FileFolder, names: Callable[[], list[str]]) -> None:
    first, second = folder.secret(), folder.secret()

    assert first.reveal() == second.reveal()
    assert len(first.reveal()) == 64
    assert names() == ["secret"]
    assert (folder._path / "secret").stat().st_mode & 0o777 == 0o600


def test_of_two_that_make_the_secret_at_once_both_use_the_first(folder: FileFolder) -> None:
    first = folder.secret()
    folder._make_secret(folder._path / "secret")

    assert folder.secret().reveal() == first.reveal()
