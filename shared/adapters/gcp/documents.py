"""Firestore's documents over bare gRPC. Reads and writes that are asked for at once share requests."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode
from grpc.aio import AioRpcError, UnaryStreamCall

from shared.adapters.coalescer import Coalescer, Limits
from shared.adapters.gcp.connection import FIRESTORE, Connection, Headers, routing
from shared.adapters.gcp.protos.firestore_pb2 import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    BatchWriteRequest,
    BatchWriteResponse,
    CommitRequest,
    CommitResponse,
    Document,
    DocumentMask,
    GetDocumentRequest,
    Precondition,
    RunQueryRequest,
    RunQueryResponse,
    StructuredQuery,
    Write,
)
from shared.adapters.gcp.rpc import RPC_SECONDS, is_refusal, repeated, rpc
from shared.adapters.gcp.values import put_all
from shared.domain.errors import Conflict, Transient

READS_AT_ONCE = 100
"""The largest number of documents in one request."""
WRITES_AT_ONCE = 20
"""The largest number of writes in one request."""
# Firestore takes 10 MiB a request, its emulator 4 MiB: https://firebase.google.com/docs/firestore/quotas.
MAX_REQUEST_BYTES = 2 * 1024 * 1024
"""The size above which no further write is added to a request."""
CONFLICTS = {
    StatusCode.ALREADY_EXISTS,
    StatusCode.FAILED_PRECONDITION,
    StatusCode.NOT_FOUND,
    StatusCode.ABORTED,
}
"""Firestore's answers when a precondition does not hold, or when a write lost a race."""
STATUS_CODES = {code.value[0]: code for code in StatusCode}


class Written(NamedTuple):
    """The result of one write."""

    status: StatusCode
    update_time: Timestamp


