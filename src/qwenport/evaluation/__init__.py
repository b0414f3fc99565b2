"""How well documents are read: made-up pages with exact truth, and measures of what an engine makes of them."""
