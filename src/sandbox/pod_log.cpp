#include "sandbox/pod_log.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "async/file_changes.hpp"
#include "async/scope.hpp"
#include "base/strings.hpp"
#include "sandbox/controller_tools.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/pod_command.hpp"
#include "sandbox/route.hpp"

namespace mtc::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPiece = 64 * 1024;

/// A file of known length, read in pieces from anywhere.
class Reader {
 public:
  explicit Reader(const fs::path& path) : file_(path, std::ios::binary | std::ios::ate) {
    if (file_) size_ = static_cast<std::uint64_t>(file_.tellg());
  }
  std::uint64_t size() const { return size_; }
  /// What more there is by now.
  void look_again() {
    if (!file_.is_open()) return;
    file_.clear();
    file_.seekg(0, std::ios::end);
    size_ = static_cast<std::uint64_t>(file_.tellg());
  }
  std::string read(std::uint64_t from, std::uint64_t length) {
    std::string out(length, '\0');
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(from));
    file_.read(out.data(), static_cast<std::streamsize>(length));
    out.resize(static_cast<std::size_t>(file_.gcount()));
    return out;
  }

 private:
  std::ifstream file_;
  std::uint64_t size_ = 0;
};

/// Where the last `lines` lines begin.
std::uint64_t beginning_of_last(Reader& log, std::uint64_t lines) {
  if (lines == 0) return log.size();
  std::uint64_t ends = 0;  // of lines before; the last line may have none
  for (auto to = log.size(); to > 0;) {
    const auto from = to > kPiece ? to - kPiece : 0;
    const auto piece = log.read(from, to - from);
    for (auto at = piece.size(); at > 0; --at) {
      const bool is_last = from + at == log.size();
      if (piece[at - 1] == '\n' && !is_last && ++ends == lines) return from + at;
    }
    to = from;
  }
  return 0;
}

std::optional<std::uint64_t> number(const http::ServerRequest& request, const char* name, std::uint64_t least) {
  const auto text = request.param(name);
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < least)
    throw Failure(400, "BadRequest", fmt::format("{}: Invalid value: \"{}\"", name, text));
  return value;
}

void check_container(const Json& pod, const std::string& asked) {
  std::vector<std::string> names;
  for (const auto& container : array_at(pod, "spec.containers")) names.push_back(string_at(container, "name"));
  if (asked.empty() && names.size() > 1)
    throw Failure(400, "BadRequest",
                  fmt::format("a container name must be specified for pod {}, choose one of: [{}]", name_of(pod),
                              join(names, " ")));
  if (!asked.empty() && std::ranges::find(names, asked) == names.end())
    throw Failure(400, "BadRequest", fmt::format("container {} is not valid for pod {}", asked, name_of(pod)));
}

void check_started(const Json& pod, const std::string& asked) {
  for (const auto& status : array_at(pod, "status.containerStatuses")) {
    const auto name = string_at(status, "name"), reason = string_at(status, "state.waiting.reason");
    if (!reason.empty() && (asked.empty() || asked == name))
      throw Failure(400, "BadRequest",
                    fmt::format("container \"{}\" in pod \"{}\" is waiting to start: {}", name, name_of(pod), reason));
  }
  if (string_at(pod, "spec.nodeName").empty())
    throw Failure(400, "BadRequest", fmt::format("pod {} does not have a host assigned", name_of(pod)));
}

bool still_runs(const Json& pod, const Storage& storage) {
  const auto now = storage.get({"pods", ns_of(pod), name_of(pod)});
  return now && uid_of(*now) == uid_of(pod) && string_at(*now, "status.phase") == "Running";
}

/// A part of a log on its way to a client.
struct Sending {
  Reader log;
  std::uint64_t from = 0, limit = 0;  ///< positions
  http::ResponseWriter* writer;

  Task<void> send() {
    log.look_again();
    for (const auto to = std::min(log.size(), limit); from < to;) {
      const auto piece = log.read(from, std::min(kPiece, to - from));
      if (piece.empty()) co_return;
      from += piece.size();
      co_await writer->write(piece);
    }
  }
};

Task<void> note_changes(fs::path file, async::Event* news) {
  auto changes = co_await async::FileChanges::of(file.string());
  for (;;) {
    co_await changes.next();
    news->set();
  }
}

Task<void> send_news(Json pod, const Storage* storage, Sending* sending, async::Event* news) {
  for (bool more = true; more && sending->from < sending->limit;) {
    news->reset();
    more = still_runs(pod, *storage);  // asked first: what it printed last is sent last
    co_await sending->send();
    if (more) co_await news->wait();
  }
}

/// Goes on until the process has ended.
Task<void> follow(Json pod, fs::path file, Storage* storage, Sending* sending) {
  async::Event news;
  struct Subscription {
    Storage& from;
    int id;
    ~Subscription() { from.unsubscribe(id); }
  };
  const Address at{"pods", ns_of(pod), name_of(pod)};
  const Subscription subscription{*storage, storage->subscribe([&](const Event& event) {
                                    if (event.at == at) news.set();
                                  })};
  auto scope = co_await async::Scope::create();
  scope.spawn(note_changes(file, &news));
  std::exception_ptr failure;
  try {
    co_await send_news(std::move(pod), storage, sending, &news);
  } catch (...) {  // Nobody is told of changes any more.
    failure = std::current_exception();
  }
  co_await scope.cancel_and_join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

fs::path log_of(const fs::path& pod_folder) { return pod_folder / "log"; }
fs::path termination_log_of(const fs::path& pod_folder) { return pod_folder / "termination-log"; }

std::string end_of(const fs::path& file, std::size_t limit) {
  Reader reader(file);
  const auto length = std::min<std::uint64_t>(reader.size(), limit);
  return length == 0 ? "" : reader.read(reader.size() - length, length);
}

Task<void> serve_log(Json pod, fs::path pod_folder, Storage* storage, const http::ServerRequest& request,
                     http::ResponseWriter& writer) {
  const std::string asked(request.param("container"));
  const auto lines = number(request, "tailLines", 0), limit = number(request, "limitBytes", 1);
  check_container(pod, asked);
  check_started(pod, asked);
  if (is_set(request, "previous")) {
    const auto name = asked.empty() ? string_at(array_at(pod, "spec.containers").at(0), "name") : asked;
    throw Failure(400, "BadRequest",
                  fmt::format("previous terminated container \"{}\" in pod \"{}\" not found", name, name_of(pod)));
  }
  Sending sending{.log = Reader(log_of(pod_folder)), .writer = &writer};
  if (lines) sending.from = beginning_of_last(sending.log, *lines);
  constexpr auto all = std::numeric_limits<std::uint64_t>::max();
  sending.limit = limit && *limit < all - sending.from ? sending.from + *limit : all;
  co_await writer.begin({200, "", {{"Content-Type", "text/plain"}}});
  if (is_set(request, "follow") && is_process(pod))
    co_return co_await follow(pod, log_of(pod_folder), storage, &sending);
  co_await sending.send();
}

}  // namespace mtc::sandbox
