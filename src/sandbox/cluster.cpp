#include "sandbox/cluster.hpp"

#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "http/server.hpp"
#include "json/yaml.hpp"
#include "net/tls.hpp"
#include "sandbox/bootstrap.hpp"
#include "sandbox/controllers.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/folder.hpp"
#include "sandbox/objects.hpp"
#include "sandbox/rest.hpp"

namespace mtc::sandbox {
namespace {

class EmbeddedCluster final : public Cluster {
 public:
  EmbeddedCluster(ClusterOptions options, async::Scope scope)
      : options_(std::move(options)),
        clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
        rng_(options_.rng != nullptr ? *options_.rng : system_rng()),
        storage_(options_.state),
        folder_(options_.state),
        objects_(&storage_, &clock_, &rng_),
        rest_(&objects_, &folder_, &clock_, &rng_),
        scope_(std::move(scope)) {}

  Task<void> start() {
    ca_ = kept("ca", [&] { return net::make_ca(options_.name + "-ca", clock_.now()); });
    admin_ = kept(
        "admin", [&] { return net::issue_certificate(ca_, "kubernetes-admin", {}, {"system:masters"}, clock_.now()); });
    auto names = options_.extra_sans;
    for (const auto* name : {"127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc"})
      names.emplace_back(name);
    const auto serving = net::issue_certificate(ca_, "kube-apiserver", names, {}, clock_.now());
    bootstrap(objects_);

    auto listener = co_await net::listen_tcp(options_.listen);
    url_ = fmt::format("https://{}:{}", options_.listen.host, listener->local().port);
    http::ServerOptions server;
    server.tls = net::TlsServerOptions{serving.cert_pem, serving.key_pem, ca_.cert_pem};
    server_ = std::make_unique<http::Server>(
        std::move(listener), std::move(server),
        [this](http::ServerRequest& request, http::ResponseWriter& writer) { return rest_.handle(request, writer); });
    scope_.spawn(server_->run());
    if (options_.run_workloads)
      scope_.spawn(run_controllers(&objects_, &folder_, {ca_.cert_pem, options_.program}, &rng_));
  }

  const std::string& name() const override { return options_.name; }
  const std::string& url() const override { return url_; }
  const std::string& ca_pem() const override { return ca_.cert_pem; }

  kube::Connection admin() const override {
    kube::Connection out;
    out.url = url_;
    out.ca_pem = ca_.cert_pem;
    out.client_cert_pem = admin_.cert_pem;
    out.client_key_pem = admin_.key_pem;
    return out;
  }

  std::string kubeconfig() const override {
    const auto& name = options_.name;
    return to_yaml(
        {{"apiVersion", "v1"},
         {"kind", "Config"},
         {"current-context", name},
         {"clusters",
          Json::array(
              {{{"name", name},
                {"cluster", {{"server", url_}, {"certificate-authority-data", base64_encode(ca_.cert_pem)}}}}})},
         {"users", Json::array({{{"name", name},
                                 {"user",
                                  {{"client-certificate-data", base64_encode(admin_.cert_pem)},
                                   {"client-key-data", base64_encode(admin_.key_pem.reveal())}}}}})},
         {"contexts", Json::array({{{"name", name}, {"context", {{"cluster", name}, {"user", name}}}}})}});
  }

  kube::ClientPtr client() override {
    if (!client_) client_ = kube::make_client(admin());
    return client_;
  }

  Task<void> stop() override {
    client_.reset();
    std::exception_ptr failure;
    try {
      co_await scope_.cancel_and_join();
    } catch (const Error&) {
      failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(failure);
  }

 private:
  /// Certificates live with the state: a restarted cluster is the same to its clients.
  template <typename Make>
  net::Certificate kept(const std::string& what, Make make) {
    const auto certificate = storage_.setting(what + ".crt"), key = storage_.setting(what + ".key");
    if (!certificate.empty()) return {certificate, Secret(key)};
    auto made = make();
    storage_.set_setting(what + ".crt", made.cert_pem);
    storage_.set_setting(what + ".key", made.key_pem.reveal());
    return made;
  }

  ClusterOptions options_;
  const Clock& clock_;
  Rng& rng_;
  Storage storage_;
  Folder folder_;
  Objects objects_;
  Rest rest_;
  async::Scope scope_;
  net::Certificate ca_, admin_;
  std::string url_;
  std::unique_ptr<http::Server> server_;
  kube::ClientPtr client_;
};

}  // namespace

Task<std::unique_ptr<Cluster>> Cluster::start(ClusterOptions options) {
  auto cluster = std::make_unique<EmbeddedCluster>(std::move(options), co_await async::Scope::create());
  co_await cluster->start();
  co_return cluster;
}

}  // namespace mtc::sandbox
