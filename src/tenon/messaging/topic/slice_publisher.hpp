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
  Loan(Loan&& other) noexcept
      : port_(std::exchange(other.port_, nullptr)),
        chunk_(other.chunk_),
        elements_(std::exchange(other.elements_, {})) {}
  Loan& operator=(Loan&& other) noexcept {
    std::swap(port_, other.port_);
    std::swap(chunk_, other.chunk_);
    std::swap(elements_, other.elements_);
    return *this;
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() {
    if (port_ != nullptr) {
      port_->put_back(chunk_);
    }
  }

  std::span<Element> operator*() const noexcept { return elements_; }
  Element& operator[](std::size_t i) const noexcept { return elements_[i]; }
  Element* data() const noexcept { return elements_.data(); }
  std::size_t size() const noexcept { return elements_.size(); }
  auto begin() const noexcept { return elements_.begin(); }
  auto end() const noexcept { return elements_.end(); }

  /// Only the first `count` are to be published.
  void shorten(std::size_t count) noexcept {
    expects(count <= elements_.size(), "what was lent is shortened, not lengthened");
    elements_ = elements_.first(count);
  }

 private:
  friend class Publisher<S>;
  Loan(Port& port, std::uint32_t chunk, std::size_t count) noexcept : port_(&port), chunk_(chunk) {
    auto* const first = reinterpret_cast<Element*>(port.chunk(chunk));
    std::uninitialized_default_construct_n(first, count);
    elements_ = {first, count};
  }

  Port* port_;
  std::uint32_t chunk_;
  std::span<Element> elements_;
};

template <SlicedMessage S>
class Publisher<S> : public PublisherHandle<MessageShape<S>::entry_words> {
  using Base = PublisherHandle<MessageShape<S>::entry_words>;
  using Port = typename Base::Port;
  using Base::port_;

 public:
  using Element = typename SliceElement<S>::Type;

  /// Joins the topic, which is made if nobody is in it. Failures: type_mismatch (naming the first field that differs
  /// from what the topic's publishers have), no_space, limit_reached, permission_denied, invalid_name, in_child.
  static Result<Publisher> create(const Holder& holder, std::string_view topic, const PublisherOptions& options = {}) {
    return shape(options)
        .and_then(
            [&](const PublisherShape& shape) { return Port::create(holder, topic, options, shape, message_type<S>()); })
        .transform([&](std::unique_ptr<Port> port) { return Publisher(std::move(port), longest_of(options)); });
  }
  /// Bytes of shared memory that create() reserves, the bell's page and the names aside. Failures: limit_reached.
  static Result<std::uint64_t> memory_needed(const PublisherOptions& options = {}) {
    return shape(options)
        .and_then([](const PublisherShape& shape) { return lay_out(shape, message_type<S>()); })
        .transform([](const PublisherHeader& header) { return header.file_bytes; });
  }

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
    expects(loan.port_ == port_.get(), "a loan is published once, by the publisher that lent it");
    auto published = port_->publish_chunk(loan.chunk_, loan.elements_.size_bytes(), deadline);
    if (published) {
      loan.port_ = nullptr;
      loan.elements_ = {};
    }
    return published;
  }

  /// Moved, lest its room be copied as any other.
  Result<void> publish(const Loan<S>&, Deadline) = delete;

  /// Elements of the longest message.
  std::uint64_t longest() const noexcept { return longest_; }

 private:
  static constexpr std::size_t most_inline = Port::Entry::inline_bytes;

  Publisher(std::unique_ptr<Port> port, std::uint64_t longest) noexcept : Base(std::move(port)), longest_(longest) {}
  static std::uint64_t longest_of(const PublisherOptions& options) noexcept {
    constexpr std::uint64_t usual_bytes = 64 << 10;
    return options.longest != 0 ? options.longest : std::max<std::uint64_t>(usual_bytes / sizeof(Element), 1);
  }
  static Result<PublisherShape> shape(const PublisherOptions& options) {
    const std::uint64_t longest = longest_of(options);
    if (longest > MessageAbout::most_bytes / sizeof(Element)) {
      return fail(Error(Errc::limit_reached)
                      .with({.name = "elements of a message",
                             .value = MessageAbout::most_bytes / sizeof(Element),
                             .wanted = longest,
                             .remedy = "ask for a smaller `longest`"}));
    }
    return shape_of(options, longest * sizeof(Element), sizeof(typename Port::Entry), true);
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
