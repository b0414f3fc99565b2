"""Bodies that follow the coverage of the decoders, by atheris (https://github.com/google/atheris).

Run as `python -m fuzz.guided FACE FOLDER OPTION…` with options of libFuzzer: it ends its process by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # there are no stubs

from fuzz.mutations import NAMES, ODD_TEXTS


def main() -> None:
    """Feed a face with what leads to lines that were not reached before."""
    _, name, place, *options = sys.argv
    # Only what is imported here is watched.
    with atheris.instrument_imports(include=["qwenport.faces", "qwenport.gate"]):
        from fuzz.codecs import Codecs  # noqa: PLC0415 - see above
        from qwenport.faces.registry import FACES  # noqa: PLC0415 - see above
    folder = Path(place)
    codecs = Codecs(next(face for face in FACES if face.name == name))
    seeds = folder / "seeds"
    seeds.mkdir()
    for at, seed in enumerate(codecs.seeds()):
        (seeds / str(at)).write_bytes(seed)
    words = folder / "words"
    words.write_text(
        "".join(f'"\\"{word}\\""\n' for word in (*NAMES, *ODD_TEXTS) if word.isascii() and word.isidentifier()), "ascii"
    )
    bounds = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=4096", "-len_control=0", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], str(seeds), f"-dict={words}", *bounds, *options], codecs.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
