# What is installed, where (FHS, hier(7)), and the packages that CPack makes of it.
#
#   cmake --install BUILD --prefix /usr/local; DESTDIR is honoured      cpack -G "DEB;TGZ"
#
# Under scikit-build-core (a wheel) only the program is installed: pip puts it on PATH as it is.
include(GNUInstallDirs)

if(SKBUILD)
  install(PROGRAMS ${GPUWHY_PROGRAM} DESTINATION ${SKBUILD_SCRIPTS_DIR} RENAME gpuwhy)
  return()
endif()

# The program writes its own manual page and completions, from the tables of its options.
set(pages ${CMAKE_BINARY_DIR}/pages)
set(bash ${pages}/gpuwhy)
set(zsh ${pages}/_gpuwhy)
set(fish ${pages}/gpuwhy.fish)
set(man ${pages}/gpuwhy.1)
add_custom_command(OUTPUT ${bash} ${zsh} ${fish} ${man}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${pages}
  COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} ${GPUWHY_PROGRAM} completions bash > ${bash}
  COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} ${GPUWHY_PROGRAM} completions zsh > ${zsh}
  COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} ${GPUWHY_PROGRAM} completions fish > ${fish}
  COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} ${GPUWHY_PROGRAM} man > ${man}
  DEPENDS ${GPUWHY_PROGRAM_TARGET} VERBATIM)
add_custom_target(gpuwhy_pages ALL DEPENDS ${bash} ${zsh} ${fish} ${man})

install(PROGRAMS ${GPUWHY_PROGRAM} DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME gpuwhy)
install(FILES ${man} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${bash} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${zsh} DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${fish} DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME gpuwhy)
set(CPACK_PACKAGE_VENDOR gpuwhy)
set(CPACK_PACKAGE_CONTACT "the authors of gpuwhy <gpuwhy@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "tells why a Keras or TensorFlow program does not use the GPU")
set(CPACK_PACKAGE_DESCRIPTION "One static program. It looks at the hardware, the driver, the Python environments and the
libraries a framework would load, asks the driver, and names the one cause for which
TensorFlow, JAX or PyTorch runs on the processor, with a fix that it has tried out on paper.")
set(CPACK_PACKAGE_FILE_NAME gpuwhy-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_CURRENT_SOURCE_DIR}/LICENSE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
string(REGEX REPLACE "^x86_64$" "amd64" debian_architecture ${CMAKE_SYSTEM_PROCESSOR})
string(REGEX REPLACE "^aarch64$" "arm64" CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${debian_architecture})
set(CPACK_DEBIAN_PACKAGE_DEPENDS "") # static: it needs a kernel
set(CPACK_STRIP_FILES OFF)           # stripped by the linker; what it carries must stay as it is
include(CPack)
