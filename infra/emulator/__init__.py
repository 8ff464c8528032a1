"""The emulator runtime: one process for each function, on the Pub/Sub and Firestore emulators."""
