# For other extensions that build on this one; a scripted extension has nothing to tell but where its sources are.
file(WRITE ${CMAKE_BINARY_DIR}/${EXTENSION_NAME}Config.cmake
  "set(${EXTENSION_NAME}_SOURCE_DIR \"${CMAKE_CURRENT_SOURCE_DIR}\")\n")
