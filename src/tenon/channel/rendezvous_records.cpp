#include <tenon/channel/rendezvous_records.hpp>

#include <algorithm>
#include <map>

namespace tenon {

namespace {

// The domain's directory is read once for all records: a crowd of senders would else read it once for each of them.
class Living {
 public:
  explicit Living(const Domain& domain) : directory_(domain.directory()) {
    auto names = LifeName::all_in(directory_);
    known_ = names.has_value();
    for (const LifeName& name : names ? *names : std::vector<LifeName>{}) {
      if (name.stage == LifeStage::member) {
        names_.emplace(name.who.token, name);
      }
    }
  }

  // What cannot be told (no permission, say) counts as alive: nobody is declared dead on a guess.
  bool has(Token token) const {
    const auto name = names_.find(token);
    if (!known_ || name == names_.end()) {
      return !known_;
    }
    const auto standing =
        Peer::open(directory_, name->second).and_then([](const Peer& peer) { return peer.standing(); });
    return standing ? *standing == Standing::alive : !standing.failed_with(Errc::not_found);
  }

 private:
  FdView directory_;
  bool known_ = false;
  std::map<Token, LifeName> names_;
};

}  // namespace

std::vector<Participant> participants_in(const Domain& domain, const RendezvousFile& file) {
  const Living living(domain);
  std::vector<Participant> all;
  for (const RendezvousRecord& record : file.records()) {
    if (record.token != 0) {
      const Token token = Token::from(record.token);
      all.push_back({.token = token,
                     .role = static_cast<Role>(record.role),
                     .progress = static_cast<Progress>(record.state),
                     .pid = static_cast<pid_t>(record.pid),
                     .uid = record.uid,
                     .alive = living.has(token)});
    }
  }
  return all;
}

Result<Cleared> clear_unneeded(const Domain& domain, RendezvousFile& file) {
  const std::vector<Participant> all = participants_in(domain, file);
  // A sender that has left lives on for a moment; it needs its entry no more.
  const auto counts = [](const Participant& one) { return one.alive && one.progress != Progress::left; };
  const bool receiver =
      std::ranges::any_of(all, [&](const Participant& one) { return one.role == Role::receiver && counts(one); });
  for (const Participant& one : all) {
    const bool kept = receiver && one.role == Role::sender;
    if (counts(one) || kept) {
      continue;
    }
    if (auto freed = file.write(*file.slot_of(one.token), {}); !freed) {
      return fail(std::move(freed.error()));
    }
  }
  return Cleared{.anybody = std::ranges::any_of(all, counts)};
}

}  // namespace tenon
