"""How large a file may be, and how many files and bytes an account may have, by what the files are for.

Bounds and words of failed uploads: https://help.aliyun.com/zh/model-studio/model-customization-file-management-service
and https://help.aliyun.com/zh/model-studio/openai-file-interface.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from qwenport.core.stored_files import FailedUpload, FilePurpose, UploadFault
from qwenport.files.staging import StagedFile
from qwenport.settings.configuration_file import FilesTable

FORM_OVERHEAD_BYTES = 1 << 20
"""What a form holds beside the bytes of its files."""

_COMPATIBLE = (FilePurpose.EXTRACT, FilePurpose.BATCH, FilePurpose.BATCH_OUTPUT)

_IMAGE_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
"""First bytes of JPEG, PNG, GIF, BMP and TIFF; WEBP and HEIC have theirs further on."""
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"mif1"})


class Quota(Struct, frozen=True, kw_only=True):
    """What an account may have of some purposes together."""

    purposes: tuple[FilePurpose, ...]
    files: int | None
    """None for any number."""
    size_bytes: int

    def refuse(self, name: str, more_bytes: int, used: tuple[int, int]) -> FailedUpload | None:
        """Return why one more file does not fit beside what is used, files and bytes; None where it fits."""
        files, size_bytes = used
        if self.files is not None and files >= self.files:
            words = f"Out of number, <{files}> of <{self.files}> files has been uploaded."
            return FailedUpload(name=name, fault=UploadFault.TOO_MANY, message=words)
        if size_bytes + more_bytes > self.size_bytes:
            words = f"Out of space, <{size_bytes}> B of <{self.size_bytes}> B storage space has been used."
            return FailedUpload(name=name, fault=UploadFault.TOO_LARGE, message=words)
        return None


class FileLimits:
    """The operator's bounds, by purpose."""

    def __init__(self, table: FilesTable) -> None:
        self._table = table
        compatible = Quota(purposes=_COMPATIBLE, files=table.max_files, size_bytes=table.max_bytes)
        self._quotas = dict.fromkeys(_COMPATIBLE, compatible) | {
            FilePurpose.NONE: Quota(
                purposes=(FilePurpose.NONE,), files=table.native_max_files, size_bytes=table.native_max_bytes
            ),
            FilePurpose.UPLOAD: Quota(purposes=(FilePurpose.UPLOAD,), files=None, size_bytes=table.upload_max_bytes),
        }
        self._largest = {
            FilePurpose.EXTRACT: table.max_document_bytes,
            FilePurpose.BATCH: table.max_batch_bytes,
            FilePurpose.BATCH_OUTPUT: table.max_bytes,
            FilePurpose.NONE: table.native_max_file_bytes,
            FilePurpose.UPLOAD: table.upload_max_file_bytes,
        }

    @property
    def least_free_bytes(self) -> int:
        """What files leave free on the disk."""
        return self._table.least_free_bytes

    @property
    def largest_form_bytes(self) -> int:
        """How long a form with files can be; what one account may store at once and room for what stands between."""
        return max(self._table.native_max_bytes, self.largest_bytes(None)) + FORM_OVERHEAD_BYTES

    @property
    def largest_upload_form_bytes(self) -> int:
        """How long a form can be that is posted to the upload host."""
        return self._table.upload_max_file_bytes + FORM_OVERHEAD_BYTES

    def quota(self, purpose: FilePurpose) -> Quota:
        """Return what an account may have of a purpose and those that share its quota."""
        return self._quotas[purpose]

    def largest_bytes(self, purpose: FilePurpose | None) -> int:
        """Return how large a file can be; None for a form that has not said its purpose yet."""
        if purpose is not None:
            return self._largest[purpose]
        return max(self._largest[each] for each in (FilePurpose.EXTRACT, FilePurpose.BATCH, FilePurpose.NONE))

    def refuse(self, name: str, purpose: FilePurpose, file: StagedFile) -> FailedUpload | None:
        """Return why a received file is too large for its purpose; None where it is not."""
        limit = self._largest[purpose]
        if purpose is FilePurpose.EXTRACT and is_image(file.head):
            limit = min(limit, self._table.max_image_bytes)
        if file.size_bytes <= limit and not file.is_too_large:
            return None
        words = f"The file is too large: <{file.size_bytes}> B, at most <{limit}> B are allowed."
        return FailedUpload(name=name, fault=UploadFault.TOO_LARGE, message=words)

    def life(self, purpose: FilePurpose) -> timedelta | None:
        """Return how long a file is kept, None for as long as its owner wishes."""
        if purpose is FilePurpose.UPLOAD:
            return timedelta(hours=self._table.upload_hours)
        return timedelta(days=self._table.keep_days) if self._table.keep_days else None


def is_image(head: bytes) -> bool:
    """Tell by its first bytes whether a file is an image."""
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    is_heic = head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS
    return head.startswith(_IMAGE_HEADS) or is_webp or is_heic
