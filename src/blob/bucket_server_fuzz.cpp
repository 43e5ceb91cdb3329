#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "blob/bucket_answer.hpp"
#include "blob/bucket_auth.hpp"
#include "blob/bucket_body.hpp"

// Any bytes as the body of an upload in each of S3's codings, and as what authorises a request: refused with an Error,
// or the same content however the body is sliced.

namespace mtc::blob {
namespace {

const SigningKey kKey{"key", Secret("secret"), "us-east-1"};

struct Sliced {
  std::string bytes;
  std::size_t slice;
  std::string piece;

  Task<std::string_view> next() {
    piece = bytes.substr(0, slice);
    bytes.erase(0, piece.size());
    co_return piece;
  }
};

/// What is read of an upload, and how it ends.
Task<void> read_upload(std::string bytes, std::size_t slice, std::string coding, std::string* seen) {
  Sliced body{std::move(bytes), slice, ""};
  http::ServerRequest request;
  request.read_body = [&body] { return body.next(); };
  const auto upload = open_body(&request, {std::move(coding), "", "20130524T000000Z"}, kKey);
  try {
    for (auto piece = co_await upload->read(); !piece.empty(); piece = co_await upload->read()) *seen += piece;
    *seen += " whole";
  } catch (const Error& error) {
    *seen = error.what();
  }
}

std::string read_sliced(std::string_view bytes, std::size_t slice, const char* coding) {
  static async::Runtime runtime;
  std::string seen;
  runtime.run(read_upload(std::string(bytes), slice, coding, &seen));
  return seen;
}

void authorise(std::string_view bytes) {
  http::ServerRequest request;
  request.method = "GET";
  request.path = "/bucket/key";
  request.query = http::decode_query(bytes);
  request.headers = {{"Host", "bucket"}, {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}};
  if (!request.query.empty() && request.query[0].first != "X-Amz-Algorithm") {
    request.headers.set("Authorization", std::string(bytes));
    request.headers.set("x-amz-date", std::string(bytes.substr(0, 16)));
  }
  try {
    verify_request(request, kKey, Time{});
    std::abort();  // nobody guesses a signature
  } catch (const Refusal& refusal) {
    if (refusal.answer().status < 400) std::abort();
  }
}

}  // namespace
}  // namespace mtc::blob

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc::blob;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto* coding : {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}) {
    if (read_sliced(bytes, size + 1, coding) != read_sliced(bytes, 1 + size % 7, coding)) std::abort();
  }
  authorise(bytes);
  return 0;
}
