"""What can be read out of a page once its text is known: fields, tables, blocks. Words and boxes alone, no pixels.

`page` holds the nouns. Whatever recognised the text, an engine or the text layer of a PDF, fills them in; everything
else here is pure functions of them.
"""
