"""Entry points: each turns a request into a use case, and its errors into an answer."""
