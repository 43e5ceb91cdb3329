#include "cli/verbs.hpp"

#include <fmt/format.h>

#include "api/condition.hpp"
#include "api/names.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "cli/user_error.hpp"
#include "json/json.hpp"
#include "json/yaml.hpp"
#include "kube/follow.hpp"
#include "plan/forecast.hpp"

namespace mtc::cli {
namespace {

std::string conditions_text(const Json& object) {
  std::string out;
  for (const auto& condition : array_at(object, "status.conditions")) {
    out += fmt::format("  {:<8} {}{}\n           {}\n", string_at(condition, "category"), string_at(condition, "type"),
                       string_at(condition, "status") == "True" ? "" : " (not)", string_at(condition, "message"));
  }
  return out;
}

/// What a plan's stages measured, and how long a cutover that begins now would keep the applications down.
std::string forecast_text(const Json& plan, Time now) {
  const auto& forecast = object_at(plan, "status.forecast");
  if (forecast.empty()) return "";
  auto out = fmt::format("\nForecast\n  {}\n", string_at(forecast, "message"));
  if (const auto down = plan::forecast_at(forecast, now))
    out += fmt::format("  a cutover now: down for about {}\n", go_seconds(*down));
  const auto& last = object_at(forecast, "lastCopy");
  if (!last.empty()) {
    out +=
        fmt::format("  last stage: {} of {} moved in {}, {} a second\n",
                    bytes_text(int_at(last, "movedBytes").value_or(0)), bytes_text(int_at(last, "bytes").value_or(0)),
                    go_seconds(std::chrono::seconds(int_at(last, "seconds").value_or(0))),
                    bytes_text(int_at(last, "bytesPerSecond").value_or(0)));
  }
  const auto& cutover = object_at(forecast, "lastCutover");
  if (!cutover.empty()) {
    const auto said = int_at(cutover, "forecastSeconds");
    out += fmt::format("  last cutover: down for {}{}\n",
                       go_seconds(std::chrono::seconds(int_at(cutover, "downtimeSeconds").value_or(0))),
                       said ? fmt::format(", forecast {}", go_seconds(std::chrono::seconds(*said))) : "");
  }
  return out;
}

std::string describe_text(const Kind& kind, const Json& object) {
  auto out = fmt::format("{} {}\n\n", kind.type.kind, kube::key_of(object).name);
  out += "Spec\n" + to_yaml(object_at(object, "spec")) + "\nConditions\n" + conditions_text(object);
  const auto now = system_clock().now();
  if (kind.word == "plan") out += forecast_text(object, now);
  if (kind.word == "migration") out += "\n" + pipeline_text(object, now);
  return out;
}

}  // namespace

Task<void> get(Session session, Kind kind, std::string name, Output output) {
  std::vector<Json> objects;
  if (name.empty()) {
    objects = co_await all_of(session, kind);
  } else {
    objects.push_back(co_await must_find(session, kind, name));
  }
  if (output == Output::kTable) {
    if (objects.empty())
      co_return session.console->err(fmt::format("No {} yet: `{}` tells how to make one.\n", kind.word,
                                                 session.console->command(kind.word + " --help")));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(objects.size());
    for (const auto& object : objects) rows.push_back(kind.cells(object));
    co_return session.console->out(format_table(kind.columns, rows));
  }
  const Json value = name.empty() ? Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", objects}} : objects.front();
  session.console->out(output == Output::kJson ? dump_pretty(value) + "\n" : to_yaml(value));
}

Task<void> describe(Session session, Kind kind, std::string name) {
  session.console->out(describe_text(kind, co_await must_find(session, kind, name)));
}

Task<int> wait_ready(Session session, Kind kind, std::string name, Duration limit) {
  auto last = co_await must_find(session, kind, name);
  const bool ready = co_await kube::wait_until(session.host, kind.type, {api::kNamespace, name}, limit,
                                               [&last](const std::optional<Json>& object) {
                                                 if (object) last = *object;
                                                 return object && api::has_condition(*object, "Ready");
                                               });
  if (ready) {
    session.console->out(fmt::format("{} {} is ready\n", kind.type.kind, name));
    co_return kOk;
  }
  const bool judged = !array_at(last, "status.conditions").empty();
  tell(UserError(Code::kTimeout,
                 fmt::format("{} {} is not ready after {}{}", kind.type.kind, name, go_seconds(limit),
                             judged ? ":\n" + conditions_text(last) : ": no controller has looked at it"),
                 session.console->command(judged ? fmt::format("{} describe {}", kind.word, name) : "controller")),
       *session.console);
  co_return kNotReady;
}

Task<std::string> migrate(Session session, StartMigration what) {
  co_await must_find(session, kind_of("plan"), what.run.plan);
  if (what.name.empty()) what.name = fmt::format("{}-{}", what.run.plan, name_suffix(system_rng()));
  co_await create(session, kind_of("migration"), what.name, migration_spec(what.run));
  co_return what.name;
}

Task<void> cancel(Session session, std::string name) {
  const auto kind = kind_of("migration");
  const auto object = co_await must_find(session, kind, name);
  if (string_at(object, "status.phase") == "Completed") {
    throw UserError(Code::kInvalid, fmt::format("MigMigration {} is over already: there is nothing to cancel", name),
                    session.console->command(
                        fmt::format("migrate {} --rollback --watch", string_at(object, "spec.migPlanRef.name"))));
  }
  const Json patch = {{"spec", {{"canceled", true}}}};
  co_await session.host->patch(kind.type, {api::kNamespace, name}, kube::PatchKind::kMerge, patch);
  session.console->out(fmt::format("MigMigration {} is being canceled: follow it with `{}`\n", name,
                                   session.console->command("watch " + name)));
}

}  // namespace mtc::cli
