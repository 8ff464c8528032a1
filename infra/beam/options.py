"""The options of a pipeline: those after `--` on the command line, and what holds here without them."""

import os
from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from infra.errors import UsageError

HERE = "FnApiRunner"
"""Beam's DirectRunner, without its attempt to fetch and start Prism first."""
SMALL = 2_000_000
"""Bytes of input up to which one process is done before others would have started."""


def pipeline_options(words: Sequence[str], input_bytes: int) -> PipelineOptions:
    """The options in these words. Without a runner: this machine's processors. Raises `UsageError`."""
    defaults = [] if any(word.startswith("--runner") for word in words) else _here(input_bytes)
    options = PipelineOptions([*defaults, *words])
    try:
        kept, known = (options.get_all_options(retain_unknown_options=retains) for retains in (True, False))
    except SystemExit:  # argparse has printed what it expected
        raise UsageError("expected options of Beam after --, found others") from None
    if unknown := kept.keys() - known.keys():
        raise UsageError(f"expected options of Beam after --, found --{min(unknown)}")
    if loose := [word for word in words if not word.startswith("-") and not _is_value(words, word)]:
        raise UsageError(f"expected options of Beam after --, found {loose[0]!r}")
    return options


def _here(input_bytes: int) -> list[str]:
    processes = len(os.sched_getaffinity(0)) if input_bytes > SMALL else 1
    if processes == 1:
        return [f"--runner={HERE}"]
    return [f"--runner={HERE}", "--direct_running_mode=multi_processing", f"--direct_num_workers={processes}"]


def _is_value(words: Sequence[str], word: str) -> bool:
    at = words.index(word)
    return at > 0 and words[at - 1].startswith("--") and "=" not in words[at - 1]
