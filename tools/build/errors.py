"""What a build can fail with."""


class BuildError(Exception):
    """The build cannot go on; the message is one line that says what to do."""
