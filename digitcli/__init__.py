"""Read pictures of digits with LeNet-5."""

__version__ = "0.1.0"
