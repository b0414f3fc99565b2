"""Text that LaTeX prints as it stands."""

from __future__ import annotations

import re

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "_": r"\_",
        "%": r"\%",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
)


_WIDE_GAP = re.compile(r" {2,}")


def escaped(text: str) -> str:
    """The text without anything that LaTeX would take for a command; wide gaps stay wide."""
    return _WIDE_GAP.sub(r" \\quad ", text.translate(_ESCAPES))
