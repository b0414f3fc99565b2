"""The faces that are served. A new face is a folder beside this file and two lines here."""

from __future__ import annotations

from qwenport.faces.anthropic import ANTHROPIC
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.face import Face
from qwenport.faces.openai import OPENAI

FACES: tuple[Face, ...] = (OPENAI, DASHSCOPE, ANTHROPIC)
