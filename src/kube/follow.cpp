#include "kube/follow.hpp"

#include <exception>
#include <map>
#include <utility>

#include "async/retry.hpp"
#include "async/scope.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "json/json.hpp"

namespace mtc::kube {
namespace {

/// What was seen of each object: enough to tell after a new list what changed meanwhile.
struct Seen {
  std::string uid;
  std::string resource_version;
};

class Follower {
 public:
  Follower(ClientPtr client, ResourceType type, std::string ns, WatchOptions options,
           std::function<void(Change)> on_change)
      : client_(std::move(client)),
        type_(std::move(type)),
        ns_(std::move(ns)),
        options_(std::move(options)),
        on_change_(std::move(on_change)) {}

  /// Lists what is there and reports the differences to what was seen before.
  Task<void> list() {
    std::map<ObjectKey, Seen> now;
    ListOptions options{.label_selector = options_.label_selector, .field_selector = options_.field_selector};
    for (;;) {
      auto page = co_await client_->list(type_, ns_, options);
      version_ = page.resource_version;
      for (auto& item : page.items) {
        const auto key = key_of(item);
        now[key] = {uid_of(item), resource_version_of(item)};
        report(key, std::move(item));
      }
      if (page.continue_token.empty()) break;
      options.continue_token = page.continue_token;
    }
    for (const auto& [key, before] : std::exchange(seen_, std::move(now))) {
      if (seen_.contains(key)) continue;
      on_change_({Change::Type::kDeleted, tombstone(key, before)});
    }
    if (std::exchange(synced_, true)) co_return;
    on_change_({Change::Type::kSynced, nullptr});
  }

  /// Watches from the last version until the server ends it.
  Task<void> watch() {
    auto options = options_;
    options.resource_version = version_;
    const auto watch = co_await client_->watch(type_, ns_, options);
    while (auto event = co_await watch->next()) {
      // A server that leaves it out is followed from the version before: events come twice rather than never.
      if (auto version = resource_version_of(event->object); !version.empty()) version_ = std::move(version);
      if (event->type == WatchEvent::Type::kBookmark) continue;
      const auto key = key_of(event->object);
      if (event->type == WatchEvent::Type::kDeleted) {
        seen_.erase(key);
        on_change_({Change::Type::kDeleted, std::move(event->object)});
      } else {
        report(key, std::move(event->object));
      }
    }
  }

 private:
  void report(const ObjectKey& key, Json object) {
    const auto at = seen_.find(key);
    const Seen now{uid_of(object), resource_version_of(object)};
    const bool known = at != seen_.end() && at->second.uid == now.uid;
    if (known && at->second.resource_version == now.resource_version) return;
    seen_[key] = now;
    on_change_({known ? Change::Type::kModified : Change::Type::kAdded, std::move(object)});
  }

  Json tombstone(const ObjectKey& key, const Seen& before) const {
    return {{"apiVersion", type_.api_version()},
            {"kind", type_.kind},
            {"metadata", {{"namespace", key.ns}, {"name", key.name}, {"uid", before.uid}}}};
  }

  ClientPtr client_;
  ResourceType type_;
  std::string ns_;
  WatchOptions options_;
  std::function<void(Change)> on_change_;
  std::map<ObjectKey, Seen> seen_;
  std::string version_;
  bool synced_ = false;
};

}  // namespace

Task<void> follow(ClientPtr client, ResourceType type, std::string ns, WatchOptions options,
                  std::function<void(Change)> on_change, std::function<void(const Error&)> on_error) {
  const auto name = type.group_resource();
  const async::Backoff backoff{.base = std::chrono::milliseconds(100), .cap = std::chrono::seconds(30)};
  Follower follower(std::move(client), std::move(type), std::move(ns), std::move(options), std::move(on_change));
  bool listed = false;
  unsigned failures = 0;
  for (;;) {
    const auto began = std::chrono::steady_clock::now();
    std::optional<Error> failure;
    try {
      if (!listed) co_await follower.list();
      listed = true;
      co_await follower.watch();
    } catch (const Error& error) {
      failure = error;
    }
    // A watch that lasted was fine: what ended it is news, not a series.
    if (std::chrono::steady_clock::now() - began > std::chrono::seconds(10)) failures = 0;
    if (!failure) {
      co_await async::sleep_for(
          std::chrono::milliseconds(50));  // a server that ends watches at once is not asked in a tight loop
      continue;
    }
    if (failure->code() == Code::kExpired) {
      listed = false;
      continue;
    }
    if (failure->code() != Code::kUnavailable && failure->code() != Code::kTimeout) listed = false;
    ++failures;
    log::debug("watch interrupted", {{"resource", name}, {"error", failure->what()}, {"failures", failures}});
    if (on_error) on_error(*failure);
    co_await async::sleep_for(backoff.delay(failures, system_rng()));
  }
}

Task<bool> wait_until(ClientPtr client, ResourceType type, ObjectKey key, Duration limit,
                      std::function<bool(const std::optional<Json>&)> done) {
  async::Event found;
  bool seen = false;
  auto on_change = [&](const Change& change) {
    if (change.type == Change::Type::kSynced) {
      // Deleted between the read below and the list: it is in neither.
      if (!seen && done(std::nullopt)) found.set();
      return;
    }
    seen = true;
    const bool gone = change.type == Change::Type::kDeleted;
    if (done(gone ? std::nullopt : std::optional<Json>(change.object))) found.set();
  };
  if (done(co_await client->get(type, key))) co_return true;
  auto scope = co_await async::Scope::create();
  WatchOptions options{.field_selector = "metadata.name=" + key.name};
  scope.spawn(follow(client, type, key.ns, options, on_change));
  std::exception_ptr failure;
  bool in_time = false;
  try {
    in_time = co_await found.wait_for(limit);
    if (!in_time) in_time = done(co_await client->get(type, key));
  } catch (...) {  // The watch ends first.
    failure = std::current_exception();
  }
  co_await scope.cancel_and_join();
  if (failure) std::rethrow_exception(failure);
  co_return in_time;
}

}  // namespace mtc::kube
