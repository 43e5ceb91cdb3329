#include "sandbox/storage.hpp"

#include <deque>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.hpp"

namespace mtc::sandbox {
namespace {

constexpr std::size_t kHistory = 10'000;

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
  Statement get{db.handle, "SELECT json FROM objects WHERE resource=? AND ns=? AND name=?"};
  Statement put{db.handle, "INSERT OR REPLACE INTO objects VALUES(?,?,?,?)"};
  Statement erase{db.handle, "DELETE FROM objects WHERE resource=? AND ns=? AND name=?"};
  Statement list{db.handle, "SELECT json FROM objects WHERE resource=? AND (ns, name) > (?, ?) ORDER BY ns, name"};
  Statement list_in{db.handle,
                    "SELECT json FROM objects WHERE resource=? AND (ns, name) > (?, ?) AND ns=? ORDER BY ns, name"};
  Statement setting{db.handle, "SELECT value FROM settings WHERE name=?"};
  Statement set_setting{db.handle, "INSERT OR REPLACE INTO settings VALUES(?,?)"};
  std::uint64_t revision = 0;
  std::uint64_t oldest = 0;  ///< history is complete after this revision
  std::deque<Event> history;
  std::map<int, std::function<void(const Event&)>> listeners;
  int next_listener = 0;

  void tell(Event event) {
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
};

Storage::Storage(const std::string& path) : state_(std::make_unique<State>(path)) {
  const auto stored = setting("revision");
  state_->revision = stored.empty() ? 1 : std::stoull(stored);
  state_->oldest = state_->revision;
}
Storage::~Storage() = default;

std::optional<Json> Storage::get(const Address& at) const {
  auto& query = state_->get.bind({at.resource, at.ns, at.name});
  if (!query.step()) return std::nullopt;
  auto object = parse_json(query.text(0));
  query.done();
  return object;
}

std::vector<Json> Storage::list(const std::string& resource, const std::string& ns,
                                const std::pair<std::string, std::string>& after, std::size_t limit) const {
  auto& query = ns.empty() ? state_->list.bind({resource, after.first, after.second})
                           : state_->list_in.bind({resource, after.first, after.second, ns});
  std::vector<Json> out;
  while (query.step()) {
    out.push_back(parse_json(query.text(0)));
    if (limit > 0 && out.size() == limit) break;
  }
  query.done();
  return out;
}

Json Storage::put(const Address& at, Json object) {
  const auto before = get(at);
  state_->commit([&] {
    object["metadata"]["resourceVersion"] = std::to_string(state_->revision);
    state_->put.bind({at.resource, at.ns, at.name, dump(object)}).step();
  });
  state_->tell({before ? Event::Type::kModified : Event::Type::kAdded, state_->revision, at,
                std::make_shared<const Json>(object), before ? std::make_shared<const Json>(*before) : nullptr});
  return object;
}

std::optional<Json> Storage::erase(const Address& at) {
  auto before = get(at);
  if (!before) return std::nullopt;
  state_->commit([&] { state_->erase.bind({at.resource, at.ns, at.name}).step(); });
  auto last = *before;
  last["metadata"]["resourceVersion"] = std::to_string(state_->revision);
  state_->tell({Event::Type::kDeleted, state_->revision, at, std::make_shared<const Json>(last),
                std::make_shared<const Json>(*before)});
  return last;
}

std::uint64_t Storage::revision() const { return state_->revision; }

std::optional<std::vector<Event>> Storage::since(std::uint64_t revision) const {
  if (revision < state_->oldest) return std::nullopt;
  std::vector<Event> out;
  for (const auto& event : state_->history) {
    if (event.revision > revision) out.push_back(event);
  }
  return out;
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
