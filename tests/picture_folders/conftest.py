"""What the tests of picture folders share."""

from command_fixtures import checkpoint, photographs, photos, restoring, run, server  # noqa: F401
