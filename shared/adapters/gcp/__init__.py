"""Adapters for Google Cloud: Firestore and Pub/Sub."""
