#include <tenon/inspect/leftovers/domain_leftovers.hpp>

#include <tenon/base/bytes.hpp>
#include <tenon/channel/rendezvous_layout.hpp>
#include <tenon/os/life.hpp>

#include <kit/unique.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace tenon;
using inspect::DomainPart;
using inspect::LeftoverVerdict;

/// A channel's file in which a process that lives is entered at that place, and nobody else.
void write_channel(const std::string& path, Token life, std::size_t place) {
  const Fd file = fd_from(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), "open").or_throw();
  const std::string_view uri = "fifo:/run/jobs";
  RendezvousHeader header{};
  header.magic = rendezvous_magic;
  header.version = rendezvous_version;
  header.uri_length = static_cast<std::uint32_t>(uri.size());
  RendezvousRecord record{};
  record.token = life.value();
  const auto write = [&](Bytes bytes, std::size_t at) {
    ASSERT_EQ(::pwrite(file.raw(), bytes.data(), bytes.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(bytes.size()));
  };
  write(bytes_of_value(header), 0);
  write(std::as_bytes(std::span(uri)), sizeof header);
  write(bytes_of_value(record), rendezvous_records_at + place * sizeof record);
}

LeftoverVerdict verdict_of_channel(const std::string& domain) {
  return inspect::domain_part(domain, DomainPart::channel, "fifo:/run/jobs").or_throw().judgement.verdict;
}

// Who makes the file as long as it can be, of holes alone, keeps who looks busy with what costs nothing.
TEST(DomainLeftovers, of_a_channel_no_more_is_read_than_can_be_entered) {
  kit::UniqueDomain domain;
  const Life life = Life::join(domain.domain()).or_throw();
  const std::string path = domain.path() + "/channel.0123456789abcdef";
  write_channel(path, life.token(), most_rendezvous_records - 1);
  EXPECT_EQ(verdict_of_channel(domain.path()), LeftoverVerdict::in_use);
  ::unlink(path.c_str());
  write_channel(path, life.token(), most_rendezvous_records);
  ASSERT_EQ(::truncate(path.c_str(), off_t{1} << 24), 0);
  EXPECT_EQ(verdict_of_channel(domain.path()), LeftoverVerdict::left_over);
  ::unlink(path.c_str());
}

}  // namespace
