"""Inbound events: the Pub/Sub push envelope, one model per topic, and validation with its rejections."""
