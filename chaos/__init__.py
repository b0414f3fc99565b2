"""Random schedules of calls that end in every way there is, with the books checked after each.

`schedule` draws them from a seed, `engine` plays their scripts and remembers what it really gave, `world` is a gateway
with accounts and limits that comes back after every stop, `run` plays a schedule and says what is wrong afterwards.
"""
