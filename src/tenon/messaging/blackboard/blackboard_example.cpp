/// Four processes write prices, one of them is killed, and two read the latest of each: no price is ever torn or old.
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/blackboard/blackboard.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>

using namespace tenon;

namespace {

struct Quote {
  std::int64_t bid;
  std::int64_t ask;
};
TENON_FIELDS(Quote, bid, ask);

using Symbol = FixedString<12>;
using Prices = Blackboard<Symbol, Quote>;

constexpr std::array<Symbol, 3> symbols{"ACME", "GOLD", "ZINC"};
constexpr std::int64_t last_bid = 20'000;
constexpr std::uint64_t writes_of_each = 3 * last_bid + last_bid / 2;

int write_prices(const Domain& domain, bool is_killed) {
  const Life life = Life::join(domain).or_throw();
  const Holder self = Holder::of(domain, life).or_throw();
  auto prices = Prices::open(self, "prices").or_throw();
  for (std::int64_t bid = 1; bid <= last_bid; ++bid) {
    for (const Symbol& symbol : symbols) {
      prices.write(symbol, Quote{.bid = bid, .ask = bid + 1}, never).or_throw();
    }
    if (is_killed && bid == last_bid / 2) {
      ::raise(SIGKILL);
    }
  }
  return 0;
}

// Until each price was written for the last time.
int read_prices(const Domain& domain) {
  const auto prices = Prices::open_for_reading(domain, "prices").or_throw();
  for (const Symbol& symbol : symbols) {
    for (std::uint64_t number = 0; number < writes_of_each;) {
      const auto quote = prices.read<Quote>(symbol);
      if (quote && (quote->value.ask != quote->value.bid + 1 || quote->number < number)) {
        return 1;  // torn, or older than what was read before
      }
      number = quote ? quote->number : 0;
    }
  }
  return 0;
}

}  // namespace

int main() try {
  const std::string path = "/dev/shm/tenon-example-" + std::to_string(::getpid());
  const Domain domain = Domain::open(path).or_throw();
  int code = 0;
  {
    const Life life = Life::join(domain).or_throw();
    const Holder self = Holder::of(domain, life).or_throw();
    auto prices = Prices::create(self, "prices", {.keys = 16}).or_throw();
    std::vector<Child> children;
    for (int i = 0; i < 4; ++i) {
      children.push_back(spawn([&, i] { return write_prices(domain, i == 0); }).or_throw());
    }
    for (int i = 0; i < 2; ++i) {
      children.push_back(spawn([&] { return read_prices(domain); }).or_throw());
    }
    for (std::size_t i = 0; i < children.size(); ++i) {
      const ExitStatus end = children[i].wait(never).or_throw();
      code |= i == 0 ? 0 : end.code();
      std::printf("%s %zu %s\n", i < 4 ? "writer" : "reader", i < 4 ? i : i - 4, end.message().c_str());
    }
    const auto gold = prices.read<Quote>("GOLD").or_throw();
    std::printf("GOLD has %llu prices behind it\n", static_cast<unsigned long long>(gold.number));
    Prices::remove(domain, "prices").or_throw();
  }
  sweep(domain).or_throw();
  ::rmdir(path.c_str());
  return code;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
