"""A worker gives memory that was freed back to the system, again and again."""

from __future__ import annotations

from qwenport.app.background import every
from qwenport.children.freed_memory import give_back

GIVE_BACK_S = 5.0


async def keep_giving_back() -> None:
    """Do so until cancelled; each time takes less than a millisecond."""

    async def step() -> None:
        give_back()

    await every(GIVE_BACK_S, step)
