"""Typefaces from Debian packages, by what they look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final

from PIL import ImageFont

PACKAGES: Final = (
    "fonts-arphic-ukai",
    "fonts-arphic-uming",
    "fonts-dejavu-core",
    "fonts-liberation",
    "fonts-wqy-microhei",
    "fonts-wqy-zenhei",
)
"""Debian packages that hold all typefaces which pages are printed in."""

_ROOT: Final = Path("/usr/share/fonts")


class FontsMissing(Exception):
    """A typeface is not installed on this machine."""


@dataclass(frozen=True, slots=True)
class Typeface:
    """One file of a typeface, and the one for bold; none for bold means that strokes are drawn thicker."""

    file: str
    index: int = 0
    bold_file: str = ""

    @property
    def has_bold(self) -> bool:
        """Whether bold has a file of its own."""
        return bool(self.bold_file)


_MICRO_HEI: Final = Typeface("truetype/wqy/wqy-microhei.ttc")
_MICRO_HEI_MONO: Final = Typeface("truetype/wqy/wqy-microhei.ttc", 1)
_ZEN_HEI: Final = Typeface("truetype/wqy/wqy-zenhei.ttc")
_ZEN_HEI_MONO: Final = Typeface("truetype/wqy/wqy-zenhei.ttc", 1)


def _latin(folder: str, name: str, bold: str, regular: str = "") -> Typeface:
    return Typeface(f"truetype/{folder}/{name}{regular}.ttf", bold_file=f"truetype/{folder}/{name}{bold}.ttf")


_SANS: Final = _latin("liberation", "LiberationSans", "-Bold", "-Regular")
_NARROW: Final = _latin("liberation", "LiberationSansNarrow", "-Bold", "-Regular")
_SERIF: Final = _latin("liberation", "LiberationSerif", "-Bold", "-Regular")
_MONO: Final = _latin("liberation", "LiberationMono", "-Bold", "-Regular")
_DEJAVU: Final = _latin("dejavu", "DejaVuSans", "-Bold")
_DEJAVU_SERIF: Final = _latin("dejavu", "DejaVuSerif", "-Bold")
_DEJAVU_MONO: Final = _latin("dejavu", "DejaVuSansMono", "-Bold")

_ENGLISH: Final[Mapping[str, tuple[Typeface, ...]]] = {
    "sans": (_SANS, _DEJAVU),
    "narrow": (_NARROW,),
    "serif": (_SERIF, _DEJAVU_SERIF),
    "mono": (_MONO, _DEJAVU_MONO),
}
TYPEFACES: Final[Mapping[str, Mapping[str, tuple[Typeface, ...]]]] = {
    "en": _ENGLISH,
    "zh-Hans": {
        "sans": (_MICRO_HEI, _ZEN_HEI),
        "serif": (Typeface("truetype/arphic/uming.ttc", 0),),
        "kai": (Typeface("truetype/arphic/ukai.ttc", 0),),
        "mono": (_ZEN_HEI_MONO, _MICRO_HEI_MONO),
    },
    "zh-Hant": {
        "sans": (_ZEN_HEI, _MICRO_HEI),
        "serif": (Typeface("truetype/arphic/uming.ttc", 2), Typeface("truetype/arphic/uming.ttc", 1)),
        "kai": (Typeface("truetype/arphic/ukai.ttc", 2),),
        "mono": (_ZEN_HEI_MONO,),
    },
}
"""By language and look."""

_STAND_INS: Final[Mapping[str, Typeface]] = {
    "truetype/wqy": Typeface("opentype/noto/NotoSansCJK-Regular.ttc", 2, "opentype/noto/NotoSansCJK-Bold.ttc"),
    "truetype/arphic": Typeface("opentype/noto/NotoSerifCJK-Regular.ttc", 2, "opentype/noto/NotoSerifCJK-Bold.ttc"),
}


def are_installed() -> bool:
    """Whether every typeface is at hand, or something that stands in for it."""
    faces = {face for looks in TYPEFACES.values() for family in looks.values() for face in family}
    return all(any(path.is_file() for path, _ in _candidates(face, bold=False)) for face in faces)


def choose(language: str, looks: tuple[str, ...], chance: Random) -> Typeface:
    """One of the typefaces of a language that have one of these looks."""
    return chance.choice([face for look in looks for face in TYPEFACES[language][look]])


@lru_cache(maxsize=512)
def load(face: Typeface, size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The typeface at a size in pixels. `FontsMissing` where it is not installed and nothing stands in for it."""
    path, index = _installed(face, bold=bold)
    # The basic layout gives the same picture whatever shaping library Pillow was built with.
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=8192)
def prints(face: Typeface, character: str) -> bool:
    """Whether the typeface has a picture of this character."""
    font = load(face, 24)
    return character.isspace() or bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))


def _installed(face: Typeface, *, bold: bool) -> tuple[Path, int]:
    for path, index in _candidates(face, bold=bold):
        if path.is_file():
            return path, index
    raise FontsMissing(
        f"the typeface `{face.file}` is not installed: on Debian, `apt-get install {' '.join(PACKAGES)}` brings it"
    )


def _candidates(face: Typeface, *, bold: bool) -> Iterator[tuple[Path, int]]:
    for candidate in (face, _STAND_INS.get(face.file.rsplit("/", 1)[0])):
        if candidate is not None:
            yield _ROOT / (candidate.bold_file if bold and candidate.has_bold else candidate.file), candidate.index
