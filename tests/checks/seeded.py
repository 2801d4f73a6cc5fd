"""Small trees with one fault each, and what the check must say about it.

A row: the check, the fault, the files that bring it in (over those of SOUND), and words of the finding.
"""

TABLE = """| floor | what lives there | may use |
|---|---|---|
| `base` | shapes | the standard library |
| `os` | the system | base |
| `ipc` | mechanisms | base, os; never a sibling mechanism |
| `ring` | rings | base |
| `inspect` | looks | base, os, the others' `*_layout.hpp` (which use base alone) |
"""
CMAKE = """tenon_floor(base)
tenon_floor(os USES base)
tenon_floor(ipc USES base os)
"""
ATOMIC = """#pragma once
// Edges: S1 store-release tail (push) → load-acquire tail (pop): publishes the slot's bytes.
#include <atomic>
inline std::atomic<int> tail;
inline void push() {
  tail.store(1, std::memory_order_release);  // S1
}
inline void reset() {
  // relaxed: called before anybody else has the address,
  // as the constructor is
  tail.store(0, std::memory_order_relaxed);
}
inline int own() {
  return tail.load(std::memory_order_relaxed);  // own index: only the producer writes it
}
"""
EXAMPLE = "int main() { return 0; }\n"
PAGE = """# pipe

Bytes one way between two processes.

## When not to use it

Messages.

## Example

<!-- example: pipe_example.cpp -->
```cpp
int main() { return 0; }
```

    g++ -std=c++23 -Isrc src/tenon/ipc/pipe/pipe_example.cpp -Lbuild/release -ltenon -o pipe_example

## Outcomes

closed.

## Limits and their sysctls

fs.pipe-max-size.

## Crash and fork behaviour

Both ends see it.

## How `tenon ls` shows it

By its inode.

## Man pages

pipe(7).
"""
HEADER = "#pragma once\n#include <tenon/base/shape.hpp>\n\nclass Pipe {\n public:\n  int fd() const { return fd_; }\n\n private:\n  int fd_ = -1;\n};\n"
FAULTS = "| fault | what | tests | mutants |\n|---|---|---|---|\n| F1 | empty name | `Pipe.carries_bytes` | F1_any_name |\n| pipe_stays_open | It stays open. | `Pipe.*` |\n"
MUTANT = "# Any.\nprogram: ipc_test\ntests: Pipe.*\nfile: src/tenon/ipc/pipe/pipe.hpp\n--- instead of\n  int fd_ = -1;\n--- this\n  int fd_ = 0;\n--- end\n"
SEEDS = """## Pipe

| document | kind | it says | verdict | lives in | test |
|---|---|---|---|---|---|
| A B | claim | bytes arrive | true | `src/tenon/ipc/pipe/pipe.{hpp,cpp}` | `Pipe.carries_bytes`, `tour` (ipc-pipe) |
| C | cell | pipes are fast | out of scope: a word | `docs/faults.md` | — |
"""
SOUND = {
    "ARCHITECTURE.md": TABLE,
    "CMakeLists.txt": CMAKE,
    "src/tenon/base/shape.hpp": "#pragma once\n#include <vector>\n",
    "src/tenon/base/word.hpp": ATOMIC,
    "src/tenon/os/fd.hpp": "#pragma once\n#include <tenon/base/shape.hpp>\n\n#include <sys/stat.h>\n",
    "src/tenon/ipc/pipe/pipe.hpp": HEADER,
    "src/tenon/ipc/pipe/pipe_layout.hpp": "#pragma once\n#include <tenon/base/shape.hpp>\n",
    "src/tenon/ipc/pipe/pipe.cpp": "#include <tenon/ipc/pipe/pipe.hpp>\n",
    "src/tenon/ipc/pipe/pipe_test.cpp": "#include <gtest/gtest.h>\n// F1\nTEST(Pipe, carries_bytes) {}\n",
    "src/tenon/ipc/pipe/pipe_limits_test.cpp": "#include <gtest/gtest.h>\nTEST(Pipe, is_bounded) {}\n",
    "src/tenon/ipc/pipe/pipe_bench.cpp": "#include <benchmark/benchmark.h>\n",
    "src/tenon/ipc/pipe/pipe_example.cpp": EXAMPLE,
    "src/tenon/ipc/pipe/README.md": PAGE,
    "src/tenon/inspect/look.cpp": "#include <tenon/ipc/pipe/pipe_layout.hpp>\n",
    "docs/faults.md": FAULTS,
    "tests/mutants/F1_any_name.mutant": MUTANT,
    "tests/mutants/pipe_stays_open.mutant": MUTANT,
    "docs/seeds.md": SEEDS,
    "cli/tour/table.cpp": "// An entry: .name = \"ipc-pipe\"\n",
    "cli/CMakeLists.txt": "add_test(NAME tour COMMAND tenon tour)\n",
}
FIFO = {"src/tenon/ipc/fifo/fifo.hpp": "#pragma once\n"}
PIPE = "src/tenon/ipc/pipe/"
# F1 has its test and F2 another, but the row of F2 names that of F1.
TWO_FAULTS = {
    PIPE + "pipe_test.cpp": "// F1\nTEST(Pipe, carries_bytes) {}\n\nTEST(Pipe, keeps_their_order) {\n  // F2\n}\n",
    "docs/faults.md": "| F1 | empty name | Pipe.carries_bytes |\n| F2 | long name | Pipe.carries_bytes |\n",
}

