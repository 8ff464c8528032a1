"""The user's record: everything stored about one user, and its encoding as the blob of a document."""
