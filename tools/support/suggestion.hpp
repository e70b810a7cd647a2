// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/utility/edit_distance.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What an option that is not known was meant to be.
namespace command_line {

/// A name that other programs give to what `option` says here.
struct OtherName {
  std::string_view other;   ///< in small letters, with '-' for '_'
  std::string_view option;  ///< with a value where the other name means one
};

// The names of nanoGPT, llm.c, torchtitan, DeepSpeed, transformers, torchrun and the system's own tools; and those of
// the other programs here, where one calls otherwise what another one has.
inline constexpr std::array other_names{
    OtherName{"accum", "--accumulate"},
    OtherName{"activation-checkpointing", "--recompute block"},
    OtherName{"adam-beta2", "--beta2"},
    OtherName{"amp", "--precision bf16"},
    OtherName{"batch-size", "--batch"},
    OtherName{"batchsize", "--batch"},
    OtherName{"arch", "--model"},
    OtherName{"bf16", "--precision bf16"},
    OtherName{"block-size", "--context"},
    OtherName{"bs", "--batch"},
    OtherName{"bucket-size", "--bucket"},
    OtherName{"checkpoint", "--checkpoint-dir"},
    OtherName{"checkpoint-interval", "--save-interval"},
    OtherName{"ckpt", "--checkpoint-dir"},
    OtherName{"clip-grad", "--clip"},
    OtherName{"cpu-checkpointing", "--inputs-on-host"},
    OtherName{"cpu-memory", "--host-memory"},
    OtherName{"cpu-offload", "--offload cpu"},
    OtherName{"cuda", "--device cuda"},
    OtherName{"d-model", "--width"},
    OtherName{"data-dir", "--data"},
    OtherName{"data-path", "--data"},
    OtherName{"dataset", "--data"},
    OtherName{"dataloader-num-workers", "--workers"},
    OtherName{"dataloader-prefetch-factor", "--prefetch"},
    OtherName{"decay", "--weight-decay"},
    OtherName{"device-memory", "--memory"},
    OtherName{"deepspeed-config", "--config"},
    OtherName{"dim", "--width"},
    OtherName{"dtype", "--precision"},
    OtherName{"dtype", "--encoding"},
    OtherName{"early-stopping-patience", "--patience"},
    OtherName{"epochs", "--iterations"},
    OtherName{"eval-data", "--val-data"},
    OtherName{"eval-iters", "--eval-batches"},
    OtherName{"eval-only", "--evaluate"},
    OtherName{"eval-steps", "--eval-interval"},
    OtherName{"force", "--overwrite"},
    OtherName{"fp16", "--precision fp16"},
    OtherName{"fp32", "--precision fp32"},
    OtherName{"from-pretrained", "--init-from"},
    OtherName{"generate", "--sample"},
    OtherName{"gpu", "--device cuda"},
    OtherName{"gpu-memory", "--memory"},
    OtherName{"gpus", "--ranks"},
    OtherName{"grad-accum", "--accumulate"},
    OtherName{"grad-clip", "--clip"},
    OtherName{"gradient-accumulation-steps", "--accumulate"},
    OtherName{"gradient-checkpointing", "--recompute block"},
    OtherName{"gradient-clipping", "--clip"},
    OtherName{"half", "--precision fp16"},
    OtherName{"hidden-size", "--width"},
    OtherName{"hf-precision", "--dtype"},
    OtherName{"img-size", "--image-size"},
    OtherName{"init-from", "--safetensors"},
    OtherName{"init-from", "--model"},
    OtherName{"input", "--data"},
    OtherName{"iterations", "--epochs"},
    OtherName{"iters", "--iterations"},
    OtherName{"learning-rate", "--lr"},
    OtherName{"load", "--resume"},
    OtherName{"log-every", "--log-interval"},
    OtherName{"logging-steps", "--log-interval"},
    OtherName{"logging-dir", "--tensorboard"},
    OtherName{"lr-scheduler-type", "--schedule"},
    OtherName{"max-grad-norm", "--clip"},
    OtherName{"max-iters", "--iterations"},
    OtherName{"max-lr", "--lr"},
    OtherName{"max-new-tokens", "--tokens"},
    OtherName{"max-new-tokens", "--sample"},
    OtherName{"max-seq-len", "--context"},
    OtherName{"max-steps", "--iterations"},
    OtherName{"max-tokens", "--sample"},
    OtherName{"max-tokens", "--tokens"},
    OtherName{"memory-limit", "--memory"},
    OtherName{"micro-batch-size", "--batch"},
    OtherName{"min-learning-rate", "--min-lr"},
    OtherName{"mixed-precision", "--precision"},
    OtherName{"model-name-or-path", "--init-from"},
    OtherName{"n-ctx", "--context"},
    OtherName{"n-embd", "--width"},
    OtherName{"n-gpus", "--ranks"},
    OtherName{"n-head", "--heads"},
    OtherName{"n-heads", "--heads"},
    OtherName{"n-layer", "--layers"},
    OtherName{"n-layers", "--layers"},
    OtherName{"n-positions", "--context"},
    OtherName{"np", "--ranks"},
    OtherName{"nproc-per-node", "--ranks"},
    OtherName{"num-attention-heads", "--heads"},
    OtherName{"num-classes", "--classes"},
    OtherName{"num-epochs", "--epochs"},
    OtherName{"num-epochs", "--iterations"},
    OtherName{"num-gpus", "--ranks"},
    OtherName{"num-heads", "--heads"},
    OtherName{"num-hidden-layers", "--layers"},
    OtherName{"num-iterations", "--iterations"},
    OtherName{"num-layers", "--layers"},
    OtherName{"num-steps", "--iterations"},
    OtherName{"num-threads", "--threads"},
    OtherName{"num-train-epochs", "--epochs"},
    OtherName{"num-train-epochs", "--iterations"},
    OtherName{"num-train-steps", "--iterations"},
    OtherName{"num-workers", "--workers"},
    OtherName{"number-checkpoints", "--kept-inputs"},
    OtherName{"offload-optimizer", "--offload cpu"},
    OtherName{"optim", "--optimizer"},
    OtherName{"out-dir", "--checkpoint-dir"},
    OtherName{"out-dir", "--output"},
    OtherName{"output-dir", "--checkpoint-dir"},
    OtherName{"output-dir", "--output"},
    OtherName{"per-device-eval-batch-size", "--batch"},
    OtherName{"per-device-train-batch-size", "--batch"},
    OtherName{"precision", "--dtype"},
    OtherName{"prefetch-factor", "--prefetch"},
    OtherName{"pretrained", "--init-from"},
    OtherName{"reduce-bucket-size", "--bucket"},
    OtherName{"report-to", "--tensorboard"},
    OtherName{"resume-from", "--resume"},
    OtherName{"resume-from-checkpoint", "--resume"},
    OtherName{"run-name", "--job-name"},
    OtherName{"sample", "--tokens"},
    OtherName{"save-dir", "--checkpoint-dir"},
    OtherName{"save-every", "--save-interval"},
    OtherName{"save-hf", "--save-model"},
    OtherName{"save-model", "--save-hf"},
    OtherName{"save-steps", "--save-interval"},
    OtherName{"save-total-limit", "--keep"},
    OtherName{"seq-len", "--context"},
    OtherName{"seq-length", "--context"},
    OtherName{"sequence-length", "--context"},
    OtherName{"shard-size", "--shard-tokens"},
    OtherName{"stage3-max-live-parameters", "--live"},
    OtherName{"stage3-param-persistence-threshold", "--whole-below"},
    OtherName{"steps", "--iterations"},
    OtherName{"tokens", "--sample"},
    OtherName{"train-batch-size", "--batch"},
    OtherName{"train-data", "--data"},
    OtherName{"train-dir", "--data"},
    OtherName{"train-micro-batch-size-per-gpu", "--batch"},
    OtherName{"train-steps", "--iterations"},
    OtherName{"type", "--dtype"},
    OtherName{"val-data", "--validation-input"},
    OtherName{"val-dir", "--val-data"},
    OtherName{"val-file", "--val-data"},
    OtherName{"val-share", "--validation"},
    OtherName{"val-split", "--val-share"},
    OtherName{"validation-data", "--val-data"},
    OtherName{"validation-split", "--val-share"},
    OtherName{"vocab-size", "--vocab"},
    OtherName{"vocab-size", "--train-bpe"},
    OtherName{"vocabulary", "--vocab"},
    OtherName{"vram", "--memory"},
    OtherName{"wandb", "--tensorboard"},
    OtherName{"wandb-log", "--tensorboard"},
    OtherName{"wandb-project", "--job-name"},
    OtherName{"wandb-run-name", "--job-name"},
    OtherName{"warmup-iters", "--warmup"},
    OtherName{"warmup-steps", "--warmup"},
    OtherName{"wd", "--weight-decay"},
    OtherName{"world", "--ranks"},
    OtherName{"world-size", "--ranks"},
    OtherName{"zero", "--stage"},
    OtherName{"zero-stage", "--stage"},
};

/// A name that other programs give to what needs no option here, or that zero-plan has for what a trainer reads from
/// its configuration.
struct NeedlessName {
  std::string_view other;   ///< in small letters, with '-' for '_'
  std::string_view option;  ///< which a program has of which `why` is true
  std::string_view why;     ///< and what to do
};

inline constexpr std::array needless_names{
    NeedlessName{"alignment", "--config", "the engine aligns parameters by itself: leave it out"},
    NeedlessName{"bucket", "--config", "the file of --config says it, in zero_optimization.reduce_bucket_size"},
    NeedlessName{"compile", "--precision", "all is compiled already: leave it out"},
    NeedlessName{"device-share", "--config",
                 "the file of --config says what goes to the host, in zero_optimization.offload_optimizer.ratio"},
    NeedlessName{"global-batch", "--config", "a step takes --batch times --micro-batches: give these"},
    NeedlessName{"granule", "--config", "the engine aligns parameters by itself: leave it out"},
    NeedlessName{"live", "--config", "the file of --config says it, in zero_optimization.stage3_max_live_parameters"},
    NeedlessName{"local-rank", "--ranks",
                 "the launcher's environment variables say it: leave it out (deepspeed --no_local_rank)"},
    NeedlessName{"tokenizer", "--val-data",
                 "the folder of tokens that zero-tokenize --tokenizer writes holds it: name it "
                 "with --data"},
    NeedlessName{"whole-below", "--config",
                 "the file of --config says it, in zero_optimization.stage3_param_persistence_threshold"},
};

/// \p word without dashes before it and a value behind it, in small letters, with '-' for '_'.
[[nodiscard]] inline std::string bare_name(std::string_view word) {
  std::string bare(word.substr(std::min(word.find_first_not_of('-'), word.size())));
  bare = bare.substr(0, bare.find('='));
  std::transform(bare.begin(), bare.end(), bare.begin(),
                 [](unsigned char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(c)); });
  return bare;
}

