# peers: what others have beside a topic of Tenon's. Each is measured if its package is there, and nothing else links it;
# the program says which are not.
find_package(Boost QUIET)
find_package(iceoryx_posh QUIET CONFIG)
find_program(TENON_IOX_ROUDI iox-roudi)
find_package(nng QUIET CONFIG)
find_library(TENON_ZEROMQ zmq)

add_library(tenon_bench_peers STATIC peers/peer.cpp)
target_link_libraries(tenon_bench_peers PUBLIC tenon_bench_topic PRIVATE tenon_flags)
target_include_directories(tenon_bench_peers PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_options(tenon_bench_peers PRIVATE -O3)

# tenon_peer(NAME FILE IS_THERE targets…)
function(tenon_peer name file is_there)
  if(${is_there})
    string(TOUPPER ${file} word)
    target_sources(tenon_bench_peers PRIVATE peers/${file}.cpp)
    target_compile_definitions(tenon_bench_peers PRIVATE TENON_PEER_${word})
    target_link_libraries(tenon_bench_peers PRIVATE ${ARGN})
  else()
    message(STATUS "bench/peers is built without ${name}: ./dev bench --peers installs it")
  endif()
endfunction()

tenon_peer("Boost.Interprocess" boost_queue Boost_FOUND Boost::headers)
if(iceoryx_posh_FOUND AND TENON_IOX_ROUDI)
  set(iceoryx_is_there TRUE)
endif()
tenon_peer("iceoryx" iceoryx iceoryx_is_there iceoryx_posh::iceoryx_posh)
tenon_peer("NNG" nng nng_FOUND nng::nng)
tenon_peer("ZeroMQ" zeromq TENON_ZEROMQ ${TENON_ZEROMQ})

tenon_bench_program(peers peers/main.cpp LINKS tenon_bench_peers CLI11::CLI11 fmt::fmt)
