-- What BigQuery's functions answer, for DuckDB: sqlglot alone is wrong in these.
-- A condition on typeof() is decided before a query runs, so that only one branch is executed.
-- Each macro has vectors of BigQuery's documented answers in tests/infra/analytics/warehouse/vectors.yaml.

-- Casts. DuckDB takes more words for numbers, booleans and times than BigQuery does, and rounds halves to even.
CREATE OR REPLACE MACRO bq_safe_int64(x) AS CASE
  WHEN typeof(x) = 'VARCHAR' THEN
    CASE WHEN regexp_full_match(CAST(x AS VARCHAR), '\s*[+-]?([0-9]+|0[xX][0-9a-fA-F]+)\s*')
      THEN TRY_CAST(trim(CAST(x AS VARCHAR)) AS BIGINT) END
  WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN TRY_CAST(round(TRY_CAST(x AS DOUBLE)) AS BIGINT)
  ELSE TRY_CAST(x AS BIGINT) END;
CREATE OR REPLACE MACRO bq_safe_float64(x) AS CASE
  WHEN typeof(x) = 'VARCHAR' THEN
    CASE WHEN regexp_full_match(
        CAST(x AS VARCHAR), '(?i)\s*[+-]?([0-9]+\.?[0-9]*(e[+-]?[0-9]+)?|\.[0-9]+(e[+-]?[0-9]+)?|inf|infinity|nan)\s*')
      THEN TRY_CAST(trim(CAST(x AS VARCHAR)) AS DOUBLE) END
  ELSE TRY_CAST(x AS DOUBLE) END;
CREATE OR REPLACE MACRO bq_safe_bool(x) AS CASE
  WHEN typeof(x) = 'VARCHAR' THEN
    CASE lower(CAST(x AS VARCHAR)) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END
  ELSE TRY_CAST(x AS BOOLEAN) END;
CREATE OR REPLACE MACRO bq_safe_date(x) AS CASE
  WHEN typeof(x) = 'VARCHAR' THEN
    CASE WHEN regexp_full_match(CAST(x AS VARCHAR), '\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\s*')
      THEN TRY_CAST(trim(CAST(x AS VARCHAR)) AS DATE) END
  ELSE TRY_CAST(x AS DATE) END;
-- Times as Upbeat writes them, told by LIKE: a regular expression takes twenty times as long.
CREATE OR REPLACE MACRO bq_is_plain_time(x) AS x LIKE '20__-__-__T__:__:__.______Z' OR x LIKE '20__-__-__T__:__:__Z';
CREATE OR REPLACE MACRO bq_safe_timestamp(x) AS CASE
  WHEN typeof(x) = 'VARCHAR' THEN
    CASE WHEN bq_is_plain_time(CAST(x AS VARCHAR)) THEN TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ)
      WHEN regexp_full_match(
        CAST(x AS VARCHAR),
        '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]{1,6})?)?( ?[Zz]| ?UTC|[+-][0-9]{1,2}(:[0-9]{2})?)?')
      THEN TRY_CAST(upper(CAST(x AS VARCHAR)) AS TIMESTAMPTZ) END
  ELSE TRY_CAST(x AS TIMESTAMPTZ) END;
