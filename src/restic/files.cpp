#include "restic/files.hpp"

#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "restic/compress.hpp"

namespace mtc::restic {
namespace {

/// The first byte of a document that is not plain JSON.
constexpr char kZstdDocument = 2;
constexpr std::size_t kMaxDocument = 512U << 20U;
/// A file that is read as a whole; packs have 4 to 128 MiB, or that of one blob.
constexpr std::uint64_t kMaxFile = 2ULL << 30U;
/// Beyond this, hashing and decrypting go to the pool.
constexpr std::size_t kSmall = 64 * 1024;

std::string_view folder_name(FileType type) {
  switch (type) {
    case FileType::kPack: return "data/";
    case FileType::kKey: return "keys/";
    case FileType::kLock: return "locks/";
    case FileType::kSnapshot: return "snapshots/";
    case FileType::kIndex: return "index/";
  }
  std::unreachable();
}

/// All that `reader` gives; `size` is what to expect, not to trust.
Task<std::string> drain(blob::Reader* reader, std::uint64_t size) {
  std::string bytes;
  bytes.reserve(std::min(size, kMaxFile));
  for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) {
    if (bytes.size() + piece.size() > kMaxFile) throw Error(Code::kCorrupt, "it is larger than any file may be");
    bytes += piece;
  }
  co_return bytes;
}

/// Off the loop if `bytes` are many.
template <typename Work>
auto apart(std::size_t bytes, Work work) -> Task<std::invoke_result_t<Work>> {
  if (bytes <= kSmall) co_return work();
  co_return co_await async::offload(std::move(work));
}

}  // namespace

std::string_view to_string(FileType type) {
  switch (type) {
    case FileType::kPack: return "pack";
    case FileType::kKey: return "key";
    case FileType::kLock: return "lock";
    case FileType::kSnapshot: return "snapshot";
    case FileType::kIndex: return "index";
  }
  std::unreachable();
}

Layout::Layout(std::string prefix) : prefix_(std::move(prefix)) {
  if (!prefix_.empty() && !prefix_.ends_with('/')) prefix_ += '/';
}

std::string Layout::folder(FileType type) const { return fmt::format("{}{}", prefix_, folder_name(type)); }

std::string Layout::file(FileType type, const Id& id) const {
  const auto name = id.hex();
  return type == FileType::kPack ? fmt::format("{}{}/{}", folder(type), name.substr(0, 2), name) : folder(type) + name;
}

std::string seal_document(const Key& key, unsigned version, std::string_view text) {
  if (version < 2) return encrypt(key, text);
  const auto frame = compress(text);
  std::string plain;
  plain.reserve(frame.size() + 1);
  plain += kZstdDocument;
  plain += frame;
  return encrypt(key, plain);
}

std::string unseal_document(const Key& key, std::string_view sealed) {
  auto plain = decrypt(key, sealed);
  if (!plain) throw Error(Code::kCorrupt, "it was changed, or written with another key");
  if (plain->empty()) throw Error(Code::kCorrupt, "it is empty");
  if (plain->front() == '{' || plain->front() == '[') return std::move(*plain);
  if (plain->front() != kZstdDocument) throw Error(Code::kCorrupt, "it has an unknown encoding");
  return decompress(std::string_view(*plain).substr(1), kMaxDocument);
}

Files::Files(blob::StorePtr store, std::string prefix, Key key, unsigned version)
    : store_(std::move(store)), layout_(std::move(prefix)), key_(key), version_(version) {}

std::string Files::name_of(FileType type, const Id& id) const {
  return fmt::format("{} {} of {}", to_string(type), id.brief(), store_->describe());
}

Task<std::vector<FileInfo>> Files::list(FileType type) {
  std::vector<FileInfo> files;
  std::string next;
  do {
    auto page = co_await store_->list(layout_.folder(type), "", std::move(next));
    for (const auto& object : page.objects) {
      const auto id = Id::parse(std::string_view(object.key).substr(object.key.rfind('/') + 1));
      if (id && object.key == layout_.file(type, *id)) files.push_back({*id, object.size});
    }
    next = std::move(page.next);
  } while (!next.empty());
  co_return files;
}

Task<std::string> Files::read(FileType type, Id id) {
  std::optional<Error> failure;
  try {
    const auto reader = co_await store_->open(layout_.file(type, id));
    if (!reader) throw Error(Code::kNotFound, "it is not there");
    auto bytes = co_await drain(reader.get(), reader->info().size);
    const auto is = co_await apart(bytes.size(), [&] { return Id::of(bytes); });
    if (is != id) throw Error(Code::kCorrupt, "its bytes are not those that its name says");
    co_return bytes;
  } catch (const Error& error) {
    failure = error;
  }
  throw failure->with_context("read " + name_of(type, id));
}

Task<std::string> Files::read_part(Id pack, std::uint64_t offset, std::uint64_t length) {
  std::optional<Error> failure;
  try {
    const auto reader = co_await store_->open(layout_.file(FileType::kPack, pack), {offset, length});
    if (!reader) throw Error(Code::kNotFound, "it is not there");
    auto bytes = co_await drain(reader.get(), length);
    if (bytes.size() != length) throw Error(Code::kCorrupt, "it is shorter than its index says");
    co_return bytes;
  } catch (const Error& error) {
    // A range beyond the end is, here, a pack that was cut.
    failure = error.code() == Code::kInvalid ? Error(Code::kCorrupt, error.message()) : error;
  }
  throw failure->with_context("read " + name_of(FileType::kPack, pack));
}

Task<void> Files::write(FileType type, Id id, std::string bytes) {
  co_await store_->put(layout_.file(type, id), std::move(bytes));
}

Task<void> Files::remove(FileType type, Id id) { co_await store_->remove(layout_.file(type, id)); }

Task<std::string> Files::load_document(FileType type, Id id) {
  auto bytes = co_await read(type, id);
  std::optional<Error> failure;
  try {
    co_return co_await apart(bytes.size(), [&] { return unseal_document(key_, bytes); });
  } catch (const Error& error) {
    failure = error;
  }
  throw failure->with_context("read " + name_of(type, id));
}

Task<Id> Files::save_document(FileType type, std::string text) {
  auto bytes = co_await apart(text.size(), [&] { return seal_document(key_, version_, text); });
  const auto id = co_await apart(bytes.size(), [&] { return Id::of(bytes); });
  co_await write(type, id, std::move(bytes));
  co_return id;
}

}  // namespace mtc::restic
