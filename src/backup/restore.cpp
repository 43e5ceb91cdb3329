#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "backup/archive.hpp"
#include "backup/engine.hpp"
#include "backup/files.hpp"
#include "backup/item_rules.hpp"
#include "backup/restore_order.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "kube/follow.hpp"

namespace mtc::backup {
namespace {

using Fate = ItemResult::Fate;
constexpr std::size_t kParallelWrites = 12;
constexpr auto kEstablishLimit = std::chrono::seconds(30);
constexpr auto kTerminatingLimit = std::chrono::minutes(2);

/// The labels that say which migration made an object; rollback finds it by them.
constexpr std::array kCopiedLabels = {"migration.openshift.io/migrated-by-migmigration",
                                      "migration.openshift.io/migrated-by-migplan"};
constexpr auto kRestoreName = "velero.io/restore-name";
constexpr auto kBackupName = "velero.io/backup-name";
constexpr auto kClaimNames = "migration.openshift.io/claim-names";  ///< what `migrate` writes

struct Names {
  std::string group, plural;
};
Names names_of(const std::string& group_resource) {
  const auto dot = group_resource.find('.');
  return {dot == std::string::npos ? "" : group_resource.substr(dot + 1), group_resource.substr(0, dot)};
}

/// Claims of other names on the destination; none if the annotation is not there, or is no such list.
ClaimNames claim_names_of(const Json& restore) {
  ClaimNames names;
  const auto text = kube::annotation(restore, kClaimNames);
  if (text.empty()) return names;
  const auto list = parse_json(text, {.max_depth = 4});
  if (!list.is_object()) return names;
  for (const auto& [claim, name] : list.items()) {
    if (name.is_string()) names[claim] = name.get<std::string>();
  }
  return names;
}

void drop_node_ports(Json& service) {
  for (auto& port : service["spec"]["ports"]) port.erase("nodePort");
  service["spec"].erase("healthCheckNodePort");
}

class Restorer {
 public:
  Restorer(Environment environment, Json restore, const Archive* archive, OnProgress on_progress)
      : environment_(std::move(environment)),
        restore_(std::move(restore)),
        archive_(archive),
        on_progress_(std::move(on_progress)) {
    context_.restore_name = string_at(restore_, "metadata.name");
    context_.backup_name = string_at(restore_, "spec.backupName");
    for (const auto& [from, to] : object_at(restore_, "spec.namespaceMapping").items()) {
      if (to.is_string()) context_.namespace_mapping[from] = to.get<std::string>();
    }
    context_.claim_names = claim_names_of(restore_);
    context_.labels[kRestoreName] = label_value(context_.restore_name);
    context_.labels[kBackupName] = label_value(context_.backup_name);
    for (const auto* key : kCopiedLabels) {
      if (const auto value = kube::label(restore_, key); !value.empty()) context_.labels[key] = value;
    }
  }

  Task<Outcome> run() {
    index();
    discovery_ = co_await environment_.cluster->discovery(kube::Client::Refresh::kYes);
    for (const auto& kind : restore_order(kinds())) {
      co_await restore_kind(kind);
      if (kind == "customresourcedefinitions.apiextensions.k8s.io")
        discovery_ = co_await environment_.cluster->discovery(kube::Client::Refresh::kYes);
    }
    report();
    co_return std::move(outcome_);
  }

 private:
  /// One pass over the archive: what refers to what.
  void index() {
    const auto excluded = strings_at(restore_, "spec.excludedResources");
    for (const auto& object : archive_->objects()) {
      by_kind_[object.group_resource].push_back(&object);
      const auto json = archive_->read(object);
      context_.owners[kube::uid_of(json)] = string_at(json, "kind") + " " + object.name;
      if (object.group_resource == "services")
        context_.services[object.ns + "/" + object.name] = !object_at(json, "spec.selector").empty();
      if (object.group_resource == "serviceaccounts") context_.accounts.insert(object.ns + "/" + object.name);
    }
    for (const auto& name : excluded) excluded_.insert(name);
    total_ = static_cast<std::int64_t>(archive_->objects().size());
  }

  std::vector<std::string> kinds() const {
    std::vector<std::string> out;
    out.reserve(by_kind_.size());
    for (const auto& [kind, objects] : by_kind_) out.push_back(kind);
    return out;
  }

  Task<void> restore_kind(std::string kind) {
    const auto& objects = by_kind_.at(kind);
    co_await async::parallel_for(objects.size(), kParallelWrites,
                                 [this, &objects](std::size_t i) { return restore_one(objects[i]); });
  }

  void report() const {
    if (on_progress_) on_progress_({done_, total_});
  }

