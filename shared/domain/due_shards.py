"""Due shards: the partitions of the index of due users, so that no partition becomes a hot spot."""

from hashlib import blake2b

DUE_SHARDS = 64
ALL_SHARDS = tuple(range(DUE_SHARDS))


def due_shard(user_id: str) -> int:
    """The user's shard, 0 to 63: a hash of the id, so that users spread evenly."""
    return int.from_bytes(blake2b(user_id.encode(), digest_size=2).digest()) % DUE_SHARDS
