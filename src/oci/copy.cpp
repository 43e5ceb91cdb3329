#include "oci/copy.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::oci {
namespace {

constexpr std::size_t kManifestsAtOnce = 8;  ///< over all copies, and of a list
constexpr int kMostDepth = 4;                ///< of lists in lists
constexpr std::size_t kMostCandidates = 3;

/// What is known of a blob at a destination.
struct KnownBlob {
  std::set<std::string> repositories;                             ///< that hold it
  std::map<std::string, std::shared_ptr<async::Event>> arriving;  ///< set when the work on that repository has ended
};

/// Marks a blob as on its way into a repository, until the work ends, however it does.
class Arrival {
 public:
  Arrival(KnownBlob* blob, std::string repository) : blob_(blob), repository_(std::move(repository)) {
    blob_->arriving[repository_] = over_;
  }
  ~Arrival() {
    blob_->arriving.erase(repository_);
    over_->set();
  }
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;

 private:
  KnownBlob* blob_;
  std::string repository_;
  std::shared_ptr<async::Event> over_ = std::make_shared<async::Event>();
};

/// One call of Copier::copy.
struct Job {
  CopyRequest request;
  CopyResult result;
  CopyProgress progress;
  std::set<Digest> counted, done;                                  ///< blobs in progress.blobs_total and blobs_done
  std::map<std::string, std::shared_ptr<async::Event>> manifests;  ///< of lists, by digest; set once they are there

  void tell() const {
    if (request.on_progress) request.on_progress(progress);
  }
};
using JobPtr = std::shared_ptr<Job>;

}  // namespace

struct Copier::State {
  explicit State(std::size_t parallel_blobs) : blobs(parallel_blobs), manifests(kManifestsAtOnce) {}

  KnownBlob& known(const Place& at, const Digest& digest) { return destinations[at.registry][digest.str()]; }

  async::Semaphore blobs;
  async::Semaphore manifests;
  std::map<RegistryPtr, std::map<std::string, KnownBlob>> destinations;  ///< by digest
};