  Task<void> restore_one(const ArchivedObject* where) {
    ItemResult item{Fate::kFailed, where->group_resource, "", "", where->ns, where->name, ""};
    try {
      co_await decide(where, &item);
    } catch (...) {  // The others are restored all the same; a cancellation goes on up.
      item.fate = Fate::kFailed;
      item.detail = async::as_error(std::current_exception()).what();
    }
    outcome_.items.push_back(std::move(item));
    if (++done_ % 100 == 0) report();
  }

  Task<void> decide(const ArchivedObject* where, ItemResult* item) {
    auto object = archive_->read(*where);
    const auto api_version = string_at(object, "apiVersion");
    item->version = api_version.substr(api_version.find('/') + 1);
    item->kind = string_at(object, "kind");
    if (excluded_.contains(where->group_resource))
      co_return skip(item, "the plan leaves this kind out: the destination does not serve it");
    if (auto reason = reason_to_skip(*where, object, context_)) co_return skip(item, std::move(*reason));
    const auto type = type_of(*where, object);
    if (!type)
      throw Error(Code::kUnsupported, fmt::format("the destination does not serve {} {}", api_version, item->kind));
    if (where->group_resource == "namespaces") co_return co_await restore_namespace(std::move(object), item);
    const auto changes = adapt(*where, object, context_);
    object["apiVersion"] = type->api_version();
    co_await create(*type, std::move(object), changes, item);
  }

  static void skip(ItemResult* item, std::string reason) {
    item->fate = Fate::kSkipped;
    item->detail = std::move(reason);
  }

  /// The served type: the version of the archive if the destination has it, else the group's preferred one.
  std::optional<kube::ResourceType> type_of(const ArchivedObject& where, const Json& object) const {
    const auto [group, plural] = names_of(where.group_resource);
    const auto api_version = string_at(object, "apiVersion");
    const auto version = api_version.substr(api_version.find('/') + 1);
    if (const auto* exact = discovery_->find_exact(group, version, plural)) return exact->type;
    const auto* any = discovery_->find_resource(group, plural);
    return any != nullptr ? std::optional(any->type) : std::nullopt;
  }

  /// Namespaces are made under their new name; one that is there stays as it is, one that is going is waited for.
  Task<void> restore_namespace(Json object, ItemResult* item) {
    const auto source = item->name;
    auto changes = adapt({item->group_resource, "", source}, object, context_);
    const auto name = context_.mapped(source);
    object["metadata"]["name"] = name;
    if (object["metadata"].contains("labels")) object["metadata"]["labels"].erase("kubernetes.io/metadata.name");
    if (name != source) changes.push_back("named " + name);
    if (const auto live = co_await environment_.cluster->get(kube::types::namespaces(), {"", name});
        live && kube::is_being_deleted(*live)) {
      const bool gone =
          co_await kube::wait_until(environment_.cluster, kube::types::namespaces(), {"", name}, kTerminatingLimit,
                                    [](const std::optional<Json>& now) { return !now; });
      if (!gone)
        throw Error(Code::kTimeout,
                    fmt::format("namespace {} of the destination is being deleted and does not go", name));
    }
    co_await create(kube::types::namespaces(), std::move(object), std::move(changes), item);
  }

  enum class Created { kNow, kBefore, kPortTaken };
  Task<Created> try_create(kube::ResourceType type, Json object) {
    try {
      co_await environment_.cluster->create(type, std::move(object));
      co_return Created::kNow;
    } catch (const Error& error) {
      if (error.code() == Code::kAlreadyExists) co_return Created::kBefore;
      const bool taken = type.plural == "services" && error.message().contains("provided port is already allocated");
      if (!taken) throw;
    }
    co_return Created::kPortTaken;
  }

  Task<void> create(kube::ResourceType type, Json object, std::vector<std::string> changes, ItemResult* item) {
    auto created = co_await try_create(type, object);
    if (created == Created::kPortTaken) {
      drop_node_ports(object);
      changes.emplace_back("new node ports: those that it asked for are taken on the destination");
      created = co_await try_create(type, object);
      if (created == Created::kPortTaken)
        throw Error(Code::kConflict, fmt::format("Service {}: the destination has no port for it", item->name));
    }
    if (created == Created::kBefore) {
      co_await meet_existing(type, std::move(object), std::move(changes), item);
    } else {
      finish(item, changes);
    }
    if (type.plural == "customresourcedefinitions") co_await established(item->name);
  }

  static void finish(ItemResult* item, const std::vector<std::string>& changes) {
    item->fate = changes.empty() ? Fate::kRestored : Fate::kTransformed;
    item->detail = join(changes, "; ");
  }

