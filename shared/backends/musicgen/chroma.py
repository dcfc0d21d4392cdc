"""Which of the twelve notes of an octave is loudest at each moment: what MusicGen melody follows.

The network was trained on this: a spectrum of long windows, summed by note, of which the loudest alone is kept
(Copet et al. 2023, https://arxiv.org/abs/2306.05284, 2.3). transformers' own reader needs torchaudio for the spectrum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

WINDOW, HOP = 16_384, 4096  # samples; transformers' defaults, which the published models keep


def chroma(samples: Samples, rate: int, notes: int = 12) -> Any:
    """float32 tensor (1, moments, notes) with a 1 for the loudest note of each."""
    import numpy
    import torch
    from transformers.audio_utils import chroma_filter_bank

    wave = torch.from_numpy(numpy.array(samples, numpy.float32))
    if len(wave) < WINDOW:
        missing = WINDOW - len(wave)
        wave = torch.nn.functional.pad(wave, (missing // 2, missing - missing // 2))
    spectrum = torch.stft(wave, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True).abs().square()
    filters: Any = chroma_filter_bank(sampling_rate=rate, num_frequency_bins=WINDOW, tuning=0, num_chroma=notes)
    loudest = (torch.from_numpy(filters).float() @ spectrum).argmax(0)
    return torch.nn.functional.one_hot(loudest, notes).float()[None]
