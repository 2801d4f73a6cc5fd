#include <cli/topic_end.hpp>

#include <tenon/os/life_sweep.hpp>

#include <cli/type_notation.hpp>

namespace tenon::cli {

void add_topic(CLI::App& command, TopicChoice& choice) {
  command.add_option("TOPIC", choice.topic, "The topic's name")->required();
  command.add_option("--domain", choice.domain, "Instead of TENON_DOMAIN, or your own in /dev/shm")->type_name("DIR");
}

void add_type(CLI::App& command, TopicChoice& choice) {
  command
      .add_option(
          "--type", choice.type,
          "The messages' type, as in \"Pose{f64 x, f32[3] at, FixedString<16> name}\"; without it, that of those "
          "who are there")
      ->type_name("TYPE");
}

Result<Membership> join(const TopicChoice& choice) {
  auto member = Domain::open(choice.domain).and_then([](Domain domain) {
    [[maybe_unused]] const auto swept = sweep(domain);  // the life files of those who died here
    return Membership::join(std::make_shared<const Domain>(std::move(domain)));
  });
  return member ? std::move(member) : Result<Membership>(fail(std::move(member.error()).on(choice.domain)));
}

Result<DynamicType> type_of(const TopicChoice& choice) {
  if (!choice.type.empty()) {
    return type_in(choice.type).and_then(&DynamicType::of);
  }
  auto type = type_of_topic(choice.domain, choice.topic);
  if (type.failed_with(Errc::not_found)) {
    return fail(
        Error(Errc::not_found)
            .on(choice.topic)
            .because(std::string(type.error().detail()) + "; say its type with --type, or see tenon ls topics"));
  }
  return type;
}

DynamicType type_of_bytes() { return type_in("bytes").and_then(&DynamicType::of).or_throw(); }

}  // namespace tenon::cli
