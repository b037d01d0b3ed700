# examples/NAME.c: one program each, against the public headers alone; with the sources in examples/NAME/.
file(GLOB example_files CONFIGURE_DEPENDS examples/*.c)
foreach(file ${example_files})
    get_filename_component(stem ${file} NAME_WE)
    file(GLOB more CONFIGURE_DEPENDS examples/${stem}/*.c)
    add_executable(example_${stem} ${file} ${more})
    target_link_libraries(example_${stem} PRIVATE deepq_core deepq_flags)
endforeach()
