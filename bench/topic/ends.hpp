#pragma once
/// The two ends of a topic, as the bare rings have theirs: each writes or checks one message at a time, or several.
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <topic/start_domain.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

namespace topics {

inline constexpr std::string_view topic_name = "t";

template <std::size_t Words>
struct Payload {
  std::array<std::uint64_t, Words> words;
};
using Bytes8 = Payload<1>;
using Bytes40 = Payload<5>;
using Bytes64 = Payload<8>;
using Bytes1M = Payload<std::size_t{1} << 17>;
TENON_FIELDS(Bytes8, words);
TENON_FIELDS(Bytes40, words);
TENON_FIELDS(Bytes64, words);
TENON_FIELDS(Bytes1M, words);

/// Whether the payload is written and read, or goes over as it is.
enum class Touch : unsigned char { all, nothing };

/// Sends message after message: T's of a fixed size within an entry, or with T = Bytes of `bytes`.
template <class T, Touch touch = Touch::all>
class Sender {
  static constexpr bool of_any_size = std::is_same_v<T, tenon::Bytes>;
  static constexpr std::size_t most_inline = tenon::MessageEntry<13>::inline_bytes;

 public:
  /// Waits until so many have subscribed.
  Sender(std::shared_ptr<Member> self, const tenon::PublisherOptions& options, std::size_t bytes,
         std::size_t subscribers)
      : self_(std::move(self)),
        publisher_(std::make_shared<tenon::Publisher<T>>(
            tenon::Publisher<T>::create(self_->holder(), topic_name, options).or_throw())),
        bytes_(bytes),
        short_message_(of_any_size && bytes <= most_inline ? bytes / 8 : 0) {
    harness::spin_until([&] { return publisher_->subscribers().size() >= subscribers; });
  }

  void step() { send(at_++); }
  void send(std::uint64_t number) {
    if constexpr (of_any_size) {
      send_bytes(number);
    } else {
      T message;
      harness::write_words<sizeof(T) / 8>(message.words.data(), number);
      publisher_->publish(message, tenon::never).or_throw();
    }
  }
  /// So many in batches of that size, and what remains in a last one.
  void steps(std::uint64_t count, std::vector<T>& batch)
    requires(!of_any_size)
  {
    while (count > 0) {
      const std::uint64_t some = std::min<std::uint64_t>(count, batch.size());
      for (std::uint64_t i = 0; i < some; ++i) {
        harness::write_words<sizeof(T) / 8>(batch[i].words.data(), at_ + i);
      }
      for (std::uint64_t sent = 0; sent < some;) {
        sent +=
            publisher_->publish_batch(std::span<const T>(batch).subspan(sent, some - sent), tenon::never).or_throw();
      }
      at_ += some;
      count -= some;
    }
  }

 private:
  void send_bytes(std::uint64_t number) {
    if (bytes_ <= most_inline) {
      const std::span message(short_message_);
      harness::write_payload(std::as_writable_bytes(message), number);
      publisher_->publish(std::as_bytes(message), tenon::never).or_throw();
      return;
    }
    auto loan = publisher_->loan(bytes_).or_throw();
    if constexpr (touch == Touch::all) {
      harness::write_payload(*loan, number);
    }
    publisher_->publish(std::move(loan), tenon::never).or_throw();
  }

  std::shared_ptr<Member> self_;
  std::shared_ptr<tenon::Publisher<T>> publisher_;
  std::size_t bytes_;
  std::vector<std::uint64_t> short_message_;
  std::uint64_t at_ = 0;
};

/// Receives message after message and checks each.
template <class T, Touch touch = Touch::all>
class Receiver {
  static constexpr bool of_any_size = std::is_same_v<T, tenon::Bytes>;

 public:
  Receiver(std::shared_ptr<Member> self, const tenon::SubscriberOptions& options)
      : self_(std::move(self)),
        subscriber_(std::make_shared<tenon::Subscriber<T>>(
            tenon::Subscriber<T>::create(self_->holder(), topic_name, options).or_throw())) {}

  void step() { receive(at_++); }
  /// One, of that number or of any. Returns its number.
  std::uint64_t receive(std::uint64_t number) {
    const auto sample = subscriber_->receive(tenon::never).or_throw();
    if constexpr (!of_any_size) {
      number = harness::number_of(std::as_bytes(std::span(sample->words)), number);
      harness::check_words<sizeof(T) / 8>(sample->words.data(), number);
    } else if constexpr (touch == Touch::all) {
      number = harness::number_of(*sample, number);
      harness::check_payload(*sample, number);
    }
    return number;
  }
  /// So many, as they come, up to `room.size()` at once.
  void steps(std::uint64_t count, std::vector<T>& room)
    requires(!of_any_size)
  {
    while (count > 0) {
      const auto some = std::span(room).first(std::min<std::uint64_t>(count, room.size()));
      const std::size_t got = subscriber_->receive_batch(some, tenon::never).or_throw();
      check(some.first(got));
      count -= got;
    }
  }
  /// The same, and lets others run when nothing is there: for who shares its processor and never sleeps.
  void polls(std::uint64_t count, std::vector<T>& room)
    requires(!of_any_size)
  {
    while (count > 0) {
      const auto some = std::span(room).first(std::min<std::uint64_t>(count, room.size()));
      auto got = subscriber_->receive_batch(some, tenon::immediately);
      if (got.failed_with(tenon::Errc::timed_out)) {
        ::sched_yield();
      } else {
        const std::size_t taken = std::move(got).or_throw();
        check(some.first(taken));
        count -= taken;
      }
    }
  }
  std::uint64_t received() const noexcept { return at_; }

 private:
  void check(std::span<const T> messages)
    requires(!of_any_size)
  {
    for (const T& message : messages) {
      harness::check_words<sizeof(T) / 8>(message.words.data(), at_);
      ++at_;
    }
  }

  std::shared_ptr<Member> self_;
  std::shared_ptr<tenon::Subscriber<T>> subscriber_;
  std::uint64_t at_ = 0;
};

}  // namespace topics
