"""The `csrgan` command. Until its own imports are done, nothing else tells of Ctrl-C."""

import sys


def main() -> int:
    """Run the command, and return its exit status."""
    try:
        from csrgan.cli import main as run
    except KeyboardInterrupt:
        print("csrgan: stopped.", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    raise SystemExit(main())
