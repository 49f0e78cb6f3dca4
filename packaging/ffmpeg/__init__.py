"""PyAV on an FFmpeg without GPL parts, for the binary releases."""
