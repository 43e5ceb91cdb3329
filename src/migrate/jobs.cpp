#include "migrate/jobs.hpp"

#include <map>
#include <utility>

#include "base/error.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kTellEvery = std::chrono::milliseconds(900);

struct Job {
  Jobs::State state = Jobs::State::kRunning;
  backup::Progress progress;
  backup::Outcome outcome;
  std::optional<Error> error;
  std::chrono::steady_clock::time_point told{};
};

class BackgroundJobs final : public OwnedJobs {
 public:
  explicit BackgroundJobs(async::Scope scope) : scope_(std::move(scope)) {}

  View ensure(const std::string& key, Work work, std::function<void()> wake) override {
    auto& job = jobs_[key];
    if (!job) {
      job = std::make_shared<Job>();
      scope_.spawn_isolated(run(job, std::move(work), wake), [](const std::exception_ptr&) {});
    }
    return {job->state, job->progress, &job->outcome, job->error};
  }

  void forget(const std::string& key) override { jobs_.erase(key); }
  Task<void> stop() override { return scope_.cancel_and_join(); }

 private:
  static Task<void> run(std::shared_ptr<Job> job, Work work, std::function<void()> wake) {
    auto on_progress = [job, wake](backup::Progress progress) {
      job->progress = progress;
      const auto now = std::chrono::steady_clock::now();
      if (now - job->told < kTellEvery) return;
      job->told = now;
      wake();
    };
    try {
      job->outcome = co_await work(on_progress);
      job->state = Jobs::State::kDone;
    } catch (...) {  // Whatever it was, the migration that waits for this job must learn of it.
      job->error = async::as_error(std::current_exception());
      job->state = Jobs::State::kFailed;
    }
    wake();
  }

  async::Scope scope_;
  std::map<std::string, std::shared_ptr<Job>> jobs_;
};

}  // namespace

Task<std::unique_ptr<OwnedJobs>> make_jobs() {
  co_return std::make_unique<BackgroundJobs>(co_await async::Scope::create());
}

}  // namespace mtc::migrate
