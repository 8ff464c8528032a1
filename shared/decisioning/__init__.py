"""Who is offered what, where and why: pure, like the domain, and fed by a catalog."""
