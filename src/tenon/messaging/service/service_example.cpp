// Two servers of a calculator share its calls; one of them is killed while it has one. Its client is told, and asks
// again: the other answers. A division by zero is an error of the calculator's own.
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/service/service.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

struct Division {
  std::int64_t dividend;
  std::int64_t divisor;  // 7: the server that is asked dies of it, if it is the first
};
TENON_FIELDS(Division, dividend, divisor);
struct Quotient {
  std::int64_t value;
};
TENON_FIELDS(Quotient, value);

constexpr std::int64_t divided_by_zero = 1;

void serve(const Domain& domain, bool dies) {
  const Life life = Life::join(domain).or_throw();
  const Holder holder = Holder::of(domain, life).or_throw();
  auto server = Server<Division, Quotient>::create(holder, "calculator").or_throw();
  while (true) {
    auto call = server.receive(never).or_throw();
    const Division asked = *call.request();
    if (dies && asked.divisor == 7) {
      ::raise(SIGKILL);
    }
    if (asked.divisor == 0) {
      (void)std::move(call).refuse(divided_by_zero, "there is no such quotient");
    } else {
      (void)std::move(call).respond({asked.dividend / asked.divisor});
    }
  }
}

Child start(const Domain& domain, bool dies) {
  return spawn([&] {
           serve(domain, dies);
           return 0;
         })
      .or_throw();
}

// Asks again where a server died: to divide twice does no harm.
std::int64_t divide(Client<Division, Quotient>& client, const Division& asked) {
  auto answer = client.call(asked, after(10s));
  while (answer.failed_with(Errc::peer_died)) {
    std::printf("a server died, and may have seen %lld / %lld: asking again\n", static_cast<long long>(asked.dividend),
                static_cast<long long>(asked.divisor));
    answer = client.call(asked, after(10s));
  }
  return std::move(answer).or_throw()->value;
}

void ask(const Domain& domain) {
  const Life life = Life::join(domain).or_throw();
  const Holder holder = Holder::of(domain, life).or_throw();
  auto client = Client<Division, Quotient>::create(holder, "calculator").or_throw();
  while (client.servers() != 2) {
    ::usleep(1000);
  }
  std::printf("84 / 2 = %lld\n", static_cast<long long>(divide(client, {.dividend = 84, .divisor = 2})));
  std::printf("84 / 3 = %lld\n", static_cast<long long>(divide(client, {.dividend = 84, .divisor = 3})));
  for (int i = 0; client.servers() == 2; ++i) {
    (void)divide(client, {.dividend = 84 + i, .divisor = 7});
  }
  std::printf("84 / 7 = %lld\n", static_cast<long long>(divide(client, {.dividend = 84, .divisor = 7})));
  if (client.call({.dividend = 1, .divisor = 0}, after(10s)).failed_with(Errc::aborted)) {
    std::printf("1 / 0: error %lld, %s\n", static_cast<long long>(client.refusal()->code),
                client.refusal()->text.c_str());
  }
}

}  // namespace

int main() {
  const std::string path = "/dev/shm/tenon-service-example-" + std::to_string(::getpid());
  {
    const Domain domain = Domain::open(path).or_throw();
    Child mortal = start(domain, true);
    Child steady = start(domain, false);
    ask(domain);
    std::printf("the first server: %s\n", mortal.wait(never).or_throw().message().c_str());
    steady.signal(SIGKILL).or_throw();
    (void)steady.wait(never).or_throw();
    sweep(domain).or_throw();
    const Life life = Life::join(domain).or_throw();
    const Holder holder = Holder::of(domain, life).or_throw();
    (void)Server<Division, Quotient>::create(holder, "calculator").or_throw();  // takes away what they left
  }
  return ::rmdir(path.c_str()) == 0 ? 0 : 1;
}
