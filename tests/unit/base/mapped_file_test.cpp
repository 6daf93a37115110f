#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "unit/file/temporary_folder.h"

namespace qn {
namespace {

// More than one of the parts that readers take, and no whole number of pages.
constexpr std::size_t size = (std::size_t{8} << 20) + 1234;

class TwoWays : public testing::TestWithParam<Residence> {
 protected:
  TwoWays() : path(folder / "data"), data(size) {
    std::uint64_t x = 1;
    for (std::size_t at = 0; at < size; at += 997)
      data[at] = static_cast<std::byte>((x = x * 6364136223846793005u + 1442695040888963407u) >> 56);
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(size));
  }
  bool same(const MappedFile& file) const {
    return file.bytes().size() == size && std::memcmp(file.bytes().data(), data.data(), size) == 0;
  }

  file::TemporaryFolder folder;
  std::filesystem::path path;
  std::vector<std::byte> data;
};

TEST_P(TwoWays, the_bytes_are_those_of_the_file) {
  const auto file = MappedFile::open(path, GetParam());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(same(*file));
}

TEST_P(TwoWays, released_and_prefetched_bytes_stay_readable) {
  const auto file = MappedFile::open(path, GetParam());
  ASSERT_TRUE(file);
  file->release(file->bytes().subspan(5, size / 2));
  EXPECT_TRUE(same(*file));
  file->release(file->bytes());
  file->prefetch(file->bytes());
  file->prefetch(file->bytes().first(10));
  EXPECT_TRUE(same(*file));
}

TEST_P(TwoWays, an_empty_file_has_no_bytes) {
  std::ofstream(folder / "empty").flush();
  const auto file = MappedFile::open(folder / "empty", GetParam());
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->bytes().empty());
  EXPECT_TRUE(file->lock(file->bytes()));
}

TEST_P(TwoWays, what_cannot_be_locked_names_the_limit_and_the_remedy) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers make mlock() do nothing";
#endif
  const auto file = MappedFile::open(path, GetParam());
  ASSERT_TRUE(file);
  Status status;
  std::thread([&] {
    // Capabilities are those of a thread; CAP_IPC_LOCK would lift the limit.
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    ASSERT_EQ(::syscall(SYS_capset, &header, none), 0);
    rlimit before{}, small{};
    ::getrlimit(RLIMIT_MEMLOCK, &before);
    small = before;
    small.rlim_cur = 64 * 1024;
    ASSERT_EQ(::setrlimit(RLIMIT_MEMLOCK, &small), 0);
    status = file->lock(file->bytes());
    ::setrlimit(RLIMIT_MEMLOCK, &before);
  }).join();
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("RLIMIT_MEMLOCK) is 65536 bytes; raise it with ulimit -l"), std::string::npos)
      << status.error().message;
}

INSTANTIATE_TEST_SUITE_P(Residence, TwoWays, testing::Values(Residence::mapped, Residence::read_in),
                         [](const auto& way) { return way.param == Residence::mapped ? "mapped" : "read_in"; });

TEST(MappedFile, a_file_read_in_does_not_notice_that_it_was_shortened) {
  file::TemporaryFolder folder;
  std::ofstream(folder / "data") << std::string(100'000, 'x');
  const auto file = MappedFile::open(folder / "data", Residence::read_in);
  ASSERT_TRUE(file);
  std::filesystem::resize_file(folder / "data", 10);
  EXPECT_EQ(std::ranges::count(file->bytes(), std::byte{'x'}), 100'000);
}

TEST(MappedFile, whoever_survives_lost_bytes_reads_zeros_in_their_place_and_is_told) {
  survive_lost_bytes();
  file::TemporaryFolder folder;
  for (const char* name : {"shortened", "whole"}) std::ofstream(folder / name) << std::string(100'000, 'x');
  const auto shortened = MappedFile::open(folder / "shortened"), whole = MappedFile::open(folder / "whole");
  ASSERT_TRUE(shortened && whole);
  std::filesystem::resize_file(folder / "shortened", 50'000);  // the end of its page reads as zeros
  std::ptrdiff_t left = 0;
  std::thread other([&] { left = std::ranges::count(shortened->bytes(), std::byte{'x'}); });
  other.join();
  EXPECT_EQ(left, 50'000);
  EXPECT_EQ(shortened->bytes().back(), std::byte{0});
  EXPECT_TRUE(shortened->lost());
  EXPECT_EQ(std::ranges::count(whole->bytes(), std::byte{'x'}), 100'000);
  EXPECT_FALSE(whole->lost());
}

TEST(MappedFile, a_stamp_tells_a_file_that_was_altered_from_one_that_was_replaced) {
  file::TemporaryFolder folder;
  std::ofstream(folder / "data") << "first";
  const auto file = MappedFile::open(folder / "data");
  ASSERT_TRUE(file);
  EXPECT_EQ(stamp_of(folder / "data"), file->stamp());
  std::ofstream(folder / "data") << "second";
  ASSERT_TRUE(stamp_of(folder / "data"));
  EXPECT_NE(stamp_of(folder / "data"), file->stamp());
  EXPECT_TRUE(stamp_of(folder / "data")->same_file(file->stamp()));
  std::ofstream(folder / "new") << "third";
  std::filesystem::rename(folder / "new", folder / "data");
  EXPECT_FALSE(stamp_of(folder / "data")->same_file(file->stamp()));
  EXPECT_FALSE(stamp_of(folder / "none"));
}

}  // namespace
}  // namespace qn
