"""Company, date, address and total of a shop receipt, from the part of the house that knows receipts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from qwenport.documents.fields.folding import is_chinese
from qwenport.documents.fields.frame import Fragment
from qwenport.documents.fields.kinds import Kind, find
from qwenport.documents.fields.numbers import is_broken
from qwenport.documents.fields.passages import Candidate, Passage, Piece, whole
from qwenport.documents.fields.printed_keys import COLONS
from qwenport.documents.fields.unlabelled import Finds
from qwenport.documents.fields.unlabelled.places import of_kind
from qwenport.documents.page import Line, Page
from qwenport.documents.receipts import FieldFound, Receipt, read_receipt, receipt_likelihood
from qwenport.documents.unreadable import UNREADABLE

_LEAST_LIKELIHOOD = 0.5
_SURE = 1.0
"""Score of a value on a receipt in Latin letters: above what rules for documents of any kind find there."""
_MOST_CHINESE = 0.2
"""Share of Chinese characters from which on a printed key says more: the weights were trained on Latin letters."""
_NAMES: Mapping[str, Mapping[str, str]] = {
    "shop receipt": {"company": "company", "date": "date", "address": "address", "total": "total"},
    "commercial invoice": {
        "company": "seller_name",
        "date": "invoice_date",
        "address": "seller_address",
        "total": "total",
    },
}
"""Names of the concepts in the kinds of documents that a receipt is taken for; many are headed `tax invoice`."""


def receipt_candidates(page: Page, fragments: Sequence[Fragment], document: str) -> Finds:
    """Return candidates by the names of concepts; none where the page is no shop receipt."""
    names = _NAMES.get(document, {})
    if not names or receipt_likelihood(page) < _LEAST_LIKELIHOOD:
        return {}
    by_line = {id(each.line): each for each in fragments}
    receipt = read_receipt(page)
    is_latin = _chinese_share(fragments) < _MOST_CHINESE
    # One of which a character is missing may be the one that is meant: the keys beside them say more.
    has_unreadable_date = any(UNREADABLE in each.text for each in of_kind(fragments, Kind.DATE))
    found: Finds = {}
    for name, field in _fields(receipt):
        passage = _passage(field, by_line)
        if passage is not None and not (name == "date" and has_unreadable_date):
            found[names[name]] = [Candidate(passage, _SURE if is_latin else 0.55 + 0.4 * field.score)]
    return found


def _chinese_share(fragments: Sequence[Fragment]) -> float:
    letters = [letter for fragment in fragments for letter in fragment.text if letter.isalpha()]
    return sum(map(is_chinese, letters)) / max(len(letters), 1)


def _fields(receipt: Receipt) -> Iterator[tuple[str, FieldFound]]:
    yield "company", receipt.company
    yield "date", receipt.date
    yield "address", receipt.address
    yield "total", receipt.total


def _passage(field: FieldFound, by_line: Mapping[int, Fragment]) -> Passage | None:
    """Return the place of a value: of each of its lines the part that is the value; None where nothing was found."""
    pieces = [
        piece
        for line, part in zip(field.lines, field.parts, strict=True)
        for piece in _pieces(line, part, by_line.get(id(line)))
    ]
    if len(pieces) == 1:
        pieces = [_whole_amount(pieces[0])]
    return Passage(pieces) if pieces else None


def _pieces(line: Line, part: str, fragment: Fragment | None) -> Iterator[Piece]:
    """Yield where a part of a line stands in its fragment, which may show more spaces than the line."""
    start = line.text.find(part)
    if fragment is None or start < 0 or not part.strip():
        return
    places = [place for place, character in enumerate(fragment.text) if not character.isspace()]
    first = _printed(line.text[:start])
    yield Piece(fragment, places[first], places[first + _printed(part) - 1] + 1)


def _printed(text: str) -> int:
    """Return how many characters of a text are no spaces."""
    return sum(not character.isspace() for character in text)


def _whole_amount(piece: Piece) -> Piece:
    """Return a part of a line, where it is an amount with all that is printed of it: currency, sign, brackets."""
    start = max(map(piece.fragment.text.rfind, COLONS)) + 1
    if 0 < start < piece.start and is_broken(piece.fragment.text[start:]):
        return whole(piece.fragment).part(start, len(piece.fragment.text)).stripped().pieces[0]
    for each in find(Kind.MONEY, piece.fragment.text):
        if each.start <= piece.start and piece.end <= each.end:
            return Piece(piece.fragment, each.start, each.end)
    return piece
