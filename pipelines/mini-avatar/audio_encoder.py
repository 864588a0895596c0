"""The wav2vec 2.0 encoder (stable layer norm) and the bucketing of its states to video frames."""
import math

import torch
import torch.nn.functional as F
from torch import nn

KERNELS = (10, 3, 3, 3, 3, 2, 2)
STRIDES = (5, 2, 2, 2, 2, 2, 2)
FRAME_RATE = 25


def normalise(wave):
    """Zero mean and unit population variance over the whole file, [..., samples]."""
    mean = wave.mean(-1, keepdim=True)
    variance = (wave - mean).square().mean(-1, keepdim=True)
    return (wave - mean) / torch.sqrt(variance + 1e-7)


class ConvLayer(nn.Module):
    """Convolution, layer norm over channels, GELU."""

    def __init__(self, inputs, outputs, kernel, stride):
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride)
        self.layer_norm = nn.LayerNorm(outputs)

    def forward(self, x):
        y = self.layer_norm(self.conv(x).transpose(1, 2))
        return F.gelu(y).transpose(1, 2)


class FeatureExtractor(nn.Module):
    """Waveform [B, samples] to features [B, T, width] at 50 Hz."""

    def __init__(self, width):
        super().__init__()
        inputs = (1,) + (width,) * 6
        self.conv_layers = nn.ModuleList(ConvLayer(i, width, k, s) for i, k, s in zip(inputs, KERNELS, STRIDES))

    def forward(self, wave):
        x = wave[:, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x.transpose(1, 2)


class FeatureProjection(nn.Module):
    """Layer norm, then a linear map to the hidden size."""

    def __init__(self, width, hidden):
        super().__init__()
        self.layer_norm = nn.LayerNorm(width)
        self.projection = nn.Linear(width, hidden)

    def forward(self, x):
        return self.projection(self.layer_norm(x))


class WeightNormConv(nn.Module):
    """Grouped convolution with W = g * v / |v|, the norm taken per kernel tap."""

    def __init__(self, hidden, kernel, groups):
        super().__init__()
        self.groups = groups
        self.weight_v = nn.Parameter(torch.randn(hidden, hidden // groups, kernel) * (4 / (kernel * hidden)) ** 0.5)
        self.weight_g = nn.Parameter(self.weight_v.detach().norm(dim=(0, 1), keepdim=True))
        self.bias = nn.Parameter(torch.zeros(hidden))

    def forward(self, x):
        weight = self.weight_g * self.weight_v / self.weight_v.norm(dim=(0, 1), keepdim=True)
        kernel = weight.shape[-1]
        y = F.conv1d(x, weight, self.bias, padding=kernel // 2, groups=self.groups)
        return y[..., :-1] if kernel % 2 == 0 else y


class PositionalConv(nn.Module):
    """The convolutional position embedding, [B, T, C]."""

    def __init__(self, hidden, kernel, groups):
        super().__init__()
        self.conv = WeightNormConv(hidden, kernel, groups)

    def forward(self, x):
        return F.gelu(self.conv(x.transpose(1, 2))).transpose(1, 2)


class SelfAttention(nn.Module):
    """Multi-head attention over the whole file."""

    def __init__(self, hidden, heads):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(hidden, hidden)
        self.k_proj = nn.Linear(hidden, hidden)
        self.v_proj = nn.Linear(hidden, hidden)
        self.out_proj = nn.Linear(hidden, hidden)

    def forward(self, x):
        split = lambda y: y.view(*x.shape[:2], self.heads, -1).transpose(1, 2)
        y = F.scaled_dot_product_attention(split(self.q_proj(x)), split(self.k_proj(x)), split(self.v_proj(x)))
        return self.out_proj(y.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, hidden, inner):
        super().__init__()
        self.intermediate_dense = nn.Linear(hidden, inner)
        self.output_dense = nn.Linear(inner, hidden)

    def forward(self, x):
        return self.output_dense(F.gelu(self.intermediate_dense(x)))


class EncoderLayer(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self, hidden, heads, inner):
        super().__init__()
        self.attention = SelfAttention(hidden, heads)
        self.layer_norm = nn.LayerNorm(hidden)
        self.feed_forward = FeedForward(hidden, inner)
        self.final_layer_norm = nn.LayerNorm(hidden)

    def forward(self, h):
        h = h + self.attention(self.layer_norm(h))
        return h + self.feed_forward(self.final_layer_norm(h))


class Encoder(nn.Module):
    """Features to N+1 hidden states [N+1, B, T, C]."""

    def __init__(self, hidden, heads, inner, layers, kernel, groups):
        super().__init__()
        self.pos_conv_embed = PositionalConv(hidden, kernel, groups)
        self.layers = nn.ModuleList(EncoderLayer(hidden, heads, inner) for _ in range(layers))
        self.layer_norm = nn.LayerNorm(hidden)

    def forward(self, x):
        h = x + self.pos_conv_embed(x)
        states = []
        for layer in self.layers:
            states.append(h)
            h = layer(h)
        return torch.stack(states + [self.layer_norm(h)])


class AudioEncoder(nn.Module):
    """Normalised wave [B, samples] to hidden states [layers + 1, B, T, C]."""

    def __init__(self, width=48, hidden=128, heads=4, inner=384, layers=3, kernel=32, groups=8):
        super().__init__()
        self.sizes = dict(width=width, hidden=hidden, heads=heads, inner=inner, layers=layers, kernel=kernel, groups=groups)
        self.feature_extractor = FeatureExtractor(width)
        self.feature_projection = FeatureProjection(width, hidden)
        self.encoder = Encoder(hidden, heads, inner, layers, kernel, groups)

    def forward(self, wave):
        return self.encoder(self.feature_projection(self.feature_extractor(wave)))


def rows_of_frames(states_length, clip_frames, rate=FRAME_RATE):
    """30 Hz index per video frame, their validity, and the number of clips, for T states of 50 Hz."""
    length = int(states_length / 50 * 30)
    clips = int(length / (clip_frames * (30 / rate))) + 1
    frames = clips * clip_frames
    padding = math.ceil(frames / rate * 30) - length
    step = (frames / rate) / frames
    index = [min(max(round(k * step * 30), 0), length + padding - 1) for k in range(frames)]
    return torch.tensor(index), length, clips


def bucket(states, clip_frames=48, rate=FRAME_RATE):
    """Hidden states [L, T, C] to one row per video frame [frames, L, C]; rows past the sound are zero."""
    index, length, _ = rows_of_frames(states.shape[1], clip_frames, rate)
    at30 = F.interpolate(states.transpose(1, 2), size=length, mode="linear", align_corners=True)
    inside = (index < length).to(states.device)
    rows = at30[:, :, index.clamp(max=length - 1).to(states.device)] * inside
    return rows.permute(2, 0, 1)


def from_state(state, config):
    """An encoder whose sizes come from config.json."""
    model = AudioEncoder(config["conv_dim"][0], config["hidden_size"], config["num_attention_heads"], config["intermediate_size"],
                         config["num_hidden_layers"], config["num_conv_pos_embeddings"], config["num_conv_pos_embedding_groups"])
    own = {k.removeprefix("wav2vec2."): v.float() for k, v in state.items() if k.startswith("wav2vec2.") and "masked_spec" not in k}
    model.load_state_dict(own)
    return model
