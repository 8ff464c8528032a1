"""Due shards: the parts into which the index of due users is split, so that no part of it runs hot."""

from hashlib import blake2b

DUE_SHARDS = 64
ALL_SHARDS = tuple(range(DUE_SHARDS))


def due_shard(user_id: str) -> int:
    """The shard of a user, 0 to 63: a hash of the id, so that users spread evenly."""
    return int.from_bytes(blake2b(user_id.encode(), digest_size=2).digest()) % DUE_SHARDS
