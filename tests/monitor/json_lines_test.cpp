// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "monitor/support.hpp"

#include <zero/monitor/json_lines.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace monitor_json_lines_test {

using monitor_test::append;
using monitor_test::content;
using monitor_test::Folder;
using zero::monitor::JsonLines;

TEST_CASE("json lines: one object per value and per text, null for what is not finite") {
  Folder const folder;
  {
    JsonLines lines({.output_path = folder.path(), .job_name = "job"});
    CHECK(!lines.holds_curves());
    lines.scalar({"Train/loss", 0.1, 12, 1.5});
    lines.scalar({"Train/loss", std::numeric_limits<double>::quiet_NaN(), 24, 1.5});
    lines.scalar({"Train/loss", -std::numeric_limits<double>::infinity(), 36, 1.5});
    lines.text({"a \"b\"", "two\nlines and no UTF-8: \xFF\xC3", 36, 1.5});
  }
  CHECK(content(folder / "job/metrics.jsonl") ==
        "{\"step\":12,\"tag\":\"Train/loss\",\"value\":0.1,\"wall_time\":1.5}\n"
        "{\"step\":24,\"tag\":\"Train/loss\",\"value\":null,\"wall_time\":1.5}\n"
        "{\"step\":36,\"tag\":\"Train/loss\",\"value\":null,\"wall_time\":1.5}\n"
        "{\"step\":36,\"tag\":\"a \\\"b\\\"\",\"text\":\"two\\nlines and no UTF-8: \xEF\xBF\xBD\xEF\xBF\xBD\",\"wall_"
        "time\":1.5}\n");
}

TEST_CASE("json lines: a resumed run's lines are cut back to its step, with a torn last one") {
  Folder const folder;
  JsonLines::Config const config{.output_path = folder.path(), .job_name = "job"};
  std::string const path = folder / "job/metrics.jsonl";
  {
    JsonLines lines(config);
    for (std::uint64_t step = 1; step <= 3; ++step) lines.scalar({"a", 0.5, step, 1.0});
  }
  append(path, "{\"step\":4,\"tag\":");
  {
    JsonLines lines(config);
    CHECK(lines.holds_curves());
    lines.resume_at(2);
    lines.scalar({"a", 0.25, 3, 1.0});
  }
  std::string const two =
      "{\"step\":1,\"tag\":\"a\",\"value\":0.5,\"wall_time\":1}\n{\"step\":2,\"tag\":\"a\",\"value\":0.5,\"wall_time\":"
      "1}\n";
  std::string const third = "{\"step\":3,\"tag\":\"a\",\"value\":0.25,\"wall_time\":1}\n";
  CHECK(content(path) == two + third);
  append(path, "{\"st");
  {
    JsonLines lines(config);  // nobody says how it begins: it appends
    lines.scalar({"a", 0.25, 3, 1.0});
  }
  CHECK(content(path) == two + third + third);
  {
    JsonLines lines(config);
    lines.replace();
    lines.scalar({"a", 0.25, 3, 1.0});
  }
  CHECK(content(path) == third);
}

}  // namespace monitor_json_lines_test