CREATE OR REPLACE MACRO bq_safe_string(x) AS CASE
  WHEN typeof(x) = 'BLOB' THEN error('SAFE_CONVERT_BYTES_TO_STRING makes text of bytes, and CAST does not')
  WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN regexp_replace(CAST(x AS VARCHAR), '\.0$', '')
  WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE' THEN
    CASE
      WHEN epoch_us(TRY_CAST(x AS TIMESTAMPTZ)) % 1000000 = 0 THEN strftime(TRY_CAST(x AS TIMESTAMPTZ) AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S+00')
      WHEN epoch_us(TRY_CAST(x AS TIMESTAMPTZ)) % 1000 = 0 THEN strftime(TRY_CAST(x AS TIMESTAMPTZ) AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%g+00')
      ELSE strftime(TRY_CAST(x AS TIMESTAMPTZ) AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%f+00') END
  ELSE CAST(x AS VARCHAR) END;
CREATE OR REPLACE MACRO bq_or_error(x, answer, kind) AS CASE
  WHEN x IS NOT NULL AND answer IS NULL THEN error('bad ' || kind || ' value: ' || CAST(x AS VARCHAR)) ELSE answer END;
CREATE OR REPLACE MACRO bq_int64(x) AS bq_or_error(x, bq_safe_int64(x), 'int64');
CREATE OR REPLACE MACRO bq_float64(x) AS bq_or_error(x, bq_safe_float64(x), 'float64');
CREATE OR REPLACE MACRO bq_bool(x) AS bq_or_error(x, bq_safe_bool(x), 'bool');
CREATE OR REPLACE MACRO bq_date(x) AS bq_or_error(x, bq_safe_date(x), 'date');
CREATE OR REPLACE MACRO bq_timestamp(x) AS bq_or_error(x, bq_safe_timestamp(x), 'timestamp');
CREATE OR REPLACE MACRO bq_string(x) AS bq_or_error(x, bq_safe_string(x), 'string');

-- Numbers. A division by zero is an error in BigQuery, and infinite or NULL in DuckDB.
CREATE OR REPLACE MACRO bq_divide(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a / b END;
CREATE OR REPLACE MACRO bq_safe_divide(a, b) AS CASE WHEN b = 0 THEN NULL ELSE a / b END;
CREATE OR REPLACE MACRO bq_div(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a // b END;
CREATE OR REPLACE MACRO bq_mod(a, b) AS CASE WHEN b = 0 THEN error('division by zero') ELSE a % b END;
CREATE OR REPLACE MACRO bq_ln(x) AS CASE WHEN x <= 0 THEN error('LN of a number that is not positive') ELSE ln(x) END;
CREATE OR REPLACE MACRO bq_sqrt(x) AS CASE WHEN x < 0 THEN error('SQRT of a negative number') ELSE sqrt(x) END;
CREATE OR REPLACE MACRO bq_round(x, digits := 0) AS round(CAST(x AS DOUBLE), digits);

-- Text.
CREATE OR REPLACE MACRO bq_trim(x) AS regexp_replace(x, '^\s+|\s+$', '', 'g');
CREATE OR REPLACE MACRO bq_substr(x, start, number := 4294967295) AS
  substring(x, CASE WHEN start = 0 OR start < -length(x) THEN 1 ELSE start END, number);

-- Bytes that are no UTF-8 become U+FFFD, each by itself. Almost none are, so the slow way is the second.
CREATE OR REPLACE MACRO bq_replaced_bytes(digits) AS array_to_string(
  list_transform(
    regexp_extract_all(digits, '(?:[0-7].|(?:C[2-9A-F]|D.)[89AB].|E0[AB].[89AB].|(?:E[1-9A-CEF])(?:[89AB].){2}|ED[89].[89AB].|F0[9AB].(?:[89AB].){2}|F[1-3](?:[89AB].){3}|F48.(?:[89AB].){2})|..'),
    lambda each: CASE WHEN regexp_full_match(each, '[0-7].|....+') THEN each ELSE 'EFBFBD' END
  ), '');
CREATE OR REPLACE MACRO bq_lossy_string(x) AS
  coalesce(TRY(decode(x)), decode(unhex(bq_replaced_bytes(CASE WHEN TRY(decode(x)) IS NULL THEN hex(x) END))));

-- Times.
CREATE OR REPLACE MACRO bq_timestamp_diff(a, b, unit) AS (epoch_us(a) - epoch_us(b)) // unit;
CREATE OR REPLACE MACRO bq_unix(x, unit) AS CAST(floor(epoch_us(x) / unit) AS BIGINT);
CREATE OR REPLACE MACRO bq_of_unix(x, unit) AS to_timestamp(0) + to_microseconds(CAST(x AS BIGINT) * unit);

-- JSON. DuckDB also takes NaN, Infinity and a comma before a closing bracket, which are looked for outside of texts.
-- CASE computes its second branch for the few that need it; AND would compute both for all.
CREATE OR REPLACE MACRO bq_may_be_lenient_json(x) AS
  contains(x, 'NaN') OR contains(x, 'Inf') OR contains(x, ',]') OR contains(x, ',}') OR contains(x, ', ')
  OR contains(x, ',' || chr(9)) OR contains(x, ',' || chr(10)) OR contains(x, ',' || chr(13));
CREATE OR REPLACE MACRO bq_is_lenient_json(x) AS CASE WHEN bq_may_be_lenient_json(x)
  THEN regexp_matches(regexp_replace(x, '"(\\.|[^"\\])*"', '""', 'g'), 'NaN|Inf|,\s*[\]}]') ELSE FALSE END;
CREATE OR REPLACE MACRO bq_safe_json(x) AS CASE WHEN NOT bq_is_lenient_json(x) THEN TRY_CAST(x AS JSON) END;
CREATE OR REPLACE MACRO bq_json(x) AS bq_or_error(x, bq_safe_json(x), 'JSON');
CREATE OR REPLACE MACRO bq_json_type(j) AS CASE json_type(j)
  WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean'
  WHEN 'NULL' THEN 'null' WHEN 'BIGINT' THEN 'number' WHEN 'UBIGINT' THEN 'number' WHEN 'DOUBLE' THEN 'number'
  WHEN 'HUGEINT' THEN 'number' END;
CREATE OR REPLACE MACRO bq_json_array(j, path) AS CASE
  WHEN json_type(j, path) = 'ARRAY' THEN CAST(json_extract(j, path) AS JSON[]) END;
CREATE OR REPLACE MACRO bq_json_value_array(j, path) AS CASE
  WHEN len(list_filter(bq_json_array(j, path), lambda e: json_type(e) IN ('OBJECT', 'ARRAY'))) = 0
  THEN list_transform(bq_json_array(j, path), lambda e: e ->> '$') END;
CREATE OR REPLACE MACRO bq_json_keys(j) AS CASE
  WHEN json_type(j) = 'OBJECT' THEN list_sort(list_distinct(json_keys(j))) END;
CREATE OR REPLACE MACRO bq_json_subscript(j, k) AS CASE
  WHEN typeof(k) <> 'VARCHAR' THEN json_extract(j, '$[' || CASE WHEN typeof(k) = 'VARCHAR' THEN '0' ELSE CAST(k AS VARCHAR) END || ']')
  ELSE json_extract(j, '$."' || replace(CAST(k AS VARCHAR), '"', '\"') || '"') END;

-- Arrays.
CREATE OR REPLACE MACRO bq_safe_offset(a, n) AS CASE WHEN n >= 0 THEN a[n + 1] END;
CREATE OR REPLACE MACRO bq_first(a, n) AS a[1:n];
