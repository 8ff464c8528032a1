"""The protobuf messages that a function exchanges with Firestore and Pub/Sub, generated from the .proto files."""
