#pragma once
/// A message that was taken, and room that was lent. queue.hpp
#include <tenon/base/contract.hpp>
#include <tenon/messaging/queue/queue_port.hpp>
#include <tenon/messaging/queue/queue_shape.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace tenon {

template <QueueMessage M>
class Queue;

/// A message that is this process's until it is acknowledged, and read where it stands. Given back, or dropped, it is
/// where it was, for anybody to take.
template <QueueMessage M>
class Taken {
  using Shape = QueueShape<M>;

 public:
  Taken(Taken&& other) noexcept : port_(std::exchange(other.port_, nullptr)), held_(other.held_) {}
  Taken& operator=(Taken&& other) noexcept {
    Taken taken(std::move(other));
    std::swap(port_, taken.port_);
    std::swap(held_, taken.held_);
    return *this;
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  ~Taken() { static_cast<void>(std::move(*this).give_back()); }

  typename Shape::View operator*() const noexcept {
    return Shape::view(port_->bytes_of(held_), port_->slot(held_).length);
  }
  const M* operator->() const noexcept
    requires Message<M>
  {
    return &**this;
  }
  MessageStamp stamp() const noexcept { return stamp_of(port_->slot(held_)); }

  /// It is gone. Outcomes: not_found (it was acknowledged or given back before; or this process was taken for dead, and
  /// the message is somebody else's). Failures: in_child.
  Result<void> acknowledge() && {
    QueuePort* const port = std::exchange(port_, nullptr);
    return port != nullptr ? port->acknowledge(held_) : fail(Errc::not_found, "Taken::acknowledge");
  }
  /// It is where it was, and has been delivered once more. Outcomes: not_found (this process was taken for dead, and
  /// the message is somebody else's). Failures: in_child.
  Result<void> give_back() && {
    QueuePort* const port = std::exchange(port_, nullptr);
    return port != nullptr ? port->give_back(held_) : Result<void>();
  }

 private:
  friend class Queue<M>;
  Taken(QueuePort& port, const HeldSlot& held) noexcept : port_(&port), held_(held) {}
  QueuePort* port_;
  HeldSlot held_;
};

/// Room for a message, to be written where it will be read. Dropped, it is free again.
template <QueueMessage M>
class QueueLoan {
  using Shape = QueueShape<M>;

 public:
  QueueLoan(QueueLoan&& other) noexcept
      : port_(std::exchange(other.port_, nullptr)), held_(other.held_), length_(other.length_) {}
  QueueLoan& operator=(QueueLoan&& other) noexcept {
    QueueLoan taken(std::move(other));
    std::swap(port_, taken.port_);
    std::swap(held_, taken.held_);
    std::swap(length_, taken.length_);
    return *this;
  }
  QueueLoan(const QueueLoan&) = delete;
  QueueLoan& operator=(const QueueLoan&) = delete;
  ~QueueLoan() {
    if (port_ != nullptr) {
      port_->abandon(held_);
    }
  }

  typename Shape::Writable operator*() const noexcept { return Shape::writable(port_->bytes_of(held_), length_); }
  M* operator->() const noexcept
    requires Message<M>
  {
    return reinterpret_cast<M*>(port_->bytes_of(held_));
  }
  /// Only the first `count` are to be sent.
  void shorten(std::size_t count) noexcept
    requires SlicedMessage<M>
  {
    expects(count * sizeof(typename Shape::Element) <= length_, "what was lent is shortened, not lengthened");
    length_ = count * sizeof(typename Shape::Element);
  }

 private:
  friend class Queue<M>;
  QueueLoan(QueuePort& port, const HeldSlot& held, std::uint64_t length) noexcept
      : port_(&port), held_(held), length_(length) {}
  QueuePort* port_;
  HeldSlot held_;
  std::uint64_t length_;
};

}  // namespace tenon
