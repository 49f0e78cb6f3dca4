"""What findings are called. Nothing here imports a library, so that the doctor can speak of those that cannot be
loaded."""

from __future__ import annotations

PROCESSOR, GRAPHICS, MODELS_TITLE = "Processor", "Graphics card", "Installed models"

NAMES = {
    "colour-texture": "colour and texture",
    "timbre": "timbre",
    "open_clip": "CLIP and SigLIP",
    "timm": "DINOv2 and timm's",
    "resnet50": "ResNet-50",
    "panns": "PANNs",
    "clap": "CLAP",
}
"""The families of encoders in the order in which they are looked at, as people know them."""


def titles() -> tuple[tuple[str, str], ...]:
    """The families, and what their findings are called."""
    return tuple((name, f"Models: {shown}") for name, shown in NAMES.items())
