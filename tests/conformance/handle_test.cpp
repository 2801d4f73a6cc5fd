/// What every handle owes: it moves and does not copy, owns nothing once moved from, leaks nothing, is closed to
/// programs that are executed, lends its descriptor and gives it away.
#include "handles.hpp"

#include <tenon/os/procfs.hpp>

#include <map>
#include <optional>
#include <sstream>
#include <utility>

namespace {

using namespace conformance;

// What this process holds: its descriptors, and its maps that are shared.
std::map<std::string, std::string> held() {
  std::map<std::string, std::string> all;
  for (const auto& one : tenon::procfs::descriptors(::getpid()).or_throw()) {
    all["descriptor " + std::to_string(one.number)] = one.target;
  }
  std::istringstream maps(tenon::procfs::text("/proc/self/maps").or_throw());
  for (std::string line; std::getline(maps, line);) {
    const std::size_t space = line.find(' ');
    if (line.substr(space, 5).ends_with('s')) {  // " rw-s"
      all["map " + line.substr(0, space)] = line;
    }
  }
  return all;
}

template <class K>
class EveryHandle : public testing::Test {};

// Those of a tuple that have what is asked for, as a list of GoogleTest's.
template <template <class> class Has, class Tuple>
struct Only;
template <template <class> class Has, class... K>
struct Only<Has, std::tuple<K...>> {
  template <class... T>
  static testing::Types<T...> types(std::tuple<T...>);
  using Types = decltype(types(std::tuple_cat(
      std::conditional_t<Has<typename K::Handle>::value, std::tuple<std::type_identity<K>>, std::tuple<>>{}...)));
};

template <class H>
struct Any : std::true_type {};
template <class H>
    struct Lends : std::bool_constant < requires(const H& handle) {
  handle.fd();
}>{};
template <class H>
    struct GivesAway : std::bool_constant < requires(H handle) {
  std::move(handle).into_fd();
}>{};
template <class H>
    struct Closes : std::bool_constant < requires(H handle) {
  std::move(handle).close();
}>{};

struct Names {
  template <class K>
  static std::string GetName(int) {
    return K::type::name;
  }
};

template <class K>
class EveryLender : public testing::Test {};
template <class K>
class EveryGiver : public testing::Test {};
template <class K>
class EveryCloser : public testing::Test {};

using All = Only<Any, Kinds>::Types;
using Lenders = Only<Lends, Kinds>::Types;
using Givers = Only<GivesAway, Kinds>::Types;
using Closers = Only<Closes, Kinds>::Types;

TYPED_TEST_SUITE(EveryHandle, All, Names);
TYPED_TEST_SUITE(EveryLender, Lenders, Names);
TYPED_TEST_SUITE(EveryGiver, Givers, Names);
TYPED_TEST_SUITE(EveryCloser, Closers, Names);

template <class TypeParam>
auto made() {
  return TypeParam::type::made();
}

TYPED_TEST(EveryHandle, moves_without_fail_and_does_not_copy) {
  using Handle = typename TypeParam::type::Handle;
  EXPECT_TRUE(std::is_nothrow_move_constructible_v<Handle>);
  EXPECT_TRUE(std::is_nothrow_move_assignable_v<Handle>);
  EXPECT_FALSE(std::is_copy_constructible_v<Handle>);
  EXPECT_FALSE(std::is_copy_assignable_v<Handle>);
  EXPECT_FALSE(std::is_default_constructible_v<Handle>) << "it has a state in which it owns nothing";
}

TYPED_TEST(EveryHandle, leaves_nothing_open_when_it_goes) {
  const auto before = held();
  {
    const auto handle = made<TypeParam>();
    EXPECT_NE(held(), before) << "it holds nothing that this test sees";
  }
  EXPECT_EQ(held(), before);
}

TYPED_TEST(EveryHandle, owns_nothing_once_moved_from) {
  const auto before = held();
  auto from = made<TypeParam>();
  const auto with_one = held();
  {
    const auto to = std::move(from);
    EXPECT_EQ(held(), with_one);
  }
  EXPECT_EQ(held(), before) << "what it was moved from still holds something";
}

// What was moved from may go later than what it gave away: by then its number may be somebody else's.
TYPED_TEST(EveryHandle, takes_nothing_with_it_that_it_gave_away) {
  std::optional from(made<TypeParam>());
  const auto with_one = held();
  const auto to = std::move(*from);
  from.reset();
  EXPECT_EQ(held(), with_one);
}

TYPED_TEST(EveryHandle, assigned_to_lets_go_of_its_own_at_once) {
  auto from = made<TypeParam>();
  const auto with_one = held();
  auto to = made<TypeParam>();
  to = std::move(from);
  EXPECT_EQ(held(), with_one);
}

TYPED_TEST(EveryHandle, assigned_to_itself_keeps_what_it_has) {
  auto handle = made<TypeParam>();
  const auto with_one = held();
  auto& same = handle;
  handle = std::move(same);
  EXPECT_EQ(held(), with_one);
}

// F36
TYPED_TEST(EveryHandle, opens_nothing_that_an_executed_program_would_inherit) {
  const auto before = held();
  const auto handle = made<TypeParam>();
  for (const auto& one : tenon::procfs::descriptors(::getpid()).or_throw()) {
    if (!before.contains("descriptor " + std::to_string(one.number))) {
      EXPECT_EQ(::fcntl(one.number, F_GETFD), FD_CLOEXEC) << one.target;
    }
  }
}

TYPED_TEST(EveryLender, lends_its_descriptor_and_keeps_it) {
  const auto handle = made<TypeParam>();
  const auto with_one = held();
  {
    const tenon::FdView lent = handle.fd();
    EXPECT_TRUE(with_one.contains("descriptor " + std::to_string(lent.raw())));
  }
  EXPECT_EQ(held(), with_one);
}

TYPED_TEST(EveryGiver, gives_its_descriptor_away_open) {
  const auto before = held();
  std::optional handle(made<TypeParam>());
  const int raw = handle->fd().raw();
  const auto with_one = held();
  {
    const tenon::Fd given = std::move(*handle).into_fd();
    EXPECT_EQ(given.raw(), raw);
    handle.reset();
    EXPECT_EQ(held(), with_one);
  }
  EXPECT_EQ(held(), before);
}

TYPED_TEST(EveryGiver, is_not_given_away_by_mistake) {
  using Handle = typename TypeParam::type::Handle;
  EXPECT_FALSE(requires(Handle& handle) { handle.into_fd(); }) << "without std::move it must not compile";
}

TYPED_TEST(EveryCloser, is_closed_at_once_and_without_error) {
  const auto before = held();
  auto handle = made<TypeParam>();
  EXPECT_TRUE(std::move(handle).close());
  EXPECT_EQ(held(), before);
}

TYPED_TEST(EveryCloser, is_not_closed_twice_by_mistake) {
  using Handle = typename TypeParam::type::Handle;
  EXPECT_FALSE(requires(Handle& handle) { handle.close(); }) << "without std::move it must not compile";
}

}  // namespace
