// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/monitor/curve_folder.hpp>
#include <zero/monitor/detail/cut_lines.hpp>
#include <zero/monitor/detail/event_record.hpp>
#include <zero/monitor/detail/folder_claim.hpp>
#include <zero/monitor/detail/growing_file.hpp>
#include <zero/monitor/detail/one_warning.hpp>
#include <zero/monitor/detail/place.hpp>
#include <zero/monitor/detail/text_values.hpp>
#include <zero/monitor/event.hpp>
#include <zero/monitor/monitor.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace zero::monitor {

/// Event files that TensorBoard reads: scalars as it keeps them, in 32 bits, and texts. Each process of a run writes a
/// file of its own, whose name says when it began; TensorBoard reads the files of a folder in the order of their names.
class TensorBoard final : public Monitor {
 public:
  /// Where the files are: `<output_path>/<job_name>/events.out.tfevents.*`.
  using Config = CurveFolder;

  /// Touches no file yet. \throws ConfigurationError where the job's name is none for a folder.
  explicit TensorBoard(Config const& config, Warning warning = warn_on_standard_error)
      : warn_("TensorBoard's curves", detail::folder_of_job(config.output_path, config.job_name), std::move(warning)) {}
  TensorBoard(TensorBoard const&) = delete;
  TensorBoard& operator=(TensorBoard const&) = delete;
  /// Flushes.
  ~TensorBoard() override { flush(); }

  [[nodiscard]] std::string const& place() const noexcept override { return warn_.place(); }
  [[nodiscard]] bool holds_curves() const override { return !files().empty(); }

  [[nodiscard]] bool claim() override { return claim_.take(place(), "tensorboard"); }
  void replace() override {
    records_.clear();
    for (auto const& file : files()) warn_(detail::remove_curve(file));
    begin(std::nullopt);
  }

  /// Earlier files lose their events after \p step. A TensorBoard that has read those already is told by a record of
  /// its own kind, which a restart of a run leaves, to drop them.
  void resume_at(std::uint64_t step) override {
    records_.clear();
    for (auto const& file : files()) warn_(cut(file, step));
    begin(step);
  }

  void scalar(Scalar const& scalar) override {
    detail::ProtobufMessage value;
    value.bytes(1, detail::as_utf8(scalar.tag));
    value.real(2, static_cast<float>(scalar.value));
    add(scalar.step, scalar.wall_time, value);
  }

  /// A tensor of one string, as the text plugin of TensorBoard has it.
  void text(Text const& text) override {
    constexpr std::uint64_t type_string = 7, class_tensor = 2;
    detail::ProtobufMessage plugin, metadata, dimension, shape, tensor, value;
    plugin.bytes(1, "text");
    metadata.bytes(1, plugin.str());
    metadata.whole(4, class_tensor);
    dimension.whole(1, 1);
    shape.bytes(2, dimension.str());
    tensor.whole(1, type_string);
    tensor.bytes(2, shape.str());
    tensor.bytes(8, detail::as_utf8(text.text));
    value.bytes(1, detail::as_utf8(text.tag));
    value.bytes(8, tensor.str());
    value.bytes(9, metadata.str());
    add(text.step, text.wall_time, value);
  }

  void flush() override {
    if (records_.empty()) return;
    if (!file_) begin(std::nullopt);
    warn_(file_->append(records_));
    records_.clear();
  }

 private:
  static constexpr std::string_view prefix = "events.out.tfevents.";

  /// Event files in the folder, in the order of their names.
  [[nodiscard]] std::vector<std::filesystem::path> files() const {
    auto found = detail::files_in(
        place(), [](std::filesystem::path const& path) { return path.filename().string().starts_with(prefix); });
    std::sort(found.begin(), found.end());
    return found;
  }

  /// Cuts a file at its first value of a later step than \p step, or where a record is torn.
  static std::string cut(std::filesystem::path const& path, std::uint64_t step) {
    std::error_code error;
    auto const size = std::filesystem::file_size(path, error);
    std::ifstream file(path, std::ios::binary);
    if (error || !file) return "cannot read " + path.string();
    std::uint64_t kept = 0;
    while (auto const data = detail::read_record(file, size - kept)) {
      auto const event = detail::read_event(*data);
      if (!event || (event->has_summary && event->step > step)) break;
      kept += data->size() + 16;
    }
    return detail::shorten(path, kept);
  }

  /// The next event goes to a file whose name follows those of all others, whatever the clock says.
  void begin(std::optional<std::uint64_t> resumed_step) {
    auto seconds = static_cast<std::uint64_t>(wall_time_now());
    for (auto const& file : files()) {
      auto const of_file = std::strtoull(file.filename().c_str() + prefix.size(), nullptr, 10);
      constexpr std::uint64_t last = 9'999'999'999;  // whose name has as many digits
      if (of_file >= seconds && of_file < last) seconds = of_file + 1;
    }
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') host = {'h', 'o', 's', 't'};
    static std::atomic<unsigned> count{0};
    file_.emplace(place() + "/" + std::string(prefix) + std::to_string(seconds) + "." + host.data() + "." +
                      std::to_string(::getpid()) + "." + std::to_string(count++),
                  head(resumed_step));
  }

  /// What a file begins with: its version, and for a run that goes on the step from which events of older files do not
  /// count.
  static std::string head(std::optional<std::uint64_t> resumed_step) {
    std::string records;
    detail::ProtobufMessage version;
    version.real(1, wall_time_now());
    version.bytes(3, "brain.Event:2");
    detail::append_record(records, version.str());
    constexpr std::uint64_t last = (std::numeric_limits<std::int64_t>::max)();
    if (!resumed_step || *resumed_step >= last) return records;
    detail::ProtobufMessage session, start;
    session.whole(1, 1);  // it starts
    start.real(1, wall_time_now());
    start.whole(2, *resumed_step + 1);
    start.bytes(7, session.str());
    detail::append_record(records, start.str());
    return records;
  }

  void add(std::uint64_t step, double wall_time, detail::ProtobufMessage const& value) {
    detail::ProtobufMessage summary, event;
    summary.bytes(1, value.str());
    event.real(1, wall_time > 0.0 ? wall_time : wall_time_now());
    event.whole(2, step);
    event.bytes(5, summary.str());
    detail::append_record(records_, event.str());
  }

  detail::OneWarning warn_;
  detail::FolderClaim claim_;
  std::optional<detail::GrowingFile> file_;
  std::string records_;  // that are not in the file yet
};

}  // namespace zero::monitor
