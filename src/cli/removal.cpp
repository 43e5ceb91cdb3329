#include <fmt/format.h>

#include "api/kinds.hpp"
#include "api/names.hpp"
#include "base/strings.hpp"
#include "cli/account.hpp"
#include "cli/user_error.hpp"
#include "cli/verbs.hpp"
#include "json/json.hpp"
#include "plan/connections.hpp"

namespace mtc::cli {
namespace {

using Needs = bool (*)(const Json& other, const std::string& name);

bool plan_names_cluster(const Json& plan, const std::string& name) {
  return string_at(plan, "spec.srcMigClusterRef.name") == name ||
         string_at(plan, "spec.destMigClusterRef.name") == name;
}
bool plan_names_storage(const Json& plan, const std::string& name) {
  return string_at(plan, "spec.migStorageRef.name") == name;
}
bool is_under_way(const Json& migration) { return !is_over(migration) && !is_blocked(migration); }
bool runs_plan(const Json& migration, const std::string& name) {
  return string_at(migration, "spec.migPlanRef.name") == name && is_under_way(migration);
}

/// The names of the objects of `kind` that need the one called `name`.
Task<std::vector<std::string>> that_need(Session session, Kind kind, Needs needs, std::string name) {
  auto objects = co_await all_of(session, kind);
  std::erase_if(objects, [&](const Json& object) { return !needs(object, name); });
  co_return names_of(objects);
}

UserError needed(const Session& session, const Kind& kind, const std::string& name, const std::string& why,
                 const std::string& next) {
  return {Code::kConflict, fmt::format("{} {} is not deleted: {}", kind.type.kind, name, why),
          fmt::format("{}   (or --force)", session.console->command(next))};
}

/// Throws if deleting the object would pull the ground from under something.
Task<void> must_be_idle(Session session, Kind kind, Json object) {
  const auto name = kube::key_of(object).name;
  if (kind.word == "migration") {
    if (is_under_way(object)) throw needed(session, kind, name, "it has not ended", "cancel " + name);
  } else if (kind.word == "plan") {
    const auto runs = co_await that_need(session, kind_of("migration"), runs_plan, name);
    if (!runs.empty())
      throw needed(session, kind, name, "these migrations of it have not ended: " + join(runs, ", "),
                   "cancel " + runs.front());
  } else {
    const auto plans = co_await that_need(session, kind_of("plan"),
                                          kind.word == "cluster" ? plan_names_cluster : plan_names_storage, name);
    if (!plans.empty())
      throw needed(session, kind, name, "these plans name it: " + join(plans, ", "), "plan delete " + plans.front());
  }
}

/// Asks whether to go on. Throws if nobody can be asked, or the answer is no.
Task<void> must_agree(Session session, std::string question, bool yes) {
  if (yes) co_return;
  const auto answer = co_await session.console->confirm(std::move(question));
  if (!answer)
    throw UserError(Code::kInvalid, "--purge asks first, and there is no terminal to ask at", "the same with --yes");
  if (!*answer) throw UserError(Code::kInvalid, "nothing was deleted", session.console->command("cluster get"));
}

api::Ref secret_of(const Kind& kind, const Json& object) {
  return kind.word == "cluster" ? api::MigCluster::parse(object).secret : api::MigStorage::parse(object).credentials;
}

/// Other MigClusters with the same address: they use the same account.
Task<std::vector<std::string>> neighbours(Session session, Json cluster) {
  std::vector<std::string> names;
  for (const auto& other : co_await all_of(session, kind_of("cluster"))) {
    if (kube::uid_of(other) != kube::uid_of(cluster) && string_at(other, "spec.url") == string_at(cluster, "spec.url"))
      names.push_back(kube::key_of(other).name);
  }
  co_return names;
}

/// Takes our account away from the cluster of a MigCluster; returns what to tell.
Task<std::string> purge_account(Session session, Json object) {
  const auto cluster = api::MigCluster::parse(object);
  if (cluster.is_host) co_return "";
  if (const auto others = co_await neighbours(session, object); !others.empty())
    co_return fmt::format("The account on {} stays: MigCluster {} uses it too\n", cluster.url, join(others, ", "));
  plan::Connections connections(session.host);
  try {
    const bool removed = co_await remove_account(co_await connections.cluster(cluster));
    co_return fmt::format("The account on {} {}\n", cluster.url,
                          removed ? "is removed, with its binding and token" : "stays: it is not of mtc's making");
  } catch (const Error& error) {
    throw UserError(
        error.code(), fmt::format("the account on {} cannot be removed: {}", cluster.url, error.what()),
        session.console->command(fmt::format("cluster delete {}   (leaves the account there)", cluster.self.name)));
  }
}

Task<void> purge_secret(Session session, api::Ref ref) {
  const kube::ObjectKey key{ref.ns, ref.name};
  const auto secret = co_await session.host->get(kube::types::secrets(), key);
  if (!secret || !is_made_by_us(*secret)) co_return;
  co_await session.host->remove(kube::types::secrets(), key, {.uid = kube::uid_of(*secret)});
  session.console->out(fmt::format("Secret {} deleted\n", ref.str()));
}

}  // namespace

Task<void> remove(Session session, Kind kind, Removal what) {
  const auto object = co_await must_find(session, kind, what.name);
  if (!what.force) co_await must_be_idle(session, kind, object);
  if (what.purge) {
    co_await must_agree(
        session, fmt::format("Delete {} {} and everything that mtc made for it?", kind.type.kind, what.name), what.yes);
    if (kind.word == "cluster") session.console->out(co_await purge_account(session, object));
  }
  co_await session.host->remove(kind.type, {api::kNamespace, what.name});
  session.console->out(fmt::format("{} {} deleted\n", kind.type.kind, what.name));
  if (what.purge) co_await purge_secret(session, secret_of(kind, object));
}

}  // namespace mtc::cli
