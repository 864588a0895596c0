"""The umT5 encoder: token ids to text context. Names are the published checkpoint's."""
import functools
import math

import torch
import torch.nn.functional as F
from torch import nn

BUCKETS = 32
MAX_DISTANCE = 128


@functools.lru_cache
def relative_buckets(length, device):
    """Bucket of (key - query) for every pair, [query, key], bidirectional."""
    position = torch.arange(length)
    relative = position[None, :] - position[:, None]
    half = BUCKETS // 2
    distance = relative.abs()
    exact = half // 2
    ratio = torch.log(distance.clamp(min=1).float() / exact) / math.log(MAX_DISTANCE / exact)
    far = (exact + (ratio * (half - exact)).trunc().long()).clamp(max=half - 1)
    return (torch.where(relative > 0, half, 0) + torch.where(distance < exact, distance, far)).to(device)


class RMSNorm(nn.Module):
    """x * rsqrt(mean(x^2) + eps) * weight over the last axis."""

    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        wide = x.float()
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)).to(x.dtype) * self.weight


class Attention(nn.Module):
    """Self-attention without scaling, with an additive position bias."""

    def __init__(self, dim, inner, heads):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(dim, inner, bias=False)
        self.k = nn.Linear(dim, inner, bias=False)
        self.v = nn.Linear(dim, inner, bias=False)
        self.o = nn.Linear(inner, dim, bias=False)

    def forward(self, x, bias):
        batch, length, _ = x.shape
        q, k, v = (p(x).view(batch, length, self.heads, -1).transpose(1, 2) for p in (self.q, self.k, self.v))
        logits = (q @ k.transpose(-1, -2)).float() + bias
        mixed = logits.softmax(-1).to(v.dtype) @ v
        return self.o(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """fc2(fc1(x) * gelu_tanh(gate(x)))."""

    def __init__(self, dim, hidden):
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(dim, hidden, bias=False))
        self.fc1 = nn.Linear(dim, hidden, bias=False)
        self.fc2 = nn.Linear(hidden, dim, bias=False)

    def forward(self, x):
        return self.fc2(self.fc1(x) * F.gelu(self.gate(x), approximate="tanh"))


class PositionBias(nn.Module):
    """One learned value per bucket and head."""

    def __init__(self, heads):
        super().__init__()
        self.embedding = nn.Embedding(BUCKETS, heads)

    def forward(self, buckets):
        return self.embedding(buckets).permute(2, 0, 1)


class Block(nn.Module):
    """Pre-norm attention and gated feed-forward."""

    def __init__(self, dim, inner, hidden, heads):
        super().__init__()
        self.norm1 = RMSNorm(dim)
        self.attn = Attention(dim, inner, heads)
        self.norm2 = RMSNorm(dim)
        self.ffn = FeedForward(dim, hidden)
        self.pos_embedding = PositionBias(heads)

    def forward(self, x, buckets, key_bias):
        x = x + self.attn(self.norm1(x), self.pos_embedding(buckets) + key_bias)
        return x + self.ffn(self.norm2(x))


class TextEncoder(nn.Module):
    """ids [B, n] and mask [B, n] to context [B, n, dim]; masked rows are zero."""

    def __init__(self, vocab=2048, dim=128, inner=128, hidden=256, heads=4, layers=3):
        super().__init__()
        self.token_embedding = nn.Embedding(vocab, dim)
        self.blocks = nn.ModuleList(Block(dim, inner, hidden, heads) for _ in range(layers))
        self.norm = RMSNorm(dim)
        nn.init.normal_(self.token_embedding.weight, std=1.0)
        for block in self.blocks:
            nn.init.normal_(block.attn.q.weight, std=(dim * inner / heads) ** -0.5)
            nn.init.normal_(block.pos_embedding.embedding.weight, std=0.3)

    def forward(self, ids, mask):
        buckets = relative_buckets(ids.shape[1], ids.device)
        lowest = torch.finfo(torch.float32).min
        key_bias = torch.zeros(mask.shape, device=ids.device).masked_fill(~mask.bool(), lowest)[:, None, None, :]
        x = self.token_embedding(ids)
        for block in self.blocks:
            x = block(x, buckets, key_bias)
        return self.norm(x) * mask[..., None].to(x.dtype)


def from_state(state):
    """An encoder whose sizes are read from a checkpoint's tensors."""
    vocab, dim = state["token_embedding.weight"].shape
    layers = 1 + max(int(k.split(".")[1]) for k in state if k.startswith("blocks."))
    model = TextEncoder(vocab, dim, state["blocks.0.attn.q.weight"].shape[0], state["blocks.0.ffn.fc1.weight"].shape[0],
                        state["blocks.0.pos_embedding.embedding.weight"].shape[1], layers)
    model.load_state_dict({k: v.float() for k, v in state.items()})
    return model
