"""Cloud Run service of the decisions API over gRPC: what a user has, what to offer now, and why."""

from shared.entrypoints.api.grpc_server import serve

if __name__ == "__main__":
    serve()
