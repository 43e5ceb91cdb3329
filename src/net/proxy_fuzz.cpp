#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "net/connect.hpp"

// Lines: a proxy's URL, the hosts without proxy, the target, and what the proxy answers: a stream, or an Error.

namespace mtc::net {
namespace {

class Answering final : public Connector {
 public:
  explicit Answering(std::string_view answer) : answer_(answer) {}
  Task<StreamPtr> connect(Endpoint) override {
    auto [near, far] = make_pipe();
    far_ends_.push_back(std::move(far));
    co_await far_ends_.back()->write_all(answer_.substr(0, 32 * 1024));
    co_await far_ends_.back()->close();
    co_return std::move(near);
  }

 private:
  std::string_view answer_;
  std::vector<StreamPtr> far_ends_;
};

Task<void> connect(ProxySettings settings, Endpoint to, std::string_view answer) {
  const auto connector = proxy_connector(std::move(settings), std::make_shared<Answering>(answer));
  try {
    const auto stream = co_await connector->connect(std::move(to));
    if (!stream) std::abort();
  } catch (const Error& error) {
    if (error.code() != Code::kInvalid && error.code() != Code::kUnavailable) std::abort();
  }
}

std::string_view line(std::string_view& text) {
  const auto end = std::min(text.size(), text.find('\n'));
  const auto out = text.substr(0, end);
  text.remove_prefix(std::min(text.size(), end + 1));
  return out;
}

}  // namespace
}  // namespace mtc::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc::net;
  static mtc::async::Runtime runtime;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = line(text), no_proxy = line(text), host = line(text);
  runtime.run(connect({std::string(url), std::string(no_proxy)}, {std::string(host), 443}, text));
  return 0;
}
