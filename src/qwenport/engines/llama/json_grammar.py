"""The grammar for "any JSON object", in which no answer can run on for ever.

llama.cpp's own grammar for any JSON bounds nothing: a small model stays in a string, a list or white space until the
context is full, and the caller gets half an object. Here depth, members, items, lengths and white space are bounded
(GBNF, https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md).
"""

from __future__ import annotations

_MEMBERS = (16, 8, 5, 3)
"""How many members an object may have, by its depth."""
_ITEMS = (12, 12, 5, 3)
"""How many items a list may have, by its depth."""
_DEPTH = len(_MEMBERS)
_KEY_CHARACTERS = 32
_STRING_CHARACTERS = 200

_LEAVES = f"""
key ::= "\\"" character{{1,{_KEY_CHARACTERS}}} "\\""
string ::= "\\"" character{{0,{_STRING_CHARACTERS}}} "\\""
character ::= [^"\\\\\\x00-\\x1F\\x7F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{{4}})
number ::= "-"? ("0" | [1-9] [0-9]{{0,14}}) ("." [0-9]{{1,9}})? ([eE] [-+]? [0-9]{{1,2}})?
literal ::= "true" | "false" | "null"
gap ::= [ ]? | "\\n" [ ]{{0,12}}
"""


def _level(depth: int) -> str:
    """Return the rules of the objects, lists and values that lie `depth` levels deep."""
    nested = f" | object{depth + 1} | list{depth + 1}" if depth + 1 < _DEPTH else ""
    return f"""
object{depth} ::= "{{" gap (member{depth} ("," gap member{depth}){{0,{_MEMBERS[depth] - 1}}} gap)? "}}"
list{depth} ::= "[" gap (value{depth} ("," gap value{depth}){{0,{_ITEMS[depth] - 1}}} gap)? "]"
member{depth} ::= key ":" gap value{depth}
value{depth} ::= string | number | literal{nested}
"""


ANY_JSON_OBJECT = f"root ::= object0\n{''.join(_level(depth) for depth in range(_DEPTH))}{_LEAVES}"
"""GBNF whose every text is one JSON object."""
