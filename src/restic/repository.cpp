#include "restic/repository.hpp"

#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "restic/compress.hpp"
#include "restic/config.hpp"
#include "restic/crypto.hpp"
#include "restic/files.hpp"
#include "restic/index.hpp"
#include "restic/index_file.hpp"
#include "restic/key_file.hpp"
#include "restic/packer.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kMaxConfig = 64 * 1024;
/// As restic; each costs a derivation.
constexpr std::size_t kMaxKeys = 20;
constexpr std::size_t kIndexesAtOnce = 4;

std::string describe(const blob::Store& store, const std::string& prefix) {
  return fmt::format("restic repository {} in {}", prefix.empty() ? "/" : prefix, store.describe());
}

/// What a password opens.
struct Opened {
  std::vector<Key> keys;
  std::optional<Error> damaged;  ///< a key file that cannot be used
};

Task<Opened> open_keys(blob::StorePtr store, std::string prefix, Secret password) {
  Opened opened;
  Files files(store, prefix, {}, 2);
  auto found = co_await files.list(FileType::kKey);
  if (found.size() > kMaxKeys) found.resize(kMaxKeys);
  for (const auto& [id, size] : found) {
    try {
      const auto text = co_await files.read(FileType::kKey, id);
      auto key = co_await async::offload([&] { return open_key_file(decode_key_file(text), password); });
      if (key) opened.keys.push_back(*key);
    } catch (const Error& error) {
      if (error.code() != Code::kCorrupt && error.code() != Code::kNotFound) throw;
      opened.damaged = Error(error).with_context(files.name_of(FileType::kKey, id));
    }
  }
  co_return opened;
}

/// The key that fits the config: keys of a creation that was interrupted may lie beside it.
std::pair<Key, Config> open_config(const Opened& opened, const std::string& sealed, const std::string& where) {
  if (opened.keys.empty() && opened.damaged) throw Error(*opened.damaged).with_context(where);
  if (opened.keys.empty()) throw Error(Code::kUnauthorized, where + ": no key in it opens with this password");
  for (const auto& key : opened.keys) {
    const auto text = decrypt(key, sealed);
    if (!text) continue;
    try {
      return {key, decode_config(*text)};
    } catch (Error& error) {
      throw error.with_context("config of " + where);
    }
  }
  throw Error(Code::kCorrupt, "config of " + where + ": it was changed, or its key was replaced");
}

}  // namespace

struct Repository::Parts {
  Parts(const blob::StorePtr& store, const std::string& prefix, const Key& key, const Config& with,
        const RepositoryOptions& options)
      : where(restic::describe(*store, prefix)),
        config(with),
        clock(options.clock != nullptr ? *options.clock : system_clock()),
        compression(options.compression),
        files(store, prefix, key, config.version),
        packer(files, index, options.pack_size, options.uploads) {}

  Task<void> load_index_file(Id id, const PackSizes* stored);

  std::string where;
  Config config;
  const Clock& clock;
  Compression compression;
  Files files;
  Index index;
  Packer packer;
  std::unordered_set<Id, IdHash> loaded;  ///< index files
};

