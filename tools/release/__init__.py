"""From a snap to the store, by evidence: what is in it, what was seen of it, what follows from that."""
