// A hostile subscriber of a soak: it writes garbage into its own file and the bell, which is all that it may write, as
// fast as it can. What it may do to the others by that stands in gate_scan.hpp and topic_bell.hpp: hold a publisher
// back as far as any reliable subscriber may, until it is gone, and cost wakes in vain, or one as late as the recheck.
#include "membership.hpp"
#include "message.hpp"
#include "random.hpp"
#include "role.hpp"

#include <tenon/messaging/topic/topic.hpp>

#include <algorithm>
#include <fstream>
#include <span>
#include <sstream>
#include <unistd.h>
#include <vector>

namespace soak {

namespace {

using Word = std::atomic<std::uint64_t>;
using Page = std::span<Word>;

// What this process has mapped of a topic for writing.
std::vector<Page> own_pages(const std::string& topic) {
  std::vector<Page> pages;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    char dash = 0;
    std::string mode;
    words >> std::hex >> from >> dash >> to >> mode;
    if (mode.starts_with("rw") && line.find("topic." + topic + "/") != std::string::npos) {
      pages.emplace_back(reinterpret_cast<Word*>(from), (to - from) / sizeof(Word));
    }
  }
  return pages;
}

// Any bits, small numbers, and what stands elsewhere or stood here, a little changed: such are the likeliest to pass.
std::uint64_t garbage(const std::vector<Page>& pages, const Word& here, Random& random) {
  const Page& page = pages[random.below(pages.size())];
  switch (random.below(5)) {
    case 0:
      return random.next();
    case 1:
      return random.below(256);
    case 2:
      return random.below(256) << 32 | random.below(256);
    case 3:
      return here.load(std::memory_order_relaxed) + random.below(64) - 32;  // whatever it is
    default:
      return page[random.below(page.size())].load(std::memory_order_relaxed) + random.below(3) - 1;  // the same
  }
}

class Garbling {
 public:
  explicit Garbling(const Task& task) : task_(task), random_(task.seed) {}

  template <class T>
  void run(const tenon::Holder& holder) {
    while (task_.ledger.phase() == Phase::work) {
      auto subscriber =
          tenon::Subscriber<T>::create(holder, task_.topic_name(),
                                       {.reliable = task_.role.work != Work::garble_lossy, .max_held = 32})
              .or_throw();
      if (task_.role.work == Work::garble_gates) {
        garble_gates(subscriber);
      } else {
        garble_all();
        ::usleep(static_cast<useconds_t>(random_.below(20'000)));  // the publishers it held back go on
      }
    }
  }

 private:
  // A lossy one goes on for as long as it likes; a reliable one without a row is waited for, so it leaves again.
  void garble_all() {
    constexpr std::uint64_t longest_visit = 400'000;
    const std::vector<Page> pages = own_pages(task_.topic_name());
    if (pages.size() < 2) {
      task_.complain("it has not found its own file and the bell");
    }
    for (std::uint64_t i = 0; task_.ledger.phase() == Phase::work; ++i) {
      if (i == longest_visit && task_.role.work == Work::garble_reliable) {
        break;
      }
      const Page& page = pages[random_.below(pages.size())];
      Word& word = page[random_.below(page.size())];
      word.store(garbage(pages, word, random_), std::memory_order_relaxed);  // garbage has no order
      count(i);
    }
  }

  // It goes on receiving, so that its gates are near the publishers' heads, and writes them wrong in between.
  template <class T>
  void garble_gates(tenon::Subscriber<T>& subscriber) {
    const std::vector<Word*> gates = find_gates();
    for (std::uint64_t i = 0; task_.ledger.phase() == Phase::work; ++i) {
      if (i % 256 == 0) {
        [[maybe_unused]] const auto received = subscriber.try_receive();
      }
      Word& gate = *gates[random_.below(gates.size())];
      const std::uint64_t true_gate = gate.load(std::memory_order_relaxed);  // its own
      const std::uint64_t wrong = random_.rarely(2) ? random_.next() : true_gate + random_.below(8192) - 4096;
      gate.store(wrong, std::memory_order_relaxed);  // garbage has no order
      count(i);
    }
  }
  std::vector<Word*> find_gates() {
    std::vector<Word*> gates;
    for (const Page& page : own_pages(task_.topic_name())) {
      const auto* const header = reinterpret_cast<const tenon::SubscriberHeader*>(page.data());
      if (header->head.magic != tenon::subscriber_magic) {
        continue;
      }
      auto* const begin = reinterpret_cast<std::byte*>(page.data());
      for (std::uint64_t at = header->rows_at; at + header->row_bytes <= page.size_bytes(); at += header->row_bytes) {
        gates.push_back(reinterpret_cast<Word*>(begin + at + offsetof(tenon::SubscriberRow, gate)));
      }
    }
    if (gates.empty()) {
      throw std::runtime_error("no gates found");
    }
    return gates;
  }

  void count(std::uint64_t i) {
    constexpr std::uint64_t step = 1024;
    if (i % step == step - 1) {
      task_.ledger.tally().garbage.fetch_add(step, std::memory_order_relaxed);
    }
  }

  const Task& task_;
  Random random_;
};

}  // namespace

int garble(const Task& task) {
  const Membership self(task.domain);
  Garbling garbling(task);
  switch (task.role.kind) {
    case Kind::entries:
    case Kind::batches:
      garbling.run<Short>(self.holder);
      break;
    case Kind::chunks:
      garbling.run<Frame>(self.holder);
      break;
    case Kind::slices:
      garbling.run<tenon::Slice<std::uint64_t>>(self.holder);
      break;
  }
  return 0;
}

}  // namespace soak
