"""The models: each turns words, pictures or sounds into unit vectors.

The libraries underneath can fetch from a model hub. Everything here is read from disk, so they are told to stay
offline before the first of them is imported.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
