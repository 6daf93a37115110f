#include "base/usable_cpus.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace qn {
namespace {

namespace fs = std::filesystem;

// A folder that looks like the root of a machine to cpu_quota().
class Machine : public testing::Test {
 protected:
  Machine() {
    std::string name = (fs::temp_directory_path() / "quern_cpus_XXXXXX").string();
    root = ::mkdtemp(name.data());
  }
  ~Machine() override { fs::remove_all(root); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }

  fs::path root;
};

constexpr const char* v2_mount = "30 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* v1_mount = "35 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n";

TEST_F(Machine, without_control_groups_there_is_no_quota) {
  EXPECT_EQ(cpu_quota(root), no_quota);
}

TEST_F(Machine, the_limit_of_the_own_group_counts) {
  write("proc/self/mountinfo", v2_mount);
  write("proc/self/cgroup", "0::/work.slice/job\n");
  write("sys/fs/cgroup/work.slice/job/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 1.5);
}

TEST_F(Machine, the_least_limit_of_nested_groups_counts) {
  write("proc/self/mountinfo", v2_mount);
  write("proc/self/cgroup", "0::/a/b/c\n");
  write("sys/fs/cgroup/a/cpu.max", "800000 100000\n");
  write("sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
  write("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 3);
}

TEST_F(Machine, inside_a_container_the_mounted_group_counts) {
  write("proc/self/mountinfo", v2_mount);
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 2);
}

TEST_F(Machine, the_first_version_of_control_groups_is_read_too) {
  write("proc/self/mountinfo", v1_mount);
  write("proc/self/cgroup", "7:memory:/other\n4:cpu,cpuacct:/jobs/one\n");
  write("sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 0.5);
}

TEST_F(Machine, a_container_of_the_first_version_sees_its_group_mounted) {
  write("proc/self/mountinfo", "35 30 0:30 /docker/0123abcd /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  write("proc/self/cgroup", "4:cpu:/docker/0123abcd\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 4);
}

TEST_F(Machine, files_without_sense_limit_nothing) {
  write("proc/self/mountinfo", std::string("x y z\n - cgroup2\n") + v2_mount);
  write("proc/self/cgroup", "nonsense\n0::/a\n");
  write("sys/fs/cgroup/a/cpu.max", "100000 0\n");
  write("sys/fs/cgroup/cpu.max", "-5 banana\n");
  EXPECT_EQ(cpu_quota(root), no_quota);
}

TEST(UsableCpus, there_is_always_one) {
  EXPECT_GE(allowed_cpus().size(), 1u);
  EXPECT_GE(usable_cores(), 1);
  EXPECT_LE(usable_cores(), static_cast<int>(allowed_cpus().size()));
}

}  // namespace
}  // namespace qn
