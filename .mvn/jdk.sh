# Finds a JDK 21 or newer and exports JAVA_HOME. Sourced by ./sluice and ./mvnw.
# Order: JAVA_HOME if it is new enough, the javac on PATH, then the usual places, newest LTS first.
# SLUICE_JDK_ROOT, for tests, is the folder that the usual places lie in, instead of /.

sluice_jdk_major() { # prints the feature version of the JDK in $1, nothing where there is no compiler
  [ -x "$1/bin/javac" ] || return 0
  "$1/bin/javac" -version 2>&1 | sed -n 's/^javac \(1\.\)\{0,1\}\([0-9][0-9]*\).*/\2/p'
}

sluice_find_jdk() {
  sluice_found=""
  sluice_jdk_root=${SLUICE_JDK_ROOT:-}
  sluice_path_java=$(command -v javac 2>/dev/null || true)
  if [ -n "$sluice_path_java" ]; then
    sluice_path_java=$(readlink -f "$sluice_path_java" 2>/dev/null || printf %s "$sluice_path_java")
    sluice_path_home=${sluice_path_java%/bin/javac}
  else
    sluice_path_home=""
  fi
  set +f # the candidates below are patterns
  for sluice_home in "${JAVA_HOME:-}" "$sluice_path_home" \
    "$sluice_jdk_root"/usr/lib/jvm/*25* "$sluice_jdk_root"/usr/lib/jvm/*21* "$sluice_jdk_root"/usr/lib/jvm/* \
    "${HOME:-}"/.sdkman/candidates/java/25* "${HOME:-}"/.sdkman/candidates/java/21* \
    "$sluice_jdk_root"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    "$sluice_jdk_root"/opt/java/* "$sluice_jdk_root"/opt/jdk*; do
    [ -n "$sluice_home" ] && [ -d "$sluice_home" ] || continue
    sluice_major=$(sluice_jdk_major "$sluice_home")
    [ -n "$sluice_major" ] || continue
    if [ "$sluice_major" -ge 21 ]; then
      JAVA_HOME=$sluice_home
      export JAVA_HOME
      return 0
    fi
    sluice_found="$sluice_found $sluice_major ($sluice_home)"
  done
  echo "sluice: needs a JDK 21 or newer; found:${sluice_found:- none}. Install one (Debian: apt-get install temurin-25-jdk; macOS: brew install openjdk@25; any: https://adoptium.net) or set JAVA_HOME." >&2
  return 1
}
