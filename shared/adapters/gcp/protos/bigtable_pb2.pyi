from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RowSet(_message.Message):
    __slots__ = ("row_keys",)
    ROW_KEYS_FIELD_NUMBER: _ClassVar[int]
    row_keys: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, row_keys: _Optional[_Iterable[bytes]] = ...) -> None: ...

class TimestampRange(_message.Message):
    __slots__ = ("start_timestamp_micros", "end_timestamp_micros")
    START_TIMESTAMP_MICROS_FIELD_NUMBER: _ClassVar[int]
    END_TIMESTAMP_MICROS_FIELD_NUMBER: _ClassVar[int]
    start_timestamp_micros: int
    end_timestamp_micros: int
    def __init__(self, start_timestamp_micros: _Optional[int] = ..., end_timestamp_micros: _Optional[int] = ...) -> None: ...

class RowFilter(_message.Message):
    __slots__ = ("chain", "family_name_regex_filter", "timestamp_range_filter", "cells_per_column_limit_filter")
    class Chain(_message.Message):
        __slots__ = ("filters",)
        FILTERS_FIELD_NUMBER: _ClassVar[int]
        filters: _containers.RepeatedCompositeFieldContainer[RowFilter]
        def __init__(self, filters: _Optional[_Iterable[_Union[RowFilter, _Mapping]]] = ...) -> None: ...
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    FAMILY_NAME_REGEX_FILTER_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_RANGE_FILTER_FIELD_NUMBER: _ClassVar[int]
    CELLS_PER_COLUMN_LIMIT_FILTER_FIELD_NUMBER: _ClassVar[int]
    chain: RowFilter.Chain
    family_name_regex_filter: str
    timestamp_range_filter: TimestampRange
    cells_per_column_limit_filter: int
    def __init__(self, chain: _Optional[_Union[RowFilter.Chain, _Mapping]] = ..., family_name_regex_filter: _Optional[str] = ..., timestamp_range_filter: _Optional[_Union[TimestampRange, _Mapping]] = ..., cells_per_column_limit_filter: _Optional[int] = ...) -> None: ...

class ReadRowsRequest(_message.Message):
    __slots__ = ("table_name", "rows", "filter")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    table_name: str
    rows: RowSet
    filter: RowFilter
    def __init__(self, table_name: _Optional[str] = ..., rows: _Optional[_Union[RowSet, _Mapping]] = ..., filter: _Optional[_Union[RowFilter, _Mapping]] = ...) -> None: ...

class ReadRowsResponse(_message.Message):
    __slots__ = ("chunks",)
    class CellChunk(_message.Message):
        __slots__ = ("row_key", "family_name", "qualifier", "timestamp_micros", "value", "value_size", "reset_row", "commit_row")
        ROW_KEY_FIELD_NUMBER: _ClassVar[int]
        FAMILY_NAME_FIELD_NUMBER: _ClassVar[int]
        QUALIFIER_FIELD_NUMBER: _ClassVar[int]
        TIMESTAMP_MICROS_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
        RESET_ROW_FIELD_NUMBER: _ClassVar[int]
        COMMIT_ROW_FIELD_NUMBER: _ClassVar[int]
        row_key: bytes
        family_name: _wrappers_pb2.StringValue
        qualifier: _wrappers_pb2.BytesValue
        timestamp_micros: int
        value: bytes
        value_size: int
        reset_row: bool
        commit_row: bool
        def __init__(self, row_key: _Optional[bytes] = ..., family_name: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., qualifier: _Optional[_Union[_wrappers_pb2.BytesValue, _Mapping]] = ..., timestamp_micros: _Optional[int] = ..., value: _Optional[bytes] = ..., value_size: _Optional[int] = ..., reset_row: _Optional[bool] = ..., commit_row: _Optional[bool] = ...) -> None: ...
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    chunks: _containers.RepeatedCompositeFieldContainer[ReadRowsResponse.CellChunk]
    def __init__(self, chunks: _Optional[_Iterable[_Union[ReadRowsResponse.CellChunk, _Mapping]]] = ...) -> None: ...
