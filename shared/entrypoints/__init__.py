"""Entry points: each calls a use case for a request, and turns its result or error into a response."""
