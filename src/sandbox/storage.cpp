#include "sandbox/storage.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <ranges>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.hpp"

namespace mtc::sandbox {
namespace {

constexpr std::size_t kHistory = 10'000;
/// Revisions before this one are history that nobody kept, as on a server that has run for a while.
constexpr std::uint64_t kFirstRevision = 1000;

constexpr auto kSchema = R"(
PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS objects(resource TEXT, ns TEXT, name TEXT, json TEXT NOT NULL, PRIMARY KEY(resource, ns, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)";

/// A prepared statement that is bound, stepped and reset for each use.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    if (sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) != SQLITE_OK) fail();
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::initializer_list<std::string_view> texts) {
    sqlite3_reset(statement_);
    int index = 0;
    for (const auto text : texts)
      sqlite3_bind_text(statement_, ++index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
  }
  /// True while there are rows.
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) fail();
    sqlite3_reset(statement_);
    return false;
  }
  std::string text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  void done() { sqlite3_reset(statement_); }

 private:
  [[noreturn]] void fail() const {
    throw Error(Code::kUnavailable, fmt::format("state file: {}", sqlite3_errmsg(db_)));
  }
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

struct Database {
  explicit Database(const std::string& path) {
    if (sqlite3_open(path.c_str(), &handle) != SQLITE_OK ||
        sqlite3_exec(handle, kSchema, nullptr, nullptr, nullptr) != SQLITE_OK) {
      const std::string why = sqlite3_errmsg(handle);
      sqlite3_close(handle);
      throw Error(Code::kUnavailable, fmt::format("state file {}: {}", path, why));
    }
  }
  ~Database() { sqlite3_close(handle); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  void run(const char* sql) { sqlite3_exec(handle, sql, nullptr, nullptr, nullptr); }
  sqlite3* handle = nullptr;
};

}  // namespace

struct Storage::State {
  explicit State(const std::string& path) : db(path) {}

  Database db;
  Statement all{db.handle, "SELECT resource, ns, name, json FROM objects"};
  Statement put{db.handle, "INSERT OR REPLACE INTO objects VALUES(?,?,?,?)"};
  Statement erase{db.handle, "DELETE FROM objects WHERE resource=? AND ns=? AND name=?"};
  Statement setting{db.handle, "SELECT value FROM settings WHERE name=?"};
  Statement set_setting{db.handle, "INSERT OR REPLACE INTO settings VALUES(?,?)"};
  std::map<Address, ObjectPtr> objects;
  std::map<std::string, std::uint64_t> changes;  ///< resource → its last change
  std::uint64_t revision = 0;
  std::uint64_t oldest = 0;  ///< history is complete after this revision
  std::deque<Event> history;
  std::map<int, std::function<void(const Event&)>> listeners;
  int next_listener = 0;

  void tell(Event event) {
    changes[event.at.resource] = event.revision;
    history.push_back(event);
    if (history.size() > kHistory) {
      oldest = history.front().revision;
      history.pop_front();
    }
    const auto told = listeners;
    for (const auto& [id, listener] : told) listener(event);
  }

  /// The change and the counter belong together.
  template <typename Change>
  void commit(Change change) {
    db.run("BEGIN IMMEDIATE");
    ++revision;
    change();
    set_setting.bind({"revision", std::to_string(revision)}).step();
    db.run("COMMIT");
  }

