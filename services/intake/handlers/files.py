"""Files: taken in, cleaned and sealed into the store; given to appeals; shown to who may see them; let go again."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from libs.common.messaging.transaction import Tx
from libs.common.runtime.files import Seal, StoreAwayError
from libs.common.runtime.media.formats import Format
from libs.common.runtime.media.receiving import received
from libs.common.runtime.media.serving import store_away, unsealed
from libs.common.runtime.media.taking import Taken
from libs.common.runtime.privacy import ErasedError
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal
from services.intake import store
from services.intake.domain import WAITS, Deed, File, Ticket, misfit
from services.intake.handlers.around import Arrival, Here
from services.intake.handlers.audit import note
from services.intake.handlers.opening import order_of

SWEPT_AT_ONCE = 100
NAP_SECONDS = 60.0
AWAY_SECONDS = 30.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Put:
    """A file whose bytes are in the store: under `blob_id` with this key, or, without one, as another file's."""

    format: Format
    size: int
    digest: bytes
    blob_id: UUID | None
    key: bytes


async def put(here: Here, chunks: AsyncIterator[bytes]) -> Put:
    """Take in a file and seal it into the store. Whose it is comes next; without that it is let go after a day.

    Raises Problem: 408, 413, 415 and 422 for what the sender sent, 503 if too many send or the store is away.
    """
    try:
        async with received(here.engine.uploads, chunks) as taken:
            return await _put(here, taken)
    except StoreAwayError as error:
        raise store_away() from error


async def _put(here: Here, taken: Taken) -> Put:
    blob_id, seal = here.clock.new_id(), Seal.new(taken.size)
    async with here.database.begin() as tx:
        if await store.twin(tx, taken.digest):
            return Put(taken.format, taken.size, taken.digest, None, b"")
        await store.begin_blob(tx, blob_id)
    await here.engine.files.put(blob_id, seal.close(taken.content))
    return Put(taken.format, taken.size, taken.digest, blob_id, seal.key)


async def upload(here: Here, client: str, chunks: AsyncIterator[bytes]) -> File:
    """Keep a file for its sender, who has a day to name it in an appeal. Raises Problem like `put`."""
    given = await put(here, chunks)
    async with here.database.begin() as tx:
        return await own(tx, here, given, client)


async def own(tx: Tx, here: Here, given: Put, client: str, row: store.Sealed | None = None) -> File:
    """Make what was put a file of this client, and of a ticket if its row of the vault is given."""
    blob_id, key = await _bytes(tx, here, given)
    file_id = here.clock.new_id()
    file = File(
        file_id, blob_id, here.engine.vault.seal(key, file_id.bytes), given.digest,
        given.format.kind, given.format.media_type, given.size, client, None, tx.now,
    )  # fmt: skip
    if row and row.key:
        file = _given(here, file, row.ticket_id, row.key)
    await store.add_file(tx, file)
    return file


async def _bytes(tx: Tx, here: Here, given: Put) -> tuple[UUID, bytes]:
    """Return where the bytes are and what opens them. If the same came from elsewhere meanwhile, theirs are kept."""
    await store.hold_digest(tx, given.digest)
    if twin := await store.twin(tx, given.digest):
        return twin.blob_id, await _key(tx, here, twin)
    if given.blob_id is None or not await store.keep_blob(tx, given.blob_id):
        raise store_away()  # given up in the meantime, or its twin was
    return given.blob_id, given.key


async def _key(tx: Tx, here: Here, file: File) -> bytes:
    vault = here.engine.vault
    if file.ticket_id is None:
        return vault.open(file.key, file.file_id.bytes)
    (row,) = await store.sealed(tx.connection, [file.ticket_id])
    return vault.open(file.key, file.ticket_id.bytes, row.key)


def _given(here: Here, file: File, ticket_id: UUID, wrapped: bytes) -> File:
    """Return a waiting file as one of a ticket: from now on the ticket's key opens it, and its end is the file's."""
    vault = here.engine.vault
    key = vault.open(file.key, file.file_id.bytes)
    return replace(file, ticket_id=ticket_id, key=vault.key(wrapped, ticket_id.bytes).seal(key, ticket_id.bytes))


Wanted = Mapping[UUID, Sequence[File]]


