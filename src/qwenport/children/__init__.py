"""Child processes that read for this one: bounded in time and memory, and gone when nobody waits for them.

`fair_slots` says whose turn it is where many want one of few places.

Nothing is imported here, so that a child process starts with no more than it needs.
"""
