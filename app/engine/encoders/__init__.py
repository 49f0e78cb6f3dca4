"""The models: each turns words, pictures or sounds into unit vectors.

The libraries underneath can fetch from a model hub. Everything here is read from disk, so they are told to stay
offline before the first of them is imported.
"""

import logging
import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

# The frozen program leaves triton out, and Windows has none: no network is compiled, and torch need not say so.
logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)
