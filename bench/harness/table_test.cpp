#include <harness/table.hpp>

#include <gtest/gtest.h>

namespace {

TEST(Table, aligns_its_columns_by_characters_not_bytes) {
  harness::Table table({{"name", harness::Table::Side::left}, {"time"}});
  table.add({"a", "4.31 µs"});
  table.add({"longer", "112 ns"});
  EXPECT_EQ(table.text(),
            "name       time\n"
            "a       4.31 µs\n"
            "longer   112 ns\n");
}

TEST(Table, durations_have_three_digits_and_the_unit_that_fits) {
  EXPECT_EQ(harness::duration_text(1.678), "1.68 ns");
  EXPECT_EQ(harness::duration_text(9.999), "10.0 ns");
  EXPECT_EQ(harness::duration_text(112.4), "112 ns");
  EXPECT_EQ(harness::duration_text(999.6), "1.00 µs");
  EXPECT_EQ(harness::duration_text(174'000), "174 µs");
  EXPECT_EQ(harness::duration_text(2.5e9), "2.50 s");
}

TEST(Table, rates_sizes_and_bandwidths_read_as_people_write_them) {
  EXPECT_EQ(harness::rate_text(182e6), "182 M/s");
  EXPECT_EQ(harness::bandwidth_text(62.1e9), "62.1 GB/s");
  EXPECT_EQ(harness::size_text(64), "64 B");
  EXPECT_EQ(harness::size_text(65536), "64 KiB");
  EXPECT_EQ(harness::size_text(4 << 20), "4 MiB");
}

}  // namespace
