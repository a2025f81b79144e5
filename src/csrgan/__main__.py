"""Run the `csrgan` command as `python -m csrgan`."""

from csrgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
