#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "backup/archive.hpp"
#include "backup/engine.hpp"
#include "backup/files.hpp"
#include "backup/selection.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc::backup {
namespace {

using Fate = ItemResult::Fate;
constexpr std::size_t kParallelLists = 8;

std::string identity(const ItemResult& item) { return item.group_resource + "|" + item.ns + "|" + item.name; }

/// One run: lists in parallel, writes to the one archive in turn.
class Collector {
 public:
  Collector(Environment environment, Selection selection, ArchiveWriter* archive, OnProgress on_progress)
      : environment_(std::move(environment)),
        selection_(std::move(selection)),
        archive_(archive),
        on_progress_(std::move(on_progress)),
        turn_(1) {}

  Task<Outcome> run() {
    for (const auto& ns : selection_.namespaces) co_await store_namespace(ns);
    struct Job {
      kube::ResourceType type;
      std::string ns;
    };
    std::vector<Job> jobs;
    for (const auto& type : selection_.types) {
      for (const auto& ns : selection_.namespaces) jobs.push_back({type, ns});
    }
    co_await async::parallel_for(jobs.size(), kParallelLists,
                                 [this, &jobs](std::size_t i) { return collect(jobs[i].type, jobs[i].ns); });
    co_await store_definitions();
    co_await store_bindings();
    report();
    co_return std::move(outcome_);
  }

 private:
  void note(const kube::ResourceType& type, const kube::ObjectKey& key, Fate fate, std::string detail = "") {
    outcome_.items.push_back(
        {fate, type.group_resource(), type.version, type.kind, key.ns, key.name, std::move(detail)});
  }

  void report() const {
    if (on_progress_) on_progress_({done_, std::max(done_, total_)});
  }

  Task<void> store(kube::ResourceType type, Json object) {
    const auto key = kube::key_of(object);
    if (!seen_.insert(type.group_resource() + "|" + key.str()).second) co_return;
    const auto turn = co_await turn_.acquire();
    co_await archive_->add(type, &object);
    note(type, key, Fate::kStored);
    if (++done_ % 200 == 0) report();
  }

  Task<void> store_namespace(std::string ns) {
    auto object = co_await environment_.cluster->get(kube::types::namespaces(), {"", ns});
    ++total_;
    if (!object) {
      note(kube::types::namespaces(), {"", ns}, Fate::kFailed, "the namespace does not exist");
      co_return;
    }
    co_await store(kube::types::namespaces(), std::move(*object));
  }

  /// All objects of one type in one namespace. A list that fails loses what it would have held: that is a failure of
  /// its own.
  Task<void> collect(kube::ResourceType type, std::string ns) {
    std::string failure;
    kube::ListOptions options{.label_selector = selection_.label_selector};
    try {
      for (int restarts = 0;;) {
        std::optional<kube::ListPage> page;
        try {
          page = co_await environment_.cluster->list(type, ns, options);
        } catch (const Error& error) {
          // The snapshot behind the pages is gone: from the start again; what is stored already is passed over.
          if (error.code() != Code::kExpired || ++restarts > 3) throw;
          options.continue_token.clear();
        }
        if (!page) continue;
        total_ += static_cast<std::int64_t>(page->items.size());
        for (auto& item : page->items) co_await take(type, std::move(item));
        if (page->continue_token.empty()) break;
        options.continue_token = page->continue_token;
      }
    } catch (const Error& error) {
      failure = error.what();
    }
    if (!failure.empty()) note(type, {ns, "*"}, Fate::kFailed, failure);
  }

  Task<void> take(kube::ResourceType type, Json item) {
    const auto key = kube::key_of(item);
    if (kube::label(item, "velero.io/exclude-from-backup") == "true") {
      note(type, key, Fate::kSkipped, "it is labelled velero.io/exclude-from-backup=true");
      co_return;
    }
    if (kube::is_being_deleted(item)) {
      note(type, key, Fate::kSkipped, "it is being deleted");
      co_return;
    }
    if (type.plural == "serviceaccounts") accounts_.insert(key.str());
    co_await store(std::move(type), std::move(item));
  }

  /// The definitions of the custom resources that were stored.
  Task<void> store_definitions() {
    std::set<std::string> wanted;
    for (const auto& item : outcome_.items) {
      if (item.fate == Fate::kStored && item.group_resource.contains('.')) wanted.insert(item.group_resource);
    }
    for (const auto& name : wanted) {
      auto definition = co_await environment_.cluster->get(kube::types::custom_resource_definitions(), {"", name});
      if (!definition) continue;  // a built-in group
      ++total_;
      co_await store(kube::types::custom_resource_definitions(), std::move(*definition));
    }
  }

