// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"

#include <zero/checkpoint/verify.hpp>

#include <span>
#include <stdexcept>
#include <utility>

namespace checkpoint_test {

zero::SaveReport save_checkpoint(zero::EngineState& state, zero::CheckpointFolder const& folder,
                                 zero::SaveOptions const& options) {
  return zero::save_checkpoint(state, folder, options);
}

zero::LoadReport load_checkpoint(zero::EngineState& state, zero::CheckpointFolder const& folder,
                                 zero::LoadOptions const& options) {
  return zero::load_checkpoint(state, folder, options);
}

zero::ImportReport import_parameters(zero::EngineState& state, std::string const& path,
                                     zero::ImportOptions const& options, zero::FileSystem& system) {
  return zero::import_parameters(state, path, options, system);
}

zero::ConsolidateReport consolidate(zero::CheckpointFolder const& folder, zero::Manifest const& manifest,
                                    std::string const& out, zero::ConsolidateOptions const& options) {
  return zero::consolidate(folder, manifest, out, options);
}

std::uint64_t checkpoint_bytes(zero::EngineState& state, bool parameters_only) {
  return zero::checkpoint_bytes(state, parameters_only);
}

void verify_checkpoint(zero::FileSystem& system, std::string const& path, zero::Manifest const& manifest) {
  zero::verify_checkpoint(system, path, manifest);
}

zero::Manifest read_manifest(zero::CheckpointFolder const& folder, std::string const& tag) {
  return folder.manifest(tag);
}

std::string data_of(std::string const& file, std::string_view tensor) {
  auto const n = zero::detail::safetensors_header_bytes(std::as_bytes(std::span(file)), file.size());
  auto const header = zero::detail::parse_safetensors_header(std::string_view(file).substr(8, n), file.size() - 8 - n);
  auto const* const found = header.find(tensor);
  if (found == nullptr) throw std::out_of_range("no tensor " + std::string(tensor));
  return file.substr(header.data_begin + found->begin, found->bytes());
}

Saver::Saver(std::string folder, zero::FileSystem& system)
    : saver_(std::make_unique<zero::CheckpointSaver>(std::move(folder), system)) {}
Saver::~Saver() = default;
void Saver::reserve(std::unique_ptr<zero::EngineState> const& state) { saver_->reserve(state); }
std::optional<zero::SaveReport> Saver::start(std::unique_ptr<zero::EngineState> state, zero::SaveOptions options) {
  return saver_->start(std::move(state), std::move(options));
}
std::optional<zero::SaveReport> Saver::poll() { return saver_->poll(); }
std::optional<zero::SaveReport> Saver::finish() { return saver_->finish(); }
bool Saver::under_way() const { return saver_->under_way(); }

}  // namespace checkpoint_test
