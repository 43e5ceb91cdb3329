#include "sandbox/controllers.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "sandbox/auth.hpp"
#include "sandbox/controller_tools.hpp"
#include "sandbox/copies.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/kubelet.hpp"
#include "sandbox/quota.hpp"
#include "sandbox/volumes.hpp"

namespace mtc::sandbox {
namespace {

class Controllers {
 public:
  Controllers(Objects* objects, Folder* folder, ControllerOptions options, Rng* rng, async::Scope* scope,
              std::function<void()> wake)
      : objects_(*objects),
        storage_(objects->storage()),
        copies_(scope, std::move(wake)),
        volumes_(objects, folder, &copies_),
        kubelet_(objects, folder, std::move(options.program), rng, scope),
        ca_pem_(std::move(options.ca_pem)),
        rng_(*rng) {}

  /// One look at everything: small clusters, and only when something changed.
  void round() {
    for (const auto& ns : storage_.list("namespaces", "")) on_namespace(*ns);
    collect_garbage();
    for (const auto& secret : storage_.list("secrets", "")) on_secret(*secret);
    for (const auto& deployment : storage_.list("deployments.apps", "")) on_deployment(*deployment);
    for (const auto* kind :
         {"replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "replicationcontrollers"}) {
      for (const auto& workload : storage_.list(kind, "")) on_workload(built_in(kind), *workload);
    }
    volumes_.look();
    kubelet_.look();
    for (const auto& quota : storage_.list("resourcequotas", ""))
      set_status(objects_, built_in("resourcequotas"), *quota, quota_status(storage_, *quota));
  }

 private:
  void on_namespace(const Json& ns) {
    const auto name = name_of(ns);
    if (!is_leaving(ns)) {
      if (!storage_.get({"serviceaccounts", name, "default"}))
        try_create(objects_, built_in("serviceaccounts"), name, {{"metadata", {{"name", "default"}}}});
      if (!storage_.get({"configmaps", name, "kube-root-ca.crt"}))
        try_create(objects_, built_in("configmaps"), name,
                   {{"metadata", {{"name", "kube-root-ca.crt"}}}, {"data", {{"ca.crt", ca_pem_}}}});
      return;
    }
    bool empty = true;
    for (const auto& resource : objects_.resources().all()) {
      if (!resource->type.namespaced) continue;
      for (const auto& object : storage_.list(resource->type.group_resource(), name)) {
        const bool gone =
            !is_leaving(*object) && objects_.remove(*resource, name, name_of(*object), Json::object()).gone;
        empty = empty && gone;
      }
    }
    if (!empty) return;
    auto done = *storage_.get({"namespaces", "", name});
    done["spec"]["finalizers"] = Json::array();
    done["metadata"].erase("resourceVersion");
    objects_.update(built_in("namespaces"), "", name, done);
  }

  /// An object of a kind, and what the garbage collector asks about it.
  struct Found {
    ResourcePtr resource;
    ObjectPtr object;
  };

  /// Dependents follow their owners: those whose owners are all gone are removed; an owner that leaves orphans its
  /// dependents or waits for them, as its finalizer says.
  void collect_garbage() {
    std::set<std::string> alive;
    std::vector<Found> dependents, leaving;
    for (const auto& resource : objects_.resources().all()) {
      for (const auto& object : storage_.list(resource->type.group_resource(), "")) {
        alive.insert(uid_of(*object));
        if (!array_at(*object, "metadata.ownerReferences").empty()) dependents.push_back({resource, object});
        if (is_leaving(*object)) leaving.push_back({resource, object});
      }
    }
    for (const auto& owner : leaving) {
      const auto finalizers = strings_at(*owner.object, "metadata.finalizers");
      const auto has = [&](const char* name) { return std::ranges::find(finalizers, name) != finalizers.end(); };
      if (has("orphan")) {
        for (const auto& dependent : dependents) disown(dependent, uid_of(*owner.object));
        drop_finalizer(objects_, *owner.resource, *owner.object, "orphan");
      } else if (has("foregroundDeletion") && !blocked(owner, dependents)) {
        drop_finalizer(objects_, *owner.resource, *owner.object, "foregroundDeletion");
      }
    }
    for (const auto& [resource, object] : dependents) {
      if (is_leaving(*object)) continue;
      const auto now = storage_.get({resource->type.group_resource(), ns_of(*object), name_of(*object)});
      if (!now) continue;
      const auto& owners = array_at(*now, "metadata.ownerReferences");
      const bool orphaned = !owners.empty() && std::ranges::none_of(owners, [&](const Json& owner) {
        return alive.contains(string_at(owner, "uid"));
      });
      if (orphaned) objects_.remove(*resource, ns_of(*object), name_of(*object), Json::object());
    }
  }

  static bool is_owned_by(const Json& object, const std::string& uid) {
    return std::ranges::any_of(array_at(object, "metadata.ownerReferences"),
                               [&](const Json& owner) { return string_at(owner, "uid") == uid; });
  }

  void disown(const Found& dependent, const std::string& owner) {
    if (!is_owned_by(*dependent.object, owner)) return;
    auto changed = *dependent.object;
    auto& owners = changed["metadata"]["ownerReferences"];
    for (auto at = owners.begin(); at != owners.end();)
      at = string_at(*at, "uid") == owner ? owners.erase(at) : std::next(at);
    if (owners.empty()) changed["metadata"].erase("ownerReferences");
    changed["metadata"].erase("resourceVersion");
    objects_.update(*dependent.resource, ns_of(changed), name_of(changed), changed);
  }

  /// Removes what an owner that is deleted in the foreground waits for; true while some of it is left.
  bool blocked(const Found& owner, const std::vector<Found>& dependents) {
    bool waits = false;
    for (const auto& [resource, object] : dependents) {
      if (!is_owned_by(*object, uid_of(*owner.object))) continue;
      const Address at{resource->type.group_resource(), ns_of(*object), name_of(*object)};
      if (!is_leaving(*object) && storage_.get(at))
        objects_.remove(*resource, at.ns, at.name, {{"propagationPolicy", "Foreground"}});
      const bool blocks =
          std::ranges::any_of(array_at(*object, "metadata.ownerReferences"), [&](const Json& reference) {
            return string_at(reference, "uid") == uid_of(*owner.object) && bool_at(reference, "blockOwnerDeletion");
          });
      waits = waits || (blocks && storage_.get(at) != nullptr);
    }
    return waits;
  }

  void on_secret(const Json& secret) {
    if (string_at(secret, "type") != "kubernetes.io/service-account-token" ||
        object_at(secret, "data").contains("token"))
      return;
    const auto& annotations = object_at(secret, "metadata.annotations");
    const auto* account_name = member(annotations, "kubernetes.io/service-account.name");
    if (account_name == nullptr || !account_name->is_string()) return;
    const auto account = storage_.get({"serviceaccounts", ns_of(secret), account_name->get<std::string>()});
    if (!account) return;
    auto filled = secret;
    filled["metadata"]["annotations"]["kubernetes.io/service-account.uid"] = uid_of(*account);
    filled["data"]["token"] = base64_encode(
        issue_token(storage_, ns_of(secret), account_name->get<std::string>(), std::nullopt, Time{}, rng_));
    filled["data"]["namespace"] = base64_encode(ns_of(secret));
    filled["data"]["ca.crt"] = base64_encode(ca_pem_);
    objects_.update(built_in("secrets"), ns_of(secret), name_of(secret), filled);
  }

  static Json owner_reference(const Resource& resource, const Json& owner) {
    return {{"apiVersion", resource.type.api_version()},
            {"kind", resource.type.kind},
            {"name", name_of(owner)},
            {"uid", uid_of(owner)},
            {"controller", true},
            {"blockOwnerDeletion", true}};
  }

  std::vector<Json> owned(const std::string& group_resource, const Json& owner) const {
    std::vector<Json> out;
    for (const auto& object : storage_.list(group_resource, ns_of(owner))) {
      if (is_owned_by(*object, uid_of(owner))) out.push_back(*object);
    }
    return out;
  }

  void on_deployment(const Json& deployment) {
    if (is_leaving(deployment) || bool_at(deployment, "spec.paused")) return;
    const auto& sets = built_in("replicasets.apps");
    const auto hash = hex(sha256(dump(object_at(deployment, "spec.template")))).substr(0, 10);
    const auto wanted = int_at(deployment, "spec.replicas").value_or(1);
    std::int64_t ready = 0, replicas = 0;
    bool current = false;
    for (auto& set : owned("replicasets.apps", deployment)) {
      const bool is_current = name_of(set) == name_of(deployment) + "-" + hash;
      current = current || is_current;
      const auto count = is_current ? wanted : 0;
      if (int_at(set, "spec.replicas") != count) {
        set["spec"]["replicas"] = count;
        set["metadata"].erase("resourceVersion");
        objects_.update(sets, ns_of(set), name_of(set), set);
      }
      ready += int_at(set, "status.readyReplicas").value_or(0);
      replicas += int_at(set, "status.replicas").value_or(0);
    }
    if (!current) {
      auto pod_template = object_at(deployment, "spec.template");
      auto selector = object_at(deployment, "spec.selector");
      pod_template["metadata"]["labels"]["pod-template-hash"] = hash;
      selector["matchLabels"]["pod-template-hash"] = hash;
      try_create(objects_, sets, ns_of(deployment),
                 {{"metadata",
                   {{"name", name_of(deployment) + "-" + hash},
                    {"labels", pod_template["metadata"]["labels"]},
                    {"ownerReferences", Json::array({owner_reference(built_in("deployments.apps"), deployment)})}}},
                  {"spec", {{"replicas", wanted}, {"selector", selector}, {"template", pod_template}}}});
    }
    Json status = {
        {"observedGeneration", int_at(deployment, "metadata.generation").value_or(1)},
        {"conditions", Json::array({{{"type", "Available"}, {"status", ready >= wanted ? "True" : "False"}}})}};
    if (replicas > 0) status.update({{"replicas", replicas}, {"updatedReplicas", replicas}});
    if (ready > 0) status.update({{"readyReplicas", ready}, {"availableReplicas", ready}});
    set_status(objects_, built_in("deployments.apps"), deployment, status);
  }

  static std::int64_t wanted_pods(const Resource& resource, const Json& workload) {
    const auto& kind = resource.type.kind;
    if (kind == "DaemonSet") return object_at(workload, "spec.template.spec.nodeSelector").empty() ? 1 : 0;
    if (kind == "Job") {
      const bool rests = bool_at(workload, "spec.suspend") || !string_at(workload, "status.completionTime").empty();
      return rests ? 0 : int_at(workload, "spec.parallelism").value_or(1);
    }
    return int_at(workload, "spec.replicas").value_or(1);
  }

  /// A claim of a StatefulSet's pod: it is there before the pod, and stays after it.
  void mount_claim(const Json& workload, Json claim, const std::string& name, Json& pod) {
    pod["spec"]["volumes"].push_back({{"name", name_of(claim)}, {"persistentVolumeClaim", {{"claimName", name}}}});
    if (storage_.get({"persistentvolumeclaims", ns_of(workload), name})) return;
    claim["metadata"]["name"] = name;
    claim["metadata"]["labels"].update(object_at(workload, "spec.selector.matchLabels"));
    claim.erase("status");
    try_create(objects_, built_in("persistentvolumeclaims"), ns_of(workload), std::move(claim));
  }

  void on_workload(const Resource& resource, const Json& workload) {
    if (is_leaving(workload)) return;
    const auto wanted = wanted_pods(resource, workload);
    auto pods = owned("pods", workload);
    std::int64_t ready = 0;
    for (std::int64_t i = wanted; i < static_cast<std::int64_t>(pods.size()); ++i) {
      objects_.remove(built_in("pods"), ns_of(workload), name_of(pods[static_cast<std::size_t>(i)]), Json::object());
    }
    for (auto i = static_cast<std::int64_t>(pods.size()); i < wanted; ++i) {
      Json pod = object_at(workload, "spec.template");
      const auto suffix = resource.type.kind == "StatefulSet" ? std::to_string(i) : name_suffix(rng_);
      pod["metadata"]["name"] = name_of(workload) + "-" + suffix;
      pod["metadata"]["ownerReferences"] = Json::array({owner_reference(resource, workload)});
      for (const auto& claim : array_at(workload, "spec.volumeClaimTemplates"))
        mount_claim(workload, claim, name_of(claim) + "-" + name_of(pod), pod);
      try_create(objects_, built_in("pods"), ns_of(workload), pod);
    }
    for (const auto& pod : owned("pods", workload)) ready += string_at(pod, "status.phase") == "Running" ? 1 : 0;
    Json status = object_at(workload, "status");
    status["observedGeneration"] = int_at(workload, "metadata.generation").value_or(1);
    if (resource.type.kind == "DaemonSet") {
      status["desiredNumberScheduled"] = status["currentNumberScheduled"] = wanted;
      status["numberReady"] = ready;
    } else if (resource.type.kind == "Job") {
      status["active"] = ready;
      status.erase("conditions");
      if (bool_at(workload, "spec.suspend"))
        status["conditions"] = Json::array({{{"type", "Suspended"}, {"status", "True"}, {"reason", "JobSuspended"}}});
    } else {
      status["replicas"] = static_cast<std::int64_t>(owned("pods", workload).size());
      status["readyReplicas"] = status["availableReplicas"] = ready;
    }
    set_status(objects_, resource, workload, status);
  }

  Objects& objects_;
  Storage& storage_;
  Copies copies_;
  Volumes volumes_;
  Kubelet kubelet_;
  std::string ca_pem_;
  Rng& rng_;
};

/// Volumes can hold many files: removing them holds nothing up.
Task<void> empty_trash(Folder* folder, async::Event* more) {
  for (;;) {
    co_await more->wait();
    more->reset();
    co_await async::offload([folder] { folder->empty_trash(); });
  }
}

/// A round for every burst of changes.
Task<void> go_round(Controllers* controllers, Objects* objects, Folder* folder, async::Event* changed,
                    async::Event* trash) {
  struct Subscription {
    Storage& from;
    int id;
    ~Subscription() { from.unsubscribe(id); }
  };
  // Events are news to clients only: they change no workload.
  const Subscription subscription{
      objects->storage(), objects->storage().subscribe([&](const Event& event) {
        if (event.at.resource == "events" || event.at.resource == "leases.coordination.k8s.io") return;
        changed->set();
      })};
  for (;;) {
    changed->reset();
    try {
      controllers->round();
    } catch (const Failure& failure) {
      log::debug("sandbox controllers", {{"error", failure.what()}});
    } catch (const Error& error) {
      log::warn("sandbox controllers", {{"error", error.what()}});
    }
    if (folder->has_new_trash()) trash->set();
    co_await changed->wait();
    co_await async::sleep_for(std::chrono::milliseconds(5));  // changes come in bursts: one round for all of one
  }
}

}  // namespace

Task<void> run_controllers(Objects* objects, Folder* folder, ControllerOptions options, Rng* rng) {
  auto scope = co_await async::Scope::create();
  async::Event changed, trash;
  Controllers controllers(objects, folder, std::move(options), rng, &scope, [&changed] { changed.set(); });
  scope.spawn_isolated(empty_trash(folder, &trash), [](const std::exception_ptr&) {
    log::warn("sandbox: the trash is not emptied until the next start");
  });
  std::exception_ptr end;
  try {
    co_await go_round(&controllers, objects, folder, &changed, &trash);
  } catch (...) {  // What the pods run ends first.
    end = std::current_exception();
  }
  co_await scope.cancel_and_join();
  std::rethrow_exception(end);
}

}  // namespace mtc::sandbox
