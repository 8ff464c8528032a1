"""The user's record: everything stored about one user, and how it becomes the bytes of a document."""
