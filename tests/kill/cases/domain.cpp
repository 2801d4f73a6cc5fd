// A process is killed while it makes a domain's directory; another opens it in its place. Nobody may ever see a
// directory with another mode than the one asked for, whatever the umask. One control: the directory made in its place,
// and given its mode then.
#include "../cases.hpp"

#include <kit/state_hash.hpp>
#include <kit/unique.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/exact_mode.hpp>

#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace kill_cases {

namespace {

using tenon::Domain;
using tenon::Permissions;

constexpr Permissions asked(0770);

class Make : public kit::KillTrial {
 public:
  Make() : parent_("/dev/shm/" + kit::unique_name("tenon-kill")), path_(parent_ + "/domain") {
    if (::mkdir(parent_.c_str(), 0700) == -1) {
      throw std::runtime_error("no directory for the trial");
    }
  }
  ~Make() override {
    std::error_code dropped;
    std::filesystem::remove_all(parent_, dropped);
  }

  void before() override { ::umask(0077); }
  void operation() override { look(Domain::open(path_, asked).or_throw()); }
  void survive() override { look(Domain::open(path_, asked).or_throw()); }
  void rival() override { survive(); }

  std::vector<std::string> leaked() override {
    std::vector<std::string> left = kit::names_in(parent_);
    std::erase(left, "domain");
    return left;
  }
  std::vector<std::string> broken() override {
    struct stat status{};
    const bool exact = ::lstat(path_.c_str(), &status) == 0 && (status.st_mode & 07777) == asked.mode();
    return exact ? std::vector<std::string>() : std::vector<std::string>{"the directory lacks the mode asked for"};
  }
  std::uint64_t state() override { return kit::hash_of_tree(parent_); }
  bool changes_without_calls() const override { return false; }

 protected:
  const std::string& path() const noexcept { return path_; }

 private:
  static void look(const Domain& domain) {
    struct stat status{};
    if (::fstat(domain.directory().raw(), &status) == -1 || (status.st_mode & 07777) != asked.mode()) {
      throw std::runtime_error("it was opened with another mode than the one asked for");
    }
  }

  std::string parent_;
  std::string path_;
};

class MakeInPlace : public Make {
 public:
  void operation() override {
    ::mkdir(path().c_str(), asked.mode());
    const auto made = tenon::fd_from(::open(path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open").or_throw();
    tenon::set_exact_mode(made.view(), asked).or_throw();
  }
};

}  // namespace

kit::KillCase domain_make() {
  return {.name = "domain: make", .make = [] { return std::make_unique<Make>(); }, .control = false};
}
kit::KillCase domain_made_in_place() {
  return {.name = "domain: made in its place", .make = [] { return std::make_unique<MakeInPlace>(); }, .control = true};
}

}  // namespace kill_cases
