#include "kube/event_recorder.hpp"

#include <deque>
#include <exception>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "json/json.hpp"

namespace mtc::kube {
namespace {

constexpr std::size_t kMaxQueued = 4096;
constexpr std::size_t kMaxMessage = 1024;  ///< the API's own limit for an Event's message

/// One occurrence, or several that are the same.
struct Occurrence {
  Json object;
  EventType type = EventType::kNormal;
  std::string reason, message;
  Time first{}, last{};
  int count = 1;
  std::string identity() const {
    return fmt::format("{}|{}|{}|{}", uid_of(object), type == EventType::kNormal, reason, message);
  }
};

/// An Event that stands in the cluster and may be counted up.
struct Written {
  ObjectKey key;
  int count = 1;
};

class Recorder final : public EventRecorder {
 public:
  Recorder(ClientPtr client, std::string component, const Clock& clock, Rng& rng, async::Scope scope)
      : client_(std::move(client)),
        component_(std::move(component)),
        clock_(clock),
        rng_(rng),
        scope_(std::move(scope)) {
    scope_.spawn_isolated(write_all(), [](const std::exception_ptr&) {});
  }
  ~Recorder() override { scope_.cancel(); }

  void record(const Json& object, EventType type, std::string_view reason, std::string_view message) override {
    if (closed_) return;
    const auto now = clock_.now();
    if (queue_.size() >= kMaxQueued) {
      if (dropped_++ == 0)
        log::warn("events are dropped: the API server is slower than they come", {{"component", component_}});
      queue_.pop_front();
    }
    const Json reference = {{"apiVersion", string_at(object, "apiVersion")},
                            {"kind", string_at(object, "kind")},
                            {"metadata", object_at(object, "metadata")}};
    queue_.push_back({reference, type, std::string(reason), std::string(message.substr(0, kMaxMessage)), now, now});
    idle_.reset();
    wake_.set();
  }

  Task<void> flush() override { co_await idle_.wait_for(std::chrono::seconds(10)); }

  Task<void> stop() override {
    std::exception_ptr failure;
    try {
      co_await flush();
    } catch (...) {  // The writer ends first.
      failure = std::current_exception();
    }
    closed_ = true;
    co_await scope_.cancel_and_join();
    // Who was told to stop does not wait for the events, and has more to stop than this.
    if (failure && !async::is_cancellation(failure)) std::rethrow_exception(failure);
  }

 private:
  Task<void> write_all() {
    for (;;) {
      if (queue_.empty()) {
        idle_.set();
        wake_.reset();
        co_await wake_.wait();
        continue;
      }
      auto next = std::move(queue_.front());
      queue_.pop_front();
      try {
        co_await write(std::move(next));
      } catch (const Error& error) {
        log::debug("event not written", {{"error", error.what()}});
      }
    }
  }

  Task<void> write(Occurrence what) {
    const auto identity = what.identity();
    if (const auto at = written_.find(identity); at != written_.end()) {
      const Json patch = {{"count", at->second.count + 1}, {"lastTimestamp", rfc3339(what.last)}};
      bool gone = false;
      try {
        co_await client_->patch(types::events(), at->second.key, PatchKind::kMerge, patch);
        ++at->second.count;
      } catch (const Error& error) {
        if (error.code() != Code::kNotFound) throw;
        gone = true;  // it expired; a new one begins
      }
      if (!gone) co_return;
      written_.erase(identity);
    }
    if (written_.size() > kMaxQueued) written_.clear();
    const auto event = event_of(what);
    co_await client_->create(types::events(), event);
    written_[identity] = {key_of(event), 1};
  }

  Json event_of(const Occurrence& what) {
    const auto key = key_of(what.object);
    const auto ns = key.ns.empty() ? "default" : key.ns;
    return {{"apiVersion", "v1"},
            {"kind", "Event"},
            {"metadata", {{"namespace", ns}, {"name", fmt::format("{}.{:016x}", key.name, rng_.next())}}},
            {"involvedObject",
             {{"apiVersion", string_at(what.object, "apiVersion")},
              {"kind", string_at(what.object, "kind")},
              {"namespace", key.ns},
              {"name", key.name},
              {"uid", uid_of(what.object)},
              {"resourceVersion", resource_version_of(what.object)}}},
            {"reason", what.reason},
            {"message", what.message},
            {"type", what.type == EventType::kNormal ? "Normal" : "Warning"},
            {"source", {{"component", component_}}},
            {"reportingComponent", component_},
            {"firstTimestamp", rfc3339(what.first)},
            {"lastTimestamp", rfc3339(what.last)},
            {"count", what.count}};
  }

  ClientPtr client_;
  std::string component_;
  const Clock& clock_;
  Rng& rng_;
  std::deque<Occurrence> queue_;
  std::map<std::string, Written> written_;
  std::size_t dropped_ = 0;
  bool closed_ = false;
  async::Event wake_;
  async::Event idle_;
  async::Scope scope_;
};

}  // namespace

Task<std::unique_ptr<EventRecorder>> make_event_recorder(ClientPtr client, std::string component, const Clock& clock,
                                                         Rng& rng) {
  co_return std::make_unique<Recorder>(std::move(client), std::move(component), clock, rng,
                                       co_await async::Scope::create());
}

}  // namespace mtc::kube
