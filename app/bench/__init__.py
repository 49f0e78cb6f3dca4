"""The program's own measurements: ratios of two things taken in one run, on this machine. See `semblance bench`."""
