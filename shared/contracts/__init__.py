"""The public contracts: inbound events, outbound messages, and the Pub/Sub envelope around both."""
