# src/{draw,replay,tune}/module_NAME.c: a shared object deepq-NAME.so beside the program, loaded when it is asked for, so that
# the program itself starts fast and runs where these libraries are missing. Without a library's headers its
# module is not built, and the program says so when it would be needed.
file(RELATIVE_PATH module_folder /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR}/deepq)
set_source_files_properties(src/base/module.c PROPERTIES COMPILE_DEFINITIONS DEEPQ_MODULE_FOLDER="${module_folder}")

function(add_deepq_module name)
    pkg_check_modules(MODULE_${name} QUIET IMPORTED_TARGET ${ARGN})
    if(NOT MODULE_${name}_FOUND)
        message(STATUS "without ${name}: ${ARGN} not found")
        return()
    endif()
    file(GLOB source ${PROJECT_SOURCE_DIR}/src/*/module_${name}.c)
    add_library(deepq_${name} MODULE ${source})
    set_target_properties(deepq_${name} PROPERTIES OUTPUT_NAME deepq-${name} PREFIX "")
    target_include_directories(deepq_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(deepq_${name} PRIVATE deepq_core deepq_flags PkgConfig::MODULE_${name})
    install(TARGETS deepq_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/deepq)
    add_dependencies(deepq_modules deepq_${name})
endfunction()

add_custom_target(deepq_modules)
add_deepq_module(mp4 libavformat libavcodec libswscale libavutil)
add_deepq_module(window sdl2)
add_deepq_module(chafa chafa)
add_deepq_module(sqlite sqlite3)
add_deepq_module(postgresql libpq)
add_deepq_module(lz4 liblz4)

# The script behind deepq logger lies where the modules are.
configure_file(${PROJECT_SOURCE_DIR}/python/deepq_logger.py ${PROJECT_BINARY_DIR}/deepq_logger.py COPYONLY)
install(PROGRAMS python/deepq_logger.py DESTINATION ${CMAKE_INSTALL_LIBDIR}/deepq)
