/// Work shared out: three processes put jobs into one queue, three others take them, and each job is done once.
#include "queue.hpp"

#include <tenon/os/process.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <set>

using namespace tenon;

namespace {

constexpr int senders = 3;
constexpr int workers = 3;
constexpr int jobs_each = 20;
constexpr int jobs = senders * jobs_each;

int send_jobs(PosixQueue& queue, int sender) {
  for (int i = 0; i < jobs_each; ++i) {
    seeds::send_text(queue, std::to_string(sender * jobs_each + i), 1);
  }
  return 0;
}

// Takes jobs until there are none left, which a message of a lower priority says, and reports each.
int work(PosixQueue& queue, PosixQueue& done) {
  while (true) {
    const std::string job = seeds::receive_text(queue).text;
    if (job == "no more") {
      return 0;
    }
    seeds::send_text(done, job);
  }
}

int count_once(PosixQueue& done) {
  std::set<std::string> seen;
  for (int i = 0; i < jobs; ++i) {
    const std::string job = seeds::receive_text(done).text;
    if (!seen.insert(job).second) {
      seeds::say("job " + job + " was done twice");
      return 1;
    }
  }
  seeds::say("60 jobs by 3 senders, each done once by one of 3 workers");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = seeds::queue_name_from(argc, argv);
  return seeds::run([&] {
    PosixQueue queue = PosixQueue::create(name, seeds::document_limits).or_throw();
    const UnlinkOnExit guard(PosixQueue::unlink, name);
    PosixQueue done = PosixQueue::create(name + "-done", seeds::document_limits).or_throw();
    const UnlinkOnExit done_guard(PosixQueue::unlink, name + "-done");
    std::vector<Child> children;
    for (int i = 0; i < workers; ++i) {
      children.push_back(spawn([&] { return work(queue, done); }).or_throw());
    }
    for (int i = 0; i < senders; ++i) {
      children.push_back(spawn([&] { return send_jobs(queue, i); }).or_throw());
    }
    const int code = count_once(done);
    for (int i = 0; i < workers; ++i) {
      seeds::send_text(queue, "no more");
    }
    for (Child& child : children) {
      if (!child.wait(seeds::soon()).or_throw().success()) {
        return 1;
      }
    }
    return code;
  });
}