async def take_files(tx: Tx, arrivals: Sequence[Arrival]) -> tuple[Wanted, dict[UUID, Problem]]:
    """Hold the files that appeals bring; return them by ticket, and what is wrong with the others' by ticket."""
    bringing = [arrival for arrival in arrivals if arrival.appeal.attachments]
    if not bringing:
        return {}, {}
    files = await store.hold_files(tx, {file_id for a in bringing for file_id in a.appeal.attachments})
    wanted: dict[UUID, list[File]] = {}
    refused: dict[UUID, Problem] = {}
    for arrival in bringing:
        if wrong := misfit(arrival.appeal.attachments, files, arrival.client):
            refused[arrival.ticket_id] = wrong_field(f"attachments.{wrong.place}", wrong.message)
        else:
            # Taken out: another appeal of this batch cannot have them as well.
            wanted[arrival.ticket_id] = [files.pop(file_id) for file_id in arrival.appeal.attachments]
    return wanted, refused


async def attach(tx: Tx, here: Here, wanted: Wanted, keys: Mapping[UUID, bytes]) -> None:
    """Give held files to their tickets, whose wrapped keys are given."""
    await store.attach(
        tx, [_given(here, f, ticket_id, keys[ticket_id]) for ticket_id, fs in wanted.items() for f in fs]
    )


async def with_files(tx: Tx, screened: Sequence[tuple[Ticket, store.Sealed]]) -> Sequence[tuple[Ticket, store.Sealed]]:
    """Return screened appeals with what was attached to them at the door."""
    files = await store.files_of(tx.connection, [ticket.ticket_id for ticket, _ in screened])
    if not files:
        return screened
    return [
        (replace(ticket, attachments=tuple(file.attachment for file in files.get(ticket.ticket_id, ()))), row)
        for ticket, row in screened
    ]


async def show_files(tx: Tx, here: Here, ticket_id: UUID, reader: Principal | None) -> list[File]:
    """Return a ticket's files for who holds its query code (no `reader`), its sender, the seats, and who works on it.

    Of a reporter who stays unknown to the unit it gets the pictures: a voice or a letter tells who it is, and cannot be
    redacted. What anyone but the citizen gets to see is kept in the audit log. Raises Problem 403 or 404.
    """
    rows = await store.sealed(tx.connection, [ticket_id])
    if not rows:
        raise Problem(404, "no such ticket")
    files = (await store.files_of(tx.connection, [ticket_id])).get(ticket_id, [])
    if reader and reader.name != rows[0].client and not reader.may("seat", "supervisor"):
        files = await _shown_to_unit(tx, ticket_id, reader, files)
    if reader and files:
        await note(tx, here, *(Deed(reader.name, "file", ticket_id, note=str(file.file_id)) for file in files))
    return files


async def _shown_to_unit(tx: Tx, ticket_id: UUID, reader: Principal, files: Sequence[File]) -> list[File]:
    order = await order_of(tx, ticket_id)
    if not reader.may("unit") or not any(map(reader.acts_for, order.workers)):
        raise Problem(403, "only the sender of a ticket, the seats, and the units that work on it may see its files")
    return [file for file in files if file.kind == "picture" or not order.hidden]


@dataclass(frozen=True, slots=True)
class Opened:
    """A file and what opens its bytes."""

    file: File
    seal: Seal


async def open_file(here: Here, file_id: UUID) -> Opened:
    """Return a file that is there to be read. Raises Problem 404 if it is not, or was erased."""
    async with here.database.begin() as tx:
        file = await store.file_of(tx.connection, file_id)
        if file is None:
            raise Problem(404, "no such file")
        try:
            return Opened(file, Seal(await _key(tx, here, file), file.size))
        except ErasedError as error:
            raise Problem(404, "the file was erased") from error


def read_file(here: Here, opened: Opened, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
    """Yield the bytes of a file from `start` on, up to its end or the one before `end`. See `unsealed`."""
    return unsealed(here.engine.files, opened.file.blob_id, opened.seal, start, end)


async def forget_files(tx: Tx, tickets: Sequence[UUID]) -> None:
    """Delete the files of these tickets. Their keys are gone with the commit, the bytes a minute later."""
    await store.forget_files(tx, tickets)


async def sweep_files(here: Here) -> float:
    """Let go of files no appeal came for and of bytes no file needs; return the seconds until there may be more."""
    async with here.database.begin() as tx:
        old = await store.forget_waiting(tx, tx.now - WAITS, SWEPT_AT_ONCE)
        blobs = await store.condemned(tx, tx.now - WAITS, SWEPT_AT_ONCE)
    try:
        for blob_id in blobs:
            await here.engine.files.delete(blob_id)
    except (StoreAwayError, OSError) as error:
        # Appeals are received all the same, so this is no reason to be unready.
        log.warning("file store is away", error=str(error))
        return AWAY_SECONDS
    if blobs:
        async with here.database.begin() as tx:
            await store.drop_blobs(tx, blobs)
    return 0.0 if SWEPT_AT_ONCE in {old, len(blobs)} else NAP_SECONDS
