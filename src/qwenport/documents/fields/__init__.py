"""Key information: the values that a caller asks for, or all keys with their values, from the text of a page.

Every value stands on the page as it is given. A field that cannot be found is an empty string.
"""

from qwenport.documents.fields.extraction import Fields, extract
from qwenport.documents.fields.pairs import all_pairs
from qwenport.documents.fields.prompt import asked_fields
from qwenport.documents.fields.schema import Schema, SchemaInvalid, parse_schema

__all__ = ["Fields", "Schema", "SchemaInvalid", "all_pairs", "asked_fields", "extract", "parse_schema"]
