"""Mutations that keep most of an input's structure, so that what they make is not refused at the first byte."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from random import Random
from typing import Any

import orjson

from tests.fuzz.targets import PUSH

TIMES = ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
EDGES: list[Any] = [None, True, 0, -1, 1, 2**63, 1e308, 0.5, "", [], {}, *TIMES]


def mutated(data: bytes, random: Random, words: Sequence[str]) -> bytes:
    """Data with one to four mutations: of a value within it if it holds JSON, else of its text."""
    for _ in range(random.randint(1, 4)):
        data = _json(data, random, words) or _text(data, random, words)
    return data


def _json(data: bytes, random: Random, words: Sequence[str]) -> bytes | None:
    """Data with one value of its JSON mutated, of a push mostly in the message; None if it holds no JSON."""
    try:
        content = orjson.loads(data[1:])
        if data[0] % (PUSH + 1) == PUSH and random.random() < 0.8:
            inner = orjson.loads(b64decode(content["message"]["data"]))
            content["message"]["data"] = b64encode(orjson.dumps(_changed(inner, random, words))).decode()
            return data[:1] + orjson.dumps(content)
        return data[:1] + orjson.dumps(_changed(content, random, words))
    except (ValueError, LookupError, TypeError):
        return None


def _changed(value: Any, random: Random, words: Sequence[str]) -> Any:
    """A JSON value with one part left out, replaced or added."""
    new = random.choice([*EDGES, random.choice(words), random.randint(-(10**6), 10**12)])
    if not isinstance(value, dict | list) or not value:
        return new
    step = random.choice([*value]) if isinstance(value, dict) else random.randrange(len(value))
    if random.random() < 0.5:
        value[step] = _changed(value[step], random, words)
    elif random.random() < 0.5:
        del value[step]
    elif isinstance(value, dict):
        value[random.choice(words)] = random.choice([new, value[step]])
    else:
        value.append(value[step])
    return value


def _text(data: bytes, random: Random, words: Sequence[str]) -> bytes:
    """Data with a line left out, moved or repeated, or with some bytes replaced."""
    lines = data.split(b"\n")
    if len(lines) > 1 and random.random() < 0.6:
        line, place = random.randrange(len(lines)), random.randrange(len(lines))
        moved = lines[line] if random.random() < 0.7 else lines.pop(line)
        return b"\n".join([*lines[:place], moved, *lines[place + random.randint(0, 1) :]])
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice([0, 1, 1, 8, 64]))
    piece = random.choice([b"", random.randbytes(2), random.choice(words).encode(), data[start : start + 64]])
    return data[:start] + piece + data[end:]
