"""The version of csrgan, also of a checkout that is not installed."""

__version__ = "0.1.0"