  /// Somebody made it before: this restore in an earlier run, the cluster itself, or somebody else.
  Task<void> meet_existing(kube::ResourceType type, Json object, std::vector<std::string> changes, ItemResult* item) {
    const auto key = kube::key_of(object);
    const auto live = co_await environment_.cluster->get(type, key);
    if (!live)
      throw Error(Code::kConflict,
                  fmt::format("{} {} appeared and vanished on the destination", type.group_resource(), key.str()));
    if (kube::label(*live, kRestoreName) == context_.labels.at(kRestoreName)) co_return finish(item, changes);
    if (type.plural == "serviceaccounts")
      co_return co_await merge_account(type, std::move(object), *live, std::move(changes), item);
    for (const auto& [label, value] : context_.labels) object["metadata"]["labels"].erase(label);
    if (object["metadata"]["labels"].empty()) object["metadata"].erase("labels");
    const auto difference = first_difference(object, *live);
    if (difference.empty()) {
      changes.emplace_back("was there already, equal");
      finish(item, changes);
    } else if (type.plural == "namespaces") {
      changes.emplace_back("was there already and keeps its own " + difference);
      finish(item, changes);
    } else {
      item->conflict = true;
      skip(item, fmt::format("{} is on the destination already and differs in {}; it was left as it is", key.str(),
                             difference));
    }
  }

  /// A ServiceAccount is made by the cluster: what the source's had more is added (velero.md §4.7).
  Task<void> merge_account(kube::ResourceType type, Json object, Json live, std::vector<std::string> changes,
                           ItemResult* item) {
    Json patch = Json::object();
    for (const auto* list : {"secrets", "imagePullSecrets"}) {
      Json merged = array_at(live, list);
      for (const auto& wanted : array_at(object, list)) {
        const auto same = [&](const Json& have) { return string_at(have, "name") == string_at(wanted, "name"); };
        if (std::none_of(merged.begin(), merged.end(), same)) merged.push_back(wanted);
      }
      if (merged != array_at(live, list)) patch[list] = merged;
    }
    for (const auto* part : {"annotations", "labels"}) {
      for (const auto& [key, value] : object_at(object, std::string("metadata.") + part).items()) {
        // The cluster's own account is not ours to delete on a rollback: it gets no label of the migration.
        if (context_.labels.contains(key) || object_at(live, std::string("metadata.") + part).contains(key)) continue;
        patch["metadata"][part][key] = value;
      }
    }
    if (!patch.empty()) {
      co_await environment_.cluster->patch(type, kube::key_of(live), kube::PatchKind::kMerge, patch);
      changes.emplace_back("merged into the one that was there");
    }
    finish(item, changes);
  }

  Task<void> established(std::string name) {
    const auto done = [](const std::optional<Json>& definition) {
      if (!definition) return false;
      return std::ranges::any_of(array_at(*definition, "status.conditions"), [](const Json& condition) {
        return string_at(condition, "type") == "Established" && string_at(condition, "status") == "True";
      });
    };
    if (!co_await kube::wait_until(environment_.cluster, kube::types::custom_resource_definitions(), {"", name},
                                   kEstablishLimit, done)) {
      throw Error(Code::kTimeout, fmt::format("CustomResourceDefinition {} is not established after 30 s", name));
    }
  }

  Environment environment_;
  Json restore_;
  const Archive* archive_;
  OnProgress on_progress_;
  RestoreContext context_;
  std::map<std::string, std::vector<const ArchivedObject*>> by_kind_;
  std::set<std::string> excluded_;
  std::shared_ptr<const kube::Discovery> discovery_;
  Outcome outcome_;
  std::int64_t done_ = 0;
  std::int64_t total_ = 0;
};

}  // namespace

Task<Outcome> run_restore(Environment environment, Json restore, OnProgress on_progress) {
  const auto& clock = environment.clock != nullptr ? *environment.clock : system_clock();
  const auto backup = string_at(restore, "spec.backupName");
  const auto folder = backup_folder(environment, backup);
  if (!co_await environment.store->head(folder + "velero-backup.json")) {
    throw Error(Code::kNotFound, fmt::format("{} holds no backup named {}", environment.store->describe(), backup));
  }
  const auto archive = co_await Archive::fetch(environment.store.get(), folder + backup + ".tar.gz");
  auto outcome = co_await Restorer(environment, restore, archive.get(), std::move(on_progress)).run();
  co_await write_restore_companions(environment, string_at(restore, "metadata.name"), &outcome,
                                    log_text(outcome, clock.now()));
  co_return outcome;
}

}  // namespace mtc::backup
