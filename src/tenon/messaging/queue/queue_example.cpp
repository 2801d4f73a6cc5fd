/// Four workers share the jobs of a queue. One of them is killed over a job, and another one does it: each job is done,
/// and a worker that lives does each once.
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/queue/queue.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>

using namespace tenon;

namespace {

struct Job {
  std::uint64_t number;
};
TENON_FIELDS(Job, number);

struct Done {
  std::uint64_t number;
  std::uint32_t deliveries;
};
TENON_FIELDS(Done, number, deliveries);

constexpr std::uint64_t jobs_to_do = 1000;
constexpr std::uint64_t deadly = 500;  // the first worker to take it is killed over it
constexpr int workers = 4;

// Takes a job, does it, says so, and acknowledges it, until the queue is removed.
int work(const Domain& domain) {
  const Life life = Life::join(domain).or_throw();
  const Holder self = Holder::of(domain, life).or_throw();
  auto jobs = Queue<Job>::open(self, "jobs").or_throw();
  auto done = Queue<Done>::open(self, "done").or_throw();
  while (true) {
    auto job = jobs.take(never);
    if (job.failed_with(Errc::closed)) {
      return 0;
    }
    if ((*job)->number == deadly && job->stamp().deliveries == 1) {
      ::raise(SIGKILL);
    }
    done.send({.number = (*job)->number, .deliveries = job->stamp().deliveries}, never).or_throw();
    std::move(*job).acknowledge().or_throw();
  }
}

// Sends the jobs, and counts what is done meanwhile; returns whether all was done, and the deadly one by another.
bool lead(Queue<Job>& jobs, Queue<Done>& done) {
  std::vector<std::uint32_t> times(jobs_to_do);
  std::uint32_t second_deliveries = 0;
  std::uint64_t sent = 0;
  for (std::uint64_t finished = 0; finished < jobs_to_do;) {
    while (sent < jobs_to_do && jobs.try_send({.number = sent})) {
      ++sent;
    }
    const auto one = done.receive(never).or_throw();
    finished += times[one.value.number]++ == 0 ? 1 : 0;
    second_deliveries += one.value.deliveries == 2 ? 1 : 0;
  }
  std::printf("%llu jobs done, %u of them by another worker than the first that took it\n",
              static_cast<unsigned long long>(jobs_to_do), second_deliveries);
  return second_deliveries == 1;
}

}  // namespace

int main() try {
  const std::string path = "/dev/shm/tenon-example-" + std::to_string(::getpid());
  const Domain domain = Domain::open(path).or_throw();
  bool well = false;
  int killed = 0;
  {
    const Life life = Life::join(domain).or_throw();
    const Holder self = Holder::of(domain, life).or_throw();
    auto jobs = Queue<Job>::create(self, "jobs", {.messages = 64}).or_throw();
    auto done = Queue<Done>::create(self, "done", {.messages = 64}).or_throw();
    std::vector<Child> children;
    for (int i = 0; i < workers; ++i) {
      children.push_back(spawn([&] { return work(domain); }).or_throw());
    }
    well = lead(jobs, done);
    Queue<Job>::remove(domain, "jobs").or_throw();  // the workers are told that it is closed
    for (Child& child : children) {
      const ExitStatus end = child.wait(never).or_throw();
      killed += end == ExitStatus::killed(SIGKILL) ? 1 : 0;
      well = well && (end.success() || end == ExitStatus::killed(SIGKILL));
    }
    Queue<Done>::remove(domain, "done").or_throw();
  }
  sweep(domain).or_throw();
  ::rmdir(path.c_str());
  std::printf("%d of %d workers killed\n", killed, workers);
  return well && killed == 1 ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "queue_example: %s\n", failure.what());
  return 1;
}
