"""Leave to post files to the upload host: a policy that is signed, short-lived and bound to account and folder.

Shape of a policy: https://help.aliyun.com/zh/oss/developer-reference/postobject; that of a grant:
https://help.aliyun.com/zh/model-studio/get-temporary-file-url and `dashscope/utils/oss_utils.py`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from qwenport.core.clock import Clock
from qwenport.core.ids import AccountId
from qwenport.core.secret import Secret
from qwenport.core.stored_files import UploadGrant
from qwenport.files.errors import PolicyFault, PolicyRefused
from qwenport.files.names import holds_control_characters

ACCESS_KEY_ID = "qwenport"
GRANT_S = 300
LONGEST_KEY_BYTES = 1023
"""As in OSS."""

REQUIRED = {"x-oss-object-acl": "private", "x-oss-forbid-overwrite": "true"}
"""Fields that a form must hold: nothing that was posted can be read by others or be replaced."""


class _Policy(Struct, frozen=True, kw_only=True):
    expiration: datetime
    conditions: tuple[tuple[str, str | int, str | int], ...]
    account: AccountId
    model: str
    folder: str


class UploadPermission(Struct, frozen=True, kw_only=True):
    """What a form may do whose policy was found valid."""

    account_id: AccountId
    model: str
    key: str
    """What will stand after `oss://`."""


class UploadGrants:
    """Gives leave and checks what is shown."""

    def __init__(self, secret: Secret, clock: Clock, *, upload_host: str) -> None:
        self._secret = secret.reveal().encode()
        self._clock = clock
        self._upload_host = upload_host
        self._decoder = msgspec.json.Decoder(_Policy)

    def grant(self, account_id: AccountId, model: str, *, max_file_bytes: int, capacity_bytes: int) -> UploadGrant:
        """Return leave for the next minutes to post any number of files into a folder of their own."""
        now = self._clock.now().replace(microsecond=0)
        owner = hashlib.sha256(account_id.encode()).hexdigest()[:32]
        folder = f"dashscope-instant/{owner}/{now:%Y-%m-%d}/{uuid.uuid4()}"
        policy = _Policy(
            expiration=now + timedelta(seconds=GRANT_S),
            conditions=(
                ("content-length-range", 0, max_file_bytes),
                ("starts-with", "$key", folder),
                *(("eq", f"${name}", value) for name, value in REQUIRED.items()),
            ),
            account=account_id,
            model=model,
            folder=folder,
        )
        encoded = base64.b64encode(msgspec.json.encode(policy)).decode()
        return UploadGrant(
            policy=encoded,
            signature=self._sign(encoded),
            upload_dir=folder,
            upload_host=self._upload_host,
            access_key_id=ACCESS_KEY_ID,
            expires_in_s=GRANT_S,
            max_file_bytes=max_file_bytes,
            capacity_bytes=capacity_bytes,
        )

    def check(self, fields: Mapping[str, str]) -> UploadPermission:
        """Return what the form's fields, by lower-case name, allow; raises `PolicyRefused`."""
        policy = self._policy(fields)
        key = fields["key"]
        if self._clock.now() >= policy.expiration:
            raise PolicyRefused(PolicyFault.EXPIRED, "Invalid according to Policy: Policy expired.")
        if not key.startswith(f"{policy.folder}/") or not _is_key(key, policy.folder):
            raise _unmet("starts-with", "$key", policy.folder)
        for name, value in REQUIRED.items():
            if fields.get(name) != value:
                raise _unmet("eq", f"${name}", value)
        return UploadPermission(account_id=policy.account, model=policy.model, key=key)

    def _policy(self, fields: Mapping[str, str]) -> _Policy:
        """Return the policy once its signature was found ours; nothing of it is looked at before."""
        if fields["ossaccesskeyid"] != ACCESS_KEY_ID:
            raise PolicyRefused(
                PolicyFault.UNKNOWN_KEY, "The OSS Access Key Id you provided does not exist in our records."
            )
        if not hmac.compare_digest(self._sign(fields["policy"]).encode(), fields["signature"].encode()):
            raise PolicyRefused(
                PolicyFault.BAD_SIGNATURE,
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
            )
        return self._decoder.decode(base64.b64decode(fields["policy"]))

    def _sign(self, policy: str) -> str:
        digest = hmac.new(self._secret, policy.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()


def _is_key(key: str, folder: str) -> bool:
    """Tell whether a key names something in the folder by characters that can stand in an address."""
    name = key[len(folder) + 1 :]
    return bool(name) and not holds_control_characters(name) and len(key.encode()) <= LONGEST_KEY_BYTES


def _unmet(operator: str, field: str, value: str) -> PolicyRefused:
    condition = msgspec.json.encode((operator, field, value)).decode()
    return PolicyRefused(PolicyFault.CONDITION, f"Invalid according to Policy: Policy Condition failed: {condition}")
