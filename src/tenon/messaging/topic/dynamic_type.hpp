#pragma once
/// The type of a topic's messages where the program does not know it: as those who take part have written it down.
///
/// For tools and bridges. A program that knows its types has Publisher<T> and Subscriber<T>, which find mistakes when
/// they are compiled.
#include <tenon/memory/type_record.hpp>
#include <tenon/messaging/topic/endpoint_file.hpp>
#include <tenon/messaging/topic/message_layout.hpp>
#include <tenon/os/domain.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tenon {

/// How long messages of a type are.
enum class MessageLength : std::uint8_t {
  fixed,   ///< as long as the type
  slice,   ///< any number of elements, which the type is
  tailed,  ///< the type, and behind it what its Tail members name
};

/// A stored type, and how its messages travel. Copies share it.
class DynamicType {
 public:
  /// Failures: corrupt (a size that no message has).
  static Result<DynamicType> of(StoredType stored);

  const StoredType& stored() const noexcept { return whole_->stored; }
  MessageLength length() const noexcept { return whole_->length; }
  /// Of a message, of slices of an element, of one with a tail of what comes before.
  std::uint64_t bytes() const noexcept { return stored().type.size; }
  /// Its name and fields, which live as long as a copy of this.
  const MessageType& type() const noexcept { return whole_->type; }
  bool in_chunks() const noexcept;
  /// Of a ring's entry: 5 or 13.
  std::size_t entry_words() const noexcept;
  /// Whether a message may be so long, and travel so.
  bool is_sound(const MessageAbout& about) const noexcept;

 private:
  struct Whole {
    StoredType stored;
    MessageLength length;
    std::vector<TypeField> fields;
    MessageType type;
  };
  explicit DynamicType(std::shared_ptr<const Whole> whole) noexcept : whole_(std::move(whole)) {}

  std::shared_ptr<const Whole> whole_;
};

/// What stands in the files of those who live in a topic: of a publisher, else of a subscriber. The domain's directory
/// is not made if it is not there. Outcomes: not_found (nobody lives in it). Failures: invalid_name, permission_denied,
/// corrupt, version_mismatch.
Result<DynamicType> type_of_topic(const std::string& domain, std::string_view topic);

}  // namespace tenon
