// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#pragma once

#include <cmath>
#include <cstdint>

// The update rules in double precision, written from the papers and from PyTorch's documentation, not from the library:
// nothing of it is included here, and nothing here is written in its order of operations.
namespace reference {

/// What one element holds before and after a step, and the magnitudes that a rounding error of the step scales with.
struct Element {
  double p = 0, g = 0;
  double s0 = 0, s1 = 0;
  double s0_scale = 0, s1_scale = 0;  ///< sums of the magnitudes that were added to make s0 and s1
  double update = 0;                  ///< magnitude of what was subtracted from p
};

/// Adam (L2) and AdamW (decoupled): Kingma and Ba 2015, Loshchilov and Hutter 2019, `torch.optim`.
struct Adam {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;

  [[nodiscard]] Element step(Element e, std::uint64_t t) const {
    double g = e.g, g_scale = std::abs(e.g);
    if (decoupled) {
      e.p -= lr * weight_decay * e.p;
    } else {
      g += weight_decay * e.p;
      g_scale += std::abs(weight_decay * e.p);
    }
    e.s0_scale = std::abs(beta1 * e.s0) + (1 - beta1) * g_scale;
    e.s1_scale = beta2 * e.s1 + (1 - beta2) * g_scale * g_scale;
    e.s0 += (1 - beta1) * (g - e.s0);
    e.s1 = beta2 * e.s1 + (1 - beta2) * g * g;
    double const m_hat_scale = e.s0_scale / (1 - std::pow(beta1, double(t)));
    double const m_hat = e.s0 / (1 - std::pow(beta1, double(t)));
    double const v_hat = e.s1 / (1 - std::pow(beta2, double(t)));
    e.p -= lr * m_hat / (std::sqrt(v_hat) + eps);
    e.update = lr * m_hat_scale / (std::sqrt(v_hat) + eps);
    return e;
  }
};

/// Momentum, dampening, Nesterov, L2: `torch.optim.SGD`.
struct Sgd {
  double lr, momentum, dampening, weight_decay;
  bool nesterov;

  [[nodiscard]] Element step(Element e, std::uint64_t t) const {
    double const g = e.g + weight_decay * e.p;
    double const g_scale = std::abs(e.g) + std::abs(weight_decay * e.p);
    if (t == 1 || momentum == 0) {
      e.s0 = g;
      e.s0_scale = g_scale;
    } else {
      e.s0_scale = std::abs(momentum * e.s0) + (1 - dampening) * g_scale;
      e.s0 = momentum * e.s0 + (1 - dampening) * g;
    }
    e.p -= lr * (nesterov ? g + momentum * e.s0 : e.s0);
    e.update = lr * (nesterov ? g_scale + momentum * e.s0_scale : e.s0_scale);
    return e;
  }
};

/// Chen et al. 2023, Algorithm 2.
struct Lion {
  double lr, beta1, beta2, weight_decay;

  [[nodiscard]] Element step(Element e, std::uint64_t) const {
    double const c = beta1 * e.s0 + (1 - beta1) * e.g;
    double const direction = c > 0 ? 1 : c < 0 ? -1 : 0;
    e.p -= lr * (direction + weight_decay * e.p);
    e.s0_scale = std::abs(beta2 * e.s0) + std::abs((1 - beta2) * e.g);
    e.s0 = beta2 * e.s0 + (1 - beta2) * e.g;
    e.update = lr;
    return e;
  }
};

/// Duchi, Hazan and Singer 2011, `torch.optim.Adagrad`.
struct Adagrad {
  double lr, lr_decay, eps, weight_decay;

  [[nodiscard]] Element step(Element e, std::uint64_t t) const {
    double const g = e.g + weight_decay * e.p;
    double const g_scale = std::abs(e.g) + std::abs(weight_decay * e.p);
    e.s0 += g * g;
    e.s0_scale = e.s0 + 2 * g_scale * g_scale;
    double const rate = lr / (1 + double(t - 1) * lr_decay);
    e.p -= rate * g / (std::sqrt(e.s0) + eps);
    e.update = rate * g_scale / (std::sqrt(e.s0) + eps);
    return e;
  }
};

}  // namespace reference
