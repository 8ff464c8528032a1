"""The portable subset: what a query may use so that BigQuery and DuckDB answer alike.

Every function and every kind of node that is not named here is refused. Each function has vectors of BigQuery's
documented answers (tests/infra/analytics/warehouse/vectors.yaml), which a test runs on DuckDB.
"""

from sqlglot import exp


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SAME = _words(
    """
    ABS ARRAY ARRAY_CONCAT ARRAY_LENGTH ARRAY_TO_STRING AVG CEIL COALESCE CONCAT COUNT COUNTIF
    COVAR_SAMP DATE_DIFF DENSE_RANK ENDS_WITH EXISTS EXP FIRST_VALUE FLOOR FROM_BASE64
    GENERATE_ARRAY GENERATE_DATE_ARRAY GREATEST IF IFNULL IS_NAN JSON_QUERY JSON_VALUE LAG
    LAST_VALUE LEAD LEAST LENGTH LOGICAL_AND LOGICAL_OR LOWER MAX MIN NTILE NULLIF PERCENTILE_CONT
    POW RANK REGEXP_CONTAINS REGEXP_EXTRACT REGEXP_REPLACE REPLACE ROW_NUMBER SIGN SPLIT STARTS_WITH
    STDDEV_POP STDDEV_SAMP STRING_AGG STRPOS SUM TIMESTAMP_ADD TIMESTAMP_SUB TIMESTAMP_TRUNC UNNEST
    UPPER VAR_POP VAR_SAMP
    """
)
"""Functions that sqlglot translates to the same answer."""

MENDED = _words(
    """
    APPROX_QUANTILES ARRAY_AGG CAST DATE DATE_ADD DATE_SUB DATE_TRUNC DIV EXTRACT FORMAT_DATE
    FORMAT_TIMESTAMP JSON_KEYS JSON_QUERY_ARRAY JSON_TYPE JSON_VALUE_ARRAY LN MOD PARSE_JSON ROUND
    SAFE.FROM_BASE64 SAFE.PARSE_JSON SAFE_CAST SAFE_CONVERT_BYTES_TO_STRING SAFE_DIVIDE SAFE_OFFSET
    SHA256 SQRT SUBSTR TIMESTAMP TIMESTAMP_DIFF TIMESTAMP_MICROS TIMESTAMP_MILLIS TIMESTAMP_SECONDS
    TO_HEX TRIM UNIX_MICROS UNIX_MILLIS UNIX_SECONDS
    """
)
"""Functions that `duckdb_sql` translates itself, since sqlglot's translation fails or answers differently."""

INSTEAD = {
    "ANY_VALUE": "MIN or MAX: which value it gives is not defined",
    "CURRENT_DATE": "a parameter: a model's rows follow from its inputs alone",
    "CURRENT_TIMESTAMP": "a parameter: a model's rows follow from its inputs alone",
    "JSON_EXTRACT": "JSON_QUERY",
    "JSON_EXTRACT_ARRAY": "JSON_QUERY_ARRAY",
    "JSON_EXTRACT_SCALAR": "JSON_VALUE",
    "OFFSET": "SAFE_OFFSET: beyond the end DuckDB gives NULL where BigQuery fails",
    "ORDINAL": "SAFE_OFFSET",
    "PARSE_DATE": "SAFE_CAST(... AS DATE)",
    "PARSE_TIMESTAMP": "SAFE_CAST(... AS TIMESTAMP)",
}
"""Advice for functions that are refused."""

WORDS = _words(
    """
    ALL AND ANY AS BETWEEN BY CASE CROSS DISTINCT ELSE EXCEPT FROM HAVING IN INTERSECT IS JOIN LIKE
    NOT ON OR OVER PARTITION QUALIFY SELECT THEN UNION USING WHEN WHERE WITH
    """
)
"""Words before a bracket that call nothing."""

CASTS = {
    exp.DataType.Type.BIGINT: "int64",
    exp.DataType.Type.DOUBLE: "float64",
    exp.DataType.Type.BOOLEAN: "bool",
    exp.DataType.Type.TEXT: "string",
    exp.DataType.Type.DATE: "date",
    exp.DataType.Type.TIMESTAMPTZ: "timestamp",
}
"""The types to which a query may cast: INT64, FLOAT64, BOOL, STRING, DATE, TIMESTAMP."""

UNITS = {
    "MICROSECOND": 1,
    "MILLISECOND": 1_000,
    "SECOND": 1_000_000,
    "MINUTE": 60_000_000,
    "HOUR": 3_600_000_000,
    "DAY": 86_400_000_000,
}
"""Units of TIMESTAMP_DIFF, TIMESTAMP_ADD and TIMESTAMP_SUB, in microseconds."""

PARTS: dict[type, frozenset[str]] = {
    exp.TimestampDiff: frozenset(UNITS),
    exp.TimestampAdd: frozenset(UNITS),
    exp.TimestampSub: frozenset(UNITS),
    exp.TimestampTrunc: frozenset({"MINUTE", "HOUR", "DAY", "MONTH", "QUARTER", "YEAR"}),
    exp.DateDiff: frozenset({"DAY", "MONTH", "QUARTER", "YEAR"}),
    exp.DateAdd: frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}),
    exp.DateSub: frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}),
    exp.DateTrunc: frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}),
}
"""The parts that a function of times may name."""
EXTRACTED = frozenset(
    {"YEAR", "QUARTER", "MONTH", "ISOWEEK", "DAY", "DAYOFWEEK", "DAYOFYEAR", "HOUR", "MINUTE", "SECOND"}
)
"""The parts that EXTRACT may name."""
FORMATS = frozenset("YmdHMSj%")
"""The letters after % that a format may use."""

ORDERED = ("ROW_NUMBER", "LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "NTILE", "RANK", "DENSE_RANK")
"""Window functions whose answer is defined by an order alone."""

NODES = frozenset(
    getattr(exp, name)
    for name in _words(
        """
    Add Alias And Array AtTimeZone Between Boolean Bracket ByteString CTE Case Column DPipe DataType
    Distinct Div EQ Except Filter From GT GTE Group Having Identifier IgnoreNulls In IntDiv
    Intersect Interval Is JSONPath JSONPathKey JSONPathRoot JSONPathSubscript Join Kwarg LT LTE Like
    Limit Literal Mod Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Or Order Ordered Parameter Paren
    Qualify RawString RespectNulls Select Star Sub Subquery Table TableAlias TsOrDsToDate
    TsOrDsToTimestamp Tuple Union Unnest Var WeekStart Where Window WindowSpec With
    """
    )
)
"""The kinds of nodes, beside functions, that a query may consist of."""
