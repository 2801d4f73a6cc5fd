// An index taken and given back beside two locked additions, in pairs of blocks.
#include <tenon/ring/index_pool/index_pool.hpp>

#include <harness/byte_stream.hpp>

#include <array>
#include <cstdio>
#include <memory>

using namespace tenon;

namespace {

struct Parts {
  IndexPool<>::Header header;
  std::array<IndexPool<>::Link, 64> links;
  IndexPool<> pool{header, links};
};

}  // namespace

int main() try {
  const auto parts = std::make_shared<Parts>();
  const auto word = std::make_shared<std::atomic<std::uint64_t>>();
  return harness::print_paired(
      "index pool", {{.name = "taken and given back",
                      .bare = harness::done_by_one_process("two locked additions",
                                                           [=] {
                                                             word->fetch_add(1, std::memory_order_relaxed);  // its cost
                                                             word->fetch_sub(1, std::memory_order_relaxed);  // its cost
                                                           }),
                      .wrapped = harness::done_by_one_process("take, give", [=] {
                        const auto index = parts->pool.take();
                        if (!index) {
                          throw Failure(Error(Errc::would_block).on("index pool"));
                        }
                        parts->pool.give(*index);
                      })}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
