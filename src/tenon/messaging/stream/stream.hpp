#pragma once
/// A byte pipe in shared memory between two processes that find each other by its name in a domain: one StreamWriter
/// and one StreamReader. README.md of this folder.
#include <tenon/messaging/stream/stream_reader.hpp>
#include <tenon/messaging/stream/stream_writer.hpp>
