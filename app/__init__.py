"""Semblance: find what is alike in your own photos, videos and sounds, and measure which model is best at it."""

__version__ = "0.1.0"
