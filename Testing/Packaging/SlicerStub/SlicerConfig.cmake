# Stands in for an installed 3D Slicer: what find_package(Slicer) gives an extension of scripted modules.
# Ours, written to the contract of Slicer's build files, and stricter: what Slicer would lose in silence is refused.
set(Slicer_VERSION "5.12")
set(Slicer_REVISION "0")
set(Slicer_OS "linux")
set(Slicer_ARCHITECTURE "amd64")
set(Slicer_USE_PYTHONQT ON)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(Slicer_LAUNCHER_EXECUTABLE "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/launcher.py")

set(Slicer_INSTALL_ROOT "./")
set(Slicer_LIB_DIR "lib/Slicer-${Slicer_VERSION}")
set(Slicer_SHARE_DIR "share/Slicer-${Slicer_VERSION}")
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "${Slicer_LIB_DIR}/qt-scripted-modules")
set(Slicer_CLIMODULES_LIB_DIR "${Slicer_LIB_DIR}/cli-modules")
set(Slicer_QTLOADABLEMODULES_LIB_DIR "${Slicer_LIB_DIR}/qt-loadable-modules")

set(Slicer_PYTHON_MODULE_TEST_TEMPLATES_DIR "${CMAKE_CURRENT_LIST_DIR}")
set(Slicer_LICENSE_FILE "${CMAKE_CURRENT_LIST_DIR}/not-the-licence-of-the-extension")
set(Slicer_README_FILE "${CMAKE_CURRENT_LIST_DIR}/not-the-readme-of-the-extension")

set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/GenerateConfig.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/CPackExtension.cmake")
