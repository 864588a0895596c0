"""Pretrain the audio encoder (to hear the mouth) and the text encoder (to read the mood).

    python train_encoders.py --speech corpus.npz --tokenizer DIR --output DIR --seconds 60 20
"""
import argparse
import random
from pathlib import Path

import torch
from torch import nn

import audio_encoder
import mouth
import prompts
import scene
import text_encoder
import tokenizer
import training

NAMES = ("open", "wide", "teeth")
CLASSES = (("style", 7), ("hair", 8), ("skin", 5), ("clothes", 12), ("background", 12), ("glasses", 3))


def audio_rows(model, wave):
    """Rows per video frame of whole files, [N, frames, L, C], without the empty rows after the sound."""
    states = model(wave)
    index, length, _ = audio_encoder.rows_of_frames(states.shape[2], 12)
    flat = states.flatten(0, 1).transpose(1, 2)
    at30 = torch.nn.functional.interpolate(flat.float(), size=length, mode="linear", align_corners=True)
    index = index[index < length].to(wave.device)
    return at30[:, :, index].unflatten(0, states.shape[:2]).permute(1, 3, 0, 2)


def train_audio(options, device):
    """Linear probes on every hidden state regress the mouth one frame before, at, and one frame after each frame."""
    voices, (dice, generator) = scene.Voices(options.speech, device), scene.seeds(options.seed, device)
    model = audio_encoder.AudioEncoder().to(device)
    if options.resume_audio:
        model.load_state_dict(torch.load(options.resume_audio, map_location=device)["model"])
    sizes = model.sizes
    probe = nn.Parameter(torch.zeros(sizes["layers"] + 1, sizes["hidden"], 9, device=device))
    bias = nn.Parameter(torch.zeros(sizes["layers"] + 1, 9, device=device))
    optimizer = torch.optim.AdamW([*model.parameters(), probe, bias], lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)
    average, log = training.Average(model, 0.998), training.Log(options.output / "audio.jsonl")
    budget = training.Budget(options.seconds[0], options.steps)
    for step in budget:
        training.set_rate(optimizer, 2e-3, step, budget.progress)
        seconds = dice.choice((2.5, 4, 6, 10, 16, 30))
        wave = voices.draw(max(1, int(options.batch * 4 / seconds)), seconds, generator)
        with torch.autocast(device.type, torch.bfloat16):
            rows = audio_rows(model, wave)
        frames = rows.shape[1]
        target = torch.stack([mouth.mouth_of(wave, frames)[n] for n in NAMES], -1)
        near = torch.stack([target[:, :-2], target[:, 1:-1], target[:, 2:]], -1).flatten(2)
        guess = torch.einsum("nflc,lco->nflo", rows[:, 1:-1], probe) + bias
        error = (guess - near[:, :, None]).square()
        error.mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update()
        if step % 100 == 0:
            log.write(step=step, loss=error.mean().item(), open_last=error[..., -1, 1].mean().item(), open_first=error[..., 0, 1].mean().item(),
                      wide_last=error[..., -1, 4].mean().item())
    return average.copy


def train_text(options, device):
    """Mean-pooled context predicts the mood and the looks that a prompt speaks of."""
    words, dice = tokenizer.Tokenizer(options.tokenizer), random.Random(options.seed)
    kinds = [{k: dice.randrange(n) for k, n in tokenizer.DEFAULT_KINDS.items()} for _ in range(options.prompts)]
    drawn, mood = scene.moods(len(kinds), dice)
    ids = scene.pad_ids([words.encode(prompts.write(k, m, dice)) for k, m in zip(kinds, drawn)]).to(device)
    mood = torch.stack(list(mood.values()), 1).to(device)
    looks = {name: torch.tensor([k[name] for k in kinds], device=device) for name, _ in CLASSES}
    model = text_encoder.TextEncoder(vocab=words.size).to(device)
    heads = nn.Linear(128, mood.shape[1] + sum(n for _, n in CLASSES)).to(device)
    optimizer = torch.optim.AdamW([*model.parameters(), *heads.parameters()], lr=1e-3, weight_decay=0.01)
    log, budget = training.Log(options.output / "text.jsonl"), training.Budget(options.seconds[1], options.steps)
    for step in budget:
        training.set_rate(optimizer, 2e-3, step, budget.progress)
        rows = torch.randint(len(ids), (512,), device=device)
        mask = ids[rows] != 0
        pooled = model(ids[rows], mask).sum(1) / mask.sum(1, keepdim=True)
        guess = heads(pooled)
        mood_error = (guess[:, :mood.shape[1]] - mood[rows]).square().mean()
        looks_error = sum(nn.functional.cross_entropy(part, looks[name][rows]) for (name, _), part in
                          zip(CLASSES, guess[:, mood.shape[1]:].split([n for _, n in CLASSES], 1)))
        (mood_error + 0.05 * looks_error).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 100 == 0:
            log.write(step=step, mood=mood_error.item(), looks=looks_error.item())
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--speech", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seconds", type=float, nargs=2, default=(60, 20))
    parser.add_argument("--steps", type=int, default=10 ** 9)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--prompts", type=int, default=40000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume-audio")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    if options.seconds[1]:
        training.save(options.output / "text.pt", model=train_text(options, device).state_dict())
    training.save(options.output / "audio.pt", model=train_audio(options, device).state_dict())


if __name__ == "__main__":
    main()
