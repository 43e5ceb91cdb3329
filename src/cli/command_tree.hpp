#pragma once

#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command_line.hpp"
#include "cli/session.hpp"

namespace mtc::cli {

/// The commands and flags of the program, and what each does. Parsing chooses an action; run() performs it.
class CommandTree {
 public:
  /// Both outlive the tree.
  CommandTree(const Programs* programs, Console* console);

  CLI::App& root() { return app_; }
  const CLI::App& root() const { return app_; }
  /// What the parsed command line asks for; returns the exit code.
  int run() const;

 private:
  using Action = std::function<int()>;
  /// What a verb does with the host cluster; returns the exit code.
  using Verb = std::function<Task<int>(Session)>;

  void add_global_flags();
  void add_demo();
  void add_sandbox();
  void add_bucket();
  void add_controller();
  void add_mover();
  void add_mover_backup(CLI::App* mover);
  void add_mover_restore(CLI::App* mover);
  void add_mover_prune(CLI::App* mover);
  void add_image();
  void add_completion();
  void add_kinds();
  void add_get(CLI::App* group, const std::string& word);
  void add_describe(CLI::App* group, const std::string& word);
  void add_delete(CLI::App* group, const std::string& word);
  void add_cluster_add(CLI::App* group);
  void add_storage_add(CLI::App* group);
  void add_plan_create(CLI::App* group);
  void add_migration_report(CLI::App* group);
  void add_migrate();
  void add_watch();
  void add_wait();
  void add_cancel();
  void add_verify();

  CLI::App* command(CLI::App* parent, const std::string& name, const std::string& description,
                    const std::string& examples);
  void performs(CLI::App* command, Action action);
  /// The command runs `verb` against the host. After an interruption `hint`, if any, is told.
  void acts(CLI::App* command, Verb verb, std::function<std::string()> hint = {});
  int on_host(const Verb& verb, const std::function<std::string()>& hint) const;

  const Programs* programs_;
  Console* console_;
  CLI::App app_{"mtc moves applications between Kubernetes clusters.", "mtc"};
  HostOptions host_;
  std::string level_ = "info";
  bool log_json_ = false;
  Action action_;
};

/// The keys of a bucket: by flag, or where other S3 clients look for them.
void add_keys(CLI::App* command, std::string& id, std::string& key);

/// An option or argument whose value the help calls `placeholder`; completion goes by it too ("PLAN", "json|yaml").
CLI::Option* value(CLI::App* command, const std::string& names, std::string& into, const std::string& placeholder,
                   const std::string& description);

}  // namespace mtc::cli
