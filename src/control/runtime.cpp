#include "control/runtime.hpp"

#include <exception>
#include <map>
#include <utility>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "control/interests.hpp"
#include "control/work_queue.hpp"
#include "json/json.hpp"

namespace mtc::control {
namespace {

using Instant = WorkQueue::Instant;

/// What of an object wakes its reconciler: everything but status and bookkeeping.
std::string intent_of(const Json& object) {
  Json intent = Json::object();
  for (const auto* part : {"spec", "data"}) {
    if (const auto* value = member(object, part)) intent[part] = *value;
  }
  intent["labels"] = object_at(object, "metadata.labels");
  intent["deletionTimestamp"] = string_at(object, "metadata.deletionTimestamp");
  intent["uid"] = string_at(object, "metadata.uid");
  return sha256(dump(intent));
}

}  // namespace

/// One kind: its reconciler, its queue and its workers.
struct Kind {
  std::shared_ptr<Reconciler> reconciler;
  std::size_t workers = 1;
  WorkQueue queue;
  async::Event wake;
  std::map<kube::ObjectKey, std::string> intents;
};

/// One watch and who is told of its changes, in the order in which they asked.
struct Source {
  kube::ClientPtr cluster;
  kube::ResourceType type;
  std::string ns;
  std::vector<std::function<void(const kube::Change&)>> listeners;
};

struct Runtime::State {
  std::map<std::string, std::shared_ptr<Kind>> kinds;
  std::vector<Source> sources;
  std::unique_ptr<Interests> interests;
  async::Event settled;

  Source& source(kube::ClientPtr cluster, kube::ResourceType type, std::string ns) {
    for (auto& known : sources) {
      if (known.cluster == cluster && known.type == type && known.ns == ns) return known;
    }
    return sources.emplace_back(Source{std::move(cluster), std::move(type), std::move(ns), {}});
  }

  void enqueue(const std::string& kind, const kube::ObjectKey& key, Duration delay = Duration::zero()) {
    const auto at = kinds.find(kind);
    if (at == kinds.end()) return;
    at->second->queue.add(key, std::chrono::steady_clock::now() + delay);
    at->second->wake.set();
  }

  void own_change(const std::shared_ptr<Kind>& kind, const kube::Change& change) {
    if (change.type == kube::Change::Type::kSynced) return;
    const auto key = kube::key_of(change.object);
    if (change.type == kube::Change::Type::kDeleted) {
      kind->intents.erase(key);
      interests->forget({kind->reconciler->kind(), key});
    } else {
      auto intent = intent_of(change.object);
      auto& known = kind->intents[key];
      if (known == intent) return;
      known = std::move(intent);
    }
    enqueue(kind->reconciler->kind(), key);
  }

  /// An object that cannot be worked on, even by a bug of ours, must not stop the work on all others.
  static Duration failed(Kind& kind, const kube::ObjectKey& key, const Error& error) {
    const auto delay = kind.queue.failed(key, system_rng());
    // Somebody else wrote first: that is nobody's fault, and the next pass reads it.
    const auto level = error.code() == Code::kConflict ? log::Level::kDebug : log::Level::kWarn;
    log::write(level, "pass failed",
               {{"kind", kind.reconciler->kind()},
                {"object", key.str()},
                {"error", error.what()},
                {"again_in_ms", delay.count() / 1'000'000}});
    return delay;
  }

  Task<void> pass(std::shared_ptr<Kind> kind, kube::ObjectKey key) {
    Result result;
    try {
      result = co_await kind->reconciler->reconcile(key);
      kind->queue.succeeded(key);
    } catch (...) {  // A cancellation goes on up.
      result.again_after = failed(*kind, key, async::as_error(std::current_exception()));
    }
    interests->replace({kind->reconciler->kind(), key}, std::move(result.wake_on));
    if (result.again_after) enqueue(kind->reconciler->kind(), key, *result.again_after);
  }

  Task<void> work(std::shared_ptr<Kind> kind) {
    for (;;) {
      const auto key = kind->queue.take(std::chrono::steady_clock::now());
      if (!key) {
        kind->wake.reset();
        settled.set();
        const auto due = kind->queue.next_due();
        if (!due) {
          co_await kind->wake.wait();
        } else {
          co_await kind->wake.wait_for(*due - std::chrono::steady_clock::now());
        }
        continue;
      }
      std::exception_ptr failure;
      try {
        co_await pass(kind, *key);
      } catch (...) {  // A cancellation or a bug: the key is given back, then it goes on up.
        failure = std::current_exception();
      }
      kind->queue.done(*key);
      kind->wake.set();
      if (failure) std::rethrow_exception(failure);
    }
  }

  bool idle(Instant horizon) const {
    for (const auto& [name, kind] : kinds) {
      if (kind->queue.running_count() > 0) return false;
      const auto due = kind->queue.next_due();
      if (due && *due <= horizon) return false;
    }
    return true;
  }
};

Runtime::Runtime() : state_(std::make_shared<State>()) {}
Runtime::~Runtime() = default;

void Runtime::add(std::shared_ptr<Reconciler> reconciler, kube::ClientPtr cluster, kube::ResourceType type,
                  std::string ns, std::size_t workers) {
  auto kind = std::make_shared<Kind>();
  kind->reconciler = std::move(reconciler);
  kind->workers = workers;
  state_->kinds[kind->reconciler->kind()] = kind;
  auto listener = [state = state_.get(), kind](const kube::Change& change) { state->own_change(kind, change); };
  state_->source(std::move(cluster), std::move(type), std::move(ns)).listeners.emplace_back(std::move(listener));
}

void Runtime::watch(kube::ClientPtr cluster, kube::ResourceType type, std::string ns, std::string kind, Map map) {
  auto listener = [state = state_.get(), kind = std::move(kind), map = std::move(map)](const kube::Change& change) {
    if (change.type == kube::Change::Type::kSynced) return;
    for (const auto& key : map(change)) state->enqueue(kind, key);
  };
  state_->source(std::move(cluster), std::move(type), std::move(ns)).listeners.emplace_back(std::move(listener));
}

void Runtime::enqueue(const std::string& kind, kube::ObjectKey key) { state_->enqueue(kind, key); }

Task<void> Runtime::run() {
  const auto state = state_;
  auto scope = co_await async::Scope::create();
  state->interests = co_await Interests::create(
      [state = state.get()](const Interests::Subscriber& who) { state->enqueue(who.kind, who.key); });
  for (const auto& [name, kind] : state->kinds) {
    for (std::size_t i = 0; i < kind->workers; ++i) scope.spawn(state->work(kind));
  }
  for (const auto& source : state->sources) {
    auto tell = [&source](const kube::Change& change) {
      for (const auto& listener : source.listeners) listener(change);
    };
    scope.spawn(kube::follow(source.cluster, source.type, source.ns, {}, std::move(tell)));
  }

  std::exception_ptr failure;
  try {
    co_await scope.join();
  } catch (...) {  // Rethrown once the interests' watches have ended too.
    failure = std::current_exception();
  }
  co_await state->interests->stop();
  if (failure) std::rethrow_exception(failure);
}

Task<void> Runtime::wait_idle(Duration horizon) {
  const auto state = state_;
  while (!state->idle(std::chrono::steady_clock::now() + horizon)) {
    state->settled.reset();
    co_await state->settled.wait_for(std::chrono::milliseconds(20));
  }
}

}  // namespace mtc::control
