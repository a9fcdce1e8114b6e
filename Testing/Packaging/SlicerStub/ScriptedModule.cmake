# slicerMacroBuildScriptedModule and ctkMacroCompilePythonScript: copied at build, the whole destination installed.

# Refuse a file that the real macros would put outside the destination, copy as a folder, or not find.
function(_stub_check_file file source)
  if(IS_ABSOLUTE "${file}")
    message(FATAL_ERROR "absolute path, which Slicer would not install: ${file}")
  elseif("${file}" MATCHES "(^|/)\\.\\.(/|$)")
    message(FATAL_ERROR "path out of the module's folder, which Slicer would not install: ${file}")
  elseif(IS_DIRECTORY "${source}/${file}")
    message(FATAL_ERROR "folder, of which Slicer would install nothing: ${file}")
  elseif(NOT EXISTS "${source}/${file}")
    message(FATAL_ERROR "no such file: ${file}")
  endif()
endfunction()

macro(ctkMacroCompilePythonScript)
  cmake_parse_arguments(_stub "NO_INSTALL_SUBDIR;GLOBAL_TARGET" "TARGET_NAME;SOURCE_DIR;DESTINATION_DIR;INSTALL_DIR"
    "SCRIPTS;RESOURCES" ${ARGN})
  if(_stub_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown arguments: ${_stub_UNPARSED_ARGUMENTS}")
  endif()
  foreach(name TARGET_NAME SCRIPTS DESTINATION_DIR INSTALL_DIR)
    if(NOT DEFINED _stub_${name})
      message(FATAL_ERROR "${name} is mandatory")
    endif()
  endforeach()
  if(TARGET Copy${_stub_TARGET_NAME}PythonScriptFiles)
    message(FATAL_ERROR "second call for ${_stub_TARGET_NAME}, whose files Slicer would not copy")
  endif()
  set(_stub_copies)
  foreach(file ${_stub_SCRIPTS} ${_stub_RESOURCES})
    _stub_check_file("${file}" "${CMAKE_CURRENT_SOURCE_DIR}")
    add_custom_command(
      OUTPUT ${_stub_DESTINATION_DIR}/${file}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file}
      COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${_stub_DESTINATION_DIR}/${file}
      COMMENT "Copying ${file}")
    list(APPEND _stub_copies ${_stub_DESTINATION_DIR}/${file})
  endforeach()
  add_custom_target(Copy${_stub_TARGET_NAME}PythonScriptFiles ALL DEPENDS ${_stub_copies})
  set(_stub_installed ${_stub_DESTINATION_DIR})
  if(_stub_NO_INSTALL_SUBDIR)
    set(_stub_installed ${_stub_DESTINATION_DIR}/)
  endif()
  install(DIRECTORY ${_stub_installed} DESTINATION ${_stub_INSTALL_DIR} COMPONENT RuntimeLibraries
    USE_SOURCE_PERMISSIONS)
endmacro()

macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(_module "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(_module_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown arguments: ${_module_UNPARSED_ARGUMENTS}")
  endif()
  ctkMacroCompilePythonScript(
    TARGET_NAME ${_module_NAME}
    SCRIPTS ${_module_SCRIPTS}
    RESOURCES ${_module_RESOURCES}
    DESTINATION_DIR ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}
    INSTALL_DIR ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}
    NO_INSTALL_SUBDIR)
  if(BUILD_TESTING AND _module_WITH_GENERIC_TESTS)
    configure_file(${Slicer_PYTHON_MODULE_TEST_TEMPLATES_DIR}/ModuleGenericTest.py.in
      ${CMAKE_CURRENT_BINARY_DIR}/qSlicer${_module_NAME}ModuleGenericTest.py @ONLY)
    slicer_add_python_unittest(
      SCRIPT qSlicer${_module_NAME}ModuleGenericTest.py
      SLICER_ARGS --no-main-window --disable-cli-modules
      TESTNAME_PREFIX nomainwindow_)
  endif()
endmacro()
