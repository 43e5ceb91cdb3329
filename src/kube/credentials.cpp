#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "kube/exec_plugin.hpp"
#include "kube/rest_client.hpp"

namespace mtc::kube {
namespace {

class FixedCredentials final : public Credentials {
 public:
  explicit FixedCredentials(Secret header) : header_(std::move(header)) {}
  Task<std::string> authorization() override { co_return header_.reveal(); }
  bool refused() override { return false; }

 private:
  Secret header_;
};

/// A projected service account token: kubelet replaces the file before it expires.
class FileCredentials final : public Credentials {
 public:
  FileCredentials(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

  Task<std::string> authorization() override {
    constexpr auto kFresh = std::chrono::seconds(60);
    if (token_.empty() || clock_.now() - read_ > kFresh) {
      token_ = co_await async::offload([path = path_] {
        std::ifstream file(path);
        std::stringstream text;
        text << file.rdbuf();
        return Secret(std::string(trim(text.str())));
      });
      read_ = clock_.now();
      if (token_.empty()) throw Error(Code::kUnauthorized, fmt::format("token file {} is absent or empty", path_));
    }
    co_return "Bearer " + token_.reveal();
  }

  bool refused() override {
    token_ = Secret();
    return true;
  }

 private:
  std::string path_;
  const Clock& clock_;
  Secret token_;
  Time read_{};
};

class ExecCredentials final : public Credentials {
 public:
  ExecCredentials(Connection connection, const Clock& clock) : connection_(std::move(connection)), clock_(clock) {}

  Task<std::string> authorization() override {
    if (!current_ || (current_->expires && *current_->expires <= clock_.now())) {
      current_ =
          co_await async::offload([connection = connection_] { return run_exec_plugin(*connection.exec, connection); });
    }
    co_return "Bearer " + current_->token.reveal();
  }

  bool refused() override {
    current_.reset();
    return true;
  }

 private:
  Connection connection_;
  const Clock& clock_;
  std::optional<ExecCredential> current_;
};

}  // namespace

std::shared_ptr<Credentials> make_credentials(const Connection& connection, const Clock& clock) {
  if (!connection.token.empty())
    return std::make_shared<FixedCredentials>(Secret("Bearer " + connection.token.reveal()));
  if (!connection.token_file.empty()) return std::make_shared<FileCredentials>(connection.token_file, clock);
  if (connection.exec) return std::make_shared<ExecCredentials>(connection, clock);
  if (!connection.username.empty()) {
    return std::make_shared<FixedCredentials>(
        Secret("Basic " + base64_encode(connection.username + ":" + connection.password.reveal())));
  }
  return std::make_shared<FixedCredentials>(Secret());
}

}  // namespace mtc::kube
