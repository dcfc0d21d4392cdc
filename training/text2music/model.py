"""Trains the model, a GPT-2 in small, to write the corpus's texts, and keeps what does best on the pieces kept back."""

from __future__ import annotations

import contextlib
import ctypes
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import corpus
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from shared.music.language import BEGIN, CONTROLS, END, PAD, UNKNOWN, Vocabulary, words
from training.stages import SAVED_EVERY

LONGEST = 1024  # words
BATCH = 4096  # words, those that fill up short texts included
RATE, WARM, DECAY = 6e-4, 200, 0.1
UNTOLD = {"kind": 0.1, "mode": 0.1, "metre": 0.1, "density": 0.5, "leaps": 0.5}  # share of texts that say "any" instead
SHORTENED = 0.3  # share of texts of which only some parts are read
JUDGED_EVERY = 250  # steps


def keep_memory() -> None:
    """Let glibc keep what is freed: giving arrays back to the system and taking them anew took a third of a step."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        for setting, value in ((-3, 32 << 20), (-1, 512 << 20)):  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, in bytes
            libc.mallopt(setting, value)


def build() -> GPT2LMHeadModel:
    """The untrained model."""
    vocabulary = Vocabulary.of(words())
    config = GPT2Config(
        vocab_size=len(vocabulary.words),
        n_positions=LONGEST,
        n_embd=256,
        n_layer=8,
        n_head=4,
        activation_function="gelu_pytorch_tanh",  # gelu_new by another name, in one step
        resid_pdrop=0.15,
        embd_pdrop=0.1,
        attn_pdrop=0.0,
        bos_token_id=vocabulary.ids[BEGIN],
        eos_token_id=vocabulary.ids[END],
        pad_token_id=vocabulary.ids[PAD],
    )
    model = GPT2LMHeadModel(config)
    model.set_attn_implementation("eager")  # torch's flash attention is slow backwards on a processor
    return model


def tokenizer() -> PreTrainedTokenizerFast:
    """The vocabulary as a tokenizer that transformers loads: words between spaces."""
    inner = Tokenizer(models.WordLevel(dict(Vocabulary.of(words()).ids), unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token=BEGIN, eos_token=END, pad_token=PAD, unk_token=UNKNOWN,
        model_max_length=LONGEST, clean_up_tokenization_spaces=False,
    )  # fmt: skip


def varied(text: list[str], draw: random.Random) -> list[str]:
    """The text as it is read this time: some of its wishes untold, and now and then only some of its parts."""
    head = [
        word if draw.random() >= UNTOLD[name] else f"{name}:any"
        for name, word in zip(CONTROLS, text[1 : 1 + len(CONTROLS)], strict=True)
    ]
    body = text[1 + len(CONTROLS) : -1]
    if draw.random() < SHORTENED:
        body = _some_parts(body, draw)
    return [BEGIN, *head, *body, END]


def _some_parts(body: list[str], draw: random.Random) -> list[str]:
    starts = [i for i, word in enumerate(body) if word.startswith("part:")]
    parts = [body[start:end] for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]
    first = draw.randrange(len(parts))
    chosen = parts[first : draw.randrange(first, len(parts)) + 1]
    opening = chosen[0][: next((i for i, w in enumerate(chosen[0]) if i > 3 and w.startswith("@")), None)]
    if "hold" in opening:  # of a note that is not there
        return body
    for number, part in enumerate(chosen):
        part[0] = f"part:{min(len(chosen) - number - 1, 7)}"
    return [word for part in chosen for word in part]


class Reader:
    """Batches of texts of like length, each text once before any comes again."""

    def __init__(self, texts: list[list[str]], seed: int) -> None:
        self._texts, self._draw = texts, random.Random(seed)
        self._ids = Vocabulary.of(words()).ids

    def batches(self) -> Iterator[Any]:
        """Once through all: (texts, words) with -1 beyond a text's end."""
        read = sorted((varied(text, self._draw)[:LONGEST] for text in self._texts), key=self._near_length)
        batches, batch = [], []
        for text in read:
            if batch and max(len(text), len(batch[0])) * (len(batch) + 1) > BATCH:
                batches.append(batch)
                batch = []
            batch.append(text)
        batches.append(batch)
        self._draw.shuffle(batches)
        for batch in batches:
            yield padded([[self._ids[word] for word in text] for text in batch])

    def _near_length(self, text: list[str]) -> float:
        return len(text) * self._draw.uniform(0.95, 1.05)


