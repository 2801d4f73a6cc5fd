#pragma once
/// The type of a service: that of its requests and of its responses in one record, which stands in each endpoint's
/// file.
///
/// Its name is "Service<Request,Response>". Its fields are those of the request, named "request.x", and of the
/// response, "response.y", at their own offsets; then the two messages themselves, "request" and "response", whose
/// kinds are their types' names.
#include <tenon/messaging/topic/message_shape.hpp>

#include <deque>
#include <string>
#include <vector>

namespace tenon {

class ServiceType {
 public:
  ServiceType(const MessageType& request, const MessageType& response);
  ServiceType(const ServiceType&) = delete;  // its description names its own texts
  ServiceType& operator=(const ServiceType&) = delete;
  MessageType type() const noexcept { return {.description = description_, .fields = fields_}; }

 private:
  void add(const std::string& prefix, const MessageType& message);

  std::deque<std::string> texts_ = {};
  std::vector<TypeField> fields_ = {};
  TypeDescription description_ = {};
};

/// Its texts live as long as the program.
template <AnyMessage Request, AnyMessage Response>
MessageType service_type() {
  static const ServiceType type(MessageShape<Request>::type(), MessageShape<Response>::type());
  return type.type();
}

}  // namespace tenon
