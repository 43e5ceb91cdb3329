#include <algorithm>
#include <optional>
#include <utility>

#include "async/retry.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "kube/rest_client.hpp"

namespace mtc::kube {
namespace {

using Steady = std::chrono::steady_clock;

/// Lets requests through at a rate: a bucket that holds one second's worth, and a pause that the server asked for.
class RateLimit {
 public:
  RateLimit(double per_second, std::size_t at_once) : per_second_(per_second), tokens_(per_second), slots_(at_once) {}

  Task<async::Semaphore::Permit> admit() {
    auto permit = co_await slots_.acquire();
    for (;;) {
      const auto now = Steady::now();
      tokens_ = std::min(per_second_, tokens_ + per_second_ * std::chrono::duration<double>(now - refilled_).count());
      refilled_ = now;
      const auto pause = paused_until_ > now ? paused_until_ - now : Steady::duration::zero();
      if (pause == Steady::duration::zero() && tokens_ >= 1) {
        tokens_ -= 1;
        co_return permit;
      }
      const auto refill =
          std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>((1 - tokens_) / per_second_));
      co_await async::sleep_for(std::max(pause, refill));
    }
  }

  void pause_for(Duration delay) { paused_until_ = std::max(paused_until_, Steady::now() + delay); }

 private:
  double per_second_;
  double tokens_;
  Steady::time_point refilled_ = Steady::now();
  Steady::time_point paused_until_{};
  async::Semaphore slots_;
};

/// What may be repeated after a failure.
enum class Repeat {
  kAlways,     ///< reads, and writes that say what they replace
  kIfRefused,  ///< only when the server certainly did nothing: 429, 503 or a refused connection
};

class CarefulClient final : public Client {
 public:
  CarefulClient(ClientPtr inner, const ClientOptions& options, Rng& rng)
      : inner_(std::move(inner)), limit_(options.requests_per_second, options.concurrent_requests), rng_(rng) {}

  Task<std::optional<Json>> get(ResourceType type, ObjectKey key) override {
    return call<std::optional<Json>>(Repeat::kAlways, [=, this] { return inner_->get(type, key); });
  }
  Task<ListPage> list(ResourceType type, std::string ns, ListOptions options) override {
    return call<ListPage>(Repeat::kAlways, [=, this] { return inner_->list(type, ns, options); });
  }
  Task<Json> create(ResourceType type, Json object, WriteOptions options) override {
    return call<Json>(Repeat::kIfRefused,
                      [=, this, object = std::move(object)] { return inner_->create(type, object, options); });
  }
  Task<Json> update(ResourceType type, Json object, WriteOptions options) override {
    // With a resourceVersion the second try of a write that had arrived is a conflict, never a second write.
    const auto repeat = resource_version_of(object).empty() ? Repeat::kIfRefused : Repeat::kAlways;
    return call<Json>(repeat, [=, this, object = std::move(object)] { return inner_->update(type, object, options); });
  }
  Task<Json> patch(ResourceType type, ObjectKey key, PatchKind kind, Json patch, WriteOptions options) override {
    const auto repeat = kind == PatchKind::kJson ? Repeat::kIfRefused : Repeat::kAlways;
    return call<Json>(repeat,
                      [=, this, patch = std::move(patch)] { return inner_->patch(type, key, kind, patch, options); });
  }
  Task<bool> remove(ResourceType type, ObjectKey key, DeleteOptions options) override {
    return call<bool>(Repeat::kAlways, [=, this] { return inner_->remove(type, key, options); });
  }
  Task<void> remove_collection(ResourceType type, std::string ns, ListOptions what, DeleteOptions options) override {
    auto nothing = [](ClientPtr inner, ResourceType t, std::string n, ListOptions w, DeleteOptions o) -> Task<bool> {
      co_await inner->remove_collection(t, n, w, o);
      co_return true;
    };
    co_await call<bool>(Repeat::kAlways, [=, this] { return nothing(inner_, type, ns, what, options); });
  }
  Task<std::unique_ptr<Watch>> watch(ResourceType type, std::string ns, WatchOptions options) override {
    return inner_->watch(std::move(type), std::move(ns), std::move(options));  // whoever watches reconnects by himself
  }
  Task<std::optional<std::string>> log(ObjectKey pod, LogOptions options) override {
    return call<std::optional<std::string>>(Repeat::kAlways, [=, this] { return inner_->log(pod, options); });
  }
  Task<net::StreamPtr> port_forward(ObjectKey pod, std::uint16_t port) override {
    return inner_->port_forward(std::move(pod), port);  // who holds a connection makes it again by himself
  }
  Task<std::shared_ptr<const Discovery>> discovery(Refresh refresh) override {
    return call<std::shared_ptr<const Discovery>>(Repeat::kAlways, [=, this] { return inner_->discovery(refresh); });
  }
  Task<ServerVersion> version() override {
    return call<ServerVersion>(Repeat::kAlways, [this] { return inner_->version(); });
  }
  Task<Json> raw(std::string method, std::string target, std::optional<Json> body) override {
    return call<Json>(method == "GET" ? Repeat::kAlways : Repeat::kIfRefused,
                      [=, this] { return inner_->raw(method, target, body); });
  }
  const std::string& url() const override { return inner_->url(); }

 private:
  template <typename T>
  Task<T> call(Repeat repeat, std::function<Task<T>()> attempt) {
    for (unsigned tried = 1;; ++tried) {
      Duration wait{};
      {
        const auto permit = co_await limit_.admit();
        try {
          co_return co_await attempt();
        } catch (const Error& error) {
          if (!may_repeat(error, repeat) || tried >= backoff_.max_attempts) throw;
          wait = backoff_.delay(tried, rng_);
          if (error.retry_after()) {
            wait = std::max<Duration>(wait, *error.retry_after());
            limit_.pause_for(*error.retry_after());
          }
        }
      }
      co_await async::sleep_for(wait);
    }
  }

  static bool may_repeat(const Error& error, Repeat repeat) {
    if (!error.transient()) return false;
    if (repeat == Repeat::kAlways) return true;
    const bool refused = error.http_status() == 0 && error.message().contains("refused");
    return error.code() == Code::kThrottled || error.http_status() == 503 || refused;
  }

  ClientPtr inner_;
  RateLimit limit_;
  Rng& rng_;
  async::Backoff backoff_{.base = std::chrono::milliseconds(100), .cap = std::chrono::seconds(5), .max_attempts = 5};
};

}  // namespace

ClientPtr make_careful_client(ClientPtr inner, const ClientOptions& options, Rng& rng) {
  return std::make_shared<CarefulClient>(std::move(inner), options, rng);
}

}  // namespace mtc::kube
