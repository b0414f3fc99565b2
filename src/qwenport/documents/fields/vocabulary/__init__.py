"""The names of fields, kind of document by kind of document, in Chinese and English."""

from qwenport.documents.fields.vocabulary.business import BUSINESS, CONTRACT, DELIVERY, ORDER
from qwenport.documents.fields.vocabulary.concept import Concept, Key, Vocabulary, spellings
from qwenport.documents.fields.vocabulary.consumer import GENERAL, MEDICAL, PAYMENT, RECEIPT, UTILITY
from qwenport.documents.fields.vocabulary.identity import BANK_CARD, DRIVING, IDENTITY, NAME_CARD, PASSPORT, VEHICLE
from qwenport.documents.fields.vocabulary.invoices import FAPIAO, INVOICE, QUOTA
from qwenport.documents.fields.vocabulary.travel import COACH, FLIGHT, TAXI, TOLL, TRAIN

VOCABULARIES: tuple[Vocabulary, ...] = (
    TRAIN,
    FLIGHT, TAXI, TOLL, COACH, FAPIAO, QUOTA, INVOICE, IDENTITY, PASSPORT, DRIVING, VEHICLE, BANK_CARD, NAME_CARD,
    BUSINESS, CONTRACT, ORDER, DELIVERY, RECEIPT, PAYMENT, UTILITY, MEDICAL, GENERAL,
)  # fmt: skip

__all__ = ["VOCABULARIES", "Concept", "Key", "Vocabulary", "spellings"]
