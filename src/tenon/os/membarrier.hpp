#pragma once
/// A memory barrier that one process makes for others. membarrier(2)
///
/// Who makes a barrier for all lets no registered process go on without one, wherever it runs: it need not make its own
/// at each step. So what happens often goes without a fence, and what happens seldom pays: half a microsecond where the
/// others are idle, some eight where they run.
///
/// Threads: all calls from any thread. A forked child is registered as its parent is; a program that is executed is
/// not.
namespace tenon {

/// Whether this process passes the barriers that others make for all, from now on. False on a kernel without
/// MEMBARRIER_CMD_GLOBAL_EXPEDITED (before 4.16), and behind a sandbox that refuses the call.
bool register_for_barriers() noexcept;

/// A full barrier for the caller and all registered processes. False if it cannot be made.
bool barrier_for_all() noexcept;

}  // namespace tenon
