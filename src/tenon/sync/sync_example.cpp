/// A worker fills a value in shared memory and dies half-way; the next one is told, repairs it, and wakes who waits.
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <tenon/sync/condition.hpp>

#include <csignal>
#include <cstdio>
#include <new>

using namespace tenon;

namespace {

struct Account {
  Mutex mutex;
  Condition changed;
  int paid = 0;
  int received = 0;
};

void pay(Account& account, bool dies) {
  MutexGuard guard = account.mutex.lock(never).or_throw();
  if (guard.owner_died()) {
    std::printf("The last one died: %d paid, %d received; repaired\n", account.paid, account.received);
    account.received = account.paid;
    guard.mark_consistent();
  }
  ++account.paid;
  if (dies) {
    ::raise(SIGKILL);
  }
  ++account.received;
  std::move(guard).unlock();
  account.changed.notify_all();
}

}  // namespace

int main() try {
  const Mapping memory = Mapping::shared_with_children(sizeof(Account)).or_throw();
  auto& account = *new (memory.data()) Account();
  for (const bool dies : {true, false}) {
    Child worker = spawn([&] {
                     pay(account, dies);
                     return 0;
                   }).or_throw();
    std::printf("A worker %s\n", worker.wait(never).or_throw().message().c_str());
  }
  MutexGuard guard = account.mutex.lock(never).or_throw();
  account.changed.wait_until(guard, [&] { return account.received == 2; }, after(std::chrono::seconds(10))).or_throw();
  std::printf("%d paid, %d received\n", account.paid, account.received);
  return 0;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
