#pragma once
/// How the two ends of a stream find each other: each makes its file, waits for the other's, and they agree.
///
/// Opening waits for the other end, as open(2) of a FIFO does: what is written has a reader then, and a stream whose
/// ends have both gone leaves nothing that a third could take for its own. The reader asks, the writer decides: so who
/// gives up at its deadline is seen by the other as one that has closed, and never is one of the two joined alone for
/// longer than that.
///
/// 4. Edges: those of stream_bell.hpp (B2, B4), and of its own:
///      M1  store-release peer (ask) → load-acquire (is_chosen): publishes where the reader begins, which is the
///          writer's `first`.
///      M2  store-release peer (accept) → load-acquire (is_chosen): the writer was there. By B4, who has closed has
///          said yes before, or never will.
///      M3  store-release bell (greet) → load-acquire (look): what was said before the greeting is seen by the look
///      that
///          follows, and who sleeps on an older count is woken or does not fall asleep, as by B2.
/// 6. If a process dies here. Before its file has its name: nothing is there. After: the other, or the next who comes
///    by that name, finds it dead and takes the name away. A writer that said yes and died has met the reader, which is
///    told of its death; a reader that asked and died is passed over.
///
/// Threads: one at a time.
#include <tenon/base/deadline.hpp>
#include <tenon/messaging/stream/stream_file.hpp>

#include <optional>

namespace tenon {

class StreamMeeting {
 public:
  struct Pair {
    OwnStreamFile own;
    OtherStreamFile other;
  };
  /// Outcomes: timed_out, stopped (the other did not come); already_exists (there is such an end, and it lives);
  /// not_found (its own file was removed from outside). Failures: those of the files; in_child.
  static Result<Pair> meet(const Holder& holder, std::string_view stream, StreamRole role, const StreamShape& shape,
                           Deadline deadline);

 private:
  StreamMeeting(const Holder& holder, StreamFileName other_name, StreamRole role, OwnStreamFile own) noexcept
      : holder_(holder), deaths_(holder), other_name_(std::move(other_name)), role_(role), own_(std::move(own)) {}

  static Result<OwnStreamFile> claim(const Holder& holder, const StreamFileName& name, const StreamShape& shape,
                                     Deadline deadline);
  static Result<void> make_way(const Holder& holder, const StreamFileName& name);
  Result<void> wait_for_other(Deadline deadline);
  Result<bool> look(bool greets);
  Result<bool> find_other();
  Result<bool> judge();
  bool is_chosen() const noexcept;
  void ask() noexcept;
  void accept() noexcept;
  void greet() noexcept;
  void give_up() noexcept;
  Result<void> sleep(int turn, Deadline deadline) const;

  Holder holder_;
  Deaths deaths_;
  StreamFileName other_name_;
  StreamRole role_;
  OwnStreamFile own_;
  std::optional<OtherStreamFile> other_ = {};
  std::uint32_t told_ = 0;  ///< of the bell that is slept on, before the look
};

}  // namespace tenon