ROWS = [
    ("floors", "a floor uses one above it", {"src/tenon/base/up.hpp": "#include <tenon/os/fd.hpp>\n"}, "`base` may not use `os`"),
    ("floors", "a mechanism uses its sibling", {**FIFO, PIPE + "pipe.cpp": "#include <tenon/ipc/fifo/fifo.hpp>\n"}, "may not include each other"),
    ("floors", "inspect uses more than a layout", {"src/tenon/inspect/look.cpp": "#include <tenon/ipc/pipe/pipe.hpp>\n"}, "`inspect` may not use `ipc`"),
    ("floors", "a layout uses more than base", {PIPE + "pipe_layout.hpp": "#include <tenon/os/fd.hpp>\n"}, "a layout may use `base` alone"),
    ("floors", "the library uses a foreign library", {"src/tenon/os/text.cpp": "#include <fmt/core.h>\n"}, "standard library and the kernel's headers"),
    ("floors", "the kit is used by what is no test", {"src/tenon/os/text.cpp": "#include <kit/watchdog.hpp>\n"}, "standard library and the kernel's headers"),
    ("floors", "an include is relative", {"src/tenon/os/text.cpp": "#include \"fd.hpp\"\n"}, "written from the root"),
    ("floors", "an include leads nowhere", {"src/tenon/os/text.cpp": "#include <tenon/base/none.hpp>\n"}, "does not exist"),
    ("floors", "a floor is not in the table", {"src/tenon/attic/a.hpp": "#pragma once\n"}, "does not have: `attic`"),
    ("floors", "CMake links more than the table allows", {"CMakeLists.txt": CMAKE + "tenon_floor(ring USES base os)\n"}, "linked otherwise"),
    ("floors", "the table is gone", {"ARCHITECTURE.md": "Floors.\n"}, "has no floor table"),
    ("folders", "a file of the six is missing", {PIPE + "pipe_bench.cpp": None}, "lacks pipe_bench.cpp"),
    ("folders", "a file belongs to nothing", {PIPE + "notes.cpp": ""}, "belongs to none"),
    ("folders", "a test of no type of the folder", {PIPE + "ends_limits_test.cpp": ""}, "belongs to none"),
    ("folders", "half of a pair", {PIPE + "ends.hpp": "#pragma once\n"}, "half of a pair"),
    ("folders", "a heading is missing", {PIPE + "README.md": PAGE.replace("## Outcomes\n", "")}, "has the headings"),
    ("folders", "a heading says nothing", {PIPE + "README.md": PAGE.replace("closed.", "")}, "says nothing under"),
    ("folders", "the example has moved on", {PIPE + "pipe_example.cpp": "int main() { return 1; }\n"}, "as it no longer is"),
    ("folders", "the example is not shown", {PIPE + "README.md": PAGE.replace("pipe_example.cpp", "pipe.cpp")}, "does not include its example"),
    ("folders", "not said how to compile", {PIPE + "README.md": PAGE.replace("-ltenon -o", "-o")}, "compiled by hand"),
    ("folders", "a file outside any folder", {"src/tenon/ipc/loose.hpp": "#pragma once\n"}, "outside any mechanism's folder"),
    ("orders", "an order without a comment", {"src/tenon/base/word.hpp": ATOMIC.replace("  // S1", "")}, "without its edge"),
    ("orders", "an edge that is not declared", {"src/tenon/base/word.hpp": ATOMIC.replace(";  // S1", ";  // S2")}, "edge S2 is declared nowhere"),
    ("orders", "a release that has words but no edge", {"src/tenon/base/word.hpp": ATOMIC.replace(";  // S1", ";  // for the others")}, "names its edge"),
    ("orders", "an order that is not said", {"src/tenon/base/word.hpp": ATOMIC.replace("1, std::memory_order_release", "1")}, "without a memory order"),
    ("orders", "a relaxed order without a reason", {"src/tenon/base/word.hpp": ATOMIC.replace("own index: only the producer writes it", "relaxed")}, "is no reason"),
    ("orders", "a release explained on the line above alone", {"src/tenon/base/word.hpp": ATOMIC.replace("0, std::memory_order_relaxed", "0, std::memory_order_release")}, "names its edge"),
    ("names", "an empty word in a file's name", {"src/tenon/os/fd_helper.hpp": "#pragma once\n"}, "\"helper\" names nothing"),
    ("names", "an empty word in a type's name", {"src/tenon/os/fd.hpp": "class FdManager {};\n"}, "FdManager"),
    ("selfcontained", "a path of one machine", {"docs/build.md": "It lies in /ho" "me/ann/tenon.\n"}, "a path of one machine"),
    ("selfcontained", "a promise to finish", {"src/tenon/os/fd.cpp": "// TO" "DO: close it\n"}, "a promise to finish"),
    ("selfcontained", "something unfinished", {"src/tenon/os/fd.cpp": "// a st" "ub for now\n"}, "something unfinished"),
    ("selfcontained", "a number of a tracker", {"docs/build.md": "See iss" "ue 12.\n"}, "means nothing to a reader"),
    ("selfcontained", "a foreign host", {"docs/build.md": "From https://packages.example/tenon\n"}, "a host that"),
    ("faults", "a tag that is not listed", {PIPE + "pipe_test.cpp": "// F1 F2\nTEST(Pipe, carries_bytes) {}\n"}, "names F2, which docs/faults.md does not list"),
    ("faults", "a row that no test names", {PIPE + "pipe_test.cpp": "TEST(Pipe, carries_bytes) {}\n"}, "which no test names"),
    ("faults", "a row whose test does not exist", {"docs/faults.md": "| F1 | empty name | Pipe.is_gone |\n"}, "which does not exist"),
    ("faults", "a row whose test bears another row's fault", TWO_FAULTS, "F2 is said to be tested by \"Pipe.carries_bytes\", whose comments do not name it"),
    ("faults", "a row whose test stands below a comment that is another's", {PIPE + "pipe_test.cpp": "// F1\nTEST(Pipe, is_tagged) {}\n\nTEST(Pipe, carries_bytes) {\n}\n// F1\n"}, "write \"// F1\" directly above it (src/tenon/ipc/pipe/pipe_test.cpp:4)"),
    ("mutants", "its lines have moved on", {PIPE + "pipe.hpp": HEADER.replace("= -1", "= -2")}, "stands in src/tenon/ipc/pipe/pipe.hpp 0 times"),
    ("mutants", "its lines stand twice", {PIPE + "pipe.hpp": HEADER + "  int fd_ = -1;\n"}, "stands in src/tenon/ipc/pipe/pipe.hpp 2 times"),
    ("mutants", "its file is gone", {"tests/mutants/F1_any_name.mutant": MUTANT.replace("pipe.hpp", "gone.hpp")}, "there is no src/tenon/ipc/pipe/gone.hpp"),
    ("mutants", "it does not say which tests must fail", {"tests/mutants/F1_any_name.mutant": MUTANT.replace("tests: Pipe.*\n", "")}, "it needs program, tests, file"),
    ("mutants", "its tests have another name", {PIPE + "pipe_test.cpp": "// F1\nTEST(Fifo, carries_bytes) {}\n", PIPE + "pipe_limits_test.cpp": None}, "ipc_test has no test \"Pipe.*\""),
    ("mutants", "its tests are in another program", {"tests/mutants/F1_any_name.mutant": MUTANT.replace("ipc_test", "os_test")}, "os_test has no test \"Pipe.*\""),
    ("mutants", "the row of its fault does not name it", {"docs/faults.md": FAULTS.replace("F1_any_name", "none yet")}, "the row F1 does not name the mutant F1_any_name"),
    ("mutants", "it is against no fault, and no row names it", {"docs/faults.md": FAULTS.replace("pipe_stays_open", "It")}, "no row says what pipe_stays_open takes away"),
    ("mutants", "a row names one that is gone", {"tests/mutants/F1_any_name.mutant": None}, "names the mutant F1_any_name, which tests/mutants does not have"),
    ("format", "a line out of place", {"src/tenon/os/fd.cpp": "int  x=1;\n"}, "not as clang-format writes them"),
    ("headers", "a header that needs another first", {"src/tenon/os/fd.hpp": "#pragma once\nstd::string name();\n"}, "does not compile alone with g++"),
    ("headers", "a header that one compiler warns of", {"src/tenon/os/fd.hpp": "#pragma once\nclass Half {\n  int unused_ = 0;\n};\n"}, "does not compile alone with clang++-19"),
    ("tidy", "a member without its underscore", {PIPE + "pipe.hpp": HEADER.replace("fd_", "raw")}, "invalid case style for private member 'raw'"),
    ("tidy", "a type in snake_case", {PIPE + "pipe.cpp": "class pipe_end {};\n"}, "invalid case style for class 'pipe_end'"),
    ("tidy", "a function longer than a screen", {PIPE + "pipe.cpp": "int many() {\n  int sum = 0;\n" + "  ++sum;\n" * 80 + "  return sum;\n}\n"}, "function 'many' exceeds"),
    ("tidy", "a use after a move", {PIPE + "pipe.cpp": "#include <string>\n#include <utility>\nstd::size_t twice(std::string text) {\n  std::string other = std::move(text);\n  return other.size() + text.size();\n}\n"}, "used after it was moved"),
    ("seeds", "a test that does not exist", {"docs/seeds.md": SEEDS.replace("carries_bytes", "carries_stones")}, "which does not exist"),
    ("seeds", "an entry that the tour lacks", {"docs/seeds.md": SEEDS.replace("ipc-pipe", "ipc-hose")}, "the tour's \"ipc-hose\""),
    ("seeds", "no test named", {"docs/seeds.md": SEEDS.replace("| — |", "| none |")}, "names no test"),
    ("seeds", "a verdict of its own", {"docs/seeds.md": SEEDS.replace("| true |", "| perhaps |")}, "has the verdict \"perhaps\""),
    ("seeds", "a place that is gone", {"docs/seeds.md": SEEDS.replace("{hpp,cpp}", "{hpp,rs}")}, "pipe.rs, which does not exist"),
    ("seeds", "the same said twice", {"docs/seeds.md": SEEDS + SEEDS.split("|---|\n")[1]}, "says what line"),
    ("seeds", "a cell too few", {"docs/seeds.md": SEEDS.replace("claim | ", "")}, "has 5 cells"),
    ("seeds", "a document that nobody knows", {"docs/seeds.md": SEEDS.replace("A B", "D")}, "is none of the documents"),
    ("seeds", "a kind that nobody knows", {"docs/seeds.md": SEEDS.replace("| claim |", "| opinion |")}, "is no kind"),
]
