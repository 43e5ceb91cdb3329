#include "control/interests.hpp"

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "async/scope.hpp"
#include "kube/follow.hpp"

namespace mtc::control {
namespace {

using Subject = std::tuple<const kube::Client*, std::string, std::string, std::string, std::string>;

Subject subject_of(const Interest& interest) {
  return {interest.cluster.get(), interest.type.api_version() + "/" + interest.type.plural, interest.ns,
          interest.label_selector, interest.field_selector};
}

/// One open watch and who listens.
struct Source {
  std::set<Interests::Subscriber> subscribers;
  bool synced = false;
  std::shared_ptr<async::Event> unwanted = std::make_shared<async::Event>();
};

Task<void> follow_until(Interest what, std::function<void(const kube::Change&)> on_change,
                        std::shared_ptr<async::Event> unwanted) {
  auto scope = co_await async::Scope::create();
  kube::WatchOptions options{
      .label_selector = what.label_selector, .field_selector = what.field_selector, .resource_version = ""};
  scope.spawn(kube::follow(what.cluster, what.type, what.ns, options, std::move(on_change)));
  std::exception_ptr failure;
  try {
    co_await unwanted->wait();
  } catch (...) {  // Cancelled: the watch goes first.
    failure = std::current_exception();
  }
  co_await scope.cancel_and_join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

struct Interests::State {
  State(Wake on_wake, async::Scope tasks) : wake(std::move(on_wake)), scope(std::move(tasks)) {}

  void changed(const Subject& subject, const kube::Change& change) {
    const auto at = sources.find(subject);
    if (at == sources.end()) return;
    // The initial list says nothing new one by one: kSynced wakes everybody once, when the watch is in place.
    if (change.type == kube::Change::Type::kSynced) at->second.synced = true;
    if (!at->second.synced) return;
    for (const auto& who : at->second.subscribers) wake(who);
  }

  void subscribe(const Subscriber& who, const Interest& interest) {
    const auto subject = subject_of(interest);
    auto [at, opened] = sources.try_emplace(subject);
    at->second.subscribers.insert(who);
    wanted[who].insert(subject);
    if (!opened) {
      // It read before it subscribed, and the watch may have told the others meanwhile.
      if (at->second.synced) wake(who);
      return;
    }
    scope.spawn(follow_until(
        interest, [this, subject](const kube::Change& change) { changed(subject, change); }, at->second.unwanted));
  }

  void unsubscribe(const Subscriber& who, const Subject& subject) {
    const auto at = sources.find(subject);
    if (at == sources.end()) return;
    at->second.subscribers.erase(who);
    if (!at->second.subscribers.empty()) return;
    at->second.unwanted->set();
    sources.erase(at);
  }

  Wake wake;
  async::Scope scope;
  std::map<Subject, Source> sources;
  std::map<Subscriber, std::set<Subject>> wanted;
};

Task<std::unique_ptr<Interests>> Interests::create(Wake wake) {
  auto state = std::make_unique<State>(std::move(wake), co_await async::Scope::create());
  co_return std::unique_ptr<Interests>(new Interests(std::move(state)));
}

Interests::Interests(std::unique_ptr<State> state) : state_(std::move(state)) {}
Interests::~Interests() = default;

void Interests::replace(const Subscriber& who, std::vector<Interest> interests) {
  std::set<Subject> keep;
  for (const auto& interest : interests) keep.insert(subject_of(interest));
  const auto before = std::exchange(state_->wanted[who], {});
  for (const auto& subject : before) {
    if (keep.contains(subject)) {
      state_->wanted[who].insert(subject);
    } else {
      state_->unsubscribe(who, subject);
    }
  }
  for (const auto& interest : interests) {
    if (!state_->wanted[who].contains(subject_of(interest))) state_->subscribe(who, interest);
  }
  if (interests.empty()) state_->wanted.erase(who);
}

Task<void> Interests::stop() { co_await state_->scope.cancel_and_join(); }
std::size_t Interests::open_watches() const { return state_->sources.size(); }

}  // namespace mtc::control
