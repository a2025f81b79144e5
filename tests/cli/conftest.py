"""What the tests of the commands share."""

from command_fixtures import checkpoint, photographs, photos, restoring, run, server, whole  # noqa: F401
