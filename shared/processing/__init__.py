"""One processing, pure: a record and an event become the next record and its messages."""