/// Why the option that \p word names is not needed by a program that knows \p known; empty where that is not so.
[[nodiscard]] inline std::string_view why_needless(std::string_view word, std::vector<std::string_view> const& known) {
  auto const bare = bare_name(word);
  for (auto const& name : needless_names) {
    if (name.other == bare && std::find(known.begin(), known.end(), name.option) != known.end()) return name.why;
  }
  return {};
}

/// The option that \p word was meant to be, of those that are \p known: the same in another spelling, what another
/// program calls it, the only one that begins so, or the nearest. Empty where there is none.
[[nodiscard]] inline std::string suggestion(std::string_view word, std::vector<std::string_view> const& known) {
  auto const bare = bare_name(word);
  if (bare.empty()) return {};
  auto const is_known = [&](std::string_view name) {
    return std::find(known.begin(), known.end(), name) != known.end();
  };
  if (is_known("--" + bare)) return "--" + bare;
  for (auto const& [other, option] : other_names) {
    if (other == bare && is_known(option.substr(0, option.find(' ')))) return std::string(option);
  }
  std::string_view nearest;
  std::size_t least = std::min<std::size_t>(bare.size() / 3 + 1, 3) + 1, beginning = 0;
  for (auto const name : known) {
    auto const distance = zero::edit_distance(bare, name.substr(2));
    if (distance < least) least = distance, nearest = name;
  }
  if (!nearest.empty() && bare.size() > 2) return std::string(nearest);
  for (auto const name : known) {
    if (name.substr(2).starts_with(bare)) ++beginning, nearest = name;
  }
  return beginning == 1 ? std::string(nearest) : std::string();
}

/// The end of the line that answers \p word, which is none of the options that are \p known.
[[nodiscard]] inline std::string what_was_meant(std::string_view word, std::vector<std::string_view> const& known) {
  if (auto const why = why_needless(word, known); !why.empty()) return std::string(why);
  auto const meant = suggestion(word, known);
  return meant.empty() ? "--help lists them" : "did you mean " + meant + "? --help lists them all";
}

}  // namespace command_line
