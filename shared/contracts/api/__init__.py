"""The API of the decisions service: requests and answers, the same for HTTP and gRPC."""
