#pragma once
/// The channel fifo:PATH. Either side may start first; the FIFO is made if there is none, and removed by the last one
/// out.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>

namespace tenon {

/// Outcomes: also stale (the FIFO was removed or replaced from outside while this side waited, or while others use it).
Result<Sender> open_fifo_sender(const std::string& path, std::shared_ptr<const Domain> domain, Deadline deadline);
Result<Receiver> open_fifo_receiver(const std::string& path, std::shared_ptr<const Domain> domain, Deadline deadline);
void remove_fifo(const Domain&, const std::string& path, std::uint64_t object);

/// One FIFO has one name here, however its directory is spelt. Failures: invalid_name, not_found (its directory).
Result<std::string> absolute_fifo_path(const std::string& path);
/// Who makes and removes the FIFO at an absolute path.
ObjectKeeper fifo_keeper(const std::string& path);

}  // namespace tenon
