"""Runs a pipeline, and tells what it counted."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam

from infra.beam.counts import counted
from infra.beam.options import pipeline_options
from infra.beam.text_blocks import bytes_of
from infra.beam.whole_files import remove_drafts
from infra.errors import InfraError, UsageError

UNHAPPY = ("FAILED", "CANCELLED", "UNKNOWN")


def run(of_beam: Sequence[str], source: str, outs: Sequence[str], build: Callable[[Any], None]) -> None:
    """Build and run a pipeline that reads `source` and writes these files; `of_beam` are the options of Beam.

    A file appears only whole, after everything that it is made of has succeeded; a second run replaces it by the
    same. Raises `UsageError` if the options make no sense, and `InfraError` if the pipeline fails.
    """
    began = time.perf_counter()
    size = bytes_of(source)
    try:
        pipeline = beam.Pipeline(options=pipeline_options(of_beam, size))
    except ValueError as error:  # of Beam's own checks
        raise UsageError(f"expected options of Beam after --, found others: {error}") from error
    build(pipeline)
    for out in outs:
        remove_drafts(out)
    try:
        result = pipeline.run()
        state = result.wait_until_finish()
    except Exception as error:
        raise InfraError(f"the pipeline failed: {_last_line(error)}") from error
    if state in UNHAPPY:
        raise InfraError(f"the pipeline ended as {state}: its log says why (--verbose, or the page of the job)")
    _tell(counted(result), size, time.perf_counter() - began)


def _last_line(error: Exception) -> str:
    """The last line of an error's text, which for an error of a worker is the worker's own."""
    return (str(error).strip() or repr(error)).splitlines()[-1]


def _tell(counts: dict[str, int], size: int, seconds: float) -> None:
    told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
    speed = counts.get("messages", 0) / seconds
    print(
        f"{told or 'nothing'} of {size / 1e6:,.1f} MB in {seconds:,.1f} s, {speed:,.0f} a second", file=sys.stderr
    )