Repository::Repository(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Repository::~Repository() = default;

Task<bool> Repository::exists(blob::StorePtr store, std::string prefix) {
  co_return (co_await store->head(Layout(prefix).config())).has_value();
}

Task<void> Repository::create(blob::StorePtr store, std::string prefix, Secret password) {
  const auto where = restic::describe(*store, prefix);
  if (co_await exists(store, prefix)) throw Error(Code::kAlreadyExists, where + " exists already");
  // The config comes last: it is what makes a repository. A key that an interrupted creation left is taken again, since
  // restic uses the first key that a password opens.
  const auto opened = co_await open_keys(store, prefix, password);
  const auto key = opened.keys.empty() ? make_key() : opened.keys.front();
  if (opened.keys.empty()) {
    auto file = co_await async::offload([&] { return make_key_file(key, password, system_clock().now()); });
    const auto id = Id::of(file);
    co_await store->put(Layout(prefix).file(FileType::kKey, id), std::move(file));
  }
  co_await store->put(Layout(prefix).config(), encrypt(key, encode_config(make_config(system_rng()))));
}

Task<std::shared_ptr<Repository>> Repository::open(blob::StorePtr store, std::string prefix, Secret password,
                                                   RepositoryOptions options) {
  const auto where = restic::describe(*store, prefix);
  const auto sealed = co_await blob::read_all(*store, Layout(prefix).config(), kMaxConfig);
  if (!sealed) throw Error(Code::kNotFound, where + ": there is none");
  const auto opened = co_await open_keys(store, prefix, password);
  const auto [key, config] = open_config(opened, *sealed, where);
  auto parts = std::make_unique<Parts>(store, prefix, key, config, options);
  co_return std::shared_ptr<Repository>(new Repository(std::move(parts)));
}

std::uint64_t Repository::chunker_polynomial() const { return parts_->config.chunker_polynomial; }
std::string Repository::describe() const { return parts_->where; }
Files& Repository::files() { return parts_->files; }
Index& Repository::index() { return parts_->index; }
const Clock& Repository::clock() const { return parts_->clock; }

Task<void> Repository::load_index() {
  auto& parts = *parts_;
  const auto stored = co_await pack_sizes(parts.files);
  auto files = co_await parts.files.list(FileType::kIndex);
  std::erase_if(files, [&](const FileInfo& file) { return parts.loaded.contains(file.id); });
  co_await async::parallel_for(files.size(), kIndexesAtOnce,
                               [&](std::size_t i) { return parts.load_index_file(files[i].id, &stored); });
}

Task<void> Repository::Parts::load_index_file(Id id, const PackSizes* stored) {
  const auto file = co_await restic::load_index_file(files, id);
  for (const auto& pack : file.packs) {
    if (is_whole(pack.id, pack.blobs, *stored)) {
      index.add(pack.id, pack.blobs);
    } else {
      log::warn("a pack is missing or was cut; what it held counts as not stored",
                {{"pack", files.name_of(FileType::kPack, pack.id)}});
    }
  }
  loaded.insert(id);
}

bool Repository::knows(BlobType type, const Id& id) const { return parts_->index.knows(type, id); }

std::optional<Sealed> Repository::seal(BlobType type, const Id& id, std::string_view plain) {
  if (plain.size() > max_plain(type)) {
    throw Error(Code::kInvalid, fmt::format("a {} blob of {} bytes is beyond the limit of {}", to_string(type),
                                            plain.size(), max_plain(type)));
  }
  if (!parts_->index.claim(type, id)) return std::nullopt;
  Sealed sealed{type, id, "", static_cast<std::uint32_t>(plain.size()), false};
  const bool wanted = type == BlobType::kTree || (parts_->compression == Compression::kAuto && compresses(plain));
  // A size of 0 stands for "not compressed" in indexes.
  if (wanted && parts_->config.version >= 2 && !plain.empty()) {
    const auto frame = compress(plain);
    sealed.compressed = type == BlobType::kTree || frame.size() < plain.size();
    if (sealed.compressed) sealed.bytes = encrypt(parts_->files.key(), frame);
  }
  if (!sealed.compressed) sealed.bytes = encrypt(parts_->files.key(), plain);
  return sealed;
}

Task<void> Repository::add(std::vector<Sealed> blobs) { co_await parts_->packer.add(std::move(blobs)); }
Task<void> Repository::flush() { co_await parts_->packer.flush(); }

Task<std::string> Repository::load(BlobType type, Id id) {
  const auto location = locate(type, id);
  if (!location) {
    throw Error(Code::kNotFound,
                fmt::format("{}: no pack that is there has the {} blob {}", describe(), to_string(type), id.hex()));
  }
  const auto sealed = co_await read_pack(location->pack, location->offset, location->length);
  co_return co_await async::offload([&] { return unseal(*location, type, id, sealed); });
}

std::optional<Location> Repository::locate(BlobType type, const Id& id) const { return parts_->index.locate(type, id); }

Task<std::string> Repository::read_pack(Id pack, std::uint64_t offset, std::uint64_t length) {
  co_return co_await parts_->files.read_part(pack, offset, length);
}

std::string Repository::unseal(const Location& location, BlobType type, const Id& id, std::string_view sealed) const {
  try {
    return unseal_blob(parts_->files.key(), location, id, sealed);
  } catch (Error& error) {
    throw error.with_context(fmt::format("{} blob {} in {}", to_string(type), id.brief(),
                                         parts_->files.name_of(FileType::kPack, location.pack)));
  }
}

}  // namespace mtc::restic
