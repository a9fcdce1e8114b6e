# slicer_add_python_unittest: a ctest that starts Slicer with the built module and runs the unittest of a script.
macro(slicer_add_python_unittest)
  cmake_parse_arguments(_test "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  get_filename_component(_test_name ${_test_SCRIPT} NAME_WE)
  get_filename_component(_test_folder ${_test_SCRIPT} DIRECTORY)
  if("${_test_folder}" STREQUAL "")
    set(_test_folder ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  add_test(
    NAME py_${_test_TESTNAME_PREFIX}${_test_name}
    COMMAND ${Slicer_LAUNCHER_EXECUTABLE} --no-splash --testing ${_test_SLICER_ARGS}
      --additional-module-paths ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}
      --python-code "import slicer.testing; slicer.testing.runUnitTest(['${CMAKE_CURRENT_BINARY_DIR}', '${_test_folder}'], '${_test_name}')")
endmacro()
