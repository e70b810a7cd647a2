# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails where a constant of FNV-1a or of SplitMix64 stands outside of the one header that implements it: a second copy of
# a hash or of a generator begins with its constants. Tests may keep their own, as an oracle that shares no code.

cmake_path(SET root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")
set(home_of_fnv include/zero/utility/fingerprint.hpp)
set(constants_of_fnv 0x100000001b3 0xcbf29ce484222325 1099511628211 14695981039346656037 # 64 bits
    0x01000193 0x811c9dc5 16777619 2166136261) # 32 bits
set(home_of_split_mix include/zero/utility/split_mix.hpp)
set(constants_of_split_mix 0x9e3779b97f4a7c15 0xbf58476d1ce4e5b9 0x94d049bb133111eb)

file(GLOB_RECURSE files RELATIVE "${root}" LIST_DIRECTORIES FALSE
     "${root}/include/*" "${root}/src/*" "${root}/examples/*" "${root}/tools/*" "${root}/benchmarks/*")
list(FILTER files EXCLUDE REGEX "\\.py$") # a peer in Python can include neither
set(wrong "")
foreach(family fnv split_mix)
  set(found_at_home FALSE)
  list(JOIN constants_of_${family} "|" any)
  foreach(file IN LISTS files)
    file(READ "${root}/${file}" text)
    string(TOLOWER "${text}" text)
    string(REPLACE "'" "" text "${text}") # digits may be grouped
    if(text MATCHES "${any}")
      if(file STREQUAL home_of_${family})
        set(found_at_home TRUE)
      else()
        string(APPEND wrong "\n  ${file}: ${CMAKE_MATCH_0} belongs to ${home_of_${family}}; include that")
      endif()
    endif()
  endforeach()
  if(NOT found_at_home)
    string(APPEND wrong "\n  ${home_of_${family}}: its constants are gone: name the header that has them now")
  endif()
endforeach()
if(wrong)
  message(FATAL_ERROR "Constants that stand twice:${wrong}")
endif()
