#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "backup/archive.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "json/json.hpp"

namespace mtc::backup {
namespace {

constexpr std::size_t kFlushAt = 512 * 1024;

la_ssize_t collect(archive*, void* into, const void* bytes, std::size_t size) {
  static_cast<std::string*>(into)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

}  // namespace

struct ArchiveWriter::State {
  explicit State(std::unique_ptr<blob::Writer> to)
      : out(std::move(to)), tar(archive_write_new()), entry(archive_entry_new()) {
    archive_write_set_format_pax_restricted(tar);
    archive_write_add_filter_gzip(tar);
    archive_write_set_filter_option(tar, "gzip", "compression-level", "1");  // five times as fast, a tenth larger
    archive_write_set_filter_option(tar, "gzip", "timestamp", nullptr);
    archive_write_set_bytes_in_last_block(tar, 1);
    check(archive_write_open(tar, &bytes, nullptr, collect, nullptr), "start the archive");
  }
  ~State() {
    archive_entry_free(entry);
    archive_write_free(tar);
  }
  void check(int result, std::string_view doing) const {
    if (result < ARCHIVE_WARN) throw Error(Code::kInternal, fmt::format("{}: {}", doing, archive_error_string(tar)));
  }

  std::unique_ptr<blob::Writer> out;
  std::string bytes;
  archive* tar;
  archive_entry* entry;
  bool started = false;
};

ArchiveWriter::ArchiveWriter(std::unique_ptr<blob::Writer> out) : state_(std::make_unique<State>(std::move(out))) {}
ArchiveWriter::~ArchiveWriter() = default;

Task<void> ArchiveWriter::flush() {
  if (state_->bytes.empty()) co_return;
  co_await state_->out->write(std::exchange(state_->bytes, ""));
}

Task<void> ArchiveWriter::add_file(std::string path, std::string content) {
  auto* entry = archive_entry_clear(state_->entry);
  archive_entry_set_pathname(entry, path.c_str());
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0755);  // Velero's extractor gives parent folders the mode of the file
  archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
  archive_entry_set_mtime(entry, std::chrono::system_clock::to_time_t(system_clock().now()), 0);
  state_->check(archive_write_header(state_->tar, entry), path);
  if (archive_write_data(state_->tar, content.data(), content.size()) < 0) state_->check(ARCHIVE_FATAL, path);
  if (state_->bytes.size() >= kFlushAt) co_await flush();
}

Task<void> ArchiveWriter::add(kube::ResourceType type, const Json* object) {
  if (!std::exchange(state_->started, true)) co_await add_file("metadata/version", "1.1.0\n");
  const auto key = kube::key_of(*object);
  const auto scope = key.ns.empty() ? "cluster" : "namespaces/" + key.ns;
  const auto text = dump(*object);
  co_await add_file(fmt::format("resources/{}/{}/{}.json", type.group_resource(), scope, key.name), text);
  co_await add_file(
      fmt::format("resources/{}/{}-preferredversion/{}/{}.json", type.group_resource(), type.version, scope, key.name),
      text);
}

Task<void> ArchiveWriter::commit() {
  if (!std::exchange(state_->started, true)) co_await add_file("metadata/version", "1.1.0\n");
  state_->check(archive_write_close(state_->tar), "end the archive");
  co_await flush();
  co_await state_->out->commit();
}

}  // namespace mtc::backup
