#include <tenon/channel/frame.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/channel/crc32c.hpp>

#include <cstring>
#include <string>

namespace tenon {

namespace {

constexpr std::uint32_t frame_magic = 0x524e4654;  // "TFNR" in memory
constexpr std::uint16_t frame_version = 1;

FrameHeader header_of(Bytes beginning) noexcept {
  FrameHeader header{};
  std::memcpy(&header, beginning.data(), sizeof header);
  return header;
}

std::uint32_t checksum(FrameHeader header, Bytes payload) noexcept {
  header.crc = 0;
  return crc32c(payload, crc32c(bytes_of_value(header)));
}

Fail corrupt(const std::string& why) { return fail(Error(Errc::corrupt, "frame").because(why)); }

bool known(FrameKind kind) noexcept {
  return kind == FrameKind::part || kind == FrameKind::last || kind == FrameKind::end || kind == FrameKind::abort;
}

}  // namespace

std::size_t Frame::encode(MutableBytes into) const {
  expects(payload.size() <= most_payload && into.size() >= header_size + payload.size(), "a frame fits its buffer");
  FrameHeader header{.magic = frame_magic,
                     .version = frame_version,
                     .kind = kind,
                     .sender = sender.value(),
                     .message = message,
                     .offset = offset,
                     .length = static_cast<std::uint32_t>(payload.size()),
                     .priority = priority,
                     .reserved = 0,
                     .crc = 0};
  header.crc = checksum(header, payload);
  std::memcpy(into.data(), &header, sizeof header);
  if (!payload.empty()) {
    std::memcpy(into.data() + header_size, payload.data(), payload.size());
  }
  return header_size + payload.size();
}

Result<std::size_t> Frame::size_of(Bytes beginning) {
  expects(beginning.size() >= header_size, "a frame begins with its header");
  const FrameHeader header = header_of(beginning);
  if (header.magic != frame_magic) {
    return corrupt("what arrives was not sent by Tenon's channels");
  }
  if (header.version != frame_version) {
    return fail(Error(Errc::version_mismatch, "frame")
                    .because("the sender speaks version " + std::to_string(header.version) + ", this is version " +
                             std::to_string(frame_version)));
  }
  if (header.length > most_payload || !known(header.kind) || header.reserved != 0) {
    return corrupt("its header is damaged");
  }
  return header_size + header.length;
}

std::uint32_t Frame::priority_of(Bytes encoded) {
  expects(encoded.size() >= header_size, "a frame begins with its header");
  return header_of(encoded).priority;
}

Result<Frame> Frame::decode(Bytes whole) {
  if (whole.size() < header_size) {
    return corrupt("it is shorter than a frame's header");
  }
  auto size = size_of(whole);
  if (!size) {
    return fail(std::move(size.error()));
  }
  if (*size != whole.size()) {
    return corrupt("it was cut: " + std::to_string(whole.size()) + " of " + std::to_string(*size) + " bytes");
  }
  const FrameHeader header = header_of(whole);
  const Bytes payload = whole.subspan(header_size);
  if (header.crc != checksum(header, payload)) {
    return corrupt("its checksum is wrong");
  }
  return Frame{.sender = Token::from(header.sender),
               .message = header.message,
               .offset = header.offset,
               .kind = header.kind,
               .priority = header.priority,
               .payload = payload};
}

}  // namespace tenon
