#pragma once
/// One row of the table of settings, and the ways in which a row is looked at.
#include <tenon/inspect/settings/setting.hpp>

#include <cstdint>
#include <string>

namespace tenon::inspect {

struct SettingRow;

/// What looking at a setting gave.
struct Look {
  std::string value;
  Verdict verdict = Verdict::ok;
  std::string meaning = {};  ///< in place of the row's, where the value needs words of its own
};

struct SettingRow {
  const char* name;
  Look (*look)(const SettingRow&);
  const char* meaning;
  const char* remedy;
  const char* unit = "";
  std::uint64_t usual = 0;   ///< below it: a note
  std::uint64_t needed = 0;  ///< below it: a problem
};

/// The value with its unit, and the verdict that its row's thresholds give.
Look judged(const SettingRow& row, std::uint64_t value);

/// A number under /proc/sys by the name that sysctl(8) gives it.
Look look_at_sysctl(const SettingRow& row);
/// As that, where 0 means that there is no limit.
Look look_at_sysctl_zero_is_none(const SettingRow& row);
/// One of the four numbers of kernel.sem, chosen by the row's name.
Look look_at_semaphores(const SettingRow& row);
/// A resource limit of this process. getrlimit(2)
Look look_at_rlimit(const SettingRow& row);
Look look_at_shm(const SettingRow& row);
Look look_at_mqueue_mount(const SettingRow& row);
Look look_at_remove_ipc(const SettingRow& row);
Look look_at_ptrace_scope(const SettingRow& row);

/// What systemd-logind's RemoveIPC= is set to below `root`: the last of logind.conf and its drop-ins, "yes" if none
/// says anything. logind.conf(5)
bool removes_ipc(const std::string& root);

}  // namespace tenon::inspect
