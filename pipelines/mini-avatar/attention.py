"""Norms and attention shared by the parts of the denoiser."""
import torch
import torch.nn.functional as F
from torch import nn


def layer_norm(x, eps, weight=None, bias=None):
    """Layer norm over the last axis in float32."""
    return F.layer_norm(x.float(), x.shape[-1:], weight, bias, eps)


class RMSNorm(nn.Module):
    """RMS norm over the full width."""

    def __init__(self, dim, eps):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        wide = x.float()
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps) * self.weight).to(x.dtype)


def attend(q, k, v, bias=None):
    """q, k, v [..., tokens, heads, head_dim] to [..., tokens, dim]."""
    lead = q.shape[:-3]
    q, k, v = (t.flatten(0, -4).transpose(1, 2) for t in (q, k.to(q.dtype), v.to(q.dtype)))
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=None if bias is None else bias.to(q.dtype))
    return y.transpose(1, 2).flatten(2).unflatten(0, lead)


class Projections(nn.Module):
    """q, k, v, o with RMS-normed q and k; used for self, text and audio attention."""

    def __init__(self, dim, heads, eps):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k = RMSNorm(dim, eps), RMSNorm(dim, eps)

    def queries(self, x):
        return self.norm_q(self.q(x)).unflatten(-1, (self.heads, -1))

    def keys_values(self, x):
        return self.norm_k(self.k(x)).unflatten(-1, (self.heads, -1)), self.v(x).unflatten(-1, (self.heads, -1))