  /// ClusterRoleBindings that name a stored ServiceAccount, and their ClusterRoles.
  Task<void> store_bindings() {
    if (accounts_.empty()) co_return;
    std::set<std::string> roles;
    const kube::ListOptions options{.resource_version = "0"};
    for (auto& binding :
         co_await kube::list_all(*environment_.cluster, kube::types::cluster_role_bindings(), "", options)) {
      const auto& subjects = array_at(binding, "subjects");
      const bool concerns = std::ranges::any_of(subjects, [this](const Json& subject) {
        return string_at(subject, "kind") == "ServiceAccount" &&
               accounts_.contains(string_at(subject, "namespace") + "/" + string_at(subject, "name"));
      });
      if (!concerns) continue;
      roles.insert(string_at(binding, "roleRef.name"));
      ++total_;
      co_await store(kube::types::cluster_role_bindings(), std::move(binding));
    }
    for (const auto& name : roles) {
      auto role = co_await environment_.cluster->get(kube::types::cluster_roles(), {"", name});
      if (!role) continue;
      ++total_;
      co_await store(kube::types::cluster_roles(), std::move(*role));
    }
  }

  Environment environment_;
  Selection selection_;
  ArchiveWriter* archive_;
  OnProgress on_progress_;
  async::Semaphore turn_;
  Outcome outcome_;
  std::set<std::string> accounts_;
  std::set<std::string> seen_;
  std::int64_t done_ = 0;
  std::int64_t total_ = 0;
};

/// Reads the archive back from the store: what it does not hold was not stored, whatever the writer believes.
Task<void> verify(Environment environment, std::string key, Outcome* outcome) {
  const auto archive = co_await Archive::fetch(environment.store.get(), key);
  std::set<std::string> held;
  for (const auto& object : archive->objects())
    held.insert(object.group_resource + "|" + object.ns + "|" + object.name);
  for (auto& item : outcome->items) {
    if (item.fate != Fate::kStored || held.contains(identity(item))) continue;
    item.fate = Fate::kFailed;
    item.detail = "the archive that came back from the bucket does not hold it";
  }
}

/// The outcome of a backup that was published by an earlier run, from its resource list; nullopt if there is none.
Task<std::optional<Outcome>> published(Environment environment, Json backup) {
  const auto name = string_at(backup, "metadata.name");
  const auto folder = backup_folder(environment, name);
  const auto metadata = co_await blob::read_all(*environment.store, folder + "velero-backup.json");
  if (!metadata) co_return std::nullopt;
  if (kube::uid_of(parse_json(*metadata)) != kube::uid_of(backup)) {
    throw Error(Code::kAlreadyExists,
                fmt::format("{} holds another backup named {} already", environment.store->describe(), name));
  }
  const auto archive = co_await Archive::fetch(environment.store.get(), folder + name + ".tar.gz");
  Outcome outcome;
  for (const auto& object : archive->objects()) {
    const auto json = archive->read(object);
    const auto version = string_at(json, "apiVersion");
    outcome.items.push_back({Fate::kStored, object.group_resource, version.substr(version.find('/') + 1),
                             string_at(json, "kind"), object.ns, object.name, ""});
  }
  co_return outcome;
}

}  // namespace

Task<Outcome> run_backup(Environment environment, Json backup, OnProgress on_progress) {
  const auto& clock = environment.clock != nullptr ? *environment.clock : system_clock();
  const auto name = string_at(backup, "metadata.name");
  const auto folder = backup_folder(environment, name);
  if (auto before = co_await published(environment, backup)) {
    const auto count = static_cast<std::int64_t>(before->items.size());
    if (on_progress) on_progress({count, count});
    co_return std::move(*before);
  }
  const auto discovery = co_await environment.cluster->discovery(kube::Client::Refresh::kYes);
  auto selection = select(object_at(backup, "spec"), *discovery);
  ArchiveWriter writer(co_await environment.store->create(folder + name + ".tar.gz"));
  auto outcome = co_await Collector(environment, std::move(selection), &writer, on_progress).run();
  for (const auto& group : discovery->failed_groups()) {
    outcome.items.push_back(
        {Fate::kFailed, group, "", "", "", "*", "the cluster does not say what this API group holds"});
  }
  co_await writer.commit();
  co_await verify(environment, folder + name + ".tar.gz", &outcome);
  co_await write_backup_companions(environment, name, &outcome, log_text(outcome, clock.now()));

  // Last, and once: every reader keys on this file, so a backup is there whole or not at all.
  const auto stored = outcome.counts()["stored"];
  const auto now = clock.now();
  backup["status"]["phase"] = outcome.complete() ? "Completed" : "PartiallyFailed";
  backup["status"]["version"] = 1;
  backup["status"]["formatVersion"] = "1.1.0";
  backup["status"]["completionTimestamp"] = rfc3339(now);
  if (string_at(backup, "status.startTimestamp").empty()) backup["status"]["startTimestamp"] = rfc3339(now);
  if (string_at(backup, "status.expiration").empty()) {
    const auto ttl = parse_go_duration(string_at(backup, "spec.ttl")).value_or(std::chrono::hours(720));
    backup["status"]["expiration"] = rfc3339(now + std::chrono::duration_cast<Time::duration>(ttl));
  }
  backup["status"]["progress"] = {{"totalItems", stored}, {"itemsBackedUp", stored}};
  co_await environment.store->put(folder + "velero-backup.json", dump_pretty(backup));
  co_return outcome;
}

}  // namespace mtc::backup
