"""The boundary, measured: for every operation that the snap's libraries offer, where it is computed."""
