"""The catalog document: its vocabulary, its schema, and the checks that refuse mistakes."""
