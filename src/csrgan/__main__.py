"""`python -m csrgan` is `csrgan`."""

from csrgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
