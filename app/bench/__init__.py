"""The program's own measurements: ratios of two things taken in one run, on this machine. See `semblance bench`."""

import app.engine.encoders  # noqa: F401 - which tells the packages of models to stay offline, before any is imported
