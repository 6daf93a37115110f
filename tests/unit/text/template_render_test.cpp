#include <gtest/gtest.h>

#include "text/template/template.h"

namespace qn::text {
namespace {

TEST(Template, text_is_printed_as_it_stands) {
  const auto form = Template::parse("hello {{ 'world' }}");
  ASSERT_TRUE(form) << form.error().message;
  EXPECT_EQ(*form->render({}, {}), "hello world");
}

}  // namespace
}  // namespace qn::text
