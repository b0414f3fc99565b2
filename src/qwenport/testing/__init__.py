"""Fakes that ship with the project: engines with a script, clocks that stand still."""
