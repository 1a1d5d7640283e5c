"""Why a file is not kept. The texts are for its sender and quote nothing of it."""


class NotTakenError(Exception):
    """A file of a type that is not taken; the text says which are, or what to do."""


class UnfitError(Exception):
    """A file of a type that is taken, but empty, broken, or with something in it that must not be: the text says so."""


class TooLargeError(Exception):
    """A file over the limit of its kind."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"must be at most {limit} bytes")
        self.limit = limit


class BusyError(Exception):
    """Too many files are coming in; the sender should come back."""


class StalledError(Exception):
    """The sender stopped sending."""
