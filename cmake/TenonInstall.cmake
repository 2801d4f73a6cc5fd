# What `cmake --install` puts where: the library, its public headers, and how CMake and pkg-config find them.
include(CMakePackageConfigHelpers)

install(TARGETS tenon EXPORT tenon_targets)
install(DIRECTORY src/tenon DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT tenon_targets NAMESPACE tenon:: FILE tenonTargets.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tenon)

configure_package_config_file(cmake/tenonConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/tenonConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tenon)
# Before 1.0 a minor version may break what the last one promised.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tenonConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tenonConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/tenonConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tenon)

# The pkg-config file finds its prefix from where it lies, so that an installed tree may be moved.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(TENON_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
  set(TENON_PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
  set(TENON_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
  file(RELATIVE_PATH TENON_PC_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  set(TENON_PC_PREFIX "\${pcfiledir}/${TENON_PC_UP}")
  set(TENON_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(TENON_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(TENON_PC_DEFINITION "")
if(TENON_CHECKED)
  set(TENON_PC_DEFINITION " -DTENON_CHECKED")
endif()
configure_file(cmake/tenon.pc.in ${CMAKE_CURRENT_BINARY_DIR}/tenon.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tenon.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
