# Sources made at configure time from file names, so that adding a file is all it takes:
#   src/env/env_NAME.c   defines  const dq_env_class *const dq_env_NAME_classes[] (NULL-terminated)
#   src/agent/head_NAME.c, backup_NAME.c, explore_NAME.c, src/replay/sampler_NAME.c
#                        define  const dq_KIND_class dq_KIND_NAME (dq_explorer_class for explore)
#   src/tune/suggest_NAME.c, prune_NAME.c
#                        define  const dq_suggester_class dq_suggest_NAME, const dq_pruner_class dq_prune_NAME
#   src/nn/layer_KIND.c  defines  const dq_layer_class dq_layer_KIND
#   python/deepq_gym_worker.py  the script of gym: environments, built into the library
#   presets/ID.yml       the tuned options for environment ID and gym:ID, built into the library as text
#   cli/cmd_NAME.c       defines  const cli_verb cli_verb_NAME, a verb of the program
set(generated_dir ${PROJECT_BINARY_DIR}/generated)

file(GLOB env_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/env/env_*.c)
if(NOT DEEPQ_BOX2D)
    list(REMOVE_ITEM env_files ${PROJECT_SOURCE_DIR}/src/env/env_lunarlander.c)
endif()
set(env_declarations "")
set(env_entries "")
foreach(file ${env_files})
    get_filename_component(stem ${file} NAME_WE)
    string(APPEND env_declarations "extern const dq_env_class *const dq_${stem}_classes[];\n")
    string(APPEND env_entries "    dq_${stem}_classes,\n")
endforeach()
file(CONFIGURE OUTPUT ${generated_dir}/env_list.c CONTENT
"// Made from the names of src/env/env_*.c.
#include <deepq/env.h>

@env_declarations@
extern const dq_env_class *const *const dq_env_builtin[];
const dq_env_class *const *const dq_env_builtin[] = {
@env_entries@    NULL,
};
" @ONLY)

file(GLOB preset_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/presets/*.yml)
set(preset_entries "")
foreach(file ${preset_files})
    get_filename_component(stem ${file} NAME_WLE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\n" "\\n\"\n     \"" text "${text}")
    string(APPEND preset_entries "    {\"${stem}\",\n     \"${text}\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${generated_dir}/preset_list.c CONTENT
"// Made from presets/*.yml.
#include <stddef.h>

struct dq_preset_text {
    const char *id, *text;
};
extern const struct dq_preset_text dq_preset_texts[];
const struct dq_preset_text dq_preset_texts[] = {
@preset_entries@    {NULL, NULL},
};
" @ONLY)

# Appends to the variable `out` the declarations and the list of the classes in src/FOLDER/PREFIX_*.c.
function(strategy_list out folder prefix type)
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/${prefix}_*.c)
    set(declarations "")
    set(entries "")
    foreach(file ${files})
        get_filename_component(stem ${file} NAME_WE)
        string(APPEND declarations "extern const dq_${type}_class dq_${stem};\n")
        string(APPEND entries "    &dq_${stem},\n")
    endforeach()
    set(${out} "${${out}}
${declarations}const dq_${type}_class *const dq_${type}_classes[] = {
${entries}    NULL,
};
" PARENT_SCOPE)
endfunction()

set(strategy_lists "")
strategy_list(strategy_lists agent head head)
strategy_list(strategy_lists agent backup backup)
strategy_list(strategy_lists agent explore explorer)
strategy_list(strategy_lists replay sampler sampler)
strategy_list(strategy_lists nn layer layer)
file(CONFIGURE OUTPUT ${generated_dir}/strategy_list.c CONTENT
"// Made from the names of src/agent/{head,backup,explore}_*.c src/replay/sampler_*.c and src/nn/layer_*.c.
#include \"agent/backup.h\"
#include \"agent/explore.h\"
#include \"agent/head.h\"
#include \"nn/layer.h\"
#include \"replay/sampler.h\"
@strategy_lists@" @ONLY)

set(tune_lists "")
strategy_list(tune_lists tune suggest suggester)
strategy_list(tune_lists tune prune pruner)
file(CONFIGURE OUTPUT ${generated_dir}/tune_list.c CONTENT
"// Made from the names of src/tune/{suggest,prune}_*.c.
#include \"tune/prune.h\"
@tune_lists@" @ONLY)
set(DEEPQ_TUNE_SOURCE ${generated_dir}/tune_list.c)

# The script that gym: environments run, as bytes: it holds quotes and is longer than a string may be.
set(gym_script ${PROJECT_SOURCE_DIR}/python/deepq_gym_worker.py)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${gym_script})
file(READ ${gym_script} gym_bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," gym_bytes "${gym_bytes}")
string(REGEX REPLACE "(................................................................................)" "\\1\n    " gym_bytes "${gym_bytes}")
file(CONFIGURE OUTPUT ${generated_dir}/gym_script.c CONTENT
"// Made from python/deepq_gym_worker.py.
#include <stddef.h>

extern const char dq_gym_script[];
extern const size_t dq_gym_script_size;
const char dq_gym_script[] = {
    @gym_bytes@
};
const size_t dq_gym_script_size = sizeof dq_gym_script;
" @ONLY)

set(DEEPQ_GENERATED_SOURCES ${generated_dir}/gym_script.c ${generated_dir}/env_list.c ${generated_dir}/preset_list.c
    ${generated_dir}/strategy_list.c)

file(GLOB verb_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/cmd_*.c)
set(verb_declarations "")
set(verb_entries "")
foreach(file ${verb_files})
    get_filename_component(stem ${file} NAME_WE)
    string(REPLACE "cmd_" "" name ${stem})
    string(APPEND verb_declarations "extern const cli_verb cli_verb_${name};\n")
    string(APPEND verb_entries "    &cli_verb_${name},\n")
endforeach()
file(CONFIGURE OUTPUT ${generated_dir}/verb_list.c CONTENT
"// Made from the names of cli/cmd_*.c.
#include \"cli.h\"

@verb_declarations@
const cli_verb *const cli_verbs[] = {
@verb_entries@    NULL,
};
" @ONLY)
set(DEEPQ_VERB_SOURCE ${generated_dir}/verb_list.c)