class Documents:
    """The documents of a project. Every call ends within `seconds`, and raises `Transient` if it fails.

    A read or a write that finds another one under way waits for it to end, and then shares a request with all that
    wait. Writes in one request are independent of each other: each has its own precondition and its own outcome.
    """

    def __init__(self, connection: Connection, project: str, seconds: float = RPC_SECONDS) -> None:
        self.connection = connection
        self.project = project
        self.seconds = seconds
        self.database = f"projects/{project}/databases/(default)"
        self.root = f"{self.database}/documents"
        """The path of all collections."""
        api = "/google.firestore.v1.Firestore"
        self._get = connection.unary(f"{api}/GetDocument", GetDocumentRequest, Document)
        self._batch_get = connection.stream(
            f"{api}/BatchGetDocuments", BatchGetDocumentsRequest, BatchGetDocumentsResponse
        )
        self._commit = connection.unary(f"{api}/Commit", CommitRequest, CommitResponse)
        self._batch_write = connection.unary(f"{api}/BatchWrite", BatchWriteRequest, BatchWriteResponse)
        self._run_query = connection.stream(f"{api}/RunQuery", RunQueryRequest, RunQueryResponse)
        self._reads: dict[tuple[str, ...], Coalescer[str, Document | None]] = {}
        """By the fields that are read: a request has one mask for all documents."""
        limits = Limits(WRITES_AT_ONCE, MAX_REQUEST_BYTES, seconds)
        self._writes = Coalescer(self._write_all, limits, Write.ByteSize, _document_of, is_refusal)

    def path(self, collection: str, document_id: str) -> str:
        """The full name of a document."""
        return f"{self.root}/{collection}/{document_id}"

    async def read(self, path: str, fields: tuple[str, ...] = ()) -> Document | None:
        """A document with the named fields, or with all; None if it does not exist."""
        reads = self._reads.get(fields)
        if reads is None:
            mask = DocumentMask(field_paths=fields) if fields else None
            reads = self._reads[fields] = self._coalesced_reads(mask)
        async with rpc(FIRESTORE, self.seconds):
            return await reads.ask(path)

    def _coalesced_reads(self, mask: DocumentMask | None) -> Coalescer[str, Document | None]:
        async def read_all(paths: list[str]) -> Sequence[Document | None]:
            if len(paths) == 1:
                return [await repeated(lambda: self._read_one(paths[0], mask))]
            return await repeated(lambda: self._read_several(paths, mask))

        limits = Limits(READS_AT_ONCE, READS_AT_ONCE, self.seconds)
        return Coalescer(read_all, limits, lambda _: 1, is_refusal=is_refusal)

    async def _read_one(self, path: str, mask: DocumentMask | None) -> Document | None:
        request = GetDocumentRequest(name=path, mask=mask)
        try:
            found: Document = await self._get(
                request, timeout=self.seconds, metadata=await self._headers(name=path)
            )
        except AioRpcError as error:
            if error.code() is StatusCode.NOT_FOUND:
                return None
            raise
        return found

    async def _read_several(self, paths: list[str], mask: DocumentMask | None) -> list[Document | None]:
        request = BatchGetDocumentsRequest(database=self.database, documents=dict.fromkeys(paths), mask=mask)
        found: dict[str, Document | None] = {}
        headers = await self._headers(database=self.database)
        async for part in self._batch_get(request, timeout=self.seconds, metadata=headers):
            if part.HasField("found"):
                found[part.found.name] = part.found
            elif part.missing:
                found[part.missing] = None
        return [found[path] for path in paths]

    async def write(
        self,
        path: str,
        fields: Mapping[str, object],
        version: Timestamp | None,
        gone: Iterable[str] = (),
    ) -> Timestamp:
        """Write these fields if the document is at `version`, or if there is none where `version` is None.

        The fields that are `gone` are deleted, and others stay as they are. Returns the new version. Raises
        `Conflict` if the document is at another version. Never repeated: a write that succeeded would then raise
        `Conflict`.
        """
        if version is None:
            write = Write(current_document=Precondition(exists=False))
        else:
            # https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1#precondition
            mask = DocumentMask(field_paths=(*fields, *gone))
            write = Write(update_mask=mask, current_document=Precondition(update_time=version))
        write.update.name = path
        put_all(write.update.fields, fields)
        async with rpc(FIRESTORE, self.seconds):
            written = await self._writes.ask(write)
        if written.status in CONFLICTS:
            raise Conflict("the document has changed since it was loaded")
        if written.status is not StatusCode.OK:
            raise Transient(f"{FIRESTORE.name}: {written.status.name}")
        return written.update_time

    async def commit(self, writes: Sequence[Write]) -> None:
        """Make all writes or none. Raises `Conflict` if a precondition of one does not hold. Never repeated."""
        request = CommitRequest(database=self.database, writes=writes)
        async with rpc(FIRESTORE, self.seconds):
            try:
                headers = await self._headers(database=self.database)
                await self._commit(request, timeout=self.seconds, metadata=headers)
            except AioRpcError as error:
                if error.code() in CONFLICTS:
                    raise Conflict("a document has changed since it was loaded") from error
                raise

    async def _write_all(self, writes: list[Write]) -> Sequence[Written]:
        headers = await self._headers(database=self.database)
        try:
            if len(writes) == 1:
                commit = CommitRequest(database=self.database, writes=writes)
                committed = await self._commit(commit, timeout=self.seconds, metadata=headers)
                return [Written(StatusCode.OK, committed.write_results[0].update_time)]
            request = BatchWriteRequest(database=self.database, writes=writes)
            answer = await self._batch_write(request, timeout=self.seconds, metadata=headers)
        except AioRpcError as error:
            if error.code() in CONFLICTS:
                return [Written(error.code(), Timestamp())] * len(writes)
            raise
        results = zip(answer.status, answer.write_results, strict=True)
        return [
            Written(STATUS_CODES.get(status.code, StatusCode.UNKNOWN), one.update_time) for status, one in results
        ]

    async def query(self, query: StructuredQuery) -> UnaryStreamCall[RunQueryRequest, RunQueryResponse]:
        """The stream of a query's answers. It has no time limit; whoever needs no more of it cancels it."""
        request = RunQueryRequest(parent=self.root, structured_query=query)
        return self._run_query(request, metadata=await self._headers(parent=self.root))

    async def _headers(self, **routed_by: str) -> Headers:
        """The headers that Google's clients send. Raises `Transient` if there is no access token."""
        prefix = ("google-cloud-resource-prefix", self.database)
        return (prefix, routing(**routed_by), *await self.connection.authorization.headers())


def _document_of(write: Write) -> str:
    return write.update.name
