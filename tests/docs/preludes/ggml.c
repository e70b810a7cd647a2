// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The names of ggml that the page on the C interface uses.
#include <zero/c.h>
#include <stddef.h>
#include <stdint.h>

struct ggml_tensor {
  int64_t ne[4];
  void* data;
  char name[64];
};
struct ggml_cgraph;
struct ggml_backend;
void ggml_graph_reset(struct ggml_cgraph* graph);
int ggml_backend_graph_compute(struct ggml_backend* backend, struct ggml_cgraph* graph);

int train(zero_rank* rank, struct ggml_tensor** parameters, struct ggml_tensor** gradients, int tensors,
          struct ggml_backend* backend, struct ggml_cgraph* graph);
int train(zero_rank* rank, struct ggml_tensor** parameters, struct ggml_tensor** gradients, int tensors,
          struct ggml_backend* backend, struct ggml_cgraph* graph) {
  // block
  return 0;
}
