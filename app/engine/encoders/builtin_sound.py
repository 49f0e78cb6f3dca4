"""Timbre: a fixed description of a sound in 163 numbers, built in and untrained.

A short-time spectrum in 64 mel bands (Slaney's scale, 50 to 14000 Hz) is described by six blocks, each of which
carries a fixed share of the similarity:

- *level*: the mean of each mel band, in dB below the loudest;
- *spread* and *change*: how widely and how quickly the mel-frequency cepstrum moves (Davis & Mermelstein 1980);
- *contrast*: peaks over valleys within octaves, which tells tones from noise (Jiang et al. 2002);
- *envelope*: how long the sound rings, how widely its energy is spread in time, when it peaks;
- *modulation*: how strongly eight ranges of bands waver at 0.3 to 50 Hz (tremolo, rhythm, roughness).

Loudness is taken out. Positive, skewed quantities enter as logarithms. Each block is centred and scaled by the round
constants beside it, the usual middle and spread of mixed music and everyday sounds: without that the cosine of any
two sounds is near 1. The constants are part of the descriptor and are never fitted to a library.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log2

import numpy as np
import torch
import torchaudio

from app.engine.encoders.base import EncoderSpec, accepted_modality, unit_rows
from app.engine.samples import Sample, Sound, Vectors

SAMPLE_RATE_HZ = 32000
FFT_SAMPLES = 1024
HOP_SAMPLES = 320
MELS = 64
MEL_RANGE_HZ = (50.0, 14000.0)
CEPSTRUM = 20

FLOOR_DB = -80.0
"""Below the loudest moment; anything fainter is taken as silence."""
ACTIVE_DB = -40.0
"""A frame counts as sounding down to this far below the loudest one."""
SILENT_PEAK = 1e-5
"""A sound whose samples stay below this (-100 dB of full scale) is silence and has no timbre."""

OCTAVES_HZ = (60, 125, 250, 500, 1000, 2000, 4000, 8000, 14000)
MODULATIONS_HZ = (0.3, 1, 2, 4, 8, 16, 50)
MODULATION_BANDS = 8
MODULATION_FRAMES = 256
"""The shortest transform that resolves the slowest modulation range at 100 frames per second."""

SHARES = {"level": 1.0, "spread": 0.5, "change": 0.5, "contrast": 1.0, "envelope": 1.0, "modulation": 0.5}


class Timbre:
    """The built-in `Encoder` of sounds. Runs on the CPU, some 20 ms for 10 s of sound."""

    device = "cpu"

    def __init__(self, spec: EncoderSpec, fingerprint: str) -> None:
        self.spec = spec
        self.fingerprint = fingerprint
        self.batch_size = spec.batch_size
        self._spectrogram = torchaudio.transforms.Spectrogram(FFT_SAMPLES, hop_length=HOP_SAMPLES, power=2.0)
        low_hz, high_hz = MEL_RANGE_HZ
        self._mel = torchaudio.transforms.MelScale(
            MELS, SAMPLE_RATE_HZ, low_hz, high_hz, FFT_SAMPLES // 2 + 1, norm="slaney", mel_scale="slaney"
        )
        self._dct = torchaudio.functional.create_dct(CEPSTRUM, MELS, norm="ortho")

    def encode(self, samples: Sequence[Sample]) -> Vectors:
        if not samples:
            return np.empty((0, self.spec.dim), dtype=np.float32)
        accepted_modality(samples, self.spec)
        with torch.inference_mode():
            return unit_rows(torch.stack([self._describe(s) for s in samples if isinstance(s, Sound)]).numpy())

    def _describe(self, sound: Sound) -> torch.Tensor:
        """(dim,) float32; zeros for silence."""
        wave = torch.nan_to_num(torch.from_numpy(np.asarray(sound.samples)), posinf=0.0, neginf=0.0)
        peak = float(wave.abs().max()) if len(wave) else 0.0
        if peak < SILENT_PEAK:
            return torch.zeros(self.spec.dim)
        padded = torch.nn.functional.pad(wave / peak, (0, max(0, FFT_SAMPLES - len(wave))))
        power = self._spectrogram(padded)
        loudness_db = _below_loudest(power.sum(0))
        active = loudness_db > ACTIVE_DB
        mel_db = _below_loudest(self._mel(power))
        cepstrum = mel_db.T @ self._dct
        blocks = {
            "level": _level(mel_db[:, active]),
            "spread": _spread(cepstrum[active]),
            "change": _change(cepstrum, active),
            "contrast": _contrast(10 * torch.log10(power[:, active] + 1e-10)),
            "envelope": _envelope(loudness_db, active),
            "modulation": _modulation(mel_db),
        }
        return torch.cat([block * (SHARES[name] / len(block)) ** 0.5 for name, block in blocks.items()])


def _below_loudest(power: torch.Tensor) -> torch.Tensor:
    level_db = 10 * torch.log10(power + 1e-10)
    return torch.clamp(level_db - level_db.max(), min=FLOOR_DB)


def _level(mel_db: torch.Tensor) -> torch.Tensor:
    """(MELS,). Natural sounds fall off towards the high bands, by some 25 dB over the range."""
    usual_db = torch.linspace(-42, -67, MELS)
    return (mel_db.mean(1) - usual_db) / 16


def _spread(cepstrum: torch.Tensor) -> torch.Tensor:
    """(CEPSTRUM,): in octaves. The deviation of the n-th coefficient falls from 75 dB towards 5 dB."""
    order = torch.arange(1, CEPSTRUM + 1)
    usual_db = 5 + 70 * order**-1.5
    return torch.log2((cepstrum.std(0, correction=0) + 0.5) / usual_db) / 0.6


def _change(cepstrum: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
    """(CEPSTRUM,): the mean step over two frames (20 ms) where it sounds, in octaves."""
    steps = (cepstrum[2:] - cepstrum[:-2]).abs()[active[1:-1]]
    mean_db = steps.mean(0) if len(steps) else torch.zeros(CEPSTRUM)
    order = torch.arange(1, CEPSTRUM + 1)
    usual_db = 2.5 + 8.5 / order
    return torch.log2((mean_db + 0.5) / usual_db) / 0.5


def _contrast(power_db: torch.Tensor) -> torch.Tensor:
    """(octaves,): the strongest tenth of the lines of an octave over the mean of its weaker half, in dB."""
    line_hz = SAMPLE_RATE_HZ / FFT_SAMPLES
    contrasts = []
    for low_hz, high_hz in pairwise(OCTAVES_HZ):
        lines = power_db[int(low_hz / line_hz) : int(high_hz / line_hz)].sort(0).values
        peaks = lines[-max(1, len(lines) // 10) :].mean(0)
        contrasts.append((peaks - lines[: len(lines) // 2].mean(0)).mean())
    return (torch.stack(contrasts) - 22) / 12


def _envelope(loudness_db: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
    """(3,): in octaves of a second, each taken as at least 10 ms."""
    frame_s = HOP_SAMPLES / SAMPLE_RATE_HZ
    energy = 10 ** (loudness_db / 10)
    time_s = torch.arange(len(energy)) * frame_s
    centre_s = (energy * time_s).sum() / energy.sum()
    width_s = ((energy * (time_s - centre_s) ** 2).sum() / energy.sum()).sqrt()
    times_s = torch.stack([width_s, active.sum() * frame_s, energy.argmax() * frame_s])
    return (torch.log2(times_s + frame_s) - torch.tensor([log2(0.25), log2(1.5), log2(0.2)])) / 2


def _modulation(mel_db: torch.Tensor) -> torch.Tensor:
    """(ranges × bands,): decades of power per modulation range, usually half a decade less with each octave."""
    bands_db = mel_db.reshape(MODULATION_BANDS, -1, mel_db.shape[1]).mean(1)
    wavering_db = bands_db - bands_db.mean(1, keepdim=True)
    frames = max(MODULATION_FRAMES, wavering_db.shape[1])
    power = torch.fft.rfft(wavering_db, n=frames, dim=1).abs() ** 2 / wavering_db.shape[1]
    frequency_hz = torch.fft.rfftfreq(frames, HOP_SAMPLES / SAMPLE_RATE_HZ)
    ranges = [
        power[:, (frequency_hz >= low_hz) & (frequency_hz < high_hz)].mean(1)
        for low_hz, high_hz in pairwise(MODULATIONS_HZ)
    ]
    usual = torch.linspace(3.3, 0.6, len(ranges)).unsqueeze(1)
    return ((torch.log10(torch.stack(ranges) + 1) - usual) / 0.6).flatten()
