#include "cli/progress.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "api/condition.hpp"
#include "api/names.hpp"
#include "async/scope.hpp"
#include "cli/exit_code.hpp"
#include "cli/text.hpp"
#include "cli/user_error.hpp"
#include "json/json.hpp"
#include "kube/follow.hpp"

namespace mtc::cli {
namespace {

std::string elapsed(const Json& step, Time now) {
  const auto from = parse_rfc3339(string_at(step, "started"));
  if (!from) return "";
  const auto to = parse_rfc3339(string_at(step, "completed")).value_or(now);
  return go_seconds(std::max<Duration>(to - *from, Duration::zero()));
}

struct Look {
  const char* mark;
  Style style;
};
Look look_of(const Json& step) {
  if (bool_at(step, "failed")) return {" ✗", Style::kBad};
  if (bool_at(step, "skipped")) return {" –", Style::kFaint};
  if (step.contains("completed")) return {" ✓", Style::kGood};
  if (step.contains("started")) return {" ▸", Style::kCurrent};
  return {"  ", Style::kFaint};
}

/// Shows the states of one migration as they come.
class Show {
 public:
  explicit Show(Console* console) : console_(console) {}

  void state(const Json& migration) {
    last_ = migration;
    if (console_->window()) return draw();
    console_->out(log_.news(migration));
  }
  /// The running step's time goes on.
  void draw() {
    if (const auto window = console_->window(); window && !last_.is_null())
      console_->out(drawing_.replace(pipeline_lines(last_, system_clock().now()), *window, console_->colours()));
  }
  const Json& last() const { return last_; }

 private:
  Console* console_;
  Json last_;
  Drawing drawing_;
  EventLog log_;
};

Task<void> tick(Show* show) {
  for (;;) {
    co_await async::sleep_for(std::chrono::seconds(1));  // what is shown counts seconds
    show->draw();
  }
}

const char* result_of(const Json& migration) {
  if (api::has_condition(migration, "Succeeded") || api::has_condition(migration, "SucceededWithWarnings"))
    return "succeeded";
  return api::has_condition(migration, "Canceled") ? "canceled" : "failed";
}

int verdict(const Session& session, const Json& migration) {
  for (const auto& condition : array_at(migration, "status.conditions")) {
    const auto type = string_at(condition, "type");
    if (string_at(condition, "category") == "Warn" || type == "ObjectsAccounted")
      session.console->out(fmt::format("{}: {}\n", type, one_line(string_at(condition, "message"))));
  }
  const auto name = kube::key_of(migration).name;
  const std::string result = result_of(migration);
  session.console->out(fmt::format("Migration {}: {}\n", name, result));
  if (result == "succeeded") return kOk;
  for (const auto& error : strings_at(migration, "status.errors"))
    session.console->err(fmt::format("mtc: {}\n", one_line(error)));
  const auto plan = string_at(migration, "spec.migPlanRef.name");
  session.console->err(fmt::format("next: {}   (starts the applications of the source again)\n      {}\n",
                                   session.console->command(fmt::format("migrate {} --rollback --watch", plan)),
                                   session.console->command("migration describe " + name)));
  return kMigrationFailed;
}

int tell_unfinished(const Session& session, const std::string& name, const Json& migration, Duration held_up) {
  std::string why;
  for (const auto& condition : array_at(migration, "status.conditions")) {
    if (string_at(condition, "category") == "Critical")
      why += fmt::format("\n  {}: {}", string_at(condition, "type"), one_line(string_at(condition, "message")));
  }
  tell(UserError(Code::kTimeout,
                 fmt::format("MigMigration {} did not end; this holds it up for {}:{}", name, go_seconds(held_up), why),
                 session.console->command("plan describe " + string_at(migration, "spec.migPlanRef.name"))),
       *session.console);
  return kNotReady;
}

Task<int> follow_to_end(Session session, std::string name, WatchOptions options, Show* show) {
  const auto type = kind_of("migration").type;
  const auto see = [&](const Json& migration) {
    if (migration == show->last()) return;
    show->state(migration);
    if (options.on_change) options.on_change(migration);
  };
  see(co_await must_find(session, kind_of("migration"), name));
  for (;;) {
    const bool blocked = is_blocked(show->last());
    bool gone = false;
    const auto look = [&](const std::optional<Json>& object) {
      gone = !object;
      if (gone) return true;
      see(*object);
      return is_over(*object) || is_blocked(*object) != blocked;
    };
    const auto limit = blocked ? options.blocked_limit : Duration(std::chrono::hours(24));
    const bool moved = co_await kube::wait_until(session.host, type, {api::kNamespace, name}, limit, look);
    if (gone)
      throw UserError(Code::kNotFound, fmt::format("MigMigration {} was deleted", name),
                      session.console->command("migration get"));
    if (is_over(show->last())) co_return verdict(session, show->last());
    if (!moved) co_return tell_unfinished(session, name, show->last(), limit);
  }
}

}  // namespace

std::vector<Line> pipeline_lines(const Json& migration, Time now) {
  std::vector<Line> lines;
  for (const auto& step : array_at(migration, "status.pipeline")) {
    const auto [mark, style] = look_of(step);
    lines.push_back({mark,
                     fmt::format(" {:<16} {:>6}  {}", string_at(step, "name"), elapsed(step, now),
                                 one_line(string_at(step, "message"))),
                     style});
    if (step.contains("completed")) continue;
    for (const auto& progress : strings_at(step, "progress"))
      lines.push_back({"", "     " + one_line(progress), Style::kFaint});
  }
  return lines;
}

std::string pipeline_text(const Json& migration, Time now) {
  std::string out;
  for (const auto& line : pipeline_lines(migration, now)) out += line.mark + line.text + "\n";
  return out;
}

std::string EventLog::news(const Json& object) {
  std::string out;
  for (const auto& condition : array_at(object, "status.conditions")) {
    const auto type = string_at(condition, "type"), reason = string_at(condition, "reason");
    const auto line = fmt::format("{} {}{}: {}\n", string_at(condition, "lastTransitionTime"), type,
                                  reason.empty() ? "" : " " + reason, one_line(string_at(condition, "message")));
    if (std::exchange(told_[type], line) != line) out += line;
  }
  return out;
}

Task<int> watch(Session session, std::string name, WatchOptions options) {
  Show show(session.console);
  auto scope = co_await async::Scope::create();
  if (session.console->window()) scope.spawn(tick(&show));
  std::exception_ptr failure;
  int code = kFailed;
  try {
    code = co_await follow_to_end(session, std::move(name), std::move(options), &show);
  } catch (...) {  // The clock stops first.
    failure = std::current_exception();
  }
  co_await scope.cancel_and_join();
  if (failure) std::rethrow_exception(failure);
  co_return code;
}

}  // namespace mtc::cli
