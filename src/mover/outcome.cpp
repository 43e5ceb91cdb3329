#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "json/json.hpp"
#include "mover/lines.hpp"
#include "volume/file_error.hpp"

namespace mtc::mover {
namespace {

using volume::printable;
using volume::Report;

constexpr std::size_t kListed = 100;  ///< paths of a list
constexpr std::size_t kLongestPath = 1000;

/// The paths of `items`, as many as belong on a line; `notes` says if there were more.
template <typename T>
void list(const std::vector<T>& items, std::uint64_t count, std::string_view what, std::vector<std::string>& into,
          std::vector<std::string>& notes) {
  for (std::size_t i = 0; i < std::min(items.size(), kListed); ++i) {
    into.push_back(printable(items[i].path).substr(0, kLongestPath));
  }
  if (count > kListed) notes.push_back(fmt::format("{} paths {}, {} of them listed", count, what, kListed));
}

std::string first(const std::vector<volume::Problem>& problems) {
  if (problems.empty()) return "";
  const auto& problem = problems.front();
  const auto path = printable(problem.path);
  return problem.what.contains(path) ? problem.what : fmt::format("{}: {}", path, problem.what);
}

std::string and_more(std::uint64_t count) { return count > 1 ? fmt::format(" (and {} more)", count - 1) : ""; }

/// Why a report is no success; "" if it is one.
std::string fault_of(const Report& report) {
  if (report.failed > 0) return first(report.failures) + and_more(report.failed);
  if (!report.lenient && report.changed_count > 0) return first(report.changed) + and_more(report.changed_count);
  if (!report.lenient && report.vanished_count > 0) return first(report.vanished) + and_more(report.vanished_count);
  if (report.differing > 0) {
    if (report.differences.empty()) return "the destination differs from the source";
    const auto& difference = report.differences.front();
    return fmt::format("the destination differs from the source: {}: {}{}", printable(difference.path), difference.what,
                       and_more(report.differing));
  }
  if (!report.lenient && !report.complete())
    return "the destination differs from the source: their Merkle roots are not the same";
  return "";
}

std::vector<std::string> notes_of(const Report& report) {
  std::vector<std::string> notes;
  notes.reserve(report.losses.size() + 1);
  for (const auto& loss : report.losses) {
    notes.push_back(fmt::format("not kept: {} ({} paths; first {})", printable(loss.what), loss.count,
                                printable(loss.path).substr(0, kLongestPath)));
  }
  if (report.excused > 0) {
    notes.push_back(fmt::format("{} paths differ in what changed meanwhile or cannot be kept here", report.excused));
  }
  return notes;
}

Json line_of(const Outcome& outcome, const volume::Progress& progress) {
  Json line;
  line["phase"] = outcome.done ? "done" : "failed";
  line["files"] = progress.files.load();
  line["filesTotal"] = outcome.done ? progress.files.load() : progress.files_total.load();
  line["bytes"] = progress.bytes.load();
  line["bytesTotal"] = outcome.done ? progress.bytes.load() : progress.bytes_total.load();
  line["movedBytes"] = progress.moved.load();
  line["message"] = outcome.message;
  if (outcome.done) {
    line["percent"] = 100;
    if (outcome.snapshot.empty()) {
      line["root"] = outcome.root;
      line["verified"] = outcome.verified;
    } else {
      line["snapshot"] = outcome.snapshot;
    }
    if (outcome.device) line["device"] = true;
    line["skipped"] = outcome.skipped;
  } else {
    line["retry"] = outcome.retry;
    line["differences"] = outcome.differences;
  }
  line["notes"] = outcome.notes;
  return line;
}

}  // namespace

Outcome outcome_of(const Report& report) {
  Outcome outcome;
  outcome.message = fault_of(report);
  outcome.done = outcome.message.empty();
  // Whatever still writes to the source may be through the next time; what cannot be read or kept stays so.
  outcome.retry = !outcome.done && report.failed == 0 && report.unsettled() > 0;
  outcome.verified = report.verified && report.differing == 0 && (report.complete() || report.excused > 0);
  outcome.device = report.device > 0;
  outcome.root = hex(report.source_root);
  outcome.notes = notes_of(report);
  list(report.changed, report.changed_count, "changed meanwhile", outcome.skipped, outcome.notes);
  list(report.vanished, report.vanished_count, "vanished meanwhile", outcome.skipped, outcome.notes);
  list(report.differences, report.differing, "differ", outcome.differences, outcome.notes);
  if (report.beyond > 0) {
    outcome.notes.push_back(
        fmt::format("the destination has {} bytes more than the source, which are zeros", report.beyond));
  }
  if (outcome.done && report.device > 0) {
    outcome.message =
        fmt::format("{} of {} bytes of the device moved, the others were there", report.bytes, report.device);
  } else if (outcome.done) {
    outcome.message = fmt::format("{} files and {} bytes moved, {} files were there, {} names removed", report.files,
                                  report.bytes, report.skipped, report.deleted);
  }
  return outcome;
}

Outcome outcome_of(const restic::BackupResult& backup) {
  auto outcome = outcome_of(backup.report);
  if (!outcome.done) return outcome;
  const auto& report = backup.report;
  outcome.snapshot = backup.snapshot->id.hex();
  const auto what = report.device > 0 ? fmt::format("{} of {} bytes of the device stored, the others were there",
                                                    report.bytes, report.device)
                                      : fmt::format("{} files and {} bytes read, {} files as they were", report.files,
                                                    report.bytes, report.skipped);
  outcome.message = fmt::format("snapshot {}: {}", backup.snapshot->id.brief(), what);
  return outcome;
}

Outcome outcome_of(const restic::PruneReport& prune) {
  Outcome outcome;
  outcome.done = true;
  outcome.message = fmt::format("{} snapshots forgotten, {} packs and {} bytes removed", prune.forgotten.size(),
                                prune.removed_packs, prune.freed_bytes);
  return outcome;
}

Outcome outcome_of(const Error& failure) {
  Outcome outcome;
  outcome.message = failure.what();
  // A conflict is somebody else at the same repository, who will be through some time.
  outcome.retry = failure.transient() || failure.code() == Code::kConflict;
  return outcome;
}

std::string last_line(const Outcome& outcome, const volume::Progress& progress, std::size_t limit) {
  auto shorter = outcome;
  for (;;) {
    auto line = dump(line_of(shorter, progress));
    if (line.size() <= limit) return line;
    auto* longest = &shorter.skipped;
    for (auto* list : {&shorter.differences, &shorter.notes}) {
      if (list->size() > longest->size()) longest = list;
    }
    if (longest->size() > 1) {
      longest->resize(longest->size() / 2);
      longest->back() = "…";
    } else if (shorter.message.size() > 100) {
      shorter.message = printable(std::string_view(shorter.message).substr(0, shorter.message.size() / 2)) + "…";
    } else if (!longest->empty()) {
      longest->clear();
    } else {
      return line.substr(0, limit);
    }
  }
}

}  // namespace mtc::mover