def padded(rows: list[list[int]]) -> Any:
    """Texts of numbers as one array, -1 beyond a text's end."""
    whole = torch.full((len(rows), max(map(len, rows))), -1)
    for number, row in enumerate(rows):
        whole[number, : len(row)] = torch.tensor(row)
    return whole


def loss_of(model: Any, batch: Any) -> Any:
    """Mean surprise a word, in nats. What is wished for is given, not guessed."""
    wanted = batch[:, 1:].clone()
    wanted[:, : len(CONTROLS)] = -1
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=batch[:, :-1].clamp_min(0), attention_mask=(batch[:, :-1] >= 0).long()).logits
    return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=-1)


class Trainer:
    """The model, its optimizer, its running average, and how far it is."""

    def __init__(self, folder: Path) -> None:
        torch.manual_seed(0)
        self.folder, self.model = folder, build()
        entries = corpus.load(folder)
        self.texts = [entry.words for entry in entries if entry.learned]
        ids = Vocabulary.of(words()).ids
        self.kept = [[ids[w] for w in entry.words][:LONGEST] for entry in entries if not entry.learned]
        self.parameters = list(self.model.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        matrices = [p for p in self.parameters if p.dim() > 1]
        others = [p for p in self.parameters if p.dim() < 2]
        groups = [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, RATE, betas=(0.9, 0.98), fused=True)
        self.steps, self.words, self.rounds, self.minutes, self.best = 0, 0, 0, 0.0, math.inf
        self._restore()

    def step(self, batch: Any, share: float) -> float:
        """One batch; `share`: of the training that is over, 0 to 1. Returns the loss."""
        rate = RATE * min(1.0, (self.steps + 1) / WARM) * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = loss_of(self.model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.steps += 1
        self.words += int((batch >= 0).sum())
        decay = min(0.998, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)
        return float(loss.detach())

    def judge(self) -> float:
        """The average's surprise on the pieces kept back; where it is the least so far, the average is written."""
        kept = [p.detach().clone() for p in self.parameters]
        self._load(self.average)
        self.model.eval()
        with torch.inference_mode():
            losses = [float(loss_of(self.model, padded(self.kept[i : i + 8]))) for i in range(0, len(self.kept), 8)]
        loss = sum(losses) / len(losses)
        if loss < self.best:
            self.best = loss
            self.model.save_pretrained(self.folder / "model", safe_serialization=True)
            tokenizer().save_pretrained(self.folder / "model")
        self.model.train()
        self._load(kept)
        return loss

    def save(self) -> None:
        """Write the state to go on from."""
        state = {
            **{name: getattr(self, name) for name in ("steps", "words", "rounds", "minutes", "best", "average")},
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        file = self.folder / "state.pt"
        torch.save(state, file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)

    def _load(self, values: list[Any]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.copy_(value)

    def _restore(self) -> None:
        file = self.folder / "state.pt"
        if not file.is_file():
            return
        state = torch.load(file, weights_only=True)
        self.model.load_state_dict(state.pop("model"))
        self.optimizer.load_state_dict(state.pop("optimizer"))
        for name, value in state.items():
            setattr(self, name, value)


def train(folder: Path, minutes: float) -> None:
    """Train for so many minutes in all, those before a stop counted in; the rate sinks to the end."""
    keep_memory()
    transformers.logging.disable_progress_bar()
    trainer = Trainer(folder)
    print(f"{sum(p.numel() for p in trainer.parameters) / 1e6:.1f} million parameters", flush=True)
    begun = saved = told = time.monotonic()
    before, words_before, losses = trainer.minutes, trainer.words, []
    while trainer.minutes < minutes:
        for batch in Reader(trainer.texts, seed=trainer.rounds).batches():
            losses.append(trainer.step(batch, trainer.minutes / minutes))
            now = time.monotonic()
            trainer.minutes = before + (now - begun) / 60
            if trainer.steps % JUDGED_EVERY == 0:
                print(f"step {trainer.steps} kept back {trainer.judge():.4f} best {trainer.best:.4f}", flush=True)
            if now - told > 20:
                pace, mean = (trainer.words - words_before) / (now - begun), sum(losses) / len(losses)
                print(f"step {trainer.steps} round {trainer.rounds} loss {mean:.4f} {pace:.0f} words/s", flush=True)
                told, losses = now, []
            if now - saved > SAVED_EVERY:
                trainer.save()
                saved = now
            if trainer.minutes >= minutes:
                break
        trainer.rounds += 1
    print(f"step {trainer.steps} kept back {trainer.judge():.4f} best {trainer.best:.4f}", flush=True)
    trainer.save()
