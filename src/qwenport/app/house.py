"""What a gateway answers by itself, no model involved, and what it fetches for models: put together once, here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qwenport.catalog.vocabulary import Vocabulary
from qwenport.catalog.weights import WeightsStore
from qwenport.core.clock import Clock
from qwenport.core.ids import Ids
from qwenport.core.model_card import ModelCard
from qwenport.core.queries import Desk
from qwenport.engines.registry import KINDS
from qwenport.files import FileDesk, FileFolder, FileLimits, FileStore, StoreParts, UploadGrants
from qwenport.files.blocking import RunBlocking
from qwenport.files.responses import ResponseStore
from qwenport.media.loader import MediaLoader
from qwenport.observability.metrics import Metrics
from qwenport.pipeline.prepare import Prepare
from qwenport.server.form import FormBounds, FormReader
from qwenport.server.maintenance import Maintenance
from qwenport.server.oss import UploadHostParts
from qwenport.server.public import UPLOAD_HOST
from qwenport.server.uploads import FormUploads
from qwenport.settings.configuration_file import ConfigurationFile
from qwenport.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the house stands on."""

    database: Database
    run: RunBlocking
    """Takes blocking work of the database to its thread."""
    clock: Clock
    ids: Ids
    metrics: Metrics
    resolve: Callable[[str], ModelCard]
    configuration: ConfigurationFile
    files_dir: Path
    models_dir: Path
    address: str
    """Where clients reach this server."""
    maintenance: Maintenance


def leads_to_the_house(card: ModelCard) -> bool:
    """Tell whether calls of a model can come to an engine of the house, which takes plain pictures only."""
    return any(target.partition("/")[0] in KINDS for target in card.route)


class House:
    """The parts, on a folder of files that `files.clean_up` has put in order."""

    def __init__(self, ground: Ground) -> None:
        configuration = ground.configuration
        limits = FileLimits(configuration.files)
        folder = FileFolder(ground.files_dir)
        self._files = FileStore(
            StoreParts(database=ground.database, run=ground.run, folder=folder, limits=limits, clock=ground.clock)
        )
        self._responses = ResponseStore(ground.database, ground.clock, ground.run)
        grants = UploadGrants(folder.secret(), ground.clock, upload_host=f"{ground.address}{UPLOAD_HOST}")
        vocabulary = Vocabulary(WeightsStore(ground.models_dir), ground.resolve)
        loader = MediaLoader(
            configuration.media,
            resolve_upload=self._files.resolve_upload,
            read_file=self._files.read,
            decodes=leads_to_the_house,
        )
        self.prepare = Prepare(loader.load, vocabulary.text_of)
        self.let_go = loader.let_go
        self.desk: Desk = {
            **FileDesk(self._files, grants, limits).desk(),
            **self._responses.desk(),
            **vocabulary.desk(),
        }

        def forms(size_bytes: int) -> FormReader:
            server = configuration.server
            return FormReader(
                FormBounds(size_bytes=size_bytes, piece_s=server.body_s, total_s=configuration.files.form_s)
            )

        self._forms = (forms(limits.largest_form_bytes), forms(limits.largest_upload_form_bytes))
        self.uploads = FormUploads(self._files, self._forms[0])
        self.upload_host = UploadHostParts(
            store=self._files,
            grants=grants,
            forms=self._forms[1],
            ids=ground.ids,
            metrics=ground.metrics,
            maintenance=ground.maintenance,
        )

    def break_off(self) -> None:
        """End the forms that are coming in."""
        for reader in self._forms:
            reader.break_off()

    async def purge(self) -> None:
        """Remove what has expired."""
        await asyncio.gather(self._files.purge_expired(), self._responses.purge_expired())

    async def close(self) -> None:
        """Wait for files that are just being kept."""
        await self._files.close()
