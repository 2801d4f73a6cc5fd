#include <kit/reported_child.hpp>

#include <tenon/os/system_call.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace kit {

namespace {

using testing::TestPartResult;

struct Entry {
  std::int32_t kind;  // TestPartResult::Type
  std::int32_t line;
  std::uint32_t file_bytes;
  std::uint32_t message_bytes;
};

void write_entry(int report, TestPartResult::Type kind, std::string_view file, int line, std::string_view message) {
  Entry entry{.kind = kind,
              .line = line,
              .file_bytes = static_cast<std::uint32_t>(file.size()),
              .message_bytes = static_cast<std::uint32_t>(message.size())};
  std::array<iovec, 3> parts{iovec{&entry, sizeof entry}, iovec{const_cast<char*>(file.data()), file.size()},
                             iovec{const_cast<char*>(message.data()), message.size()}};
  // One call, so that a kill leaves a whole entry or none.
  (void)tenon::uninterrupted([&] { return ::writev(report, parts.data(), static_cast<int>(parts.size())); });
}

bool failed = false;

// Not a listener but a reporter: that the parent is intercepting failures at this moment, as EXPECT_NONFATAL_FAILURE
// does, must not swallow the child's.
class Forwarder : public testing::ScopedFakeTestPartResultReporter {
 public:
  Forwarder(int report, InterceptMode mode) : ScopedFakeTestPartResultReporter(mode, nullptr), report_(report) {}
  void ReportTestPartResult(const TestPartResult& part) override {
    if (part.type() == TestPartResult::kSuccess) {
      return;
    }
    failed = failed || part.failed();
    const char* file = part.file_name();
    write_entry(report_, part.type(), file == nullptr ? "" : file, part.line_number(), part.message());
  }

 private:
  int report_;
};

// Never deleted: they serve until the child is gone.
void forward_to(int report) {
  failed = false;
  (void)new Forwarder(report, Forwarder::INTERCEPT_ONLY_CURRENT_THREAD);
  (void)new Forwarder(report, Forwarder::INTERCEPT_ALL_THREADS);
}

std::string whole_file(int file) {
  std::string text;
  std::array<char, 4096> part;
  ssize_t got = 0;
  while ((got = ::pread(file, part.data(), part.size(), static_cast<off_t>(text.size()))) > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

void skip(const std::string& why) { GTEST_SKIP() << why; }

void repeat_here(const Entry& entry, const std::string& file, const std::string& message) {
  if (entry.kind == TestPartResult::kSkip) {
    skip(message);
  } else {
    ADD_FAILURE_AT(file.c_str(), entry.line) << message;
  }
}

}  // namespace

bool child_failed() noexcept { return failed; }

tenon::Child ReportedChild::start(tenon::FdView report, const std::function<void()>& body,
                                  tenon::WithParent with_parent) {
  return tenon::spawn(
             [&] {
               forward_to(report.raw());
               try {
                 body();
               } catch (const std::exception& error) {
                 write_entry(report.raw(), TestPartResult::kFatalFailure, "", -1,
                             std::string("threw: ") + error.what());
               }
               return 0;
             },
             with_parent)
      .or_throw();
}

ReportedChild::ReportedChild(std::string name, const std::function<void()>& body, tenon::WithParent with_parent)
    : name_(std::move(name)),
      report_(tenon::fd_from(::memfd_create("report", MFD_CLOEXEC), "memfd_create").or_throw()),
      process_(start(report_.view(), body, with_parent)) {}

ReportedChild::~ReportedChild() {
  if (report_.owns() && !ended_) {
    kill();
    (void)process_.wait(tenon::never);
  }
}

void ReportedChild::kill() {
  killed_ = true;
  (void)process_.signal(SIGKILL);  // not_found: it has ended by itself, which finish() tells
}

tenon::Result<tenon::ExitStatus> ReportedChild::finish(tenon::Deadline deadline) {
  if (ended_) {
    return *ended_;
  }
  auto status = process_.wait(deadline);
  if (!status) {
    return status;
  }
  ended_ = *status;
  read_report();
  const bool as_asked = was_killed() && status->signal() == SIGKILL;
  if (!status->success() && !as_asked) {
    ADD_FAILURE() << name_ << " " << status->message();
  }
  return status;
}

void ReportedChild::read_report() {
  const std::string text = whole_file(report_.raw());
  for (std::size_t at = 0; at + sizeof(Entry) <= text.size();) {
    Entry entry{};
    text.copy(reinterpret_cast<char*>(&entry), sizeof entry, at);
    at += sizeof entry;
    const std::string file = text.substr(at, entry.file_bytes);
    at += entry.file_bytes;
    repeat_here(entry, file, name_ + ": " + text.substr(at, entry.message_bytes));
    at += entry.message_bytes;
  }
}

}  // namespace kit
