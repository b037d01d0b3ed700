# cmake --install: the program, the library, headers, the CMake package and the pkg-config file.
include(CMakePackageConfigHelpers)
install(TARGETS deepq RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
set_target_properties(deepq_core PROPERTIES EXPORT_NAME deepq)
install(TARGETS deepq_core EXPORT deepq ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/deepq DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT deepq NAMESPACE deepq:: FILE deepq-targets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/deepq)
file(WRITE ${PROJECT_BINARY_DIR}/deepq-config.cmake
"include(CMakeFindDependencyMacro)\nfind_dependency(Threads)\ninclude(\${CMAKE_CURRENT_LIST_DIR}/deepq-targets.cmake)\n")
write_basic_package_version_file(${PROJECT_BINARY_DIR}/deepq-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/deepq-config.cmake ${PROJECT_BINARY_DIR}/deepq-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/deepq)
# The file says where it is in relation to itself, so that cmake --install --prefix and a moved tree work.
file(RELATIVE_PATH prefix_of_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(box2d_libraries "")
if(DEEPQ_BOX2D)
    set(box2d_libraries " -lbox2d -lstdc++")
endif()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/deepq.pc CONTENT
"prefix=\${pcfiledir}/@prefix_of_pkgconfig@
Name: deepq
Description: @PROJECT_DESCRIPTION@
Version: @PROJECT_VERSION@
Cflags: -I\${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
Libs: -L\${prefix}/@CMAKE_INSTALL_LIBDIR@ -ldeepq@box2d_libraries@ -lm -pthread
" @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/deepq.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