namespace {

using StatePtr = std::shared_ptr<Copier::State>;

/// Puts `digest` into the destination from another of its repositories, if one has it.
Task<bool> mount(JobPtr job, KnownBlob* known, Digest digest) {
  const auto& to = job->request.to;
  std::vector<std::string> candidates;
  if (!known->repositories.empty()) candidates.push_back(*known->repositories.begin());
  for (const auto& name : job->request.mount_candidates) {
    if (name != to.repository && std::ranges::find(candidates, name) == candidates.end()) candidates.push_back(name);
  }
  candidates.resize(std::min(candidates.size(), kMostCandidates));
  for (const auto& from : candidates) {
    if (co_await to.registry->mount_blob(to.repository, digest, from)) co_return true;
  }
  co_return false;
}

Task<void> upload(JobPtr job, Descriptor blob) {
  const auto& to = job->request.to;
  auto origin = [at = job->request.from, blob](std::uint64_t offset) {
    return at.registry->open_blob(at.repository, blob, offset);
  };
  const auto before = std::make_shared<std::uint64_t>(0);
  auto on_progress = [job, before](std::uint64_t bytes) {
    job->progress.bytes_copied += bytes - *before;
    *before = bytes;
    job->tell();
  };
  co_await to.registry->put_blob(to.repository, blob, std::move(origin), std::move(on_progress));
}

/// Brings a blob to the destination, and counts how.
Task<void> bring(JobPtr job, KnownBlob* known, Descriptor blob) {
  const auto& to = job->request.to;
  auto& result = job->result;
  if (co_await to.registry->head_blob(to.repository, blob.digest)) {
    result.bytes_skipped += blob.size;
    ++result.blobs_skipped;
  } else if (co_await mount(job, known, blob.digest)) {
    result.bytes_mounted += blob.size;
    ++result.blobs_mounted;
  } else {
    job->progress.doing = fmt::format("copying {} of {}", blob.digest.str(), job->request.from.repository);
    co_await upload(job, blob);
    result.bytes_copied += blob.size;
    ++result.blobs_copied;
  }
  known->repositories.insert(to.repository);
}

/// Whose end is to be awaited before anything is done: our own repository's, or, while none holds the blob, that of the
/// first, from which it can be mounted.
std::shared_ptr<async::Event> earlier(const KnownBlob& known, const std::string& repository) {
  if (const auto own = known.arriving.find(repository); own != known.arriving.end()) return own->second;
  if (!known.repositories.empty() || known.arriving.empty()) return nullptr;
  return known.arriving.begin()->second;
}

/// Returns once the destination has it, whoever brought it there.
Task<void> copy_blob(StatePtr state, JobPtr job, Descriptor blob) {
  const auto& to = job->request.to;
  auto& known = state->known(to, blob.digest);
  while (const auto other = earlier(known, to.repository)) co_await other->wait();
  if (!known.repositories.contains(to.repository)) {
    const Arrival arrival(&known, to.repository);
    const auto permit = co_await state->blobs.acquire();
    co_await bring(job, &known, blob);
  }
  if (!job->done.insert(blob.digest).second) co_return;
  ++job->progress.blobs_done;
  job->tell();
}

Task<void> copy_blobs(StatePtr state, JobPtr job, Manifest manifest) {
  std::vector<Descriptor> blobs;
  auto take = [&](const Descriptor& blob) {
    blobs.push_back(blob);  // an instance is put once all that it names is there, also what others brought
    if (!job->counted.insert(blob.digest).second) return;
    job->progress.bytes_total += blob.size;
    ++job->progress.blobs_total;
  };
  take(*manifest.config);
  for (const auto& layer : manifest.layers) {
    if (is_foreign(layer)) {
      ++job->result.foreign_layers;
    } else {
      take(layer);
    }
  }
  // Large ones first: the last to arrive should be a small one.
  std::ranges::sort(blobs, std::greater{}, &Descriptor::size);
  co_await async::parallel_for(blobs.size(), std::max<std::size_t>(blobs.size(), 1),
                               [=](std::size_t i) { return copy_blob(state, job, blobs[i]); });
}

Task<StoredManifest> read_manifest(StatePtr state, JobPtr job, std::string target) {
  const auto& from = job->request.from;
  const auto permit = co_await state->manifests.acquire();
  auto stored = co_await from.registry->get_manifest(from.repository, target);
  if (!stored) {
    throw Error(Code::kNotFound, fmt::format("{} has no {} in {}", from.registry->describe(), target, from.repository));
  }
  co_return std::move(*stored);
}

/// Puts a manifest unless it is there. Without a tag it goes by its digest.
Task<void> put(JobPtr job, StoredManifest stored, std::string tag) {
  const auto& to = job->request.to;
  const auto target = tag.empty() ? stored.digest.str() : tag;
  ++job->result.manifests;
  if (co_await to.registry->head_manifest(to.repository, target) == stored.digest) co_return;
  co_await to.registry->put_manifest(to.repository, target, std::move(stored));
}

Task<Digest> copy_manifest(StatePtr state, JobPtr job, std::string target, std::string tag, int depth);

Task<void> copy_instances(StatePtr state, JobPtr job, std::vector<Descriptor> instances, int depth) {
  if (depth == kMostDepth) throw Error(Code::kUnsupported, "the image is a list of lists of lists without end");
  auto copy = [](StatePtr s, JobPtr j, std::string digest, int at) -> Task<void> {
    auto& known = j->manifests[digest];
    if (const auto arriving = known) co_return co_await arriving->wait();
    known = std::make_shared<async::Event>();
    const auto arrived = known;
    co_await copy_manifest(s, j, digest, "", at);
    arrived->set();
  };
  co_await async::parallel_for(instances.size(), kManifestsAtOnce,
                               [=](std::size_t i) { return copy(state, job, instances[i].digest.str(), depth + 1); });
}

/// What belongs to a manifest comes before it, as registries demand.
Task<Digest> copy_manifest(StatePtr state, JobPtr job, std::string target, std::string tag, int depth) {
  auto stored = co_await read_manifest(state, job, target);
  std::optional<Error> failure;
  try {
    auto manifest = Manifest::parse(stored.bytes, stored.media_type);
    stored.media_type = manifest.media_type;
    if (manifest.kind == Manifest::Kind::kIndex) {
      co_await copy_instances(state, job, std::move(manifest.manifests), depth);
    } else {
      co_await copy_blobs(state, job, std::move(manifest));
    }
    const auto digest = stored.digest;
    co_await put(job, std::move(stored), tag);
    co_return digest;
  } catch (const Error& error) {
    failure = error;
  }
  if (depth > 0) throw *failure;
  const auto& from = job->request.from;
  throw failure->with_context(fmt::format("copy {} of {}", target, from.repository));
}

}  // namespace

Copier::Copier(std::size_t parallel_blobs)
    : state_(std::make_shared<State>(std::max<std::size_t>(parallel_blobs, 1))) {}
Copier::~Copier() = default;

Task<CopyResult> Copier::copy(CopyRequest request) {
  const auto state = state_;
  const auto tag = Digest::parse(request.to.target) ? "" : request.to.target;
  const auto job = std::make_shared<Job>(Job{.request = std::move(request), .result = {.digest = Digest::of("")}});
  job->result.digest = co_await copy_manifest(state, job, job->request.from.target, tag, 0);
  co_return job->result;
}

}  // namespace mtc::oci
