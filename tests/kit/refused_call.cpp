#include <kit/refused_call.hpp>

#include <array>
#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <span>
#include <sys/prctl.h>

namespace kit {

namespace {

sock_filter load(std::size_t at) { return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(at)); }
sock_filter refuse(int os_error) {
  return sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<__u32>(os_error));
}
sock_filter allow() { return sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }

bool install(std::span<sock_filter> program) {
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

bool refuse_call(long number, int os_error) {
  std::array<sock_filter, 4> program{
      load(offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(number), 0, 1),
      refuse(os_error),
      allow(),
  };
  return install(program);
}

bool refuse_call_above(long number, unsigned argument, std::uint32_t most, int os_error) {
  std::array<sock_filter, 6> program{
      load(offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(number), 0, 3),
      load(offsetof(seccomp_data, args) + argument * sizeof(seccomp_data::args[0])),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, most, 0, 1),
      refuse(os_error),
      allow(),
  };
  return install(program);
}

}  // namespace kit
