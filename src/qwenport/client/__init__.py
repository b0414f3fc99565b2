"""Clients of a running server: a caller's (`Client`) and the operator's (`admin_client`)."""

from qwenport.client.answer_folder import AnswerFolder
from qwenport.client.calls import CallRefused, Client, ClientMissing, KeyMissing, Patience, key_of
from qwenport.client.faces import FACES, Answered, Face
from qwenport.client.prices import Cost, CostUnknown, Price, most_cost

__all__ = [
    "FACES",
    "AnswerFolder",
    "Answered",
    "CallRefused",
    "Client",
    "ClientMissing",
    "Cost",
    "CostUnknown",
    "Face",
    "KeyMissing",
    "Patience",
    "Price",
    "key_of",
    "most_cost",
]
