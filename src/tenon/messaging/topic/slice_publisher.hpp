#pragma once
/// The handle of a publisher of messages of variable length: Slice<T>, or Bytes. topic.hpp
#include <tenon/messaging/topic/publisher.hpp>

#include <algorithm>

namespace tenon {

/// Room for a slice, always in a chunk, to be written in place and published. Dropped, it goes back. It goes before its
/// publisher does.
template <SlicedMessage S>
class Loan<S> {
  using Element = typename SliceElement<S>::Type;
  using Port = PublisherPort<MessageShape<S>::entry_words>;

 public:
  std::span<Element> operator*() const noexcept { return {data(), size()}; }
  Element& operator[](std::size_t i) const noexcept { return data()[i]; }
  Element* data() const noexcept { return reinterpret_cast<Element*>(chunk_.data()); }
  /// 0, once it was published or moved.
  std::size_t size() const noexcept { return data() != nullptr ? size_ : 0; }
  auto begin() const noexcept { return (**this).begin(); }
  auto end() const noexcept { return (**this).end(); }

  /// Only the first `count` are to be published.
  void shorten(std::size_t count) noexcept {
    expects(count <= size(), "what was lent is shortened, not lengthened");
    size_ = count;
  }

 private:
  friend class Publisher<S>;
  friend class PublisherHandle<S>;
  Loan(Port& port, std::uint32_t chunk, std::size_t count) noexcept : chunk_(port, chunk), size_(count) {
    std::uninitialized_default_construct_n(data(), count);
  }
  std::uint64_t bytes() const noexcept { return size() * sizeof(Element); }

  LentChunk<MessageShape<S>::entry_words> chunk_;
  std::size_t size_;
};

template <SlicedMessage S>
class Publisher<S> : public PublisherHandle<S> {
  using Base = PublisherHandle<S>;
  using Port = typename Base::Port;
  using Base::port_;

 public:
  using Element = typename SliceElement<S>::Type;

  /// Sends a copy. Where a reliable subscriber is `depth` messages behind, as the options say. Outcomes: timed_out,
  /// stopped, would_block (the deadline is `immediately`, or it refuses), each naming the slowest. Failures:
  /// message_too_long (more than `longest`), limit_reached (of long messages: all chunks are held, by whom;
  /// descriptors), in_child.
  Result<void> publish(std::span<const Element> elements, Deadline deadline) {
    if (elements.size() > longest_) {
      return fail(too_long(elements.size(), "publish"));
    }
    const Bytes bytes = std::as_bytes(elements);
    if (bytes.size() <= most_inline) {
      return port_->publish_short(bytes, deadline);
    }
    return port_->take_chunk().and_then([&](std::uint32_t chunk) {
      std::memcpy(port_->chunk(chunk), bytes.data(), bytes.size());
      return this->publish_copied(chunk, bytes.size(), deadline);
    });
  }
  Result<void> try_publish(std::span<const Element> elements) { return publish(elements, immediately); }

  /// Room for `count` elements, to be written in place. Failures: message_too_long, limit_reached (all chunks are lent
  /// or held, by whom), in_child.
  Result<Loan<S>> loan(std::size_t count) {
    if (count > longest_) {
      return fail(too_long(count, "loan"));
    }
    return port_->take_chunk().transform([&](std::uint32_t chunk) { return Loan<S>(*port_, chunk, count); });
  }
  /// Sends what was written there, without a copy. When it fails, the loan stays the caller's.
  Result<void> publish(Loan<S>&& loan, Deadline deadline) {
    return this->publish_lent(loan.chunk_, loan.bytes(), deadline);
  }

  /// Moved, lest its room be copied as any other.
  Result<void> publish(const Loan<S>&, Deadline) = delete;

  /// Elements of the longest message.
  std::uint64_t longest() const noexcept { return longest_; }

 private:
  static constexpr std::size_t most_inline = Port::Entry::inline_bytes;

  friend Base;
  Publisher(std::unique_ptr<Port> port, const PublisherOptions& options) noexcept
      : Base(std::move(port)), longest_(longest_of(options)) {}
  static std::uint64_t longest_of(const PublisherOptions& options) noexcept {
    constexpr std::uint64_t usual_bytes = 64 << 10;
    return options.longest != 0 ? options.longest : std::max<std::uint64_t>(usual_bytes / sizeof(Element), 1);
  }
  static Result<std::uint64_t> longest_bytes(const PublisherOptions& options) {
    const std::uint64_t longest = longest_of(options);
    if (longest > MessageAbout::most_bytes / sizeof(Element)) {
      return fail(Error(Errc::limit_reached)
                      .with({.name = "elements of a message",
                             .value = MessageAbout::most_bytes / sizeof(Element),
                             .wanted = longest,
                             .remedy = "ask for a smaller `longest`"}));
    }
    return longest * sizeof(Element);
  }
  Error too_long(std::size_t count, const char* call) const {
    return Error(Errc::message_too_long, call)
        .with({.name = "elements of a message",
               .value = longest_,
               .wanted = count,
               .remedy = "create the publisher with a larger `longest`, or send it in parts"});
  }

  std::uint64_t longest_;
};

}  // namespace tenon
