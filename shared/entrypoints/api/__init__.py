"""The decisions service behind both of its faces, HTTP and gRPC."""
