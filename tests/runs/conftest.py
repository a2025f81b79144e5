"""What the tests of run folders share."""

from command_fixtures import run  # noqa: F401
