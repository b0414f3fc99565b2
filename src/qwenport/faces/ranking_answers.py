"""Ranked documents in an answer, as types, alike on both faces that tell them."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class RankedDocument(Struct, frozen=True, kw_only=True):
    """A document as it was sent."""

    text: str


class RankedResult(Struct, frozen=True, kw_only=True):
    """How well one document answers the query; the document itself where it was asked for."""

    index: int
    relevance_score: float
    document: RankedDocument | UnsetType = UNSET
