"""The whole engine without a window."""
