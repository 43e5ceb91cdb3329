#include "cli/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

#include "api/condition.hpp"
#include "api/names.hpp"
#include "async/scope.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "cli/command_line.hpp"
#include "cli/kinds.hpp"
#include "json/json.hpp"
#include "kube/follow.hpp"

namespace mtc::cli {
namespace {

std::string elapsed(const Json& step) {
  const auto from = parse_rfc3339(string_at(step, "started")), to = parse_rfc3339(string_at(step, "completed"));
  return from && to ? go_seconds(*to - *from) : "";
}

const char* mark_of(const Json& step) {
  if (bool_at(step, "failed")) return "✗";
  if (bool_at(step, "skipped")) return "–";
  if (step.contains("completed")) return "✓";
  return step.contains("started") ? "▸" : " ";
}

/// The lines of the last drawing, so that the next one can take their place.
class Screen {
 public:
  void show(const Json& migration) {
    const auto text = pipeline_text(migration);
    if (!terminal_) return show_changes(migration);
    if (lines_ > 0) fmt::print("\x1b[{}A\x1b[J", lines_);
    fmt::print("{}", text);
    std::fflush(stdout);
    lines_ = std::ranges::count(text, '\n');
  }

 private:
  void show_changes(const Json& migration) {
    for (const auto& condition : array_at(migration, "status.conditions")) {
      const auto line = fmt::format("{} {}: {}", string_at(condition, "type"), string_at(condition, "reason"),
                                    string_at(condition, "message"));
      if (std::ranges::find(told_, line) != told_.end()) continue;
      told_.push_back(line);
      fmt::print("{} {}\n", string_at(condition, "lastTransitionTime"), line);
    }
    std::fflush(stdout);
  }

  bool terminal_ = isatty(STDOUT_FILENO) == 1;
  std::ptrdiff_t lines_ = 0;
  std::vector<std::string> told_;
};

int verdict(const Json& migration) {
  for (const auto& error : strings_at(migration, "status.errors")) fmt::print(stderr, "mtc: {}\n", error);
  for (const auto& condition : array_at(migration, "status.conditions")) {
    const auto type = string_at(condition, "type");
    if (string_at(condition, "category") == "Warn" || type == "ObjectsAccounted")
      fmt::print("{}: {}\n", type, string_at(condition, "message"));
  }
  const bool good =
      api::has_condition(migration, "Succeeded") || api::has_condition(migration, "SucceededWithWarnings");
  const auto name = kube::key_of(migration).name;
  fmt::print("Migration {}: {}\n", name,
             good                                        ? "succeeded"
             : api::has_condition(migration, "Canceled") ? "canceled"
                                                         : "failed");
  if (!good)
    fmt::print(
        "See `mtc migration describe {}`; start the applications of the source again with `mtc migrate {} "
        "--rollback`.\n",
        name, string_at(migration, "spec.migPlanRef.name"));
  return good ? kOk : kMigrationFailed;
}

}  // namespace

std::string pipeline_text(const Json& migration) {
  std::string out;
  for (const auto& step : array_at(migration, "status.pipeline")) {
    out += fmt::format(" {} {:<16} {:>6}  {}\n", mark_of(step), string_at(step, "name"), elapsed(step),
                       string_at(step, "message"));
    if (step.contains("completed")) continue;
    for (const auto& line : strings_at(step, "progress")) out += fmt::format("     {}\n", line);
  }
  return out;
}

Task<int> watch(kube::ClientPtr host, std::string name) {
  const auto type = kind_of("migration").type;
  Screen screen;
  Json last;
  bool gone = false;
  const bool ended = co_await kube::wait_until(host, type, {api::kNamespace, name}, std::chrono::hours(24),
                                               [&](const std::optional<Json>& object) {
                                                 gone = !object;
                                                 if (gone) return true;
                                                 last = *object;
                                                 screen.show(last);
                                                 return string_at(last, "status.phase") == "Completed";
                                               });
  if (gone) throw Error(Code::kNotFound, fmt::format("MigMigration {} does not exist; see `mtc migration get`", name));
  if (!ended) co_return kNotReady;
  co_return verdict(last);
}

}  // namespace mtc::cli
