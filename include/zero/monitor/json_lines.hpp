// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/monitor/curve_folder.hpp>
#include <zero/monitor/detail/cut_lines.hpp>
#include <zero/monitor/detail/folder_claim.hpp>
#include <zero/monitor/detail/growing_file.hpp>
#include <zero/monitor/detail/one_warning.hpp>
#include <zero/monitor/detail/place.hpp>
#include <zero/monitor/detail/text_values.hpp>
#include <zero/monitor/event.hpp>
#include <zero/monitor/monitor.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/shortest_number.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace zero::monitor {

/// One file of JSON Lines: `{"step":12,"tag":"Train/Samples/lr","value":0.001,"wall_time":1.7e9}` for each value, and
/// with `"text"` in place of `"value"` for each text. A value that is not finite is null.
class JsonLines final : public Monitor {
 public:
  /// Where the file is: `<output_path>/<job_name>/metrics.jsonl`.
  using Config = CurveFolder;

  /// Touches no file yet. \throws ConfigurationError where the job's name is none for a folder.
  explicit JsonLines(Config const& config, Warning warning = warn_on_standard_error)
      : warn_("JSON Lines", detail::folder_of_job(config.output_path, config.job_name), std::move(warning)),
        file_(path(), "") {}
  JsonLines(JsonLines const&) = delete;
  JsonLines& operator=(JsonLines const&) = delete;
  /// Flushes.
  ~JsonLines() override { flush(); }

  [[nodiscard]] std::string const& place() const noexcept override { return warn_.place(); }
  [[nodiscard]] bool holds_curves() const override {
    std::error_code error;
    return std::filesystem::is_regular_file(path(), error) && std::filesystem::file_size(path(), error) > 0;
  }

  [[nodiscard]] bool claim() override { return claim_.take(place(), "jsonl"); }
  void replace() override {
    begun_ = true;
    lines_.clear();
    if (holds_curves()) warn_(detail::shorten(path(), 0));
  }

  void resume_at(std::uint64_t step) override {
    begun_ = true;
    lines_.clear();
    if (holds_curves()) warn_(detail::cut_lines(path(), begin_of_line, step));
  }

  void scalar(Scalar const& scalar) override {
    begin_line(scalar.step, scalar.tag);
    lines_ += R"(,"value":)";
    if (std::isfinite(scalar.value)) {
      lines_ += shortest_number(scalar.value);
    } else {
      lines_ += "null";
    }
    end_line(scalar.wall_time);
  }

  void text(Text const& text) override {
    begin_line(text.step, text.tag);
    lines_ += R"(,"text":)";
    write_json_string(lines_, detail::as_utf8(text.text));
    end_line(text.wall_time);
  }

  void flush() override {
    if (lines_.empty()) return;
    warn_(file_.append(lines_));
    lines_.clear();
  }

 private:
  static constexpr std::string_view begin_of_line = R"({"step":)";

  [[nodiscard]] std::string path() const { return place() + "/metrics.jsonl"; }

  void begin_line(std::uint64_t step, std::string_view tag) {
    if (!begun_) resume_at((std::numeric_limits<std::uint64_t>::max)());
    lines_ += begin_of_line;
    lines_ += std::to_string(step);
    lines_ += R"(,"tag":)";
    write_json_string(lines_, detail::as_utf8(tag));
  }
  void end_line(double wall_time) {
    lines_ += R"(,"wall_time":)";
    lines_ += shortest_number(wall_time > 0.0 ? wall_time : wall_time_now());
    lines_ += "}\n";
  }

  detail::OneWarning warn_;
  detail::FolderClaim claim_;
  detail::GrowingFile file_;
  std::string lines_;  // that are not in the file yet
  bool begun_ = false;
};

}  // namespace zero::monitor
