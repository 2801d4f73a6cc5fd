// kill_table: runs kill_table_O0 and kill_table_O2 with the same arguments. Exit code: the worst of theirs.
#include <tenon/os/process.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

int run(const std::string& program, const std::vector<std::string>& arguments) {
  auto child = tenon::spawn_program(program, arguments).or_throw();
  const auto ended = child.wait(tenon::never).or_throw();
  if (ended.signal() != 0) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), ended.message().c_str());
    return 1;
  }
  return ended.code();
}

}  // namespace

int main(int count, char** arguments) {
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "kill";
  const std::vector<std::string> passed(arguments + 1, arguments + count);
  int worst = 0;
  for (const char* level : {"O0", "O2"}) {
    worst = std::max(worst, run(folder / ("kill_table_" + std::string(level)), passed));
  }
  return worst;
}
