"""Other people's test suites, run in the snap's own Python against the snap's own code: `make suites`."""
