// What systemd wants to know of a service (sd_notify), without its library: a datagram to $NOTIFY_SOCKET.
#pragma once

#include <string_view>

namespace qn::cli {

// "READY=1", "STOPPING=1". Nothing happens where no manager asked for it.
void tell_service_manager(std::string_view state);

}  // namespace qn::cli
