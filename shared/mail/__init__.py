"""E-mail for triggers: what is sent, what is kept of it, and the links in it. Pure, but for the ports it names."""
