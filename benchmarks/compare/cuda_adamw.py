# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's fused AdamW with grad_scale and found_inf, and the cast to 16 bits behind it, on a GPU: what one fused update
of zero does in one pass. Prints one JSON object.

    python3 benchmarks/compare/cuda_adamw.py [--elements N] [--rounds N]
"""

import argparse
import json

import torch


def seconds_of(work):
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    work()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1e3


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=int, default=2**28)
    parser.add_argument("--rounds", type=int, default=25)
    args = parser.parse_args()
    n = args.elements
    master = torch.randn(n, device="cuda")
    gradient = torch.full((n,), 0.011, device="cuda")
    moments = torch.zeros(n, device="cuda"), torch.zeros(n, device="cuda")
    step = torch.tensor(10.0, device="cuda")
    scale = torch.tensor(2.0, device="cuda")
    found_inf = torch.tensor(0.0, device="cuda")
    results = {"torch": torch.__version__, "gpu": torch.cuda.get_device_name(), "elements": n, "rounds": args.rounds}

    def update():
        torch._fused_adamw_([master], [gradient], [moments[0]], [moments[1]], [], [step], amsgrad=False, lr=1e-3,
                            beta1=0.9, beta2=0.999, weight_decay=0.01, eps=1e-8, maximize=False, grad_scale=scale,
                            found_inf=found_inf)

    for name, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        copy = torch.empty(n, dtype=dtype, device="cuda")
        for work in (update, lambda: copy.copy_(master)):
            work()
        both = [seconds_of(lambda: (update(), copy.copy_(master))) for _ in range(args.rounds)]
        alone = [seconds_of(update) for _ in range(args.rounds)]
        results[name] = {"milliseconds": median(both) * 1e3, "without_cast_milliseconds": median(alone) * 1e3,
                         "Mparam/s": n / median(both) / 1e6}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
