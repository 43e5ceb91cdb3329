#include "blob/testing/test_bucket.hpp"

#include <exception>
#include <utility>

namespace mtc::blob::testing {

BucketServerOptions bucket_options() {
  BucketServerOptions options;
  options.access_key_id = "key";
  options.secret_access_key = Secret("secret");
  options.buckets["b"] = make_memory_store();
  return options;
}

S3Options client_of(std::string endpoint) {
  S3Options options;
  options.bucket = "b";
  options.endpoint = std::move(endpoint);
  options.style = AddressingStyle::kPath;
  options.access_key_id = "key";
  options.secret_access_key = Secret("secret");
  options.part_size = 5 * 1024 * 1024;
  options.max_attempts = 2;
  options.connector = net::tcp_connector();
  return options;
}

Task<void> with_bucket(std::function<Task<void>(S3Options)> use, BucketServerOptions options) {
  const auto server = co_await BucketServer::start(std::move(options));
  std::exception_ptr failure;
  try {
    co_await use(client_of(server->url()));
  } catch (...) {  // The server ends first.
    failure = std::current_exception();
  }
  co_await server->stop();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mtc::blob::testing
