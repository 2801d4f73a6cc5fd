#pragma once
/// Publish and subscribe, without a daemon and without a copy that can be avoided. README.md
///
///     Publisher<Pose> publisher = Publisher<Pose>::create(holder, "pose").or_throw();
///     publisher.publish({.x = 1, .y = 2, .heading = 0}, never).or_throw();
///
///     Subscriber<Pose> subscriber = Subscriber<Pose>::create(holder, "pose").or_throw();
///     const Sample<Pose> pose = subscriber.receive(after(1s)).or_throw();
///
/// Messages of up to 104 bytes travel in the ring itself; longer ones are written into a chunk of the publisher's
/// memory, and read there. What is shared is written by one process each: topic_layout.hpp. Messages of a variable
/// length are those of Publisher<Slice<Point>> or, without a type, Publisher<Bytes>; Publisher<Tailed<Scan>> has those
/// that are a Scan with rows of variable length behind it.
///
/// Threads: each handle, with what it lends, by one thread at a time; different handles at once. A forked child's copy
/// answers in_child. Who a process is, Holder says (sync/holder), which outlives all its handles.
#include <tenon/messaging/topic/publisher.hpp>
#include <tenon/messaging/topic/slice_publisher.hpp>
#include <tenon/messaging/topic/subscriber.hpp>
#include <tenon/messaging/topic/tailed_publisher.hpp>
