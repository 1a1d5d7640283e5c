"""The store that is a bucket of Amazon S3, or of anything that speaks like it: MinIO, Ceph, Aliyun OSS, Tencent COS."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from libs.common.runtime.files.store import StoreAwayError, UnknownFileError

PART_BYTES = 5 * 1024 * 1024
"""The smallest part that S3 takes of what is sent in parts; two are under way at once."""
CHUNK_BYTES = 256 * 1024
PATIENCE = timedelta(seconds=10)
"""For how long a request is tried again, so that a sender who waits hears of a store that is away."""


class S3Store:
    """Keeps files under `s3://bucket/prefix`.

    Region and credentials come from where every client of S3 looks: AWS_REGION, AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_VIRTUAL_HOSTED_STYLE_REQUEST…, or the role of the machine. A process that is killed
    while it sends leaves parts that only a lifecycle rule of the bucket removes (AbortIncompleteMultipartUpload).
    """

    def __init__(self, url: str, endpoint: str = "") -> None:
        self._bucket = Bucket.from_url(
            url,
            # Not every S3-compatible store deletes in bulk, and we delete one by one.
            config={"disable_bulk_delete": True, **({"endpoint": endpoint} if endpoint else {})},
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=3),
                "read_timeout": PATIENCE,
                # Of a whole request: as long as the slowest reader may take over the largest file.
                "timeout": timedelta(minutes=15),
            },
            retry_config={"max_retries": 3, "retry_timeout": PATIENCE},
        )

    async def put(self, name: UUID, chunks: AsyncIterator[bytes]) -> None:
        """See `FileStore.put`."""
        with _away():
            await obstore.put_async(self._bucket, str(name), chunks, chunk_size=PART_BYTES, max_concurrency=2)

    async def open(self, name: UUID, start: int = 0) -> AsyncGenerator[bytes]:
        """See `FileStore.open`."""
        with _away():
            try:
                found = await obstore.get_async(self._bucket, str(name), options={"range": {"offset": start}})
            except FileNotFoundError:
                raise UnknownFileError(str(name)) from None
            async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    async def delete(self, name: UUID) -> None:
        """See `FileStore.delete`."""
        with _away():
            await obstore.delete_async(self._bucket, str(name))


@contextmanager
def _away() -> Iterator[None]:
    """Say StoreAwayError for what the client raises, a missing bucket among it; its words quote keys and addresses."""
    try:
        yield
    except (BaseError, FileNotFoundError) as error:
        raise StoreAwayError(type(error).__name__) from error
