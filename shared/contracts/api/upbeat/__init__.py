"""The protobuf package `upbeat`."""
