# The style sheets and scripts of the HTML page, carried in the binary. Its charts are drawn by uPlot (npm's package, by
# name, pinned and checked); without it (no network, no npm) the page keeps the still pictures that need no script.
option(GPUWHY_CHARTS "Carry uPlot, for charts that can be zoomed" ON)

# Sets `output` to the generated source, GPUWHY_CHARTS_CARRIED to whether uPlot is in it.
function(gpuwhy_page_assets output)
  set(page ${CMAKE_SOURCE_DIR}/src/render/page)
  set(chart_style "")
  set(chart_script "")
  if(GPUWHY_CHARTS)
    set(uplot ${CMAKE_BINARY_DIR}/uplot)
    set(pinned uplot 1.6.32 4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d)
    set(fetch ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/fetch_source.py --npm ${pinned})
    execute_process(COMMAND ${fetch} dist ${GPUWHY_DOWNLOADS} ${uplot}/dist .iife.min.js .min.css
                    RESULT_VARIABLE failed ERROR_VARIABLE problem OUTPUT_QUIET)
    if(NOT failed)
      execute_process(COMMAND ${fetch} . ${GPUWHY_DOWNLOADS} ${uplot}/licence LICENSE
                      RESULT_VARIABLE failed ERROR_VARIABLE problem OUTPUT_QUIET)
    endif()
    if(failed)
      string(STRIP "${problem}" problem)
      message(WARNING "${problem}; the charts of --html will be still pictures")
    else()
      set(chart_style ${uplot}/dist/uPlot.min.css)
      set(chart_script ${uplot}/licence/LICENSE ${uplot}/dist/uPlot.iife.min.js ${page}/charts.js)
    endif()
  endif()
  set(source ${CMAKE_BINARY_DIR}/generated/page_assets.cpp)
  set(assets page.css=${page}/page.css page.js=${page}/page.js charts.css=${chart_style})
  set(files ${page}/page.css ${page}/page.js)
  set(GPUWHY_CHARTS_CARRIED OFF PARENT_SCOPE)
  if(chart_script)
    set(GPUWHY_CHARTS_CARRIED ON PARENT_SCOPE)
    list(JOIN chart_script "," joined)
    list(APPEND assets charts.js=${joined})
    list(APPEND files ${chart_style} ${chart_script})
  endif()
  add_custom_command(OUTPUT ${source}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/page_assets.py ${source} ${assets}
    DEPENDS ${CMAKE_SOURCE_DIR}/tools/page_assets.py ${files} VERBATIM)
  set(${output} ${source} PARENT_SCOPE)
endfunction()
