"""Coverage-guided fuzzing with atheris: `make fuzz SECONDS=600`, or `python -m tests.fuzz TARGET SECONDS`.

An input that breaks a property, takes over 10 seconds or uses over 2 GB ends the run, and is left in `out/fuzz`.
Copy it to `tests/fuzz/found/TARGET/`, where `make test` tries it for ever, and mend what it shows.

https://github.com/google/atheris
"""

import sys
from pathlib import Path
from random import Random

import atheris  # its requirements are .ci/requirements-fuzz.txt

with atheris.instrument_imports(include=["shared", "infra"]):
    from tests.fuzz.corpus import seeds, words
    from tests.fuzz.targets import TARGETS
from tests.fuzz.mutations import mutated

OUT = Path("out") / "fuzz"


def main(target: str, seconds: str) -> None:
    """Fuzz one target for some seconds, from its seeds and from what former runs found interesting."""
    corpus, vocabulary = OUT / target, words(target)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    bounds = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=16384"]

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)  # noqa: S311 - atheris gives the seed
        if random.random() < 0.3:
            return atheris.Mutate(data, max_size)
        return mutated(data, random, vocabulary)[:max_size]

    arguments = [sys.argv[0], *bounds, f"-artifact_prefix={OUT}/{target}-", str(corpus)]
    atheris.Setup(arguments, TARGETS[target], custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
