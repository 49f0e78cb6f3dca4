"""What an offered checkpoint is: its family, its architecture, and all that an entry says of it."""

from __future__ import annotations

from dataclasses import replace

from app.engine.encoders import openclip_offer, panns, timm_offer
from app.engine.encoders.added import ADDABLE
from app.engine.encoders.counting import gflops_of, memory_for, parameters_in
from app.engine.encoders.offer import Offer, Recognised, blank, listed, refusal
from app.engine.encoders.panns_network import ARCHITECTURES, build
from app.engine.encoders.weights import Uninitialised, first_mismatch
from app.engine.samples import SoundInput
from app.engine.types import Modality

_SOUND_BATCH_SIZE = 8
_SOUND_S = 10
"""Of a sound whose cost is counted."""


def recognise(offer: Offer, family: str = "") -> Recognised:
    """What ``offer`` is. Nothing is computed, no memory is taken and nothing is fetched.

    Args:
        offer: what was found on the disk.
        family: one of `ADDABLE`, or "" to find out.

    Raises:
        WeightsCorrupt, AppError: it is none of them, or not what it is said to be. The message names what does not fit.
    """
    if family and family not in ADDABLE:
        raise refusal(offer, f"There is no family “{family[:80]}”. Choose one of: {listed(ADDABLE)}.")
    match family or _family(offer):
        case "open_clip":
            return openclip_offer.recognise(offer)
        case "timm":
            return timm_offer.recognise(offer)
        case "panns":
            return _panns(offer)
    raise refusal(
        offer,
        "Its tensors are those of no model that can be added: an architecture of open_clip, a network of timm "
        "(--family timm --architecture NAME), or one of PANNs.",
    )


def _family(offer: Offer) -> str:
    if openclip_offer.is_openclip(offer):
        return "open_clip"
    if panns.recognise(offer.tensors):
        return "panns"
    named = offer.architecture or ("timm" if timm_offer.is_timm(offer) else "")
    return "timm" if named else ""


def _panns(offer: Offer) -> Recognised:
    architecture = offer.architecture or panns.recognise(offer.tensors)
    if architecture not in ARCHITECTURES:
        raise refusal(offer, f"It is none of the networks of PANNs. Known are {listed(tuple(ARCHITECTURES))}.")
    network = ARCHITECTURES[architecture]
    with Uninitialised():  # on the CPU, where its filters are computed: the largest takes no more than 0.3 GB
        sketch = build(network).to("meta")
    if mismatch := first_mismatch(sketch.state_dict(), panns.embedding_tensors(offer.tensors)):
        raise refusal(offer, f"It is not {architecture} of PANNs: {mismatch}.")
    parameters = parameters_in(sketch)
    entry = replace(
        blank("panns", architecture, frozenset({Modality.AUDIO}), _SOUND_BATCH_SIZE),
        dim=network.dim,
        sound=SoundInput(network.sample_rate_hz),
        parameters=parameters,
        memory_bytes=memory_for(parameters),
        gflops=gflops_of(sketch, 1, network.sample_rate_hz * _SOUND_S),
    )
    return Recognised(entry)
