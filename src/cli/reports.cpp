#include "cli/reports.hpp"

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/text.hpp"
#include "cli/user_error.hpp"
#include "kube/resource.hpp"
#include "migrate/report/envelope.hpp"
#include "migrate/report/report.hpp"

namespace mtc::cli {
namespace {

namespace report = migrate::report;

void tell_forged(Console& console, const std::string& what, const report::Opened& opened, const std::string& key) {
  const bool other_key = opened.key_id != key_id(key);
  tell(UserError(Code::kInvalid,
                 other_key
                     ? fmt::format("{} was signed by another key, {}…", what, one_line(opened.key_id.substr(0, 16)))
                     : fmt::format("{} is not what was signed: somebody changed it", what),
                 other_key ? "give that host's key by --key, or its cluster by --context" : ""),
       console);
}

int judge(Console& console, const std::string& what, const report::Opened& opened, const std::string& key) {
  if (!opened.authentic) {
    tell_forged(console, what, opened, key);
    return kFailed;
  }
  console.out(lines(fmt::format("{}: signature holds (key {}…)\n  MigMigration {} ({}): {}, ended {}\n", what,
                                opened.key_id.substr(0, 16), string_at(opened.report, "migration.name"),
                                string_at(opened.report, "migration.uid"), string_at(opened.report, "outcome"),
                                string_at(opened.report, "ended"))));
  return kOk;
}

report::Opened open_file(const std::string& file, const std::string& key) {
  try {
    return report::open(parse_json(read_file(file, "report")), key);
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt) throw;
    throw UserError(Code::kInvalid, fmt::format("{} is no report: {}", file, error.what()),
                    "mtc migration report NAME -o json >FILE writes one");
  }
}

Task<std::string> host_key(Session session) {
  auto key = co_await report::public_key(session.host);
  if (key.empty())
    throw UserError(Code::kNotFound, "this host has signed no report yet",
                    "give the key of the host that did by --key");
  co_return key;
}

}  // namespace

Task<int> show_report(Session session, std::string migration, bool signed_form) {
  const auto kind = kind_of("migration");
  const auto object = co_await must_find(session, kind, migration);
  const auto envelope = co_await report::load(session.host, kube::uid_of(object));
  if (!envelope) {
    const bool over = string_at(object, "status.phase") == "Completed";
    throw UserError(Code::kNotFound,
                    fmt::format("MigMigration {} has no report{}", migration, over ? "" : ": it has not ended"),
                    session.console->command((over ? "migration describe " : "watch ") + migration));
  }
  if (signed_form) {
    session.console->out(dump_pretty(*envelope) + "\n");
    co_return kOk;
  }
  const auto key = co_await host_key(session);
  const auto opened = report::open(*envelope, key);
  session.console->out(lines(report::text(opened.report)));
  if (opened.authentic) co_return kOk;
  tell_forged(*session.console, "this report", opened, key);
  co_return kFailed;
}

Task<int> verify_report(Session session, std::string file, std::string public_pem) {
  if (public_pem.empty()) public_pem = co_await host_key(session);
  co_return verify_report(*session.console, file, public_pem);
}

int verify_report(Console& console, const std::string& file, const std::string& public_pem) {
  return judge(console, file, open_file(file, public_pem), public_pem);
}

void CommandTree::add_migration_report(CLI::App* group) {
  auto* show = command(group, "report", "show what it did, or its signed report",
                       "migration report shop-x7k2m\nmigration report shop-x7k2m -o json >shop.report");
  auto name = std::make_shared<std::string>(), output = std::make_shared<std::string>();
  value(show, "MIGRATION", *name, "NAME", "name of the migration")->required();
  value(show, "-o,--output", *output, "json", "the signed report, to be kept and checked");
  acts(show, [name, output](Session session) { return show_report(session, *name, *output == "json"); });
}

void CommandTree::add_verify() {
  auto* verify = command(&app_, "verify", "check the signature of a report that was kept",
                         "verify shop.report\nverify shop.report --key host.pem");
  verify->group("Move it");
  auto file = std::make_shared<std::string>(), key = std::make_shared<std::string>();
  value(verify, "REPORT", *file, "FILE", "file that `migration report -o json` wrote")->required();
  value(verify, "--key", *key, "FILE", "public key of the host that signed it (default: this host's)");
  performs(verify, [this, file, key] {
    if (!key->empty()) return verify_report(*console_, *file, read_file(*key, "key"));
    return on_host([file](Session session) { return verify_report(session, *file, ""); }, {});
  });
}

}  // namespace mtc::cli
