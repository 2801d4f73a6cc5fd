#pragma once
/// The latest value of each key, in shared memory: any process writes any key, readers write nothing and never wait.
///
///     auto prices = Blackboard<FixedString<12>, Quote>::open_or_create(self, "prices").or_throw();
///     prices.write("ACME", Quote{.bid = 41, .ask = 42}, never).or_throw();
///     const Latest<Quote> quote = prices.read<Quote>("ACME").or_throw();
///
/// A board is there until it is removed: values outlive who wrote them. A key is added by its first write, and is of
/// one of the board's value types from then on. All who may open a board for writing trust each other; a process that
/// is stopped (not killed) while it writes a key keeps others from writing that one.
///
/// Threads: all calls from several at once but moves. fork: a child reads; to write it joins the domain and opens the
/// board for itself. What is borrowed from a board (BoardEntry, BoardWatch) does not outlive it, wherever it is moved.
#include <tenon/memory/fixed_string.hpp>
#include <tenon/memory/fixed_vector.hpp>
#include <tenon/memory/offset_ptr.hpp>
#include <tenon/messaging/blackboard/board_port.hpp>
#include <tenon/messaging/topic/message_shape.hpp>
#include <tenon/os/create_or_open.hpp>

#include <array>
#include <concepts>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

namespace tenon {

/// What may be equal with other bytes, or means another thing elsewhere.
template <class T>
inline constexpr bool has_one_form = std::has_unique_object_representations_v<T>;
template <class T, std::uint32_t N>
inline constexpr bool has_one_form<FixedVector<T, N>> = false;
template <class T>
inline constexpr bool has_one_form<OffsetPtr<T>> = false;

/// What may be a key: it is compared by its bytes. No padding, no floating point.
template <class Key>
concept BoardKey = Message<Key> && has_one_form<Key>;

/// One key of a board, found once.
template <Message Value>
class BoardEntry {
 public:
  /// Outcomes: timed_out, stopped (another is writing this key). Failures: permission_denied (open for reading alone),
  /// in_child, limit_reached (this thread holds 1,024 locks). Returns the value's number.
  Result<std::uint64_t> write(const Value& value, Deadline deadline) {
    return port_->write(
        entry_, words.count(), [bytes = bytes_of_value(value).data()](std::size_t i) { return words.get(bytes, i); },
        deadline);
  }
  /// The newest value. Outcomes: not_found (it has none yet).
  Result<Latest<Value>> read() const { return read_latest(0); }
  /// The same into memory of the caller's, which is of several values meanwhile.
  Result<ValueStamp> read_into(Value& value) const { return read_back(value, 0); }
  /// The value before the newest. Outcomes: not_found (there were not two yet).
  Result<Latest<Value>> read_previous() const { return read_latest(1); }
  /// How many values have been written.
  std::uint64_t number() const noexcept { return port_->file().copies(entry_).number(); }
  /// Waits until there is a value with a higher number than this one, and reads the newest. A board that is open for
  /// reading alone learns of it up to 50 ms later. Outcomes: timed_out, stopped.
  Result<Latest<Value>> wait(std::uint64_t number, Deadline deadline) const {
    return port_->wait(entry_, number, deadline).and_then([&] { return read(); });
  }

 private:
  template <BoardKey, Message...>
  friend class Blackboard;
  BoardEntry(BoardPort& port, std::uint32_t entry) noexcept : port_(&port), entry_(entry) {}

  static constexpr ValueWords words{sizeof(Value)};

  Result<Latest<Value>> read_latest(std::uint64_t back) const {
    Result<Latest<Value>> latest(std::in_place);
    if (auto stamp = read_back(latest->value, back)) [[likely]] {
      static_cast<ValueStamp&>(*latest) = *stamp;
    } else {
      latest = fail(std::move(stamp.error()));
    }
    return latest;
  }
  Result<ValueStamp> read_back(Value& value, std::uint64_t back) const {
    return port_->read(entry_, back, words.count(),
                       [bytes = mutable_bytes_of_value(value).data()](std::size_t i, std::uint64_t word) {
                         words.put(bytes, i, word);
                       });
  }

  BoardPort* port_;
  std::uint32_t entry_;
};

/// What has changed on a board since it was asked last: each key with values that the watch has not told of, once for
/// all of them, by the order in which the keys were added. Looks at each key's state.
template <BoardKey Key>
class BoardWatch {
 public:
  struct Change {
    Key key;
    std::uint64_t number;  ///< of the newest value
  };
  /// Outcomes: timed_out, stopped. Threads: one at a time.
  Result<Change> next(Deadline deadline) {
    return changes_.next(deadline).transform([this](const BoardChanges::Change& seen) {
      Change change{.key = {}, .number = seen.number};
      std::memcpy(static_cast<void*>(&change.key), port_->file().key(seen.entry).data(), sizeof(Key));
      return change;
    });
  }

 private:
  template <BoardKey, Message...>
  friend class Blackboard;
  BoardWatch(BoardPort& port, BoardChanges::From from) : port_(&port), changes_(port, from) {}

  BoardPort* port_;
  BoardChanges changes_;
};

template <BoardKey Key, Message... Values>
class Blackboard {
  static_assert(sizeof...(Values) >= 1, "a board has values");
  template <class Value>
  static constexpr bool is_one = (std::same_as<Value, Values> || ...);

