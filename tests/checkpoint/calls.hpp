// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/consolidate.hpp>
#include <zero/checkpoint/import.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/checkpoint/saver.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace checkpoint_test {

// The library's calls that tests make, compiled once for all of them: a test that made them itself would compile a
// whole save and load of its own, which takes a sanitizer far longer than the test.

zero::SaveReport save_checkpoint(zero::EngineState& state, zero::CheckpointFolder const& folder,
                                 zero::SaveOptions const& options);
zero::LoadReport load_checkpoint(zero::EngineState& state, zero::CheckpointFolder const& folder,
                                 zero::LoadOptions const& options = {});
zero::ImportReport import_parameters(zero::EngineState& state, std::string const& path,
                                     zero::ImportOptions const& options, zero::FileSystem& system);
zero::ConsolidateReport consolidate(zero::CheckpointFolder const& folder, zero::Manifest const& manifest,
                                    std::string const& out, zero::ConsolidateOptions const& options = {});
[[nodiscard]] std::uint64_t checkpoint_bytes(zero::EngineState& state, bool parameters_only);
void verify_checkpoint(zero::FileSystem& system, std::string const& path, zero::Manifest const& manifest);
[[nodiscard]] zero::Manifest read_manifest(zero::CheckpointFolder const& folder, std::string const& tag);
/// The data of one tensor of a safetensors file. \throws std::out_of_range where it is not there.
[[nodiscard]] std::string data_of(std::string const& file, std::string_view tensor);

/// zero::CheckpointSaver.
class Saver {
 public:
  Saver(std::string folder, zero::FileSystem& system);
  ~Saver();
  void reserve(std::unique_ptr<zero::EngineState> const& state);
  std::optional<zero::SaveReport> start(std::unique_ptr<zero::EngineState> state, zero::SaveOptions options);
  std::optional<zero::SaveReport> poll();
  std::optional<zero::SaveReport> finish();
  [[nodiscard]] bool under_way() const;

 private:
  std::unique_ptr<zero::CheckpointSaver> saver_;
};

}  // namespace checkpoint_test
