"""Layouts that were made before any rule, and that no rule may be written for: they measure how rules generalise."""

from __future__ import annotations

from collections.abc import Mapping

from qwenport.evaluation.rendering.frozen import cards, papers, shops, tickets
from qwenport.evaluation.rendering.layout import Layout

__all__ = ["frozen_layouts"]


def frozen_layouts() -> Mapping[str, Layout]:
    """Layouts by name, to measure with and never to tune on."""
    return {layout.name: layout for module in (tickets, cards, shops, papers) for layout in module.LAYOUTS}