 public:
  /// Makes it, in the holder's domain. Outcomes: already_exists. Failures: no_space, no_memory, limit_reached (naming
  /// the bytes), permission_denied, invalid_name, invalid_argument, in_child.
  static Result<Blackboard> create(const Holder& holder, std::string_view name, const BoardOptions& options = {}) {
    return BoardPort::create(holder, name, options, types()).transform([](auto port) {
      return Blackboard(std::move(port));
    });
  }
  /// Outcomes: not_found. Failures: type_mismatch (naming the types, or the first field that differs), corrupt,
  /// version_mismatch, permission_denied, invalid_name, in_child.
  static Result<Blackboard> open(const Holder& holder, std::string_view name) {
    return checked(BoardPort::open(holder, name));
  }
  /// For who only reads, and need be no member of the domain. Outcomes and failures: as open().
  static Result<Blackboard> open_for_reading(const Domain& domain, std::string_view name) {
    return checked(BoardPort::open_for_reading(domain, name));
  }
  /// Opens it, with as many keys and copies as it has, or makes it.
  static Result<Blackboard> open_or_create(const Holder& holder, std::string_view name,
                                           const BoardOptions& options = {}) {
    return create_or_open(
        "open", name, [&] { return create(holder, name, options); }, [&] { return open(holder, name); });
  }
  /// Takes its name away: who has it open goes on with it, who comes next finds none. Outcomes: not_found. Failures:
  /// permission_denied, invalid_name.
  static Result<void> remove(const Domain& domain, std::string_view name) { return BoardFile::remove(domain, name); }
  /// Bytes of shared memory that create() reserves. Failures: as create().
  static Result<std::uint64_t> memory_needed(const BoardOptions& options = {}) {
    return lay_out(options, types()).transform([](const BoardHeader& header) { return header.file_bytes; });
  }

  /// The key's entry, which is added where there is none. Outcomes: timed_out, stopped (another is adding a key).
  /// Failures: type_mismatch (its values are of another type), limit_reached (no entry is left), permission_denied,
  /// in_child.
  template <class Value>
    requires is_one<Value>
  Result<BoardEntry<Value>> entry(const Key& key, Deadline deadline) {
    return port_->find_or_add(bytes_of_value(key), index_of<Value>(), deadline).and_then([&](std::uint32_t found) {
      return entry_at<Value>(found);
    });
  }
  /// The same of a key that is there. Outcomes: not_found. Failures: type_mismatch.
  template <class Value>
    requires is_one<Value>
  Result<BoardEntry<Value>> find(const Key& key) const {
    const auto found = port_->find(bytes_of_value(key));
    return found ? entry_at<Value>(*found) : fail(Errc::not_found, "Blackboard::find");
  }

  /// As BoardEntry's, of a key that is looked up each time.
  template <class Value>
    requires is_one<Value>
  Result<std::uint64_t> write(const Key& key, const Value& value, Deadline deadline) {
    return entry<Value>(key, deadline).and_then([&](BoardEntry<Value> found) { return found.write(value, deadline); });
  }
  /// Outcomes: not_found (no such key, or nothing was written to it yet). Failures: type_mismatch.
  template <class Value>
    requires is_one<Value>
  Result<Latest<Value>> read(const Key& key) const {
    return find<Value>(key).and_then([](const BoardEntry<Value>& found) { return found.read(); });
  }

  /// All keys that have been added, in that order.
  std::vector<Key> keys() const {
    std::vector<Key> all;
    for (std::uint32_t i = 0; i < port_->file().header().entries && port_->is_ready(i); ++i) {
      std::memcpy(static_cast<void*>(&all.emplace_back()), port_->file().key(i).data(), sizeof(Key));
    }
    return all;
  }
  /// Tells of what is there at first, and then of what is written.
  BoardWatch<Key> watch() const { return BoardWatch<Key>(*port_, BoardChanges::From::beginning); }
  /// Tells of what is written from now on.
  BoardWatch<Key> watch_from_now_on() const { return BoardWatch<Key>(*port_, BoardChanges::From::now); }

 private:
  explicit Blackboard(std::unique_ptr<BoardPort> port) noexcept : port_(std::move(port)) {}

  template <class T>
  static constexpr BoardType type() noexcept {
    return {.description = type_of<T>(), .fields = fields_of<T>()};
  }
  static BoardTypes types() noexcept {
    static constexpr std::array<BoardType, sizeof...(Values)> values{type<Values>()...};
    return {.key = type<Key>(), .values = values};
  }
  static Result<Blackboard> checked(Result<std::unique_ptr<BoardPort>> port) {
    return std::move(port).and_then([](std::unique_ptr<BoardPort> opened) {
      return opened->file().check_types(types()).transform([&] { return Blackboard(std::move(opened)); });
    });
  }
  template <class Value>
  static constexpr std::uint32_t index_of() noexcept {
    std::uint32_t index = 0;
    static_cast<void>(((std::same_as<Value, Values> || (++index, false)) || ...));
    return index;
  }
  template <class Value>
  Result<BoardEntry<Value>> entry_at(std::uint32_t entry) const {
    if (port_->type_of(entry) != index_of<Value>()) {
      return fail(Error(Errc::type_mismatch)
                      .on(port_->file().name())
                      .because("the key's values are of another type than " + type_of<Value>().text()));
    }
    return BoardEntry<Value>(*port_, entry);
  }

  std::unique_ptr<BoardPort> port_;  // at one place, wherever the board is moved
};

}  // namespace tenon
