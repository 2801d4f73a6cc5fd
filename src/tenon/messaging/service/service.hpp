#pragma once
/// Request and response, between processes that find each other by the service's name, without a daemon. README.md
///
///     Server<Sum, Total> server = Server<Sum, Total>::create(holder, "sums").or_throw();
///     auto call = server.receive(never).or_throw();
///     std::move(call).respond({call.request()->a + call.request()->b}).or_throw();
///
///     Client<Sum, Total> client = Client<Sum, Total>::create(holder, "sums").or_throw();
///     const Response<Total> total = client.call({.a = 1, .b = 2}, after(1s)).or_throw();
///
/// Requests and responses are of any kind that a topic's messages are: a T, Slice<T>, Tailed<T>, Bytes. Up to 80 bytes
/// travel in an entry of a ring; longer ones are written into a chunk of their sender's memory, and read there. What is
/// shared is written by one process each: service_layout.hpp.
///
/// Threads: each handle, with its calls and what it has lent, by one thread at a time; different handles at once. A
/// forked child's copy answers in_child.
#include <tenon/messaging/service/client.hpp>
#include <tenon/messaging/service/server.hpp>
