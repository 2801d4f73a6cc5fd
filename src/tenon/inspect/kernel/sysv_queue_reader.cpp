/// System V queues. msgctl(2)
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/msg.h>

namespace tenon::inspect {

namespace {

void add_queue(Snapshot& into, int id, const msqid_ds& queue) {
  Object object = system_v_object(Kind::sysv_queue, id, queue.msg_perm);
  object.figures = {{.name = "messages", .value = queue.msg_qnum},
                    {.name = "bytes", .value = queue.__msg_cbytes},
                    {.name = "max_bytes", .value = queue.msg_qbytes}};
  object.changed = moment(queue.msg_ctime);
  object.used = moment(std::max(queue.msg_stime, queue.msg_rtime));
  add_time(object, "sent", queue.msg_stime);
  add_time(object, "received", queue.msg_rtime);
  const std::size_t place = add(into, std::move(object));
  add_remembered(into, place, Relation::last_sent, queue.msg_lspid, moment(queue.msg_stime));
  add_remembered(into, place, Relation::last_received, queue.msg_lrpid, moment(queue.msg_rtime));
}

}  // namespace

// MSG_STAT_ANY goes through the kernel's table by place, and tells of queues that one may not read, as /proc does.
void read_sysv_queues(Snapshot& into) {
  msginfo table{};
  const int highest = ::msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&table));
  if (highest == -1) {
    into.unseen.push_back("System V queues: " + os_failure("msgctl", errno).message());
  }
  for (int place = 0; place <= highest; ++place) {
    msqid_ds queue{};
    if (const int id = ::msgctl(place, MSG_STAT_ANY, &queue); id != -1) {
      add_queue(into, id, queue);
    }
  }
}

}  // namespace tenon::inspect
