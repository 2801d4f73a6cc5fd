#pragma once
/// A pipe in shared memory without the kernel: bytes from one writer to one reader, in order, without boundaries.
///
/// 1. Roles. One Writer and one Reader, each used by one thread at a time, of any processes that map the memory.
/// 2. Layout. That of draining_ring with bytes for values.
/// 3. Invariants. Those of draining_ring: the bytes in [tail, head) are whole.
/// 4. Edges. Those of draining_ring: S1 publishes what was written, S2 frees what was read.
/// 5. Progress. Wait-free, all of it; nothing here waits.
/// 6. If a process dies here. As in draining_ring: the writer's last write is there wholly or not at all; the reader
///    lets go all that a read has returned before it returns, so that a death between copying and letting go gives the
///    next reader those bytes again.
/// 7. Use instead. A stream, which also waits and tells of the other side's death; draining_ring for values of one
/// size.
#include <tenon/ring/draining_ring/draining_ring.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tenon {

/// Byte is std::byte but in tests. A view: copies stand for the same ring.
template <template <class> class Atomic = std::atomic, class Byte = std::byte>
class ByteRing {
 public:
  using Ring = DrainingRing<Byte, Atomic>;
  using Header = typename Ring::Header;

  static Result<std::size_t> bytes_for(std::uint64_t capacity) { return Ring::bytes_for(capacity); }
  /// Failures: invalid_argument (too small, not on a line, a capacity that is no power of two).
  static Result<ByteRing> initialise(MutableBytes memory, std::uint64_t capacity, std::uint64_t first = 0) {
    return Ring::initialise(memory, capacity, first).transform([](Ring ring) { return ByteRing(ring); });
  }
  /// Failures: wrong_kind, version_mismatch, type_mismatch, corrupt.
  static Result<ByteRing> open(MutableBytes memory) {
    return Ring::open(memory).transform([](Ring ring) { return ByteRing(ring); });
  }
  explicit ByteRing(Ring ring) noexcept : ring_(ring) {}

  class Writer {
   public:
    /// Writes as much as there is room for, at once; returns how much.
    std::size_t write(std::span<const Byte> bytes) noexcept { return end_.push(bytes); }
    /// Writes all of the parts, one behind the other, at once, or nothing: false if there is no room for them now.
    bool write_all(std::span<const std::span<const Byte>> parts) noexcept {
      std::uint64_t size = 0;
      for (const auto& part : parts) {
        size += part.size();
      }
      if (end_.room(size) < size) {
        return false;
      }
      for (const auto& part : parts) {
        copy(part, end_.loan(part.size()));
        end_.commit(part.size());
      }
      end_.publish();
      return true;
    }
    /// Where to write in place; what was written is sent with commit().
    typename Ring::template Runs<Byte> writable(std::uint64_t wanted) noexcept { return end_.loan(wanted); }
    void commit(std::uint64_t count) noexcept {
      end_.commit(count);
      end_.publish();
    }

   private:
    friend class ByteRing;
    explicit Writer(typename Ring::Producer end) noexcept : end_(end) {}
    static void copy(std::span<const Byte> from, typename Ring::template Runs<Byte> into) noexcept {
      std::copy_n(from.begin(), into.first.size(), into.first.begin());
      std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(into.first.size()), into.second.size(),
                  into.second.begin());
    }
    typename Ring::Producer end_;
  };

  class Reader {
   public:
    /// Reads as much as is there and fits; returns how much.
    std::size_t read(std::span<Byte> into) noexcept {
      const auto runs = end_.front(into.size());
      std::copy_n(runs.first.begin(), runs.first.size(), into.begin());
      std::copy_n(runs.second.begin(), runs.second.size(),
                  into.begin() + static_cast<std::ptrdiff_t>(runs.first.size()));
      consume(runs.size());
      return runs.size();
    }
    /// What is there, in place, at most `wanted`, until consume().
    typename Ring::template Runs<const Byte> readable(std::uint64_t wanted) noexcept { return end_.front(wanted); }
    void consume(std::uint64_t count) noexcept {
      end_.pop(count);
      end_.tell();
    }

   private:
    friend class ByteRing;
    explicit Reader(typename Ring::Consumer end) noexcept : end_(end) {}
    typename Ring::Consumer end_;
  };

  /// Each goes on where the memory says; the one before it must run no more.
  Writer writer() const noexcept { return Writer(ring_.producer()); }
  Reader reader() const noexcept { return Reader(ring_.consumer()); }
  std::uint64_t capacity() const noexcept { return ring_.slots(); }

 private:
  Ring ring_;
};

}  // namespace tenon