  /// What `list` shows, by place.
  std::map<Address, ObjectPtr> part(const std::string& resource, const std::string& ns) const {
    std::map<Address, ObjectPtr> out;
    for (auto at = objects.lower_bound({resource, ns, ""}); at != objects.end(); ++at) {
      if (at->first.resource != resource || (!ns.empty() && at->first.ns != ns)) break;
      out.insert(out.end(), *at);
    }
    return out;
  }
};

Storage::Storage(const std::string& path) : state_(std::make_unique<State>(path)) {
  const auto stored = setting("revision");
  state_->revision = stored.empty() ? kFirstRevision : std::stoull(stored);
  state_->oldest = state_->revision;
  auto& rows = state_->all.bind({});
  while (rows.step()) {
    state_->objects[{rows.text(0), rows.text(1), rows.text(2)}] =
        std::make_shared<const Json>(parse_json(rows.text(3)));
  }
}
Storage::~Storage() = default;

ObjectPtr Storage::get(const Address& at) const {
  const auto found = state_->objects.find(at);
  return found == state_->objects.end() ? nullptr : found->second;
}

std::vector<ObjectPtr> Storage::list(const std::string& resource, const std::string& ns) const {
  std::vector<ObjectPtr> out;
  for (auto at = state_->objects.lower_bound({resource, ns, ""}); at != state_->objects.end(); ++at) {
    if (at->first.resource != resource || (!ns.empty() && at->first.ns != ns)) break;
    out.push_back(at->second);
  }
  return out;
}

std::optional<std::vector<ObjectPtr>> Storage::list_at(const std::string& resource, const std::string& ns,
                                                       std::uint64_t revision) const {
  if (revision < state_->oldest) return std::nullopt;
  auto objects = state_->part(resource, ns);
  for (const auto& event : std::views::reverse(state_->history)) {  // undone, the latest first
    if (event.revision <= revision) break;
    if (event.at.resource != resource || (!ns.empty() && event.at.ns != ns)) continue;
    if (event.previous) {
      objects[event.at] = event.previous;
    } else {
      objects.erase(event.at);
    }
  }
  std::vector<ObjectPtr> out;
  out.reserve(objects.size());
  for (auto& [at, object] : objects) out.push_back(std::move(object));
  return out;
}

ObjectPtr Storage::put(const Address& at, Json object) {
  auto before = get(at);
  state_->commit([&] {
    object["metadata"]["resourceVersion"] = std::to_string(state_->revision);
    state_->put.bind({at.resource, at.ns, at.name, dump(object)}).step();
  });
  auto stored = std::make_shared<const Json>(std::move(object));
  state_->objects[at] = stored;
  state_->tell(
      {before ? Event::Type::kModified : Event::Type::kAdded, state_->revision, at, stored, std::move(before)});
  return stored;
}

ObjectPtr Storage::erase(const Address& at) {
  auto before = get(at);
  if (!before) return nullptr;
  state_->commit([&] { state_->erase.bind({at.resource, at.ns, at.name}).step(); });
  state_->objects.erase(at);
  auto last = *before;
  last["metadata"]["resourceVersion"] = std::to_string(state_->revision);
  auto told = std::make_shared<const Json>(std::move(last));
  state_->tell({Event::Type::kDeleted, state_->revision, at, told, std::move(before)});
  return told;
}

std::uint64_t Storage::revision() const { return state_->revision; }

std::uint64_t Storage::changed(const std::string& resource) const {
  const auto at = state_->changes.find(resource);
  return at == state_->changes.end() ? 0 : at->second;
}

std::optional<std::vector<Event>> Storage::since(std::uint64_t revision) const {
  if (revision < state_->oldest) return std::nullopt;
  const auto first = std::ranges::upper_bound(state_->history, revision, {}, &Event::revision);
  return std::vector<Event>(first, state_->history.end());
}

int Storage::subscribe(std::function<void(const Event&)> listener) {
  state_->listeners[++state_->next_listener] = std::move(listener);
  return state_->next_listener;
}

void Storage::unsubscribe(int id) { state_->listeners.erase(id); }

std::string Storage::setting(const std::string& name) const {
  auto& query = state_->setting.bind({name});
  if (!query.step()) return "";
  auto value = query.text(0);
  query.done();
  return value;
}

void Storage::set_setting(const std::string& name, const std::string& value) {
  state_->set_setting.bind({name, value}).step();
}

}  // namespace mtc::sandbox
