"""How near an answer is to the truth. Pure functions of texts, boxes and cells."""
