"""What a question about a release can fail with."""


class ReleaseError(Exception):
    """The answer is no, or there is none; the message is one line that says why."""
