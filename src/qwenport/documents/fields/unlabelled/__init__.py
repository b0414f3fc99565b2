"""Values that stand on documents without a key, told by their looks and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qwenport.documents.fields.frame import Fragment
from qwenport.documents.fields.unlabelled.bills import business, fapiao, letterhead, medical, quota
from qwenport.documents.fields.unlabelled.cards import bank_card, identity, name_card, vehicle
from qwenport.documents.fields.unlabelled.places import Finds
from qwenport.documents.fields.unlabelled.travel import flight, taxi, toll, train_ticket

__all__ = ["Finds", "values_without_keys"]

_Finder = Callable[[Sequence[Fragment]], Finds]
_FINDERS: Mapping[str, tuple[_Finder, ...]] = {
    "train ticket": (train_ticket,),
    "air itinerary": (flight,),
    "taxi ticket": (taxi,),
    "toll receipt": (toll,),
    "vat invoice": (fapiao,),
    "quota invoice": (quota,),
    "commercial invoice": (letterhead,),
    "identity card": (identity,),
    "passport": (identity,),
    "driving licence": (identity,),
    "vehicle licence": (vehicle,),
    "bank card": (bank_card,),
    "name card": (name_card,),
    "business licence": (business,),
    "shop receipt": (letterhead,),
    "purchase order": (letterhead,),
    "delivery note": (letterhead,),
    "utility bill": (letterhead,),
    "payment receipt": (letterhead,),
    "contract": (letterhead,),
    "medical invoice": (medical, letterhead),
}


def values_without_keys(document: str, fragments: Sequence[Fragment]) -> Finds:
    """Return what a kind of document shows without keys, by the names of concepts."""
    found: Finds = {}
    for finder in _FINDERS.get(document, ()) if fragments else ():
        for name, candidates in finder(fragments).items():
            found.setdefault(name, []).extend(candidates)
    return found
