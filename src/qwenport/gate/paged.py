"""Whether what a part names is one image or may be several pages, as far as its address tells before it is fetched."""

from __future__ import annotations

from urllib.parse import urlsplit

from qwenport.core.content import ImagePart
from qwenport.core.errors import ParameterInvalid
from qwenport.core.limits import Unit
from qwenport.gate.charges import Ask, Bound
from qwenport.media.data_url import SCHEME, beginning
from qwenport.media.paged import HEAD_BYTES, is_paged

_STORED = "fileid://"
_ENDINGS = (".pdf", ".tif", ".tiff")


def is_one_image(part: ImagePart) -> bool:
    """Tell whether it is certain that a part is a single image: only one that stands in the address itself can be."""
    return _is_data(part.url) and not _holds_pages(part.url)


def may_have_pages(part: ImagePart) -> bool:
    """Tell whether a part is known to have pages, or stored under a name that says nothing.

    An address on the network goes by the ending of its path: nearly all others lead to an image. Where one does not, a
    call whose pages a limit counts is refused by `check_pages`, before anything reads them.
    """
    if _is_data(part.url):
        return _holds_pages(part.url)
    return part.url.startswith(_STORED) or _path(part.url).lower().endswith(_ENDINGS)


def check_pages(ask: Ask, pages: int) -> None:
    """Check that a limit has counted the pages that a call turned out to have.

    Raises:
        ParameterInvalid: there are more than were held, and a limit counts them.
    """
    held = ask.hold.pages
    if pages > held and any(_counts_pages(charge.bound) for charge in ask.charges):
        words = (
            f"The images of this call have {pages} pages, of which {held} were counted against your limit of pages "
            "before they were fetched. Name documents by addresses that end in .pdf or .tiff, or send them as files."
        )
        raise ParameterInvalid(words, parameter="messages")


def _counts_pages(bound: Bound) -> bool:
    return bound.limit.unit is Unit.PAGES and not bound.is_shadow


def _is_data(url: str) -> bool:
    return url[: len(SCHEME)].lower() == SCHEME


def _holds_pages(url: str) -> bool:
    head = beginning(url, HEAD_BYTES)
    return head is None or is_paged(head)


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
