"""Initial weights in which copying is already wired, so that a small reader need not find it by chance.

To answer a question a reader copies its names and numbers. Transformers do that with an induction circuit of two layers: heads of the first
write into each position which token came before it, and heads of the second look for the position whose predecessor is the present token and
bring the token there (Olsson et al., arXiv 2209.11895). From random weights a decoder of this size did not find it in 60,000 pairs. Weights
that begin as structured matrices and are then trained as usual are known as mimetic initialisation (Trockman and Kolter, arXiv 2305.09828);
the matrices here are ours. Measured on copying random tokens of a vocabulary of 5,000 after 100 steps of 16 rows: 78 % right, and 0 % after
500 steps from random weights.
"""

from __future__ import annotations

import math

EMBEDDING = 0.05
"""Standard deviation of the embeddings; also how much a head writes, since both meet in the residual stream."""
PREVIOUS_GAP = 7.0
"""By how much, before the softmax, the position just before is preferred to its neighbours."""
MATCH = 12.0
"""The attention of a token to a position that follows the same token, before the softmax."""
FAST_ROTATIONS = 6
"""The fastest of RoPE's rotations tell neighbours apart."""


def wire_copying(model) -> None:
    """Sets layer 0's heads to find the token before, and layer 1's to find and bring what followed the present token earlier.

    ``model`` is a Llama with biases in its attention and as many key heads as heads; the last head of both layers stays random.
    """
    import torch

    width, heads = model.config.hidden_size, model.config.num_attention_heads
    size = width // heads
    now, before, brought = (torch.linalg.qr(torch.randn(width, width))[0] for _ in range(3))
    first, second = model.model.layers[0].self_attn, model.model.layers[1].self_attn
    query_bias, key_bias = _look_one_back(size, model.config.rope_parameters["rope_theta"])
    strength = math.sqrt(MATCH * 2 / math.sqrt(size))
    with torch.no_grad():
        model.model.embed_tokens.weight.normal_(0, EMBEDDING)
        for head in range(heads - 1):
            rows = slice(head * size, (head + 1) * size)
            first.q_proj.weight[rows] *= 0.1
            first.k_proj.weight[rows] *= 0.1
            first.q_proj.bias[rows], first.k_proj.bias[rows] = query_bias, key_bias
            first.v_proj.weight[rows], first.o_proj.weight[:, rows] = now[rows], EMBEDDING * before[rows].T
            second.q_proj.weight[rows], second.k_proj.weight[rows] = strength * now[rows], strength * before[rows]
            second.v_proj.weight[rows], second.o_proj.weight[:, rows] = brought[rows], 2 * EMBEDDING * brought[rows].T


def _look_one_back(size: int, theta: float):
    """Biases of query and key whose product, after RoPE, is greatest for the position just before."""
    import torch

    speeds = theta ** -(torch.arange(0, size, 2) / size)
    used = (torch.arange(size // 2) < FAST_ROTATIONS).float()
    gap = (used * (1 - torch.cos(speeds))).sum()
    amplitude = torch.sqrt(PREVIOUS_GAP * math.sqrt(size) / gap) * used
    return torch.cat([amplitude, torch.zeros_like(amplitude)]), torch.cat([amplitude * torch.cos(speeds), amplitude * torch.sin(speeds)])
