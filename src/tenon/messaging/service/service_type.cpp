#include <tenon/messaging/service/service_type.hpp>

#include <algorithm>

namespace tenon {

ServiceType::ServiceType(const MessageType& request, const MessageType& response) {
  add("request.", request);
  add("response.", response);
  for (const auto& [name, message] : {std::pair("request", &request), std::pair("response", &response)}) {
    const TypeDescription& type = message->description;
    fields_.push_back({.name = name, .kind = type.name, .size = type.size, .hash = type.hash});
  }
  std::string& name = texts_.emplace_back("Service<");
  name.append(request.description.name).append(",").append(response.description.name).append(">");
  name.resize(std::min(name.size(), TypeText::capacity));  // a record has no room for more; the fields have all
  description_ = describe(name, request.description.size + response.description.size,
                          std::max(request.description.alignment, response.description.alignment), fields_);
}

void ServiceType::add(const std::string& prefix, const MessageType& message) {
  for (TypeField field : message.fields) {
    field.name = texts_.emplace_back(prefix + std::string(field.name));
    fields_.push_back(field);
  }
}

}  // namespace tenon
