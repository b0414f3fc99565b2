"""The shared words of the house: frozen, typed, without input or output."""
