#pragma once
/// Everything that can be said of one object, and how `tenon show` and `tenon top` print it.
#include <tenon/inspect/settings/setting.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <cli/peeked_messages.hpp>
#include <cli/pipe_depth.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tenon::cli {

struct ObjectView {
  std::size_t object;  ///< in the snapshot
  std::vector<inspect::Setting> limits;
  PeekedMessages messages;
  PipeDepthSeen pipe;
};

/// Up to `most` messages are peeked at.
ObjectView view_of(const inspect::Snapshot& all, std::size_t object, std::size_t most);

/// Lines of text, in sections.
std::string view_text(const inspect::Snapshot& all, const ObjectView& view);
/// docs/schema/show.json
std::string view_json(const inspect::Snapshot& all, const ObjectView& view);

}  // namespace tenon::cli
